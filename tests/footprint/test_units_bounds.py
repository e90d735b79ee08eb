"""Spans of serials, vintages, issuances and totals at their edges, by hand."""

from datetime import date
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

import pytest

from onsil.core.periods import Period, local_days
from onsil.footprint.credits import spans, vintages
from onsil.footprint.inventory.combining import summary, term
from onsil.footprint.issuance import IssuanceAmounts, issuance_amounts, tiered
from onsil.footprint.terms import RunLine

SEOUL = ZoneInfo("Asia/Seoul")
NEW_YEAR = local_days(date(2025, 12, 30), date(2026, 1, 3), SEOUL)


# ------------------------------------------------------------------------------------ issuance


@pytest.mark.parametrize(
    ("quantified", "carried", "buffer_bp", "made"),
    [
        ("10.7", "0.5", 2_000, IssuanceAmounts(11, 3, Decimal("0.2"))),  # 2.2 in the buffer: 3
        ("10", "0", 2_000, IssuanceAmounts(10, 2, Decimal(0))),
        ("0.999", "0", 2_000, IssuanceAmounts(0, 0, Decimal("0.999"))),
        ("0.3", "0.7", 1, IssuanceAmounts(1, 1, Decimal(0))),
        ("7", "0", 0, IssuanceAmounts(7, 0, Decimal(0))),
        ("7", "0", 10_000, IssuanceAmounts(7, 7, Decimal(0))),
        ("0", "0", 10_000, IssuanceAmounts(0, 0, Decimal(0))),
    ],
)
def test_whole_tonnes_with_the_buffer_rounded_up(quantified, carried, buffer_bp, made):
    found = issuance_amounts(Decimal(quantified), Decimal(carried), buffer_bp)
    assert found == made
    assert isinstance(found.buffer_tonnes, int)
    assert found.project_tonnes == made.tonnes - made.buffer_tonnes


@pytest.mark.parametrize(
    ("quantified", "carried", "buffer_bp"),
    [("-0.001", "0.9", 0), ("1", "1", 0), ("1", "-0.001", 0), ("1", "0", 10_001), ("1", "0", -1)],
)
def test_what_cannot_be_is_an_error(quantified, carried, buffer_bp):
    with pytest.raises(AssertionError):
        issuance_amounts(Decimal(quantified), Decimal(carried), buffer_bp)


def test_the_remainder_keeps_every_digit():
    long = Decimal("1.00000000000000000000000000000000000000000000000001")
    with localcontext(prec=6):
        found = issuance_amounts(long, Decimal(0), 0).carried_out_t
    assert found == Decimal("1e-50")


def test_steps_begin_where_the_last_ended_and_none_goes_back():
    """10 at 1:1 and 20 at 2:1 are 20 units; a step with an earlier end adds nothing."""
    steps = ((10, 1), (30, 2), (None, 5))
    assert [tiered(Decimal(v), steps) for v in ("0", "0.5", "10", "30", "32.5")] == [
        0, Decimal("0.5"), 10, 20, Decimal("20.5"),
    ]  # fmt: skip
    assert tiered(Decimal(40), ((30, 2), (10, 1), (None, 5))) == 17
    for volume in ("-0.001", "-1"):
        with pytest.raises(AssertionError):
            tiered(Decimal(volume), steps)
    with localcontext(prec=4):
        assert tiered(Decimal("1.23456789"), steps) == Decimal("1.23456789")


# --------------------------------------------------------------------------------------- spans


def test_spans_that_touch_are_one_and_overlapping_or_empty_ones_are_an_error():
    assert spans.joined([(5, 9), (1, 5), (10, 11)]) == ((1, 9), (10, 11))
    for wrong in ([(1, 5), (4, 9)], [(1, 5), (1, 5)], [(3, 3)], [(4, 3)]):
        with pytest.raises(AssertionError):
            spans.joined(wrong)


def test_the_lowest_serials():
    held = [(1, 4), (10, 12)]
    assert spans.lowest(held, 0) == ()
    assert spans.lowest(held, 1) == ((1, 2),)
    assert spans.lowest(held, 3) == ((1, 4),)
    assert spans.lowest(held, 4) == ((1, 4), (10, 11))
    assert spans.lowest(held, 5) == ((1, 4), (10, 12))
    assert spans.lowest(held, 6) is None


def test_what_is_common_and_what_is_left():
    assert spans.common([(1, 5), (8, 12)], [(4, 9)]) == ((4, 5), (8, 9))
    assert spans.common([(1, 5)], [(5, 9)]) == ()
    assert spans.without([(1, 20)], [(0, 2), (5, 6), (8, 9), (19, 25)]) == (
        (2, 5), (6, 8), (9, 19),
    )  # fmt: skip
    assert spans.without([(1, 5), (7, 9)], [(1, 5)]) == ((7, 9),)
    assert spans.without([(3, 5)], [(1, 3), (5, 6)]) == ((3, 5),)
    assert spans.without([(3, 5), (20, 22)], [(1, 10), (20, 21)]) == ((21, 22),)


def test_serials_are_said_first_and_last():
    assert spans.said([(1, 41), (61, 62)]) == "1…40, 61…61"
    assert spans.count([(1, 41), (61, 62)]) == 41
    assert spans.holds([(1, 5), (5, 9)], [(2, 8)])
    assert not spans.holds([(1, 5)], [(4, 6)])


# ------------------------------------------------------------------------------------ vintages


