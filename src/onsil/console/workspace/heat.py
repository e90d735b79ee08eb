"""The calendar heat map of a role's coverage: a square a day, drawn on the server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from onsil.footprint.projects import DayCoverage

CELL, GAP, LEFT, TOP = 11, 2, 26, 14
_STEPS = (100, 95, 75)  # per cent used from which a day is full, good, fair


@dataclass(frozen=True)
class Square:
    x: int
    y: int
    css: str
    title: str


@dataclass(frozen=True)
class HeatMap:
    """Squares by week, the months' names above; positions in the units of the view box."""

    role: str
    squares: tuple[Square, ...]
    months: tuple[tuple[int, str], ...]
    width: int
    height: int
    days: tuple[DayCoverage, ...]
    used: int
    expected: int

    @property
    def thin(self) -> tuple[DayCoverage, ...]:
        """Days on which not every interval was used: what the table lists."""
        return tuple(day for day in self.days if day.used < day.expected)


def heat_map(role: str, days: Sequence[DayCoverage]) -> HeatMap:
    """Weeks run from left to right, Monday on top; days without data stay empty."""
    assert days
    first = days[0].day - timedelta(days[0].day.weekday())
    squares, months = [], []
    for one in days:
        week, weekday = divmod((one.day - first).days, 7)
        x, y = LEFT + week * (CELL + GAP), TOP + weekday * (CELL + GAP)
        squares.append(Square(x, y, _css(one), f"{one.day}: {one.used} / {one.expected}"))
        if one.day.day == 1 or one is days[0]:
            months.append((x, f"{one.day:%Y-%m}" if _year(one.day, days) else f"{one.day.month}"))
    last = squares[-1].x
    return HeatMap(
        role, tuple(squares), tuple(months), max(last + CELL + 40, 120), TOP + 7 * (CELL + GAP),
        tuple(days), sum(d.used for d in days), sum(d.expected for d in days),
    )  # fmt: skip


def _year(day: date, days: Sequence[DayCoverage]) -> bool:
    return day.month == 1 or day == days[0].day


def _css(day: DayCoverage) -> str:
    share = 100 * day.used
    if not day.used:
        return "day day--0"
    level = next((i for i, least in enumerate(_STEPS) if share >= least * day.expected), 3)
    return f"day day--{4 - level}"
