"""The devices' HTTP door: readings in, commands out and answered; by token or certificate."""

import hashlib
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

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
from onsil.devices import certificates
from onsil.devices.acknowledgements import answer_of
from onsil.devices.commands.orders import acknowledge, take_due
from onsil.devices.commands.sending import told
from onsil.devices.ingest import IngestReport, Message, ingest
from onsil.devices.register import device_of_certificate, devices, writer_for, writer_of
from onsil.devices.terms import DecodeError
from onsil.hub.http.gate import (
    Gate,
    Problem,
    Writer,
    bad_data,
    handle_problem,
    not_found,
    problem_response,
    read_body,
)

MESSAGE_ID_MAX = 200
T = TypeVar("T")


def make_app(
    dsn: str, default_city: str = "pyeongtaek", clock: Clock | None = None, proxies: str = ""
) -> Starlette:
    """The application. It starts, and answers 503, while the database is away.

    `proxies`: networks whose `Client-Cert` header is believed.
    """
    door = _Door(
        Gate(dsn, default_city, writer_of), clock or SystemClock(), certificates.networks(proxies)
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette):
        door.gate.open()
        yield
        door.gate.close()

    return Starlette(
        routes=[
            Route("/devices/v1/readings", door.readings, methods=["POST"]),
            Route("/devices/v1/commands", door.commands, methods=["GET"]),
            Route("/devices/v1/commands/{command}/ack", door.answer, methods=["POST"]),
        ],
        exception_handlers={Problem: handle_problem, HTTPException: _http_error},
        lifespan=lifespan,
    )


class _Door:
    """What each request needs: the way into the database, the clock, whom to believe."""

    def __init__(self, gate: Gate, clock: Clock, proxies: tuple[certificates.Network, ...]) -> None:
        self.gate, self.clock, self.proxies = gate, clock, proxies

    async def sender(self, request: Request) -> Writer:
        """Who sends: by certificate where a trusted proxy tells it, else by token. Problem 401."""
        told = request.headers.get(certificates.HEADER)
        peer = request.client.host if request.client else None
        if told is None or not certificates.trusted(peer, self.proxies):
            return await run_in_threadpool(self.gate.writer, request)
        certificate = certificates.of_header(told)

        def find() -> Writer | None:
            if certificate is None:
                return None
            with self.gate.connection() as conn:
                found = device_of_certificate(
                    conn, certificate.sha256, certificate.subject, self.clock.now()
                )
                return writer_for(found) if found else None

        known = await run_in_threadpool(find)
        if known is None:
            raise Problem(
                401, "Unauthorized", "The client certificate is no registered device's",
                "등록된 기기의 인증서가 아닙니다. / Register the certificate for its device.",
            )  # fmt: skip
        return known

    async def within(self, city: str, work: Callable[[Connection], T]) -> T:
        def inside() -> T:
            with self.gate.connection(city) as conn:
                return work(conn)

        return await run_in_threadpool(inside)

    async def readings(self, request: Request) -> Response:
        """Take one message: 200, 207 when some of it was set aside, 422 when all of it was."""
        sender = await self.sender(request)
        body = await read_body(request)
        given = request.headers.get("Idempotency-Key", "") or _id_of(body)
        if len(given) > MESSAGE_ID_MAX:
            raise Problem(400, "BadRequestData", f"A message id has {MESSAGE_ID_MAX} characters")
        kind = request.headers.get("Content-Type", "")
        path = request.query_params.get("path", "")
        message = Message(sender.device_id, body, self.clock.now(), path[:200], kind[:100])
        answer = await self.within(
            sender.city, lambda conn: take(conn, sender, message, given, self.clock)
        )
        status = 200
        if answer["refused"]:
            taken = answer["stored"] + answer["duplicate"] + answer["corrected"]
            status = 207 if taken else 422
        return _json(answer, status)

    async def commands(self, request: Request) -> Response:
        """What the device is to do now; what it gets here counts as sent, and awaits its answer."""
        sender = await self.sender(request)

        def work(conn: Connection) -> list[dict[str, Any]]:
            if not devices(conn, sender.city, ids=[sender.device_id]):
                return []
            due = take_due(conn, sender.city, self.clock, device_id=sender.device_id)
            return [told(command) for _, command in due]

        return _json({"commands": await self.within(sender.city, work)}, 200)

    async def answer(self, request: Request) -> Response:
        """A device's answer: `{"status": "done" | "failed", "detail": …}`."""
        sender = await self.sender(request)
        body = await read_body(request)
        try:
            number = UUID(request.path_params["command"])
            parsed = orjson.loads(body or b"{}")
            parsed = {**parsed, "command": str(number)} if isinstance(parsed, dict) else parsed
            given = answer_of(sender.device_id, orjson.dumps(parsed))
        except (ValueError, DecodeError) as error:
            raise bad_data(str(error)) from None

        def work(conn: Connection) -> str | None:
            after = acknowledge(
                conn, sender.city, sender.device_id, number, done=given.done, detail=given.detail,
                clock=self.clock,
            )  # fmt: skip
            return after.state if after else None

        state = await self.within(sender.city, work)
        if state is None:
            raise not_found("no such command of this device")
        return _json({"command": str(number), "state": state}, 200)


def _json(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


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
    conn: Connection, sender: Writer, message: Message, message_id: str, clock: Clock
) -> dict[str, Any]:
    """Record a message once: with an id given before, the first answer is given again.

    Raises Problem 409 when the id was used for another message.
    """
    city, device_id = sender.city, sender.device_id
    digest = hashlib.sha256(message.payload).digest()
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
