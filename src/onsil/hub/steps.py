"""Use cases without a driver: generators that ask for SQL and are handed the rows.

One implementation serves both ways into the database: psycopg for the rest of Onsil, asyncpg for
the hub's own door. SQL is PostgreSQL's own (`$1`, `$2`, …), its values are those both drivers take:
text, int, float, bool, aware datetimes, lists of these, and JSON as encoded text cast in the SQL
(`$1::jsonb`, `$2::jsonb[]`). JSON comes back decoded.
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import JsonbLoader, JsonLoader

from onsil.core.database import Connection


class Ask(NamedTuple):
    """One statement with its values; the answer is its rows (an empty list without any)."""

    sql: str
    values: tuple[Any, ...] = ()


T = TypeVar("T")
Rows = Sequence[Sequence[Any]]
Steps = Generator[Ask, Rows, T]


def run(conn: Connection, steps: Steps[T]) -> T:
    """Go through the steps in the caller's transaction. What a step raises goes to the caller."""
    cursor = psycopg.RawCursor(conn, row_factory=tuple_row)
    cursor.adapters.register_loader("jsonb", JsonbLoader)
    cursor.adapters.register_loader("json", JsonLoader)
    with cursor:
        try:
            ask = next(steps)
            while True:
                cursor.execute(ask.sql.encode(), ask.values)
                ask = steps.send(cursor.fetchall() if cursor.description else [])
        except StopIteration as done:
            return done.value


async def run_async(conn: Any, steps: Steps[T]) -> T:
    """The same on an asyncpg connection."""
    try:
        ask = next(steps)
        while True:
            ask = steps.send(await conn.fetch(ask.sql, *ask.values))
    except StopIteration as done:
        return done.value
