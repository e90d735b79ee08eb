"""Attribute instances as the history keeps them: which become points, which rows of their own.

Pure: no database. GS CIM 009 V1.9.1 §4.5.7 (temporal representation of attributes), §4.8 (times).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from onsil.hub.changes import Change
from onsil.hub.contexts import NGSI_LD
from onsil.hub.documents import NULL, VALUE_KEYS, Document, Instance, parse_time

SCOPE = NGSI_LD + "scope"
# Marks the body of an instance whose number a registered series holds too.
RECORDED = "recorded"
# Points lie in the calendar that partitions are made for.
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
_TIMES = ("observedAt", "createdAt", "modifiedAt", "deletedAt", "datasetId", "instanceId", "bare")
_PLAIN = {"type", "value", "unitCode", "observedAt", "createdAt", "modifiedAt"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One instance on its way into the history of `uri`'s attribute `iri`.

    `body` is the instance without its times, dataset and number, as it is kept.
    """

    uri: str
    iri: str
    dataset: str
    body: Instance
    at: datetime
    observed_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def ts(self) -> datetime:
        """The time the instance is filed under."""
        return self.observed_at or self.deleted_at or self.at

    @property
    def num(self) -> float | None:
        """The value of a numeric Property."""
        return number_of(self.body) if self.body["type"] == "Property" else None

    @property
    def timed_number(self) -> bool:
        """Whether this is a reading: a number with observedAt, and no datasetId."""
        return (
            self.num is not None and self.observed_at is not None and not self.dataset
            and FIRST <= self.observed_at < LAST
        )  # fmt: skip

    @property
    def plain(self) -> bool:
        """Whether a point can say all of it."""
        return self.timed_number and self.body.keys() <= _PLAIN and self.num == self.body["value"]


def number_of(body: Instance) -> float | None:
    """A body's value where it is a finite number."""
    value = body.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def entry_of(uri: str, iri: str, instance: Instance, at: datetime) -> Entry:
    """An instance as it was written, in the document's form."""
    observed = instance.get("observedAt")
    return Entry(
        uri, iri, instance.get("datasetId", ""),
        {name: value for name, value in instance.items() if name not in _TIMES},
        at, parse_time(observed) if observed else None,
    )  # fmt: skip


def deletion_of(uri: str, iri: str, kind: str, dataset: str, at: datetime) -> Entry:
    """The instance that says an attribute's instance was deleted (§4.5.7)."""
    return Entry(uri, iri, dataset, {"type": kind, VALUE_KEYS[kind]: NULL}, at, None, at)


def scope_entry(uri: str, scopes: list[str], at: datetime) -> Entry:
    """A change of an entity's scopes by the core API: observedAt is modifiedAt (§4.5.6)."""
    body = {"type": "Property", "value": scopes}
    if not scopes:
        return Entry(uri, SCOPE, "", body, at, None, at)
    return Entry(uri, SCOPE, "", body, at, at)


def entries_of(change: Change) -> Iterator[Entry]:
    """What one entity's change leaves in its history."""
    before, after, at = change.before, change.after, change.at
    for (iri, dataset), _ in change.attributes.items():
        new = _instance(after, iri, dataset)
        if new is not None:
            yield entry_of(change.uri, iri, new, at)
            continue
        old = _instance(before, iri, dataset)
        if old is not None:
            yield deletion_of(change.uri, iri, old["type"], dataset, at)
    if after is None and before is not None:
        named = change.attributes.keys()
        for iri, instances in before.attrs.items():
            for one in instances:
                dataset = one.get("datasetId", "")
                if (iri, dataset) not in named:
                    yield deletion_of(change.uri, iri, one["type"], dataset, at)
    was = before.scopes if before else []
    now = after.scopes if after else []
    if was != now:
        yield scope_entry(change.uri, now, at)


def _instance(document: Document | None, iri: str, dataset: str) -> Instance | None:
    if document is None:
        return None
    for instance in document.attrs.get(iri, ()):
        if instance.get("datasetId", "") == dataset:
            return instance
    return None
