"""References, contacts, deposits and parts of payments: the pure rules."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.citizen import contact, deposits, parts, reference
from onsil.core.refusal import Refusal
from onsil.ledger import LotTerms


def test_the_check_digit_is_that_of_the_standard():
    assert reference.check_digit("0794") == "5"  # ISO 7064:2003, example of MOD 11,10


@given(st.integers(0, 10**12 - 1), st.integers(0, 13), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(number: int, place: int, change: int):
    right = reference.new_reference(lambda _: number)
    assert reference.is_reference(right)
    wrong = right[:place] + str((int(right[place]) + change) % 10) + right[place + 1 :]
    assert not reference.is_reference(wrong)


@given(st.integers(0, 10**12 - 1))
def test_a_reference_is_found_however_it_is_grouped(number: int):
    right = reference.new_reference(lambda _: number)
    assert reference.find_reference(right) == right
    assert reference.find_reference(f"충전 {reference.grouped(right)} 홍길동") == right
    assert reference.find_reference(f"{right} {right}") in (right, None)


def test_no_reference_and_two_are_none():
    one, two = (reference.new_reference(lambda _, n=n: n) for n in (1, 2))
    assert reference.find_reference("010-1234-5678") is None
    assert reference.find_reference(f"{one}/{two}") is None


@pytest.mark.parametrize(
    ("order", "amount", "code"),
    [
        (None, 10, "deposit-unknown-reference"),
        (deposits.Order(10, date(2026, 1, 2), "done"), 10, "deposit-order-paid"),
        (deposits.Order(10, date(2026, 1, 2), "given-up"), 10, "deposit-order-cancelled"),
        (deposits.Order(10, date(2026, 1, 2), "lapsed"), 10, "deposit-too-late"),
        (deposits.Order(10, date(2026, 1, 1), "open"), 10, "deposit-too-late"),
        (deposits.Order(11, date(2026, 1, 2), "open"), 10, "deposit-amount-differs"),
        (deposits.Order(10, date(2026, 1, 2), "open"), 10, None),
    ],
)
def test_a_deposit_pays_only_the_order_it_fits(order, amount: int, code: str | None):
    no = deposits.why_not(order, amount, date(2026, 1, 2))
    assert (no.code if isinstance(no, Refusal) else None) == code


TERMS = st.sampled_from([LotTerms(fund="own"), LotTerms(fund="policy:x", merchant_rule="policy")])
STRETCHES = st.lists(
    st.builds(parts.Stretch, TERMS, st.integers(0, 99), st.integers(0, 99), st.integers(1, 50)),
    min_size=1, max_size=6,
)  # fmt: skip


@given(STRETCHES, st.data())
def test_splitting_keeps_every_position(taken, data):
    whole = sum(one.amount for one in taken)
    amount = data.draw(st.integers(0, whole))
    before, after = parts.split(taken, amount)
    assert sum(one.amount for one in before) == amount

    def positions(some):
        return [(s.terms, s.taken + n, s.made + n) for s in some for n in range(s.amount)]

    assert positions(before) + positions(after) == positions(taken)
    assert sum(p.amount for p in parts.parts(taken)) == whole
    with pytest.raises(ValueError, match="there are not"):
        parts.split(taken, whole + 1)


@pytest.mark.parametrize(
    ("text", "number"),
    [("010-1234-5678", "821012345678"), ("+82 10 1234 5678", "821012345678"),
     ("02-123-4567", None), ("010-123-456", None), ("", None)],
)  # fmt: skip
def test_mobile_numbers(text: str, number: str | None):
    assert contact.phone_number(text) == number


@pytest.mark.parametrize(
    ("name", "shown"),
    [("김철수", "김*수"), ("김수", "김*"), ("남궁철수", "남**수"), ("Dana Cole", "D* C*"),
     ("", "*"), ("데모 시민 1", "데* 시* 1*")],
)  # fmt: skip
def test_names_are_told_in_part(name: str, shown: str):
    assert contact.masked(name) == shown


def test_codes_are_read_however_they_are_typed():
    assert contact.member_code("abcd 2345") == "ABCD2345"
    assert contact.member_code("ABCD-0345") is None
    assert contact.member_code(contact.new_code())
