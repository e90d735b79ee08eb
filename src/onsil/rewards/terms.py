"""The nouns of the reward rules: programmes, windows, evidence, entitlements and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil.core.periods import Period

# Best first: a calibrated meter's claim, another organisation's server, a city device, a sensor in
# a person's hands, a person's word.
LEVELS = ("meter", "server", "device", "sensor", "statement")


@dataclass(frozen=True)
class Text:
    """One thing said in both languages."""

    ko: str
    en: str

    def text(self, language: str = "ko") -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class Group:
    """Who takes part on which terms, for example adults and teenagers. Ages are inclusive."""

    code: str
    name: Text
    min_age: int = 0
    max_age: int | None = None

    def admits(self, age: int) -> bool:
        return self.min_age <= age and (self.max_age is None or age <= self.max_age)


@dataclass(frozen=True)
class CapRule:
    """At most `points[group]` points for one person in one window of `cut`."""

    cut: str
    points: Mapping[str, int]


@dataclass(frozen=True)
class BudgetLine:
    """What one source gives a programme for one year, in won."""

    year: int
    source: str
    krw: int
    confirmed: bool = True
    note: str = ""


@dataclass(frozen=True)
class Season:
    """Days of the year on which evidence counts, both ends included; may run over New Year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def __contains__(self, day: date) -> bool:
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True)
class ProgrammeTerms:
    """One version of one programme, as its TOML file states it; `digest` names the content.

    `effective_from` and `effective_until` are local days, the second exclusive. `rule` is the table
    that the programme's kind reads; `table` is the whole file.
    """

    code: str
    kind: str
    name: Text
    explanation: Text
    effective_from: date
    effective_until: date | None
    source: str
    confirmed: bool
    evidence_kinds: tuple[str, ...]
    minimum_level: str
    needs_claim: bool
    accept_days: int
    cut: str
    at_once: bool
    grace_days: int
    groups: Mapping[str, Group]
    rule: Mapping[str, Any]
    caps: tuple[CapRule, ...]
    budgets: tuple[BudgetLine, ...]
    warn_weeks: int
    expiry_years: int
    merchant_rule: str
    season: Season | None
    digest: str
    table: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def asset(self) -> str:
        """The ledger's name for this programme's points."""
        return f"point:{self.code}"

    def in_force(self, day: date) -> bool:
        if day < self.effective_from:
            return False
        return self.effective_until is None or day < self.effective_until

    def accepts_level(self, level: str) -> bool:
        return level in LEVELS and LEVELS.index(level) <= LEVELS.index(self.minimum_level)

    def group_of_age(self, age: int) -> Group | None:
        return next((g for g in self.groups.values() if g.admits(age)), None)


@dataclass(frozen=True)
class Window:
    """One stretch of local time for which an award is decided or a cap is counted.

    `anchor` is the local day that says which larger window this one belongs to: the Thursday of an
    ISO week (so that the week's year is its ISO year), the first day of any other.
    """

    cut: str
    key: str
    period: Period
    anchor: date
    name: Text

    @property
    def year(self) -> int:
        return self.anchor.year


@dataclass(frozen=True)
class EvidenceItem:
    """What was recorded of a person, as the rules see it. `quantity` has its kind's own unit."""

    id: UUID
    kind: str
    quantity: Decimal
    occurred_at: datetime
    level: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    claim_id: UUID | None = None


@dataclass(frozen=True)
class Reason:
    """Why something was paid, paid in part, or not paid; `facts` are the sentence's figures."""

    code: str
    ko: str
    en: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def text(self, language: str = "ko") -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class Entitlement:
    """What the rule alone gives for a window's evidence, before caps and budget."""

    points: int
    reason: Reason
    counted: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class CapRoom:
    """What one cap still allows one person: the rule's window, its limit and what was used."""

    window: Window
    limit: int
    used: int

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(frozen=True)
class Verdict:
    """What is paid now for one person's window, and why."""

    points: int
    outcome: str  # paid, partly, unpaid
    reason: Reason


@dataclass(frozen=True)
class Pot:
    """A budget source with what is left in it, in won."""

    source: str
    left: int


@dataclass(frozen=True)
class Share:
    """The part of an award that one budget source pays."""

    source: str
    krw: int


def total(shares: Sequence[Share]) -> int:
    """The won of all shares together."""
    return sum(share.krw for share in shares)
