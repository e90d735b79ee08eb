"""Uncertainty of runs and of sums of runs: pure, in decimals, the same on every machine.

Approach 1 combines named sources: contributions of the same source are fully correlated and added
first, different sources are independent. Approach 2 draws from PCG64 with a recorded seed:
`simulate` in decimals, `portable` for many inputs at once in doubles of the same bits everywhere.

A methodology states `Outcome.uncertainty = stated(co2e_t, [component(...), ...])`:

    {"confidence_pct": 95, "half_width_t": ..., "relative_pct": ..., "note": "...",
     "sources": ["Electricity meter"],
     "components": [{"source": "meter:urn:…#power", "half_width_t": ..., "confidence_pct": 95,
                     "distribution": "normal", "ko": "전력량계", "en": "Electricity meter"}]}

`half_width_t` is in tonnes of CO2e and carries the sign of the source's effect on the total.
Sources are named "meter:<entity#attribute>", "factor:<set>:<factor>", "coefficient:<set>:<key>",
"model:<meter>:<carrier>", "sampling:<role>:<what>" or "record:<role>:<id>".
"""

from onsil.footprint.uncertainty.components import (
    Combined,
    Term,
    combine,
    combine_terms,
    component,
    standard_uncertainty,
    stated,
    width,
)
from onsil.footprint.uncertainty.discounts import Discounted, discount
from onsil.footprint.uncertainty.generator import Pcg64, seeded
from onsil.footprint.uncertainty.normal import coverage_factor, normal_quantile
from onsil.footprint.uncertainty.simulation import (
    ALGORITHM,
    Distribution,
    Simulated,
    simulate,
    simulate_terms,
)

__all__ = [
    "ALGORITHM",
    "Combined",
    "Discounted",
    "Distribution",
    "Pcg64",
    "Simulated",
    "Term",
    "combine",
    "combine_terms",
    "component",
    "coverage_factor",
    "discount",
    "normal_quantile",
    "seeded",
    "simulate",
    "simulate_terms",
    "standard_uncertainty",
    "stated",
    "width",
]
