"""Drift of a sensor: a slow departure from its neighbours, or from its own past.

Each day's value is the median of its hours less that of the neighbours' medians (sensors of the
same attribute and unit in the city, at least three), or, where there are none, less the sensor's
own median of the same hours of day in the reference days. The first REFERENCE_DAYS give centre and
spread (mean, and the larger of standard deviation and 1.4826 × MAD). Over the rest runs a tabular
CUSUM, two-sided, with k = 1, as the centre itself is estimated from few days, and h = 5 (8 against
the own past, which seasons move, too) standard deviations; its onset is the last day on which the
sum left zero. The spread is never taken as less than half of what single hours scatter by: less is
no fault of a sensor, and one that drifts moves its neighbours' median by a little.

Sources: E. S. Page, Continuous inspection schemes, Biometrika 41 (1954) 100–115; D. C. Montgomery,
Introduction to Statistical Quality Control, 7th ed., §9.1 (tabular CUSUM, its k and h).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import fmean, median, stdev
from typing import NamedTuple

REFERENCE_DAYS = 10
DAYS_MIN = 13
NEIGHBOURS_MIN = 3
SLACK = 1.0
LIMIT_NEIGHBOURS = 5.0
LIMIT_OWN = 8.0
_MAD_TO_SIGMA = 1.4826


class Drift(NamedTuple):
    """A drift found: since when, how far (in the series' unit), how strong, and against what."""

    since: date
    shift: float
    spread: float
    sum: float
    limit: float
    against: str
    neighbours: int
    days: int


class Onset(NamedTuple):
    """Where a CUSUM passed its limit: the day it left zero, the sum (in standard deviations)."""

    start: int
    sum: float


Hours = Mapping[tuple[date, int], float]


class Days(NamedTuple):
    """A sensor's daily differences, and by how much its single hours scatter (as a sigma)."""

    daily: Mapping[date, float]
    noise: float


def _days(hourly: Mapping[date, Sequence[float]]) -> Days:
    daily = {day: median(values) for day, values in sorted(hourly.items())}
    apart = [abs(v - daily[day]) for day, values in hourly.items() for v in values]
    return Days(daily, _MAD_TO_SIGMA * median(apart) if apart else 0.0)


def against_neighbours(own: Hours, others: Sequence[Hours]) -> Days:
    """Each day's median difference from the median of the neighbours at the same hours."""
    days: dict[date, list[float]] = {}
    for key, value in own.items():
        beside = [other[key] for other in others if key in other]
        if len(beside) >= NEIGHBOURS_MIN:
            days.setdefault(key[0], []).append(value - median(beside))
    return _days(days)


def against_own_past(own: Hours) -> Days:
    """Each day's median difference from the sensor's own hours of day in its reference days."""
    days = sorted({day for day, _ in own})
    reference = set(days[:REFERENCE_DAYS])
    hours: dict[int, list[float]] = {}
    for (day, hour), value in own.items():
        if day in reference:
            hours.setdefault(hour, []).append(value)
    usual = {hour: median(values) for hour, values in hours.items()}
    found: dict[date, list[float]] = {}
    for (day, hour), value in own.items():
        if hour in usual:
            found.setdefault(day, []).append(value - usual[hour])
    return _days(found)


def cusum(values: Sequence[float], centre: float, spread: float, limit: float) -> Onset | None:
    """The tabular CUSUM's state at the end: an onset while a sum is over the limit, else None."""
    high = low = 0.0
    high_start = low_start = 0
    for place, value in enumerate(values):
        step = (value - centre) / spread
        high_start = place if high == 0 else high_start
        low_start = place if low == 0 else low_start
        high = max(0.0, high + step - SLACK)
        low = max(0.0, low - step - SLACK)
    best = max((high, high_start), (low, low_start))
    return Onset(best[1], best[0]) if best[0] > limit else None


def find_drift(given: Days, *, against: str, neighbours: int) -> Drift | None:
    """Whether a sensor drifts, by its days' differences; None with too few days to say."""
    daily = given.daily
    days = sorted(daily)
    if len(days) < DAYS_MIN:
        return None
    values = [daily[day] for day in days]
    reference = values[:REFERENCE_DAYS]
    centre = fmean(reference)
    middle = median(reference)
    robust = _MAD_TO_SIGMA * median(abs(v - middle) for v in reference)
    spread = max(robust, stdev(reference), given.noise / 2, _smallest(values))
    limit = LIMIT_NEIGHBOURS if against == "neighbours" else LIMIT_OWN
    found = cusum(values[REFERENCE_DAYS:], centre, spread, limit)
    if found is None:
        return None
    since = days[REFERENCE_DAYS + found.start]
    after = values[REFERENCE_DAYS + found.start :]
    return Drift(
        since, median(after[-3:]) - centre, spread, found.sum, limit, against, neighbours, len(days)
    )


def _smallest(values: Sequence[float]) -> float:
    """A floor for the spread: a sensor that repeats its digits must not be infinitely sure."""
    size = max((abs(v) for v in values), default=0.0)
    return max(size * 0.01, math.ulp(1.0))
