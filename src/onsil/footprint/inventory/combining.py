"""The uncertainty of totals, by approach 1 with what lines share fully correlated.

What has no stated uncertainty is named beside the figure; it is not taken for exact.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.uncertainty import Term, combine_terms

KG = Decimal("0.000001")  # a milligram: what figures of an inventory are stated to
Part = Mapping[str, Any]


def term(co2e_kg: Decimal, parts: Iterable[Part]) -> Term:
    """A line as a product of inputs, each with its source and half-width in % at 95 %."""
    pcts: dict[str, Decimal] = {}
    for part in parts:
        pcts[part["source"]] = pcts.get(part["source"], Decimal(0)) + Decimal(part["pct"])
    return Term(co2e_kg, pcts)


def summary(
    total_kg: Decimal | None, lines: Iterable[tuple[Decimal, list[Part], bool]]
) -> dict[str, Any]:
    """Half-width of a total in kg and %, each source's own part, and what is not stated.

    A line is its kg CO2e, its inputs with an uncertainty, and whether both inputs have one.
    """
    found = list(lines)
    unstated = sum((abs(kg) for kg, _, whole in found if not whole), Decimal(0))
    terms = [term(kg, parts) for kg, parts, _ in found if parts]
    if total_kg is None or not terms:
        return {"half_width_kg": None, "pct": None, "unstated_kg": unstated, "by_source": {}}
    made = combine_terms(terms)
    half = made.half_width.quantize(KG)
    share = None if total_kg == 0 else (half / abs(total_kg) * 100).quantize(Decimal("0.01"))
    by_source = {source: kg.quantize(KG) for source, kg in made.by_source.items()}
    return {"half_width_kg": half, "pct": share, "unstated_kg": unstated, "by_source": by_source}
