"""From an amount of activity to gases and tonnes: one multiplication, never rounded on the way."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.factors import Factor, FactorError
from onsil.footprint.factors.gwp import GASES

WH_PER_MWH = 1_000_000


def emitted(
    amount: Decimal, unit: str, factor: Factor, gwp_set: str, basis: str | None = None
) -> dict[str, Any]:
    """`co2e_t` and, where the factor has them apart, `gases_kg` for an amount of activity.

    The amount is converted into the factor's unit; a fuel's amount (Nm3, L, kg) becomes energy by
    the factor's own calorific value. `basis` ("ncv" or "gcv") says which energy is meant, which a
    fuel's factor per energy demands. Raises FactorError for another dimension (kWh for L, m3 for
    Nm3, tC for t of CO2), an unstated basis, CO2 alone, or a sum under another GWP set.
    """
    activity = factor.activity(amount, unit, basis)
    gases = factor.gases_kg
    return {
        "co2e_t": activity * factor.co2e_kg(gwp_set) / 1000,
        "gases_kg": None if gases is None else {g: activity * kg for g, kg in gases.items()},
    }


def emitted_co2(
    amount: Decimal, unit: str, factor: Factor, basis: str | None = None
) -> dict[str, Any]:
    """`emitted` counting CO2 alone, for a methodology whose source counts no other gas.

    Raises FactorError as `emitted` does, and for a factor known as a CO2e total alone.
    """
    if factor.gases_kg is None:
        raise FactorError(f"{factor.id} is a CO2e total; its CO2 is not known apart")
    co2_kg = factor.activity(amount, unit, basis) * factor.gases_kg["co2"]
    return {"co2e_t": co2_kg / 1000, "gases_kg": {"co2": co2_kg}}


def emissions(energy_wh: Decimal, factor: Factor, gwp_set: str) -> dict[str, Any]:
    """`emitted` for an amount of energy in Wh that already has the factor's calorific basis."""
    if factor.per != "MWh":
        return emitted(energy_wh, "Wh", factor, gwp_set, factor.energy_basis)
    energy_mwh = energy_wh / WH_PER_MWH
    gases = factor.gases_kg
    return {
        "co2e_t": energy_mwh * factor.co2e_kg(gwp_set) / 1000,
        "gases_kg": None if gases is None else {g: energy_mwh * kg for g, kg in gases.items()},
    }


def add_gases(
    left: Mapping[str, Decimal] | None, right: Mapping[str, Decimal] | None
) -> dict[str, Decimal] | None:
    """Gas by gas; None as soon as one side is not known per gas."""
    if left is None or right is None:
        return None
    names = [g for g in GASES if g in left or g in right]
    names += sorted((set(left) | set(right)) - set(GASES))
    # A gas that one side does not have is not emitted there.
    return {gas: left.get(gas, Decimal(0)) + right.get(gas, Decimal(0)) for gas in names}
