"""Contexts in the database: hosted by a tenant, implicitly created, or fetched (§5.13)."""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from onsil.core.database import ALL_CITIES
from onsil.hub.steps import Ask, Steps

CONTEXTS_MAX = 10_000  # hosted and implicitly created ones of a tenant
_SELECT = "SELECT context_id, kind, url, document, created_at, expires_at FROM hub_context"


class Stored(NamedTuple):
    """One context as it is kept. `url` only for a fetched one."""

    id: str
    kind: str
    url: str | None
    document: dict[str, Any]
    created_at: datetime
    expires_at: datetime | None


def host(city: str, document: dict[str, Any], now: datetime) -> Steps[str | None]:
    """Keep a tenant's context (§5.13.2): its local id, or None when the tenant has too many."""
    return (yield from _insert(city, "Hosted", document, now))


def create_implicitly(city: str, document: dict[str, Any], now: datetime) -> Steps[str | None]:
    """The local id of a context of that content, made if there is none (§5.13.1)."""
    there = "SELECT context_id FROM hub_context WHERE city = $1 AND mark = $2 AND kind = $3"
    key = (city, _mark(document), "ImplicitlyCreated")
    rows = yield Ask(there, key)
    if rows:
        return rows[0][0]
    made = yield from _insert(city, "ImplicitlyCreated", document, now)
    if made is None:
        rows = yield Ask(there, key)  # another request was faster
    return made or (rows[0][0] if rows else None)


def _insert(city: str, kind: str, document: dict[str, Any], now: datetime) -> Steps[str | None]:
    rows = yield Ask(
        "INSERT INTO hub_context (city, context_id, kind, document, mark, created_at)"
        " SELECT $1, $2, $3, $4::json, $5, $6"
        " WHERE (SELECT count(*) FROM hub_context WHERE city = $1) < $7::int"
        " ON CONFLICT DO NOTHING RETURNING context_id",
        (city, str(uuid4()), kind, orjson.dumps(document).decode(), _mark(document), now,
         CONTEXTS_MAX),
    )  # fmt: skip
    return rows[0][0] if rows else None


def keep_fetched(
    url: str, document: dict[str, Any], now: datetime, expires_at: datetime
) -> Steps[None]:
    """Keep what a URL gave, for the whole installation; run for all cities."""
    yield Ask(
        "INSERT INTO hub_context"
        " (city, context_id, kind, url, document, mark, created_at, expires_at)"
        " VALUES ($1, $2, 'Cached', $3, $4::json, $5, $6, $7) ON CONFLICT (city, url) DO UPDATE"
        " SET document = EXCLUDED.document, mark = EXCLUDED.mark,"
        " created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at",
        (ALL_CITIES, str(uuid4()), url, orjson.dumps(document).decode(), _mark(document), now,
         expires_at),
    )  # fmt: skip


def by_id(city: str, context_id: str) -> Steps[Stored | None]:
    """A tenant's context."""
    rows = yield Ask(
        _SELECT + " WHERE city = $1 AND context_id = $2",
        (city, context_id),
    )
    return Stored(*rows[0]) if rows else None


def fetched(key: str) -> Steps[Stored | None]:
    """A fetched context by its URL or local id; run for all cities."""
    rows = yield Ask(
        _SELECT + " WHERE city = $1 AND (url = $2 OR context_id = $2)",
        (ALL_CITIES, key),
    )
    return Stored(*rows[0]) if rows else None


def listed(city: str) -> Steps[list[Stored]]:
    """The contexts of a tenant (or those fetched, for all cities), oldest first, empty."""
    rows = yield Ask(
        "SELECT context_id, kind, url, '{}'::json, created_at, expires_at FROM hub_context"
        " WHERE city = $1 ORDER BY created_at, context_id",
        (city,),
    )
    return [Stored(*row) for row in rows]


def remove(city: str, context_id: str) -> Steps[bool]:
    """Forget a context. Returns whether it was there."""
    rows = yield Ask(
        "DELETE FROM hub_context WHERE city = $1 AND context_id = $2 RETURNING context_id",
        (city, context_id),
    )
    return bool(rows)


def _mark(document: dict[str, Any]) -> bytes:
    return sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()
