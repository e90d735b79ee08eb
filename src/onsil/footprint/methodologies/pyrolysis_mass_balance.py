"""Mass balance of low-temperature pyrolysis, version 1.

A batch's mass has to close before anything is said of it, and tonnes need more than mass:

    bricks · 1.5 kg · 60 % = residue        (55 bricks hold 49.5 kg of 50 kg: 99 %)
    residue + oil + gas + water = feed      (where all of them were weighed)
    ER = bricks' mass · EF_displaced − electricity · EF − gas · EF − fossil carbon burnt · 44/12

Source: the city plan's rules for its pyrolysis units (1 t in 24 hours at 50 to 270 °C, bricks of
1.5 kg at 60 % residue, dioxin limit 5 ng-TEQ/Sm3). No published methodology credits bricks from
waste: recycling methods credit displaced resin. So without measured energy, the fossil carbon burnt
and a published factor of the product that the bricks really displace, the run is kept as
not-yet-measurable and says what is lacking. Oil is not credited.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import Factor, factor_set
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
    Column,
    FactorNeed,
    MonitoringParameter,
    Parameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.methodologies.waste_rows import SCALE, daily_lines
from onsil.footprint.terms import NOT_YET_MEASURABLE, MethodInputs, Outcome
from onsil.footprint.trees import as_co2
from onsil.footprint.uncertainty import component, stated

ID = "pyrolysis-mass-balance"
VERSION = "1"
TITLE_KO = "저온 열분해 물질수지"
TITLE_EN = "Mass balance of low-temperature pyrolysis"
SOURCES = (
    "City's plan for low-temperature pyrolysis units (capacity, temperatures, bricks, dioxin "
    "limit)",
    "UNFCCC CDM AMS-III.AJ credits displaced resin, not bricks (recalled)",
)
FORMULA = (
    "closure = bricks × brick_kg × residue_share / residue; ER [tCO2e] = bricks × brick_kg × "
    "EF_displaced − E_el × EF_el − E_gas × EF_gas − C_fossil × 44/12"
)
CONDITIONS = (
    (
        "벽돌에 든 잔재물이 배치 잔재물의 90~102 %로 맞아야 합니다.",
        "The residue in the bricks is 90 to 102 % of the batch's residue.",
    ),
    (
        "24시간마다 1 t 이하, 50~270 °C로 운전한 배치여야 합니다.",
        "A batch is 1 t at most for every 24 hours, at 50 to 270 °C.",
    ),
    (
        "다이옥신 측정값이 5 ng-TEQ/Sm3를 넘는 배치는 제외합니다.",
        "A batch above 5 ng-TEQ/Sm3 of dioxin is excluded.",
    ),
    (
        "오일·가스·물을 모두 달았다면 전체 질량도 투입량의 90~102 %로 맞아야 합니다.",
        "Where oil, gas and water were weighed, all mass closes to 90 to 102 % of the feed.",
    ),
    (
        "에너지, 태운 화석 탄소, 대체된 제품의 공개 배출계수가 없으면 크레딧을 산정하지 않습니다.",
        "Without energy, fossil carbon burnt, and a published factor of the product displaced, "
        "nothing is credited.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
_OPTIONAL = {"required": False, "minimum": Decimal(0)}
TABLES = (
    TableRole(
        "batches", "배치", "Batches",
        (
            Column("date", "date", "시작일", "Day of the start"),
            Column("unit", "text", "열분해 설비", "Pyrolysis unit"),
            Column(
                "feed", "choice", "투입물", "Feed",
                choices=("paper", "rubber", "wood", "film", "plastic", "mixed"),
            ),
            Column("feed_kg", "decimal", "투입량", "Feed", "kg", minimum=Decimal("0.1")),
            Column("hours", "decimal", "운전 시간", "Hours", "h", minimum=Decimal("0.1")),
            Column("lowest_c", "decimal", "최저 온도", "Lowest temperature", "degC"),
            Column("highest_c", "decimal", "최고 온도", "Highest temperature", "degC"),
            Column("residue_kg", "decimal", "잔재물", "Residue", "kg", minimum=Decimal("0.01")),
            Column("bricks", "integer", "벽돌 수", "Bricks", minimum=Decimal(0)),
            Column("oil_kg", "decimal", "오일", "Oil", "kg", **_OPTIONAL),
            Column("gas_kg", "decimal", "가스", "Gas", "kg", **_OPTIONAL),
            Column("water_kg", "decimal", "물", "Water", "kg", **_OPTIONAL),
            Column("electricity_kwh", "decimal", "전력", "Electricity", "kWh", **_OPTIONAL),
            Column("gas_nm3", "decimal", "도시가스", "City gas", "Nm3", **_OPTIONAL),
            Column(
                "fossil_carbon_kg", "decimal", "태운 화석 탄소", "Fossil carbon burnt", "kg",
                **_OPTIONAL,
            ),
            Column("dioxin_ng", "decimal", "다이옥신", "Dioxin", "ng-TEQ/Sm3", **_OPTIONAL),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "brick_kg", "decimal", "벽돌 한 장의 무게", "Mass of a brick", "kg", default="1.5",
        minimum=Decimal("0.1"), maximum=Decimal(20),
    ),
    Parameter(
        "residue_share", "decimal", "벽돌의 잔재물 함량", "Share of residue in a brick", "",
        default="0.60", minimum=Decimal("0.01"), maximum=Decimal(1),
    ),
    SCALE,
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (
    FactorNeed("displaced-product", "production", ("batches",), required=False),
    FactorNeed("electricity", "consumption", ("batches",), required=False),
    FactorNeed("city-gas", "combustion", ("batches",), required=False),
)
MONITORING = (
    MonitoringParameter(
        "mass", "kg", "투입·잔재물·오일·가스·물", "Feed, residue, oil, gas, water", "배치마다",
        "each batch", "검정받은 저울", "calibrated scales", "수지 90~102 %",
        "closes to 90 to 102 %",
    ),
    MonitoringParameter(
        "energy", "kWh, Nm3", "전력과 가스", "Electricity and gas", "배치마다", "each batch",
        "계량기", "meters", "없으면 산정하지 않음", "nothing is counted without",
    ),
    MonitoringParameter(
        "dioxin", "ng-TEQ/Sm3", "배출가스 다이옥신", "Dioxin in the flue gas", "해마다",
        "each year",
        "공인 시험", "accredited test", "한도 5를 넘으면 제외", "above 5 is excluded",
    ),
)  # fmt: skip

_CLOSES = (Decimal("0.90"), Decimal("1.02"))
_TEMPERATURES = (Decimal(50), Decimal(270))
_KG_PER_DAY, _DIOXIN_MOST = Decimal(1000), Decimal(5)
_MEASURED = ("electricity_kwh", "gas_nm3", "fossil_carbon_kg")


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def closure(
    bricks: Decimal, brick_kg: Decimal, residue_share: Decimal, residue_kg: Decimal
) -> Decimal:
    """Residue found again in the bricks: 55 bricks of 1.5 kg at 60 % hold 99 % of 50 kg."""
    return bricks * brick_kg * residue_share / residue_kg


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Kilograms treated, and emissions avoided where energy and displacement are known.

    Refused: `legally-required`, `no-row-usable`, `nothing-saved`, and `not-yet-measurable` with
    the mass balance and what is lacking.
    """
    refusal = legally_required(inputs)
    if refusal is not None:
        return refusal
    judged = judge(inputs.tables["batches"], lambda row: _reason(row, inputs))
    refusal = none_usable("batches", judged)
    if refusal is not None:
        return refusal
    balance = _balance(judged.used, inputs)
    lacking = _lacking(judged.used, inputs)
    if lacking:
        return _not_yet(balance, lacking)
    return _outcome(inputs, judged.used, {"batches": judged.coverage()}, balance)


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    if row["date"] not in days_of_period(inputs):
        return "outside-period"
    if row["feed_kg"] > _KG_PER_DAY * row["hours"] / 24:
        return "above-capacity"
    low, high = _TEMPERATURES
    if row["lowest_c"] < low or row["highest_c"] > high or row["lowest_c"] > row["highest_c"]:
        return "temperature-outside"
    if row.get("dioxin_ng", Decimal(0)) > _DIOXIN_MOST:
        return "dioxin-above-limit"
    if not _CLOSES[0] <= _bricks_closure(row, inputs) <= _CLOSES[1]:
        return "bricks-do-not-close"
    whole = _whole_closure(row)
    if whole is not None and not _CLOSES[0] <= whole <= _CLOSES[1]:
        return "mass-does-not-close"
    return None


