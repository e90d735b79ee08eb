"""Use cases without a driver: generators that ask for SQL and are handed the rows.

One implementation serves both ways into the database: psycopg for the rest of Onsil, asyncpg for
the hub's own door. SQL is PostgreSQL's own (`$1`, `$2`, …), its values are those both drivers take:
text, int, float, bool, aware datetimes, lists of these, `arrays.Column`, and JSON as encoded text
cast in the SQL (`$1::jsonb`, `$2::jsonb[]`). JSON comes back decoded.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import JsonbLoader, JsonLoader

from onsil.core.database import Connection
from onsil.hub.arrays import Column, take_columns


class Ask(NamedTuple):
    """One statement with its values; the answer is its rows (an empty list without any)."""

    sql: str
    values: tuple[Any, ...] = ()


class Work(NamedTuple):
    """Something slow beside the database, such as reading a file; the door does it in a thread."""

    call: Callable[[], Any]


T = TypeVar("T")
Rows = Sequence[Sequence[Any]]
Steps = Generator[Ask | Work, Rows, T]


def work(call: Callable[[], T]) -> Steps[T]:
    """A step of plain work; its result is what `call` returns."""
    return cast("T", (yield Work(call)))


def run(conn: Connection, steps: Steps[T]) -> T:
    """Go through the steps in the caller's transaction. What a step raises goes to the caller."""
    cursor = psycopg.RawCursor(conn, row_factory=tuple_row)
    cursor.adapters.register_loader("jsonb", JsonbLoader)
    cursor.adapters.register_loader("json", JsonLoader)
    take_columns(cursor)
    with cursor:
        try:
            ask = next(steps)
            while True:
                if isinstance(ask, Work):
                    ask = steps.send(ask.call())
                    continue
                cursor.execute(ask.sql.encode(), ask.values)
                ask = steps.send(cursor.fetchall() if cursor.description else [])
        except StopIteration as done:
            return done.value


async def run_async(conn: Any, steps: Steps[T]) -> T:
    """The same on an asyncpg connection."""
    try:
        ask = next(steps)
        while True:
            if isinstance(ask, Work):
                ask = steps.send(await asyncio.to_thread(ask.call))
                continue
            values = (v.listed() if isinstance(v, Column) else v for v in ask.values)
            ask = steps.send(await conn.fetch(ask.sql, *values))
    except StopIteration as done:
        return done.value
