"""From a baseline year and a reporting year to savings in Wh, or to the reason why not yet."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from onsil.core.quantities import shortest_decimal
from onsil.core.refusal import Refusal
from onsil.footprint.savings.gates import Gates, Statistics, fixed, statistics_of
from onsil.footprint.savings.least_squares import Floats, Integers, total
from onsil.footprint.savings.models import Fit, Observations, fit_model
from onsil.footprint.savings.uncertainty import autocorrelation, fractional_savings_uncertainty


@dataclass(frozen=True)
class MeasuredSavings:
    """Avoided energy use of a reporting period, every Wh a whole number.

    `baseline_wh` is what the baseline model says would have been used in the reporting period's
    own weather, `savings_wh` that less what was used. `uncertainty_wh` is the half-width at the
    gates' confidence. `judged` are the statistics at the gates' resolution; `fits` says that they
    keep the limits. `finding`, a refusal of code `not-yet-measurable`, says why nothing may be
    paid: no fit, nothing saved, or savings lost in their uncertainty.
    """

    fit: Fit
    statistics: Statistics
    judged: Statistics
    baseline_wh: Decimal
    observed_wh: Decimal
    savings_wh: Decimal
    savings_pct: Decimal
    correlation: Decimal
    uncertainty_pct: Decimal | None
    uncertainty_wh: Decimal | None
    gates: Gates
    fits: bool = True
    finding: Refusal | None = None


def whole_wh(value: float) -> Decimal:
    """The one place where a modelled float becomes a quantity: to whole Wh, half to even."""
    return shortest_decimal(float(value)).quantize(Decimal(1), ROUND_HALF_EVEN)


def measure_savings(
    kind: str,
    resolution: str,
    baseline: Observations,
    baseline_months: Integers,
    reporting: Observations,
    reporting_months: float,
    gates: Gates,
) -> MeasuredSavings | Refusal:
    """Fit the named model on the baseline, judge it, and apply it to the reporting period.

    `resolution` is the interval of both sets of observations (hourly, daily or monthly);
    `baseline_months` numbers the month of each baseline interval. Refused (`not-yet-measurable`)
    when nothing was used in the baseline, or when the reporting period has times of the week that
    the baseline never saw.
    """
    if total(baseline.energy_wh) <= 0:
        return _refuse(
            "기준 기간에 쓴 에너지가 없어 절감량을 잴 수 없습니다.",
            "Nothing was used in the baseline, so no savings can be measured.",
            {"intervals": len(baseline)},
        )
    fit = fit_model(kind, baseline)
    fitted = fit.predict(baseline)
    statistics = statistics_of(baseline.energy_wh, fitted, fit.parameters)
    judged = _judged(resolution, gates, baseline, fitted, baseline_months, statistics)
    expected = fit.predict(reporting)
    known = np.flatnonzero(~np.isnan(expected))
    if len(known) < len(reporting):
        return _refuse(
            "보고 기간에 기준 기간에는 없던 요일·시간대가 있습니다.",
            "The reporting period has times of the week that the baseline never saw.",
            {"intervals": len(reporting), "known": len(known)},
        )
    predicted_wh = sum((whole_wh(v) for v in expected.tolist()), Decimal(0))
    observed_wh = sum((whole_wh(v) for v in reporting.energy_wh.tolist()), Decimal(0))
    saved_wh = predicted_wh - observed_wh
    correlation = autocorrelation(baseline.energy_wh - fitted)
    fraction = float(saved_wh / predicted_wh) if predicted_wh > 0 else 0.0
    relative = fractional_savings_uncertainty(
        resolution=resolution,
        confidence=float(gates.confidence_pct) / 100,
        squared_error=statistics.squared_error,
        mean_energy=total(baseline.energy_wh) / len(baseline),
        intervals=len(baseline),
        parameters=fit.parameters,
        correlation=correlation,
        reporting_intervals=len(reporting),
        reporting_months=reporting_months,
        savings_fraction=fraction,
    )
    measured = MeasuredSavings(
        fit=fit,
        statistics=statistics,
        judged=judged,
        baseline_wh=predicted_wh,
        observed_wh=observed_wh,
        savings_wh=saved_wh,
        savings_pct=fixed(100 * fraction, 2),
        correlation=fixed(correlation, 4),
        uncertainty_pct=None if relative is None else fixed(100 * relative, 2),
        uncertainty_wh=None if relative is None else whole_wh(float(saved_wh) * relative),
        gates=gates,
    )
    misfit = _misfit(measured, gates)
    if misfit is not None:
        return replace(measured, fits=False, finding=misfit)
    return replace(measured, finding=_unproven(measured, gates))


def _judged(
    resolution: str,
    gates: Gates,
    baseline: Observations,
    fitted: Floats,
    months: Integers,
    statistics: Statistics,
) -> Statistics:
    """The statistics at the resolution for which the guideline states limits.

    Monthly sums of a finer model have few points and its parameters were not estimated from them,
    so the larger of n - p and one keeps the test strict.
    """
    if gates.resolution == resolution:
        return statistics
    assert gates.resolution == "monthly"
    codes = sorted(set(months.tolist()))
    used = np.array([total(baseline.energy_wh[months == code]) for code in codes])
    modelled = np.array([total(fitted[months == code]) for code in codes])
    return statistics_of(used, modelled, min(statistics.parameters, 5))


def _facts(measured: MeasuredSavings, gates: Gates) -> dict[str, object]:
    return {
        "cvrmse_pct": measured.judged.cvrmse_pct,
        "cvrmse_limit_pct": gates.cvrmse_pct,
        "nmbe_pct": measured.judged.nmbe_pct,
        "nmbe_limit_pct": gates.nmbe_pct,
        "resolution": gates.resolution,
        "savings_wh": measured.savings_wh,
        "savings_pct": measured.savings_pct,
        "uncertainty_pct": measured.uncertainty_pct,
        "uncertainty_limit_pct": gates.uncertainty_pct,
    }


def _misfit(measured: MeasuredSavings, gates: Gates) -> Refusal | None:
    judged = measured.judged
    if judged.cvrmse_pct > gates.cvrmse_pct:
        return _refuse(
            f"기준 모형의 CVRMSE가 {judged.cvrmse_pct}%로 한도 {gates.cvrmse_pct}%를 넘습니다.",
            f"The baseline's CVRMSE is {judged.cvrmse_pct} %, over the limit of "
            f"{gates.cvrmse_pct} %.",
            _facts(measured, gates),
        )
    if abs(judged.nmbe_pct) > gates.nmbe_pct:
        return _refuse(
            f"기준 모형의 NMBE가 {judged.nmbe_pct}%로 한도 ±{gates.nmbe_pct}%를 넘습니다.",
            f"The baseline's NMBE is {judged.nmbe_pct} %, outside ±{gates.nmbe_pct} %.",
            _facts(measured, gates),
        )
    return None


def _unproven(measured: MeasuredSavings, gates: Gates) -> Refusal | None:
    if measured.savings_wh <= 0:
        return _refuse(
            "기준 모형보다 적게 쓰지 않았습니다.",
            "No less was used than the baseline says.",
            _facts(measured, gates),
        )
    relative = measured.uncertainty_pct
    if relative is not None and relative < 100 and relative <= gates.uncertainty_pct:
        return None
    shown = "∞" if relative is None else relative
    return _refuse(
        f"절감량의 불확도가 {shown}%로 한도 {gates.uncertainty_pct}%를 넘습니다.",
        f"The savings are uncertain by {shown} %, over the limit of {gates.uncertainty_pct} %.",
        _facts(measured, gates),
    )


def _refuse(ko: str, en: str, facts: dict[str, object]) -> Refusal:
    return Refusal(
        "not-yet-measurable",
        f"아직 측정할 수 없습니다. {ko} 보상이나 크레딧은 지급되지 않습니다.",
        f"Not yet measurable. {en} Nothing is paid or credited.",
        facts,
    )
