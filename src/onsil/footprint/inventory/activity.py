"""Activity data: what a document states, or what the hub's meters counted over the year.

A meter's year is kept as its local days' exact sums, one line each, by their SHA-256; the line of
the inventory holds count, expected count and sum of every meter. A missing interval is missing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil import hub
from onsil.core.canonical import decimal_text
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.core.refusal import Refusal
from onsil.footprint.inventory.counters import counted
from onsil.footprint.inventory.terms import Activity

Document = dict[str, Any]


@dataclass
class Meters:
    """The meters that an inventory's lines name, each read from the hub once."""

    lines: dict[str, list[hub.Series]]
    totals: dict[int, list[hub.DayTotal]]
    counters: dict[int, Document] = field(default_factory=dict)

    def evidence(self) -> dict[str, tuple[int, bytes]]:
        """Day lines by their SHA-256, with how many there are."""
        made = {}
        for series in {one.id: one for found in self.lines.values() for one in found}.values():
            days = self.totals[series.id]
            text = day_lines(days)
            made[_sha256(text)] = (len(days), text)
        return made


def day_lines(days: Iterable[hub.DayTotal]) -> bytes:
    """One line a local day: the day, how many readings, their exact sum."""
    return "".join(f"{d.day} {d.count} {decimal_text(d.total)}\n" for d in days).encode("ascii")


def parse_day_lines(text: bytes) -> tuple[int, Decimal]:
    """How many readings the lines stand for, and their sum. Raises ValueError for another form."""
    count, total = 0, Decimal(0)
    for line in text.decode("ascii").splitlines():
        _, number, amount = line.split(" ")
        count, total = count + int(number), total + Decimal(amount)
    return count, total


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def read_meters(
    conn: Connection, city: str, activities: Mapping[str, Activity], period: Period, zone: ZoneInfo
) -> Meters | Refusal:
    """The meters of each line (by its code), read over the period in one go.

    Running totals are read by the differences of their states. Refused: `unknown-series`,
    `no-meters` where a kind of meter has none, `unit-differs`, `gap-rule-unknown`.
    """
    by_attribute: dict[str, list[hub.Series]] = {}
    lines: dict[str, list[hub.Series]] = {}
    for code, activity in activities.items():
        found = _series(conn, city, activity, by_attribute)
        if isinstance(found, Refusal):
            return found
        wrong = _unfit(code, activity, found)
        if wrong is not None:
            return wrong
        lines[code] = found
    every = {one.id: one for found in lines.values() for one in found}
    running = {number: one for number, one in every.items() if one.kind == "counter"}
    plain = sorted(every.keys() - running.keys())
    made = Meters(lines, hub.daily_totals(conn, city, plain, period, zone))
    both_ends = Period(period.start, period.end + timedelta(microseconds=1))
    for number, one in sorted(running.items()):
        points = hub.points(conn, city, number, both_ends)
        found = counted(points.times, points.values, period, one.interval_s, zone)
        made.totals[number], made.counters[number] = found.days, found.facts
    return made


def _series(
    conn: Connection, city: str, activity: Activity, known: dict[str, list[hub.Series]]
) -> list[hub.Series] | Refusal:
    if activity.series:
        found = []
        for key in activity.series:
            entity, _, attribute = key.rpartition("#")
            one = hub.find_series(conn, city, entities=[entity], attribute=attribute)
            if not one:
                return _no("unknown-series", f"허브에 계열 {key}이(가) 없습니다.",
                           f"The hub has no series {key}.", key)  # fmt: skip
            found += one
        return found
    attribute = activity.attribute
    if attribute not in known:
        known[attribute] = hub.find_series(conn, city, attribute=attribute)
    mark = f":{activity.entity_type}:"
    found = [one for one in known[attribute] if not activity.entity_type or mark in one.entity]
    if found:
        return found
    return _no(
        "no-meters",
        f"허브에 {activity.entity_type or '모든'} 종류의 {attribute} 계량기가 없습니다.",
        f"The hub has no {attribute} meters of the kind {activity.entity_type or 'any'}.",
        attribute,
    )


