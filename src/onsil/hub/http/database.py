"""The door's connections: an asyncpg pool, each connection scoped to the city it last served.

asyncpg took half the CPU of psycopg's pool a request here. Reads are single statements without a
transaction round them; a write is one transaction, tried again when PostgreSQL asks for it.
"""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import asyncpg
import orjson

from onsil.core.database import APP_ROLE
from onsil.hub.datasets.access import EVERYTHING
from onsil.hub.steps import Steps, run_async

T = TypeVar("T")
_SCOPE = "SELECT set_config('onsil.city', $1, false), set_config('onsil.veil', $2, false)"
_TRIES = 5
_TIMEOUT_S = 3.0
_PATIENCE_S = 15.0  # for a free connection, when all are at work
# What the request being answered may read of closed entities (datasets.access); set by the router.
VIEW: ContextVar[str] = ContextVar("view", default=EVERYTHING)


class DatabaseAway(Exception):
    """No connection could be had; trying again later makes sense."""


class Database:
    """Runs steps for one city at a time. Opening it does not wait for the server.

    `view`: what everything that goes through it sees of closed entities.
    """

    def __init__(self, dsn: str, size: int = 8, view: str = EVERYTHING) -> None:
        self.dsn, self.size, self.view = dsn, size, view
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._scope: dict[int, tuple[str, str]] = {}
        # Steps that a city's every write begins with; the door of a stand-alone broker sets it.
        self.bear: Callable[[str], Steps[None]] | None = None

    async def read(self, city: str, steps: Steps[T]) -> T:
        """Steps that only read, each statement for itself. Raises DatabaseAway."""
        async with self.connection(city, VIEW.get()) as conn:
            return await run_async(conn, steps)

    async def write(self, city: str, make: Callable[[], Steps[T]]) -> T:
        """One transaction of `make()`'s steps, made anew after a deadlock or serialisation failure.

        Raises DatabaseAway, and what the steps raise (then nothing was done).
        """
        for turn in range(_TRIES):
            try:
                async with self.connection(city) as conn, conn.transaction():
                    if self.bear:
                        await run_async(conn, self.bear(city))
                    return await run_async(conn, make())
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if turn == _TRIES - 1:
                    raise
                await asyncio.sleep(0.01 * 2**turn)
        raise AssertionError

    @asynccontextmanager
    async def connection(self, city: str, view: str = EVERYTHING):
        """A connection that sees one city's rows (or all with `*`), of closed entities those of the
        view. Raises DatabaseAway."""
        scope = city, view or self.view
        try:
            pool = await self._opened()
            conn = await pool.acquire(timeout=_PATIENCE_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseAway(str(error)) from error
        try:
            bare = conn.get_server_pid()
            if self._scope.get(bare) != scope:
                await conn.execute(_SCOPE, *scope)
                self._scope[bare] = scope
            yield conn
        except (asyncpg.PostgresConnectionError, ConnectionError) as error:
            raise DatabaseAway(str(error)) from error
        finally:
            await pool.release(conn)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self.dsn, min_size=0, max_size=self.size, init=self._init, reset=_keep,
                    timeout=_TIMEOUT_S, command_timeout=30,
                )  # fmt: skip
        return self._pool

    async def _init(self, conn: Any) -> None:
        self._scope.pop(conn.get_server_pid(), None)
        for kind in ("json", "jsonb"):
            await conn.set_type_codec(
                kind, schema="pg_catalog", encoder=str, decoder=orjson.loads, format="text"
            )
        await conn.execute(
            f"SET ROLE {APP_ROLE}; SET TIME ZONE 'UTC'; SET statement_timeout = '10s';"
            " SELECT set_config('onsil.city', '', false)"
        )


async def _keep(_conn: Any) -> None:
    """Connections keep their settings between requests; the scope is checked at each."""
