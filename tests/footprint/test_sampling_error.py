"""Means of samples with Student's t: published examples, and what always holds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.footprint.uncertainty import discount
from onsil.footprint.uncertainty.sampling_error import (
    mean_half_width,
    sample_mean,
    student_t,
)

# Two-sided quantiles as every printed table of Student's t has them.
PRINTED = (
    (90, 1, "6.314"), (90, 2, "2.920"), (90, 3, "2.353"), (90, 4, "2.132"), (90, 5, "2.015"),
    (90, 10, "1.812"), (90, 30, "1.697"), (90, 33, "1.692"), (90, 120, "1.658"),
    (95, 1, "12.706"), (95, 5, "2.571"), (95, 30, "2.042"), (99, 4, "4.604"), (99, 9, "3.250"),
)  # fmt: skip


@pytest.mark.parametrize(("confidence", "freedom", "printed"), PRINTED)
def test_students_t_as_printed(confidence, freedom, printed):
    found = student_t(Decimal(confidence), freedom)
    assert found.quantize(Decimal(printed)) == Decimal(printed)


def test_students_t_in_many_digits():
    """Against scipy 1.17's t.ppf, which is good to about fifteen of them."""
    for (confidence, freedom), known in {
        (90, 33): "1.6923603090303",
        (90, 3999): "1.6452347533202",
        (95, 30): "2.0422724563012",
        (90, 1): "6.3137515146750",
    }.items():
        found = student_t(Decimal(confidence), freedom)
        assert abs(found - Decimal(known)) < Decimal("1e-12")


@given(st.integers(1, 400), st.sampled_from([50, 80, 90, 95, 99]))
def test_more_sampling_narrows_and_more_confidence_widens(freedom, confidence):
    found = student_t(Decimal(confidence), freedom)
    assert found > student_t(Decimal(confidence), freedom + 1)
    assert found > student_t(Decimal(confidence) - 1, freedom)


def test_golden_1_mean_of_34_plots():
    """AR-TOOL14: published 2.191, ±3.707, 8.18 %: match with the printed t of 1.692."""
    found = mean_half_width(34, Decimal("45.328"), Decimal("12.776"))
    assert round(found.standard_error, 3) == Decimal("2.191")
    assert round(found.t_value, 3) == Decimal("1.692")
    assert found.relative_pct is not None
    assert round(found.relative_pct, 2) == Decimal("8.18")
    # Unrounded, the half-width is 3.708; with t = 1.692 it is the published 3.707.
    assert round(found.half_width, 3) == Decimal("3.708")
    assert round(found.standard_error * Decimal("1.692"), 3) == Decimal("3.707")


def test_golden_2_a_quarter_of_the_half_width():
    """AR-TOOL14 appendix 2: 60 ± 9 is 15 %, so 25 % of 9 comes off, or is added to a baseline."""
    project = discount(Decimal(60), Decimal(9), "ar-tool14")
    assert (project.relative_pct, project.amount) == (15, Decimal("57.75"))
    baseline = discount(Decimal(60), Decimal(9), "ar-tool14", "baseline")
    assert baseline.amount == Decimal("62.25")


def test_mean_and_deviation_of_a_small_sample():
    found = sample_mean([Decimal(v) for v in (2, 4, 4, 4, 5, 5, 7, 9)])
    assert found.mean == 5
    assert round(found.deviation, 4) == Decimal("2.1381")
    assert sample_mean([Decimal(3)] * 5).half_width == 0


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=30), st.integers(2, 9))
def test_scaling_a_sample_scales_its_half_width(values, times):
    one = sample_mean([Decimal(v) for v in values])
    other = sample_mean([Decimal(v) * times for v in values])
    assert abs(other.half_width - one.half_width * times) < Decimal("1e-20")
