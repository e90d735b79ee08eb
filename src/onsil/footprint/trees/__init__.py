"""Trees: from stem to carbon, growth between two measurements, and what a tree can grow at most."""

from onsil.footprint.trees.carbon import (
    CARBON_TO_CO2,
    Species,
    as_co2,
    biomass_t,
    gain_loss,
    power,
    stem_volume_m3,
    stock_co2_kg,
)
from onsil.footprint.trees.growth import GrowthColumns, Measured, growth_components, measure
from onsil.footprint.trees.places import Area, close_pairs, metres_between
from onsil.footprint.trees.plausibility import (
    PUBLIC_YEARLY_KG,
    YEARLY_MOST,
    growth_implausible,
)
from onsil.footprint.trees.species import find_species

__all__ = [
    "CARBON_TO_CO2",
    "PUBLIC_YEARLY_KG",
    "YEARLY_MOST",
    "Area",
    "GrowthColumns",
    "Measured",
    "Species",
    "as_co2",
    "biomass_t",
    "close_pairs",
    "find_species",
    "gain_loss",
    "growth_components",
    "growth_implausible",
    "measure",
    "metres_between",
    "power",
    "stem_volume_m3",
    "stock_co2_kg",
]
