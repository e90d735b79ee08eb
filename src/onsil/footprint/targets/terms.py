"""The nouns of the city's plan: goals, measures, yearly targets, evidence, reviews."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

VERDICTS = ("done", "on-track", "behind", "not-started", "stopped")
EVIDENCE_KINDS = ("run", "claim", "document")
GOAL_KINDS = ("reduction-pct", "emission-t", "reduction-t")


@dataclass(frozen=True)
class Plan:
    """A plan and its base year. `source` says where it was read."""

    id: UUID
    code: str
    name_ko: str
    name_en: str
    base_year: int
    source: str
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Goal:
    """What a year shall reach. `kind` tells the unit of `value`:

    `reduction-pct` per cent below the base year, `emission-t` tCO2e that may still be emitted,
    `reduction-t` tCO2e that the measures take off in that year.
    """

    year: int
    kind: str
    value: Decimal
    source: str
    confirmed: bool
    revision: int = 1


@dataclass(frozen=True)
class MeasureTerms:
    """What a measure is: its owner, what it is counted by, and from when to when."""

    green: str
    name_ko: str
    name_en: str
    owner_ko: str
    owner_en: str
    indicator_ko: str
    indicator_en: str
    unit: str
    first_year: int
    last_year: int
    source: str
    methodology: str = ""


@dataclass(frozen=True)
class YearTarget:
    """What a measure shall reach in a year; what the plan does not say is None."""

    year: int
    quantity: Decimal | None
    co2e_t: Decimal | None
    budget_krw: int | None
    revision: int = 1


@dataclass(frozen=True)
class Measure:
    id: UUID
    plan_id: UUID
    code: str
    terms: MeasureTerms
    revision: int
    targets: Mapping[int, YearTarget]


@dataclass(frozen=True)
class Evidence:
    """A run, a claim or a paper behind a measure in a year. `measured` unless it is a paper."""

    id: UUID
    measure_id: UUID
    year: int
    kind: str
    subject: str
    quantity: Decimal | None
    co2e_t: Decimal | None
    note: str
    actor: str
    created_at: datetime
    withdrawn: bool = False

    @property
    def measured(self) -> bool:
        return self.kind != "document"


@dataclass(frozen=True)
class ReviewLine:
    measure_id: UUID
    verdict: str
    comment: str
    actor: str
    written_at: datetime


@dataclass(frozen=True)
class Review:
    """A year's implementation review (이행점검): draft, submitted, returned or approved."""

    id: UUID
    plan_id: UUID
    year: int
    status: str
    maker: str | None
    submitted_at: datetime | None
    checker: str | None
    decided_at: datetime | None
    reason: str
    content: str | None
    sha256: str | None
    lines: tuple[ReviewLine, ...]
