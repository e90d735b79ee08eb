"""Uncertainty at its edges: signs, confidences, older forms, digits, next to nothing."""

from decimal import Decimal, localcontext

import pytest

from onsil.footprint import uncertainty as u
from onsil.footprint.uncertainty.sampling_error import mean_half_width

# To 50 digits, as any table of square roots has them.
ROOT_2 = Decimal("1.4142135623730950488016887242096980785696718753769")
ROOT_3 = Decimal("1.7320508075688772935274463415058723669428052538104")
Z_95 = Decimal("1.959963984540054")
# One part in a third place from the end of fifty digits.
NEAR = Decimal("1e-47")


def apart(one: Decimal, other: Decimal) -> Decimal:
    with localcontext(prec=60):
        return abs(one - other)


def run(tonnes: str, half_width: str, source: str = "factor:grid", confidence: int = 95):
    part = u.width(source, Decimal(half_width), confidence_pct=confidence)
    return Decimal(tonnes), u.stated(Decimal(tonnes), [part])


def test_a_component_says_all_of_itself():
    assert u.component("meter", Decimal(50), Decimal(4), ko="계량기") == {
        "source": "meter", "half_width_t": 2, "confidence_pct": 95, "distribution": "normal",
        "ko": "계량기", "en": "",
    }  # fmt: skip
    made = u.component(
        "meter", Decimal(50), Decimal(4), confidence_pct=90, distribution="uniform", en="Meter"
    )
    assert made == {
        "source": "meter", "half_width_t": 2, "confidence_pct": 90, "distribution": "uniform",
        "ko": "", "en": "Meter",
    }  # fmt: skip
    assert u.width("meter", Decimal(2)) == u.component("meter", Decimal(50), Decimal(4))


def test_a_run_says_its_whole_and_its_parts():
    one = u.width("meter", Decimal(3), ko="계량기")
    two = u.width("factor", Decimal(-4), en="Grid factor")
    assert u.stated(Decimal(-50), [one, two], note="Nothing else.") == {
        "confidence_pct": 95, "half_width_t": 5, "relative_pct": Decimal("10.00"),
        "components": [one, two], "sources": ["meter", "Grid factor"], "note": "Nothing else.",
    }  # fmt: skip
    assert u.stated(Decimal(0), [])["note"] == ""
    assert u.stated(Decimal(0), [])["relative_pct"] is None


@pytest.mark.parametrize("confidence", [90, 95])
def test_half_a_range_is_no_half_width_at_any_confidence(confidence):
    """±3 for certain, uniform: a standard uncertainty of √3, so 1.96 √3 at 95 %."""
    flat = u.width("a", Decimal(3), confidence_pct=confidence, distribution="uniform")
    found = u.combine([(Decimal(10), u.stated(Decimal(10), [flat]))]).half_width
    assert apart(found, Z_95 * ROOT_3) < Decimal("1e-14")
    plain = u.width("a", Decimal(3), confidence_pct=95)
    assert u.combine([(Decimal(10), u.stated(Decimal(10), [plain]))]).half_width == 3


def test_fifty_digits_whatever_the_callers_arithmetic():
    long = Decimal("1.234567890123456789012345678901234567890123")
    with localcontext(prec=6):
        found = u.combine_terms([u.Term(Decimal(100), {"a": Decimal(1), "b": Decimal(1)})])
        one, other = u.width("a", Decimal(1)), u.width("b", Decimal(1))
        said = u.stated(Decimal(100), [one, other])
        total = u.combine([(Decimal(100), said)])
        part = u.component("a", long, Decimal(100))
        flat = u.standard_uncertainty(u.width("a", Decimal(3), distribution="uniform"))
    assert apart(found.half_width, ROOT_2) < NEAR
    assert apart(said["half_width_t"], ROOT_2) < NEAR
    assert apart(total.half_width, ROOT_2) < NEAR
    assert part["half_width_t"] == long
    assert apart(flat, ROOT_3) < NEAR


def test_what_is_taken_off_turns_its_sources_round():
    both = u.combine([run("100", "2"), run("-100", "2")])
    assert (both.amount, both.half_width, both.relative_pct) == (0, 0, None)
    assert u.combine([run("100", "5"), run("-40", "2")]).by_source == {"factor:grid": 3}


