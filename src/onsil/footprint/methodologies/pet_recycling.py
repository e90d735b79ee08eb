"""Recycling of PET bottles, version 1.

Bottles that become resin again spare the energy of making virgin resin:

    BE = Q · L · (SEC · EF_electricity + SFC · EF_fuel)
    PE = electricity and gas used to collect, sort and recycle
    ER = BE − PE

with Q the kilograms weighed and accepted by the recycler, L = 0.75 for losses and lesser quality,
SEC = 1.11 MWh/t and SFC = 15 GJ/t for PET. Source: UNFCCC CDM AMS-III.AJ "Recovery and recycling
of materials from solid wastes", recalled and to be confirmed in the document. The fuel is taken as
natural gas, the one that emits least. Only what displaces resin counts: lots that go into bricks,
pyrolysis or an unknown place give nothing. Bottles counted by machines are a check on the weight,
never the quantity.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import coefficient_table, factor_set
from onsil.footprint.methodologies.conditions import (
    DUTY_CONDITION,
    LEGAL_DUTY,
    legally_required,
)
from onsil.footprint.methodologies.emissions import add_gases, emitted
from onsil.footprint.methodologies.records import (
    Row,
    days_of_period,
    judge,
    none_usable,
    nothing_saved,
)
from onsil.footprint.methodologies.registry import (
    CoefficientNeed,
    Column,
    FactorNeed,
    MonitoringParameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.methodologies.waste_rows import (
    LOT_COLUMNS,
    SCALE,
    TICKET_CONDITION,
    daily_lines,
    ticket_used_twice,
)
from onsil.footprint.terms import MethodInputs, Outcome
from onsil.footprint.uncertainty import component, stated

ID = "pet-recycling"
VERSION = "1"
TITLE_KO = "페트병 재활용"
TITLE_EN = "Recycling of PET bottles"
SOURCES = (
    "UNFCCC CDM AMS-III.AJ, Recovery and recycling of materials from solid wastes (recalled)",
)
FORMULA = "ER [tCO2e] = Q [t] × L × (SEC [MWh/t] × EF_el + SFC [GJ/t] × EF_gas) − E_project × EF"
CONDITIONS = (
    (
        "수지(resin)를 대신하는 물량만 셉니다. 벽돌·열분해·용도 미상은 제외합니다.",
        "Only what displaces resin counts; bricks, pyrolysis and unknown uses are excluded.",
    ),
    (
        "재활용업체가 받아들인 무게만 세며, 계량한 무게보다 클 수 없습니다.",
        "Only the weight accepted by the recycler counts, and never more than was weighed.",
    ),
    (
        "병 수가 있으면 한 병의 무게가 8~70 g이어야 합니다. 아닌 행은 제외됩니다.",
        "Where bottles were counted, one weighs 8 to 70 g; a lot where it does not is excluded.",
    ),
    TICKET_CONDITION,
    (
        "사업의 전력과 가스 사용량을 모두 뺍니다. 없으면 0을 적어야 합니다.",
        "The project's electricity and gas are taken off; 0 has to be stated where there is none.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
TABLES = (
    TableRole(
        "lots", "계량한 물량", "Weighed lots",
        (
            *LOT_COLUMNS,
            Column("weight_kg", "decimal", "계량 무게", "Weighed", "kg", minimum=Decimal(0)),
            Column(
                "accepted_kg", "decimal", "재활용업체 인수 무게", "Accepted by the recycler", "kg",
                required=False, minimum=Decimal(0),
            ),
            Column(
                "outlet", "choice", "용도", "What it became",
                choices=("resin", "bricks", "pyrolysis", "fuel", "unknown"),
            ),
            Column(
                "bottles", "integer", "병 수 (기계 집계)", "Bottles, as machines counted",
                required=False, minimum=Decimal(1),
            ),
        ),
    ),
    TableRole(
        "energy", "사업 에너지", "Energy of the project",
        (
            Column("date", "date", "사용일 (기간의 끝)", "Day, at the end of the use"),
            Column(
                "electricity_kwh", "decimal", "전력", "Electricity", "kWh", minimum=Decimal(0)
            ),
            Column("gas_nm3", "decimal", "도시가스", "City gas", "Nm3", minimum=Decimal(0)),
        ),
    ),
)  # fmt: skip
PARAMETERS = (SCALE, LEGAL_DUTY)
COEFFICIENTS = (CoefficientNeed("displaced-resin", "ams-iii-aj-resin"),)
FACTORS = (
    FactorNeed("electricity", "consumption", ("lots",)),
    FactorNeed("city-gas", "combustion", ("lots",)),
)
MONITORING = (
    MonitoringParameter(
        "Q", "kg", "재활용업체가 받은 무게", "Weight accepted by the recycler", "물량마다",
        "each lot", "검정받은 계량대와 전표", "calibrated weighbridge, ticket",
        "투입구부터 반출까지 물질수지", "mass balance from the inlet to the bale",
    ),
    MonitoringParameter(
        "E", "kWh, Nm3", "수거·선별·재활용 에너지", "Energy of collecting, sorting, recycling",
        "달마다", "monthly", "계량기와 고지서", "meters and bills", "없으면 0을 적음",
        "0 is stated where there is none",
    ),
    MonitoringParameter(
        "outlet", "–", "용도", "What it became", "물량마다", "each lot", "인수증",
        "the buyer's acceptance", "용도 미상은 세지 않음", "an unknown use does not count",
    ),
)  # fmt: skip

_KEY = "pet"


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Kilograms recycled by lot, and the emissions spared.

    Refused: `legally-required`, `duplicate-ticket`, `energy-outside-period`, `no-row-usable`,
    `nothing-saved`.
    """
    lots = inputs.tables["lots"]
    for refusal in (legally_required(inputs), ticket_used_twice(lots), _energy_outside(inputs)):
        if refusal is not None:
            return refusal
    judged = judge(lots, lambda row: _reason(row, inputs))
    refusal = none_usable("lots", judged)
    if refusal is not None:
        return refusal
    table = inputs.coefficients["displaced-resin"]
    recycled_t = sum((row["accepted_kg"] for row in judged.used), Decimal(0)) / 1000
    counted_t = recycled_t * table.value(_KEY, "quality_l")
    spared = _energy(
        inputs,
        counted_t * table.value(_KEY, "electricity_mwh_per_t"),
        counted_t * table.value(_KEY, "fuel_gj_per_t"),
        "GJ",
    )
    used = inputs.tables["energy"]
    taken = _energy(
        inputs,
        sum((row["electricity_kwh"] for row in used), Decimal(0)) / 1000,
        sum((row["gas_nm3"] for row in used), Decimal(0)),
        "Nm3",
    )
    net_t = spared["co2e_t"] - taken["co2e_t"]
    refusal = nothing_saved(net_t)
    if refusal is not None:
        return refusal
    less = None if taken["gases_kg"] is None else {g: -v for g, v in taken["gases_kg"].items()}
    components = [
        component(
            "record:lots:scale", spared["co2e_t"], inputs.parameters["scale_uncertainty_pct"],
            ko="계량대", en="Scale",
        ),
        component(
            f"coefficient:{table.set_id}:{_KEY}", spared["co2e_t"],
            table.value(_KEY, "uncertainty_pct"), ko="수지 생산 에너지", en="Resin's energy",
        ),
    ]  # fmt: skip
    return Outcome(
        lines=daily_lines(((row, row["accepted_kg"]) for row in judged.used), "plastic-recycled"),
        co2e_t=net_t,
        gases_kg=add_gases(spared["gases_kg"], less),
        uncertainty=stated(
            net_t, components,
            note="20 % for the recalled coefficients is assumed; the factors state none.",
        ),
        coverage={"lots": judged.coverage()},
        details={
            "recycled_t": recycled_t,
            "counted_t": counted_t,
            "spared_t": spared["co2e_t"],
            "project_t": taken["co2e_t"],
            "not_resin_kg": sum(
                (row["weight_kg"] for row in lots if row["outlet"] != "resin"), Decimal(0)
            ),
            "coefficient_maturity": table.maturity_of(_KEY),
        },
    )  # fmt: skip


