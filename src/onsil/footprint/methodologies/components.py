"""What methodologies of tables say of their uncertainty: samples, and what is not stated."""

from decimal import Decimal
from typing import Any

from onsil.footprint.uncertainty import width

FACTOR_NOTE = "The factors' publishers state no uncertainty; none is added for them."
_Z_95 = Decimal("1.959963984540054")


def proportion_half_width(share: Decimal, sample: Decimal) -> Decimal:
    """Half-width at 95 % of a share in [0, 1] found in a simple random sample of so many.

    The normal approximation of the binomial distribution (Cochran, Sampling Techniques, 3.2).
    """
    assert 0 <= share <= 1
    return _Z_95 * (share * (1 - share) / sample).sqrt()


def surveyed(
    source: str, tonnes: Decimal, share: Decimal, sample: Decimal, ko: str, en: str
) -> dict[str, Any]:
    """What the sampling of a share does to the tonnes that are proportional to it."""
    assert share > 0
    half_width_t = tonnes * proportion_half_width(share, sample) / share
    return width(source, half_width_t, ko=ko, en=en)
