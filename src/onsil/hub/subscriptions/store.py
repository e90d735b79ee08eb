"""Subscriptions in the database, as steps; every change goes under its city's next version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from onsil.hub.steps import Ask, Steps
from onsil.hub.subscriptions.checking import Draft
from onsil.hub.subscriptions.terms import Kind, Names, State

_FOUND = """
SELECT u.sub_no, u.uri, u.doc, u.names, u.context, u.created_at, u.modified_at,
       s.sub_no IS NOT NULL, s.times_sent, s.times_failed, s.failing, s.last_notification,
       s.last_success, s.last_failure, s.reason
  FROM hub_subscription u
  LEFT JOIN hub_subscription_state s ON s.city = u.city AND s.sub_no = u.sub_no
"""


class Kept(NamedTuple):
    """A stored subscription with what has become of its notifications."""

    number: int
    uri: str
    doc: dict[str, Any]
    names: dict[str, Names]
    context: Any
    created_at: datetime
    modified_at: datetime
    state: State

    @property
    def draft(self) -> Draft:
        return Draft(self.uri, self.doc, self.names)


def _kept(row: Sequence[Any]) -> Kept:
    return Kept(*row[:7], state=State(*row[8:]) if row[7] else State())


def _next_version(city: str) -> Steps[int]:
    rows = yield Ask(
        "INSERT INTO hub_subscription_version AS v (city, version) VALUES ($1, 1)"
        " ON CONFLICT (city) DO UPDATE SET version = v.version + 1 RETURNING version",
        (city,),
    )
    return rows[0][0]


def create_subscription(
    city: str, kind: Kind, draft: Draft, context: Any, now: datetime
) -> Steps[int | None]:
    """Store a subscription: its number, or None when its id is taken."""
    version = yield from _next_version(city)
    rows = yield Ask(
        "INSERT INTO hub_subscription (city, kind, uri, doc, names, context, created_at,"
        " modified_at, version) VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb, $7, $7, $8)"
        " ON CONFLICT (city, kind, uri) DO NOTHING RETURNING sub_no",
        (city, kind, draft.uri, _json(draft.doc), _json(draft.names), _json(context), now, version),
    )
    return rows[0][0] if rows else None


def find_subscription(city: str, kind: Kind, uri: str) -> Steps[Kept | None]:
    """One subscription by its id."""
    rows = yield Ask(
        _FOUND + " WHERE u.city = $1 AND u.kind = $2 AND u.uri = $3", (city, kind, uri)
    )
    return _kept(rows[0]) if rows else None


def list_subscriptions(city: str, kind: Kind, limit: int, offset: int) -> Steps[list[Kept]]:
    """Subscriptions in the order they were made."""
    rows = yield Ask(
        _FOUND + " WHERE u.city = $1 AND u.kind = $2 ORDER BY u.sub_no LIMIT $3 OFFSET $4",
        (city, kind, limit, offset),
    )
    return [_kept(row) for row in rows]


def count_subscriptions(city: str, kind: Kind) -> Steps[int]:
    rows = yield Ask(
        "SELECT count(*) FROM hub_subscription WHERE city = $1 AND kind = $2", (city, kind)
    )
    return rows[0][0]


def lock_subscription(city: str, kind: Kind, uri: str) -> Steps[Kept | None]:
    """One subscription, to be changed in this transaction."""
    yield from _next_version(city)
    return (yield from find_subscription(city, kind, uri))


def write_subscription(
    city: str, number: int, draft: Draft, context: Any, now: datetime
) -> Steps[None]:
    """Write over a subscription that was locked in this transaction."""
    yield Ask(
        "UPDATE hub_subscription u SET doc = $3::jsonb, names = $4::jsonb, context = $5::jsonb,"
        " modified_at = $6, version = v.version FROM hub_subscription_version v"
        " WHERE u.city = $1 AND u.sub_no = $2 AND v.city = u.city",
        (city, number, _json(draft.doc), _json(draft.names), _json(context), now),
    )


def delete_subscription(city: str, kind: Kind, uri: str) -> Steps[bool]:
    """Remove a subscription with what it had still to be told. Returns whether it was there."""
    yield from _next_version(city)
    rows = yield Ask(
        "DELETE FROM hub_subscription WHERE city = $1 AND kind = $2 AND uri = $3 RETURNING sub_no",
        (city, kind, uri),
    )
    if rows:
        yield Ask("DELETE FROM hub_outbox WHERE city = $1 AND sub_no = $2", (city, rows[0][0]))
    return bool(rows)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
