"""The door's database: steps run on asyncpg connections, each scoped to what it last served.

Reads are single statements without a transaction round them; a write is one transaction, tried
again when PostgreSQL asks for it.
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
from onsil.hub.http.connections import Connections, Held
from onsil.hub.steps import Steps, run_async

T = TypeVar("T")
_SCOPE = "SELECT set_config('onsil.city', $1, false), set_config('onsil.veil', $2, false)"
# The statements of writes look rows up by their keys: planned once they are planned well.
_BEGIN = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan"
# After so many uses a connection plans anew: a table that was empty then may have grown since, and
# nobody tells before statistics are gathered.
_PLAN_ANEW = frozenset(4**n for n in range(2, 10))
_TRIES = 5
_TIMEOUT_S = 10  # for a new connection: a server with much to do is not away
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
        self._connections = Connections(self._connect, size, _PATIENCE_S)
        self._uses: dict[int, int] = {}
        # Steps that a city's every write begins with; the door of a stand-alone broker sets it.
        self.bear: Callable[[str], Steps[None]] | None = None
        self.after_write: Callable[[], None] | None = None

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
                async with self.connection(city) as conn:
                    return await self._transaction(conn, city, make)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if turn == _TRIES - 1:
                    raise
                await asyncio.sleep(0.01 * 2**turn)
        raise AssertionError

    async def _transaction(self, conn: Any, city: str, make: Callable[[], Steps[T]]) -> T:
        await conn.execute(_BEGIN)
        try:
            if self.bear:
                await run_async(conn, self.bear(city))
            done = await run_async(conn, make())
        except Exception:
            if not conn.is_closed():
                await conn.execute("ROLLBACK")
            raise
        await conn.execute("COMMIT")
        if self.after_write:
            self.after_write()
        return done

    @asynccontextmanager
    async def connection(self, city: str, view: str = EVERYTHING):
        """A connection that sees one city's rows (or all with `*`), of closed entities those of the
        view. Raises DatabaseAway."""
        scope = city, view or self.view
        try:
            held = await self._connections.take(scope)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseAway(str(error)) from error
        conn = held.connection
        try:
            if held.scope != scope:
                await conn.execute(_SCOPE, *scope)
                held = Held(conn, scope)
            pid = conn.get_server_pid()
            self._uses[pid] = uses = self._uses.get(pid, 0) + 1
            if uses in _PLAN_ANEW:
                await conn.execute("DISCARD PLANS")
            yield conn
        except (asyncpg.PostgresConnectionError, ConnectionError) as error:
            self._connections.drop(held)
            raise DatabaseAway(str(error)) from error
        except asyncpg.PostgresError:
            self._connections.give(held)  # it said no, and is none the worse for it
            raise
        except (TimeoutError, asyncio.CancelledError, GeneratorExit, asyncpg.InterfaceError):
            self._connections.drop(held)
            raise
        except BaseException:
            self._connections.give(held)
            raise
        self._connections.give(held)

    async def close(self) -> None:
        await self._connections.close()
        self._connections = Connections(self._connect, self.size, _PATIENCE_S)

    async def _connect(self) -> Any:
        conn: Any = await asyncpg.connect(
            self.dsn, timeout=_TIMEOUT_S, command_timeout=30, max_cached_statement_lifetime=0
        )
        for kind in ("json", "jsonb"):
            await conn.set_type_codec(
                kind, schema="pg_catalog", encoder=str, decoder=orjson.loads, format="text"
            )
        await conn.execute(
            f"SET ROLE {APP_ROLE}; SET TIME ZONE 'UTC'; SET statement_timeout = '10s';"
            " SET jit = off; SELECT set_config('onsil.city', '', false)"
        )
        self._uses[conn.get_server_pid()] = 0
        return conn
