"""EntityMaps: which entities a query found, fixed for the requests that follow it.

GS CIM 009 V1.9.1 §4.5.25, §5.2.39, §5.5.14, §5.14. Rules and steps; no clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from onsil.hub.documents import time_text
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.steps import Ask, Steps
from onsil.hub.temporal.durations import Duration

PREFIX = "urn:ngsi-ld:entitymap:"
HERE = "@none"  # where an entity is held, when that is this broker
ENTITIES_MAX = 10_000
MAPS_MAX = 1_000  # of a tenant; the oldest go first
LIFE = timedelta(minutes=15)
LIFE_MAX = timedelta(hours=24)
_MONTH = timedelta(days=30)


@dataclass(frozen=True)
class EntityMap:
    """Entities, in the order they were found, each with the sources it came from."""

    uri: str
    expires_at: datetime
    entities: Mapping[str, Sequence[str]]

    def body(self) -> dict[str, Any]:
        """The map as it goes out (§5.2.39)."""
        return {
            "id": self.uri,
            "type": "EntityMap",
            "expiresAt": time_text(self.expires_at),
            "entityMap": dict(self.entities),
        }


def expiry(now: datetime, wanted: Duration | None = None) -> datetime:
    """When a map ends: as was suggested, within what this broker allows."""
    if wanted is None or wanted.whole:
        return now + LIFE
    if wanted.months:
        return now + LIFE_MAX
    return within(now, now + min(LIFE_MAX, timedelta(microseconds=wanted.length_us)))


def within(now: datetime, wanted: datetime) -> datetime:
    """An end that a client sets, no later than this broker allows."""
    return min(wanted, now + LIFE_MAX)


def narrowed(wanted: Filter, uris: Collection[str]) -> Filter:
    """The filter, for these entities only."""
    if not wanted.selectors:
        return replace(wanted, selectors=(Selector(ids=tuple(uris)),))
    known = set(uris)
    selectors = []
    for one in wanted.selectors:
        ids = tuple(uri for uri in one.ids if uri in known) if one.ids else tuple(uris)
        if ids:
            selectors.append(replace(one, ids=ids))
    return replace(wanted, selectors=tuple(selectors) or (Selector(ids=("",)),))


def keep(
    city: str, entities: Mapping[str, Sequence[str]], now: datetime, expires_at: datetime
) -> Steps[EntityMap]:
    """Keep a new map; those of the tenant that have expired go."""
    made = EntityMap(f"{PREFIX}{uuid4()}", expires_at, entities)
    yield Ask("DELETE FROM hub_entity_map WHERE city = $1 AND expires_at <= $2", (city, now))
    yield Ask(
        "DELETE FROM hub_entity_map WHERE city = $1 AND map_id IN (SELECT m.map_id"
        " FROM hub_entity_map m WHERE m.city = $1 ORDER BY m.created_at DESC OFFSET $2::int)",
        (city, MAPS_MAX - 1),
    )
    yield Ask(
        "INSERT INTO hub_entity_map (city, map_id, entities, created_at, expires_at)"
        " VALUES ($1, $2, $3::json, $4, $5)",
        (city, made.uri, _encoded(entities), now, expires_at),
    )
    return made


def held(city: str, uri: str, now: datetime) -> Steps[EntityMap | None]:
    """A map that has not expired."""
    rows = yield Ask(
        "SELECT map_id, expires_at, entities FROM hub_entity_map"
        " WHERE city = $1 AND map_id = $2 AND expires_at > $3",
        (city, uri, now),
    )
    return EntityMap(*rows[0]) if rows else None


def set_expiry(city: str, uri: str, expires_at: datetime, now: datetime) -> Steps[bool]:
    """Give a map another end. Returns whether it was there."""
    return (
        yield from _there(
            "UPDATE hub_entity_map SET expires_at = $4"
            " WHERE city = $1 AND map_id = $2 AND expires_at > $3 RETURNING 1",
            (city, uri, now, expires_at),
        )
    )


def remove(city: str, uri: str, now: datetime) -> Steps[bool]:
    """Remove a map. Returns whether it was there."""
    return (
        yield from _there(
            "DELETE FROM hub_entity_map WHERE city = $1 AND map_id = $2 AND expires_at > $3"
            " RETURNING 1",
            (city, uri, now),
        )
    )


def leave_out(city: str, one: EntityMap, gone: Iterable[str]) -> Steps[None]:
    """Take entities that no longer fit their query out of its map (§5.5.9.3)."""
    left = dict(one.entities)
    for uri in gone:
        left.pop(uri, None)
    yield Ask(
        "UPDATE hub_entity_map SET entities = $3::json WHERE city = $1 AND map_id = $2",
        (city, one.uri, _encoded(left)),
    )


def _there(sql: str, values: tuple[Any, ...]) -> Steps[bool]:
    rows = yield Ask(sql, values)
    return bool(rows)


def _encoded(entities: Mapping[str, Sequence[str]]) -> str:
    return orjson.dumps(dict(entities)).decode()
