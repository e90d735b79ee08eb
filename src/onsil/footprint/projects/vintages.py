"""Which days of a period may be issued, by vintage: Paris alignment by days, submission sunsets.

Gold Standard lets vintages from 2026-01-01 on be issued only under a methodology that is aligned
with the Paris Agreement; the rule's dates are data (`vintages.toml`) and say how far they are
known. Pure but for reading that file.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, days_of
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC

ALIGNED, NOT_ALIGNED, UNKNOWN = "aligned", "not-aligned", "unknown"


@dataclass(frozen=True)
class Alignment:
    """A methodology's `paa_status` under a programme from one day to another (last excluded)."""

    programme: str
    methodology: str
    status: str
    since: date
    until: date | None
    maturity: str
    basis: str

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class VintageRule:
    """Days from `aligned_from` on need a methodology that is aligned on that day.

    `submit_by` is the last day to hand in what falls before; None is without a rule.
    """

    programme: str
    aligned_from: date | None
    submit_by: date | None
    maturity: str
    basis: str
    alignments: tuple[Alignment, ...] = ()

    def blocks(self, day: date) -> bool:
        if self.aligned_from is None or day < self.aligned_from:
            return False
        return not any(one.status == ALIGNED and one.holds(day) for one in self.alignments)


@dataclass(frozen=True)
class VintageDays:
    """A calendar year's share of a period in local days; `blocked` of them cannot be issued."""

    vintage: int
    days: int
    blocked: int

    @property
    def free(self) -> int:
        return self.days - self.blocked


@cache
def _file() -> Mapping[str, Any]:
    source = files("onsil.footprint.projects") / "vintages.toml"
    return tomllib.loads(source.read_text("utf-8"))


def rule_for(programme: str, methodology: str) -> VintageRule:
    """The rule of a programme with what is known of a methodology; no rule blocks nothing."""
    made = next((one for one in _file()["rule"] if programme in one["programmes"]), None)
    if made is None:
        return VintageRule(programme, None, None, "confirmed", "")
    return VintageRule(
        programme, made.get("aligned_from"), made.get("submit_by"), made["maturity"],
        made["basis"],
        tuple(
            Alignment(programme, methodology, one["status"], one["since"], one.get("until"),
                      one["maturity"], one["basis"])
            for one in _file().get("alignment", ())
            if one["methodology"] == methodology and programme in one["programmes"]
        ),
    )  # fmt: skip


def gate(period: Period, rule: VintageRule, zone: ZoneInfo) -> tuple[VintageDays, ...]:
    """The local days of a period by calendar year, and how many of each the rule blocks."""
    counts: dict[int, list[int]] = {}
    for day in days_of(period, zone):
        count = counts.setdefault(day.year, [0, 0])
        count[0] += 1
        count[1] += rule.blocks(day)
    return tuple(VintageDays(year, *count) for year, count in sorted(counts.items()))


def blocked_days(found: Iterable[VintageDays]) -> tuple[int, int]:
    """Blocked days and all days."""
    every = tuple(found)
    return sum(one.blocked for one in every), sum(one.days for one in every)


def issuable(amount_t: Decimal, found: Iterable[VintageDays]) -> dict[int, Decimal]:
    """Tonnes of each vintage that may be issued when an amount is spread evenly over the days.

    Only for amounts that are not known by the day.
    """
    every = tuple(found)
    total = sum(one.days for one in every)
    assert total > 0
    with localcontext(ARITHMETIC):
        return {one.vintage: amount_t * one.free / total for one in every if one.free}


def submission(rule: VintageRule, period: Period, day: date, zone: ZoneInfo) -> Refusal | None:
    """Refused `submission-sunset`: handed in after the last day for vintages under the old rule.

    It concerns periods with a day before `aligned_from`, under a methodology not aligned then.
    """
    if rule.submit_by is None or rule.aligned_from is None or day <= rule.submit_by:
        return None
    first = next(days_of(period, zone))
    if first >= rule.aligned_from or any(
        one.status == ALIGNED and one.holds(first) for one in rule.alignments
    ):
        return None
    return Refusal(
        "submission-sunset",
        f"{rule.aligned_from - timedelta(1)}까지의 감축량은 {rule.submit_by}까지 제출해야 "
        "했습니다.",
        f"Reductions up to {rule.aligned_from - timedelta(1)} were to be handed in by "
        f"{rule.submit_by}.",
        {"submit_by": rule.submit_by.isoformat(), "maturity": rule.maturity},
    )
