"""Every metered interval is used, excluded for a stated reason, or missing; a gap is never zero."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day, local_days, local_month
from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.core.refusal import Refusal
from onsil.footprint.terms import ActivitySeries

USED, MISSING = "used", "missing"


@dataclass
class Intervals:
    """The expected intervals of a period with their values and fates.

    `values[i]` belongs to [start + i·step_s, …) and is None where nothing usable was read;
    `fates[i]` is `used`, `missing` or the reason of an exclusion. `off_grid` counts readings whose
    time is not the start of any interval.
    """

    period: Period
    step_s: int
    values: list[Decimal | None]
    fates: list[str]
    off_grid: int = 0

    def exclude(self, index: int, reason: str) -> None:
        self.fates[index] = reason
        self.values[index] = None

    def coverage(self) -> dict[str, Any]:
        """Counts by fate, the share used in per cent, and every gap as [first, last+1, fate]."""
        counts = Counter(self.fates)
        used = counts.pop(USED, 0)
        missing = counts.pop(MISSING, 0)
        expected = len(self.fates)
        gaps, position = [], 0
        for fate, run in groupby(self.fates):
            length = sum(1 for _ in run)
            if fate != USED:
                gaps.append([position, position + length, fate])
            position += length
        return {
            "start": self.period.start,
            "step_s": self.step_s,
            "expected": expected,
            "used": used,
            "missing": missing,
            "excluded": dict(sorted(counts.items())),
            "off_grid": self.off_grid,
            "used_pct": (Decimal(100 * used) / expected).quantize(Decimal("0.01")),
            "gaps": gaps,
        }


def daily(kept: Intervals, zone: ZoneInfo) -> dict[str, Decimal]:
    """The sum of what was used by local day, for days that have any; an interval belongs to the
    day in which it starts."""
    days: dict[str, Decimal] = {}
    step, last = timedelta(seconds=kept.step_s), len(kept.values)
    day, index = local_day(kept.period.start, zone), 0
    while index < last:
        after_day = local_days(day, day + timedelta(days=1), zone)
        after = min(last, -(-(after_day.end - kept.period.start) // step))
        total = sum((v for v in kept.values[index:after] if v is not None), Decimal(0))
        if total:
            days[day.isoformat()] = total
        day, index = day + timedelta(days=1), after
    return days


def monthly(kept: Intervals, zone: ZoneInfo) -> dict[str, Decimal]:
    """The sum of what was used by local month, for months that have any."""
    months: dict[str, Decimal] = {}
    step, last = timedelta(seconds=kept.step_s), len(kept.values)
    day, index = local_day(kept.period.start, zone), 0
    while index < last:
        month = local_month(day.year, day.month, zone)
        after = min(last, -(-(month.end - kept.period.start) // step))
        total = sum((v for v in kept.values[index:after] if v is not None), Decimal(0))
        if total:
            months[day.isoformat()[:7]] = total
        day, index = local_day(month.end, zone), after
    return months


def fate_at(coverage: dict[str, Any], offset_s: int) -> str:
    """The fate of the interval that begins so many seconds after the coverage's start."""
    index = offset_s // int(coverage["step_s"])
    if not 0 <= index < int(coverage["expected"]):
        return "outside"
    return next((f for first, end, f in coverage["gaps"] if first <= index < end), USED)


def _slots(series: ActivitySeries, period: Period) -> Intervals:
    step = series.interval_s
    count = -(-int(period.length.total_seconds()) // step)
    made = Intervals(period, step, [None] * count, [MISSING] * count)
    start, end, length = period.start, period.end, timedelta(seconds=step)
    for at, value in zip(series.times, series.values, strict=True):
        if not start <= at < end:
            continue
        index, rest = divmod(at - start, length)
        if rest:
            made.off_grid += 1
            continue
        made.values[index], made.fates[index] = value, USED
    return made


def energy_intervals(series: ActivitySeries, period: Period) -> Intervals | Refusal:
    """Energy in Wh per interval from interval energy, mean power or a counter's differences.

    Refused: `unit-mismatch` for a unit that is neither energy nor power, `no-interval` for a
    series without a regular interval.
    """
    if series.interval_s <= 0:
        return Refusal(
            "no-interval",
            f"{series.meter}에 측정 주기가 없어 빠진 구간을 알 수 없습니다.",
            f"{series.meter} has no regular interval, so gaps cannot be told.",
            {"meter": series.meter},
        )
    try:
        power = same_dimension(series.unit, "W")
        scale = convert(Decimal(1), series.unit, "W" if power else "Wh")
    except UnitError:
        return unit_refusal(series, "Wh 또는 W", "Wh or W")
    made = _slots(series, period)
    if series.kind == "counter":
        _differences(made)
    factor = scale * series.interval_s / 3600 if power else scale
    made.values = [None if v is None else v * factor for v in made.values]
    return made


def temperature_intervals(series: ActivitySeries, period: Period) -> Intervals | Refusal:
    """Outdoor temperature in °C per interval."""
    if series.interval_s <= 0:
        return unit_refusal(series, "일정한 주기", "a regular interval")
    try:
        convert(Decimal(0), series.unit, "degC")
    except UnitError:
        return unit_refusal(series, "°C", "°C")
    made = _slots(series, period)
    made.values = [None if v is None else convert(v, series.unit, "degC") for v in made.values]
    return made


def _differences(made: Intervals) -> None:
    """Turn counter states into what was counted in each interval; the last has no end state."""
    states = made.values[:]
    for index, state in enumerate(states):
        after = states[index + 1] if index + 1 < len(states) else None
        if state is None:
            continue
        if after is None:
            made.exclude(index, "counter-open")
        elif after < state:
            made.exclude(index, "counter-reset")
        else:
            made.values[index] = after - state


def unit_refusal(series: ActivitySeries, ko: str, en: str) -> Refusal:
    return Refusal(
        "unit-mismatch",
        f"{series.role}({series.meter})의 단위 {series.unit}로는 산정할 수 없습니다. 필요: {ko}.",
        f"{series.role} ({series.meter}) is in {series.unit}; {en} is needed.",
        {"role": series.role, "meter": series.meter, "unit": series.unit},
    )


def coverage_refusal(role: str, coverage: dict[str, Any], least_pct: Decimal) -> Refusal | None:
    """A refusal when less than the stated share of the intervals can be used."""
    if coverage["used_pct"] >= least_pct:
        return None
    return Refusal(
        "coverage-too-low",
        f"{role} 측정값의 {coverage['used_pct']}%만 쓸 수 있어 기준 {least_pct}%에 못 미칩니다 "
        f"(기대 {coverage['expected']}, 사용 {coverage['used']}, 누락 {coverage['missing']}).",
        f"Only {coverage['used_pct']} % of the {role} intervals can be used, below {least_pct} % "
        f"({coverage['expected']} expected, {coverage['used']} used, "
        f"{coverage['missing']} missing).",
        {"role": role, **{k: coverage[k] for k in ("expected", "used", "missing", "used_pct")}},
    )
