"""Budgets: shares of sources add up, and the run-out day is told weeks ahead."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.rewards.budgeting import allot, forecast
from onsil.rewards.terms import Pot, total

YEAR = date(2026, 1, 1)


@given(
    pots=st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=5),
    data=st.data(),
)
@settings(max_examples=60)
def test_sources_pay_in_order_and_never_more_than_they_have(pots, data):
    krw = data.draw(st.integers(min_value=0, max_value=sum(pots)))
    shares = allot(krw, [Pot(f"s{n}", left) for n, left in enumerate(pots)])
    assert total(shares) == krw
    left = dict(enumerate(pots))
    touched = [int(share.source[1:]) for share in shares]
    assert touched == sorted(touched)
    assert all(0 < share.krw <= left[int(share.source[1:])] for share in shares)
    for number in touched[:-1]:  # every source before the last one touched is emptied
        assert {s.source: s.krw for s in shares}[f"s{number}"] == left[number]


def steady(weekly: int, weeks: int) -> dict[date, int]:
    return {YEAR + timedelta(weeks=n): weekly for n in range(weeks)}


def test_steady_spending_runs_out_on_the_day_arithmetic_says():
    today = YEAR + timedelta(weeks=10)
    found = forecast(2_000, steady(100, 10), today, 2026, 8)
    assert found.weekly_krw == 100
    assert found.weeks_left == Decimal("10.0")
    assert found.run_out == today + timedelta(weeks=10)
    assert found.run_out_earliest == found.run_out == found.run_out_latest
    assert found.state == "short"


def test_the_warning_comes_within_the_weeks_set():
    today = YEAR + timedelta(weeks=12)
    assert forecast(2_000, steady(100, 12), today, 2026, 8).state == "warning"
    assert forecast(2_000, steady(100, 12), today, 2026, 7).state == "short"


def test_money_that_outlasts_the_year_brings_no_warning():
    assert forecast(10**9, steady(100, 10), YEAR + timedelta(weeks=10), 2026, 60).state == "lasts"


def test_uneven_weeks_widen_the_interval():
    spent = {YEAR + timedelta(weeks=n): 50 if n % 2 else 150 for n in range(8)}
    found = forecast(2_000, spent, YEAR + timedelta(weeks=8), 2026, 8)
    assert found.run_out is not None
    assert found.run_out_earliest is not None
    assert found.run_out_latest is not None
    assert found.run_out_earliest < found.run_out < found.run_out_latest


def test_only_the_last_eight_weeks_set_the_pace():
    spent = {YEAR + timedelta(weeks=n): 900 if n < 4 else 100 for n in range(12)}
    assert forecast(10_000, spent, YEAR + timedelta(weeks=12), 2026, 8).weekly_krw == 100


def test_empty_unspent_and_closed_are_told_apart():
    today = YEAR + timedelta(weeks=10)
    assert forecast(1_000, steady(100, 10), today, 2026, 8).state == "empty"
    assert forecast(1_000, {}, today, 2026, 8).state == "unspent"
    assert forecast(5_000, steady(100, 10), date(2027, 1, 1), 2026, 8).state == "closed"
