"""So many points for each unit of evidence: a kilowatt-hour saved, a bottle, a course hour."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.canonical import decimal_text
from onsil.rewards.reasons import grouped
from onsil.rewards.terms import Entitlement, EvidenceItem, ProgrammeTerms, Reason, Window


class PerUnit:
    """`[rule]`: `points_per_unit` (a number or a table by group), `unit_ko`, `unit_en`."""

    def problems(self, rule: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
        found = [f"rule.{k} is missing" for k in ("unit_ko", "unit_en") if not rule.get(k)]
        rate = rule.get("points_per_unit")
        rates = rate if isinstance(rate, Mapping) else dict.fromkeys(groups, rate)
        for group in groups:
            value = rates.get(group)
            if not isinstance(value, int | Decimal) or value <= 0:
                found.append(f"rule.points_per_unit must be positive for group {group}")
        for name in sorted(set(rule) - {"points_per_unit", "unit_ko", "unit_en"}):
            found.append(f"rule.{name} is unknown to per-unit")
        return found

    def entitle(
        self,
        terms: ProgrammeTerms,
        group: str,
        window: Window,
        evidence: Sequence[EvidenceItem],
        zone: ZoneInfo,
    ) -> Entitlement:
        rate = terms.rule["points_per_unit"]
        rate = Decimal(rate[group] if isinstance(rate, Mapping) else rate)
        quantity = sum((e.quantity for e in evidence), Decimal(0))
        points = int((quantity * rate).to_integral_value(ROUND_FLOOR))
        facts = {"quantity": quantity, "points_per_unit": rate, "points": points}
        amount = decimal_text(quantity)
        if points <= 0:
            return Entitlement(
                0,
                Reason(
                    "below-one-point",
                    f"{window.name.ko}의 실적 {amount}{terms.rule['unit_ko']}은(는) 1포인트에 "
                    "이르지 않아 지급되지 않았습니다.",
                    f"Not paid: {amount} {terms.rule['unit_en']} in {window.name.en} come to less "
                    "than one point.",
                    facts,
                ),
            )
        reason = Reason(
            "per-unit",
            f"{window.name.ko}의 실적 {amount}{terms.rule['unit_ko']}에 대해 "
            f"{grouped(points)}포인트입니다.",
            f"{amount} {terms.rule['unit_en']} in {window.name.en} earn {grouped(points)} points.",
            facts,
        )
        return Entitlement(points, reason, tuple(e.id for e in evidence))