def _bricks_closure(row: Row, inputs: MethodInputs) -> Decimal:
    stated_ = inputs.parameters
    return closure(row["bricks"], stated_["brick_kg"], stated_["residue_share"], row["residue_kg"])


def _whole_closure(row: Row) -> Decimal | None:
    """All products over the feed; None where one of them was not weighed."""
    names = ("oil_kg", "gas_kg", "water_kg")
    if not all(name in row for name in names):
        return None
    products = row["residue_kg"] + sum((row[name] for name in names), Decimal(0))
    return products / row["feed_kg"]


def _balance(rows: Sequence[Row], inputs: MethodInputs) -> dict[str, Any]:
    feed = sum((row["feed_kg"] for row in rows), Decimal(0))
    residue = sum((row["residue_kg"] for row in rows), Decimal(0))
    return {
        "batches": len(rows),
        "feed_kg": feed,
        "residue_kg": residue,
        "residue_kg_per_t": residue * 1000 / feed,
        "bricks": int(sum((row["bricks"] for row in rows), Decimal(0))),
        "bricks_closure_pct": {row["id"]: 100 * _bricks_closure(row, inputs) for row in rows},
        "whole_closure_pct": {
            row["id"]: None if (whole := _whole_closure(row)) is None else 100 * whole
            for row in rows
        },
    }


