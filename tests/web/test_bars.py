"""Waterfalls and whiskers: every step begins where the last one ended."""

from decimal import Decimal

from onsil.web.templatetags import _bars
from onsil.web.templatetags.bars import plus_minus


def test_a_waterfall_joins_its_steps():
    made = _bars.waterfall(
        ("old", Decimal(100)), [("up", Decimal(40)), ("down", Decimal(-60))], ("new", Decimal(80))
    )
    assert [step.kind for step in made.steps] == ["total", "rise", "fall", "total"]
    assert made.zero
    ends = [Decimal(step.link_x) for step in made.steps]
    assert ends[0] == Decimal(made.steps[1].x)
    assert ends[2] == Decimal(made.steps[2].x)
    assert ends[2] == ends[3]


def test_small_changes_of_a_great_total_are_seen_and_the_axis_says_so():
    made = _bars.waterfall(
        ("old", Decimal(10**6)), [("up", Decimal(10))], ("new", Decimal(1000010))
    )
    assert made.zero == ""
    assert Decimal(made.steps[1].width) > 100


def test_a_bar_without_an_uncertainty_has_no_whisker():
    made = _bars.whiskers(
        [("a", Decimal(10), Decimal(2), Decimal(20)), ("b", Decimal(-5), None, None)]
    )
    assert (made.bars[0].low < made.bars[0].high, made.bars[1].low) == (True, "")
    assert Decimal(made.bars[1].x) < Decimal(made.zero)


def test_a_half_width_is_said_with_its_confidence():
    assert plus_minus("4.50") == "±4.5 % (95 %)"
    assert plus_minus(None) == "–"
