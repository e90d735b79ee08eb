"""A mean from a simple random sample: its standard error and half-width by Student's t.

UNFCCC A/R methodological tool 14 asks for the half-width at 90 %: mean 45.328, 34 plots, standard
deviation 12.776, t(0.1, 33) = 1.692 give 2.191, ±3.707 and 8.18 %. Quantiles of t are found here
from its distribution in closed form for whole degrees of freedom (Abramowitz and Stegun, Handbook
of Mathematical Functions, 26.7.3 and 26.7.4), by Newton's steps in fifty digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

from onsil.footprint.uncertainty.context import WHOLE
from onsil.footprint.uncertainty.normal import coverage_factor

_PI = Decimal("3.1415926535897932384626433832795028841971693993751")
_CLOSE = Decimal("1e-30")
_PRINTED = Decimal("1e-20")


@dataclass(frozen=True)
class SampleMean:
    """A sample of `count` with its mean, standard deviation, and half-width at a confidence."""

    count: int
    mean: Decimal
    deviation: Decimal
    standard_error: Decimal
    t_value: Decimal
    half_width: Decimal
    confidence_pct: Decimal

    @property
    def relative_pct(self) -> Decimal | None:
        """The half-width in per cent of the mean; None of a mean of zero."""
        return 100 * self.half_width / abs(self.mean) if self.mean else None


def _arctangent(x: Decimal) -> Decimal:
    """By halving the angle until the series is short."""
    halvings = 0
    while abs(x) > Decimal("0.05"):
        x = x / (1 + (1 + x * x).sqrt())
        halvings += 1
    square, term, total, n = x * x, x, x, 1
    while abs(term) > Decimal("1e-55"):
        term *= -square
        n += 2
        total += term / n
    return total * 2**halvings


def _within(t: Decimal, freedom: int) -> Decimal:
    """P(|T| ≤ t): 26.7.3 for odd, 26.7.4 for even degrees of freedom."""
    cosine_squared = freedom / (freedom + t * t)
    sine = t / (freedom + t * t).sqrt()
    term = total = Decimal(1)
    if freedom % 2 == 0:
        for k in range(1, freedom // 2):
            term *= cosine_squared * (2 * k - 1) / (2 * k)
            total += term
        return sine * total
    angle = _arctangent(t / Decimal(freedom).sqrt())
    if freedom == 1:
        return 2 * angle / _PI
    for k in range(1, (freedom - 1) // 2):
        term *= cosine_squared * (2 * k) / (2 * k + 1)
        total += term
    return 2 * (angle + sine * cosine_squared.sqrt() * total) / _PI


def _density(t: Decimal, freedom: int) -> Decimal:
    """Student's density; the ratio of gamma functions as a product of whole numbers."""
    ratio = Decimal(1)
    if freedom % 2 == 0:
        for k in range(1, freedom // 2):
            ratio *= Decimal(2 * k + 1) / (2 * k)
        scale = ratio / (2 * Decimal(freedom).sqrt())
    else:
        for k in range(1, (freedom - 1) // 2 + 1):
            ratio *= Decimal(2 * k) / (2 * k - 1)
        scale = ratio / (_PI * Decimal(freedom).sqrt())
    base = 1 + t * t / freedom
    whole, half = divmod(freedom + 1, 2)
    return scale / (base**whole * (base.sqrt() if half else 1))


@cache
def student_t(confidence_pct: Decimal, freedom: int) -> Decimal:
    """t with P(|T| ≤ t) = `confidence_pct`, to twenty decimals; two-sided as AR-TOOL14 has it."""
    assert 0 < confidence_pct < 100
    assert freedom >= 1
    with localcontext(WHOLE):
        wanted = confidence_pct / 100
        low, high = Decimal(0), coverage_factor(confidence_pct)
        while _within(high, freedom) < wanted:
            low, high = high, high * 2
        t = low or coverage_factor(confidence_pct)
        for _ in range(200):
            missing = _within(t, freedom) - wanted
            low, high = (low, t) if missing > 0 else (t, high)
            step = missing / (2 * _density(t, freedom))
            following = t - step
            t = following if low <= following <= high else (low + high) / 2
            if abs(step) < _CLOSE:
                break
        return t.quantize(_PRINTED)


def mean_half_width(
    count: int, mean: Decimal, deviation: Decimal, confidence_pct: Decimal | int = 90
) -> SampleMean:
    """Standard error and half-width of a mean whose sample is already summed up; two at least."""
    assert count >= 2
    confidence = Decimal(confidence_pct)
    with localcontext(WHOLE):
        error = deviation / Decimal(count).sqrt()
        t_value = student_t(confidence, count - 1)
        return SampleMean(count, mean, deviation, error, t_value, error * t_value, confidence)


def sample_mean(values: Sequence[Decimal], confidence_pct: Decimal | int = 90) -> SampleMean:
    """The mean of a sample with its half-width; the deviation has n − 1 below the line."""
    with localcontext(WHOLE):
        mean = sum(values, Decimal(0)) / len(values)
        squares = sum(((value - mean) ** 2 for value in values), Decimal(0))
        deviation = (squares / (len(values) - 1)).sqrt()
    return mean_half_width(len(values), mean, deviation, confidence_pct)
