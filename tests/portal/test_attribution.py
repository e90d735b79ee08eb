"""Every won of a purchase has exactly one source."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.portal.trace.attribution import Part, parts_of


def test_a_payment_draws_on_two_awards():
    awards = [Part("july", 1500), Part("bus", 500)]
    assert [p for p, _ in parts_of(awards, 2000, 0, 1200)] == [Part("july", 1200)]
    assert [p for p, _ in parts_of(awards, 2000, 1200, 2000)] == [
        Part("july", 300),
        Part("bus", 500),
    ]


def test_the_stretch_of_the_source_goes_on_where_the_payment_before_ended():
    ((_, first),) = parts_of([Part("july", 1500)], 1500, 0, 400)
    ((_, second),) = parts_of([Part("july", 1500)], 1500, 400, 1500)
    assert (first, second) == ((0, 400), (400, 1500))


def test_a_stretch_outside_the_lot_is_a_defect():
    with pytest.raises(ValueError, match="stretch"):
        parts_of([Part("a", 10)], 10, 5, 11)
    with pytest.raises(ValueError, match="stretch"):
        parts_of([], 10, 0, 1)


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.lists(st.integers(1, 5000), min_size=1, max_size=6),
    rate=st.tuples(st.integers(1, 3), st.integers(1, 7)),
    cuts=st.lists(st.integers(0, 100), max_size=5),
)
def test_payments_that_empty_a_lot_use_every_source_up(amounts, rate, cuts):
    """However a lot is cut into payments, each payment's parts add up to it, and the parts of one
    source over all payments add up to that source's share of the lot."""
    sources = [Part(str(i), a) for i, a in enumerate(amounts)]
    whole = sum(amounts)
    total = max(1, whole * rate[1] // rate[0])
    bounds = sorted({0, total, *(total * c // 100 for c in cuts)})
    used = dict.fromkeys((p.source for p in sources), 0)
    reached = dict.fromkeys((p.source for p in sources), 0)
    for start, end in pairwise(bounds):
        parts = parts_of(sources, total, start, end)
        assert sum(p.amount for p, _ in parts) == end - start
        for part, (first, last) in parts:
            used[part.source] += part.amount
            assert first == reached[part.source]
            reached[part.source] = last
    before = 0
    for source in sources:
        share = (before + source.amount) * total // whole - before * total // whole
        before += source.amount
        assert used[source.source] == share
        if share:
            assert reached[source.source] == source.amount
