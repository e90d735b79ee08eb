"""Energy use on outdoor temperature, fitted so that every bit is the same everywhere.

Doubles are combined one by one, each sum is rounded once (math.fsum), and the normal equations
are solved in decimals of fifty digits.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

Column = list[float]
_FAR_LEAST = 20  # intervals beyond the outer knots
_NOTHING_LEFT = Decimal("1e-10")


@dataclass(frozen=True)
class Seen:
    """Intervals in order of time: °C, Wh and the place in the week."""

    felt: Column
    used: Column
    slots: list[int]


@dataclass(frozen=True)
class Plane:
    """A level by group and a slope by column; `rank` is how many of them were found."""

    levels: dict[int, float]
    slopes: list[float]
    rank: int

    def at(self, groups: Sequence[int], columns: Sequence[Column]) -> Column:
        values = [self.levels.get(group, math.nan) for group in groups]
        for slope, column in zip(self.slopes, columns, strict=True):
            values = [value + slope * x for value, x in zip(values, column, strict=True)]
        return values


def fitted_plane(groups: Sequence[int], columns: Sequence[Column], used: Column) -> Plane:
    """Ordinary least squares, the groups' levels swept out by their means."""
    places: dict[int, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    means = [_means(column, places) for column in columns]
    level = _means(used, places)
    swept = [_less(column, groups, mean) for column, mean in zip(columns, means, strict=True)]
    rest = _less(used, groups, level)
    moments = [[dot(one, other) for other in swept] for one in swept]
    slopes, rank = _solved(moments, [dot(one, rest) for one in swept])
    levels = {
        group: level[group]
        - math.fsum(slope * mean[group] for slope, mean in zip(slopes, means, strict=True))
        for group in places
    }
    return Plane(levels, slopes, rank + len(places))


def dot(one: Iterable[float], other: Iterable[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def _means(column: Column, places: dict[int, list[int]]) -> dict[int, float]:
    return {
        group: math.fsum(column[place] for place in where) / len(where)
        for group, where in places.items()
    }


def _less(column: Column, groups: Sequence[int], mean: dict[int, float]) -> Column:
    return [value - mean[group] for value, group in zip(column, groups, strict=True)]


def _solved(moments: list[list[float]], right: list[float]) -> tuple[list[float], int]:
    """Elimination, each time by the column of which most is left; one that adds nothing gets 0."""
    many = len(right)
    left = {
        (i, j): Decimal(moments[min(i, j)][max(i, j)]) for i in range(many) for j in range(many)
    }
    sides = [Decimal(one) for one in right]
    whole = [left[i, i] for i in range(many)]
    waiting = list(range(many))
    done: list[tuple[int, list[int]]] = []
    while waiting:
        shares = [left[i, i] / whole[i] if whole[i] else Decimal(0) for i in waiting]
        if max(shares) < _NOTHING_LEFT:
            break
        pivot = waiting.pop(shares.index(max(shares)))
        for i in waiting:
            ratio = left[i, pivot] / left[pivot, pivot]
            for j in waiting:
                left[i, j] -= ratio * left[pivot, j]
            sides[i] -= ratio * sides[pivot]
        done.append((pivot, list(waiting)))
    found = [Decimal(0)] * many
    order = [pivot for pivot, _ in done]
    for nth in range(len(done) - 1, -1, -1):
        pivot = order[nth]
        taken = sum((left[pivot, j] * found[j] for j in order[nth + 1 :]), Decimal(0))
        found[pivot] = (sides[pivot] - taken) / left[pivot, pivot]
    return [float(one) for one in found], len(done)


@dataclass(frozen=True)
class Model:
    """A fitted model; `busy` names the slots that the second plane is for."""

    kind: str
    bends: tuple[float, ...]
    planes: list[Plane]
    busy: frozenset[int]
    parameters: int

    def at(self, seen: Seen) -> Column:
        """Wh that it expects, never below zero; not a number in a slot never seen."""
        columns, groups = _columns(self.kind, self.bends, seen.felt), _groups(self.kind, seen)
        values = self.planes[0].at(groups, columns)
        if len(self.planes) > 1:
            others = self.planes[1].at(groups, columns)
            values = [
                other if slot in self.busy else value
                for value, other, slot in zip(values, others, seen.slots, strict=True)
            ]
        return [0.0 if value < 0 else value for value in values]


def fitted(kind: str, seen: Seen) -> Model:
    """The named model. A change point is sought by whole degrees, then by tenths around it."""
    if kind == "TOWT":
        return _time_of_week(seen)
    if kind == "2P":
        return _with(kind, (), seen)[1]
    if kind == "degree-days":
        return _with(kind, (18.0, 24.0), seen)[1]
    ordered = sorted(seen.felt)
    margin = len(ordered) // 10
    low, high = ordered[margin], ordered[-1 - margin]
    whole = [round(low + 1.0 * nth, 1) for nth in range(max(1, int((high - low) / 1.0)) + 1)]
    if kind == "5P":
        near = _best(kind, [(a, b) for n, a in enumerate(whole) for b in whole[n:]], seen).bends
        lines = [_tenths(one) for one in near]
        return _best(kind, [(a, b) for a in lines[0] for b in lines[1] if a <= b], seen)
    near = _best(kind, [(one,) for one in whole], seen).bends
    return _best(kind, [(one,) for one in _tenths(near[0])], seen)


def _tenths(bend: float) -> list[float]:
    return [round(bend + 0.1 * nth, 1) for nth in range(-10, 11)]


def _best(kind: str, bends: list[tuple[float, ...]], seen: Seen) -> Model:
    """Of least squared error, the first of equals."""
    least, chosen = _with(kind, bends[0], seen)
    for one in bends[1:]:
        error, model = _with(kind, one, seen)
        if error < least:
            least, chosen = error, model
    return chosen


def _with(kind: str, bends: tuple[float, ...], seen: Seen) -> tuple[float, Model]:
    columns, groups = _columns(kind, bends, seen.felt), _groups(kind, seen)
    plane = fitted_plane(groups, columns, seen.used)
    rest = [a - b for a, b in zip(seen.used, plane.at(groups, columns), strict=True)]
    sought = len(bends) if kind != "degree-days" else 0
    return dot(rest, rest), Model(kind, bends, [plane], frozenset(), plane.rank + sought)


def _groups(kind: str, seen: Seen) -> list[int]:
    return seen.slots if kind == "TOWT" else [0] * len(seen.slots)


def _columns(kind: str, bends: tuple[float, ...], felt: Column) -> list[Column]:
    if kind == "TOWT":
        return _segments(bends, felt)
    if kind == "2P":
        return [felt]
    cold = [max(bends[0] - t, 0.0) for t in felt]
    if kind == "3P-heating":
        return [cold]
    hot = [max(t - bends[-1], 0.0) for t in felt]
    return [hot] if kind == "3P-cooling" else [cold, hot]


def _segments(knots: tuple[float, ...], felt: Column) -> list[Column]:
    """How far each temperature reaches into each segment between knots."""
    first = [min(t, knots[0]) for t in felt]
    inner = [[min(max(t - low, 0.0), high - low) for t in felt] for low, high in pairwise(knots)]
    return [first, *inner, [max(t - knots[-1], 0.0) for t in felt]]


def _time_of_week(seen: Seen) -> Model:
    knots, busy = _knots(seen.felt), _busy(seen)
    planes: list[Plane] = []
    for inside in (False, True):
        places = [nth for nth, slot in enumerate(seen.slots) if (slot in busy) is inside]
        if places:
            felt, used = [seen.felt[n] for n in places], [seen.used[n] for n in places]
            slots = [seen.slots[n] for n in places]
            planes.append(fitted_plane(slots, _segments(knots, felt), used))
    if len(planes) == 1:
        busy = frozenset()
    return Model("TOWT", knots, planes, busy, sum(plane.rank for plane in planes))


def _knots(felt: Column) -> tuple[float, ...]:
    """Cuts into six equal parts, the outer ones dropped while too little lies beyond them."""
    ordered = sorted(felt)
    knots = sorted({ordered[len(ordered) * nth // 6 - 1] for nth in range(1, 6)})
    while len(knots) > 1 and len([t for t in ordered if t > knots[-1]]) < _FAR_LEAST:
        del knots[-1]
    while len(knots) > 1 and len([t for t in ordered if t < knots[0]]) < _FAR_LEAST:
        del knots[0]
    return tuple(knots)


def _busy(seen: Seen) -> frozenset[int]:
    """Slots of which more than 65 % use more than a plain line through 10 and 18.3 °C says."""
    columns = [[min(t - 10.0, 0.0) for t in seen.felt], [max(t - 18.3, 0.0) for t in seen.felt]]
    alike = [0] * len(seen.slots)
    plain = fitted_plane(alike, columns, seen.used).at(alike, columns)
    above: dict[int, list[bool]] = {}
    for slot, used, usual in zip(seen.slots, seen.used, plain, strict=True):
        above.setdefault(slot, []).append(used > usual)
    found = {slot for slot, told in above.items() if sum(told) / len(told) > 0.65}
    return frozenset(found) if len(found) > 2 else frozenset()
