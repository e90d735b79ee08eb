"""The savings core: exact lines recovered, published results met, gates that hold."""

import json
import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.refusal import Refusal
from onsil.footprint.savings import (
    Gates,
    Observations,
    autocorrelation,
    fit_model,
    fractional_savings_uncertainty,
    measure_savings,
    statistics_of,
    t_quantile,
)
from onsil.footprint.savings.least_squares import evaluate, least_squares

SHARED = Path(os.environ.get("ONSIL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
MONTHLY = Gates.for_resolution("monthly")


def days(energy, temperature) -> Observations:
    count = len(energy)
    return Observations(
        np.array(temperature, dtype=float), np.array(energy, dtype=float), np.arange(count) % 7
    )


SWEEP = [t / 2 for t in range(-20, 70)] * 4


@pytest.mark.parametrize(
    ("kind", "bends", "line"),
    [
        ("2P", (), lambda t: 9000 - 30 * t),
        ("3P-heating", (12.5,), lambda t: 5000 + 400 * max(12.5 - t, 0)),
        ("3P-cooling", (21.3,), lambda t: 5000 + 250 * max(t - 21.3, 0)),
        ("4P", (15.0,), lambda t: 4000 + 300 * max(15 - t, 0) + 50 * max(t - 15, 0)),
        ("5P", (11.0, 23.4), lambda t: 4000 + 300 * max(11 - t, 0) + 90 * max(t - 23.4, 0)),
        ("degree-days", (18.0, 24.0), lambda t: 700 + 80 * max(18 - t, 0) + 60 * max(t - 24, 0)),
    ],
)
def test_an_exact_line_is_found_exactly(kind, bends, line):
    observed = days([line(t) for t in SWEEP], SWEEP)
    fit = fit_model(kind, observed)
    assert fit.bends_c == bends
    np.testing.assert_allclose(fit.predict(observed), observed.energy_wh, rtol=1e-9)
    fresh = days([0, 0, 0], [-15.0, 13.1, 40.0])
    np.testing.assert_allclose(fit.predict(fresh), [line(t) for t in (-15.0, 13.1, 40.0)], 1e-9)


def test_time_of_week_learns_levels_by_slot():
    weekend = [2000 if i % 7 >= 5 else 9000 for i in range(len(SWEEP))]
    energy = [base + 100 * max(14 - t, 0) for base, t in zip(weekend, SWEEP, strict=True)]
    fit = fit_model("TOWT", days(energy, SWEEP))
    assert fit.occupied == frozenset(range(5))
    mild = days([0.0] * 7, [30.0] * 7)
    np.testing.assert_allclose(fit.predict(mild)[5:], [2000, 2000], rtol=0.2)
    assert (fit.predict(mild)[:5] > 8000).all()


def test_a_slot_never_seen_has_no_prediction():
    observed = days([5000.0 + i for i in range(60)], [i % 20 for i in range(60)])
    weekdays = observed.take(np.flatnonzero(observed.slots < 5))
    assert np.isnan(fit_model("TOWT", weekdays).predict(observed)).any()
    months = np.zeros(len(weekdays), dtype=np.int64)
    answer = measure_savings("TOWT", "daily", weekdays, months, observed, 2.0, MONTHLY)
    assert isinstance(answer, Refusal)
    assert answer.code == "not-yet-measurable"


def test_use_is_never_predicted_below_zero():
    observed = days([max(0.0, 500 - 40 * t) for t in SWEEP], SWEEP)
    assert (fit_model("2P", observed).predict(observed) >= 0).all()


def test_least_squares_meets_the_textbook():
    """Anscombe's first set (1973): y = 3.00 + 0.50 x, R2 0.67, known to more digits."""
    x = np.array([10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5], dtype=float)
    y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
    groups = np.zeros(11, dtype=np.int64)
    fitted = least_squares(groups, [x], y)
    assert fitted.slopes[0] == pytest.approx(0.5000909, abs=1e-7)
    assert fitted.intercepts[0] == pytest.approx(3.0000909, abs=1e-7)
    found = statistics_of(y, evaluate(fitted, groups, [x]), 2)
    assert found.r_squared == Decimal("0.6665")


def test_a_column_that_adds_nothing_is_not_counted():
    x = np.arange(20, dtype=float)
    fitted = least_squares(np.zeros(20, dtype=np.int64), [x, 2 * x], 3 * x + 1)
    assert fitted.rank == 2
    assert 0.0 in fitted.slopes


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(40)), st.integers(1, 2**32))
def test_the_order_of_the_rows_changes_no_bit(order, seed):
    random = np.random.Generator(np.random.PCG64(seed))
    columns = [random.normal(size=40), random.normal(size=40) * 1e3]
    observed, groups = random.normal(size=40) * 1e5, random.integers(0, 4, 40)
    rows = np.array(order)
    assert least_squares(groups, columns, observed) == least_squares(
        groups[rows], [c[rows] for c in columns], observed[rows]
    )


@pytest.mark.parametrize(
    ("confidence", "freedom", "printed"),
    [(0.90, 33, 1.6924), (0.95, 10, 2.2281), (0.95, 1, 12.7062), (0.68, 1000, 0.9950)],
)
def test_student_quantiles_are_the_printed_ones(confidence, freedom, printed):
    assert t_quantile(confidence, freedom) == printed


def test_autocorrelation_of_a_square_wave_and_of_nothing():
    assert autocorrelation(np.array([1.0, -1.0] * 50)) == pytest.approx(-1.0)
    assert autocorrelation(np.array([3.0, 3.0, 3.0, 3.0])) == 0.0


