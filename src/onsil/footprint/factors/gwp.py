"""Global warming potentials over 100 years, from the CC0 package `globalwarmingpotentials`."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import globalwarmingpotentials

from onsil.core.quantities import shortest_decimal

GWP_SETS = ("SAR", "AR4", "AR5", "AR6")
GASES = ("co2", "ch4", "n2o")


@cache
def _table(gwp_set: str) -> Mapping[str, Decimal]:
    stated = globalwarmingpotentials.data[f"{gwp_set}GWP100"]
    found = {name.lower(): shortest_decimal(float(value)) for name, value in stated.items()}
    return {"co2": Decimal(1), **found}


@cache
def gwp(gwp_set: str, gas: str) -> Decimal:
    """kg CO2e per kg of `gas` (co2, ch4, n2o, sf6, nf3, hfc134a, cf4 …) in a report's set.

    Raises KeyError for a set that is not known, or a gas that the report does not value.
    """
    if gwp_set not in GWP_SETS or gas not in _table(gwp_set):
        raise KeyError(f"no GWP for {gas} in {gwp_set}")
    return _table(gwp_set)[gas]


def gwp_gases(gwp_set: str) -> tuple[str, ...]:
    """The gases that a report's set values, CO2 first."""
    return tuple(_table(gwp_set))


@cache
def known_gas(name: str) -> bool:
    """Whether any set values a gas of that name."""
    return any(name in _table(gwp_set) for gwp_set in GWP_SETS)
