"""The nouns of the room: activity data, runs, claims, projects, credits. Frozen; units in names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil.core.periods import Period
from onsil.core.refusal import Refusal

FULL_SHARE = (0, 10_000)

QUANTIFIED = "quantified"
NOT_YET_MEASURABLE = "not-yet-measurable"


@dataclass(frozen=True)
class ActivitySeries:
    """The readings of one role: in time order, in the series' own unit.

    `kind` is the hub's: an `interval` value belongs to [time, time + interval_s), a `gauge` is a
    mean over it, a `counter` stands at its start. `source` is measured, simulated or replayed.
    """

    role: str
    entity: str
    attribute: str
    unit: str
    interval_s: int
    kind: str
    source: str
    times: tuple[datetime, ...]
    values: tuple[Decimal, ...]

    @property
    def meter(self) -> str:
        return f"{self.entity}#{self.attribute}"


@dataclass(frozen=True)
class RunLine:
    """A physical quantity that a run found at a meter and that one programme alone may claim.

    `meter` names what it was measured at: "entity#attribute" of a series, or the id of a table's
    row. `parts` divides the amount by local day (2025-06-01) or month (2025-06), where the method
    can tell them apart: only then can a part of the period be claimed.
    """

    meter: str
    quantity: str
    amount: Decimal
    unit: str = "Wh"
    parts: Mapping[str, Decimal] | None = None


@dataclass(frozen=True)
class Run:
    """A stored quantification. `refusal` says why when its status is not-yet-measurable."""

    id: UUID
    methodology: str
    version: str
    status: str
    refusal: Refusal | None
    period: Period
    co2e_t: Decimal
    energy_wh: Decimal
    lines: tuple[RunLine, ...]
    inputs_digest: str
    outputs_digest: str
    snapshot_digest: str
    engine: str
    actor: str
    created_at: datetime

    @property
    def measurable(self) -> bool:
        return self.status == QUANTIFIED


@dataclass(frozen=True)
class Recomputation:
    """A run done again: identical when its outputs have the very same bytes as those stored."""

    identical: bool
    stored_digest: str
    recomputed_digest: str
    engine: str
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """One programme's hold on a share, in ten-thousandths, of what a run found.

    `period` may be a part of the run's. `kind` is the programme's (see `claims.KINDS`). A claim
    with `released_at` holds nothing any more.
    """

    id: UUID
    run_id: UUID
    programme: str
    share_from: int
    share_to: int
    period: Period
    co2e_t: Decimal
    energy_wh: Decimal
    lines: tuple[RunLine, ...]
    actor: str
    created_at: datetime
    kind: str = "other"
    released_at: datetime | None = None


@dataclass(frozen=True)
class ProjectSpec:
    """A project to register. `buffer_bp`: ten-thousandths of each issuance kept in the buffer;
    `unit`: what it is issued in, tCO2e, or m3 for water."""

    code: str
    name_ko: str
    name_en: str
    programme: str
    methodology: str
    starts: date
    ends: date
    buffer_bp: int = 0
    unit: str = "tCO2e"


@dataclass(frozen=True)
class Project:
    id: UUID
    code: str
    name_ko: str
    name_en: str
    programme: str
    methodology: str
    starts: date
    ends: date
    buffer_bp: int
    actor: str
    created_at: datetime
    unit: str = "tCO2e"

    @property
    def account(self) -> str:
        """The ledger account that holds the project's unsold credits."""
        return f"project:{self.id}"


@dataclass(frozen=True)
class Monitoring:
    """A monitoring period: open, submitted, approved, returned or issued."""

    id: UUID
    project_id: UUID
    sequence: int
    period: Period
    status: str
    maker: str | None
    submitted_at: datetime | None
    checker: str | None
    decided_at: datetime | None
    reason: str
    claim_ids: tuple[UUID, ...]
    co2e_t: Decimal


@dataclass(frozen=True)
class CreditBatch:
    """Whole tonnes issued for a monitoring period, with their serials and what was carried."""

    id: UUID
    project_id: UUID
    monitoring_id: UUID
    position: int
    vintage: int
    tonnes: int
    buffer_tonnes: int
    serial_first: int
    serial_last: int
    quantified_t: Decimal
    carried_in_t: Decimal
    carried_out_t: Decimal
    transfer_id: UUID | None
    actor: str
    created_at: datetime
    serial_prefix: str = ""
    unit: str = "tCO2e"

    @property
    def asset(self) -> str:
        return f"credit:{self.id}"

    @property
    def serials(self) -> str:
        return f"{self.serial_prefix}-{self.serial_first}…{self.serial_last}"


@dataclass(frozen=True)
class Listing:
    """An offer of a batch's units at one price; `remaining` is what is still to be had of it."""

    id: UUID
    batch_id: UUID
    tonnes: int
    remaining: int
    unit_price_krw: int
    withdrawn: bool
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Sale:
    id: UUID
    listing_id: UUID
    batch_id: UUID
    buyer: str
    tonnes: int
    unit_price_krw: int
    key: str
    transfer_id: UUID
    actor: str
    created_at: datetime

    @property
    def amount_krw(self) -> int:
        return self.tonnes * self.unit_price_krw


@dataclass(frozen=True)
class Retirement:
    """Units used up for good on a beneficiary's behalf, by serial.

    `stretches` are [first, end) of each run of serials; `serial_first` and `serial_last` their
    outermost. `served` is the span of days it answers for, its end not included.
    """

    id: UUID
    batch_id: UUID
    company: str
    tonnes: int
    beneficiary: str
    reason: str
    serial_first: int
    serial_last: int
    key: str
    transfer_id: UUID
    actor: str
    created_at: datetime
    stretches: tuple[tuple[int, int], ...] = ()
    jurisdiction: str = ""
    purpose: str = "voluntary"
    served: tuple[date, date] | None = None


@dataclass(frozen=True)
class Holding:
    batch: CreditBatch
    tonnes: int


@dataclass(frozen=True)
class Use:
    """Where a reading went: a run, the reading's fate in it, and what was made of the run."""

    run: Run
    role: str
    status: str
    claims: tuple[Claim, ...] = ()
    batches: tuple[CreditBatch, ...] = ()


@dataclass(frozen=True)
class MethodInputs:
    """All that a methodology sees. `factors` are keyed by commodity and come with one GWP set.

    `tables` holds typed rows by role, each with a text `id` of its own; `coefficients` the tables
    of published coefficients (densities, decay rates) by the name under which they are needed.
    """

    period: Period
    zone: str
    parameters: Mapping[str, Any]
    series: Mapping[str, ActivitySeries]
    factors: Mapping[str, Any]
    gwp_set: str
    tables: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    coefficients: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a methodology found: lines to claim, gases in kg, and all figures behind them.

    `gases_kg` is None where the factor is known as a CO2e total alone. `details` are canonical
    values (decimals, texts, whole numbers) for people to read: coverage, gates, months.
    """

    lines: tuple[RunLine, ...]
    co2e_t: Decimal
    gases_kg: Mapping[str, Decimal] | None
    uncertainty: Mapping[str, Any]
    coverage: Mapping[str, Any]
    details: Mapping[str, Any] = field(default_factory=dict)
