"""Verified savings paid in steps: the larger the share saved of the baseline, the more points.

Evidence is a claimed saving of one utility: `quantity` saved, and among its facts `baseline`, in
the same unit (what would have been used, by the methodology that verified it). All evidence of a
utility in the window is summed first; the highest step reached pays, once a utility and window.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.rewards.reasons import grouped
from onsil.rewards.terms import Entitlement, EvidenceItem, ProgrammeTerms, Reason, Text, Window

UTILITIES = {
    "electricity-saving": Text("전기", "electricity"),
    "gas-saving": Text("도시가스", "gas"),
    "heat-saving": Text("지역난방", "district heating"),
    "water-saving": Text("수도", "water"),
}


class SavingTiers:
    """`[[rule.tier]]`: `evidence` (kind), `at_least_percent`, `points`."""

    def problems(self, rule: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
        tiers = rule.get("tier")
        if not isinstance(tiers, list) or not tiers:
            return ["rule.tier must list at least one step"]
        found: list[str] = []
        for number, tier in enumerate(tiers, start=1):
            percent, points = tier.get("at_least_percent"), tier.get("points")
            if tier.get("evidence") not in UTILITIES:
                found.append(f"rule.tier {number}: evidence must be one of {', '.join(UTILITIES)}")
            if not isinstance(percent, int | Decimal) or not 0 < percent <= 100:
                found.append(f"rule.tier {number}: at_least_percent must lie in (0, 100]")
            if not isinstance(points, int) or points <= 0:
                found.append(f"rule.tier {number}: points must be a positive whole number")
        for name in sorted(set(rule) - {"tier"}):
            found.append(f"rule.{name} is unknown to saving-tiers")
        return found

    def entitle(
        self,
        terms: ProgrammeTerms,
        group: str,
        window: Window,
        evidence: Sequence[EvidenceItem],
        zone: ZoneInfo,
    ) -> Entitlement:
        points = 0
        ko: list[str] = []
        en: list[str] = []
        facts: dict[str, Any] = {}
        counted: list[EvidenceItem] = []
        for kind, name in UTILITIES.items():
            items = [e for e in evidence if e.kind == kind]
            if not items:
                continue
            percent = saved_percent(items)
            step = _step(terms.rule["tier"], kind, percent)
            facts[kind] = {"percent": percent, "points": step}
            ko.append(f"{name.ko} {percent}% 절감")
            en.append(f"{name.en} {percent} % saved")
            if step:
                points += step
                counted += items
        if points == 0:
            return Entitlement(0, _below(terms, window, ko, en, facts))
        reason = Reason(
            "saving-tier",
            f"{window.name.ko} 검증된 절감: {', '.join(ko)}. "
            f"구간에 따라 {grouped(points)}포인트입니다.",
            f"Verified for {window.name.en}: {', '.join(en)}; its step pays "
            f"{grouped(points)} points.",
            facts,
        )
        return Entitlement(points, reason, tuple(e.id for e in counted))


def saved_percent(items: Sequence[EvidenceItem]) -> Decimal:
    """Saved share of the baseline in percent, floored to a tenth; 0 without a usable baseline."""
    baseline = sum((Decimal(str(e.facts.get("baseline", 0))) for e in items), Decimal(0))
    saved = sum((e.quantity for e in items), Decimal(0))
    if baseline <= 0:
        return Decimal(0)
    return (saved * 100 / baseline).quantize(Decimal("0.1"), rounding=ROUND_FLOOR)


def _step(tiers: Sequence[Mapping[str, Any]], kind: str, percent: Decimal) -> int:
    reached = [t for t in tiers if t["evidence"] == kind and percent >= t["at_least_percent"]]
    return max(reached, key=lambda t: t["at_least_percent"])["points"] if reached else 0


def _below(
    terms: ProgrammeTerms, window: Window, ko: list[str], en: list[str], facts: Mapping[str, Any]
) -> Reason:
    lowest = min(tier["at_least_percent"] for tier in terms.rule["tier"])
    seen_ko, seen_en = ", ".join(ko) or "절감 자료 없음", ", ".join(en) or "no saving verified"
    return Reason(
        "below-first-tier",
        f"{window.name.ko} 검증된 절감({seen_ko})이 지급 기준 {lowest}%에 이르지 않아 "
        "지급되지 않았습니다.",
        f"Not paid: what was verified for {window.name.en} ({seen_en}) is below the "
        f"first step of {lowest} %.",
        {**facts, "first_step_percent": lowest},
    )
