"""The daily proof: what is there against what could be asked for."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.canonical import digest
from onsil.ledger.rules import trust
from onsil.ledger.rules.trust import Liability, TrustRule

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
HELD = [
    Liability("citizen", "own", True, 60_000), Liability("citizen", "cashback:city", False, 4_000),
    Liability("citizen", "policy:a", False, 30_000), Liability("merchant", "own", True, 5_000),
    Liability("merchant", "policy:a", False, 1_000),
]  # fmt: skip
ALL = TrustRule()


def prove(balance: int, rule: TrustRule = ALL, held=HELD) -> trust.TrustProof:
    return trust.prove(
        as_of=NOW, trust=balance, liabilities=held, rule=rule, payable=700, interest=50
    )


@pytest.mark.parametrize(("balance", "covered"), [(100_000, True), (99_999, False)])
def test_everything_in_circulation_is_covered(balance: int, covered: bool) -> None:
    proof = prove(balance)
    assert (proof.circulating, proof.refundable) == (100_000, 66_000)
    assert (proof.required, proof.covered) == (100_000, covered)
    assert proof.surplus == balance - 100_000


def test_a_rule_may_count_what_can_be_refunded_or_a_part() -> None:
    assert prove(66_000, TrustRule("refundable")).covered
    assert prove(1, TrustRule(percent=Decimal("0.0005"))).required == 1
    assert prove(50_000, TrustRule(percent=Decimal(50))).surplus == 0


def test_insurance_counts_beside_the_balance_and_interest_never() -> None:
    insured = prove(90_000, TrustRule(means="insurance", insured_krw=10_000))
    assert insured.covered
    assert insured.cover == 100_000
    assert prove(99_950).interest == 50
    assert not prove(99_950).covered


@given(
    st.lists(
        st.builds(
            Liability, st.sampled_from(["citizen", "merchant"]), st.just("own"), st.booleans(),
            st.integers(0, 10**9),
        )
    ),
    st.integers(0, 10**10),
)  # fmt: skip
def test_the_figures_agree_with_one_another(held, balance) -> None:
    proof = prove(balance, held=held)
    assert 0 <= proof.refundable <= proof.circulating == sum(x.amount for x in held)
    assert proof.covered == (balance >= proof.circulating)
    strict, mild = prove(balance, held=held), prove(balance, TrustRule("refundable"), held)
    assert mild.covered or not strict.covered


def test_the_leaf_names_every_figure() -> None:
    proof = prove(100_000)
    told = trust.canonical(proof, "pyeongtaek")
    assert {told["trust_krw"], told["required_krw"], told["payable_krw"]} == {100_000, 700}
    assert digest(told) != digest(trust.canonical(replace(proof, interest=51), "pyeongtaek"))
