"""How well a baseline must fit before anything may be paid by it."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import sqrt

import numpy as np

from onsil.core.quantities import shortest_decimal
from onsil.footprint.savings.least_squares import Floats, total


@dataclass(frozen=True)
class Gates:
    """Limits after ASHRAE Guideline 14-2014, in per cent; `for_resolution` gives the stated pairs.

    The guideline states limits for hours and for months alone. A daily model is therefore judged
    on its monthly sums.
    """

    resolution: str
    cvrmse_pct: Decimal
    nmbe_pct: Decimal
    uncertainty_pct: Decimal = Decimal(50)
    confidence_pct: Decimal = Decimal(68)

    @staticmethod
    def for_resolution(resolution: str) -> "Gates":
        if resolution == "hourly":
            return Gates("hourly", Decimal(30), Decimal(10))
        if resolution == "monthly":
            return Gates("monthly", Decimal(15), Decimal(5))
        raise ValueError(f"Guideline 14 states no limits at {resolution!r} resolution")


@dataclass(frozen=True)
class Statistics:
    """Goodness of fit: per cents to two decimals, R² to four; `squared_error` in Wh²."""

    intervals: int
    parameters: int
    r_squared: Decimal
    cvrmse_pct: Decimal
    nmbe_pct: Decimal
    squared_error: float


def fixed(value: float, places: int) -> Decimal:
    """A float as a decimal of so many places, half to even, from its shortest spelling."""
    step = Decimal(1).scaleb(-places)
    # Adding zero turns a minus zero into a plain one.
    return shortest_decimal(float(value)).quantize(step, ROUND_HALF_EVEN) + Decimal(0)


def statistics_of(observed_wh: Floats, fitted_wh: Floats, parameters: int) -> Statistics:
    """CVRMSE and NMBE with n - p degrees of freedom (Guideline 14-2014 eq. 4-4 and 4-5), and R²."""
    count = len(observed_wh)
    residual = observed_wh - fitted_wh
    error, freedom = total(residual * residual), max(count - parameters, 1)
    mean = total(observed_wh) / count
    spread = observed_wh - np.full(count, mean)
    variation = total(spread * spread)
    if mean <= 0:
        raise ValueError("a baseline without any use cannot be judged")
    return Statistics(
        intervals=count,
        parameters=parameters,
        r_squared=fixed(1 - error / variation if variation > 0 else 0.0, 4),
        cvrmse_pct=fixed(100 * sqrt(error / freedom) / mean, 2),
        nmbe_pct=fixed(100 * total(residual) / (freedom * mean), 2),
        squared_error=error,
    )
