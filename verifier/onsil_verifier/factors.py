"""From an amount of activity in any unit to gases and tonnes, by a factor of the inputs."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from onsil_verifier.arithmetic import gases_of, weight
from onsil_verifier.methods import Refused

# A unit's dimension and how many of that dimension's first unit it is.
_UNITS = {
    "J": ("energy", Fraction(1)), "kJ": ("energy", Fraction(1000)),
    "MJ": ("energy", Fraction(10**6)),
    "GJ": ("energy", Fraction(10**9)), "TJ": ("energy", Fraction(10**12)),
    "Wh": ("energy", Fraction(3600)), "kWh": ("energy", Fraction(3_600_000)),
    "MWh": ("energy", Fraction(3_600_000_000)), "GWh": ("energy", Fraction(3_600_000_000_000)),
    "kcal": ("energy", Fraction(4184)), "Gcal": ("energy", Fraction(4184 * 10**6)),
    "g": ("mass", Fraction(1, 1000)), "kg": ("mass", Fraction(1)), "t": ("mass", Fraction(1000)),
    "L": ("volume", Fraction(1, 1000)), "kL": ("volume", Fraction(1)),
    "m3": ("volume", Fraction(1)),
    "m": ("length", Fraction(1, 1000)), "km": ("length", Fraction(1)),
}  # fmt: skip


@dataclass(frozen=True)
class Emitted:
    """Tonnes of CO2e; kg by gas, None where only a sum is published."""

    tonnes: Decimal
    gases: dict[str, Decimal] | None

    def turned(self) -> "Emitted":
        """The same, taken off."""
        gases = None if self.gases is None else {gas: -kg for gas, kg in self.gases.items()}
        return Emitted(-self.tonnes, gases)


def converted(amount: Decimal, source: str, target: str) -> Decimal:
    """By a scale rounded to fifty digits; another dimension is refused."""
    if source == target:
        return amount
    one, other = _dimension(source), _dimension(target)
    if one[0] != other[0]:
        raise Refused(f"{source} cannot become {target}")
    scale = one[1] / other[1]
    return amount * (Decimal(scale.numerator) / Decimal(scale.denominator))


def _dimension(unit: str) -> tuple[str, Fraction]:
    return _UNITS.get(unit, (unit, Fraction(1)))


def activity(amount: Decimal, unit: str, factor: dict[str, Any], basis: str | None) -> Decimal:
    """An amount in the factor's own unit; a fuel's by its calorific value."""
    per, own, heating = factor["per"], factor["energy_basis"], factor["heating"]
    if _dimension(unit)[0] == _dimension(per)[0]:
        if _dimension(unit)[0] == "energy" and own != basis:
            if own is None or basis is None or heating is None:
                raise Refused("calorific basis")
            rate = Decimal(heating[f"{own}_mj"]) / Decimal(heating[f"{basis}_mj"])
            return converted(amount * rate, unit, per)
        return converted(amount, unit, per)
    if heating is None or own is None:
        raise Refused(f"{unit} for a factor per {per}")
    fuel = converted(amount, unit, heating["per"])
    return converted(fuel * Decimal(heating[f"{own}_mj"]), "MJ", per)


def emitted(
    amount: Decimal,
    unit: str,
    factor: dict[str, Any],
    gwp_set: str | None,
    basis: str | None = None,
) -> Emitted:
    """What an amount of activity emits under a GWP set."""
    if factor["co2_only"]:
        raise Refused("CO2 alone is no CO2e")
    many = activity(amount, unit, factor, basis)
    gases = gases_of(factor)
    if gases is None:
        if factor["co2e_gwp_set"] != gwp_set:
            raise Refused("gwp-differs")
        return Emitted(many * Decimal(factor["co2e_kg"]) / 1000, None)
    each = Decimal(0)
    for gas, kg in gases.items():
        each += kg * weight(gwp_set, gas)
    return Emitted(many * each / 1000, {gas: many * kg for gas, kg in gases.items()})


def emitted_co2(
    amount: Decimal, unit: str, factor: dict[str, Any], basis: str | None = None
) -> Emitted:
    """The same counting CO2 alone."""
    gases = gases_of(factor)
    if gases is None:
        raise Refused("CO2 is not known apart")
    kg = activity(amount, unit, factor, basis) * gases["co2"]
    return Emitted(kg / 1000, {"co2": kg})


def add_gases(
    one: dict[str, Decimal] | None, other: dict[str, Decimal] | None
) -> dict[str, Decimal] | None:
    """Gas by gas; not known as soon as one side is not."""
    if one is None or other is None:
        return None
    nothing = Decimal(0)
    return {gas: one.get(gas, nothing) + other.get(gas, nothing) for gas in {**one, **other}}


def co2e(gases: dict[str, Decimal], gwp_set: str | None) -> Decimal:
    """Tonnes CO2e of gases in kg."""
    kg = sum((kg * weight(gwp_set, gas) for gas, kg in gases.items()), Decimal(0))
    return kg / 1000
