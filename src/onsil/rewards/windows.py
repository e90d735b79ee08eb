"""Windows of local time: the cuts in which awards are decided and caps counted.

A smaller window belongs to the larger one that holds its anchor. For an ISO week that is its
Thursday, so a week lies in its ISO year, and a year has 52 or 53 of them.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day, local_days
from onsil.rewards.terms import Text, Window


def _day(day: date, zone: ZoneInfo) -> Window:
    period = local_days(day, day + timedelta(days=1), zone)
    return Window("day", day.isoformat(), period, day, Text(day.isoformat(), day.isoformat()))


def _iso_week(day: date, zone: ZoneInfo) -> Window:
    year, week, _ = day.isocalendar()
    monday = date.fromisocalendar(year, week, 1)
    name = Text(f"{year}년 {week}주", f"week {week} of {year}")
    period = local_days(monday, monday + timedelta(days=7), zone)
    return Window("iso-week", f"{year}-W{week:02}", period, monday + timedelta(days=3), name)


def _four_weeks(day: date, zone: ZoneInfo) -> Window:
    """Thirteen blocks of four ISO weeks a year; a 53rd week is a block of its own."""
    year, week, _ = day.isocalendar()
    block = (week - 1) // 4
    first = date.fromisocalendar(year, block * 4 + 1, 1)
    last_week = min(block * 4 + 4, _weeks_in(year))
    end = date.fromisocalendar(year, last_week, 1) + timedelta(days=7)
    name = Text(
        f"{year}년 {block * 4 + 1}–{last_week}주", f"weeks {block * 4 + 1}–{last_week} of {year}"
    )
    key = f"{year}-B{block + 1:02}"
    return Window("four-weeks", key, local_days(first, end, zone), first + timedelta(days=3), name)


def _month(day: date, zone: ZoneInfo) -> Window:
    first = day.replace(day=1)
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    name = Text(f"{day.year}년 {day.month}월", f"{day.year}-{day.month:02}")
    key = f"{day.year}-{day.month:02}"
    return Window("month", key, local_days(first, following, zone), first, name)


def _half_year(day: date, zone: ZoneInfo) -> Window:
    first_half = day.month <= 6
    first = date(day.year, 1 if first_half else 7, 1)
    end = date(day.year, 7, 1) if first_half else date(day.year + 1, 1, 1)
    half = 1 if first_half else 2
    name = Text(
        f"{day.year}년 {'상반기' if first_half else '하반기'}",
        f"the {'first' if first_half else 'second'} half of {day.year}",
    )
    key = f"{day.year}-H{half}"
    return Window("half-year", key, local_days(first, end, zone), first, name)


def _year(day: date, zone: ZoneInfo) -> Window:
    first = date(day.year, 1, 1)
    period = local_days(first, date(day.year + 1, 1, 1), zone)
    return Window("year", str(day.year), period, first, Text(f"{day.year}년", str(day.year)))


_CUTS: dict[str, Callable[[date, ZoneInfo], Window]] = {
    "day": _day,
    "iso-week": _iso_week,
    "four-weeks": _four_weeks,
    "month": _month,
    "half-year": _half_year,
    "year": _year,
}
CUTS = tuple(_CUTS)  # shortest first
DECIDING_CUTS = ("day", "iso-week", "month", "half-year", "year")


@lru_cache(maxsize=4096)
def window_on(cut: str, day: date, zone: ZoneInfo) -> Window:
    """The window of a cut that holds a local day. Raises KeyError for an unknown cut."""
    return _CUTS[cut](day, zone)


def window_at(cut: str, instant: datetime, zone: ZoneInfo) -> Window:
    """The window of a cut in which an instant lies."""
    return window_on(cut, local_day(instant, zone), zone)


def cap_window(cut: str, deciding: Window, zone: ZoneInfo) -> Window:
    """The cap's window to which a deciding window belongs, by the latter's anchor.

    A cap by year over ISO weeks therefore counts the weeks of the ISO year.
    """
    return window_on(cut, deciding.anchor, zone)


def may_cap(cut: str, deciding_cut: str) -> bool:
    """Whether a cap of this cut can hold a whole deciding window."""
    return CUTS.index(cut) >= CUTS.index(deciding_cut)


def windows_starting_in(cut: str, period: Period, zone: ZoneInfo) -> list[Window]:
    """Every window of a cut whose first instant lies in the period, in order."""
    found: list[Window] = []
    window = window_at(cut, period.start, zone)
    while window.period.start < period.end:
        if window.period.start >= period.start:
            found.append(window)
        window = window_at(cut, window.period.end, zone)
    return found


def _weeks_in(year: int) -> int:
    """52 or 53: the week of 28 December is always the last (ISO 8601)."""
    return date(year, 12, 28).isocalendar().week
