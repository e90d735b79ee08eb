"""The hub's nouns: series and their points, readings on the way in, what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

SeriesKind = Literal["gauge", "interval", "counter"]
Source = Literal["measured", "simulated", "replayed"]


@dataclass(frozen=True)
class SeriesSpec:
    """How one attribute of one entity is measured.

    `kind`: `gauge` is a value at an instant; `interval` an amount over the interval that begins at
    the reading's time; `counter` a meter's running total. `minimum` and `maximum` are in `unit`.
    A reading is late once `interval_s + grace_s` seconds have passed since its time.
    """

    entity: str
    attribute: str
    unit: str
    interval_s: int
    kind: SeriesKind = "gauge"
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    source: Source = "measured"
    note: str = ""
    grace_s: int = 900


@dataclass(frozen=True)
class Series(SeriesSpec):
    """A series as stored; `id` is this database's own number and has no meaning elsewhere."""

    id: int = 0


class Reading(NamedTuple):
    """One value as it arrived. An empty `unit` means the series' own.

    `observed_at` and `received_at` must be aware; without `received_at` it is the clock's now.
    """

    entity: str
    attribute: str
    observed_at: datetime
    value: Decimal | float | int
    unit: str = ""
    received_at: datetime | None = None
    message_id: str = ""


class Quarantined(NamedTuple):
    """A reading that was set aside: its place in the batch, a stable code, words for people."""

    index: int
    code: str
    ko: str
    en: str
    reading: Reading


@dataclass(frozen=True)
class RecordReport:
    """What became of a batch: every reading is stored, duplicate, corrected or quarantined.

    Late readings are among the stored ones.
    """

    stored: int = 0
    duplicate: int = 0
    corrected: int = 0
    late: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)


@dataclass(frozen=True)
class Points:
    """A series' points in order of time; UTC, values as the exact decimals that were sent."""

    times: list[datetime]
    values: list[Decimal]

    def __len__(self) -> int:
        return len(self.times)


class LatestPoint(NamedTuple):
    observed_at: datetime
    value: Decimal
    received_at: datetime


class Rollup(NamedTuple):
    """Points of one hour, local day or local month; doubles, for charts only."""

    start: datetime
    count: int
    on_time: int
    total: float
    minimum: float
    maximum: float

    @property
    def mean(self) -> float:
        return self.total / self.count


class Linkage(NamedTuple):
    """How much of what was expected came on time; `rate` is None where nothing was expected."""

    expected: int
    on_time: int

    @property
    def rate(self) -> Decimal | None:
        if not self.expected:
            return None
        return (Decimal(self.on_time) / self.expected).quantize(Decimal("0.0001"))


@dataclass(frozen=True)
class Snapshot:
    """The points of a period, fixed by the SHA-256 of their manifest's canonical bytes."""

    digest: str
    manifest: Mapping[str, Any]
    points: Mapping[int, Points]


class Revision(NamedTuple):
    """A corrected point: what it was, and what replaced it."""

    observed_at: datetime
    old_value: Decimal
    old_received_at: datetime
    new_value: Decimal
    new_received_at: datetime
    message_id: str


class QuarantineEntry(NamedTuple):
    """A message or reading set aside, raw, with the reason."""

    id: int
    received_at: datetime
    origin: str
    code: str
    ko: str
    en: str
    raw: Any
    message_id: str


class UpsertResult(NamedTuple):
    uri: str
    created: bool


def entity_uri(type_name: str, city: str, local: str) -> str:
    """The URI of one of the city's own entities."""
    return f"urn:ngsi-ld:{type_name}:{city}:{local}"


def uri_city(uri: str) -> str | None:
    """The city an entity's URI names, where it has our form."""
    parts = uri.split(":", 4)
    return parts[3] if len(parts) == 5 and parts[:2] == ["urn", "ngsi-ld"] else None


class Writer(NamedTuple):
    """Who may write: a device, for these entities of its city (`*`: all of them)."""

    city: str
    device_id: str
    entities: frozenset[str]
