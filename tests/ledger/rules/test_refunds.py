"""The refund calculator: the standard terms' cases, and what always holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.ledger import TransferRequest
from onsil.ledger.rules import charging, refunds
from onsil.ledger.rules.refunds import Charged, RefundRule, UsedShare

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
PERSON = "citizen:1"
STANDARD = RefundRule((UsedShare(Decimal(80), 10_000), UsedShare(Decimal(60))))


def charged(
    amount: int, left: int, days_ago: int = 30, name: str = "c", years: int = 5, discount: int = 0
) -> Charged:
    at = NOW - timedelta(days=days_ago)
    return Charged(name, at, amount, left, charging.expires_at(at, years, SEOUL), discount)


def one(charge: Charged, rule: RefundRule = STANDARD, **more) -> refunds.Line:
    (line,) = refunds.quote([charge], rule, NOW, SEOUL, **more).lines
    return line


@pytest.mark.parametrize(
    ("amount", "left", "refunded", "spend_more"),
    [
        (100_000, 40_000, 40_000, None),  # 60 % used
        (100_000, 40_001, 0, 1),
        (100_000, 100_000, 0, 60_000),
        (10_000, 2_000, 2_000, None),  # up to 10,000 won: 80 %
        (10_000, 2_001, 0, 1),
        (10_001, 4_000, 4_000, None),  # 60.003 %
        (10_001, 4_001, 0, 1),
    ],
)
def test_the_rest_returns_when_enough_is_used(amount, left, refunded, spend_more) -> None:
    line = one(charged(amount, left))
    assert (line.amount, line.spend_more) == (refunded, spend_more)
    assert line.reason == ("used-enough" if refunded else "not-used-enough")


@pytest.mark.parametrize(
    ("hours", "reason"),
    [(0, "unused"), (7 * 24, "unused"), (7 * 24 + 12, "unused"), (7 * 24 + 13, "not-used-enough")],
)
def test_seven_whole_days_unused_return_everything(hours: int, reason: str) -> None:
    """Charged at noon in Seoul: the seventh day after ends at midnight there."""
    at = NOW - timedelta(hours=hours)
    charge = Charged("c", at, 50_000, 50_000, charging.expires_at(at, 5, SEOUL))
    assert one(charge).reason == reason
    assert one(replace(charge, remaining=49_999)).reason == "not-used-enough"


def test_after_expiry_nine_tenths_return_until_the_fifth_year() -> None:
    two_years = charged(10_000, 10_000, days_ago=3 * 365, years=2)
    line = one(two_years)
    assert (line.reason, line.amount, line.taken, line.kept) == ("expired", 9_000, 10_000, 1_000)
    gone = charged(10_000, 10_000, days_ago=5 * 366, years=2)
    assert one(gone).reason == "expired-too-long"
    from_expiry = replace(STANDARD, expired_from="expiry")
    assert one(gone, from_expiry).reason == "expired"


def test_it_says_from_when_a_refund_is_possible() -> None:
    charge = charged(10_000, 10_000, years=2)
    quote = refunds.quote([charge], STANDARD, NOW, SEOUL)
    assert (quote.amount, quote.spend_more) == (0, 8_000)
    assert quote.possible_from == charge.expires_at
    # with five years' validity there is no time left after the fifth year
    assert refunds.quote([charged(10_000, 10_000)], STANDARD, NOW, SEOUL).possible_from is None


@pytest.mark.parametrize("cause", ["defect", "worse-terms"])
def test_a_defect_or_worse_terms_return_everything(cause: str) -> None:
    line = one(charged(100_000, 90_000), cause=cause)
    assert (line.reason, line.amount) == (cause, 90_000)
    with pytest.raises(ValueError, match="unknown cause"):
        one(charged(1, 1), cause="mood")


def test_the_discount_granted_comes_off_in_proportion() -> None:
    line = one(charged(100_000, 40_000, discount=10_000))
    assert (line.taken, line.amount, line.deducted, line.kept) == (40_000, 36_000, 4_000, 0)
    odd = one(charged(30_000, 10_000, discount=1_001))
    assert odd.deducted == 334, "rounded up: nobody gets more than was paid"
    free = one(charged(30_000, 10_000, discount=9), replace(STANDARD, deduct_discount=False))
    assert free.amount == 10_000


def test_several_charges_are_judged_each_by_itself() -> None:
    charges = [
        charged(100_000, 100_000, 3, "new"), charged(50_000, 10_000, 60, "used"),
        charged(50_000, 50_000, 40, "still"), charged(9_000, 0, 80, "gone"),
    ]  # fmt: skip
    quote = refunds.quote(charges, STANDARD, NOW, SEOUL, owed=3_000)
    assert [(x.charge.charge_id, x.amount) for x in quote.lines] == [
        ("used", 10_000), ("still", 0), ("new", 100_000),
    ]  # fmt: skip
    assert (quote.gross, quote.amount) == (110_000, 107_000)
    kept = refunds.without(quote, frozenset({"new"}))
    assert (kept.gross, kept.amount) == (10_000, 7_000)


def test_or_all_money_as_it_stood_after_the_last_charge() -> None:
    rule = replace(STANDARD, measure="standing")
    charges = [charged(50_000, 10_000, 60, "a"), charged(50_000, 50_000, 40, "b")]
    short = refunds.quote(charges, rule, NOW, SEOUL, standing=100_000)
    assert (short.amount, short.spend_more) == (0, 20_000)
    enough = refunds.quote(charges, rule, NOW, SEOUL, standing=150_000)
    assert enough.amount == 60_000


charges = st.lists(
    st.builds(
        lambda amount, used, days, years, off: charged(
            amount, amount - used * amount // 100, days, f"c{days}", years, off * amount // 100
        ),
        st.integers(1, 10**6), st.integers(0, 100), st.integers(0, 3_000), st.integers(1, 5),
        st.integers(0, 20),
    ),
    max_size=5,
)  # fmt: skip


@given(charges, st.integers(0, 10**6), st.sampled_from(["charge", "standing"]))
def test_never_more_than_remains_or_was_paid(held, owed, measure) -> None:
    rule = replace(STANDARD, measure=measure)
    quote = refunds.quote(held, rule, NOW, SEOUL, owed=owed)
    for line in quote.lines:
        charge = line.charge
        assert 0 <= line.amount <= line.taken <= charge.remaining
        assert line.amount + line.deducted + line.kept == line.taken
        assert line.amount * charge.amount <= charge.remaining * (charge.amount - charge.discount)
        assert line.kept == 0 or line.reason == "expired"
    assert 0 <= quote.amount <= sum(c.remaining for c in held)
    assert quote.amount == quote.gross - quote.owed


@given(charges)
def test_spending_what_it_says_makes_the_refund_possible(held) -> None:
    for line in refunds.quote(held, STANDARD, NOW, SEOUL).lines:
        if line.spend_more is None:
            continue
        more = line.spend_more
        after = replace(line.charge, remaining=line.charge.remaining - more)
        assert after.remaining == 0 or one(after).possible or after.discount
        if more > 1:
            before = replace(line.charge, remaining=line.charge.remaining - more + 1)
            assert one(before).reason == "not-used-enough"


def request(quote: refunds.Quote, **more) -> TransferRequest:
    return refunds.request(
        quoted=quote, city="pyeongtaek", person=PERSON, key="refund:1", refund_id="1", at=NOW,
        zone=SEOUL, **more,
    )  # fmt: skip


@given(charges, st.integers(0, 10**6))
def test_the_won_of_a_refund_leave_where_they_stood(held, owed) -> None:
    quote = refunds.quote(held, STANDARD, NOW, SEOUL, owed=owed)
    made = request(quote, owed=[("city", quote.owed)], year=2026)
    won = [leg for leg in made.legs if leg.asset == "KRW"]
    local = [leg for leg in made.legs if leg.asset == "local:pyeongtaek"]
    live = [x for x in quote.lines if x.possible and x.reason != "expired"]
    assert sum(leg.amount for leg in local) == sum(x.taken for x in live)
    out = sum(leg.amount for leg in won if leg.source == "trust:local")
    assert out == sum(leg.amount for leg in local), "the trust loses what leaves circulation"
    assert sum(x.amount for x in won if x.destination == "external:bank") == quote.amount
    assert sum(x.amount for x in won if x.destination == "budget:cashback:city:2026") == quote.owed
    assert sum(x.amount for x in made.legs if x.destination == "issuer:claim") == quote.owed
    assert all(leg.amount > 0 for leg in made.legs)


def test_a_full_refund_gives_the_months_caps_back_and_pays_whom_it_is_told() -> None:
    made = request(
        refunds.quote([charged(50_000, 50_000, 1)], STANDARD, NOW, SEOUL), payee="payable:refund:1"
    )
    assert {leg.asset for leg in made.legs} == {
        "KRW", "local:pyeongtaek", "quota:charge:2026-11", "quota:issue:2026-11",
    }  # fmt: skip
    assert [leg.destination for leg in made.legs if leg.asset == "KRW"] == ["payable:refund:1"]
