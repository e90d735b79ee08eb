"""Draws of many inputs at once, in doubles that no processor can make otherwise.

Arrays are combined element by element with +, −, × and ÷ and square roots, which IEEE 754 rounds
correctly; logarithm and exponential are made of these, and no library's own takes part. Hence the
same bits on every machine. docs/footprint/uncertainty.md writes the algorithm down.
"""

import hashlib
import math
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from onsil.footprint.uncertainty.context import WHOLE
from onsil.footprint.uncertainty.generator import INCREMENT, seeded
from onsil.footprint.uncertainty.normal import CENTRE, MIDDLE, TAIL, coverage_factor

ALGORITHM = "onsil-monte-carlo-2"
# From here on a normal distribution would often be below zero, where no activity and no factor
# can be: a half-width of 60 % at 95 % is a coefficient of variation of 0.31. 2006 IPCC Guidelines,
# vol. 1, ch. 3, section 3.2.2.4 names the lognormal for such quantities (from memory).
LOGNORMAL_FROM_PCT = Decimal(60)
Doubles = NDArray[np.float64]
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LN2 = 0.6931471805599453
_ROOT_HALF = 0.7071067811865476
_LOG_TERMS, _EXP_TERMS = 13, 14


def uniforms(seed: int, source: str, draws: int) -> Doubles:
    """A source's own stream: (2k + 1) / 2^53 with the upper 52 bits k of each PCG64 output.

    The generator's seed is the first 128 bits of SHA-256 over "<seed> <source>", so that another
    source more or less moves no other's draws.
    """
    own = hashlib.sha256(f"{seed} {source}".encode()).digest()[:16]
    generator = np.random.PCG64()
    generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": seeded(int.from_bytes(own, "big")).state, "inc": INCREMENT},
        "has_uint32": 0,
        "uinteger": 0,
    }
    upper = generator.random_raw(draws) >> np.uint64(12)
    return (2.0 * upper.astype(np.float64) + 1.0) / 2.0**53


def logarithm(values: Doubles) -> Doubles:
    """Natural logarithm of positive numbers: 2 artanh((m − 1)/(m + 1)) + e ln 2, m in [√½, √2)."""
    fraction, exponent = np.frexp(values)
    small = fraction < _ROOT_HALF
    fraction = np.where(small, fraction * 2.0, fraction)
    exponent = exponent.astype(np.float64) - small
    ratio = (fraction - 1.0) / (fraction + 1.0)
    squared = ratio * ratio
    series = np.full_like(ratio, 1.0 / (2 * _LOG_TERMS + 1))
    for term in range(_LOG_TERMS - 1, -1, -1):
        series = series * squared + 1.0 / (2 * term + 1)
    return exponent * _LN2_HIGH + (2.0 * ratio * series + exponent * _LN2_LOW)


def exponential(values: Doubles) -> Doubles:
    """e to the power of each: Taylor's series of what is left after whole powers of two."""
    whole = np.rint(values / _LN2)
    rest = (values - whole * _LN2_HIGH) - whole * _LN2_LOW
    series = np.full_like(rest, 1.0)
    for term in range(_EXP_TERMS, 0, -1):
        series = series * rest / float(term) + 1.0
    return np.ldexp(series, whole.astype(np.int64))


def _ratio(parts: tuple[tuple[Decimal, ...], tuple[Decimal, ...]], at: Doubles) -> Doubles:
    above, below = np.zeros_like(at), np.zeros_like(at)
    for up, down in zip(reversed(parts[0]), reversed(parts[1]), strict=True):
        above, below = above * at + float(up), below * at + float(down)
    return above / below


def normal_quantiles(probabilities: Doubles) -> Doubles:
    """z with P(Z ≤ z) = each probability (AS 241, PPND16, in doubles)."""
    offset = probabilities - 0.5
    found = offset * _ratio(CENTRE, 0.180625 - offset * offset)
    far = np.abs(offset) > 0.425
    nearer = np.minimum(probabilities[far], 1.0 - probabilities[far])
    out = np.sqrt(-logarithm(nearer))
    beyond = np.where(out <= 5.0, _ratio(MIDDLE, out - 1.6), _ratio(TAIL, out - 5.0))
    found[far] = np.where(offset[far] < 0, -beyond, beyond)
    return found


def normals(seed: int, source: str, draws: int) -> Doubles:
    """A source's standard normal deviates."""
    return normal_quantiles(uniforms(seed, source, draws))


def deviated(deviates: Doubles, pct: Decimal) -> Doubles:
    """An input relative to its estimate, mean 1, half-width `pct` at 95 %.

    Normal below `LOGNORMAL_FROM_PCT`; from there on lognormal of the same mean and standard
    deviation, so that it stays above zero.
    """
    with localcontext(WHOLE):
        spread = pct / 100 / coverage_factor(Decimal(95))
        if pct < LOGNORMAL_FROM_PCT:
            return 1.0 + float(spread) * deviates
        variance = (1 + spread * spread).ln()
        shift, width = float(-variance / 2), float(variance.sqrt())
    return exponential(shift + width * deviates)


def steady(amount: Decimal, draws: int) -> Doubles:
    """The same amount in every draw."""
    return np.full(draws, float(amount))


def interval(values: Doubles, confidence_pct: Decimal) -> tuple[float, float, float]:
    """Mean, and the percentiles of the interval: linear between order statistics (type 7)."""
    ordered = np.sort(values)
    tail = (1 - float(confidence_pct) / 100) / 2
    return (
        math.fsum(values.tolist()) / len(values),
        _percentile(ordered, tail),
        _percentile(ordered, 1 - tail),
    )


def _percentile(ordered: Doubles, share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    low, high = float(ordered[below]), float(ordered[above])
    return low + (place - below) * (high - low)
