"""Writing the temporal evolution itself (GS CIM 009 V1.9.1 §5.6.11-16): a history of its own.

What is written here need not be a current entity and never becomes one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from onsil.core.periods import Period
from onsil.core.refusal import OperationError
from onsil.hub.arrays import instant
from onsil.hub.contexts import Context
from onsil.hub.datasets.checking import close_history
from onsil.hub.documents import (
    DocumentError,
    Instance,
    check_date_time,
    check_scopes,
    parse_attribute,
    parse_entity,
    parse_time,
)
from onsil.hub.lake.place import files
from onsil.hub.steps import Ask, Steps
from onsil.hub.temporal.history import Kept, append_entries, keep_entities
from onsil.hub.temporal.instances import SCOPE, Entry, entry_of
from onsil.hub.temporal.reading import INSTANCE_URN, point_of_urn

_OWN = ("id", "@id", "type", "@type", "expiresAt")
_LEFT_OUT = (*_OWN, "@context", "createdAt", "modifiedAt", "deletedAt", "scope")


@dataclass(frozen=True)
class TemporalEntity:
    """An EntityTemporal or a fragment of one, read: instances by attribute in the order given."""

    uri: str
    types: list[str]
    expires_at: datetime | None = None
    instances: list[tuple[str, Instance]] = field(default_factory=list)

    @property
    def attributes(self) -> frozenset[str]:
        """Of which attributes there are instances."""
        return frozenset(iri for iri, _ in self.instances)

    def without(self, attrs: frozenset[str]) -> "TemporalEntity":
        """The same without the instances of these attributes."""
        if not attrs:
            return self
        return replace(self, instances=[one for one in self.instances if one[0] not in attrs])

    def entries(self, now: datetime) -> Iterator[Entry]:
        for iri, instance in self.instances:
            entry = entry_of(self.uri, iri, instance, now)
            if iri == SCOPE and entry.observed_at is None:  # a scope holds from when it is set
                entry = Entry(self.uri, iri, "", entry.body, now, now)
            yield entry


def parse_temporal_entity(raw: Any, context: Context, *, uri: str = "") -> TemporalEntity:
    """Read an entity with attributes as lists of instances; `uri`: a fragment for that entity.

    Raises DocumentError.
    """
    if not isinstance(raw, dict):
        raise DocumentError("a temporal representation is a JSON object")
    if context.aliases:
        raw = {context.aliases.get(key, key): value for key, value in raw.items()}
    own = parse_entity({k: raw[k] for k in _OWN if k in raw}, context, partial=bool(uri))
    if uri and own.uri and own.uri != uri:
        raise DocumentError("the body's id is not the path's")
    instances = list(_scopes(raw["scope"])) if "scope" in raw else []
    for name, value in raw.items():
        if name in _LEFT_OUT:
            continue
        several = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
        for one in value if several else [value]:
            iri, (instance,) = parse_attribute(name, one, context, nulls=True)
            instances.append((iri, instance))
    if uri and not instances:
        raise DocumentError("there is no attribute to add")
    expires = parse_time(own.expires_at) if own.expires_at else None
    return TemporalEntity(uri or own.uri, own.types, expires, instances)


def _scopes(raw: Any) -> Iterator[tuple[str, Instance]]:
    """Scopes as they are, or as instances of a Property with observedAt (§4.5.6)."""
    if isinstance(raw, dict):
        raw = [raw]
    if not isinstance(raw, list) or not raw or not all(isinstance(one, dict) for one in raw):
        yield SCOPE, {"type": "Property", "value": check_scopes(raw)}
        return
    for one in raw:
        if one.get("type", "Property") != "Property" or "value" not in one:
            raise DocumentError("an instance of scope is a Property with a value")
        made: Instance = {"type": "Property", "value": check_scopes(one["value"])}
        if "observedAt" in one:
            made["observedAt"] = check_date_time(one["observedAt"], "observedAt")
        yield SCOPE, made


def create_or_update(city: str, entity: TemporalEntity, now: datetime) -> Steps[bool]:
    """Add to an entity's evolution, which begins with it if need be. Whether it did (§5.6.11)."""
    yield from _lock(city, entity.uri)
    kept = Kept(entity.uri, entity.types, now, None, entity.expires_at)
    new = yield from keep_entities(city, [kept])
    if new[entity.uri]:
        yield from close_history(city, entity.uri, entity.types)
    yield from append_entries(city, list(entity.entries(now)))
    return new[entity.uri]


def add_attributes(city: str, entity: TemporalEntity, now: datetime) -> Steps[bool]:
    """Add instances (§5.6.12). False: the history knows no such entity."""
    yield from _lock(city, entity.uri)
    if not (yield from _known(city, entity.uri)):
        return False
    kept = Kept(entity.uri, entity.types, now, None, entity.expires_at)
    yield from keep_entities(city, [kept])
    yield from append_entries(city, list(entity.entries(now)))
    return True


def _lock(city: str, uri: str) -> Steps[None]:
    """Wait for writers of the current entity, who write the same history."""
    yield Ask("SELECT eid FROM hub_entity WHERE city = $1 AND uri = $2 FOR UPDATE", (city, uri))


def _known(city: str, uri: str) -> Steps[bool]:
    rows = yield Ask(
        "SELECT teid FROM hub_temporal_entity WHERE city = $1 AND uri = $2 FOR UPDATE", (city, uri)
    )
    return bool(rows)


_PLACE = """
SELECT te.teid, t.term_id,
       (SELECT p.series_id FROM hub_plain_series p
         WHERE p.city = $1 AND p.teid = te.teid AND p.attr_id = t.term_id),
       (SELECT s.series_id FROM hub_entity e JOIN hub_series s ON s.city = $1 AND s.eid = e.eid
         WHERE e.city = $1 AND e.uri = te.uri AND s.attr_id = t.term_id)
  FROM hub_temporal_entity te JOIN hub_term t ON t.city = $1 AND t.iri = $3
 WHERE te.city = $1 AND te.uri = $2
"""


