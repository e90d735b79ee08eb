"""The rules: what each explains and what it leaves, whatever the order of the input."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reconciliation.lines import DAY, bank, book, rule
from onsil.ledger.reconciliation import findings, match
from onsil.ledger.reconciliation.matching import shared_reference

REF = "91234567890128"


def pairs(found) -> list[tuple[set[str], set[str]]]:
    return [({b.text for b in m.bank}, {b.text for b in m.book}) for m in found.matches]


def test_a_reference_and_the_amount_make_a_pair():
    one = bank("a", 5_000, text="a", reference=f"충전 {REF[:4]}-{REF[4:]}")
    right = book("x", 5_000, -1, text="x", reference=REF)
    wrong = book("y", 5_000, text="y", reference="98888888888888")
    found = match([one], [wrong, right], [rule("reference")])
    assert pairs(found) == [({"a"}, {"x"})]
    assert REF in found.matches[0].why.ko
    assert found.book == (wrong,)


def test_a_reference_with_another_amount_explains_nothing():
    found = match([bank("a", 5_000, reference=REF)], [book("x", 4_999, reference=REF)],
                  [rule("reference")])  # fmt: skip
    assert found.matches == ()


def test_a_fee_may_be_missing_only_where_the_rule_says_so():
    one, other = bank("a", 4_900, reference=REF), book("x", 5_000, reference=REF)
    assert match([one], [other], [rule("reference", tolerance=99)]).matches == ()
    found = match([one], [other], [rule("reference", tolerance=100)])
    assert found.matches[0].difference == -100
    assert "수수료 100원" in found.matches[0].why.ko
    more = bank("b", 5_100, reference=REF)
    assert match([more], [other], [rule("reference", tolerance=100)]).matches == ()


def test_short_references_are_no_references():
    assert shared_reference(bank("a", 1, reference="12345"), book("x", 1, reference="12345")) == ""


@pytest.mark.parametrize(
    ("days", "held"), [(-2, False), (-1, True), (0, True), (3, True), (4, False)]
)
def test_the_banks_day_must_lie_in_the_window(days: int, held: bool):
    found = match([bank("a", 700, days)], [book("x", 700)],
                  [rule("window", days_before=1, days_after=3)])  # fmt: skip
    assert bool(found.matches) is held


def test_two_of_a_kind_are_left_to_people_unless_the_rule_takes_the_oldest():
    ones = [bank("a", 700, 0, text="a"), bank("b", 700, 1, text="b")]
    others = [book("x", 700, 0, text="x"), book("y", 700, 1, text="y")]
    assert match(ones, others, [rule("window")]).matches == ()
    found = match(ones, others, [rule("window", choose="oldest")])
    assert pairs(found) == [({"a"}, {"x"}), ({"b"}, {"y"})]


def test_one_choice_for_the_bank_is_not_enough_when_the_book_has_two():
    ones = [bank("a", 700), bank("b", 700, 1)]
    assert match(ones, [book("x", 700)], [rule("window")]).matches == ()


def test_a_payout_files_total_is_one_line_of_the_bank():
    others = [book(f"x{i}", -1_000 * i, text=f"x{i}", kind="payout", origin_kind="settlement",
                   origin_id="s1") for i in (1, 2, 3)]  # fmt: skip
    stray = book("z", -6_000, text="z", kind="payout", origin_kind="settlement", origin_id="s2",
                 days=30)  # fmt: skip
    files = rule("many-to-one", group=("origin",), book_kinds=frozenset({"payout"}))
    found = match([bank("a", -6_000, 1, text="a")], [*others, stray], [files])
    assert pairs(found) == [({"a"}, {"x1", "x2", "x3"})]
    assert "1:3줄" in found.matches[0].why.ko


def test_a_transfer_sent_in_parts():
    ones = [bank(f"a{i}", -500, text=f"a{i}", reference="PART-77") for i in (1, 2)]
    found = match(ones, [book("x", -1_000, text="x")], [rule("one-to-many", group=("reference",))])
    assert pairs(found) == [({"a1", "a2"}, {"x"})]


def test_what_the_books_moved_and_moved_back_needs_no_bank():
    out, back = book("x", -700, text="x"), book("y", 700, 1, text="y", reverses=None)
    assert match([], [out, back], [rule("cancel")]).matches == ()
    from dataclasses import replace

    assert pairs(match([], [out, replace(back, reverses=out.transfer_id)], [rule("cancel")])) == [
        (set(), {"x", "y"})
    ]
    named = [replace(line, reference=REF) for line in (out, back)]
    assert len(match([], named, [rule("cancel")]).matches) == 1
    far = [named[0], replace(named[1], day=named[1].day.replace(month=12))]
    assert match([], far, [rule("cancel")]).matches == ()


def test_a_rule_is_only_about_the_books_it_names():
    others = [book("x", 300, text="reserve:points"), book("y", 400, text="budget:cashback:a")]
    stray = book("z", 500, text="external:bank")
    sweep = rule("many-to-one", group=("day",), books=("reserve:", "budget:"))
    found = match([bank("a", 700)], [*others, stray], [sweep])
    assert found.book == (stray,)


def test_lines_without_what_a_group_is_made_of_are_in_none():
    others = [book("x", 300), book("y", 400)]
    found = match([bank("a", 700)], others, [rule("many-to-one", group=("origin",))])
    assert found.matches == ()


def test_rules_are_tried_in_their_order():
    others = [book("x", 700, text="x", reference=REF), book("y", 700, 1, text="y")]
    one = bank("a", 700, 1, text="a", reference=REF)
    rules = [rule("reference"), rule("window", choose="oldest")]
    assert pairs(match([one], others, rules)) == [({"a"}, {"x"})]
    assert pairs(match([one], others, rules[::-1])) == [({"a"}, {"y"})]


_lines = st.lists(
    st.tuples(st.sampled_from([-300, -200, -100, 100, 200, 300, 400]), st.integers(0, 6),
              st.sampled_from(["", "REF-0001", "REF-0002", "REF-0003"]),
              st.sampled_from(["", "s1", "s2"])),
    max_size=12,
)  # fmt: skip
_RULES = [
    rule("reference", tolerance=100), rule("many-to-one", group=("origin",), choose="oldest"),
    rule("one-to-many", group=("day", "reference"), choose="oldest"), rule("window"),
    rule("cancel"),
    rule("window", choose="oldest", days_before=6, days_after=6),
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(ones=_lines, others=_lines, rules=st.permutations(_RULES), data=st.data())
def test_matched_and_open_are_everything_once_in_any_order(ones, others, rules, data):
    banks = [bank(f"b{i}", a, d, reference=r) for i, (a, d, r, _) in enumerate(ones)]
    books = [
        book(f"k{i}", a, d, reference=r, origin_kind="settlement" if o else "", origin_id=o)
        for i, (a, d, r, o) in enumerate(others)
    ]
    found = match(banks, books, rules)
    held = [x for m in found.matches for x in (*m.bank, *m.book)]
    every = [*held, *found.bank, *found.book]
    assert sorted(x.id for x in every) == sorted(x.id for x in (*banks, *books))
    for one in found.matches:
        assert one.book
        assert one.bank or one.rule == "cancel"
        assert 0 <= -one.difference <= one.tolerance
    matched = sum(m.bank_sum for m in found.matches)
    assert matched + sum(x.amount for x in found.bank) == sum(x.amount for x in banks)
    mixed = match(data.draw(st.permutations(banks)), data.draw(st.permutations(books)), rules)
    assert mixed == found


def kinds(bank_lines, book_lines, settled=(), days=5, grace=1) -> list[tuple[str, str]]:
    found = findings(bank_lines, book_lines, settled, DAY + timedelta(days=days), grace)
    return [(f.line.text, f.problem) for f in found]


def test_each_open_line_is_told_what_is_wrong_with_it():
    assert kinds([bank("a", 100, text="a")], []) == [("a", "missing-in-ledger")]
    assert kinds([], [book("x", 100, text="x")]) == [("x", "missing-in-bank")]


def test_a_wrong_amount_a_late_line_and_a_second_telling_are_recognised():
    one, other = bank("a", 100, text="a", reference=REF), book("x", 90, text="x", reference=REF)
    assert sorted(kinds([one], [other])) == [("a", "amount-differs"), ("x", "amount-differs")]
    late = kinds([bank("a", 100, 20, text="a")], [book("x", 100, text="x")], days=30)
    assert sorted(late) == [("a", "late"), ("x", "late")]
    twin = bank("b", 100, text="a", reference=REF)
    assert kinds([twin], [], settled=[one]) == [("a", "duplicate")]
    assert sorted(kinds([one, twin], [])) == [("a", "duplicate"), ("a", "missing-in-ledger")]


def test_money_under_way_is_no_exception_before_its_time():
    assert kinds([], [book("x", 100, text="x")], days=1, grace=1) == []
    assert kinds([], [book("x", 100, text="x")], days=2, grace=1) == [("x", "missing-in-bank")]


def test_what_two_lines_sum_to_is_suggested():
    found = findings([bank("a", 700)], [book("x", 300), book("y", 400), book("z", 50)], (),
                     DAY + timedelta(days=1), 1)  # fmt: skip
    assert {o.amount for o in found[0].others} == {300, 400}


@settings(max_examples=100, deadline=None)
@given(ones=_lines, others=_lines, data=st.data())
def test_every_open_line_has_one_finding_in_any_order(ones, others, data):
    banks = [bank(f"b{i}", a, d, reference=r) for i, (a, d, r, _) in enumerate(ones)]
    books = [book(f"k{i}", a, d, reference=r) for i, (a, d, r, _) in enumerate(others)]
    today = DAY + timedelta(days=60)
    found = findings(banks, books, (), today, 1)
    assert sorted(f.line.id for f in found) == sorted(x.id for x in (*banks, *books))
    assert [f.age_days for f in found] == sorted((f.age_days for f in found), reverse=True)
    mixed = findings(data.draw(st.permutations(banks)), data.draw(st.permutations(books)), (),
                     today, 1)  # fmt: skip
    assert [(f.line.id, f.problem) for f in mixed] == [(f.line.id, f.problem) for f in found]
