"""Livestock and land, Tier 1, after IPCC 2006 Guidelines vol. 4."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.factors import CoefficientTable
from onsil.footprint.inventory.sectors.terms import (
    CARBON_TO_CO2,
    Calculator,
    Need,
    coefficient,
)

_TO_CO2 = Decimal(CARBON_TO_CO2[0]) / CARBON_TO_CO2[1]


def _livestock(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 10.19 and 10.22: heads × methane by digestion and by manure."""
    kind = given["animal"]
    return {
        "ch4": given["heads"]
        * (
            coefficient(table, kind, "enteric_ch4_kg_per_head")
            + coefficient(table, kind, "manure_ch4_kg_per_head")
        )
    }


def _crown(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 8.2: crown cover × growth in carbon; a removal, hence below zero."""
    growth_t = given["crown_ha"] * coefficient(table, given["cover"], "tc_per_ha_year")
    return {"co2": -growth_t * 1000 * _TO_CO2}


def _stock(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 2.5, stock difference: (carbon then − carbon now) × 44/12 over the years between."""
    change_t = (given["carbon_last_t"] - given["carbon_first_t"]) / given["years"]
    return {"co2": -change_t * 1000 * _TO_CO2}


CALCULATORS = (
    Calculator(
        "livestock", "가축", "Livestock", "IPCC 2006 Guidelines vol. 4 ch. 10 eq. 10.19, 10.22",
        ("V.1",), "inventory-livestock-ipcc-2006",
        (
            Need("animal", "", "축종", "animal", "key"),
            Need("heads", "", "사육 두수", "heads"),
        ),
        _livestock,
    ),
    Calculator(
        "crown-cover", "도시 나무(수관 면적)", "Urban trees by crown cover",
        "IPCC 2006 Guidelines vol. 4 ch. 8 eq. 8.2 (Tier 2a)", ("V.2",),
        "inventory-land-ipcc-2006",
        (
            Need("cover", "", "피복", "cover", "key"),
            Need("crown_ha", "ha", "수관 면적", "crown cover"),
        ),
        _crown,
    ),
    Calculator(
        "carbon-stock-difference", "탄소축적 차이", "Carbon stock difference",
        "IPCC 2006 Guidelines vol. 4 ch. 2 eq. 2.5", ("V.2",), "inventory-land-ipcc-2006",
        (
            Need("carbon_first_t", "tC", "처음 탄소량", "carbon at first"),
            Need("carbon_last_t", "tC", "나중 탄소량", "carbon at last"),
            Need("years", "년", "사이의 해", "years between", minimum=Decimal(1)),
        ),
        _stock,
    ),
)  # fmt: skip
