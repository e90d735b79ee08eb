"""Uncertainty of measured savings after ASHRAE Guideline 14."""

from math import exp, fsum, lgamma, log, sqrt

from onsil.footprint.savings.least_squares import Floats

_HOURLY_FACTOR = 1.26


def autocorrelation(residuals: Floats) -> float:
    """Pearson correlation of the residuals with themselves one interval later, in [-1, 1]."""
    values = residuals.tolist()
    left, right = values[:-1], values[1:]
    if len(left) < 2:
        return 0.0
    mean_left, mean_right = fsum(left) / len(left), fsum(right) / len(right)
    pairs = [(a - mean_left, b - mean_right) for a, b in zip(left, right, strict=True)]
    spread = fsum(a * a for a, _ in pairs) * fsum(b * b for _, b in pairs)
    return fsum(a * b for a, b in pairs) / sqrt(spread) if spread > 0 else 0.0


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function by its continued fraction (NIST DLMF 8.17.22)."""
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x)) / a
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 400):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * value


def t_quantile(confidence: float, freedom: float) -> float:
    """Two-sided Student quantile, to the four decimals of printed tables.

    `confidence` in (0, 1); `freedom` at least 1. Rounding makes it the same on every machine.
    """
    assert 0 < confidence < 1
    assert freedom >= 1
    low, high = 0.0, 700.0
    for _ in range(80):
        middle = (low + high) / 2
        outside = _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + middle * middle))
        low, high = (middle, high) if outside > 1 - confidence else (low, middle)
    return round((low + high) / 2, 4)


def fractional_savings_uncertainty(
    *,
    resolution: str,
    confidence: float,
    squared_error: float,
    mean_energy: float,
    intervals: int,
    parameters: int,
    correlation: float,
    reporting_intervals: int,
    reporting_months: float,
    savings_fraction: float,
) -> float | None:
    """Half-width of the savings at the confidence, as a fraction of the savings.

    ASHRAE Guideline 14-2014 eq. B-30 with the polynomials of Sun and Baltazar, "Analysis and
    improvement on the estimation of building energy savings uncertainty", ASHRAE Transactions 119
    (2013), for days and months: t · k(M) · sqrt(MSE · (1 + 2/n') · m) / (m · mean · F), where n' =
    n (1 - r) / (1 + r) is the number of independent intervals, M the reporting months, F the
    savings fraction. `squared_error` is the baseline's sum of squared residuals and `mean_energy`
    its mean use, both in one unit. A negative correlation is taken as none.

    None when nothing was saved or when fewer independent intervals are left than parameters.
    """
    independent = (
        intervals * (1 - correlation) / (1 + correlation) if correlation > 0 else intervals
    )
    freedom = independent - parameters
    if savings_fraction <= 0 or mean_energy <= 0 or freedom < 1:
        return None
    factor = {
        "hourly": _HOURLY_FACTOR,
        "daily": -0.00024 * reporting_months**2 + 0.03535 * reporting_months + 1.00286,
        "monthly": -0.00022 * reporting_months**2 + 0.03306 * reporting_months + 0.94054,
    }[resolution]
    spread = sqrt(squared_error / freedom * (1 + 2 / independent) * reporting_intervals)
    scale = reporting_intervals * mean_energy * savings_fraction
    return t_quantile(confidence, freedom) * factor * spread / scale