def _energy_outside(inputs: MethodInputs) -> Refusal | None:
    days = days_of_period(inputs)
    outside = [row["id"] for row in inputs.tables["energy"] if row["date"] not in days]
    if not outside:
        return None
    return Refusal(
        "energy-outside-period",
        f"기간 밖의 에너지 사용이 있습니다: {', '.join(outside[:5])}.",
        f"Energy of another period: {', '.join(outside[:5])}.",
        {"rows": outside},
    )


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    table = inputs.coefficients["displaced-resin"]
    if row["date"] not in days_of_period(inputs):
        return "outside-period"
    if row["outlet"] != "resin":
        return "resin-not-displaced"
    if "accepted_kg" not in row:
        return "acceptance-missing"
    if row["accepted_kg"] > row["weight_kg"]:
        return "accepted-above-weighed"
    if "bottles" in row:
        grams = bottle_grams(row["weight_kg"], row["bottles"])
        low, high = (table.value(_KEY, name) for name in ("bottle_g_min", "bottle_g_max"))
        if not low <= grams <= high:
            return "bottle-mass-implausible"
    return None


def bottle_grams(weight_kg: Decimal, bottles: Decimal) -> Decimal:
    """Mean mass of a bottle: 70 t of 1.18 million make 59.3 g."""
    return weight_kg * 1000 / bottles


