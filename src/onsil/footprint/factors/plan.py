"""The city plan's own coefficients: for pictures, and refused where their unit makes them wrong."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from onsil.core.refusal import Refusal
from onsil.footprint.factors.library import data_text


@dataclass(frozen=True)
class PlanCoefficient:
    """`value_t` tonnes of CO2 per `per`; a `cumulative` one took `years` years to come about."""

    id: str
    value_t: Decimal
    per: str
    basis: str
    years: int
    ko: str
    en: str
    derivation: str


@cache
def plan_coefficients() -> Mapping[str, PlanCoefficient]:
    """The plan's coefficients by id."""
    tables = tomllib.loads(data_text("plan.toml"))["coefficient"]
    return {
        t["id"]: PlanCoefficient(
            t["id"], Decimal(t["value"]), t["per"], t["basis"], t.get("years", 1),
            t["ko"], t["en"], t["derivation"],
        )
        for t in tables
    }  # fmt: skip


def use_plan_coefficient(
    coefficient_id: str, purpose: str, per: str | None = None
) -> PlanCoefficient | Refusal:
    """A coefficient for a purpose (`display`, `yearly-removal`, `credit`), counted `per` what.

    Refused: `plan-unit-differs` for another unit than the plan's (a car, where the plan counts
    10,000 km), `cumulative-not-yearly` for a stock used as a yearly rate, `plan-not-for-credit`
    for any of them in a credit. Raises KeyError for an unknown coefficient.
    """
    found = plan_coefficients()[coefficient_id]
    facts = {"coefficient": found.id, "value_t": found.value_t, "years": found.years}
    if per not in (None, found.per):
        return Refusal(
            "plan-unit-differs",
            f"계획의 계수 {found.value_t} tCO2({found.ko})은 {found.per}당 값이며 {per}당 값이 "
            f"아닙니다 ({found.derivation}). 실제 활동량을 재어 곱해야 합니다.",
            f"The plan's {found.value_t} tCO2 ({found.en}) is per {found.per}, not per {per} "
            f"({found.derivation}). Measure the activity and multiply by it.",
            {**facts, "per": found.per, "asked": per},
        )
    if found.basis == "cumulative" and purpose != "display":
        rate = found.value_t * 1000 / found.years
        return Refusal(
            "cumulative-not-yearly",
            f"계획의 계수 {found.value_t} tCO2({found.ko})은 {found.years}년 누적량입니다 "
            f"({found.derivation}). 한 해 흡수량으로 쓰면 {found.years}배 부풀려집니다. "
            f"한 해 평균은 {rate} kgCO2입니다.",
            f"The plan's {found.value_t} tCO2 ({found.en}) is {found.years} years' growth "
            f"({found.derivation}). As a yearly removal it would be {found.years} times too much; "
            f"the yearly mean is {rate} kgCO2.",
            {**facts, "yearly_mean_kg": rate},
        )
    if purpose == "credit":
        return Refusal(
            "plan-not-for-credit",
            f"계획의 계수({found.ko})는 비교 표시용이며 크레딧 산정에는 쓸 수 없습니다.",
            f"The plan's coefficient ({found.en}) is for comparisons; no credit may rest on it.",
            facts,
        )
    return found


def equivalents(co2e_t: Decimal) -> dict[str, Decimal]:
    """The same amount as pictures: grown pines, an urban maple's years, electric kilometres.

    Whole numbers, rounded down.
    """
    table = plan_coefficients()
    return {
        "pines_grown_17_years": co2e_t // table["pine"].value_t,
        "urban_maple_years": co2e_t // table["urban-maple"].value_t,
        "electric_car_km": co2e_t * 10000 // table["ev-for-combustion-car"].value_t,
    }