def _unfit(code: str, activity: Activity, found: list[hub.Series]) -> Refusal | None:
    if activity.gap_rule not in ("as-measured", "mean"):
        return _no("gap-rule-unknown", f"{code}: 결측 규칙을 고르세요.",
                   f"{code}: choose a rule for gaps.", activity.gap_rule)  # fmt: skip
    for one in found:
        try:
            fits = same_dimension(_amount_unit(one), activity.unit)
        except UnitError:
            fits = False
        if not fits:
            return _no(
                "unit-differs",
                f"{code}: {one.entity}#{one.attribute}의 단위 {one.unit}은(는) "
                f"{activity.unit}(으)로 바꿀 수 없습니다.",
                f"{code}: {one.entity}#{one.attribute} in {one.unit} cannot become "
                f"{activity.unit}.",
                code,
            )
    return None


def _amount_unit(series: hub.Series) -> str:
    """The unit of what adds up: an interval's and a counter's own, a gauge's times seconds."""
    return f"{series.unit} * second" if series.kind == "gauge" else series.unit


def hub_document(activity: Activity, code: str, meters: Meters, period: Period) -> Document:
    """The line's activity as it enters the canonical inputs: every meter with its year."""
    seconds = int(period.length.total_seconds())
    return {
        "source": "hub",
        "unit": activity.unit,
        "basis": activity.basis,
        "gap_rule": activity.gap_rule,
        "meters": [
            {
                **_meter(one, meters.totals[one.id], seconds),
                **({"counter": meters.counters[one.id]} if one.id in meters.counters else {}),
            }
            for one in meters.lines[code]
        ],
    }


def _meter(series: hub.Series, days: list[hub.DayTotal], seconds: int) -> Document:
    return {
        "entity": series.entity,
        "attribute": series.attribute,
        "unit": series.unit,
        "kind": series.kind,
        "interval_s": series.interval_s,
        "source": series.source,
        "expected": seconds // series.interval_s,
        "count": sum(one.count for one in days),
        "total": sum((one.total for one in days), Decimal(0)),
        "sha256": _sha256(day_lines(days)),
    }


def table_document(activity: Activity) -> Document:
    """A stated amount as it enters the canonical inputs."""
    return {
        "source": "table",
        "unit": activity.unit,
        "basis": activity.basis,
        "amount": activity.amount,
        "document": activity.document,
    }


def amount(stated: Mapping[str, Any]) -> Decimal | None:
    """The line's amount in its own unit; None where no meter counted anything at all."""
    if stated["source"] == "table":
        return Decimal(stated["amount"])
    counted = [one for one in stated["meters"] if one["count"]]
    if not counted:
        return None
    return sum((_of_meter(one, stated) for one in counted), Decimal(0))


def _of_meter(meter: Mapping[str, Any], stated: Mapping[str, Any]) -> Decimal:
    total = Decimal(meter["total"])
    if stated["gap_rule"] == "mean":
        total = total * max(meter["expected"], meter["count"]) / meter["count"]
    if meter["kind"] in ("interval", "counter"):
        return convert(total, meter["unit"], stated["unit"])
    return convert(total * meter["interval_s"], f"{meter['unit']} * second", stated["unit"])


def coverage(stated: Mapping[str, Any]) -> Document | None:
    """How much of what was expected was counted; None for a stated amount.

    `silent` meters counted nothing: they are missing from the sum, whatever the rule for gaps.
    """
    if stated["source"] == "table":
        return None
    meters = stated["meters"]
    expected = sum(one["expected"] for one in meters)
    found = sum(min(one["count"], one["expected"]) for one in meters)
    running = [one["counter"] for one in meters if "counter" in one]
    return {
        "meters": len(meters),
        "silent": sum(not one["count"] for one in meters),
        "expected": expected,
        "counted": found,
        "missing": expected - found,
        "filled": stated["gap_rule"] == "mean",
        **({"counters": _running(running)} if running else {}),
    }


def _running(counters: list[Mapping[str, Any]]) -> Document:
    """What is to be said of the running totals among a line's meters, added up."""
    names = ("resets", "reset_s", "bridged", "open_start_s", "open_end_s")
    return {
        "meters": len(counters),
        **{name: sum(one[name] or 0 for one in counters) for name in names},
        "unread": sum(one["first"] is None for one in counters),
    }


def _no(code: str, ko: str, en: str, name: str) -> Refusal:
    return Refusal(code, ko, en, {"name": name})
