"""What a write leaves to be told, in the write's own transaction (§5.8.6).

One row for each subscription that the transaction concerns, with all its entities. The sender is
woken when the transaction commits; where a writer has done so a moment ago, it is awake still.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from onsil.core.ids import new_id
from onsil.hub.changes import AttributeChange, Change
from onsil.hub.documents import Document, time_text
from onsil.hub.query.matching import Resolve
from onsil.hub.steps import Ask, Steps
from onsil.hub.subscriptions.index import CityIndex, city_index
from onsil.hub.subscriptions.linked import attribute_iri, fetch_documents
from onsil.hub.subscriptions.matching import (
    AttributeKey,
    Entry,
    asks_of_linked,
    changed_attributes,
    entry_of,
    is_due,
    meets_conditions,
)
from onsil.hub.subscriptions.sources import reason_of
from onsil.hub.subscriptions.terms import SourceChange, Stored, Subscription

CHANNEL = "onsil_outbox"
ENTITIES_MAX = 500  # in one notification
WAKE_AGAIN_S = 0.1
LATELY_S = 5.0
_HOPS_MAX = 6
_woken = {"at": -LATELY_S, "told": -LATELY_S}


def enqueue_changes(city: str, changes: Sequence[Change]) -> Steps[None]:
    """Leave in the outbox what the changes of one transaction mean to the city's subscriptions."""
    index = yield from city_index(city)
    if not index.entities:
        return
    told: dict[int, list[Entry]] = {}
    for change in changes:
        concerned = _concerned(index, change)
        if not concerned:
            continue
        changed = changed_attributes(change)
        document = change.after or change.before
        assert document is not None
        for subscription in concerned:
            find = yield from _finder(city, subscription, document)
            entry = entry_of(subscription, change, changed, find)
            if entry is not None:
                told.setdefault(subscription.number, []).append(entry)
    if told:
        yield from _insert(city, changes[0].at, told)


def _concerned(index: CityIndex, change: Change) -> list[Subscription]:
    document = change.after or change.before
    assert document is not None
    if change.before is not None and change.after is not None:
        names = {iri for iri, _ in change.attributes}
    else:
        names = set(document.attrs)
    return [s for s in index.candidates(document.types, names) if is_due(s, change.at)]


class _Linked:
    """Entities that a query has asked for, and those it asked for in vain."""

    def __init__(self) -> None:
        self.known: dict[str, Document | None] = {}
        self.asked: set[str] = set()

    def find(self, uri: str) -> Document | None:
        if uri not in self.known:
            self.asked.add(uri)
        return self.known.get(uri)


def _finder(city: str, subscription: Subscription, document: Document) -> Steps[Resolve | None]:
    """How the entities are found that a query looks into; read one hop at a time."""
    if not asks_of_linked(subscription.q):
        return None
    linked = _Linked()
    for _ in range(_HOPS_MAX):
        meets_conditions(subscription, document, linked.find)
        if not linked.asked:
            break
        found = yield from fetch_documents(city, linked.asked)
        linked.known |= {uri: found.get(uri) for uri in linked.asked}
        linked.asked.clear()
    return linked.find


def enqueue_readings(
    city: str, now: datetime, newest: Callable[[], Iterable[Stored]]
) -> Steps[None]:
    """The same for device readings that became points; `newest` tells those of each series.

    Where no subscription could be concerned it is not asked, and all that this costs is one look
    at the subscriptions' version.
    """
    index = yield from city_index(city)
    if not index.entities:
        return
    wanted: dict[str, dict[str, Stored]] = {}
    for one in newest():
        known = wanted.setdefault(one.entity, {})
        iri = attribute_iri(one.attribute)
        if iri not in known or known[iri].observed_at <= one.observed_at:
            known[iri] = one
    uris = [uri for uri in wanted if _may_concern(index, uri)]
    if not uris:
        return
    documents = yield from fetch_documents(city, uris)
    changes = [_reading_change(document, wanted[uri], now) for uri, document in documents.items()]
    if changes := [one for one in changes if one.attributes]:
        yield from enqueue_changes(city, changes)


def _may_concern(index: CityIndex, uri: str) -> bool:
    """Whether an entity of this id can be among those that some subscription selects."""
    return any(
        not s.selectors or any(
            (not one.ids or uri in one.ids) and (one.pattern is None or one.pattern.search(uri))
            for one in s.selectors
        )
        for many in index.entities.values() for s in many
    )  # fmt: skip


def _reading_change(document: Document, readings: Mapping[str, Stored], now: datetime) -> Change:
    """Readings of one entity as a change; the document has the newest points in it already.

    A reading older than the newest one changes nothing. What stood there before is not known.
    """
    before = dict(document.attrs)
    attributes: dict[AttributeKey, AttributeChange] = {}
    for iri, reading in readings.items():
        stamp = time_text(reading.observed_at)
        many = document.attrs.get(iri, [])
        if any(i.get("observedAt") == stamp for i in many if "datasetId" not in i):
            attributes[iri, ""] = "updated"
            before[iri] = [i if "datasetId" in i else {"type": "Property"} for i in many]
    return Change(0, document.uri, replace(document, attrs=before), document, now, attributes)


def insert_entries(
    city: str, number: int, at: datetime, entries: Sequence[Mapping[str, Any]], reason: str = ""
) -> Steps[None]:
    """Put one subscription's entries into the outbox and wake the sender."""
    yield from _insert(city, at, {number: list(entries)}, reason)


def _insert(
    city: str, at: datetime, told: Mapping[int, Sequence[Any]], reason: str = ""
) -> Steps[None]:
    rows = [
        (number, entries[start : start + ENTITIES_MAX])
        for number, entries in told.items()
        for start in range(0, len(entries), ENTITIES_MAX)
    ]
    yield Ask(
        "INSERT INTO hub_outbox (city, sub_no, notification_id, at, reason, entries)"
        " SELECT $1, n, i::uuid, $2, $3, e FROM unnest($4::int[], $5::text[], $6::jsonb[])"
        " AS t(n, i, e)",
        (
            city, at, reason, [number for number, _ in rows], [str(new_id()) for _ in rows],
            [orjson.dumps(entries).decode() for _, entries in rows],
        ),
    )  # fmt: skip
    yield from wake_sender()


def wake_sender() -> Steps[None]:
    """Tell the sender, when the transaction commits, that there is something.

    Notifying puts committing transactions in line, so it is left out where this process has done it
    just now: a sender that was woken stays awake for longer than that.
    """
    now = time.monotonic()
    _woken["told"] = now
    if now - _woken["at"] >= WAKE_AGAIN_S:
        _woken["at"] = now
        yield Ask("SELECT pg_notify($1, '')", (CHANNEL,))


def told_lately() -> bool:
    """Whether a transaction of this process that may be committing now has told something."""
    return time.monotonic() - _woken["told"] < LATELY_S


def enqueue_source_changes(city: str, changes: Sequence[SourceChange]) -> Steps[None]:
    """What changes of context source registrations mean to the subscriptions to them (§5.11.7)."""
    index = yield from city_index(city)
    for change in changes:
        for subscription in index.sources:
            if not is_due(subscription, change.at):
                continue
            told = reason_of(subscription, change.before, change.after)
            if told is not None:
                reason, registration = told
                yield from insert_entries(
                    city, subscription.number, change.at, [registration], reason
                )
