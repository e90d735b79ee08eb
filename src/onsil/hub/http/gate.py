"""Errors as answers, bodies within limits, and the psycopg door to a city for synchronous callers.

Errors have the types and statuses of GS CIM 009 V1.9.1 §6.3.2 in the form of RFC 7807, as
`application/json` (§6.3.3). When the database is away the answer is 503, and the next request
tries again.
"""

import logging
import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import asyncpg
import orjson
import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout
from starlette.requests import Request
from starlette.responses import Response

from onsil.core.database import ALL_CITIES, APP_ROLE, Connection, scope
from onsil.core.refusal import OperationError
from onsil.hub.contexts import ContextError
from onsil.hub.documents import AttributeMissing, DocumentError
from onsil.hub.http.database import DatabaseAway
from onsil.hub.query.scanner import QueryError
from onsil.hub.terms import Writer
from onsil.hub.writing import Absent, Kept, Taken

_log = logging.getLogger("onsil.hub")
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
BODY_MAX = 8 * 1024 * 1024
DEPTH_MAX = 64
JSON = "application/json"
_CITY = re.compile(r"^[a-z][a-z0-9-]{0,39}$")
_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Problem(Exception):
    """An answer that is an error: status, the standard's type, and what happened.

    Without a type it is a bare status (§6.3.4).
    """

    def __init__(
        self, status: int, kind: str, title: str = "", detail: str = "", **headers: str
    ) -> None:
        super().__init__(title)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def body(self) -> dict[str, Any]:
        """The ProblemDetails."""
        body = {"type": ERRORS + self.kind, "title": self.title, "status": self.status}
        return body | {"detail": self.detail} if self.detail else body


def bad_data(detail: str) -> Problem:
    return Problem(400, "BadRequestData", "The request's data are not valid", detail)


def bad_request(detail: str) -> Problem:
    return Problem(400, "InvalidRequest", "The request cannot be read", detail)


def not_found(detail: str) -> Problem:
    return Problem(404, "ResourceNotFound", "There is no such resource", detail)


def unauthorised() -> Problem:
    return Problem(
        401, "Unauthorized", "A valid token of a registered device is needed",
        "등록된 기기의 토큰이 필요합니다. / Send a registered device's token as Bearer.",
        WWW_Authenticate='Bearer realm="onsil"',
    )  # fmt: skip


def another_city(city: str) -> Problem:
    return Problem(
        403, "OperationNotSupported", "The token is another city's",
        f"다른 도시의 토큰입니다. / The token's city is {city}.",
    )  # fmt: skip


def away() -> Problem:
    return Problem(
        503, "InternalError", "The database is away for the moment",
        "잠시 후 다시 시도하세요. / Try again in a moment.", Retry_After="2",
    )  # fmt: skip


def problem_response(problem: Problem) -> Response:
    if not problem.kind:
        return Response(status_code=problem.status, headers=problem.headers)
    return Response(orjson.dumps(problem.body()), problem.status, problem.headers, JSON)


def problem_of(error: Exception) -> Problem | None:
    """The Problem that an error is told as; None for one nobody foresaw."""
    match error:
        case Problem():
            return error
        case ContextError() if error.unavailable:
            return Problem(
                504, "LdContextNotAvailable", "The @context is not available", str(error)
            )
        case ContextError() | DocumentError() | QueryError():
            return bad_data(str(error))
        case Absent() | AttributeMissing():
            return not_found(str(error))
        case Taken():
            title = "There is an entity with this id"
            return Problem(409, "AlreadyExists", title, str(error))
        case Kept():
            return Problem(
                422, "OperationNotSupported", "The entity has measured series, which are kept",
                f"측정 기록이 있는 개체는 지울 수 없습니다. / {error} has measured series.",
            )  # fmt: skip
        case DatabaseAway():
            return away()
        case asyncpg.QueryCanceledError() | psycopg.errors.QueryCanceled():
            title = "The query takes too long"
            return Problem(403, "TooComplexQuery", title, "Narrow it down.")
        case asyncpg.ProgramLimitExceededError() | psycopg.errors.ProgramLimitExceeded():
            return bad_data("a name or a text is too long to be kept")
        case asyncpg.DataError() | psycopg.DataError():
            return bad_data(str(error).split("\n")[0])
        case OperationError():
            return Problem(422, "OperationNotSupported", "It cannot be done", str(error))
    return None


