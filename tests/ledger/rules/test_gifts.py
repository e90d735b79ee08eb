"""A gift waits three days for who may take it, and is made of money that may be given."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.refusal import Refusal
from onsil.ledger import LotTerms, TransferRequest
from onsil.ledger.rules import gifts
from onsil.ledger.rules.gifts import GiftRule

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
RULE = GiftRule(minimum_krw=1_000, maximum_krw=500_000, person_month_krw=500_000)


@dataclass
class Lot:
    terms: LotTerms
    amount: int


PURSE = [
    Lot(LotTerms("own", NOW + timedelta(days=9), "ordinary", True), 20_000),
    Lot(LotTerms("own", NOW, "ordinary", True), 7_000),  # has ended
    Lot(LotTerms("policy:a", NOW + timedelta(days=9), "policy"), 100_000),
    Lot(LotTerms("cashback:city", None, "ordinary"), 3_000),
]


def give(amount: int, rule: GiftRule = RULE, receiver: str = "citizen:b", purse=PURSE):
    return gifts.give(
        lots=purse, rule=rule, city="pyeongtaek", giver="citizen:a", receiver=receiver,
        amount=amount, key="gift:1", gift_id="1", at=NOW, zone=SEOUL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "code"),
    [(999, "gift-too-small"), (500_001, "gift-too-large"), (20_001, "gift-not-giftable")],
)
def test_a_gift_within_limits_and_of_ones_own_money(amount: int, code: str) -> None:
    no = give(amount)
    assert isinstance(no, Refusal)
    assert no.code == code


def test_nobody_gives_to_themselves() -> None:
    no = give(5_000, receiver="citizen:a")
    assert isinstance(no, Refusal)
    assert no.code == "gift-to-self"


def test_a_gift_is_held_for_three_days() -> None:
    made = give(20_000)
    assert isinstance(made, TransferRequest)
    assert (made.phase, made.timeout_at) == ("pending", NOW + timedelta(days=3))
    money, counter = made.legs
    assert money.only is not None
    assert money.only.funds == {"own"}
    assert (counter.asset, counter.amount) == ("quota:gift:2026-11", 20_000)
    (spec, _) = gifts.accounts(RULE, "citizen:a", "2026-11")
    assert spec.maximum == 500_000


def test_cashback_may_be_given_where_the_rule_says_so() -> None:
    made = give(23_000, replace(RULE, giftable=("own", "cashback")))
    assert isinstance(made, TransferRequest)


@given(st.integers(-10, 600_000))
def test_what_is_given_always_is_there_and_within_limits(amount: int) -> None:
    made = give(amount)
    if isinstance(made, TransferRequest):
        assert 1_000 <= amount <= 20_000
        assert {leg.amount for leg in made.legs} == {amount}


def test_taking_posts_and_refusing_voids() -> None:
    pending = uuid4()
    taken = gifts.settle(pending=pending, key="t", taken=True, gift_id="1")
    back = gifts.settle(pending=pending, key="b", taken=False, gift_id="1")
    assert (taken.phase, taken.pending, taken.legs) == ("post", pending, ())
    assert (back.phase, back.kind) == ("void", "gift-returned")


def test_the_months_limit_in_a_givers_words() -> None:
    no = Refusal("account-limit", "가", "a", {"asset": "quota:gift:2026-11"})
    assert gifts.explained(no, RULE).code == "gift-over-month"
    other = Refusal("account-limit", "가", "a", {"asset": "local:pyeongtaek"})
    assert gifts.explained(other, RULE) is other
