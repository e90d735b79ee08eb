"""A meter's claims as bands: time to the right, shares of the quantity upwards. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day, local_days, local_month
from onsil.footprint.claims import Attempt, Band

WIDTH, HEIGHT, LEFT, TOP, FOOT = 720, 220, 44, 8, 30
_TICKS_MAX = 8


@dataclass(frozen=True)
class Box:
    """One band as drawn, in the drawing's own units."""

    band: Band
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A refused attempt as drawn: an outline over what it asked for."""

    attempt: Attempt
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Tick:
    x: float
    word: str


@dataclass(frozen=True)
class Drawing:
    """Boxes, marks and the axis, for a viewBox of 0 0 `WIDTH` `HEIGHT`."""

    boxes: tuple[Box, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    kinds: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP
    bottom: int = HEIGHT - FOOT


def drawn(
    bands: Sequence[Band], attempts: Sequence[Attempt], zone: ZoneInfo, period: Period | None = None
) -> Drawing | None:
    """The bands and refused attempts in a period, or in all the time they reach over."""
    spans = [one.period for one in (*bands, *attempts)]
    if not spans:
        return None
    span = period or Period(min(s.start for s in spans), max(s.end for s in spans))
    length = (span.end - span.start).total_seconds()
    across, down = WIDTH - LEFT - 4, HEIGHT - FOOT - TOP

    def placed(of: Period, low: int, high: int) -> tuple[float, float, float, float]:
        first = max((of.start - span.start).total_seconds(), 0) / length
        last = min((of.end - span.start).total_seconds(), length) / length
        return (
            round(LEFT + across * first, 1), round(TOP + down * (1 - high / 10_000), 1),
            round(max(across * (last - first), 1), 1), round(down * (high - low) / 10_000, 1),
        )  # fmt: skip

    boxes = tuple(
        Box(b, *placed(b.period, b.share_from, b.share_to))
        for b in bands if b.period.overlaps(span)
    )  # fmt: skip
    marks = tuple(
        Mark(a, *placed(a.period, a.share_from, a.share_to))
        for a in attempts if a.period.overlaps(span)
    )  # fmt: skip
    ticks = tuple(
        Tick(round(LEFT + across * (at.start - span.start).total_seconds() / length, 1), word)
        for at, word in _ticks(span, zone)
    )
    return Drawing(boxes, marks, ticks, tuple(dict.fromkeys(b.kind for b in bands)))


def _ticks(span: Period, zone: ZoneInfo) -> list[tuple[Period, str]]:
    """Days, months or years that begin within the span, few enough to be read."""
    first, last = local_day(span.start, zone), local_day(span.end, zone)
    days = max((last - first).days, 1)
    if days <= 62:
        step = -(-days // _TICKS_MAX)
        starts = [first + timedelta(days=i) for i in range(0, days + 1, step)]
        made = [(local_days(d, d + timedelta(days=1), zone), f"{d:%m-%d}") for d in starts]
    else:
        months = _months(first, last)
        step = -(-len(months) // _TICKS_MAX)
        made = [(local_month(d.year, d.month, zone), f"{d:%Y-%m}") for d in months[::step]]
    return [(at, word) for at, word in made if span.start <= at.start < span.end]


def _months(first: date, last: date) -> list[date]:
    found, at = [], first.replace(day=1)
    while at <= last:
        found.append(at)
        at = (at + timedelta(days=32)).replace(day=1)
    return found
