"""Parts of a claim: whatever they are, together they are never more than the whole."""

from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint.claims.parts import Part, part_of
from onsil.footprint.terms import QUANTIFIED, Run, RunLine

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2025, 6, 1)


def run(*lines: RunLine, co2e_t: str = "3", days: int = 3) -> Run:
    period = local_days(FIRST, FIRST + timedelta(days=days), SEOUL)
    return Run(
        UUID(int=1), "solar-self-consumption", "1", QUANTIFIED, None, period, Decimal(co2e_t),
        Decimal(0), lines, "", "", "", "", "tester", datetime(2025, 7, 1, tzinfo=UTC),
    )  # fmt: skip


def line(*amounts: str | int, meter: str = "m", quantity: str = "solar-generation") -> RunLine:
    parts = {
        (FIRST + timedelta(days=i)).isoformat(): Decimal(amount) for i, amount in enumerate(amounts)
    }
    return RunLine(meter, quantity, sum(parts.values(), Decimal(0)), parts=parts)


def days(first: int, end: int) -> Period:
    return local_days(FIRST + timedelta(days=first), FIRST + timedelta(days=end), SEOUL)


def taken(found: Run, period: Period | None, shares: tuple[int, int] = (0, 10_000), **kw) -> Part:
    made = part_of(found, shares, period, SEOUL, **kw)
    assert isinstance(made, Part), made
    return made


def test_the_whole_is_the_run_itself():
    found = run(line(1, 2, 3))
    whole = taken(found, None)
    assert (whole.co2e_t, whole.energy_wh) == (3, 6)
    assert taken(found, found.period) == whole
    assert whole.lines[0].amount == 6


def test_a_day_takes_its_own_share_of_the_tonnes():
    found = run(line(1, 2, 5))
    assert taken(found, days(1, 2)).co2e_t == Decimal("0.75")
    assert taken(found, days(1, 2)).lines[0].amount == 2
    assert taken(found, days(0, 2), (2_500, 5_000)).lines[0].amount == Decimal("0.75")


def test_tonnes_go_by_the_quantity_of_which_least_falls_into_the_part():
    found = run(line(1, 3), line(2, 2, meter="n", quantity="electricity-saved"), days=2)
    assert taken(found, days(0, 1)).co2e_t == Decimal("0.75")


def test_what_is_deducted_lowers_amount_and_tonnes():
    made = taken(run(line(1, 2, 3)), None, deduct_pct={"m": Decimal(50)})
    assert (made.lines[0].amount, made.co2e_t) == (3, Decimal("1.5"))
    other = taken(run(line(1, 2, 3)), None, deduct_pct={"other": Decimal(50)})
    assert other.co2e_t == 3


@pytest.mark.parametrize(
    ("lines", "period", "code"),
    [
        ((line(1, 2, 3),), days(-1, 1), "part-outside"),
        ((line(1, 2, 3),), days(2, 4), "part-outside"),
        ((RunLine("m", "solar-generation", Decimal(6)),), days(0, 1), "part-unknown"),
        ((line(4, -1, 3),), days(0, 1), "part-signed"),
        ((line(0, 2, 3),), days(0, 1), "part-empty"),
        (
            (line(1, 2, 3),),
            Period(days(0, 1).start, days(0, 1).end - timedelta(hours=1)),
            "part-cut",
        ),
    ],
)
def test_what_is_no_part_is_refused(lines, period, code):
    answer = part_of(run(*lines), (0, 10_000), period, SEOUL)
    assert isinstance(answer, Refusal)
    assert answer.code == code


@given(
    st.lists(st.decimals(0, 9, places=3), min_size=2, max_size=6).filter(lambda v: min(v) > 0),
    st.lists(st.integers(1, 9_999), max_size=4, unique=True),
)
@settings(deadline=None, max_examples=40)
def test_all_parts_and_shares_together_never_exceed_the_whole(amounts, cuts):
    found = run(line(*amounts), days=len(amounts), co2e_t="1.234567890123456789")
    bounds = [0, *sorted(cuts), 10_000]
    made = [
        taken(found, days(i, i + 1), (low, high))
        for i in range(len(amounts))
        for low, high in pairwise(bounds)
    ]
    with localcontext(Context(prec=100)):
        total = sum((one.co2e_t for one in made), Decimal(0))
    assert total <= found.co2e_t
    assert found.co2e_t - total < Decimal("1e-20")
    assert sum((one.lines[0].amount for one in made), Decimal(0)) <= found.lines[0].amount