@pytest.mark.parametrize("tonnes", ["0.5", "0"])
def test_next_to_nothing_is_still_added(tonnes):
    found = u.combine([run("100", "2"), run(tonnes, "1")])
    assert found.by_source == {"factor:grid": 3}


def test_runs_that_state_nothing_are_counted_and_stop_no_others():
    found = u.combine([(Decimal(7), {}), (Decimal(5), None), run("100", "2")])
    assert (found.amount, found.unstated, found.half_width) == (112, 2, 2)
    assert u.combine([(Decimal(7), {"note": "none"})]).unstated == 1


@pytest.mark.parametrize(
    ("document", "half_width"),
    [
        ({"half_width_t": "2"}, Decimal(2)),
        ({"half_width_t": "2", "relative_pct": "50"}, Decimal(2)),
        ({"confidence_pct": None, "relative_pct": "2"}, Decimal(2)),
        # At 90 %: × 1.959964 / 1.644854
        ({"confidence_pct": "90", "half_width_t": "2"}, Decimal("2.383147")),
        ({"confidence_pct": 90, "relative_pct": "2"}, Decimal("2.383147")),
    ],
)
def test_statements_of_older_form(document, half_width):
    found = u.combine([(Decimal(-100), document)])
    assert round(found.half_width, 6) == half_width
    assert list(found.by_source) == ["run:0"]
    assert found.confidence_pct == 95


def test_lines_have_a_confidence_each_and_the_sum_has_the_asked():
    lines = [u.Term(Decimal(100), {"a": Decimal(2)}, Decimal(90)), u.Term(Decimal(50)),
             u.Term(Decimal(3))]  # fmt: skip
    found = u.combine_terms(lines, 95)
    assert round(found.half_width, 6) == Decimal("2.383147")
    assert (found.confidence_pct, found.unstated, found.amount) == (95, 2, 153)
    assert list(found.by_source) == ["a"]
    at_90 = u.combine_terms(lines, 90)
    assert (at_90.half_width, at_90.confidence_pct) == (2, 90)
    assert u.combine([run("100", "2", confidence=90)], 90).confidence_pct == 90


def test_a_sum_of_nothing_is_a_decimal_nothing():
    for found in (u.combine_terms([]), u.combine([])):
        assert isinstance(found.amount, Decimal)
        assert (found.amount, found.half_width, found.relative_pct) == (0, 0, None)


def test_a_deduction_says_how_it_came_about():
    """VM0047: of 30 ± 4, 10 % are free: 1 of the 4 is taken off."""
    found = u.discount(Decimal(30), Decimal(4), "vm0047")
    assert (found.amount, found.deducted, found.rule) == (29, 1, "vm0047")
    with localcontext(prec=60):
        assert abs(found.relative_pct * 3 - 40) < Decimal("1e-46")
    with localcontext(prec=6):
        assert u.discount(Decimal(30), Decimal(4), "vm0047") == found


def test_half_a_tonne_is_discounted_and_nothing_is_not():
    """AR-TOOL14: 12 % of uncertainty takes off a quarter of the half-width."""
    found = u.discount(Decimal("0.5"), Decimal("0.06"), "ar-tool14")
    assert (found.amount, found.deducted) == (Decimal("0.485"), Decimal("0.015"))
    for none in (Decimal(0), Decimal(-1)):
        with pytest.raises(AssertionError):
            u.discount(none, Decimal(1), "ar-tool14")


def test_a_mean_says_its_sample():
    """Golden 1 of AR-TOOL14 again: 34 plots, 45.328 and 12.776, at 90 %."""
    found = mean_half_width(34, Decimal("45.328"), Decimal("12.776"))
    assert (found.count, found.mean, found.deviation) == (
        34, Decimal("45.328"), Decimal("12.776"),
    )  # fmt: skip
    assert found.confidence_pct == 90
    assert round(found.standard_error, 3) == Decimal("2.191")
    assert round(found.t_value, 3) == Decimal("1.692")
    assert round(found.half_width, 3) == Decimal("3.708")
    assert mean_half_width(2, Decimal(0), Decimal(1)).relative_pct is None
    with pytest.raises(AssertionError):
        mean_half_width(1, Decimal(1), Decimal(1))
