"""The gases of an inventory, and what a kilogram of each counts under a GWP set."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from onsil.footprint.factors import gwp

GROUPS = ("co2", "ch4", "n2o", "hfcs", "pfcs", "sf6", "nf3")
BIOGENIC = "co2b"


def weight(gwp_set: str, gas: str) -> Decimal:
    """kg CO2e per kg of a gas over 100 years; biogenic CO2 counts nothing and is shown apart.

    HFCs and PFCs are named by substance (hfc134a, cf4), for a group has no GWP of its own.
    Raises KeyError for a gas that the set does not value.
    """
    return Decimal(0) if gas == BIOGENIC else gwp(gwp_set, gas)


def group(gas: str) -> str:
    """The column of the gas table that a gas belongs to."""
    if gas in GROUPS or gas == BIOGENIC:
        return gas
    return "hfcs" if gas.startswith("hfc") else "pfcs"


def known(gas: str, gwp_set: str) -> bool:
    """Whether the gas can be counted under a GWP set."""
    try:
        weight(gwp_set, gas)
    except KeyError:
        return False
    return True


def weighed(gases_kg: Mapping[str, Decimal], gwp_set: str) -> Decimal:
    """kg CO2e of a mixture, biogenic CO2 left out."""
    return sum((kg * weight(gwp_set, gas) for gas, kg in gases_kg.items()), Decimal(0))


def added(mixtures: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Gas by gas; a gas that none has is not there, which is not the same as zero."""
    total: dict[str, Decimal] = {}
    for mixture in mixtures:
        for gas, kg in mixture.items():
            total[gas] = total.get(gas, Decimal(0)) + kg
    return total
