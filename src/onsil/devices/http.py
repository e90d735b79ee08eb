"""Readings over HTTP: `POST /devices/v1/readings` with a device's token."""

import hashlib
from contextlib import asynccontextmanager
from typing import Any

import orjson
from psycopg.types.json import Jsonb
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.devices.ingest import IngestReport, Message, ingest
from onsil.devices.register import writer_of
from onsil.hub.http.gate import Gate, Problem, Writer, handle_problem, problem_response, read_body

MESSAGE_ID_MAX = 200


def make_app(dsn: str, default_city: str = "pyeongtaek", clock: Clock | None = None) -> Starlette:
    """The application. It starts, and answers 503, while the database is away."""
    gate = Gate(dsn, default_city, writer_of)
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(_app: Starlette):
        gate.open()
        yield
        gate.close()

    async def readings(request: Request) -> Response:
        """Take one message: 200, 207 when some of it was set aside, 422 when all of it was."""
        sender = await run_in_threadpool(gate.writer, request)
        body = await read_body(request)
        given = request.headers.get("Idempotency-Key", "") or _id_of(body)
        if len(given) > MESSAGE_ID_MAX:
            raise Problem(400, "BadRequestData", f"A message id has {MESSAGE_ID_MAX} characters")

        def work() -> dict[str, Any]:
            with gate.connection(sender.city) as conn:
                return take(conn, sender, body, given, clock)

        answer = await run_in_threadpool(work)
        status = 200
        if answer["refused"]:
            taken = answer["stored"] + answer["duplicate"] + answer["corrected"]
            status = 207 if taken else 422
        return Response(orjson.dumps(answer), status, media_type="application/json")

    return Starlette(
        routes=[Route("/devices/v1/readings", readings, methods=["POST"])],
        exception_handlers={Problem: handle_problem, HTTPException: _http_error},
        lifespan=lifespan,
    )


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = "OperationNotSupported" if error.status_code == 405 else "ResourceNotFound"
    return problem_response(Problem(error.status_code, kind, error.detail))


def _id_of(body: bytes) -> str:
    """The message's own id, where it is a JSON object that has one."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    found = parsed.get("id", "") if isinstance(parsed, dict) else ""
    return found.replace("\0", "") if isinstance(found, str) else str(found)


def take(
    conn: Connection, sender: Writer, body: bytes, message_id: str, clock: Clock
) -> dict[str, Any]:
    """Record a message once: with an id given before, the first answer is given again.

    Raises Problem 409 when the id was used for another message.
    """
    city, device_id = sender.city, sender.device_id
    digest = hashlib.sha256(body).digest()
    if message_id:
        with cursor(conn) as cur:
            # Of two that come at once, the second waits for the first one's answer.
            cur.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                (f"{city}/{device_id}/{message_id}",),
            )
            cur.execute(
                "SELECT digest, answer FROM devices_message"
                " WHERE city = %s AND device_id = %s AND message_id = %s",
                (city, device_id, message_id),
            )
            before = cur.fetchone()
        if before and before[0] != digest:
            raise Problem(
                409, "AlreadyExists", "The message id was used for another message",
                f"같은 번호({message_id})로 다른 내용이 접수되어 있습니다. / Use a new id.",
            )  # fmt: skip
        if before:
            return {**before[1], "replayed": True}
    message = Message(device_id, body, clock.now())
    answer = _answer(ingest(conn, city, [message], clock))
    if message_id:
        with cursor(conn) as cur:
            cur.execute(
                "INSERT INTO devices_message"
                " (city, device_id, message_id, digest, received_at, answer)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (city, device_id, message_id, digest, clock.now(), Jsonb(answer)),
            )
    return {**answer, "replayed": False}


def _answer(report: IngestReport) -> dict[str, Any]:
    recorded = report.recorded
    refused: list[dict[str, Any]] = [
        {
            "entity": q.reading.entity, "attribute": q.reading.attribute,
            "at": q.reading.observed_at.isoformat(), "code": q.code, "ko": q.ko, "en": q.en,
        }
        for q in recorded.quarantined
    ]  # fmt: skip
    refused += [{"code": r.code, "ko": r.ko, "en": r.en} for r in report.refused]
    return {
        "stored": recorded.stored,
        "duplicate": recorded.duplicate,
        "corrected": recorded.corrected,
        "late": recorded.late,
        "refused": refused,
    }
