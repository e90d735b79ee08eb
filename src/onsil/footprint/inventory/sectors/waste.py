"""Waste and wastewater after IPCC 2006 Guidelines vol. 5."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.factors import CoefficientTable
from onsil.footprint.inventory.sectors.terms import (
    CARBON_TO_CO2,
    ONE,
    ZERO,
    Calculator,
    Need,
    coefficient,
    fraction,
)

_TO_CO2 = Decimal(CARBON_TO_CO2[0]) / CARBON_TO_CO2[1]
_TO_CH4 = Decimal(16) / 12
_TO_N2O = Decimal(44) / 28
_DAYS = 365


def _landfill(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """First-order decay, eq. 3.1 to 3.6: begins the year after

    Nothing that was laid down in or after the year asked for has decayed yet.
    """
    kind, year = given["waste"], int(given["year"])
    lasting = (-coefficient(table, kind, "k_per_year")).exp()
    degradable = (
        coefficient(table, kind, "doc") * coefficient(table, kind, "docf") * given["mcf"] * 1000
    )
    deposits: Mapping[int, Decimal] = given["deposited_t"]
    held = decayed = ZERO
    for at in range(min(deposits), year + 1):
        decayed = held * (ONE - lasting)
        held = held * lasting + deposits.get(at, ZERO) * degradable
    made = decayed * coefficient(table, kind, "methane_fraction") * _TO_CH4
    return {"ch4": max(made - given["recovered_ch4_kg"], ZERO) * (ONE - given["oxidised"])}


def _incineration(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 5.1, 5.4, 5.5: wet waste × dm × CF × FCF × OF × 44/12; other carbon is biogenic."""
    kind, wet_kg = given["waste"], given["wet_t"] * 1000
    carbon = (
        wet_kg * coefficient(table, kind, "dry_matter") * coefficient(table, kind, "carbon")
        * coefficient(table, kind, "oxidation") * _TO_CO2
    )  # fmt: skip
    fossil = coefficient(table, kind, "fossil_carbon")
    return {
        "co2": carbon * fossil,
        "co2b": carbon * (ONE - fossil),
        "ch4": given["wet_t"] * coefficient(table, kind, "ch4_kg_per_t"),
        "n2o": given["wet_t"] * coefficient(table, kind, "n2o_kg_per_t"),
    }


def _biological(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 4.1 and 4.2: wet waste treated × factor, less methane recovered."""
    kind = given["treatment"]
    methane = given["wet_t"] * coefficient(table, kind, "ch4_kg_per_t")
    return {
        "ch4": max(methane - given["recovered_ch4_kg"], ZERO),
        "n2o": given["wet_t"] * coefficient(table, kind, "n2o_kg_per_t"),
    }


def _wastewater(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 6.1 to 6.3: people × degree of utilisation × BOD, less sludge, × B0 × MCF.

    The degree of utilisation multiplies. Organic sludge is taken from the BOD alone.
    """
    load_kg = (
        given["people"] * given["utilisation"] * given["bod_g_per_person_day"]
        * given["industrial_correction"] * _DAYS / 1000
    )  # fmt: skip
    factor = coefficient(table, given["treatment"], "b0_kg_per_kg_bod") * coefficient(
        table, given["treatment"], "mcf"
    )
    methane = max(load_kg - given["sludge_bod_kg"], ZERO) * factor
    return {"ch4": max(methane - given["recovered_ch4_kg"], ZERO)}


def _effluent(given: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """Eq. 6.7 and 6.8: nitrogen in the effluent × factor × 44/28; nitrogen in sludge taken off."""
    nitrogen_kg = (
        given["people"] * given["protein_kg_per_person_year"]
        * coefficient(table, "effluent", "n_per_protein") * given["non_consumed"]
        * given["industrial_nitrogen"]
    ) - given["sludge_nitrogen_kg"]  # fmt: skip
    factor = coefficient(table, "effluent", "n2o_n_kg_per_kg_n")
    return {"n2o": max(nitrogen_kg, ZERO) * factor * _TO_N2O}


_RECOVERED = Need("recovered_ch4_kg", "kg", "회수한 메탄", "methane recovered")
CALCULATORS = (
    Calculator(
        "landfill-fod", "매립(1차 분해)", "Landfill, first-order decay",
        "IPCC 2006 Guidelines vol. 5 ch. 3 eq. 3.1–3.6", ("III.1", "3.5", "3.12"),
        "inventory-landfill-ipcc-2006",
        (
            Need("waste", "", "폐기물 종류", "kind of waste", "key"),
            Need("deposited_t", "t", "연도별 매립량(습윤)", "wet waste by year", "by-year"),
            Need("year", "", "산정 연도", "year asked for"),
            fraction("mcf", "메탄보정계수", "methane correction factor"),
            _RECOVERED,
            fraction("oxidised", "산화율", "share oxidised in the cover"),
        ),
        _landfill,
    ),
    Calculator(
        "incineration", "폐기물 소각", "Waste incineration",
        "IPCC 2006 Guidelines vol. 5 ch. 5 eq. 5.1, 5.4, 5.5", ("III.3", "3.5", "3.12"),
        "inventory-incineration-ipcc-2006",
        (
            Need("waste", "", "폐기물 종류", "kind of waste", "key"),
            Need("wet_t", "t", "소각량(습윤)", "wet waste burnt"),
        ),
        _incineration,
    ),
    Calculator(
        "biological-treatment", "생물학적 처리", "Biological treatment",
        "IPCC 2006 Guidelines vol. 5 ch. 4 eq. 4.1, 4.2", ("III.2",),
        "inventory-biological-ipcc-2006",
        (
            Need("treatment", "", "처리 방법", "treatment", "key"),
            Need("wet_t", "t", "처리량(습윤)", "wet waste treated"),
            _RECOVERED,
        ),
        _biological,
    ),
    Calculator(
        "wastewater", "생활하수 메탄", "Domestic wastewater, methane",
        "IPCC 2006 Guidelines vol. 5 ch. 6 eq. 6.1–6.3", ("III.4",),
        "inventory-wastewater-ipcc-2006",
        (
            Need("treatment", "", "처리 방법", "treatment", "key"),
            Need("people", "", "인구", "people"),
            fraction("utilisation", "처리 이용률", "degree of utilisation"),
            Need("bod_g_per_person_day", "g", "1인 1일 BOD", "BOD per person and day"),
            Need("industrial_correction", "1", "산업 보정계수", "correction for industrial BOD"),
            Need("sludge_bod_kg", "kg", "슬러지로 제거된 BOD", "BOD removed as sludge"),
            _RECOVERED,
        ),
        _wastewater,
    ),
    Calculator(
        "effluent-nitrogen", "방류수 아산화질소", "Effluent, nitrous oxide",
        "IPCC 2006 Guidelines vol. 5 ch. 6 eq. 6.7, 6.8", ("III.4",),
        "inventory-wastewater-ipcc-2006",
        (
            Need("people", "", "인구", "people"),
            Need("protein_kg_per_person_year", "kg", "1인 1년 단백질", "protein a person, year"),
            Need("non_consumed", "1", "비섭취 단백질 계수", "factor for protein not eaten"),
            Need("industrial_nitrogen", "1", "산업 질소 계수", "industrial nitrogen"),
            Need("sludge_nitrogen_kg", "kg", "슬러지로 제거된 질소", "nitrogen in sludge"),
        ),
        _effluent,
    ),
)  # fmt: skip
