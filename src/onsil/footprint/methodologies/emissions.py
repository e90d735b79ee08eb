"""From Wh to gases and tonnes: one multiplication by a factor, never rounded on the way."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.factors import Factor
from onsil.footprint.factors.gwp import GASES

WH_PER_MWH = 1_000_000


def emissions(energy_wh: Decimal, factor: Factor, gwp_set: str) -> dict[str, Any]:
    """`co2e_t` and, where the factor has them apart, `gases_kg` for an amount of energy."""
    energy_mwh = energy_wh / WH_PER_MWH
    gases = factor.gases_kg_per_mwh
    return {
        "co2e_t": energy_mwh * factor.co2e_kg(gwp_set) / 1000,
        "gases_kg": None if gases is None else {g: energy_mwh * gases[g] for g in GASES},
    }


def add_gases(
    left: Mapping[str, Decimal] | None, right: Mapping[str, Decimal] | None
) -> dict[str, Decimal] | None:
    """Gas by gas; None as soon as one side is not known per gas."""
    if left is None or right is None:
        return None
    return {gas: left[gas] + right[gas] for gas in GASES}
