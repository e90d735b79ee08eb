"""The city at work, kept in a context variable and in PostgreSQL's session at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection as django_connection
from django.db import transaction as django_transaction

from onsil.core.database import Connection

_city: ContextVar[str] = ContextVar("onsil_city", default="")


class NoCity(RuntimeError):
    """Business was asked for before it was known which city's."""


def current_city() -> str:
    """The code of the city at work. Raises NoCity when none is."""
    city = _city.get()
    if not city:
        raise NoCity("no city is in scope")
    return city


def apply_scope(city: str) -> None:
    """Tell the open Django connection whose rows it may see (nothing, for an empty city)."""
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT set_config('onsil.city', %s, false)", (city,))


@contextmanager
def city_scope(city: str) -> Iterator[str]:
    """Work for one city (or `*`) until the block ends; the scope before it is then restored."""
    before = _city.get()
    token = _city.set(city)
    apply_scope(city)
    try:
        yield city
    finally:
        _city.reset(token)
        if not django_connection.needs_rollback:
            apply_scope(before)


@contextmanager
def transaction(city: str | None = None) -> Iterator[Connection]:
    """A Django transaction for the city at work (or the one named), as a psycopg connection.

    Committed at the end of the outermost block, rolled back when an exception leaves it.
    """
    with city_scope(city or current_city()), django_transaction.atomic():
        django_connection.ensure_connection()
        yield django_connection.connection
