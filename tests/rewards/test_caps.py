"""Caps and verdicts: whatever evidence comes in whatever order, no cap is ever exceeded."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reward_examples import ZONE, programme

from onsil.rewards.caps import verdict
from onsil.rewards.terms import CapRoom, Entitlement, Reason
from onsil.rewards.windows import cap_window, window_on

BUS = programme("bus-weekly")
BASIS = Reason("basis", "근거입니다.", "The basis.")
CAPS = {cap.cut: cap.points["adult"] for cap in BUS.caps}


@given(
    rides=st.lists(
        st.tuples(
            st.dates(date(2019, 12, 1), date(2027, 1, 31)), st.integers(min_value=1, max_value=9000)
        ),
        max_size=80,
    )
)
@settings(max_examples=60)
def test_no_cap_is_exceeded_across_week_month_and_year_borders(rides):
    """Sums are recounted independently, by calendar, from what the verdicts paid."""
    used: dict[str, int] = defaultdict(int)
    paid: dict[tuple[int, int], int] = defaultdict(int)
    for day, fare in rides:
        window = window_on("iso-week", day, ZONE)
        rooms = [
            CapRoom(cap_window(cut, window, ZONE), limit, used[cap_window(cut, window, ZONE).key])
            for cut, limit in CAPS.items()
        ]
        week = day.isocalendar()[:2]
        found = verdict(
            BUS,
            window,
            Entitlement(fare, BASIS),
            already=paid[week],
            rooms=rooms,
            budget_points=10**9,
        )
        assert 0 <= found.points <= max(fare - paid[week], 0)
        assert found.reason.ko
        assert found.reason.en
        paid[week] += found.points
        for room in rooms:
            used[room.window.key] += found.points
    by_year: dict[int, int] = defaultdict(int)
    by_block: dict[tuple[int, int], int] = defaultdict(int)
    for (year, week), points in paid.items():
        assert points <= 2_900
        by_year[year] += points
        by_block[year, (week - 1) // 4] += points
    assert all(points <= 150_800 for points in by_year.values())
    assert all(points <= 11_600 for points in by_block.values())


@pytest.mark.parametrize(("year", "weeks"), [(2025, 52), (2026, 53)])
def test_a_full_year_of_rides_pays_exactly_the_yearly_cap(year, weeks):
    used: dict[str, int] = defaultdict(int)
    total = 0
    monday = date.fromisocalendar(year, 1, 1)
    for number in range(weeks):
        window = window_on("iso-week", monday + timedelta(weeks=number), ZONE)
        rooms = [
            CapRoom(cap_window(cut, window, ZONE), limit, used[cap_window(cut, window, ZONE).key])
            for cut, limit in CAPS.items()
        ]
        found = verdict(
            BUS, window, Entitlement(2_900, BASIS), already=0, rooms=rooms, budget_points=10**9
        )
        total += found.points
        for room in rooms:
            used[room.window.key] += found.points
    assert total == 150_800
    if weeks == 53:
        assert found.outcome == "unpaid"
        assert found.reason.code == "cap-year"


def decided(entitled: int, already: int = 0, room: int = 2_900, budget: int | None = 10**9):
    window = window_on("iso-week", date(2026, 3, 2), ZONE)
    rooms = [CapRoom(window, 2_900, 2_900 - room)]
    return verdict(
        BUS,
        window,
        Entitlement(entitled, BASIS),
        already=already,
        rooms=rooms,
        budget_points=budget,
    )


@pytest.mark.parametrize(
    ("case", "points", "outcome", "code"),
    [
        (dict(entitled=1450), 1450, "paid", "basis"),
        (dict(entitled=5800), 2900, "partly", "cap-iso-week"),
        (dict(entitled=1450, room=0), 0, "unpaid", "cap-iso-week"),
        (dict(entitled=0), 0, "unpaid", "basis"),
        (dict(entitled=2900, already=1450, room=1450), 1450, "paid", "basis"),
        (dict(entitled=1450, already=1450), 0, "unpaid", "nothing-more"),
        (dict(entitled=0, already=1450), 0, "unpaid", "nothing-more"),
        (dict(entitled=1450, budget=None), 0, "unpaid", "no-budget"),
        (dict(entitled=1450, budget=0), 0, "unpaid", "budget-exhausted"),
        (dict(entitled=1450, budget=1000), 1000, "partly", "budget-exhausted"),
        (dict(entitled=1450, room=100, budget=100), 100, "partly", "cap-iso-week"),
    ],
)
def test_verdicts(case, points, outcome, code):
    found = decided(**case)
    assert (found.points, found.outcome, found.reason.code) == (points, outcome, code)
