"""A publication of factors, read from TOML; its own arithmetic is redone on reading."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

from onsil.core.canonical import digest
from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.footprint.factors.factor import Factor, stated_factor
from onsil.footprint.factors.provenance import FactorError, Provenance, stated_provenance

_CARBON_TO_CO2 = (44, 12)
_ARITHMETIC = Context(prec=50, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, kw_only=True)
class FactorSet(Provenance):
    """A publication of factors and where it was read. Unconfirmed sets say so in `maturity`."""

    factors: tuple[Factor, ...] = ()

    @property
    def document(self) -> str:
        return self.title

    @property
    def digest(self) -> str:
        return digest(self.content())

    def content(self) -> dict[str, Any]:
        """Everything stated of the set, as it is kept beside the runs that used it."""
        return {**self.provenance, "factors": [factor.document() for factor in self.factors]}

    def factor(self, commodity: str, boundary: str) -> Factor | None:
        """The set's factor for a commodity at a boundary, if it has one."""
        wanted = (commodity, boundary)
        return next((f for f in self.factors if (f.commodity, f.boundary) == wanted), None)


def parse_factor_sets(text: str) -> tuple[FactorSet, ...]:
    """Read factor sets from TOML. Raises FactorError for units, gaps or sums that do not hold."""
    return tuple(stated_factor_set(table) for table in tomllib.loads(text)["set"])


def stated_factor_set(table: Mapping[str, Any]) -> FactorSet:
    """One set out of a TOML or JSON table. Raises FactorError for what does not hold."""
    stated = stated_provenance(table)
    factors: list[Factor] = []
    for made in table["factor"]:
        factor = stated_factor(stated["id"], stated["version"], made)
        for finding in contradictions(factor, made):
            raise FactorError(finding)
        factors.append(factor)
    names = [factor.id for factor in factors]
    if len(set(names)) < len(names):
        raise FactorError(f"{stated['id']}: a commodity at one boundary is stated twice")
    return FactorSet(**stated, factors=tuple(factors))


def contradictions(factor: Factor, made: Mapping[str, Any]) -> list[str]:
    """What the table's own figures say against each other: totals, carbon content, signs."""
    with localcontext(_ARITHMETIC):
        return _contradictions(factor, made)


def _contradictions(factor: Factor, made: Mapping[str, Any]) -> list[str]:
    found = [
        f"{factor.id}: {gas} is negative ({kg})"
        for gas, kg in (factor.gases_kg or {"co2e": factor.co2e_total_kg or Decimal(0)}).items()
        if kg < 0
    ]
    for check in made.get("check", []):
        found += _total_differs(factor, check)
    carbon = made.get("carbon_t_per_tj")
    # An approved import says where its publisher rounded or erred: that was looked at by two.
    if carbon is not None and factor.gases_kg is not None and _unjudged(made):
        found += _carbon_differs(factor, Decimal(carbon))
    return found


def _unjudged(made: Mapping[str, Any]) -> bool:
    return made.get("carbon_verdict", "match") == "match"


def _total_differs(factor: Factor, check: Mapping[str, Any]) -> list[str]:
    """A printed total in t per MWh (or kg per the factor's own unit) against the gases' sum."""
    if "printed_t_per_mwh" in check:
        printed, unit, scale = Decimal(check["printed_t_per_mwh"]), "MWh", 1000
    else:
        printed, unit, scale = Decimal(check["printed_kg"]), factor.per, 1
    try:
        ours = factor.co2e_kg(check["gwp_set"]) * convert(Decimal(1), unit, factor.per) / scale
    except UnitError as error:
        return [f"{factor.id}: {error}"]
    if (ours.quantize(printed) == printed) == (check["verdict"] == "match"):
        return []
    return [f"{factor.id}: printed {printed}, recalculated {ours.quantize(printed)}"]


def _carbon_differs(factor: Factor, carbon_t_per_tj: Decimal) -> list[str]:
    """tC/TJ × 44/12 against the stated kg of CO2.

    Per energy it must be exact, or to four decimals where it never ends; per litre and the like,
    where publishers print what is rounded, at the stated digits.
    """
    assert factor.gases_kg is not None
    stated = factor.gases_kg["co2"]
    heating = factor.heating
    per_energy = same_dimension(factor.per, "TJ")
    if per_energy:
        tj = convert(Decimal(1), factor.per, "TJ")
    else:
        if heating is None or heating.ncv_mj is None or heating.per != factor.per:
            return [f"{factor.id}: carbon per TJ, but no calorific value per {factor.per}"]
        tj = heating.ncv_mj / 1_000_000
    up, down = _CARBON_TO_CO2
    ours = carbon_t_per_tj * 1000 * up * tj / down
    exponent = stated.as_tuple().exponent
    fine = not per_energy or (isinstance(exponent, int) and exponent <= -4)
    if ours == stated or (fine and ours.quantize(stated) == stated):
        return []
    return [f"{factor.id}: {carbon_t_per_tj} tC/TJ gives {ours} kg CO2/{factor.per}, not {stated}"]
