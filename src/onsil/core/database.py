"""PostgreSQL connections scoped to one city: the only module of the room that does I/O.

Every connection of the running system takes the role `onsil_app`, which owns nothing, so row-level
security holds for it; the session setting `onsil.city` says whose rows it sees (`*`: all cities,
for the operator's verification and the writers' dispatch).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import JsonbLoader, JsonLoader

APP_ROLE = "onsil_app"
ALL_CITIES = "*"

Connection = psycopg.Connection[Any]


def connect(dsn: str, city: str, *, autocommit: bool = False, role: str = APP_ROLE) -> Connection:
    """Open a connection that sees one city's rows (or `*`) and may do what `role` may."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute("SELECT set_config('onsil.city', %s, false)", (city,))
    connection.autocommit = autocommit
    return connection


def scope(connection: Connection, city: str) -> None:
    """Let the connection see another city's rows until the end of the present transaction."""
    connection.execute("SELECT set_config('onsil.city', %s, true)", (city,))


def cursor(connection: Connection, *, named: bool = False) -> psycopg.Cursor[Any]:
    """A server-side-binding cursor with psycopg's own types, whoever opened the connection.

    Web frameworks install cursors and JSON loaders of their own on theirs; engine rooms always go
    through this, so that the same SQL means the same everywhere. `named` gives rows as dicts.
    """
    made = psycopg.Cursor(connection, row_factory=dict_row if named else tuple_row)
    made.adapters.register_loader("jsonb", JsonbLoader)
    made.adapters.register_loader("json", JsonLoader)
    return made


@contextmanager
def transaction(dsn: str, city: str) -> Iterator[Connection]:
    """One connection, one transaction: committed at the end, rolled back on an exception."""
    with connect(dsn, city) as connection:
        yield connection
