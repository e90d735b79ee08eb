"""Waste: methane from what is buried, gases from what is burnt (IPCC 2006 Guidelines vol. 5)."""

from onsil.footprint.waste.burning import Burnt, burn
from onsil.footprint.waste.decay import (
    Decayed,
    decay_by_year,
    degradable_carbon,
    methane_of_decay,
)

__all__ = ["Burnt", "Decayed", "burn", "decay_by_year", "degradable_carbon", "methane_of_decay"]