class _Place(NamedTuple):
    teid: int
    attr_id: int
    plain: int | None
    governed: int | None


def _place(city: str, uri: str, iri: str) -> Steps[_Place | None]:
    rows = yield Ask(_PLACE, (city, uri, iri))
    return _Place(*rows[0]) if rows else None


def _refuse(uri: str) -> OperationError:
    return OperationError(f"{uri} has measured series, whose points are kept", retry=False)


def delete_attribute(
    city: str, uri: str, iri: str, dataset_id: str | None, *, every: bool
) -> Steps[bool]:
    """Remove an attribute's instances (§5.6.13). False: there were none.

    Raises OperationError when a registered series holds them.
    """
    yield from _lock(city, uri)
    place = yield from _place(city, uri, iri)
    if place is None:
        return False
    default = every or not dataset_id
    if default and place.governed is not None:
        raise _refuse(uri)
    rows = yield Ask(
        "DELETE FROM hub_instance WHERE city = $1 AND teid = $2 AND attr_id = $3"
        " AND ($4 OR dataset_id = $5) RETURNING 1",
        (city, place.teid, place.attr_id, every, dataset_id or ""),
    )  # fmt: skip
    if default and place.plain is not None:
        yield Ask("SELECT hub_delete_plain($1, $2::int[])", (city, [place.plain]))
        yield Ask("DELETE FROM hub_plain_series WHERE city = $1 AND series_id = $2",
                  (city, place.plain))  # fmt: skip
        return True
    return bool(rows)


_CHANGE = """
UPDATE hub_instance SET ts = $5, modified_at = $6, observed_at = $7, dataset_id = $8, num = $9,
       body = $10::jsonb
 WHERE city = $1 AND teid = $2 AND attr_id = $3 AND instance_id = $4 RETURNING 1
"""
_FROM_POINT = """
INSERT INTO hub_instance (city, teid, attr_id, instance_id, ts, created_at, modified_at,
                          observed_at, dataset_id, num, body)
VALUES ($1, $2, $3, $4, $5, $11, $6, $7, $8, $9, $10::jsonb)
"""
_POINT = "SELECT received_at FROM hub_point WHERE city = $1 AND series_id = $2 AND ts = $3"


def modify_instance(
    city: str, uri: str, iri: str, number: str, instance: Instance, now: datetime
) -> Steps[bool]:
    """Put an instance in the place of the one with this instanceId (§5.6.14). False: none is.

    Its createdAt stays. Raises OperationError for a registered series' point.
    """
    yield from _lock(city, uri)
    place = yield from _place(city, uri, iri)
    if place is None:
        return False
    entry = entry_of(uri, iri, instance, now)
    if entry.ts.year >= 2000:
        month = f"{entry.ts:%Y-%m}-01"
        yield Ask("SELECT hub_ensure_instance_months($1::text[])", ([month],))
    local = number.removeprefix(INSTANCE_URN)
    values = (
        city, place.teid, place.attr_id, local, entry.ts, now, entry.observed_at, entry.dataset,
        entry.num, orjson.dumps(entry.body).decode(),
    )  # fmt: skip
    if (yield Ask(_CHANGE, values)):
        return True
    point = yield from _point(city, uri, place, number)
    if point is None:
        return False
    series, at, received = point
    yield Ask("SELECT hub_delete_plain($1, $2::int[], $3)", (city, [series], at))
    yield Ask(_FROM_POINT, (*values, received))
    return True


def delete_instance(city: str, uri: str, iri: str, number: str) -> Steps[bool]:
    """Remove one instance (§5.6.15). False: there is none with this instanceId.

    Raises OperationError for a registered series' point.
    """
    yield from _lock(city, uri)
    place = yield from _place(city, uri, iri)
    if place is None:
        return False
    gone = yield Ask(
        "DELETE FROM hub_instance WHERE city = $1 AND teid = $2 AND attr_id = $3"
        " AND instance_id = $4 RETURNING 1",
        (city, place.teid, place.attr_id, number.removeprefix(INSTANCE_URN)),
    )  # fmt: skip
    if gone:
        return True
    point = yield from _point(city, uri, place, number)
    if point is None:
        return False
    yield Ask("SELECT hub_delete_plain($1, $2::int[], $3)", (city, [point[0]], point[1]))
    return True


def _point(
    city: str, uri: str, place: _Place, number: str
) -> Steps[tuple[int, datetime, datetime] | None]:
    """A plain point by its instanceId: series, time, time of receipt.

    Raises OperationError for a registered series' point, and for a closed month's.
    """
    named = point_of_urn(number)
    if named is None:
        return None
    series, ts = named
    if series == place.governed:
        raise _refuse(uri)
    if series != place.plain:
        return None
    at = instant(ts)
    rows = yield Ask(_POINT, (city, series, at))
    closed = yield from files(city, Period(at, at + timedelta(microseconds=1)))
    if closed:
        raise OperationError(f"{at:%Y-%m} is closed: its points lie in the lake", retry=False)
    return (series, at, rows[0][0]) if rows else None


def is_measured(city: str, uri: str) -> Steps[bool]:
    """Whether registered series stand behind the entity."""
    rows = yield Ask(
        "SELECT EXISTS (SELECT FROM hub_entity e JOIN hub_series s ON s.city = $1 AND s.eid = e.eid"
        " WHERE e.city = $1 AND e.uri = $2)", (city, uri),
    )  # fmt: skip
    return rows[0][0]
