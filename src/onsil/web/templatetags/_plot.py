"""Small plots drawn on the server as SVG geometry: no script, no weight, printed as seen.

The same chart description feeds the interactive island (static/onsil/charts.js).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from onsil.web.templatetags._figures import as_decimal, short

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 50, 10, 12, 26
_STEPS = tuple(map(Decimal, ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10")))
_serial = itertools.count(1)


@dataclass
class Mark:
    """One drawn series: path data of its unbroken stretches, or its bars."""

    name: str
    kind: str
    slot: int
    paths: list[str] = field(default_factory=list)
    bars: list[tuple[str, str, str, str]] = field(default_factory=list)
    band: str = ""


@dataclass
class Plot:
    """All that plot.html draws; positions are in the units of the view box."""

    marks: list[Mark]
    ticks: list[tuple[str, str]]
    labels: list[tuple[str, str]]
    shades: list[tuple[str, str]]
    target: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    depth: int = HEIGHT - BOTTOM - TOP
    hatch: str = field(default_factory=lambda: f"hatch-{next(_serial)}")  # ids must not repeat


def nice_ceiling(number: Decimal) -> Decimal:
    """The next round number at or above a positive one, whose half is short too."""
    if number <= 0:
        return Decimal(1)
    base = Decimal(1).scaleb(number.adjusted())
    return next(s * base for s in _STEPS if s * base >= number)


def plot(chart: Mapping[str, Any], language: str = "ko") -> Plot | None:
    """Geometry for a line or bar chart; None for kinds that only the island draws, or no data."""
    kind = chart.get("kind", "line")
    labels: Sequence[Any] = chart.get("labels") or []
    if kind not in ("line", "bar", "stacked") or not labels:
        return None
    series = [(s, [as_decimal(v) for v in s.get("values", [])]) for s in chart.get("series", [])]
    target = as_decimal((chart.get("target") or {}).get("value"))
    low, high = _range(series, target, kind, len(labels))
    count = len(labels)
    span = WIDTH - LEFT - RIGHT

    def x(position: float) -> float:
        return LEFT + span * position / max(count if kind != "line" else count - 1, 1)

    def y(value: Decimal) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float((value - low) / (high - low))

    marks = []
    stacked = [Decimal(0)] * count
    for slot, (spec, values) in enumerate(series):
        mark = Mark(spec.get("name", ""), spec.get("kind", "measured"), slot % 6)
        if kind == "line":
            mark.paths = _lines(values, x, y)
            mark.band = _band(spec, x, y)
        else:
            groups = 1 if kind == "stacked" else max(len(series), 1)
            mark.bars = _bars(values, stacked if kind == "stacked" else None, slot, groups, x, y)
        marks.append(mark)
    return Plot(
        marks=marks,
        ticks=[(f"{y(v):.1f}", short(v, language)) for v in (low, (low + high) / 2, high)],
        labels=_edge_labels(labels, x, kind),
        shades=[
            (f"{x(first):.1f}", f"{max(x(last) - x(first), 1):.1f}")
            for first, last in chart.get("shaded", [])
        ],
        target=f"{y(target):.1f}" if target is not None else "",
    )


def _range(
    series: list[tuple[Any, list[Decimal | None]]], target: Decimal | None, kind: str, count: int
) -> tuple[Decimal, Decimal]:
    if kind == "stacked":
        tops = [sum((v[i] or Decimal(0) for _, v in series if i < len(v)), Decimal(0))
                for i in range(count)]  # fmt: skip
    else:
        tops = [v for _, values in series for v in values if v is not None]
        highs = (as_decimal(h) for s, _ in series for h in s.get("high") or [])
        tops += [h for h in highs if h is not None]
    if target is not None:
        tops.append(target)
    top = max(tops, default=Decimal(1))
    bottom = min([Decimal(0), *tops])
    return (-nice_ceiling(-bottom) if bottom < 0 else Decimal(0)), nice_ceiling(top)


def _lines(values: list[Decimal | None], x: Any, y: Any) -> list[str]:
    """A path for each stretch without a gap; a lone point becomes a short dash."""
    paths, current = [], ""
    for index, value in enumerate([*values, None]):
        if value is None:
            if current:
                paths.append(current if "L" in current else current + "h3")
            current = ""
        else:
            current += f"{'L' if current else 'M'}{x(index):.1f} {y(value):.1f}"
    return paths


def _band(spec: Mapping[str, Any], x: Any, y: Any) -> str:
    lows = [as_decimal(v) for v in spec.get("low") or []]
    highs = [as_decimal(v) for v in spec.get("high") or []]
    whole = [(i, a, b) for i, (a, b) in enumerate(zip(lows, highs, strict=False))
             if a is not None and b is not None]  # fmt: skip
    if not whole:
        return ""
    upper = "L".join(f"{x(i):.1f} {y(b):.1f}" for i, _, b in whole)
    lower = "L".join(f"{x(i):.1f} {y(a):.1f}" for i, a, _ in reversed(whole))
    return f"M{upper}L{lower}Z"


def _bars(
    values: list[Decimal | None],
    stacked: list[Decimal] | None,
    slot: int,
    groups: int,
    x: Any,
    y: Any,
) -> list[tuple[str, str, str, str]]:
    bars = []
    for index, value in enumerate(values):
        if value is None:
            continue
        width = (x(1) - x(0)) * 0.72
        left = x(index) + (x(1) - x(0)) * 0.14
        base = Decimal(0)
        if stacked is not None:
            base = stacked[index]
            stacked[index] += value
        else:
            width, left = width / groups, left + slot * width / groups
        top, bottom = sorted((y(base), y(base + value)))
        bars.append((f"{left:.1f}", f"{top:.1f}", f"{width:.1f}", f"{max(bottom - top, 0.5):.1f}"))
    return bars


def _edge_labels(labels: Sequence[Any], x: Any, kind: str) -> list[tuple[str, str]]:
    half = 0.5 if kind != "line" else 0
    last = len(labels) - 1
    chosen = sorted({0, last // 2, last} if last > 2 else set(range(last + 1)))
    return [(f"{min(max(x(i + half), LEFT + 16), WIDTH - 36):.1f}", str(labels[i])) for i in chosen]


def spark(values: Sequence[object], width: int = 96, height: int = 28) -> list[str]:
    """Path data of a sparkline: one path for each stretch without a gap."""
    numbers = [as_decimal(v) for v in values]
    known = [n for n in numbers if n is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    span = (high - low) or Decimal(1)

    def x(i: int) -> float:
        return 2 + (width - 4) * i / (len(numbers) - 1)

    def y(value: Decimal) -> float:
        return height - 3 - float((value - low) / span) * (height - 6)

    return _lines(numbers, x, y)
