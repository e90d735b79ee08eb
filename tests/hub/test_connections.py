"""The door's connections are handed on, bounded in number, and dropped when in doubt."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from asynchronous import in_a_loop
from onsil.hub.http.connections import NO_SCOPE, Connections, Held

A, B = ("a", ""), ("b", "")


class _Line:
    """A connection that only knows whether it is open and in a transaction."""

    def __init__(self) -> None:
        self.closed = self.busy = False

    def is_closed(self) -> bool:
        return self.closed

    def is_in_transaction(self) -> bool:
        return self.busy

    def terminate(self) -> None:
        self.closed = True

    async def close(self, timeout: float) -> None:
        self.closed = True


class _Maker:
    def __init__(self) -> None:
        self.made: list[_Line] = []
        self.fails = False

    async def __call__(self) -> _Line:
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("away")
        self.made.append(_Line())
        return self.made[-1]


def _run(size: int, scene: Callable[[Connections, _Maker], Coroutine[Any, Any, None]]) -> None:
    make = _Maker()
    in_a_loop(scene(Connections(make, size, patience_s=0.05), make))


def test_a_connection_of_the_same_scope_is_taken_first():
    async def scene(held: Connections, make: _Maker) -> None:
        first, second = await held.take(A), await held.take(B)
        assert first.scope == second.scope == NO_SCOPE
        held.give(Held(first.connection, A))
        held.give(Held(second.connection, B))
        assert (await held.take(A)).connection is first.connection
        assert (await held.take(A)).connection is second.connection  # no more may be made
        assert len(make.made) == 2

    _run(2, scene)


def test_no_more_than_the_size_are_open_and_the_others_wait_in_line():
    async def scene(held: Connections, make: _Maker) -> None:
        at_work = 0

        async def work() -> None:
            nonlocal at_work
            one = await held.take(A)
            at_work += 1
            assert at_work <= 3
            await asyncio.sleep(0)
            at_work -= 1
            held.give(Held(one.connection, A))

        await asyncio.gather(*(work() for _ in range(50)))
        assert len(make.made) == 3

    _run(3, scene)


def test_who_waits_too_long_is_told_and_loses_no_connection():
    async def scene(held: Connections, make: _Maker) -> None:
        one = await held.take(A)
        with pytest.raises(TimeoutError):
            await held.take(A)
        held.give(one)
        assert (await held.take(A)).connection is one.connection

    _run(1, scene)


def test_a_waiter_that_goes_away_leaves_its_turn_to_the_next():
    async def scene(held: Connections, make: _Maker) -> None:
        one = await held.take(A)
        waiting = [asyncio.create_task(held.take(A)) for _ in range(2)]
        await asyncio.sleep(0)
        held.give(one)
        waiting[0].cancel()  # at the very moment it was given the connection
        assert (await waiting[1]).connection is one.connection

    _run(1, scene)


@pytest.mark.parametrize("state", ["closed", "busy"])
def test_one_that_is_closed_or_in_a_transaction_is_not_given_again(state: str):
    async def scene(held: Connections, make: _Maker) -> None:
        one = await held.take(A)
        setattr(one.connection, state, True)
        waiting = asyncio.create_task(held.take(A))
        await asyncio.sleep(0)
        held.give(one)
        assert (await waiting).connection is make.made[1]
        assert one.connection.closed

    _run(1, scene)


def test_one_that_closed_while_it_was_free_is_replaced():
    async def scene(held: Connections, make: _Maker) -> None:
        one = await held.take(A)
        held.give(one)
        one.connection.closed = True
        assert (await held.take(A)).connection is make.made[1]

    _run(1, scene)


def test_a_failure_to_connect_leaves_room():
    async def scene(held: Connections, make: _Maker) -> None:
        make.fails = True
        with pytest.raises(OSError, match="away"):
            await held.take(A)
        make.fails = False
        assert await held.take(A)

    _run(1, scene)


def test_closing_closes_what_is_free_and_later_what_comes_back():
    async def scene(held: Connections, make: _Maker) -> None:
        first, second = await held.take(A), await held.take(A)
        held.give(first)
        await held.close()
        held.give(second)
        assert all(one.closed for one in make.made)

    _run(2, scene)
