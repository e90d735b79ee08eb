"""The write path: what is wanted of entities becomes documents, history and notifications at once.

An `Intent` names an entity and decides, from what is stored, what it becomes: a pure function that
returns or refuses. `write` takes any number of them into one transaction. Names and rows are locked
in one order, so concurrent writers never deadlock, and every decision sees the one before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from onsil.hub.changes import AttributeChange, Change
from onsil.hub.datasets.access import close_entities
from onsil.hub.datasets.checking import verify_changes
from onsil.hub.documents import Changed, Document, DocumentError, create, live, parse_time
from onsil.hub.entity_rows import Stored, Written, insert, load, lock_names, remove, update
from onsil.hub.expiring import note_expiries
from onsil.hub.steps import Ask, Steps
from onsil.hub.subscriptions.outbox import enqueue_changes
from onsil.hub.temporal.history import append_changes
from onsil.hub.vocabulary import Dictionary

_GOVERNED = "SELECT DISTINCT eid FROM hub_series WHERE city = $1 AND eid = ANY($2::bigint[])"


class Absent(LookupError):
    """There is no such entity (the standard's ResourceNotFound)."""


class Unfit(Absent):
    """There is one of this id, but not of the types asked for (§4.17)."""


class Taken(ValueError):
    """There is an entity with this id already (AlreadyExists)."""


class Kept(ValueError):
    """The entity has measured series, on which claims may rest (OperationNotSupported)."""


# What a write refuses, as values: the rest of its transaction goes on.
Refused = DocumentError | LookupError | Taken | Kept
_REFUSALS = (DocumentError, LookupError, Taken, Kept)

# From what is stored to what it becomes; None deletes. Raises one of `_REFUSALS`.
Decision = Callable[[Document | None, datetime], Changed | None]


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted of one entity. `creates`, `deletes`: it may come into being, or go."""

    uri: str
    decide: Decision
    creates: bool = False
    deletes: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an intent."""

    uri: str
    created: bool
    changed: Changed | None


@dataclass
class _Entity:
    """An entity within a transaction: as it was, and as the intents so far leave it."""

    stored: Stored | None
    document: Document | None
    attributes: dict[tuple[str, str], AttributeChange] = field(default_factory=dict)
    touched: bool = False
    lost: bool = False  # what was stored goes, whatever comes in its place


def existing(decide: Callable[[Document, datetime], Changed | None], uri: str) -> Decision:
    """A decision about an entity that must be there. It raises Absent otherwise."""

    def checked(before: Document | None, now: datetime) -> Changed | None:
        if before is None:
            raise Absent(uri)
        return decide(before, now)

    return checked


def creating(document: Document) -> Intent:
    """Create Entity (GS CIM 009 V1.9.1 §5.6.1): refused as Taken when the id is in use."""

    def decide(before: Document | None, now: datetime) -> Changed:
        if before is not None:
            raise Taken(document.uri)
        return create(document, now)

    return Intent(document.uri, decide, creates=True)


def deleting(uri: str, allowed: Callable[[Document], bool] = lambda _: True) -> Intent:
    """Delete Entity (§5.6.6), where `allowed`; Absent otherwise."""

    def decide(before: Document, _now: datetime) -> None:
        if not allowed(before):
            raise Unfit(uri)

    return Intent(uri, existing(decide, uri), deletes=True)


def write(
    city: str, intents: Sequence[Intent], now: datetime, terms: Dictionary | None = None
) -> Steps[list[Done | Refused]]:
    """Carry intents out in their order, in the caller's transaction: what became of each."""
    naming = {intent.uri for intent in intents if intent.creates}
    if naming:
        yield from lock_names(city, naming)
    stored = yield from load(city, {intent.uri for intent in intents}, terms)
    kept = yield from _kept(city, intents, stored, now)
    entities = {i.uri: _entity(stored.get(i.uri), kept, now) for i in intents}
    outcomes: list[Done | Refused] = []
    for intent in intents:
        entity = entities[intent.uri]
        try:
            changed = intent.decide(entity.document, now)
            if changed is None and entity.stored and entity.stored.eid in kept:
                raise Kept(intent.uri)
        except _REFUSALS as refusal:
            outcomes.append(refusal)
            continue
        outcomes.append(Done(intent.uri, entity.document is None, changed))
        _follow(entity, changed)
    yield from _store(city, entities, now, terms)
    return outcomes


def _expired(stored: Stored, now: datetime) -> bool:
    expiry = stored.document.expires_at
    return expiry is not None and parse_time(expiry) <= now


def _kept(
    city: str, intents: Sequence[Intent], stored: Mapping[str, Stored], now: datetime
) -> Steps[frozenset[int]]:
    """Of the entities that may go, those with measured series."""
    leaving = {i.uri for i in intents if i.deletes}
    leaving |= {uri for uri, one in stored.items() if _expired(one, now)}
    eids = [one.eid for uri, one in stored.items() if uri in leaving]
    rows = (yield Ask(_GOVERNED, (city, eids))) if eids else []
    return frozenset(eid for (eid,) in rows)


def _entity(stored: Stored | None, kept: frozenset[int], now: datetime) -> _Entity:
    if stored and _expired(stored, now) and stored.eid not in kept:
        return _Entity(stored, None, touched=True, lost=True)
    if stored is None:
        return _Entity(None, None)
    document = live(stored.document, now)
    return _Entity(stored, document, _ended(stored.document, document))


def _ended(stored: Document, living: Document) -> dict[tuple[str, str], AttributeChange]:
    """The attribute instances that expired since they were stored."""
    if living is stored:
        return {}
    there = {(iri, i.get("datasetId", "")) for iri, many in living.attrs.items() for i in many}
    return {
        key: "deleted"
        for iri, many in stored.attrs.items()
        for i in many
        if (key := (iri, i.get("datasetId", ""))) not in there
    }


def _follow(entity: _Entity, changed: Changed | None) -> None:
    entity.touched = True
    if changed is None:
        entity.lost = entity.lost or entity.stored is not None
        entity.attributes = {}
        entity.document = None
        return
    entity.document = changed.document
    for key, what in changed.attributes.items():
        before = entity.attributes.get(key)
        entity.attributes[key] = "created" if (before, what) == ("created", "updated") else what


def _store(
    city: str, entities: Mapping[str, _Entity], now: datetime, terms: Dictionary | None
) -> Steps[None]:
    """Write what the intents left, and tell history and subscriptions of it."""
    touched = {uri: e for uri, e in sorted(entities.items()) if e.touched}
    gone = [e.stored.eid for e in touched.values() if e.stored and e.lost]
    new = [e.document for e in touched.values() if e.document and (e.lost or not e.stored)]
    over = [
        Written(e.stored.eid, e.stored.document, e.document)
        for e in touched.values()
        if e.stored and e.document and not e.lost
    ]
    if gone:
        yield from remove(city, gone)
    made = (yield from insert(city, new, now, terms)) if new else {}
    yield from update(city, over, now, terms)
    yield from _note_expiries(city, touched.values(), made)
    changes = [
        _change(uri, entity, made.get(uri, 0), now)
        for uri, entity in touched.items()
        if entity.stored or entity.document
    ]
    if changes:
        closed = yield from verify_changes(city, changes)
        yield from append_changes(city, changes, terms)
        yield from close_entities(city, closed)
        yield from enqueue_changes(city, [one for one in changes if not closed.get(one.uri)])


def _note_expiries(city: str, touched: Iterable[_Entity], made: Mapping[str, int]) -> Steps[None]:
    before: dict[int, Document] = {}
    after: dict[int, Document] = {}
    for one in touched:
        if one.stored:
            before[one.stored.eid] = one.stored.document
        if one.document and (one.lost or not one.stored):
            after[made[one.document.uri]] = one.document
        elif one.document and one.stored:
            after[one.stored.eid] = one.document
    yield from note_expiries(city, before, after)


def _change(uri: str, entity: _Entity, made: int, now: datetime) -> Change:
    stored = entity.stored
    attributes: dict[tuple[str, str], AttributeChange] = entity.attributes
    if entity.document is None and stored:
        attributes = {
            (iri, instance.get("datasetId", "")): "deleted"
            for iri, instances in stored.document.attrs.items()
            for instance in instances
        }
    before = stored.document if stored and not (entity.lost and entity.document) else None
    eid = made or (stored.eid if stored else 0)
    return Change(eid, uri, before, entity.document, now, attributes)
