"""Whole days (or hours) of use and weather, cut in the building's own zone, for a baseline fit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint.intervals import (
    Intervals,
    coverage_refusal,
    energy_intervals,
    temperature_intervals,
)
from onsil.footprint.savings import Observations
from onsil.footprint.savings.least_squares import Integers
from onsil.footprint.terms import ActivitySeries, MethodInputs

_WEATHER_SHARE = Decimal("0.75")


@dataclass(frozen=True)
class Carrier:
    """One energy carrier's baseline and reporting observations, and how complete they are."""

    baseline: Observations
    baseline_months: Integers
    reporting: Observations
    coverage: dict[str, Any]


@dataclass(frozen=True)
class _Units:
    """Complete days or hours: local start, energy in Wh, mean temperature in °C."""

    starts: list[datetime]
    energy_wh: list[Decimal]
    temperature_c: list[Decimal]
    coverage: dict[str, Any]


def carrier_data(inputs: MethodInputs, name: str) -> Carrier | Refusal:
    """The observations of one carrier in both periods; refused when too little is complete."""
    stated = inputs.parameters
    first: date = stated["baseline_start"]
    before = local_days(first, stated["baseline_end"], ZoneInfo(inputs.zone))
    made: list[_Units] = []
    for label, period in (("baseline", before), ("reporting", inputs.period)):
        solar = stated["solar_added"] and name == "electricity" and label == "reporting"
        units = _units(inputs, name, period, solar)
        if isinstance(units, Refusal):
            return units
        refusal = coverage_refusal(f"{name} ({label})", units.coverage, stated["coverage_min_pct"])
        if refusal is not None:
            return refusal
        made.append(units)
    baseline, reporting = made
    return Carrier(
        baseline=_observations(baseline, stated["resolution"]),
        baseline_months=np.array([_months_since(first, at.date()) for at in baseline.starts]),
        reporting=_observations(reporting, stated["resolution"]),
        coverage={"baseline": baseline.coverage, "reporting": reporting.coverage},
    )


def _months_since(first: date, day: date) -> int:
    """Whole months between two days, so that a year has twelve wherever it begins."""
    return (day.year - first.year) * 12 + day.month - first.month - (day.day < first.day)


def _units(inputs: MethodInputs, name: str, period: Period, solar: bool) -> _Units | Refusal:
    energy = energy_intervals(inputs.series[name], period)
    weather = temperature_intervals(inputs.series["temperature"], period)
    if isinstance(energy, Refusal):
        return energy
    if isinstance(weather, Refusal):
        return weather
    if solar:
        refusal = _add_back(energy, inputs.series["generation"], inputs.series["export"], period)
        if refusal is not None:
            return refusal
    for index, value in enumerate(energy.values):
        if value is not None and value < 0:
            energy.exclude(index, "negative")
    zone = ZoneInfo(inputs.zone)
    key = _day_of(zone) if inputs.parameters["resolution"] == "daily" else _hour_of(zone)
    return _complete(energy, weather, key)


def _add_back(
    energy: Intervals, generation: ActivitySeries, export: ActivitySeries, period: Period
) -> Refusal | None:
    """Use = taken from the grid + generated - exported, where all three were measured."""
    for series, sign in ((generation, 1), (export, -1)):
        other = energy_intervals(series, period)
        if isinstance(other, Refusal):
            return other
        if other.step_s != energy.step_s:
            return Refusal(
                "intervals-differ",
                f"{series.role}의 측정 주기가 전력 사용량과 다릅니다.",
                f"{series.role} has another interval than electricity use.",
                {"role": series.role},
            )
        for index, value in enumerate(other.values):
            own = energy.values[index]
            if own is None:
                continue
            if value is None:
                energy.exclude(index, f"{series.role}-missing")
            else:
                energy.values[index] = own + sign * value
    return None


def _day_of(zone: ZoneInfo) -> Callable[[datetime], datetime]:
    def day(at: datetime) -> datetime:
        return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)

    return day


def _hour_of(zone: ZoneInfo) -> Callable[[datetime], datetime]:
    def hour(at: datetime) -> datetime:
        return at.astimezone(zone).replace(minute=0, second=0, microsecond=0)

    return hour


def _grouped(
    made: Intervals, key: Callable[[datetime], datetime]
) -> dict[datetime, list[Decimal | None]]:
    groups: dict[datetime, list[Decimal | None]] = {}
    step = timedelta(seconds=made.step_s)
    at = made.period.start
    for value in made.values:
        groups.setdefault(key(at), []).append(value)
        at += step
    return groups


def _complete(energy: Intervals, weather: Intervals, key: Callable[[datetime], datetime]) -> _Units:
    """Days (hours) whose use is known in every interval and whose weather is in three quarters."""
    used, outside = _grouped(energy, key), _grouped(weather, key)
    made = _Units([], [], [], {})
    left_out: list[list[Any]] = []
    reasons = {"incomplete": 0, "no-weather": 0}
    for start, values in used.items():
        known = [v for v in values if v is not None]
        felt = outside.get(start, [])
        temperatures = [v for v in felt if v is not None]
        if len(known) < len(values):
            reason = "incomplete"
        elif not felt or Decimal(len(temperatures)) / len(felt) < _WEATHER_SHARE:
            reason = "no-weather"
        else:
            made.starts.append(start)
            made.energy_wh.append(sum(known, Decimal(0)))
            made.temperature_c.append(sum(temperatures, Decimal(0)) / len(temperatures))
            continue
        reasons[reason] += 1
        left_out.append([start, reason])
    count = len(used)
    made.coverage.update(
        {
            "expected": count,
            "used": len(made.starts),
            "missing": reasons["incomplete"],
            "no_weather": reasons["no-weather"],
            "used_pct": (Decimal(100 * len(made.starts)) / count).quantize(Decimal("0.01")),
            "left_out": left_out,
            "intervals": energy.coverage(),
        }
    )
    return made


def _observations(units: _Units, resolution: str) -> Observations:
    slots = [
        at.weekday() if resolution == "daily" else at.weekday() * 24 + at.hour
        for at in units.starts
    ]
    return Observations(
        np.array([float(v) for v in units.temperature_c], dtype=np.float64),
        np.array([float(v) for v in units.energy_wh], dtype=np.float64),
        np.array(slots, dtype=np.int64),
    )
