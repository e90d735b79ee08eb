"""Registrations in the database, as steps; every change goes under its city's next version."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from onsil.hub.steps import Ask, Steps

_FOUND = """
SELECT r.source_no, r.uri, r.doc, r.created_at, r.modified_at,
       coalesce(s.times_sent, 0), coalesce(s.times_failed, 0), s.last_success, s.last_failure
  FROM hub_source r
  LEFT JOIN hub_source_state s ON s.city = r.city AND s.source_no = r.source_no
"""
REGISTRATIONS_MAX = 10_000


class Kept(NamedTuple):
    """A stored registration with what has become of the requests to it."""

    number: int
    uri: str
    doc: dict[str, Any]
    created_at: datetime
    modified_at: datetime
    times_sent: int
    times_failed: int
    last_success: datetime | None
    last_failure: datetime | None


class Outcome(NamedTuple):
    """What came of requests to one source: how many, how many failed, and when it was last."""

    number: int
    sent: int
    failed: int
    last_success: datetime | None
    last_failure: datetime | None


def next_version(city: str) -> Steps[int]:
    """Take the city's registrations under lock, and under their next version."""
    rows = yield Ask(
        "INSERT INTO hub_source_version AS v (city, version) VALUES ($1, 1)"
        " ON CONFLICT (city) DO UPDATE SET version = v.version + 1 RETURNING version",
        (city,),
    )
    return rows[0][0]


def version_of(city: str) -> Steps[tuple[str, int]]:
    """The lineage and version of a city's registrations; ("", 0) when it never had one."""
    rows = yield Ask(
        "SELECT lineage::text, version FROM hub_source_version WHERE city = $1", (city,)
    )
    return (rows[0][0], rows[0][1]) if rows else ("", 0)


def create_registration(city: str, uri: str, doc: dict[str, Any], now: datetime) -> Steps[bool]:
    """Store a registration; False when its id is taken."""
    rows = yield Ask(
        "INSERT INTO hub_source (city, uri, doc, created_at, modified_at)"
        " VALUES ($1, $2, $3::jsonb, $4, $4) ON CONFLICT (city, uri) DO NOTHING RETURNING 1",
        (city, uri, orjson.dumps(doc).decode(), now),
    )
    return bool(rows)


def find_registration(city: str, uri: str) -> Steps[Kept | None]:
    rows = yield Ask(_FOUND + " WHERE r.city = $1 AND r.uri = $2", (city, uri))
    return Kept(*rows[0]) if rows else None


def list_registrations(city: str) -> Steps[list[Kept]]:
    """All of a city's registrations, in the order they were made."""
    rows = yield Ask(
        _FOUND + f" WHERE r.city = $1 ORDER BY r.source_no LIMIT {REGISTRATIONS_MAX}", (city,)
    )
    return [Kept(*row) for row in rows]


def write_registration(city: str, number: int, doc: dict[str, Any], now: datetime) -> Steps[None]:
    yield Ask(
        "UPDATE hub_source SET doc = $3::jsonb, modified_at = $4"
        " WHERE city = $1 AND source_no = $2",
        (city, number, orjson.dumps(doc).decode(), now),
    )


def delete_registration(city: str, number: int) -> Steps[None]:
    yield Ask("DELETE FROM hub_source WHERE city = $1 AND source_no = $2", (city, number))


def note_outcomes(city: str, outcomes: Sequence[Outcome]) -> Steps[None]:
    """Add up what came of requests; sources that are gone are passed over."""
    columns: Iterable[list[Any]] = (list(column) for column in zip(*outcomes, strict=True))
    yield Ask(
        "INSERT INTO hub_source_state AS s (city, source_no, times_sent, times_failed,"
        " last_success, last_failure)"
        " SELECT $1, n, t, f, ok, bad FROM unnest($2::int[], $3::bigint[], $4::bigint[],"
        " $5::timestamptz[], $6::timestamptz[]) AS o(n, t, f, ok, bad)"
        " WHERE EXISTS (SELECT FROM hub_source r WHERE r.city = $1 AND r.source_no = o.n)"
        " ORDER BY n ON CONFLICT (city, source_no) DO UPDATE SET"
        " times_sent = s.times_sent + excluded.times_sent,"
        " times_failed = s.times_failed + excluded.times_failed,"
        " last_success = greatest(s.last_success, excluded.last_success),"
        " last_failure = greatest(s.last_failure, excluded.last_failure)",
        (city, *columns),
    )


def registrations(city: str) -> Steps[list[dict[str, Any]]]:
    """A city's registrations as JSON with IRIs for types and attribute names."""
    found = yield from list_registrations(city)
    return [as_json(one.uri, one.doc) for one in found]


def as_json(uri: str, doc: dict[str, Any]) -> dict[str, Any]:
    """A stored registration as JSON with IRIs."""
    return {"id": uri, "type": "ContextSourceRegistration", **doc}
