"""Which shop takes which money, on which day."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.ledger.rules import merchants
from onsil.ledger.rules.merchants import (
    FundRule,
    MerchantRule,
    MerchantStatus,
    SalesException,
    eligibility,
)

DAY = date(2026, 11, 22)
LIMIT = 3_000_000_000
RULE = MerchantRule(
    LIMIT, frozenset({"gambling", "adult", "large-store"}),
    exceptions=(SalesException("township", frozenset({"오성면"}), frozenset({"grocery"})),),
    recheck_months=(1, 7),
)  # fmt: skip
SHOP = MerchantStatus(date(2020, 1, 1), "grocery", "비전동", LIMIT, date(2026, 7, 3))


def test_a_shop_within_the_limit_takes_ordinary_and_policy_money() -> None:
    place = eligibility(SHOP, RULE, DAY)
    assert place.rules == {"ordinary", "policy", "kind:grocery", "region:비전동"}
    assert place.refusal is None


def test_a_won_above_the_limit_leaves_policy_money_only() -> None:
    place = eligibility(replace(SHOP, yearly_sales_krw=LIMIT + 1), RULE, DAY)
    assert "ordinary" not in place.rules
    assert "policy" in place.rules


def test_a_township_shop_above_the_limit_is_let_in_for_its_kind() -> None:
    big = replace(SHOP, yearly_sales_krw=9 * LIMIT, region="오성면")
    place = eligibility(big, RULE, DAY)
    assert "ordinary" in place.rules
    assert place.exception == "township"
    assert "ordinary" not in eligibility(replace(big, kind="cafe"), RULE, DAY).rules
    assert eligibility(SHOP, RULE, DAY).exception == ""


def test_policy_money_may_have_a_limit_of_its_own() -> None:
    rule = replace(RULE, policy_sales_limit_krw=2 * LIMIT)
    assert "policy" in eligibility(replace(SHOP, yearly_sales_krw=2 * LIMIT), rule, DAY).rules
    assert (
        "policy" not in eligibility(replace(SHOP, yearly_sales_krw=2 * LIMIT + 1), rule, DAY).rules
    )


@pytest.mark.parametrize("change", [{"kind": "gambling"}, {"in_city": False}])
def test_excluded_kinds_and_shops_elsewhere_take_nothing(change) -> None:
    place = eligibility(replace(SHOP, **change), RULE, DAY)
    assert place.rules == frozenset()
    assert place.refusal is not None
    assert place.refusal.code == "shop-excluded"
    assert place.funds({"own", "policy:a"}) == frozenset()


def test_the_status_of_the_day_decides() -> None:
    small = replace(SHOP, yearly_sales_krw=LIMIT)
    grown = replace(SHOP, since=date(2026, 7, 1), yearly_sales_krw=LIMIT + 1)
    history = [grown, small]
    assert merchants.status_on(history, date(2026, 6, 30)) is small
    assert merchants.status_on(history, date(2026, 7, 1)) is grown
    assert merchants.status_on(history, date(2019, 1, 1)) is None


@pytest.mark.parametrize(
    ("checked", "due"),
    [(date(2026, 6, 30), True), (date(2026, 7, 1), False), (date(2025, 12, 31), True)],
)
def test_statuses_are_looked_at_again_each_january_and_july(checked: date, due: bool) -> None:
    assert merchants.needs_recheck(replace(SHOP, checked_on=checked), RULE, DAY) is due
    assert merchants.last_recheck(RULE, date(2026, 6, 30)) == date(2026, 1, 1)
    assert not merchants.needs_recheck(SHOP, replace(RULE, recheck_months=()), DAY)


def test_an_overdue_check_stops_ordinary_money_where_the_rule_says_so() -> None:
    strict = replace(RULE, recheck_grace_days=30)
    old = replace(SHOP, checked_on=date(2026, 6, 30))
    assert "ordinary" in eligibility(old, strict, date(2026, 7, 31)).rules
    stale = eligibility(old, strict, date(2026, 8, 1))
    assert "ordinary" not in stale.rules
    assert stale.stale
    assert "policy" in stale.rules
    assert "ordinary" in eligibility(old, RULE, date(2026, 8, 1)).rules


def test_a_fund_may_be_bound_to_kinds_and_regions() -> None:
    rule = replace(
        RULE,
        funds=(
            FundRule("policy:local-food", only_kinds=frozenset({"grocery"})),
            FundRule("policy", excluded_kinds=frozenset({"cafe"})),
            FundRule("policy:town", only_regions=frozenset({"오성면"})),
        ),
    )
    held = {"own", "policy:local-food", "policy:town", "policy:any"}
    assert eligibility(SHOP, rule, DAY).filter(held).funds == {
        "own", "policy:local-food", "policy:any",
    }  # fmt: skip
    cafe = replace(SHOP, kind="cafe", region="오성면")
    assert eligibility(cafe, rule, DAY).filter(held).funds == {"own"}
    assert eligibility(SHOP, RULE, DAY).filter(held).funds is None
    assert eligibility(SHOP, rule, DAY).filter().funds is None


@given(
    st.integers(0, 10 * LIMIT), st.sampled_from(["오성면", "비전동"]),
    st.sampled_from(["grocery", "cafe", "gambling"]), st.sets(st.sampled_from(["own", "policy"])),
)  # fmt: skip
def test_more_sales_never_open_a_door(sales, region, kind, held) -> None:
    here = MerchantStatus(date(2020, 1, 1), kind, region, sales, DAY)
    less = replace(here, yearly_sales_krw=sales // 2)
    assert eligibility(here, RULE, DAY).rules <= eligibility(less, RULE, DAY).rules
    assert eligibility(here, RULE, DAY).funds(held) <= frozenset(held)
