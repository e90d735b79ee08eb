"""A list of allowances: every row judged, then posted whole or not at all."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.ledger.rules import policy_money
from onsil.ledger.rules.policy_money import PolicyRule, Row

SEOUL = ZoneInfo("Asia/Seoul")
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
RULE = PolicyRule(300_000, 10**9, most_days=366, merchant_rules=("kind:market",))
KNOWN = {"a@city": "citizen:a", "b@city": "citizen:b"}
GOOD = Row(1, "a@city", 100_000, "coupon", date(2026, 12, 31), "policy")


def problem(*rows: Row) -> list[str]:
    return [r.problem for r in policy_money.check(rows, KNOWN, RULE, TODAY)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"person": ""}, "person-missing"),
        ({"person": "c@city"}, "person-unknown"),
        ({"amount": None}, "amount-wrong"),
        ({"amount": 0}, "amount-wrong"),
        ({"amount": 300_000}, ""),
        ({"amount": 300_001}, "over-person-limit"),
        ({"fund": ""}, "fund-missing"),
        ({"fund": "Relief 2026"}, "fund-wrong"),
        ({"last_day": None}, "end-missing"),
        ({"last_day": date(2026, 11, 21)}, "end-past"),
        ({"last_day": TODAY}, ""),
        ({"last_day": date(2027, 11, 24)}, "end-too-far"),
        ({"merchant_rule": "ordinary"}, "rule-unknown"),
        ({"merchant_rule": "kind:market"}, ""),
    ],
)
def test_a_row_by_itself(change, said: str) -> None:
    assert problem(replace(GOOD, **change)) == [said]


def test_the_same_row_twice_counts_once() -> None:
    assert problem(GOOD, replace(GOOD, number=2), replace(GOOD, number=3, person="b@city")) == [
        "", "duplicate", "",
    ]  # fmt: skip


def test_two_ways_to_write_one_person_are_one_person() -> None:
    known = {**KNOWN, "A@CITY": "citizen:a"}
    rows = (GOOD, replace(GOOD, number=2, person="A@CITY"))
    assert [r.problem for r in policy_money.check(rows, known, RULE, TODAY)] == ["", "duplicate"]


def test_a_persons_rows_of_one_fund_stay_within_the_limit_together() -> None:
    later = replace(GOOD, number=2, amount=200_001, last_day=date(2027, 1, 31))
    assert problem(GOOD, later, replace(later, number=3, amount=200_000)) == [
        "", "over-person-limit", "",
    ]  # fmt: skip


rows = st.builds(
    Row, st.integers(1, 99), st.sampled_from(["a@city", "b@city", "x", ""]),
    st.none() | st.integers(-5, 400_000), st.sampled_from(["coupon", "relief", ""]),
    st.none() | st.dates(date(2026, 11, 1), date(2028, 1, 1)),
    st.sampled_from(["policy", "kind:market", "ordinary"]),
)  # fmt: skip


@given(st.lists(rows, max_size=12))
def test_good_rows_never_pass_a_limit_or_repeat(listed) -> None:
    results = policy_money.check(listed, KNOWN, RULE, TODAY)
    assert [r.row for r in results] == listed
    good = [r for r in results if r.good]
    for account in KNOWN.values():
        for fund in ("coupon", "relief"):
            mine = [r.row for r in good if (r.account, r.row.fund) == (account, fund)]
            assert sum(row.amount or 0 for row in mine) <= RULE.person_krw
            assert len({row.last_day for row in mine}) == len(mine)
    assert policy_money.total(results) == sum(r.row.amount or 0 for r in good)


def test_the_batch_is_one_chain_that_ends() -> None:
    listed = [
        GOOD, replace(GOOD, number=2, person="?"), replace(GOOD, number=3, person="b@city"),
        replace(GOOD, number=4, fund="relief", amount=7),
    ]  # fmt: skip
    results = policy_money.check(listed, KNOWN, RULE, TODAY)
    made = policy_money.requests(
        results=results, city="pyeongtaek", grant_id="g", at=NOW, zone=SEOUL
    )
    assert [r.key for r in made] == ["grant:g:cover", "grant:g:1", "grant:g:3", "grant:g:4"]
    assert [r.linked for r in made] == [True, True, True, False]
    cover = {leg.source: leg.amount for leg in made[0].legs}
    assert cover == {"budget:policy:coupon": 200_000, "budget:policy:relief": 7}
    assert sum(leg.amount for r in made[1:] for leg in r.legs) == sum(cover.values())
    terms = made[1].legs[0].lot
    assert terms is not None
    assert (terms.fund, terms.merchant_rule, terms.refundable) == ("policy:coupon", "policy", False)
    assert terms.expires_at == datetime(2026, 12, 31, 15, tzinfo=UTC)
    assert policy_money.requests(results=(), city="p", grant_id="g", at=NOW, zone=SEOUL) == ()
