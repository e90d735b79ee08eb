"""Auditor's test 9, rounding: nothing between, one floor at issuance, the remainder carried."""

from datetime import date
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from footprint_world import SEOUL, World
from hypothesis import given
from hypothesis import strategies as st
from units_world import next_period, whole

from onsil import footprint
from onsil.core.periods import local_days
from onsil.footprint.credits import vintages
from onsil.footprint.issuance import issuance_amounts
from onsil.footprint.terms import RunLine

quantities = st.decimals(0, 10**7, places=24, allow_nan=False, allow_infinity=False)
weights = st.dictionaries(
    st.tuples(st.integers(2020, 2035), st.booleans()),
    st.decimals("0.001", 10**6, places=9, allow_nan=False, allow_infinity=False),
    min_size=1, max_size=6,
)  # fmt: skip


@given(st.lists(quantities, min_size=1, max_size=12), st.integers(0, 10_000))
def test_a_row_of_issuances_is_one_floor_of_the_sum(periods, buffer_bp):
    carried, issued = Decimal(0), 0
    for quantity in periods:
        made = issuance_amounts(quantity, carried, buffer_bp)
        issued, carried = issued + made.tonnes, made.carried_out_t
    with localcontext(vintages.EXACT):
        total = sum(periods, Decimal(0))
    assert issued == int(total // 1)
    assert carried == total - issued


@given(quantities.filter(bool), weights)
def test_a_division_into_vintages_adds_up_exactly(amount, given_weights):
    parts = vintages.shared(amount, given_weights)
    with localcontext(vintages.EXACT):
        assert sum(parts.values()) == amount
    assert set(parts) == set(given_weights)
    with localcontext(prec=120):
        total = sum(given_weights.values())
        for part, share in parts.items():
            assert abs(share - amount * given_weights[part] / total) < Decimal("1e-22")


@given(st.lists(weights, min_size=1, max_size=5))
def test_claims_are_added_without_loss(claims):
    with localcontext(vintages.EXACT):
        assert sum(vintages.added(claims).values()) == sum(sum(c.values()) for c in claims)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 800))
def test_the_calendar_counts_each_day_once(first, length):
    period = local_days(first, date.fromordinal(first.toordinal() + length), SEOUL)
    parts = vintages.by_calendar(period, SEOUL, lambda day: day.year >= 2026)
    assert sum(parts.values()) == length
    assert all(behind == (year >= 2026) for year, behind in parts)


def test_what_cannot_be_told_apart_is_not_divided():
    period = local_days(date(2025, 12, 1), date(2026, 2, 1), ZoneInfo("Asia/Seoul"))

    def by(*lines):
        return vintages.by_quantity(lines, period, SEOUL, lambda day: False)

    months = {"2025-11": Decimal(9), "2025-12": Decimal(3), "2026-01": Decimal(1)}
    known = RunLine("a#b", "solar-generation", Decimal(13), "Wh", months)
    assert by(known) == {(2025, False): Decimal(3), (2026, False): Decimal(1)}
    assert by(RunLine("a#b", "solar-generation", Decimal(13))) is None
    assert by(known, RunLine("c#d", "water-reused", Decimal(1), "m3", months)) is None


def test_no_gram_is_lost_over_issued_periods(world: World):
    made = [world.issued("3.7", 1500, first=date(2025, 6, 1))]
    for day in range(2, 5):
        period = next_period(world, "SOLAR-1", date(2025, 6, day), "3.7")
        one = footprint.issue(world.conn, "pyeongtaek", period.id, "o", world.clock)
        assert isinstance(one, footprint.CreditBatch)
        made.append(one)
    total = sum(one.quantified_t for one in made)
    assert sum(one.tonnes for one in made) == int(total // 1)
    assert made[-1].carried_out_t == total % 1
    whole(world)
