"""First-order decay of what is buried: 2006 IPCC Guidelines vol. 5 ch. 3, equations 3.1 to 3.6.

Carbon laid down in a year begins to decay on the first of January after it (the delay of six
months that section 3.2.3 takes as default): nothing of it is methane in its own year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_METHANE_PER_CARBON = (16, 12)
_CO2_PER_CARBON = (44, 12)


@dataclass(frozen=True)
class Decayed:
    """What a year's decay gave, in the unit of mass that the carbon was in. CO2 is biogenic."""

    methane: Decimal
    biogenic_co2: Decimal


def degradable_carbon(waste: Decimal, doc: Decimal, docf: Decimal, mcf: Decimal) -> Decimal:
    """Eq. 3.2: carbon that will decay without air, of wet waste in any unit of mass."""
    return waste * doc * docf * mcf


def decay_by_year(
    laid_down: Mapping[int, Decimal], k_per_year: Decimal, first: int, last: int
) -> dict[int, Decimal]:
    """Eq. 3.4 and 3.5: carbon that decays in each year from `first` to `last`, by calendar year.

    `laid_down` is degradable carbon by the year of its burial.
    """
    lasting = (-k_per_year).exp()
    held, decayed = Decimal(0), {}
    for year in range(min([*laid_down, first]), last + 1):
        gone = held * (1 - lasting)
        held = held * lasting + laid_down.get(year, Decimal(0))
        if year >= first:
            decayed[year] = gone
    return decayed


def methane_of_decay(
    decayed: Decimal,
    *,
    methane_fraction: Decimal,
    recovered_share: Decimal,
    oxidation: Decimal,
) -> Decayed:
    """Eq. 3.6 and 3.1: methane that leaves the site; the rest of the carbon leaves as CO2."""
    up, down = _METHANE_PER_CARBON
    made = decayed * methane_fraction * up / down
    methane = made * (1 - recovered_share) * (1 - oxidation)
    carbon_as_methane = methane * down / up
    up, down = _CO2_PER_CARBON
    return Decayed(methane, (decayed - carbon_as_methane) * up / down)