def parts(**days: int) -> dict[str, Decimal]:
    return {day[1:].replace("_", "-"): Decimal(n) for day, n in days.items()}


def line(meter: str, held: dict[str, Decimal], unit: str = "Wh", quantity: str = "q") -> RunLine:
    return RunLine(meter, quantity, sum(held.values(), Decimal(0)), unit, held)


def by(*lines: RunLine, period: Period = NEW_YEAR):
    return vintages.by_quantity(lines, period, SEOUL, lambda day: day >= date(2026, 1, 2))


def test_days_of_a_period_are_divided_at_the_year_and_the_gate():
    one = parts(d2025_12_29=9, d2025_12_30=1, d2026_01_01=2, d2026_01_02=4, d2026_01_03=9)
    two = parts(d2025_12_31=10, d2026_01_02=20)
    assert by(line("a", one), line("b", two)) == {
        (2025, False): 11, (2026, False): 2, (2026, True): 24,
    }  # fmt: skip
    assert vintages.by_calendar(NEW_YEAR, SEOUL, lambda day: day >= date(2026, 1, 2)) == {
        (2025, False): 2, (2026, False): 1, (2026, True): 1,
    }  # fmt: skip


def test_what_cannot_be_added_or_is_nothing_is_not_told():
    held = parts(d2025_12_30=1)
    assert by(line("a", held), line("b", held, unit="m3")) is None
    assert by(line("a", held), line("b", held, quantity="other")) is None
    assert by(line("a", parts(d2025_12_30=0))) is None
    assert by(line("a", parts(d2025_12_29=1))) is None
    assert by() is None
    assert by(line("a", {"2025-12-30": Decimal("0.5")})) == {(2025, False): Decimal("0.5")}


def test_months_fall_into_the_year_they_name():
    found = vintages.by_quantity(
        [line("a", parts(d2025_12=3, d2026_01=1))],
        local_days(date(2025, 12, 1), date(2026, 2, 1), SEOUL), SEOUL,
        lambda day: day == date(2025, 12, 1),
    )  # fmt: skip
    assert found == {(2025, True): 3, (2026, False): 1}


def test_shares_have_24_places_and_the_last_takes_what_is_left():
    weights = {(2026, False): Decimal(1), (2025, False): Decimal(2), (2027, False): Decimal(0)}
    with localcontext(prec=6):
        found = vintages.shared(Decimal(1), weights)
    assert found == {
        (2025, False): Decimal("0.666666666666666666666667"),
        (2026, False): Decimal("0.333333333333333333333333"),
    }
    third = vintages.shared(Decimal("0.3"), {(2025, False): Decimal("0.5")})
    assert third == {(2025, False): Decimal("0.3")}
    with pytest.raises(AssertionError):
        vintages.shared(Decimal(1), {(2025, False): Decimal(0)})


def test_a_half_in_the_last_place_goes_to_the_even_digit():
    halves = {(2025, False): Decimal(1), (2026, False): Decimal(1)}
    found = vintages.shared(Decimal("5e-24"), halves)
    assert found == {(2025, False): Decimal("2e-24"), (2026, False): Decimal("3e-24")}


def test_claims_are_added_in_order_without_what_is_nothing():
    one = {(2026, False): Decimal("0.5"), (2025, True): Decimal(2)}
    two = {(2025, True): Decimal("0.00000000001"), (2024, False): Decimal(0)}
    with localcontext(prec=6):
        found = vintages.added([one, two])
    assert list(found.items()) == [
        ((2025, True), Decimal("2.00000000001")), ((2026, False), Decimal("0.5")),
    ]  # fmt: skip


# ----------------------------------------------------------------------------- totals of a book


def part(source: str, pct: str) -> dict[str, str]:
    return {"source": source, "pct": pct}


def test_a_source_on_both_inputs_counts_twice():
    assert term(Decimal(10), [part("a", "3"), part("b", "1"), part("a", "4")]).relative_pct == {
        "a": 7, "b": 1,
    }  # fmt: skip


def test_a_total_with_its_parts_and_what_is_not_stated():
    lines = [
        (Decimal(100), [part("a", "3")], True), (Decimal(-100), [part("b", "4")], False),
        (Decimal(200), [], False),
    ]  # fmt: skip
    assert summary(Decimal(-200), lines) == {
        "half_width_kg": 5, "pct": Decimal("2.50"), "unstated_kg": 300,
        "by_source": {"a": 3, "b": -4},
    }  # fmt: skip
    nothing = summary(Decimal(0), lines[:2])
    assert (nothing["half_width_kg"], nothing["pct"]) == (5, None)


@pytest.mark.parametrize("total", [None, Decimal(7)])
def test_without_a_total_or_any_statement_nothing_is_said(total):
    lines = [] if total else [(Decimal(7), [part("a", "3")], True)]
    found = summary(total, lines)
    assert found == {"half_width_kg": None, "pct": None, "unstated_kg": 0, "by_source": {}}
    assert isinstance(found["unstated_kg"], Decimal)


def test_figures_are_stated_to_a_milligram():
    found = summary(Decimal(3), [(Decimal(3), [part("a", "0.000001234")], True)])
    assert (str(found["half_width_kg"]), found["pct"]) == ("0.000000", 0)
    thirds = summary(Decimal(3), [(Decimal(1), [part("a", "33.3333333333")], True)])
    assert str(thirds["half_width_kg"]) == "0.333333"
    assert str(thirds["by_source"]["a"]) == "0.333333"
    assert str(thirds["pct"]) == "11.11"
