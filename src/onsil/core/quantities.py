"""Quantities and their units: pint converts, Decimal carries."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint

# UN/CEFACT Recommendation 20 codes, which NGSI-LD's unitCode uses.
_un_cefact = {
    "WHR": "watt_hour", "KWH": "kilowatt_hour", "MWH": "megawatt_hour", "WTT": "watt",
    "KWT": "kilowatt", "CEL": "degree_Celsius", "FAH": "degree_Fahrenheit", "MTQ": "meter ** 3",
    "LTR": "liter", "KGM": "kilogram", "GRM": "gram", "TNE": "metric_ton", "JOU": "joule",
    "GV": "gigajoule", "3B": "megajoule", "D54": "watt / meter ** 2", "P1": "percent",
    "C62": "dimensionless", "VLT": "volt", "AMP": "ampere", "HTZ": "hertz", "KMT": "kilometer",
    "MTR": "meter", "2N": "dimensionless",
}  # fmt: skip

# Short names of activity data. A normal cubic metre is none: its gas is at 0 °C and 1 atm.
_plain = {
    "m3": "meter ** 3", "Nm3": "normal_cubic_meter", "tree-year": "tree * year",
    "passenger-km": "passenger * kilometer", "vehicle-km": "kilometer", "t-km": "tonne * kilometer",
}  # fmt: skip


# How people write units that programs spell out.
_signs = {
    "degC": "°C", "degF": "°F", "percent": "%", "dimensionless": "", "count": "", "m^3": "m³",
    "meter ** 3": "m³", "W/m^2": "W/m²", "ug/m^3": "µg/m³", "liter / s": "L/s", "liter": "L",
}  # fmt: skip


# What is found once is kept: its digits may not depend on who asked first.
_FIXED = Context(prec=50, rounding=ROUND_HALF_EVEN)

_short = re.compile(rf"(?<![\w-])(?:{'|'.join(_plain)})(?![\w-])")

# Each a dimension of its own, so that no conversion can mix them up: carbon is not CO2.
_OF_ITS_OWN = (
    "normal_cubic_meter = [normal_volume]", "tree = [trees]", "passenger = [passengers]",
    "tC = [carbon]", "kgC = 0.001 tC", "tCO2 = [carbon_dioxide]", "kgCO2 = 0.001 tCO2",
)  # fmt: skip


class UnitError(ValueError):
    """A unit nobody knows, or one of another dimension than asked for."""


@cache
def _registry() -> "pint.UnitRegistry[Decimal]":
    # pint takes half a second to come in, which who reads no units shall not wait for.
    import pint

    registry = pint.UnitRegistry(non_int_type=Decimal, cache_folder=None)  # pyright: ignore
    registry.define("KRW = [currency]")
    registry.define("tCO2e = [co2e] = tonne_co2e")
    registry.define("kgCO2e = 0.001 tCO2e")
    registry.define("gCO2e = 0.000001 tCO2e")
    for text in _OF_ITS_OWN:
        registry.define(text)
    return registry  # pyright: ignore


def _spelled(text: str) -> str:
    return _short.sub(lambda found: f"({_plain[found[0]]})", text)


@cache
def _unit(text: str) -> "pint.Unit":
    try:
        return _registry().parse_units(_un_cefact.get(text) or _spelled(text))
    except Exception as error:
        raise UnitError(f"unknown unit: {text!r}") from error


@cache
def _linear(source: str, target: str) -> tuple[Decimal, Decimal]:
    """Scale and offset that turn `source` into `target`, found once and then reused."""
    from pint import DimensionalityError

    registry = _registry()
    with localcontext(_FIXED):
        try:
            zero = registry.Quantity(Decimal(0), _unit(source)).to(_unit(target)).magnitude
            one = registry.Quantity(Decimal(1000), _unit(source)).to(_unit(target)).magnitude
        except DimensionalityError as error:
            raise UnitError(f"{source} cannot become {target}") from error
        return (Decimal(one) - Decimal(zero)) / 1000, Decimal(zero)


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """`value` in `source` units as a Decimal in `target` units.

    Units are pint names (`kWh`, `degC`) or UN/CEFACT codes (`KWH`, `CEL`).
    Raises UnitError for an unknown unit or another dimension.
    """
    if source == target:
        return value
    scale, offset = _linear(source, target)
    return value * scale + offset


def same_dimension(first: str, second: str) -> bool:
    """Whether two units measure the same kind of thing. Raises UnitError when one is unknown."""
    return _unit(first).dimensionality == _unit(second).dimensionality


def unit_sign(unit: str) -> str:
    """A unit as people write it: `degC` is °C; what has no sign of its own stays as it is."""
    return _signs.get(unit, unit)


def shortest_decimal(number: float) -> Decimal:
    """The decimal that a stored double stands for: its shortest round-trip spelling.

    Readings of up to 15 significant digits come back exactly as they were sent.
    """
    return Decimal(repr(number))
