"""When a shop is paid, at what fee, and what the city repays."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.refusal import Refusal
from onsil.ledger.rules import settlement
from onsil.ledger.rules.business_days import (
    business_days_later,
    holiday_name,
    is_business_day,
)
from onsil.ledger.rules.settlement import FeeClass, SettlementRule

SHOP = UUID(int=1)
SMALL = FeeClass("small", "영세", "Small", Decimal("0.25"), Decimal(100), 300_000_000)
GENERAL = FeeClass("general", "일반", "General", Decimal("1.5"))
RULE = SettlementRule(2, (SMALL, GENERAL))


@pytest.mark.parametrize(
    ("sales_day", "paid"),
    [
        (date(2026, 11, 16), date(2026, 11, 18)),  # Monday -> Wednesday
        (date(2026, 11, 19), date(2026, 11, 23)),  # Thursday -> Monday
        (date(2026, 11, 20), date(2026, 11, 24)),  # Friday -> Tuesday
        (date(2026, 11, 21), date(2026, 11, 24)),  # Saturday -> Tuesday
        (date(2026, 2, 13), date(2026, 2, 20)),  # over Seollal, 16–18 February
        (date(2026, 8, 13), date(2026, 8, 18)),  # Liberation Day's substitute is Monday the 17th
        (date(2026, 4, 29), date(2026, 5, 4)),  # 1 May: banks are closed
        (date(2025, 10, 2), date(2025, 10, 13)),  # Chuseok 2025 with its substitute, Hangul Day
        (date(2026, 12, 30), date(2027, 1, 4)),  # over New Year
    ],
)
def test_the_second_business_day(sales_day: date, paid: date) -> None:
    assert settlement.pay_day(sales_day, RULE) == paid


def test_a_rule_set_may_close_more_days() -> None:
    closed = SettlementRule(1, (GENERAL,), closed_days=(date(2026, 11, 17),))
    assert settlement.pay_day(date(2026, 11, 16), closed) == date(2026, 11, 18)


def test_on_the_day_itself_or_the_next_that_banks_work() -> None:
    assert business_days_later(date(2026, 11, 20), 0) == date(2026, 11, 20)
    assert business_days_later(date(2026, 11, 21), 0) == date(2026, 11, 23)
    assert not is_business_day(date(2026, 9, 25))
    assert holiday_name(date(2026, 9, 25)) == "추석"
    assert holiday_name(date(2026, 9, 25), "en")
    assert holiday_name(date(2026, 9, 23)) == ""


@given(st.dates(date(2020, 1, 1), date(2032, 12, 31)), st.integers(0, 10))
def test_payment_is_on_a_business_day_with_exactly_so_many_between(day, count) -> None:
    paid = business_days_later(day, count)
    assert is_business_day(paid)
    assert paid >= day
    steps = [date.fromordinal(n) for n in range(day.toordinal() + 1, paid.toordinal() + 1)]
    worked = sum(is_business_day(d) for d in steps)
    assert worked == (count if count or is_business_day(day) else 1)


def figure(gross: int, cancelled: int = 0, sales: int = 10**8, rule=RULE, cashback: int = 0):
    made = settlement.figure(
        SHOP, gross, cancelled, sales, date(2026, 11, 16), rule, cashback=cashback
    )
    assert not isinstance(made, Refusal)
    return made


def test_a_small_shops_fee_is_repaid() -> None:
    made = figure(100_000)
    assert (made.fee, made.subsidy, made.net, made.fee_class) == (250, 250, 100_000, "small")


def test_others_pay_their_fee() -> None:
    made = figure(100_000, 20_000, 300_000_001)
    assert (made.sales, made.fee, made.subsidy, made.net) == (80_000, 1_200, 0, 78_800)


def test_the_shops_own_cashback_is_taken_off() -> None:
    made = figure(10_000, cashback=300)
    assert made.net == 9_700


def test_a_sum_too_small_waits_without_a_fee() -> None:
    rule = SettlementRule(2, (GENERAL,), minimum_krw=1_000)
    made = figure(999, rule=rule)
    assert (made.carried, made.fee) == (True, 0)
    assert not figure(0, rule=rule).carried
    assert not figure(1_100, rule=rule).carried
    assert settlement.add_up([made, figure(2_000, rule=rule)])["gross"] == 2_000


def test_a_missing_fee_is_a_refusal() -> None:
    no = settlement.figure(SHOP, 1, 0, 10**10, date(2026, 1, 2), SettlementRule(2, (SMALL,)))
    assert isinstance(no, Refusal)
    assert no.code == "fee-class-missing"


@given(
    st.integers(0, 10**10), st.decimals(0, 100, places=3), st.decimals(0, 100, places=1),
    st.sampled_from(["floor", "ceiling", "half-up"]),
)  # fmt: skip
def test_a_shop_never_gets_more_than_it_sold_nor_less_than_nothing(sales, fee, back, mode) -> None:
    charged, repaid = settlement.fee_of(sales, FeeClass("x", "x", "x", fee, back), mode)
    assert 0 <= repaid <= charged <= sales


@given(st.integers(1, 10**9), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_payable_ends_at_what_the_shop_is_owed(sales, fee, cashback) -> None:
    legs = settlement.settle_legs(
        merchant=SHOP, shop=f"merchant:{SHOP}", payable=f"payable:{SHOP}", local="local:p",
        sales=sales, fee=min(fee, sales), cashback=cashback,
    )  # fmt: skip
    here = f"payable:{SHOP}"
    came = sum(leg.amount for leg in legs if leg.destination == here)
    went = sum(leg.amount for leg in legs if leg.source == here)
    assert came - went == sales - min(fee, sales) - cashback
    request = settlement.subsidy_request(payable=here, subsidy=5, key="k", origin_id="s")
    assert [(leg.source, leg.destination) for leg in request.legs] == [("subsidy:fee", here)]