def uncertainty(**changes):
    given = {
        "resolution": "daily", "confidence": 0.9, "squared_error": 100.0, "mean_energy": 10.0,
        "intervals": 365, "parameters": 3, "correlation": 0.0, "reporting_intervals": 365,
        "reporting_months": 12.0, "savings_fraction": 0.1, **changes,
    }  # fmt: skip
    return fractional_savings_uncertainty(**given)


def test_uncertainty_grows_as_it_must():
    base = uncertainty()
    assert uncertainty(correlation=0.6) > base
    assert uncertainty(correlation=-0.6) == base
    assert uncertainty(savings_fraction=0.05) == pytest.approx(2 * base)
    assert uncertainty(savings_fraction=0.0) is None
    assert uncertainty(correlation=0.99) is None


def year(noise: float, saved: float = 0.0, seed: int = 1) -> tuple[Observations, np.ndarray]:
    random = np.random.Generator(np.random.PCG64(seed))
    temperature = [12 - 14 * np.cos(2 * np.pi * i / 365) for i in range(365)]
    energy = [
        max(0.0, (8000 + 500 * max(14 - t, 0)) * (1 - saved) + noise * random.normal())
        for t in temperature
    ]
    return days(energy, temperature), np.arange(365) * 12 // 365


def test_proven_savings_pass_and_small_ones_do_not():
    baseline, months = year(900)
    measured = measure_savings(
        "3P-heating", "daily", baseline, months, year(900, 0.12, 2)[0], 12.0, MONTHLY
    )
    assert not isinstance(measured, Refusal)
    assert measured.finding is None
    assert abs(measured.savings_pct - 12) < 2
    slight = measure_savings(
        "3P-heating", "daily", baseline, months, year(900, 0.005, 2)[0], 12.0, MONTHLY
    )
    assert not isinstance(slight, Refusal)
    assert slight.fits
    assert slight.finding is not None
    assert slight.finding.code == "not-yet-measurable"


def test_more_use_than_before_is_no_saving():
    baseline, months = year(900)
    more = measure_savings(
        "3P-heating", "daily", baseline, months, year(900, -0.1, 2)[0], 12.0, MONTHLY
    )
    assert not isinstance(more, Refusal)
    assert more.savings_wh < 0
    assert more.finding is not None


def test_a_baseline_that_does_not_fit_is_told():
    baseline, months = year(900)
    measured = measure_savings("mean", "daily", baseline, months, baseline, 12.0, MONTHLY)
    assert not isinstance(measured, Refusal)
    assert not measured.fits
    assert measured.finding is not None
    assert measured.finding.facts["cvrmse_pct"] > 15


def test_guideline_14_states_no_daily_limits():
    assert (Gates.for_resolution("hourly").cvrmse_pct, MONTHLY.cvrmse_pct) == (30, 15)
    assert (Gates.for_resolution("hourly").nmbe_pct, MONTHLY.nmbe_pct) == (10, 5)
    with pytest.raises(ValueError, match="daily"):
        Gates.for_resolution("daily")


@pytest.fixture(scope="module")
def office():
    """A real building with published results: its days, and the figures to meet."""
    table = SHARED / "energy" / "nmecr_building_daily_2012_2015.parquet"
    if not table.exists():
        pytest.skip(f"no {table}: set ONSIL_SHARED_DATA to the folder that holds energy/")
    import pyarrow.parquet as parquet

    golden = json.loads((SHARED / "energy" / "golden_numbers.json").read_text("utf-8"))
    records = parquet.read_table(table).to_pylist()

    def cut(first: datetime, last: datetime) -> tuple[Observations, np.ndarray]:
        found = [r for r in records if first <= r["date"] < last]
        observed = Observations(
            np.array([(r["temp_f"] - 32) / 1.8 for r in found]),
            np.array([r["kwh"] * 1000 for r in found]),
            np.array([r["date"].weekday() for r in found]),
        )
        return observed, np.array([r["date"].month for r in found])

    # The published fits have 364 days, one fewer than the stated dates hold.
    baseline, months = cut(datetime(2012, 3, 1), datetime(2013, 2, 28))  # noqa: DTZ001
    reporting, _ = cut(datetime(2014, 3, 1), datetime(2015, 3, 1))  # noqa: DTZ001
    return baseline, months, reporting, golden["nmecr_building_daily_2012_2015"]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("2P", "SLR"), ("4P", "four_parameter"), ("TOWT", "TOWT")]
)
def test_published_fits_are_met(office, ours, theirs):
    baseline, _, _, golden = office
    expected = golden["baseline_models"][theirs]
    fit = fit_model(ours, baseline)
    found = statistics_of(baseline.energy_wh, fit.predict(baseline), fit.parameters)
    assert float(found.r_squared) == pytest.approx(expected["r2"], abs=2e-4)
    assert float(found.cvrmse_pct) == pytest.approx(expected["cvrmse_pct"], abs=0.04)
    if ours == "TOWT":
        assert found.intervals - found.parameters == expected["dof"]


def test_published_savings_and_uncertainty_are_met(office):
    baseline, months, reporting, golden = office
    expected = golden["avoided_energy_TOWT"]
    measured = measure_savings("TOWT", "daily", baseline, months, reporting, 12.0, MONTHLY)
    assert not isinstance(measured, Refusal)
    assert measured.finding is None
    assert float(measured.savings_wh) / 1000 == pytest.approx(expected["savings_kwh"], rel=0.01)
    relative = fractional_savings_uncertainty(
        resolution="daily", confidence=0.9, squared_error=measured.statistics.squared_error,
        mean_energy=float(baseline.energy_wh.mean()), intervals=len(baseline),
        parameters=measured.fit.parameters, correlation=float(measured.correlation),
        reporting_intervals=len(reporting), reporting_months=12.0,
        savings_fraction=expected["savings_fraction"],
    )  # fmt: skip
    assert relative == pytest.approx(expected["savings_uncertainty_90"], abs=0.01)
