"""Global warming potentials over 100 years, from the CC0 package `globalwarmingpotentials`."""

from decimal import Decimal
from functools import cache

import globalwarmingpotentials

from onsil.core.quantities import shortest_decimal

GWP_SETS = ("SAR", "AR4", "AR5", "AR6")
GASES = ("co2", "ch4", "n2o")


@cache
def gwp(gwp_set: str, gas: str) -> Decimal:
    """kg CO2e per kg of `gas` (co2, ch4, n2o) in an assessment report's set.

    Raises KeyError for a set or gas that is not known.
    """
    if gwp_set not in GWP_SETS or gas not in GASES:
        raise KeyError(f"no GWP for {gas} in {gwp_set}")
    if gas == "co2":
        return Decimal(1)
    table = globalwarmingpotentials.data[f"{gwp_set}GWP100"]
    return shortest_decimal(float(table[gas.upper()]))
