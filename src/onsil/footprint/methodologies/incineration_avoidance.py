"""Waste kept out of incineration, version 1.

Gases that burning the waste would have given:

    CO2 = W · dm · CF · FCF · OF · 44/12 (fossil carbon alone),  CH4 = W · EF_CH4,  N2O = W · EF_N2O
    ER  = gases · GWP − electricity and heat that the plant no longer delivers

Source: 2006 IPCC Guidelines vol. 5 ch. 5, equations 5.1, 5.4 and 5.5. The carbon that is not
fossil would have left as biogenic CO2: it is told apart and never counted. Where the incinerator
makes power, keeping waste away makes the grid give it instead, and that is taken off.
"""

from collections.abc import Mapping
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
    Parameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.methodologies.waste_rows import (
    LOT_COLUMNS,
    SCALE,
    TICKET_CONDITION,
    co2e_t,
    daily_lines,
    maturities,
    no_gases,
    ticket_used_twice,
)
from onsil.footprint.terms import MethodInputs, Outcome
from onsil.footprint.uncertainty import component, stated
from onsil.footprint.waste import Burnt, burn

ID = "incineration-avoidance"
VERSION = "1"
TITLE_KO = "소각 회피"
TITLE_EN = "Waste kept out of incineration"
SOURCES = ("2006 IPCC Guidelines vol. 5 ch. 5, equations 5.1, 5.4 and 5.5",)
FORMULA = (
    "ER [tCO2e] = Σ W × (dm × CF × FCF × OF × 44/12 + EF_CH4 × GWP + EF_N2O × GWP) − "
    "power_lost × EF_grid"
)
CONDITIONS = (
    (
        "폐기물이 사업이 없었다면 소각되었음을 확인할 근거가 있어야 합니다 (소각장 이름).",
        "There is evidence that the waste would have been burnt: the plant is named.",
    ),
    TICKET_CONDITION,
    (
        "화석 탄소의 CO2만 세고, 생물 기원 CO2는 따로 적습니다.",
        "Only CO2 of fossil carbon counts; biogenic CO2 is told apart.",
    ),
    (
        "소각장이 전기를 만든다면 줄어든 발전량을 뺍니다.",
        "Where the plant makes power, the power it no longer makes is taken off.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
_KINDS = (
    "food", "garden", "paper", "wood", "textiles", "nappies", "rubber", "plastics", "other",
)  # fmt: skip
TABLES = (
    TableRole(
        "diverted", "소각하지 않은 폐기물", "Waste diverted",
        (
            *LOT_COLUMNS,
            Column("kind", "choice", "종류", "Kind", choices=_KINDS),
            Column("wet_t", "decimal", "습윤 무게", "Wet weight", "t", minimum=Decimal(0)),
            Column("plant", "text", "갔을 소각장", "Incinerator it would have gone to"),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "power_kwh_per_t", "decimal", "소각장의 폐기물 톤당 공급 전력량",
        "Power that the plant delivers per tonne of waste", "kWh/t", minimum=Decimal(0),
        maximum=Decimal(1500),
    ),
    SCALE,
    LEGAL_DUTY,
)  # fmt: skip
COEFFICIENTS = (CoefficientNeed("waste-burning", "ipcc-2006-waste-burning"),)
FACTORS = (FactorNeed("electricity", "consumption", ("diverted",)),)
MONITORING = (
    MonitoringParameter(
        "W", "t", "빼낸 폐기물의 종류별 무게", "Waste diverted by kind", "물량마다", "each lot",
        "계량대와 전표, 종류별 조성 조사", "weighbridge and ticket, survey of composition",
        "전표 중복 거절", "a ticket twice is refused",
    ),
    MonitoringParameter(
        "power", "kWh/t", "소각장 전력 공급량", "Power delivered by the plant", "해마다",
        "each year",
        "소각장 운영 기록", "the plant's records", "전력 거래 자료와 대조",
        "compared with the power sold",
    ),
)  # fmt: skip


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Kilograms diverted by lot, and the gases that burning them would have given.

    Refused: `legally-required`, `duplicate-ticket`, `no-row-usable`, `nothing-saved`.
    """
    rows = inputs.tables["diverted"]
    for refusal in (legally_required(inputs), ticket_used_twice(rows)):
        if refusal is not None:
            return refusal
    days = days_of_period(inputs)
    judged = judge(rows, lambda row: None if row["date"] in days else "outside-period")
    refusal = none_usable("diverted", judged)
    if refusal is not None:
        return refusal
    table = inputs.coefficients["waste-burning"]
    burnt = [(row, burn(row["wet_t"], table.rows[row["kind"]])) for row in judged.used]
    wet_t = sum((row["wet_t"] for row in judged.used), Decimal(0))
    lost = emitted(
        wet_t * inputs.parameters["power_kwh_per_t"], "kWh", inputs.factors["electricity"],
        inputs.gwp_set,
    )  # fmt: skip
    gases = no_gases()
    for _, one in burnt:
        gases = {gas: gases[gas] + kg for gas, kg in _gases(one).items()}
    net_t = co2e_t(gases, inputs.gwp_set) - lost["co2e_t"]
    refusal = nothing_saved(net_t)
    if refusal is not None:
        return refusal
    less = None if lost["gases_kg"] is None else {g: -v for g, v in lost["gases_kg"].items()}
    return Outcome(
        lines=daily_lines(((row, row["wet_t"] * 1000) for row in judged.used), "waste-diverted"),
        co2e_t=net_t,
        gases_kg=add_gases(gases, less),
        uncertainty=stated(net_t, _components(inputs, burnt, net_t)),
        coverage={"diverted": judged.coverage()},
        details={
            "wet_t": wet_t,
            "burning_t": co2e_t(gases, inputs.gwp_set),
            "power_lost_t": lost["co2e_t"],
            "biogenic_co2_kg": sum((one.biogenic_co2_kg for _, one in burnt), Decimal(0)),
            "maturity": maturities(table, (row["kind"] for row in judged.used)),
        },
    )


def _gases(one: Burnt) -> dict[str, Decimal]:
    return {"co2": one.co2_kg, "ch4": one.ch4_kg, "n2o": one.n2o_kg}


def _components(
    inputs: MethodInputs, burnt: list[tuple[Row, Burnt]], net_t: Decimal
) -> list[dict[str, Any]]:
    table = inputs.coefficients["waste-burning"]
    by_kind: dict[str, Decimal] = {}
    for row, one in burnt:
        tonnes = co2e_t(_gases(one), inputs.gwp_set)
        by_kind[row["kind"]] = by_kind.get(row["kind"], Decimal(0)) + tonnes
    found = [
        component(
            f"coefficient:{table.set_id}:{kind}", tonnes, table.value(kind, "uncertainty_pct"),
            ko="소각 계수", en="Burning",
        )
        for kind, tonnes in sorted(by_kind.items())
    ]  # fmt: skip
    scale = inputs.parameters["scale_uncertainty_pct"]
    return [
        *found, component("record:diverted:scale", net_t, scale, ko="계량대", en="Scale"),
    ]  # fmt: skip


def worked_example() -> WorkedExample:
    """Twelve tonnes of plastics and ten of food kept away from a plant that makes power."""

    def lot(kind: str, wet_t: int) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:Lot:example:{kind}", "date": date(2025, 6, 10),
            "ticket": f"I-{kind}", "kind": kind, "wet_t": Decimal(wet_t), "plant": "example-plant",
        }  # fmt: skip

    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={"power_kwh_per_t": Decimal(300), "scale_uncertainty_pct": Decimal(1)},
        series={},
        factors={"electricity": factor_set("kr-grid-2018").factors[0]},
        gwp_set="SAR",
        tables={"diverted": (lot("food", 10), lot("plastics", 12))},
        coefficients={"waste-burning": coefficient_table("ipcc-2006-waste-burning")},
    )  # fmt: skip
    return WorkedExample(
        source="Made-up lots with the IPCC's defaults and the 2018 consumption-end factor (SAR)",
        inputs=inputs,
        co2e_t=Decimal("30.30898244"),
        steps=(
            "Plastics: 12 t × 1 × 0.75 × 1 × 1 × 44/12 = 33 t CO2; food: no fossil carbon",
            "22 t × 0.0002 kg CH4 × 21 + 22 t × 0.05 kg N2O × 310 = 0.0924 + 341 kg",
            "less 22 t × 300 kWh × 0.4594106 kg = 3,032.10996 kg",
        ),
    )
