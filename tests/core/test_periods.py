"""Periods are half-open and cut in the city's zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.periods import Period, days_of, iso_week, local_day, local_month, local_year

SEOUL = ZoneInfo("Asia/Seoul")
LONDON = ZoneInfo("Europe/London")


def test_a_korean_year_starts_in_utc_the_day_before():
    year = local_year(2025, SEOUL)
    assert year.start == datetime(2024, 12, 31, 15, tzinfo=UTC)
    assert year.end == datetime(2025, 12, 31, 15, tzinfo=UTC)
    assert year.end not in year
    assert year.start in year


def test_december_ends_where_january_begins():
    assert local_month(2025, 12, SEOUL).end == local_month(2026, 1, SEOUL).start


def test_a_summer_time_day_has_23_hours():
    march = Period(datetime(2025, 3, 30, tzinfo=LONDON), datetime(2025, 3, 31, tzinfo=LONDON))
    assert march.length == timedelta(hours=23)


def test_iso_week_53_belongs_to_the_year_it_is_named_after():
    week = iso_week(2026, 53, SEOUL)
    assert local_day(week.start, SEOUL) == date(2026, 12, 28)
    assert local_day(week.end, SEOUL) == date(2027, 1, 4)


def test_bounds_without_a_zone_and_empty_periods_are_refused():
    naive = datetime(2025, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        Period(naive, naive + timedelta(days=1))
    now = datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="empty"):
        Period(now, now)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 1)), st.integers(1, 400))
def test_days_of_a_period_are_each_day_once(first: date, count: int):
    last = first + timedelta(days=count)
    period = Period(
        datetime(first.year, first.month, first.day, tzinfo=SEOUL),
        datetime(last.year, last.month, last.day, tzinfo=SEOUL),
    )
    assert list(days_of(period, SEOUL)) == [first + timedelta(days=i) for i in range(count)]