def _energy(
    inputs: MethodInputs, electricity_mwh: Decimal, fuel: Decimal, fuel_unit: str
) -> dict[str, Any]:
    grid = emitted(electricity_mwh, "MWh", inputs.factors["electricity"], inputs.gwp_set)
    basis = "ncv" if fuel_unit == "GJ" else None
    gas = emitted(fuel, fuel_unit, inputs.factors["city-gas"], inputs.gwp_set, basis)
    return {
        "co2e_t": grid["co2e_t"] + gas["co2e_t"],
        "gases_kg": add_gases(grid["gases_kg"], gas["gases_kg"]),
    }


def worked_example() -> WorkedExample:
    """A tonne of resin, half a tonne of bricks that does not count, a little energy."""

    def lot(number: int, weight: int, outlet: str) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:Lot:example:{number}", "date": date(2025, 6, 10 + number),
            "ticket": f"W-{number}", "weight_kg": Decimal(weight),
            "accepted_kg": Decimal(weight), "outlet": outlet,
        }  # fmt: skip

    lots: Sequence[dict[str, Any]] = (lot(1, 1000, "resin"), lot(2, 500, "bricks"))
    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={"scale_uncertainty_pct": Decimal(1)},
        series={},
        factors={
            "electricity": factor_set("kr-grid-2018").factors[0],
            "city-gas": factor_set("kr-city-gas-2022").factors[0],
        },
        gwp_set="SAR",
        tables={
            "lots": tuple(lots),
            "energy": (
                {
                    "id": "urn:ngsi-ld:Energy:example:june", "date": date(2025, 6, 30),
                    "electricity_kwh": Decimal(100), "gas_nm3": Decimal(0),
                },
            ),
        },
        coefficients={"displaced-resin": coefficient_table("ams-iii-aj-resin")},
    )  # fmt: skip
    return WorkedExample(
        source="Made-up lots with the 2018 consumption-end and the 2022 gas factors (SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.9665332645"),
        steps=(
            "1 t × 0.75 × 1.11 MWh = 0.8325 MWh × 459.4106 kg/MWh = 382.4593245 kg",
            "1 t × 0.75 × 15 GJ = 11.25 GJ = 3.125 MWh × (201.1152 + 0.018 × 21 + 0.00036 × 310)",
            "less the project's 0.1 MWh × 459.4106 kg = 45.94106 kg; the bricks displace no resin",
        ),
    )
