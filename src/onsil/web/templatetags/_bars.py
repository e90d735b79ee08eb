"""Waterfalls and whiskers drawn on the server as SVG geometry. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_WIDTH, _BAR, _GAP, _TOP = 640, 26, 12, 8
_LEFT, _RIGHT = 150, 120


@dataclass(frozen=True)
class Step:
    """A row of a waterfall: a whole bar or a rise or fall from where the last one ended."""

    word: str
    amount: Decimal
    x: str
    y: str
    width: str
    kind: str
    text_y: str
    text_x: str
    link_x: str
    link_end: str


@dataclass(frozen=True)
class Waterfall:
    steps: tuple[Step, ...]
    height: int
    zero: str
    width: int = _WIDTH
    bar: int = _BAR
    left: int = _LEFT


def waterfall(
    first: tuple[str, Decimal], parts: Sequence[tuple[str, Decimal]], last: tuple[str, Decimal]
) -> Waterfall:
    """Old total, its changes, new total, one below the other; falls and rises told by kind."""
    levels, at = [first[1]], first[1]
    for _, amount in parts:
        at += amount
        levels.append(at)
    low, high = min(*levels, last[1]), max(*levels, last[1])
    if parts and 0 < (high - low) * 4 < high:
        # far from zero the changes would be too thin to see, so the axis begins short of them
        low -= (high - low) / 2
    else:
        low, high = min(low, Decimal(0)), max(high, Decimal(0))
    span = (high - low) or Decimal(1)

    def x(value: Decimal) -> Decimal:
        return _LEFT + (max(value, low) - low) / span * (_WIDTH - _LEFT - _RIGHT)

    rows = [(first[0], Decimal(0), first[1], "total")]
    at = first[1]
    for word, amount in parts:
        rows.append((word, at, at + amount, "rise" if amount > 0 else "fall"))
        at += amount
    rows.append((last[0], Decimal(0), last[1], "total"))
    steps = []
    for index, (word, begin, end, kind) in enumerate(rows):
        left, right = sorted((x(begin), x(end)))
        top = _TOP + index * (_BAR + _GAP)
        steps.append(
            Step(
                word, end if kind == "total" else end - begin, f"{left:.1f}", f"{top}",
                f"{max(right - left, Decimal(1)):.1f}", kind, f"{top + _BAR // 2 + 4}",
                f"{right + 6:.1f}", f"{x(end):.1f}", f"{top + _BAR + _GAP}",
            )
        )  # fmt: skip
    height = _TOP * 2 + len(rows) * (_BAR + _GAP)
    return Waterfall(tuple(steps), height, "" if low > 0 else f"{x(Decimal(0)):.1f}")


@dataclass(frozen=True)
class Whisker:
    """A sector's bar with its uncertainty; without one stated, no whisker is drawn."""

    word: str
    amount: Decimal
    pct: Decimal | None
    x: str
    y: str
    width: str
    low: str
    high: str
    middle: str
    text_y: str
    text_x: str


@dataclass(frozen=True)
class Whiskers:
    bars: tuple[Whisker, ...]
    height: int
    zero: str
    width: int = _WIDTH
    bar: int = 20


def whiskers(rows: Sequence[tuple[str, Decimal, Decimal | None, Decimal | None]]) -> Whiskers:
    """Bars of (word, amount, half-width or None, percent or None) on one scale from zero."""
    ends = [Decimal(0)]
    for _, amount, half, _ in rows:
        ends += [amount - (half or 0), amount + (half or 0)]
    low, high = min(ends), max(ends)
    span = (high - low) or Decimal(1)

    def x(value: Decimal) -> Decimal:
        return _LEFT + (value - low) / span * (_WIDTH - _LEFT - _RIGHT)

    bars = []
    for index, (word, amount, half, pct) in enumerate(rows):
        left, right = sorted((x(Decimal(0)), x(amount)))
        top = _TOP + index * 34
        edge = max(right, x(amount + (half or 0)))
        bars.append(
            Whisker(
                word, amount, pct, f"{left:.1f}", f"{top}",
                f"{max(right - left, Decimal(1)):.1f}",
                "" if half is None else f"{x(amount - half):.1f}",
                "" if half is None else f"{x(amount + half):.1f}",
                f"{top + 10}", f"{top + 14}", f"{edge + 6:.1f}",
            )
        )  # fmt: skip
    return Whiskers(tuple(bars), _TOP * 2 + len(rows) * 34, f"{x(Decimal(0)):.1f}")
