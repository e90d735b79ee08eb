"""Entities for the rest of the house: on a connection, normalised, with short names."""

from collections.abc import Iterable
from typing import Any

from onsil.core.database import Connection
from onsil.hub.contexts import CORE
from onsil.hub.documents import render
from onsil.hub.query.discovery import types_with_counts
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.finding import count, find, retrieve
from onsil.hub.query.geo import GeoQuery
from onsil.hub.query.q import parse_q
from onsil.hub.steps import run


def entity(conn: Connection, city: str, uri: str) -> dict[str, Any] | None:
    """One entity, normalised, with short names; None when there is none."""
    found = run(conn, retrieve(city, uri))
    return render(found.document) if found else None


def query_entities(
    conn: Connection,
    city: str,
    type: str | None = None,
    q: str | None = None,
    limit: int = 100,
    offset: int = 0,
    *,
    ids: Iterable[str] = (),
    geo: GeoQuery | None = None,
) -> list[dict[str, Any]]:
    """Entities, normalised, with short names, in the order they were made.

    Raises QueryError for a query that cannot be read.
    """
    wanted = _wanted(type, q, tuple(ids), geo)
    return [render(one.document) for one in run(conn, find(city, wanted, limit, offset))]


def count_entities(
    conn: Connection, city: str, type: str | None = None, q: str | None = None
) -> int:
    """How many entities of a type, or of all, fit a query."""
    return run(conn, count(city, _wanted(type, q)))


def _wanted(
    type: str | None, q: str | None, ids: tuple[str, ...] = (), geo: GeoQuery | None = None
) -> Filter:
    selectors = (Selector(CORE.iri(type) if type else None, ids),) if type or ids else ()
    return Filter(selectors, parse_q(q) if q else None, geo=geo)


def entity_types(conn: Connection, city: str) -> list[tuple[str, int]]:
    """Each type's IRI with how many entities have it."""
    return run(conn, types_with_counts(city))
