"""Stem volume to biomass, carbon and CO2; and the gain-loss sum of the IPCC Guidelines.

CO2 = volume × D × BEF × (1 + R) × CF × 44/12 (2006 IPCC Guidelines vol. 4 ch. 2, eq. 2.8, with the
national coefficients of the Korean institute of forest science). 44/12 is a stated constant: it is
applied as a product and a quotient, never as 3.67.
"""

from dataclasses import dataclass
from decimal import Decimal

CARBON_TO_CO2 = (44, 12)


@dataclass(frozen=True)
class Species:
    """The coefficients of a species: t/m3, and three plain numbers. `group` is its kind of tree."""

    key: str
    ko: str
    group: str
    density: Decimal
    bef: Decimal
    root_ratio: Decimal
    carbon_fraction: Decimal

    @property
    def tonnes_per_m3(self) -> Decimal:
        """Dry biomass of the whole tree, per cubic metre of stem."""
        return self.density * self.bef * (1 + self.root_ratio)


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """base^exponent by exp and ln, both correctly rounded by specification; exact for whole ones.

    Bases are positive, so that every real exponent has a meaning.
    """
    assert base > 0
    if exponent == exponent.to_integral_value():
        return base ** int(exponent)
    return (exponent * base.ln()).exp()


def stem_volume_m3(
    dbh_cm: Decimal, height_m: Decimal, a: Decimal, b: Decimal, c: Decimal
) -> Decimal:
    """a · DBH^b · H^c, with DBH in cm and H in m as forest survey has them."""
    return a * power(dbh_cm, b) * power(height_m, c)


def biomass_t(volume_m3: Decimal, species: Species) -> Decimal:
    """Dry biomass above and below ground."""
    return volume_m3 * species.tonnes_per_m3


def as_co2(carbon: Decimal) -> Decimal:
    """An amount of carbon as CO2, in the same unit of mass."""
    up, down = CARBON_TO_CO2
    return carbon * up / down


def stock_co2_kg(volume_m3: Decimal, species: Species) -> Decimal:
    """CO2 held by a tree or stand of that stem volume."""
    return as_co2(biomass_t(volume_m3, species) * species.carbon_fraction) * 1000


def gain_loss(gain_tc: Decimal, losses_tc: tuple[Decimal, ...]) -> Decimal:
    """Yearly change of biomass carbon in tC: gain less losses (2006 IPCC vol. 4, eq. 2.7)."""
    return gain_tc - sum(losses_tc, Decimal(0))
