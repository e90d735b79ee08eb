"""The nouns of the registry: blocks of units, events, proposals, and the sums. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from onsil import ledger
from onsil.footprint.credits.spans import Span, count

HELD = "held"
BUFFER, RETIRED, CANCELLED, EXPIRED = "buffer", "retired", "cancelled", "expired"
PENDING_EXPORT, EXPORTED, CONVERTED = "pending-export", "exported", "converted"
PLANNED = "planned"
STATES: tuple[str, ...] = (
    HELD,
    BUFFER,
    RETIRED,
    CANCELLED,
    EXPIRED,
    PENDING_EXPORT,
    EXPORTED,
    CONVERTED,
)
GONE = (RETIRED, CANCELLED, EXPIRED, EXPORTED, CONVERTED)
"""States that units never leave."""

CAD_TRUST = {
    HELD: "Held", BUFFER: "Buffer", RETIRED: "Retired", CANCELLED: "Cancelled", EXPIRED: "Expired",
    PENDING_EXPORT: "Pending Export", EXPORTED: "Exported", CONVERTED: "Exported",
    PLANNED: "Planned",
}  # fmt: skip
"""Our states in the words of the CAD Trust data model (v2.0); what was converted left for the
compliance market's registry, which that model calls exported. Planned units are not in it."""

PURPOSES = ("voluntary", "compliance", "corsia", "ndc", "other")
ABROAD = ("corsia", "ndc")
"""Uses for which the host country must have authorised the units (Paris Agreement, Article 6)."""

ACTIONS = (
    "reversal", "buffer-release", "buffer-cancellation", "export", "import", "conversion",
)  # fmt: skip
"""What one person proposes and another decides on."""

CAUSES = ("dead-trees", "felling", "fire", "other")
DECLARATIONS = ("Unknown", "Not Required", "Committed")
ADJUSTMENTS = ("Unknown", "Not Started", "Pending", "Completed")
"""Corresponding adjustments in the words of CAD Trust."""


def state_of(account: str) -> str:
    """The state of units in an account: the account's own, or held by whoever it is."""
    return account if account in STATES and account != HELD else HELD


@dataclass(frozen=True)
class UnitBlock:
    """Serials [first, end) of one batch in one account, from the event that made it until the one
    that ended it (None: still so)."""

    id: UUID
    batch_id: UUID
    first: int
    end: int
    account: str
    state: str
    born_by: UUID
    ended_by: UUID | None

    @property
    def last(self) -> int:
        return self.end - 1

    @property
    def units(self) -> int:
        return self.end - self.first

    @property
    def span(self) -> Span:
        return (self.first, self.end)

    @property
    def live(self) -> bool:
        return self.ended_by is None


@dataclass(frozen=True)
class UnitEvent:
    """A line of the registry's journal. `spans` are the serials that it is about."""

    id: UUID
    kind: str
    batch_id: UUID | None
    project_id: UUID | None
    parent_id: UUID | None
    tonnes: int
    spans: tuple[Span, ...]
    source: str
    destination: str
    facts: Mapping[str, Any]
    key: str
    action_id: UUID | None
    transfer_id: UUID | None
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Move:
    """Units to be moved: the lowest serials of `source`, or exactly `spans`.

    `legs` go into the same transfer (the money of a sale). `origin` is what the transfer names as
    its cause, (kind, id); None: the event.
    """

    batch_id: UUID
    kind: str
    source: str
    destination: str
    tonnes: int
    key: str
    actor: str
    spans: tuple[Span, ...] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    memo: str = ""
    legs: tuple[ledger.Leg, ...] = ()
    accounts: tuple[ledger.AccountSpec, ...] = ()
    origin: tuple[str, str] | None = None
    action_id: UUID | None = None
    parent_id: UUID | None = None
    project_id: UUID | None = None

    def __post_init__(self) -> None:
        assert self.spans is None or count(self.spans) == self.tonnes


@dataclass(frozen=True)
class Action:
    """A proposal: `proposed`, `approved` or `rejected`, the checker never the maker."""

    id: UUID
    kind: str
    terms: Mapping[str, Any]
    key: str
    status: str
    maker: str
    proposed_at: datetime
    checker: str | None
    decided_at: datetime | None
    reason: str
    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """Units expected of a project's coming vintage: what is still open of them."""

    id: UUID
    project_id: UUID
    vintage: int
    tonnes: int
    basis: str
    fulfilled: int
    cancelled: int
    key: str
    actor: str
    created_at: datetime

    @property
    def asset(self) -> str:
        return f"planned:{self.id}"

    @property
    def open(self) -> int:
        return self.tonnes - self.fulfilled - self.cancelled


@dataclass(frozen=True)
class Label:
    """A label of a batch or of all batches under one version of a methodology; `ends` None: open.
    `ends` is the first day without it."""

    id: UUID
    label: str
    batch_id: UUID | None
    methodology: str
    version: str
    starts: date
    ends: date | None
    reference: str
    actor: str
    created_at: datetime

    def on(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True)
class Adjustment:
    """What stands of a batch's corresponding adjustment, the newest statement of it."""

    batch_id: UUID
    declaration: str = "Unknown"
    status: str = "Unknown"
    country: str = ""
    letter: str = ""
    letter_on: date | None = None
    uses: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True)
class Shortfall:
    """What a project still owes for losses: units, and the day by which they are recovered.

    `pool` of them a pool has cancelled for it and is owed; the rest nobody has cancelled yet.
    """

    project_id: UUID
    lost: int
    covered: int
    due: date | None
    pool: int = 0

    @property
    def units(self) -> int:
        return self.lost - self.covered


@dataclass(frozen=True)
class PoolShare:
    """A project's part of a pool, of one vintage: put in = held + cancelled. `owed` is the
    project's whole debt to the pool."""

    project_id: UUID
    vintage: int
    put_in: int
    held: int
    cancelled: int
    owed: int


@dataclass(frozen=True)
class Pool:
    """A buffer pooled over projects; `drawn` of what was cancelled paid for another's loss."""

    name: str
    drawn: int
    shares: tuple[PoolShare, ...]

    @property
    def put_in(self) -> int:
        return sum(one.put_in for one in self.shares)

    @property
    def held(self) -> int:
        return sum(one.held for one in self.shares)

    @property
    def cancelled(self) -> int:
        return sum(one.cancelled for one in self.shares)

    @property
    def owed(self) -> int:
        return sum({one.project_id: one.owed for one in self.shares}.values())

    @property
    def whole(self) -> bool:
        """Whether nothing that was put in has gone elsewhere."""
        return self.put_in == self.held + self.cancelled and self.drawn <= self.cancelled


@dataclass(frozen=True)
class Conservation:
    """Where a batch's units are, counted from its blocks, the ledger and the journal apart.

    `findings` are (code, facts): not-conserved, ledger-differs, journal-differs.
    """

    batch_id: UUID
    issued: int
    states: Mapping[str, int]
    findings: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    @property
    def whole(self) -> bool:
        return not self.findings and sum(self.states.values()) == self.issued
