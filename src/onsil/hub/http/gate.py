"""What every request passes: a database connection scoped to a city, and errors as ProblemDetails.

Errors have the types of ETSI GS CIM 009 §5.5 in the form of RFC 7807. When the database is away the
answer is 503, and the next request tries again.
"""

import logging
import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout
from starlette.requests import Request
from starlette.responses import Response

from onsil.core.database import ALL_CITIES, APP_ROLE, Connection, scope
from onsil.core.refusal import OperationError
from onsil.hub.contexts import ContextError
from onsil.hub.documents import DocumentError
from onsil.hub.http.database import DatabaseAway
from onsil.hub.query.scanner import QueryError
from onsil.hub.terms import Writer

_log = logging.getLogger("onsil.hub")
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
BODY_MAX = 8 * 1024 * 1024
_CITY = re.compile(r"^[a-z][a-z0-9-]{0,39}$")


class Problem(Exception):
    """An answer that is an error: status, the standard's type, and what happened."""

    def __init__(self, status: int, kind: str, title: str, detail: str = "", **headers: str):
        super().__init__(title)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


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


def problem_response(problem: Problem) -> Response:
    body = {"type": ERRORS + problem.kind, "title": problem.title, "status": problem.status}
    if problem.detail:
        body["detail"] = problem.detail
    return Response(orjson.dumps(body), problem.status, problem.headers, "application/problem+json")


def away() -> Problem:
    return Problem(
        503, "InternalError", "The database is away for the moment",
        "잠시 후 다시 시도하세요. / Try again in a moment.", Retry_After="2",
    )  # fmt: skip


Authenticate = Callable[[Connection, str], Writer | None]


class Gate:
    """Connections for requests, from a pool that outlives the database's absences."""

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
        return self.checked_city(request.headers.get("NGSILD-Tenant"))

    def checked_city(self, name: str | None) -> str:
        """The tenant of that name. Raises Problem for what cannot be a city's code."""
        city = self.default_city if name is None else name
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
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token or self.authenticate is None:
            raise unauthorised()
        with self.connection() as connection:
            found = self.authenticate(connection, token.strip())
        if found is None:
            raise unauthorised()
        asked = request.headers.get("NGSILD-Tenant")
        if asked is not None and asked != found.city:
            raise Problem(
                403, "OperationNotSupported", "The token is another city's",
                f"다른 도시의 토큰입니다. / The token's city is {found.city}.",
            )  # fmt: skip
        return found


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
    """The JSON of a body. Raises Problem (InvalidRequest)."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"not JSON: {error}") from None


async def handle_problem(_request: Request, error: Exception) -> Response:
    """Every error that has an answer, as ProblemDetails."""
    return answer_problem(error)


def answer_problem(error: Exception) -> Response:
    """The answer to an error; a 500 and a line in the log for one nobody foresaw."""
    if isinstance(error, Problem):
        return problem_response(error)
    if isinstance(error, ContextError):
        if error.unavailable:
            return problem_response(
                Problem(504, "LdContextNotAvailable", "The @context is not available", str(error))
            )
        return problem_response(bad_data(str(error)))
    if isinstance(error, DocumentError | QueryError):
        return problem_response(bad_data(str(error)))
    if isinstance(error, DatabaseAway):
        return problem_response(away())
    if isinstance(error, OperationError):
        return problem_response(
            Problem(409, "OperationNotSupported", "It cannot be done", str(error))
        )
    _log.exception("unforeseen", exc_info=error)
    return problem_response(Problem(500, "InternalError", "Something went wrong on our side"))
