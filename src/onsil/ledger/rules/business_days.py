"""Korean business days: weekends, public and bank holidays with their substitutes, and the days
that a rule set closes besides."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache

import holidays
from holidays.constants import BANK, PUBLIC


@cache
def _of_year(year: int) -> frozenset[date]:
    """A year's public holidays with substitutes (관공서의 공휴일에 관한 규정) and bank holidays."""
    return frozenset(holidays.country_holidays("KR", years=year, categories=(PUBLIC, BANK)))


def is_business_day(day: date, closed: Iterable[date] = ()) -> bool:
    """Whether banks pay out on a day. `closed`: days that a rule set adds."""
    return day.weekday() < 5 and day not in _of_year(day.year) and day not in set(closed)


def business_days_later(day: date, count: int, closed: Iterable[date] = ()) -> date:
    """The `count`-th business day after `day`; for 0 the day itself or the next business day."""
    shut = frozenset(closed)
    found = day
    while not is_business_day(found, shut):
        found += timedelta(days=1)
    if count and found > day:
        count -= 1  # the first business day after `day` is reached already
    for _ in range(count):
        found += timedelta(days=1)
        while not is_business_day(found, shut):
            found += timedelta(days=1)
    return found


def holiday_name(day: date, language: str = "ko") -> str:
    """What a holiday is called; empty for a day that is none."""
    code = "en_US" if language.startswith("en") else "ko"
    known = holidays.country_holidays(
        "KR", years=day.year, categories=(PUBLIC, BANK), language=code
    )
    return known.get(day, "")
