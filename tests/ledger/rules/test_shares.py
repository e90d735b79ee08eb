"""Whole won of percentages and shares."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from onsil.ledger.rules.shares import (
    CEILING,
    FLOOR,
    HALF_UP,
    largest_remainder,
    percent_of,
    reaches,
)

won = st.integers(0, 10**12)
percents = st.decimals(0, 100, places=2)


def test_a_percentage_is_cut_as_the_rule_says() -> None:
    assert percent_of(999, Decimal(10)) == 99
    assert percent_of(999, Decimal(10), CEILING) == 100
    assert percent_of(995, Decimal(10), HALF_UP) == 100
    assert percent_of(4_000, Decimal("0.25")) == 10


@given(won, percents, st.sampled_from([FLOOR, CEILING, HALF_UP]))
def test_a_percentage_never_is_more_than_the_whole_nor_a_won_off(amount, percent, rounding) -> None:
    got = percent_of(amount, percent, rounding)
    assert 0 <= got <= amount
    assert abs(got - Decimal(amount) * percent / 100) < 1


@given(won, st.lists(percents, max_size=6))
def test_shares_add_up_and_keep_to_their_quota(total, weights) -> None:
    parts = largest_remainder(total, weights)
    whole = sum(weights)
    assert sum(parts) == (total if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        if whole:
            assert abs(part * whole - total * weight) < whole


def test_the_first_of_equal_remainders_gets_the_won() -> None:
    assert largest_remainder(100, [1, 1, 1]) == (34, 33, 33)
    assert largest_remainder(5, []) == ()


def test_a_threshold_is_exact() -> None:
    assert reaches(6_000, 10_000, Decimal(60))
    assert not reaches(5_999, 10_000, Decimal(60))
