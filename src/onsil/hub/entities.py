"""Entities for callers on psycopg: written, made sure of, removed, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import OperationError
from onsil.hub.batch import upserting
from onsil.hub.contexts import CORE
from onsil.hub.documents import Document, DocumentError, parse_entity
from onsil.hub.steps import Ask, Steps, run
from onsil.hub.terms import UpsertResult, uri_city
from onsil.hub.writing import Absent, Done, Kept, Taken, creating, deleting, write

_KNOWN = "SELECT uri, eid FROM hub_entity WHERE city = $1 AND uri = ANY($2::text[])"


def upsert_entities(
    conn: Connection,
    city: str,
    entities: Sequence[dict[str, Any]],
    *,
    replace: bool = False,
    clock: Clock | None = None,
) -> list[UpsertResult]:
    """Create entities or lay their attributes over what is there (`replace`: instead of it).

    Entities are NGSI-LD in any representation, with short names. The same id twice: the later one
    comes on top. Raises DocumentError for what is not NGSI-LD or not this city's.
    """
    documents = [parse_entity(raw, nulls=not replace) for raw in entities]
    for document in documents:
        _own_city(document.uri, city)
    intents = [upserting(document, replace=replace) for document in documents]
    now = (clock or SystemClock()).now()
    created: set[str] = set()
    for outcome in run(conn, write(city, intents, now)):
        if not isinstance(outcome, Done):
            raise outcome
        if outcome.created:
            created.add(outcome.uri)
    return [UpsertResult(document.uri, document.uri in created) for document in documents]


def _own_city(uri: str, city: str) -> None:
    named = uri_city(uri)
    if named is not None and named != city:
        raise DocumentError(f"{uri} is an entity of {named}, not of {city}")


def ensure_entities(
    conn: Connection, city: str, uris: Iterable[str], clock: Clock
) -> dict[str, int]:
    """The numbers of entities; those not there yet are made, with the type their URN names."""
    return run(conn, _ensured(city, sorted(set(uris)), clock.now()))


def _ensured(city: str, uris: Sequence[str], now: datetime) -> Steps[dict[str, int]]:
    there = {uri: eid for uri, eid in (yield Ask(_KNOWN, (city, uris)))}
    missing = [Document(uri, [_type_of(uri)]) for uri in uris if uri not in there]
    if missing:
        for outcome in (yield from write(city, [creating(d) for d in missing], now)):
            if not isinstance(outcome, Done | Taken):
                raise outcome
        there = {uri: eid for uri, eid in (yield Ask(_KNOWN, (city, uris)))}
    return there


def _type_of(uri: str) -> str:
    parts = uri.split(":")
    if len(parts) < 4 or parts[:2] != ["urn", "ngsi-ld"] or not parts[2]:
        raise OperationError(f"{uri}: register the entity with its type first", retry=False)
    return CORE.iri(parts[2])


def delete_entity(conn: Connection, city: str, uri: str, clock: Clock | None = None) -> bool:
    """Remove an entity. Returns whether there was one.

    Raises OperationError when it has series: what was measured stays, as claims may rest on it.
    """
    now = (clock or SystemClock()).now()
    (outcome,) = run(conn, write(city, [deleting(uri)], now))
    if isinstance(outcome, Kept):
        raise OperationError(f"{uri} has measured series, which are kept", retry=False)
    return not isinstance(outcome, Absent)
