"""solar-self-consumption 1: what was generated less what was exported, times the grid's factor."""

from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import Grid, emission, energy_grid, require
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused

_NOTE = "The factor's publisher states no uncertainty; none is added for it."


def solar(given: Given) -> dict[str, Any]:
    made = energy_grid(given, given.series["generation"])
    limit = given.number("capacity_kw") * 1000 * (Decimal(made.step_s) / 3600) * Decimal("1.1")
    for place, value in enumerate(made.values):
        if value is not None and value < 0:
            made.exclude(place, "negative")
        elif value is not None and value > limit:
            made.exclude(place, "above-capacity")
    if "export" in given.series:
        _less_export(made, energy_grid(given, given.series["export"]))
    elif not given.parameters["no_export"]:
        raise Refused("export-unknown")
    coverage = made.coverage()
    require(coverage, given.number("coverage_min_pct"))
    energy = made.total()
    if energy <= 0:
        raise Refused("nothing-generated")
    tonnes, gases = emission(energy / 1_000_000, given.factors["electricity"], given.gwp_set)
    percent = given.number("meter_uncertainty_pct")
    return {
        "co2e_t": tonnes,
        "gases_kg": gases,
        "lines": [
            {"meter": given.series["generation"].meter, "quantity": "solar-generation",
             "amount": energy, "unit": "Wh", "parts": made.by_day()}
        ],
        "uncertainty": {
            "confidence_pct": Decimal(95), "relative_pct": percent,
            "half_width_wh": energy * percent / 100, "sources": ["electricity meter"],
            "note": _NOTE,
        },
        "coverage": {"generation": coverage},
        "details": {"monthly_wh": made.by_month()},
    }  # fmt: skip


def _less_export(made: Grid, sent: Grid) -> None:
    if made.step_s != sent.step_s:
        raise Refused("intervals-differ")
    for place, value in enumerate(made.values):
        if value is None:
            continue
        away = sent.values[place]
        if away is None:
            made.exclude(place, f"export-{sent.fates[place]}")
        elif away < 0 or away > value:
            made.exclude(place, "export-impossible")
        else:
            made.values[place] = value - away


METHODS = {("solar-self-consumption", "1"): solar}
