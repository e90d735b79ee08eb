"""Bus fares given back: the fares of the first counted day in the week on which a person rode.

The rule as Goyang published it in 2022: at least one ride a week on ordinary city and village
buses; the fares of the week's first weekday are reimbursed, up to a weekly limit per group. The
limit itself is a cap of the programme, so that the person reads which one cut the payment.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day
from onsil.rewards.reasons import grouped
from onsil.rewards.terms import Entitlement, EvidenceItem, ProgrammeTerms, Reason, Window


class WeeklyFare:
    """`[rule]`: `weekdays` (1 = Monday … 7 = Sunday) and `services` that count."""

    def problems(self, rule: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
        found: list[str] = []
        days = rule.get("weekdays")
        if not isinstance(days, list) or not days or not set(days) <= set(range(1, 8)):
            found.append("rule.weekdays must list days from 1 (Monday) to 7 (Sunday)")
        services = rule.get("services")
        if not isinstance(services, list) or not services:
            found.append("rule.services must list the kinds of bus that count")
        for name in sorted(set(rule) - {"weekdays", "services"}):
            found.append(f"rule.{name} is unknown to weekly-fare")
        return found

    def entitle(
        self,
        terms: ProgrammeTerms,
        group: str,
        window: Window,
        evidence: Sequence[EvidenceItem],
        zone: ZoneInfo,
    ) -> Entitlement:
        services, weekdays = terms.rule["services"], terms.rule["weekdays"]
        rides = [e for e in evidence if str(e.facts.get("service", "")) in services]
        if not rides:
            return Entitlement(0, _no_counted_service(window))
        counted = [e for e in rides if local_day(e.occurred_at, zone).isoweekday() in weekdays]
        if not counted:
            return Entitlement(0, _no_counted_day(window))
        day = min(local_day(e.occurred_at, zone) for e in counted)
        that_day = [e for e in counted if local_day(e.occurred_at, zone) == day]
        fares = sum((e.quantity for e in that_day), Decimal(0))
        points = int(fares)
        reason = Reason(
            "first-day-fares",
            f"{window.name.ko}의 첫 이용일 {day.isoformat()}에 탄 버스 {len(that_day)}회의 요금 "
            f"{grouped(points)}원을 돌려드립니다.",
            f"The fares of {len(that_day)} ride(s) on {day.isoformat()}, the first counted day of "
            f"{window.name.en}, are given back: {grouped(points)} won.",
            {"day": day, "rides": len(that_day), "fares_krw": points},
        )
        return Entitlement(points, reason, tuple(e.id for e in that_day))


def _no_counted_service(window: Window) -> Reason:
    return Reason(
        "no-counted-ride",
        f"{window.name.ko}에 대상 버스(시내·마을버스)를 탄 기록이 없어 지급되지 않았습니다.",
        f"Not paid: no ride on a city or village bus was recorded in {window.name.en}.",
    )


def _no_counted_day(window: Window) -> Reason:
    return Reason(
        "no-counted-day",
        f"{window.name.ko}의 대상 요일에 버스를 탄 기록이 없어 지급되지 않았습니다.",
        f"Not paid: no ride was recorded on a counted day of {window.name.en}.",
    )
