"""Windows of local time: every instant in one, none missed, across all borders of the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.periods import Period, local_year
from onsil.rewards.windows import (
    CUTS,
    DECIDING_CUTS,
    cap_window,
    may_cap,
    window_at,
    window_on,
    windows_starting_in,
)

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")  # clocks change there: days of 23 and 25 hours
instants = st.integers(min_value=0, max_value=30 * 366 * 86_400).map(
    lambda seconds: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
zones = st.sampled_from([SEOUL, BERLIN])


@given(instant=instants, zone=zones, cut=st.sampled_from(CUTS))
@settings(max_examples=60)
def test_every_instant_lies_in_exactly_one_window_of_a_cut(instant, zone, cut):
    window = window_at(cut, instant, zone)
    assert instant in window.period
    following = window_at(cut, window.period.end, zone)
    assert following.period.start == window.period.end
    assert following.key != window.key


@given(day=st.dates(date(2015, 1, 1), date(2044, 12, 31)), zone=zones)
@settings(max_examples=60)
def test_a_deciding_window_belongs_to_one_window_of_each_longer_cut(day, zone):
    for deciding_cut in DECIDING_CUTS:
        window = window_on(deciding_cut, day, zone)
        for cut in CUTS:
            if may_cap(cut, deciding_cut):
                larger = cap_window(cut, window, zone)
                assert window_on(cut, larger.anchor, zone) == larger
                assert larger.period.overlaps(window.period)


@pytest.mark.parametrize(
    ("day", "key", "year"),
    [
        (date(2024, 12, 29), "2024-W52", 2024),
        (date(2024, 12, 30), "2025-W01", 2025),
        (date(2026, 12, 31), "2026-W53", 2026),
        (date(2027, 1, 3), "2026-W53", 2026),
        (date(2027, 1, 4), "2027-W01", 2027),
        (date(2020, 12, 28), "2020-W53", 2020),
        (date(2024, 2, 29), "2024-W09", 2024),
    ],
)
def test_iso_weeks_across_new_year_and_leap_day(day, key, year):
    window = window_on("iso-week", day, SEOUL)
    assert (window.key, window.year) == (key, year)
    assert cap_window("year", window, SEOUL).key == str(year)


@pytest.mark.parametrize(
    ("day", "key", "weeks"),
    [
        (date(2026, 1, 1), "2026-B01", 4),
        (date(2026, 12, 27), "2026-B13", 4),
        (date(2026, 12, 28), "2026-B14", 1),
        (date(2025, 12, 28), "2025-B13", 4),
        (date(2025, 12, 29), "2026-B01", 4),
    ],
)
def test_blocks_of_four_weeks_leave_week_53_alone(day, key, weeks):
    block = window_on("four-weeks", day, SEOUL)
    assert block.key == key
    assert block.period.length == timedelta(weeks=weeks)


@pytest.mark.parametrize(("year", "weeks"), [(2020, 53), (2024, 52), (2025, 52), (2026, 53)])
def test_a_year_of_weeks_is_52_or_53_of_them(year, weeks):
    found = [
        window
        for window in windows_starting_in(
            "iso-week",
            Period(local_year(year - 1, SEOUL).start, local_year(year + 1, SEOUL).end),
            SEOUL,
        )
        if window.year == year
    ]
    assert len(found) == weeks


def test_half_years_and_months_of_a_leap_year():
    assert window_on("month", date(2024, 2, 29), SEOUL).period.length == timedelta(days=29)
    assert window_on("half-year", date(2024, 6, 30), SEOUL).key == "2024-H1"
    assert window_on("half-year", date(2024, 7, 1), SEOUL).key == "2024-H2"
    assert window_on("half-year", date(2024, 1, 1), SEOUL).period.length == timedelta(days=182)
