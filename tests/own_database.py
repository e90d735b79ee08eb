"""A database of a test's own where Django commits for real, so that a ledger writer may answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connections

from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.web.settings import _database

TEMPLATE = "onsil_template"


@contextmanager
def own_database(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[str]:
    """A copy of the template as Django's database, dropped afterwards: its DSN."""
    name = f"own_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name, TEMPLATE)
    with pointed_at(dsn, django_db_blocker):
        yield dsn
    postgres.drop_database(name)


@contextmanager
def pointed_at(dsn: str, django_db_blocker) -> Iterator[None]:
    """Django's connection, with the running system's role, on this database."""
    table = connections["default"].settings_dict
    before = {key: table[key] for key in ("NAME", "HOST", "USER", "OPTIONS")}
    with django_db_blocker.unblock():
        connections["default"].close()
        table.update(_database(dsn))
        table["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore
        try:
            yield
        finally:
            connections["default"].close()
            table.update(before)
