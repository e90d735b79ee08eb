"""Stationary energy and transport: fuel burnt, and what the grid loses on the way."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.factors import CoefficientTable
from onsil.footprint.inventory.sectors.terms import Calculator, Need, coefficient


def _combustion(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """amount × NCV × factor per TJ; a biogenic fuel's CO2 is counted apart."""
    fuel = given["fuel"]
    energy_tj = given["amount"] * coefficient(table, fuel, "ncv_mj_per_unit") / 1_000_000
    carbon = "co2b" if table.rows[fuel].get("origin") == "biogenic" else "co2"
    return {
        carbon: energy_tj * coefficient(table, fuel, "co2_kg_per_tj"),
        "ch4": energy_tj * coefficient(table, fuel, "ch4_kg_per_tj"),
        "n2o": energy_tj * coefficient(table, fuel, "n2o_kg_per_tj"),
    }


CALCULATORS = (
    Calculator(
        "fuel-combustion", "연료 연소", "Fuel combustion",
        "IPCC 2006 Guidelines vol. 2 ch. 2 eq. 2.1, ch. 3 eq. 3.2.1 (Tier 1)",
        ("I.", "II.", "1."), "inventory-fuels-ipcc-2006",
        (
            Need("fuel", "", "연료", "fuel", "key"),
            Need("amount", "L, kg, Nm3", "사용량(연료표의 단위)", "amount, in the table's unit"),
        ),
        _combustion,
    ),
)  # fmt: skip
