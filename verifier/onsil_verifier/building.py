"""Whole days or hours of a building's use and its weather, before and after."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import Grid, energy_grid, require
from onsil_verifier.electricity import known
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.regression import Seen
from onsil_verifier.rows import midnight, total

# Scale and shift. Runs hold degrees Fahrenheit converted with 28 digits.
_FAHRENHEIT = ("0.5555555555555555555555555556", "-17.7777777777777777777777778")
_TO_CELSIUS = {
    "degC": ("1", "0"), "CEL": ("1", "0"), "K": ("1", "-273.15"), "kelvin": ("1", "-273.15"),
    "degF": _FAHRENHEIT, "FAH": _FAHRENHEIT,
}  # fmt: skip


@dataclass(frozen=True)
class Carrier:
    before: Seen
    months: list[int]
    after: Seen
    coverage: dict[str, Any]


def baseline_days(given: Given) -> tuple[date, date]:
    return (
        date.fromisoformat(given.parameters["baseline_start"]),
        date.fromisoformat(given.parameters["baseline_end"]),
    )


def begin(given: Given, one: date) -> datetime:
    """A day's first instant in UTC, so that steps from it are no steps of a wall clock."""
    return midnight(given, one).astimezone(UTC)


def check_baseline(given: Given) -> None:
    """A year or more, and over before the reporting period."""
    first, end = baseline_days(given)
    if end < first + timedelta(days=365):
        raise Refused("baseline-too-short")
    if begin(given, end) > given.start:
        raise Refused("baseline-overlaps")


def carrier_of(given: Given, role: str, *, hourly: bool = False, solar: bool = False) -> Carrier:
    """`solar`: what was generated and not exported is used too, in the reporting period."""
    first, end = baseline_days(given)
    year = replace(given, start=begin(given, first), end=begin(given, end))
    starts, before, covered = _whole(year, role, hourly=hourly, solar=False)
    _, after, covered_after = _whole(given, role, hourly=hourly, solar=solar)
    return Carrier(
        before,
        [_month(first, one.date()) for one in starts],
        after,
        {"baseline": covered, "reporting": covered_after},
    )


def _month(first: date, one: date) -> int:
    """Months that have passed since the first day, by its day of the month."""
    passed = 12 * (one.year - first.year) + (one.month - first.month)
    return passed - 1 if one.day < first.day else passed


def _whole(
    given: Given, role: str, *, hourly: bool, solar: bool
) -> tuple[list[datetime], Seen, dict[str, Any]]:
    use = energy_grid(given, given.series[role])
    weather = _temperature(given)
    if solar:
        _bring(use, energy_grid(given, given.series["generation"]), 1, "generation-missing")
        _bring(use, energy_grid(given, given.series["export"]), -1, "export-missing")
    for place, value in enumerate(use.values):
        if value is not None and value < 0:
            use.exclude(place, "negative")
    outside = _parted(weather, hourly=hourly)
    starts: list[datetime] = []
    seen = Seen([], [], [])
    left_out: list[list[Any]] = []
    for start, values in _parted(use, hourly=hourly).items():
        felt = known(outside.get(start, []))
        if None in values:
            left_out.append([start, "incomplete"])
        elif len(felt) * 4 < len(outside.get(start, [])) * 3 or not felt:
            left_out.append([start, "no-weather"])
        else:
            starts.append(start)
            seen.used.append(float(total(known(values))))
            seen.felt.append(float(total(felt) / len(felt)))
            seen.slots.append(start.weekday() * 24 + start.hour if hourly else start.weekday())
    count = len(starts) + len(left_out)
    short = sum(reason == "incomplete" for _, reason in left_out)
    coverage = {
        "expected": count, "used": len(starts), "missing": short,
        "no_weather": len(left_out) - short,
        "used_pct": (Decimal(100 * len(starts)) / count).quantize(Decimal("0.01")),
        "left_out": left_out, "intervals": use.coverage(),
    }  # fmt: skip
    require(coverage, given.number("coverage_min_pct"))
    return starts, seen, coverage


def _temperature(given: Given) -> Grid:
    series = given.series["temperature"]
    if series.interval_s <= 0 or series.unit not in _TO_CELSIUS:
        raise Refused("unit-mismatch")
    grid = Grid(given, series.interval_s)
    grid.put(series, given.end)
    scale, zero = (Decimal(one) for one in _TO_CELSIUS[series.unit])
    grid.values = [None if one is None else one * scale + zero for one in grid.values]
    return grid


def _bring(use: Grid, other: Grid, sign: int, reason: str) -> None:
    if use.step_s != other.step_s:
        raise Refused("intervals-differ")
    for place, (own, more) in enumerate(zip(use.values, other.values, strict=True)):
        if own is not None and more is not None:
            use.values[place] = own + sign * more
        elif own is not None:
            use.exclude(place, reason)


def _parted(grid: Grid, *, hourly: bool) -> dict[datetime, list[Decimal | None]]:
    """Intervals by the local day or hour in which they begin."""
    found: dict[datetime, list[Decimal | None]] = {}
    for place, value in enumerate(grid.values):
        start = grid.local(place).replace(minute=0, second=0, microsecond=0)
        if not hourly:
            start = start.replace(hour=0, fold=0)
        found.setdefault(start, []).append(value)
    return found
