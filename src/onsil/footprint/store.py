"""What the room's SQL shares: savepoints, locks, ranges and rows turned into nouns."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from psycopg.types.range import Range

from onsil.core.database import Connection, cursor
from onsil.core.periods import Period

Row = dict[str, Any]
_DRAWERS = 1024


@contextmanager
def savepoint(conn: Connection) -> Iterator[None]:
    """Undo only this block's statements when one of them fails; the caller's transaction lives."""
    with cursor(conn) as run:
        run.execute("SAVEPOINT footprint")
        try:
            yield
        except Exception:
            run.execute("ROLLBACK TO SAVEPOINT footprint")
            raise
        run.execute("RELEASE SAVEPOINT footprint")


def lock(conn: Connection, city: str, names: Sequence[str]) -> None:
    """Hold the named things until the transaction ends, in an order that cannot deadlock."""
    with cursor(conn) as run:
        for name in sorted(set(names)):
            run.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{city} {name}",)
            )


def lock_many(conn: Connection, city: str, kind: str, names: Iterable[str]) -> None:
    """Hold any number of things of a kind, by drawers: the server's table of locks is finite.

    Two who hold things of one drawer wait for each other; nothing else depends on it.
    """
    drawers = {crc32(name.encode()) % _DRAWERS for name in names}
    with cursor(conn) as run:
        run.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) name",
            ([f"{city} {kind} {drawer}" for drawer in sorted(drawers)],),
        )


def rows(conn: Connection, statement: str, values: Sequence[Any] | dict[str, Any]) -> list[Row]:
    with cursor(conn, named=True) as run:
        return run.execute(statement, values).fetchall()  # pyright: ignore


def execute(conn: Connection, statement: str, values: Sequence[Any] | dict[str, Any]) -> None:
    with cursor(conn) as run:
        run.execute(statement, values)  # pyright: ignore


def as_range(period: Period) -> Range[Any]:
    return Range(period.start, period.end)


def as_period(value: Any) -> Period:
    return Period(value.lower, value.upper)