def answer_problem(error: Exception) -> Response:
    """The answer to an error; a 500 and a line in the log for one nobody foresaw."""
    problem = problem_of(error)
    if problem is None:
        _log.error("unforeseen", exc_info=error)
        problem = Problem(500, "InternalError", "Something went wrong on our side")
    return problem_response(problem)


async def handle_problem(_request: Request, error: Exception) -> Response:
    """The same as a Starlette application's handler."""
    return answer_problem(error)


Authenticate = Callable[[Connection, str], Writer | None]


class Gate:
    """Psycopg connections for requests, from a pool that outlives the database's absences."""

    def __init__(
        self, dsn: str, default_city: str, authenticate: Authenticate | None = None
    ) -> None:
        self.default_city = default_city
        self.authenticate = authenticate
        self.pool = ConnectionPool(
            dsn, min_size=1, max_size=8, open=False, timeout=3, reconnect_timeout=2,
            configure=_configure, check=ConnectionPool.check_connection,
        )  # fmt: skip

    def open(self) -> None:
        self.pool.open(wait=False)

    def close(self) -> None:
        self.pool.close()

    def city(self, request: Request) -> str:
        """The tenant asked for. Raises Problem for what cannot be a city's code."""
        city = request.headers.get("NGSILD-Tenant", self.default_city)
        if not _CITY.match(city):
            raise Problem(404, "NonexistentTenant", "There is no such tenant", city[:40])
        return city

    @contextmanager
    def connection(self, city: str = ALL_CITIES):
        """One transaction that sees one city. Raises Problem 503 when the database is away."""
        try:
            with self.pool.connection() as connection:
                scope(connection, city)
                connection.execute("SET LOCAL statement_timeout = '10s'")
                yield connection
        except psycopg.errors.QueryCanceled as error:
            raise Problem(
                403, "TooComplexQuery", "The query takes too long", "Narrow it down."
            ) from error
        except psycopg.DataError as error:
            raise bad_data(str(error).split("\n")[0]) from error
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise away() from error

    def writer(self, request: Request) -> Writer:
        """Who sends the request's token. Raises Problem 401."""
        token = bearer(request)
        if not token or self.authenticate is None:
            raise unauthorised()
        with self.connection() as connection:
            found = self.authenticate(connection, token)
        if found is None:
            raise unauthorised()
        asked = request.headers.get("NGSILD-Tenant")
        if asked is not None and asked != found.city:
            raise another_city(found.city)
        return found


def bearer(request: Request) -> str:
    """The request's bearer token; empty without one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _configure(connection: Connection) -> None:
    connection.autocommit = True
    connection.execute(f"SET ROLE {APP_ROLE}")  # pyright: ignore[reportArgumentType]
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute("SELECT set_config('onsil.city', '', false)")
    connection.autocommit = False


async def read_body(request: Request) -> bytes:
    """The body, up to BODY_MAX bytes. Raises Problem."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MAX:
            raise Problem(413, "RequestEntityTooLarge", f"The body is over {BODY_MAX} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def parse_json(body: bytes) -> Any:
    """The JSON of a body, nested up to DEPTH_MAX levels. Raises Problem."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"not JSON: {error}") from None
    if _deep(body, parsed):
        raise bad_data(f"JSON nested deeper than {DEPTH_MAX} levels")
    return parsed


def _deep(body: bytes, parsed: Any) -> bool:
    # Brackets alone, innermost pairs taken away level by level; texts may hold odd ones.
    rest = body.translate(None, _BRACKETS)
    for _ in range(DEPTH_MAX):
        if not rest:
            return False
        rest = rest.replace(b"{}", b"").replace(b"[]", b"")
    if not rest:
        return False
    level: list[Any] = [parsed]
    for _ in range(DEPTH_MAX + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
