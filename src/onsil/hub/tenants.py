"""Tenants as a whole: which there are, and all that one holds removed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from onsil.hub.documents import Changed, Document, time_text
from onsil.hub.steps import Ask, Steps
from onsil.hub.temporal.history import forget
from onsil.hub.writing import Absent, Intent, Kept, existing, write

_LIST = "SELECT city, created_at FROM hub_tenant ORDER BY city"
_MEASURED = "SELECT 1 FROM hub_series WHERE city = $1 LIMIT 1"
# Every table of the hub whose rows are a tenant's and may go. Terms stay: processes know their
# numbers by heart.
_TABLES = """
SELECT format('DELETE FROM %I WHERE city = $1', c.relname) FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'city'
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND NOT c.relispartition AND starts_with(c.relname, 'hub_') AND c.relname <> 'hub_term'
   AND has_table_privilege(c.oid, 'DELETE') ORDER BY c.relname
"""
_EXPIRED = """
SELECT e.city, e.uri FROM hub_entity e WHERE e.expires_at <= $1
   AND NOT EXISTS (SELECT FROM hub_series s WHERE s.city = e.city AND s.eid = e.eid)
 ORDER BY e.city, e.uri LIMIT $2
"""


class Tenant(NamedTuple):
    name: str
    created_at: datetime


def tenants() -> Steps[list[Tenant]]:
    """The tenants that were written to; for a connection that sees all cities."""
    rows = yield Ask(_LIST)
    return [Tenant(city, created_at) for city, created_at in rows]


def wipe(city: str) -> Steps[None]:
    """Remove all that the hub holds for a tenant: entities, history, subscriptions, contexts, the
    rest. Raises Kept where series are registered: claims may rest on what they measured."""
    if (yield Ask(_MEASURED, (city,))):
        raise Kept(city)
    yield from forget(city)
    for (statement,) in (yield Ask(_TABLES)):
        yield Ask(statement, (city,))


def expired(now: datetime, most: int) -> Steps[dict[str, list[str]]]:
    """Entities whose time is over, by city; for a connection that sees all cities."""
    found: dict[str, list[str]] = {}
    for city, uri in (yield Ask(_EXPIRED, (now, most))):
        found.setdefault(city, []).append(uri)
    return found


def sweep(city: str, uris: Sequence[str], now: datetime) -> Steps[None]:
    """Remove entities whose time is over, and tell of it (§4.22)."""

    def gone(before: Document | None, _now: datetime) -> Changed:
        raise Absent(before.uri if before else "")

    yield from write(city, [Intent(uri, gone) for uri in uris], now)


def sweep_attributes(city: str, uris: Sequence[str], now: datetime) -> Steps[None]:
    """Write entities anew without the attribute instances that have expired (§4.22)."""

    def kept(before: Document, now: datetime) -> Changed:
        return Changed(replace(before, modified_at=time_text(now)), {}, [])

    yield from write(city, [Intent(uri, existing(kept, uri)) for uri in uris], now)
