"""Burning of waste: 2006 IPCC Guidelines vol. 5 ch. 5, equations 5.1, 5.4 and 5.5.

CO2 = waste × dm × CF × FCF × OF × 44/12; the carbon that is not fossil leaves as biogenic CO2,
which is told apart and never counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_CO2_PER_CARBON = (44, 12)


@dataclass(frozen=True)
class Burnt:
    """Gases in kg. `biogenic_co2_kg` stands beside the others."""

    co2_kg: Decimal
    biogenic_co2_kg: Decimal
    ch4_kg: Decimal
    n2o_kg: Decimal


def burn(wet_t: Decimal, row: Mapping[str, Decimal | str]) -> Burnt:
    """Gases of burning so many wet tonnes of a kind; `row` holds its coefficients.

    Columns: dry_matter, carbon, fossil_carbon, oxidation, ch4_kg_per_t, n2o_kg_per_t.
    """

    def number(column: str) -> Decimal:
        found = row[column]
        assert isinstance(found, Decimal)
        return found

    up, down = _CO2_PER_CARBON
    carbon_kg = wet_t * 1000 * number("dry_matter") * number("carbon") * number("oxidation")
    fossil = number("fossil_carbon")
    return Burnt(
        carbon_kg * fossil * up / down,
        carbon_kg * (1 - fossil) * up / down,
        wet_t * number("ch4_kg_per_t"),
        wet_t * number("n2o_kg_per_t"),
    )
