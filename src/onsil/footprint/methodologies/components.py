"""Where an outcome's uncertainty is from, source by source, so that it can be combined across runs.

Independent sources add in quadrature (IPCC 2006 Guidelines, volume 1, chapter 3, equation 3.2,
approach 1). A source has one name wherever it appears: what two runs share is then correlated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_Z_95 = Decimal("1.959963984540054")


@dataclass(frozen=True)
class Component:
    """One source: its name and the half-width at 95 % that it alone gives the tonnes."""

    source: str
    half_width_t: Decimal
    distribution: str = "normal"


def share_of(source: str, tonnes: Decimal, relative_pct: Decimal) -> Component:
    """A source that makes so many tonnes uncertain by so many per cent."""
    return Component(source, abs(tonnes) * relative_pct / 100)


def proportion_half_width(share: Decimal, sample: Decimal) -> Decimal:
    """Half-width at 95 % of a share in [0, 1] found in a simple random sample of so many."""
    return _Z_95 * (share * (1 - share) / sample).sqrt()


def combined(co2e_t: Decimal, components: Sequence[Component], note: str) -> dict[str, Any]:
    """The uncertainty of an outcome at 95 %, by approach 1, with its components."""

    def relative(half_width_t: Decimal) -> Decimal | None:
        if co2e_t <= 0:
            return None
        return (100 * half_width_t / co2e_t).quantize(Decimal("0.0001"))

    half_width_t = sum((c.half_width_t**2 for c in components), Decimal(0)).sqrt()
    return {
        "confidence_pct": Decimal(95),
        "half_width_t": half_width_t,
        "relative_pct": relative(half_width_t),
        "components": [
            {
                "source": c.source,
                "half_width_t": c.half_width_t,
                "relative_pct": relative(c.half_width_t),
                "confidence_pct": Decimal(95),
                "distribution": c.distribution,
            }
            for c in components
        ],
        "note": note,
    }


FACTOR_NOTE = "The factors' publishers state no uncertainty; none is added for them."
