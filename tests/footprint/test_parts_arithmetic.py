"""Parts of a claim: whatever they are, together they are never more than the whole."""

from dataclasses import replace
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
from onsil.footprint.claims.parts import Part, part_of, span_of
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


def test_meters_of_one_quantity_are_taken_together():
    """(1 + 5) of (4 + 6) on the first day; a quantity of nothing says nothing."""
    found = run(line(1, 3), line(5, 1, meter="n"), line(0, 0, quantity="none"), days=2)
    first = taken(found, days(0, 1))
    assert first.co2e_t == Decimal("1.8")
    assert [one.meter for one in first.lines] == ["m", "n"]


def test_a_part_says_what_it_is_of():
    parts = {"2025-06-01": Decimal(30), "2025-06-02": Decimal(60)}
    driven = RunLine("car", "distance", Decimal(90), "km", parts)
    idle = RunLine("van", "distance", Decimal(7), "km", {"2025-06-02": Decimal(7)})
    made = taken(run(driven, idle), days(0, 1), (0, 5_000))
    assert made.period == days(0, 1)
    assert made.lines == (RunLine("car", "distance", Decimal(15), "km"),)
    assert isinstance(made.energy_wh, Decimal)
    assert made.energy_wh == 0
    found = run(driven)
    assert taken(found, None).period == found.period


def test_a_run_without_quantities_is_claimed_whole():
    assert taken(run(co2e_t="7"), None, (0, 5_000)).co2e_t == Decimal("3.5")


def test_a_run_that_begins_within_a_day_has_parts_from_there():
    whole = days(0, 2)
    begun = Period(whole.start + timedelta(hours=6), whole.end - timedelta(hours=6))
    found = replace(run(line(1, 3)), period=begun)
    for part, amount in (
        (Period(begun.start, days(0, 1).end), 1),
        (Period(days(1, 2).start, begun.end), 3),
    ):
        assert taken(found, part).lines[0].amount == amount


def test_months_are_parts_too():
    months = {"2025-10": Decimal(4), "2025-11": Decimal(2)}
    found = replace(
        run(RunLine("m", "q", Decimal(6), parts=months)),
        period=local_days(date(2025, 10, 1), date(2025, 12, 1), SEOUL),
    )
    november = local_days(date(2025, 11, 1), date(2025, 12, 1), SEOUL)
    assert taken(found, november).lines[0].amount == 2
    assert span_of("2025-11", SEOUL) == november
    assert span_of("2025-11-30", SEOUL).end == november.end
    half = local_days(date(2025, 11, 1), date(2025, 11, 16), SEOUL)
    answer = part_of(found, (0, 10_000), half, SEOUL)
    assert isinstance(answer, Refusal)
    assert answer.code == "part-cut"
    assert answer.facts["run"] == str(found.id)
    assert answer.facts["end"] == half.end.isoformat()


def test_no_digit_is_lost_in_a_callers_arithmetic():
    amounts = [Decimal("1.2345678901"), Decimal("0.0000000002"), Decimal(3)]
    parts = {(FIRST + timedelta(days=i)).isoformat(): one for i, one in enumerate(amounts)}
    found = run(replace(line(1), amount=sum(amounts, Decimal(0)), parts=parts))
    with localcontext(Context(prec=4)):
        made = taken(found, days(0, 2), deduct_pct={"m": Decimal(10)})
    assert made.lines[0].amount == Decimal("1.11111110127")


def test_what_is_deducted_lowers_amount_and_tonnes():
    made = taken(run(line(1, 2, 3)), None, deduct_pct={"m": Decimal(50)})
    assert (made.lines[0].amount, made.co2e_t) == (3, Decimal("1.5"))
    first = taken(run(line(1, 2, 3)), days(0, 2), deduct_pct={"m": Decimal(50)})
    assert (first.lines[0].amount, first.co2e_t) == (Decimal("1.5"), Decimal("0.75"))
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
    assert answer.ko
    assert answer.en
    assert answer.facts == {
        "run": "00000000-0000-0000-0000-000000000001",
        "start": period.start.isoformat(), "end": period.end.isoformat(),
    }  # fmt: skip


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
