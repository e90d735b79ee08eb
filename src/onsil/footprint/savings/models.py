"""Baseline models of energy use on outdoor temperature: change points, degree days, time of week.

The change-point family is ASHRAE Guideline 14-2014's (annex D): two parameters are a straight
line, three a flat part and one slope, four one bend, five a flat part between two slopes. The
time-of-week-and-temperature model follows Mathieu, Price, Kiliccote and Piette, "Quantifying
changes in building electricity use, with application to demand response", IEEE Transactions on
Smart Grid 2(3), 2011: a level per time of week and a piecewise linear temperature response,
fitted apart for the occupied and the unoccupied times of the week.

Temperatures are in degrees Celsius, energy in Wh per interval, whatever the interval.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from onsil.footprint.savings.least_squares import (
    Coefficients,
    Floats,
    Integers,
    evaluate,
    least_squares,
    total,
)

MODEL_KINDS = ("mean", "2P", "3P-heating", "3P-cooling", "4P", "5P", "degree-days", "TOWT")

_OUTER_SHARE = 10  # a change point keeps a tenth of the data on either side
_COARSE_C, _FINE_C = 1.0, 0.1
_TOWT_SEGMENTS = 6
_TOWT_FEWEST = 20
_OCCUPIED_SHARE = 0.65
_COLD_C, _WARM_C = 10.0, 18.3  # 50 and 65 degrees Fahrenheit, where the source bends its first line
_HEATING_BASE_C, _COOLING_BASE_C = 18.0, 24.0  # the Korean meteorological degree-day bases


@dataclass(frozen=True)
class Observations:
    """Intervals in time order: mean temperature, energy use and position in the week.

    `slots` numbers the time of the week (weekday 0-6 for days, 0-167 for hours) and is looked at
    by TOWT alone. The three arrays have one length.
    """

    temperature_c: Floats
    energy_wh: Floats
    slots: Integers

    def __post_init__(self) -> None:
        assert len(self.temperature_c) == len(self.energy_wh) == len(self.slots)

    def __len__(self) -> int:
        return len(self.energy_wh)

    def take(self, rows: Integers) -> "Observations":
        return Observations(self.temperature_c[rows], self.energy_wh[rows], self.slots[rows])


@dataclass(frozen=True)
class Fit:
    """A fitted model. `bends_c` are its change points, knots or degree-day bases.

    `parts` holds one set of coefficients, or for TOWT the unoccupied and the occupied one, with
    `occupied` naming the slots that belong to the second. `parameters` counts what was estimated,
    change points included.
    """

    kind: str
    bends_c: tuple[float, ...]
    parts: tuple[Coefficients, ...]
    occupied: frozenset[int]
    parameters: int

    def predict(self, at: Observations) -> Floats:
        """Energy in Wh for each interval: never below zero; not-a-number in slots never seen."""
        columns = _columns(self.kind, self.bends_c, at.temperature_c)
        value = evaluate(self.parts[0], _groups(self.kind, at), columns)
        if len(self.parts) == 2:
            other = evaluate(self.parts[1], _groups(self.kind, at), columns)
            value = np.where(_member(at.slots, self.occupied), other, value)
        return np.where(value < 0, 0.0, value)


def fit_model(kind: str, observed: Observations) -> Fit:
    """Fit the named kind (see MODEL_KINDS). Raises ValueError for an unknown kind or no data."""
    if kind not in MODEL_KINDS:
        raise ValueError(f"unknown model kind {kind!r}; known: {', '.join(MODEL_KINDS)}")
    if len(observed) < 3:
        raise ValueError("a baseline needs three intervals at least")
    if kind == "TOWT":
        return _fit_towt(observed)
    if kind == "degree-days":
        return _fit_at(kind, (_HEATING_BASE_C, _COOLING_BASE_C), observed)[1]
    if kind in ("mean", "2P"):
        return _fit_at(kind, (), observed)[1]
    coarse = _best(kind, _grid(kind, observed.temperature_c, _COARSE_C), observed)
    return _best(kind, _around(kind, coarse.bends_c), observed)


def _groups(kind: str, at: Observations) -> Integers:
    return at.slots if kind == "TOWT" else np.zeros(len(at), dtype=np.int64)


def _member(slots: Integers, chosen: frozenset[int]) -> np.ndarray:
    return np.array([slot in chosen for slot in slots.tolist()], dtype=bool)


def _columns(kind: str, bends: tuple[float, ...], temperature: Floats) -> list[Floats]:
    def below(bend: float) -> Floats:
        return np.maximum(bend - temperature, 0.0)

    def above(bend: float) -> Floats:
        return np.maximum(temperature - bend, 0.0)

    match kind:
        case "mean":
            return []
        case "2P":
            return [temperature]
        case "3P-heating":
            return [below(bends[0])]
        case "3P-cooling":
            return [above(bends[0])]
        case "4P":
            return [below(bends[0]), above(bends[0])]
        case "5P" | "degree-days":
            return [below(bends[0]), above(bends[1])]
        case _:
            return _segments(bends, temperature)


def _segments(knots: tuple[float, ...], temperature: Floats) -> list[Floats]:
    """How far the temperature reaches into each segment, so that the response is continuous."""
    first = np.minimum(temperature, knots[0])
    inner = [np.clip(temperature - low, 0.0, high - low) for low, high in pairwise(knots)]
    return [first, *inner, np.maximum(temperature - knots[-1], 0.0)]


def _fit_at(kind: str, bends: tuple[float, ...], observed: Observations) -> tuple[float, Fit]:
    columns = _columns(kind, bends, observed.temperature_c)
    groups = _groups(kind, observed)
    fitted = least_squares(groups, columns, observed.energy_wh)
    residual = observed.energy_wh - evaluate(fitted, groups, columns)
    searched = 0 if kind == "degree-days" else len(bends)
    made = Fit(kind, bends, (fitted,), frozenset(), fitted.rank + searched)
    return total(residual * residual), made


def _best(kind: str, bends: Iterator[tuple[float, ...]], observed: Observations) -> Fit:
    """The candidate of least squared error; the first of equals."""
    error, chosen = min((_fit_at(kind, b, observed) for b in bends), key=lambda pair: pair[0])
    assert error >= 0
    return chosen


def _grid(kind: str, temperature: Floats, step: float) -> Iterator[tuple[float, ...]]:
    ordered = sorted(temperature.tolist())
    margin = len(ordered) // _OUTER_SHARE
    low, high = ordered[margin], ordered[-1 - margin]
    count = max(1, int((high - low) / step))
    points = [round(low + step * i, 1) for i in range(count + 1)]
    if kind != "5P":
        yield from ((point,) for point in points)
        return
    for i, left in enumerate(points):
        yield from ((left, right) for right in points[i:])


def _around(kind: str, bends: tuple[float, ...]) -> Iterator[tuple[float, ...]]:
    reach = round(_COARSE_C / _FINE_C)
    lines = [[round(b + _FINE_C * i, 1) for i in range(-reach, reach + 1)] for b in bends]
    if kind != "5P":
        yield from ((point,) for point in lines[0])
        return
    yield from ((left, right) for left in lines[0] for right in lines[1] if left <= right)


def _knots(temperature: Floats) -> tuple[float, ...]:
    """Temperatures that cut the data into six parts, with enough data beyond the outer ones."""
    ordered = sorted(temperature.tolist())
    size = len(ordered)
    cuts = [ordered[size * k // _TOWT_SEGMENTS - 1] for k in range(1, _TOWT_SEGMENTS)]
    knots = sorted(set(cuts))
    while len(knots) > 1 and sum(t > knots[-1] for t in ordered) < _TOWT_FEWEST:
        knots.pop()
    while len(knots) > 1 and sum(t < knots[0] for t in ordered) < _TOWT_FEWEST:
        knots.pop(0)
    return tuple(knots)


def _occupied(observed: Observations) -> frozenset[int]:
    """Slots whose use a plain temperature line underestimates in more than 65 % of the weeks."""
    columns = [
        np.minimum(observed.temperature_c - _COLD_C, 0.0),
        np.maximum(observed.temperature_c - _WARM_C, 0.0),
    ]
    one_group = np.zeros(len(observed), dtype=np.int64)
    plain = least_squares(one_group, columns, observed.energy_wh)
    higher = observed.energy_wh > evaluate(plain, one_group, columns)
    chosen = {
        slot
        for slot in set(observed.slots.tolist())
        if np.mean(higher[observed.slots == slot]) > _OCCUPIED_SHARE
    }
    return frozenset(chosen if len(chosen) > 2 else ())


def _fit_towt(observed: Observations) -> Fit:
    knots, occupied = _knots(observed.temperature_c), _occupied(observed)
    inside = _member(observed.slots, occupied)
    parts: list[Coefficients] = []
    for rows in (np.flatnonzero(~inside), np.flatnonzero(inside)):
        if len(rows):
            part = observed.take(rows)
            columns = _columns("TOWT", knots, part.temperature_c)
            parts.append(least_squares(part.slots, columns, part.energy_wh))
    if len(parts) == 1:
        occupied = frozenset()
    return Fit("TOWT", knots, tuple(parts), occupied, sum(part.rank for part in parts))
