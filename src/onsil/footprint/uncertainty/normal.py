"""The standard normal distribution's quantiles in decimals, the same on every machine.

M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied
Statistics 37 (1988), pp. 477-484, routine PPND16: a rational function of degree seven in each of
three ranges, good to about one part in 10^16. Decimal's square root and logarithm are correctly
rounded by specification (General Decimal Arithmetic, IBM), so that no library can differ.
"""

from decimal import Decimal, localcontext
from functools import cache

from onsil.footprint.uncertainty.context import DRAWS, WHOLE


def _decimals(text: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(part) for part in text.split())


# Coefficients as printed, of rising powers: numerator and denominator.
CENTRE = (
    _decimals(
        "3.3871328727963666080e0 1.3314166789178437745e2 1.9715909503065514427e3 "
        "1.3731693765509461125e4 4.5921953931549871457e4 6.7265770927008700853e4 "
        "3.3430575583588128105e4 2.5090809287301226727e3"
    ),
    _decimals(
        "1 4.2313330701600911252e1 6.8718700749205790830e2 5.3941960214247511077e3 "
        "2.1213794301586595867e4 3.9307895800092710610e4 2.8729085735721942674e4 "
        "5.2264952788528545610e3"
    ),
)
MIDDLE = (
    _decimals(
        "1.42343711074968357734e0 4.63033784615654529590e0 5.76949722146069140550e0 "
        "3.64784832476320460504e0 1.27045825245236838258e0 2.41780725177450611770e-1 "
        "2.27238449892691845833e-2 7.74545014278341407640e-4"
    ),
    _decimals(
        "1 2.05319162663775882187e0 1.67638483018380384940e0 6.89767334985100004550e-1 "
        "1.48103976427480074590e-1 1.51986665636164571966e-2 5.47593808499534494600e-4 "
        "1.05075007164441684324e-9"
    ),
)
TAIL = (
    _decimals(
        "6.65790464350110377720e0 5.46378491116411436990e0 1.78482653991729133580e0 "
        "2.96560571828504891230e-1 2.65321895265761230930e-2 1.24266094738807843860e-3 "
        "2.71155556874348757815e-5 2.01033439929228813265e-7"
    ),
    _decimals(
        "1 5.99832206555887937690e-1 1.36929880922735805310e-1 1.48753612908506148525e-2 "
        "7.86869131145613259100e-4 1.84631831751005468180e-5 1.42151175831644588870e-7 "
        "2.04426310338993978564e-15"
    ),
)
_HALF, _SPLIT_CENTRE, _SPLIT_TAIL = Decimal("0.5"), Decimal("0.425"), Decimal(5)
_SHIFT_CENTRE, _SHIFT_MIDDLE = Decimal("0.180625"), Decimal("1.6")


def _ratio(parts: tuple[tuple[Decimal, ...], tuple[Decimal, ...]], at: Decimal) -> Decimal:
    above, below = Decimal(0), Decimal(0)
    for up, down in zip(reversed(parts[0]), reversed(parts[1]), strict=True):
        above, below = above * at + up, below * at + down
    return above / below


def normal_quantile(probability: Decimal) -> Decimal:
    """z with P(Z ≤ z) = `probability`, strictly between 0 and 1, in 34 digits of arithmetic."""
    assert 0 < probability < 1
    with localcontext(DRAWS):
        offset = probability - _HALF
        if abs(offset) <= _SPLIT_CENTRE:
            return offset * _ratio(CENTRE, _SHIFT_CENTRE - offset * offset)
        far = (-(probability if offset < 0 else 1 - probability).ln()).sqrt()
        found = (
            _ratio(MIDDLE, far - _SHIFT_MIDDLE)
            if far <= _SPLIT_TAIL
            else _ratio(TAIL, far - _SPLIT_TAIL)
        )
        return -found if offset < 0 else found


@cache
def coverage_factor(confidence_pct: Decimal) -> Decimal:
    """How many standard uncertainties a two-sided interval of this confidence reaches out."""
    assert 0 < confidence_pct < 100
    with localcontext(WHOLE):
        probability = _HALF + confidence_pct / 200
    return normal_quantile(probability)