def _lacking(rows: Sequence[Row], inputs: MethodInputs) -> list[str]:
    missing = [name for name in _MEASURED if any(name not in row for row in rows)]
    if any(_whole_closure(row) is None for row in rows):
        missing.append("oil, gas and water")
    needed = {
        "displaced-product": True,
        "electricity": any(row.get("electricity_kwh") for row in rows),
        "city-gas": any(row.get("gas_nm3") for row in rows),
    }
    return missing + [
        f"factor: {c}" for c, is_ in needed.items() if is_ and c not in inputs.factors
    ]


def _not_yet(balance: Mapping[str, Any], lacking: Sequence[str]) -> Refusal:
    told = ", ".join(lacking)
    return Refusal(
        NOT_YET_MEASURABLE,
        f"물질수지는 맞지만({balance['batches']}개 배치) 감축량은 알 수 없습니다. 없는 것: {told}. "
        "벽돌의 "
        "무게만으로는 tCO2e가 나오지 않습니다. 에너지와 태운 화석 탄소를 재고, 벽돌이 실제로 "
        "대신한 "
        "제품의 공개 배출계수를 밝혀야 합니다.",
        f"The mass of {balance['batches']} batches closes, but no reduction follows from it. "
        f"Lacking: {told}. Bricks' mass alone gives no tonne of CO2e: measure energy and the "
        "fossil "
        "carbon burnt, and name a published factor of the product that the bricks displace.",
        {"lacking": list(lacking), **balance},
    )


def _outcome(
    inputs: MethodInputs,
    rows: Sequence[Row],
    coverage: Mapping[str, Any],
    balance: Mapping[str, Any],
) -> Outcome | Refusal:
    def total(column: str) -> Decimal:
        return sum((row[column] for row in rows), Decimal(0))

    bricks_kg = total("bricks") * inputs.parameters["brick_kg"]
    spared = emitted(bricks_kg, "kg", inputs.factors["displaced-product"], inputs.gwp_set)
    burnt_kg = as_co2(total("fossil_carbon_kg"))
    taken: list[dict[str, Any]] = [{"co2e_t": burnt_kg / 1000, "gases_kg": {"co2": burnt_kg}}]
    for commodity, column, unit in (
        ("electricity", "electricity_kwh", "kWh"), ("city-gas", "gas_nm3", "Nm3"),
    ):  # fmt: skip
        if total(column):
            taken.append(emitted(total(column), unit, inputs.factors[commodity], inputs.gwp_set))
    project_t = sum((one["co2e_t"] for one in taken), Decimal(0))
    net_t = spared["co2e_t"] - project_t
    refusal = nothing_saved(net_t)
    if refusal is not None:
        return refusal
    gases = spared["gases_kg"]
    for one in taken:
        found = one["gases_kg"]
        gases = add_gases(gases, None if found is None else {g: -kg for g, kg in found.items()})
    return Outcome(
        lines=daily_lines(((row, row["feed_kg"]) for row in rows), "waste-diverted"),
        co2e_t=net_t,
        gases_kg=gases,
        uncertainty=stated(
            net_t,
            [
                component(
                    "record:batches:scale", spared["co2e_t"],
                    inputs.parameters["scale_uncertainty_pct"], ko="저울", en="Scales",
                )
            ],
        ),
        coverage=coverage,
        details={**balance, "spared_t": spared["co2e_t"], "project_t": project_t},
    )  # fmt: skip


def worked_example() -> WorkedExample:
    """One batch whose mass closes; the displaced product's factor is made up for the arithmetic."""
    batch = {
        "id": "urn:ngsi-ld:Batch:example:1", "date": date(2025, 6, 10), "unit": "example-unit",
        "feed": "paper", "feed_kg": Decimal(1000), "hours": Decimal(24), "lowest_c": Decimal(60),
        "highest_c": Decimal(265), "residue_kg": Decimal(50), "bricks": Decimal(55),
        "oil_kg": Decimal(300), "gas_kg": Decimal(250), "water_kg": Decimal(380),
        "electricity_kwh": Decimal(10), "gas_nm3": Decimal(0), "fossil_carbon_kg": Decimal(0),
    }  # fmt: skip
    displaced = Factor(
        "example", "displaced-product", "production", "kg",
        {"co2": Decimal("0.2"), "ch4": Decimal(0), "n2o": Decimal(0)},
    )  # fmt: skip
    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={
            "brick_kg": Decimal("1.5"), "residue_share": Decimal("0.60"),
            "scale_uncertainty_pct": Decimal(1),
        },
        series={},
        factors={
            "electricity": factor_set("kr-grid-2018").factors[0], "displaced-product": displaced,
        },
        gwp_set="SAR",
        tables={"batches": (batch,)},
    )  # fmt: skip
    return WorkedExample(
        source="Bricks and residue of the plan; the factor of 0.2 kg a kilogram is made up, since "
        "no published one is known",
        inputs=inputs,
        co2e_t=Decimal("0.011905894"),
        steps=(
            "55 × 1.5 kg × 60 % = 49.5 kg of 50 kg residue: 99 %; 50 + 300 + 250 + 380 = 980 of "
            "1,000 kg: 98 %",
            "55 × 1.5 kg × 0.2 = 16.5 kg, less 10 kWh × 0.4594106 kg = 4.594106 kg",
        ),
    )
