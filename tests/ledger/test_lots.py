"""Purses of layers of positions: each rule of taking and giving by itself, and all of them at once
against a purse in which every position stands alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.ledger.lots import (
    TermsBook,
    choose,
    give,
    live,
    restore,
    spendable,
    take,
    take_exactly,
)
from onsil.ledger.terms import LotFilter, LotTerms

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLAIN, MARKET, SOON, LATER, STATE = (
    LotTerms("city"),
    LotTerms("city", NOW + 9 * DAY, "market"),
    LotTerms("city", NOW + DAY),
    LotTerms("city", NOW + 2 * DAY),
    LotTerms("state"),
)


def book() -> TermsBook:
    """Numbers 1 to 5, in the order above."""
    return TermsBook(dict(enumerate((PLAIN, MARKET, SOON, LATER, STATE), 1)))


# Terms by number


def test_terms_are_known_by_number_whatever_their_origin():
    known = book()
    assert known.number(PLAIN) == 1
    assert known.number(STATE._replace(origin_kind="award", origin_id="7")) == 5
    assert known.fresh == []
    assert known.last == 5


def test_new_terms_get_the_next_number_and_lose_their_origin():
    known = book()
    made = known.number(LotTerms("gift", None, "", True, "award", "7"))
    assert made == 6
    assert known.terms[6] == LotTerms("gift", None, "", True)
    assert known.fresh == [6]
    assert known.last == 6
    assert known.number(LotTerms("gift", None, "", True, "award", "8")) == 6
    assert known.fresh == [6]


def test_a_book_begins_empty_and_numbers_from_one():
    known = TermsBook()
    assert (known.terms, known.fresh, known.last) == ({}, [], 0)
    assert known.number(PLAIN) == 1


def test_numbers_learnt_out_of_order_leave_the_last_one_standing():
    known = TermsBook()
    known.learn(9, PLAIN)
    known.learn(4, STATE)
    assert known.last == 9


def test_what_is_known_to_have_no_number_is_not_looked_for_again():
    known = book()
    gift = ("gift", None, "", False)
    assert known.knows(PLAIN[:4])
    assert not known.knows(gift)
    known.lacks([gift, PLAIN[:4]])
    known.lacks([("loan", None, "", False)])
    assert known.knows(gift)
    assert known.number(LotTerms(*gift)) == 6
    assert known.knows(gift)


def test_the_order_is_bound_first_then_expiry_then_age_then_number():
    known = book()
    layers = [[5, 0, 1, 0, 1], [1, 0, 1, 0, 1], [1, 7, 8, 7, 8], [4, 0, 1, 0, 1], [3, 9, 10, 9, 10],
              [2, 50, 51, 50, 51]]  # fmt: skip
    ordered = sorted(layers, key=known.order)
    assert [(layer[0], layer[1]) for layer in ordered] == [
        (2, 50), (3, 9), (4, 0), (1, 0), (5, 0), (1, 7)
    ]  # fmt: skip


# What may be spent


@pytest.mark.parametrize(
    ("terms", "only", "expected"),
    [
        (PLAIN, None, True),
        (SOON, None, True),
        (SOON._replace(expires_at=NOW), None, False),
        (SOON._replace(expires_at=NOW - DAY), None, False),
        (SOON._replace(expires_at=NOW), LotFilter(), False),
        (SOON._replace(expires_at=NOW), LotFilter(expired=True), True),
        (SOON, LotFilter(expired=True), False),
        (PLAIN, LotFilter(expired=True), False),
        (MARKET, None, True),
        (MARKET, LotFilter(), True),
        (MARKET, LotFilter(frozenset()), False),
        (MARKET, LotFilter(frozenset({"cafe"})), False),
        (MARKET, LotFilter(frozenset({"cafe", "market"})), True),
        (PLAIN, LotFilter(frozenset()), True),
        (PLAIN, LotFilter(frozenset({"market"})), True),
        (PLAIN, LotFilter(funds=frozenset({"city"})), True),
        (PLAIN, LotFilter(funds=frozenset({"state"})), False),
        (PLAIN, LotFilter(funds=frozenset()), False),
        (PLAIN, LotFilter(refundable=True), False),
        (PLAIN, LotFilter(refundable=False), True),
        (PLAIN._replace(refundable=True), LotFilter(refundable=True), True),
        (PLAIN._replace(refundable=True), LotFilter(refundable=False), False),
    ],
)
def test_what_a_leg_may_take(terms, only, expected):
    assert spendable(terms, only, NOW) is expected


# Choosing


def test_choosing_takes_nothing_and_goes_in_the_purses_order():
    purse = [[2, 0, 4, 0, 4], [3, 4, 9, 4, 9], [1, 9, 20, 9, 20]]
    before = [layer[:] for layer in purse]
    chosen, missing = choose(purse, book(), 6, None, NOW)
    assert chosen == [(purse[0], 4), (purse[1], 2)]
    assert missing == 0
    assert purse == before


def test_choosing_stops_where_the_amount_is_reached():
    purse = [[2, 0, 4, 0, 4], [3, 4, 9, 4, 9]]
    chosen, missing = choose(purse, book(), 4, None, NOW)
    assert (chosen, missing) == ([(purse[0], 4)], 0)


def test_choosing_passes_over_what_may_not_be_taken_and_tells_what_is_missing():
    purse = [[2, 0, 4, 0, 4], [3, 4, 9, 4, 6, 8, 9]]
    chosen, missing = choose(purse, book(), 9, LotFilter(frozenset()), NOW)
    assert chosen == [(purse[1], 3)]
    assert missing == 6
    assert choose(purse, book(), 9, LotFilter(expired=True), NOW) == ([], 9)


# Taking, giving, giving back


def test_how_much_is_there_is_the_sum_of_the_spans():
    assert live([1, 0, 9, 0, 3, 5, 9]) == 7
    assert live([1, 0, 9]) == 0


def test_taking_goes_from_the_oldest_position_across_spans():
    layer = [1, 0, 20, 2, 5, 8, 12]
    purse = [layer]
    assert take(purse, layer, 2) == [(2, 2)]
    assert layer == [1, 0, 20, 4, 5, 8, 12]
    assert take(purse, layer, 3) == [(4, 1), (8, 2)]
    assert layer == [1, 0, 20, 10, 12]
    assert take(purse, layer, 2) == [(10, 2)]
    assert purse == []


def test_taking_a_whole_span_leaves_the_next_one():
    layer = [1, 0, 20, 2, 5, 8, 12]
    assert take([layer], layer, 3) == [(2, 3)]
    assert layer == [1, 0, 20, 8, 12]


def test_giving_to_a_lot_goes_on_at_its_end():
    purse = [[1, 0, 6, 2, 6]]
    assert give(purse, book(), 1, 4, 50) == 6
    assert purse == [[1, 0, 10, 2, 10]]


def test_giving_after_its_last_positions_had_gone_begins_a_span():
    purse = [[1, 0, 6, 2, 4]]
    assert give(purse, book(), 1, 4, 50) == 6
    assert purse == [[1, 0, 10, 2, 4, 6, 10]]


def test_a_new_lot_begins_at_what_was_received_and_stands_in_order():
    purse = [[1, 0, 6, 2, 6]]
    assert give(purse, book(), 3, 4, 50) == 50
    assert purse == [[3, 50, 54, 50, 54], [1, 0, 6, 2, 6]]
    assert give(purse, book(), 5, 1, 54) == 54
    assert [layer[0] for layer in purse] == [3, 1, 5]


@pytest.mark.parametrize(
    ("start", "amount", "left"),
    [
        (2, 4, []),
        (2, 1, [[1, 0, 9, 3, 6]]),
        (5, 1, [[1, 0, 9, 2, 5]]),
        (3, 2, [[1, 0, 9, 2, 3, 5, 6]]),
    ],
)
def test_exact_positions_are_cut_out(start, amount, left):
    purse = [[1, 0, 9, 2, 6]]
    assert take_exactly(purse, 1, start, amount)
    assert purse == left


@pytest.mark.parametrize(
    ("terms", "start", "amount"), [(1, 1, 2), (1, 5, 2), (1, 6, 1), (1, 4, 6), (2, 2, 1)]
)
def test_positions_that_are_not_there_are_not_taken(terms, start, amount):
    purse = [[3, 0, 9, 0, 9], [1, 0, 20, 2, 6, 8, 12]]
    before = [layer[:] for layer in purse]
    assert not take_exactly(purse, terms, start, amount)
    assert purse == before


def test_a_span_is_cut_out_and_the_next_one_stays():
    purse = [[1, 0, 20, 2, 6, 8, 12]]
    assert take_exactly(purse, 1, 2, 4)
    assert purse == [[1, 0, 20, 8, 12]]


def test_the_second_span_is_found_too():
    purse = [[1, 0, 20, 2, 6, 8, 12]]
    assert take_exactly(purse, 1, 8, 4)
    assert purse == [[1, 0, 20, 2, 6]]


def test_what_is_given_back_to_an_empty_lot_keeps_its_place_and_age():
    purse = [[5, 3, 4, 3, 4]]
    assert restore(purse, book(), 1, 1, 2, 40)
    assert purse == [[1, 1, 40, 1, 3], [5, 3, 4, 3, 4]]
    assert give(purse, book(), 1, 2, 40) == 40


@pytest.mark.parametrize(
    ("start", "amount", "spans", "age"),
    [
        (6, 2, [4, 12], 3),
        (7, 1, [4, 6, 7, 12], 3),
        (6, 1, [4, 7, 8, 12], 3),
        (0, 2, [0, 2, 4, 6, 8, 12], 0),
        (2, 2, [2, 6, 8, 12], 2),
        (12, 3, [4, 6, 8, 15], 3),
    ],
)
def test_what_is_given_back_joins_its_neighbours(start, amount, spans, age):
    purse = [[1, 3, 20, 4, 6, 8, 12]]
    assert restore(purse, book(), 1, start, amount, 30)
    assert purse == [[1, age, 20, *spans]]


def test_giving_back_makes_a_lot_older_and_so_moves_it_forward():
    purse = [[1, 5, 9, 5, 9], [5, 9, 12, 9, 12]]
    assert restore(purse, book(), 5, 0, 2, 30)
    assert purse == [[5, 0, 12, 0, 2, 9, 12], [1, 5, 9, 5, 9]]


@pytest.mark.parametrize(("start", "amount"), [(3, 2), (5, 1), (11, 2), (4, 2), (0, 20), (18, 3)])
def test_positions_that_are_there_or_never_came_are_not_given_back(start, amount):
    purse = [[1, 3, 20, 4, 6, 8, 12]]
    before = [layer[:] for layer in purse]
    assert not restore(purse, book(), 1, start, amount, 20)
    assert purse == before


def test_the_last_position_ever_received_can_be_given_back():
    assert restore([], book(), 1, 18, 2, 20)
    assert not restore([], book(), 1, 19, 2, 20)


acts = st.lists(
    st.tuples(
        st.sampled_from(["give", "take", "exactly", "back"]), st.integers(1, 5), st.integers(1, 12),
        st.integers(0, 60),
    ),
    max_size=40,
)  # fmt: skip


@given(acts)
@settings(max_examples=150, deadline=None)
def test_layers_hold_what_single_positions_would(done):
    """No position of a lot is ever there twice, and the spans stay apart and ascending."""
    known, purse, received = book(), [], 0
    there: dict[int, set[int]] = {n: set() for n in range(1, 6)}
    gone: dict[int, set[int]] = {n: set() for n in range(1, 6)}
    for act, terms, amount, place in done:
        wanted = set(range(place, place + amount))
        if act == "give":
            made = give(purse, known, terms, amount, received)
            new = set(range(made, made + amount))
            assert new.isdisjoint(there[terms] | gone[terms])
            there[terms] |= new
            received += amount
        elif act == "take":
            chosen, _ = choose(purse, known, amount, None, NOW)
            for layer, part in chosen:
                number, oldest = layer[0], sorted(there[layer[0]])[:part]
                taken = [p for start, size in take(purse, layer, part)
                         for p in range(start, start + size)]  # fmt: skip
                assert taken == oldest
                there[number] -= set(taken)
                gone[number] |= set(taken)
        elif act == "exactly":
            assert take_exactly(purse, terms, place, amount) == (wanted <= there[terms])
            if wanted <= there[terms]:
                there[terms] -= wanted
                gone[terms] |= wanted
        elif wanted <= gone[terms]:
            assert restore(purse, known, terms, place, amount, received)
            there[terms] |= wanted
            gone[terms] -= wanted
        held = {
            layer[0]: {p for n in range(3, len(layer), 2) for p in range(layer[n], layer[n + 1])}
            for layer in purse
        }
        assert held == {terms: found for terms, found in there.items() if found}
        for layer in purse:
            spans = layer[3:]
            assert spans == sorted(set(spans)), "ascending and apart"
            assert layer[1] <= spans[0]
            assert spans[-1] <= layer[2] <= received
        assert purse == sorted(purse, key=known.order)
