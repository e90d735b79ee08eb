"""The connections a process holds: few, kept open, each scoped to what it last served.

A request takes the one that has served its scope before, if it is free, so that most need no word
about the scope. The driver's own pool starts a task a request and asks a fresh connection's state
at each; this one hands connections on and closes those that were left in the middle of something.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import asyncpg

Scope = tuple[str, str]
NO_SCOPE: Scope = ("", "")


class Held(NamedTuple):
    """A connection, and the scope it is set to."""

    connection: Any
    scope: Scope


class Connections:
    """At most `size` of them, made by `make` when needed; who finds none free waits in line."""

    def __init__(self, make: Callable[[], Awaitable[Any]], size: int, patience_s: float) -> None:
        self._make, self._size, self._patience_s = make, size, patience_s
        self._free: list[Held] = []
        self._line: deque[asyncio.Future[Held | None]] = deque()
        self._open = 0

    async def take(self, scope: Scope) -> Held:
        """One of this scope where one is free. Raises TimeoutError, or what `make` does."""
        while True:
            held = self._pick(scope)
            if held is None:
                if self._open < self._size:
                    return await self._fresh()
                held = await self._wait()
            if held is not None:
                if not held.connection.is_closed():
                    return held
                self._lose()

    def give(self, held: Held) -> None:
        """Take a connection back, or close it when it is in the middle of something."""
        connection = held.connection
        if connection.is_closed() or connection.is_in_transaction():
            self.drop(held)
        else:
            self._hand_on(held)

    def drop(self, held: Held) -> None:
        """Close a connection whose state nobody knows."""
        held.connection.terminate()
        self._lose()

    async def close(self) -> None:
        """Close those that are free; the others close when they come back."""
        self._size = 0
        free, self._free = self._free, []
        self._open -= len(free)
        for one in free:
            try:
                await one.connection.close(timeout=1.0)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                one.connection.terminate()

    def _pick(self, scope: Scope) -> Held | None:
        """The free one of this scope that was used last, else any."""
        free = self._free
        for place in range(len(free) - 1, -1, -1):
            if free[place].scope == scope:
                return free.pop(place)
        # Another scope's connection is turned only when no more may be opened.
        return free.pop(0) if free and self._open >= self._size else None

    async def _wait(self) -> Held | None:
        """What the next to come back leaves: its connection, or room for one."""
        turn: asyncio.Future[Held | None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(self._patience_s):
                return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was handed over at the same moment
                left = turn.result()
                if left is None:
                    self._call()
                else:
                    self._hand_on(left)
            raise

    async def _fresh(self) -> Held:
        self._open += 1
        try:
            return Held(await self._make(), NO_SCOPE)
        except BaseException:
            self._lose()
            raise

    def _hand_on(self, held: Held) -> None:
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(held)
                return
        if self._size:
            self._free.append(held)
        else:
            self.drop(held)

    def _lose(self) -> None:
        self._open -= 1
        self._call()

    def _call(self) -> None:
        """Tell the first in line that there is room for a new connection."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
