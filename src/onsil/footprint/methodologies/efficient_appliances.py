"""Efficient appliances, version 1.

Per appliance a, over the days on which it stood in for the old one:

    saving_a = (baseline_a − project_a) [kWh/yr] · days_a / 365 · in_service · (1 − rebound)
    emission reduction = Σ_a saving_a · EF_grid

Source: UNFCCC CDM AMS-II.C "Demand-side energy efficiency activities for specific technologies"
(baseline and project use of each device, checked for being in service, replaced devices scrapped so
that they leak nowhere). The baseline is the yearly use on the old device's label or of its class's
standard; the project's use is metered, or rated on the label. What was metered goes before a label.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies.components import FACTOR_NOTE, surveyed
from onsil.footprint.methodologies.conditions import (
    DUTY_CONDITION,
    LEGAL_DUTY,
    legally_required,
    uncalibrated,
)
from onsil.footprint.methodologies.emissions import emissions
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
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = "efficient-appliances"
VERSION = "1"
TITLE_KO = "고효율 가전 교체"
TITLE_EN = "Efficient appliances"
SOURCES = (
    "UNFCCC CDM AMS-II.C, Demand-side energy efficiency activities for specific technologies",
    "Efficiency Valuation Organization, IPMVP Core Concepts, option A (retrofit isolation)",
)
FORMULA = (
    "ER [tCO2e] = Σ_a (baseline_a − project_a) [kWh/yr] × days_a / 365 × in_service × "
    "(1 − rebound_pct/100) × EF_grid [kgCO2e/MWh] / 10⁶"
)
CONDITIONS = (
    (
        "기존 제품을 폐기한 증빙이 있어야 합니다(old_scrapped). 없는 행은 제외됩니다.",
        "The old appliance was scrapped, with evidence (old_scrapped); a row without is excluded.",
    ),
    (
        "새 제품의 사용량이 기준 사용량보다 작아야 합니다.",
        "The new appliance uses less than the baseline.",
    ),
    (
        "사용 중임이 확인되지 않은 제품에는 표본 조사의 사용률(in_service_pct)을 곱합니다. "
        "쓰지 않는 제품은 제외됩니다.",
        "An appliance not itself seen in service counts at the surveyed rate (in_service_pct); one "
        "found out of service is excluded.",
    ),
    (
        "계량한 행은 검정이 유효한 계량기의 값이어야 하고, 표시값보다 계량값이 앞섭니다.",
        "A metered row is from a calibrated meter; what was metered goes before the label.",
    ),
    (
        "제품 수명이 끝난 뒤의 날은 세지 않습니다(life_ends).",
        "Days after the old appliance's or the new one's end of life do not count (life_ends).",
    ),
    DUTY_CONDITION,
)
ROLES = ()
TABLES = (
    TableRole(
        "appliances", "가전제품", "Appliances",
        (
            Column("kind", "text", "종류", "Kind"),
            Column(
                "baseline_kwh_per_year", "decimal", "기준 연간 사용량", "Baseline yearly use",
                "kWh", minimum=Decimal("0.001"), maximum=Decimal(100_000),
            ),
            Column(
                "rated_kwh_per_year", "decimal", "새 제품의 표시 연간 사용량",
                "New appliance's rated yearly use", "kWh", required=False, minimum=Decimal(0),
            ),
            Column(
                "metered_kwh", "decimal", "새 제품의 계량 사용량", "New appliance's metered use",
                "kWh", required=False, minimum=Decimal(0),
            ),
            Column(
                "metered_days", "integer", "계량한 날 수", "Days metered", "d", required=False,
                minimum=Decimal(1),
            ),
            Column("installed", "date", "설치일", "Day of installation"),
            Column("old_scrapped", "boolean", "기존 제품 폐기 증빙", "Old appliance scrapped"),
            Column(
                "in_service", "boolean", "사용 확인", "Seen in service", required=False,
            ),
            Column(
                "life_ends", "date", "감축을 세는 마지막 날의 다음 날",
                "Day from which nothing counts", required=False,
            ),
            Column(
                "calibrated_until", "date", "계량기 검정 유효 기간의 다음 날",
                "Day after the meter's calibration ends", required=False,
            ),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "in_service_pct", "decimal", "조사된 사용률", "Surveyed in-service rate", "%",
        minimum=Decimal(0), maximum=Decimal(100),
    ),
    Parameter(
        "in_service_sample", "integer", "사용률 조사 표본 수", "Sample of the survey",
        minimum=Decimal(30),
    ),
    Parameter(
        "rebound_pct", "decimal", "반등 효과 차감", "Discount for rebound", "%", default="0",
        minimum=Decimal(0), maximum=Decimal(50),
    ),
    Parameter(
        "rated_uncertainty_pct", "decimal", "표시값에 따른 절감의 불확도 (95 %)",
        "Uncertainty of a saving by labels at 95 %", "%", default="20", minimum=Decimal(5),
        maximum=Decimal(50),
    ),
    Parameter(
        "metered_uncertainty_pct", "decimal", "계량한 절감의 불확도 (95 %)",
        "Uncertainty of a metered saving at 95 %", "%", default="10", minimum=Decimal(0),
        maximum=Decimal(50),
    ),
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (FactorNeed("electricity", "consumption", ("appliances",)),)
MONITORING = (
    MonitoringParameter(
        "E_baseline, E_project", "kWh/yr", "연간 사용량", "Yearly use",
        "설치 때 한 번, 표본은 해마다", "once at installation, a sample each year",
        "에너지소비효율 표시 또는 플러그 전력량계", "energy label, or a plug meter",
        "모델명과 고유 번호, 중복 번호 거절", "model and number; a number twice is refused",
    ),
    MonitoringParameter(
        "ISR", "%", "사용률", "In-service rate", "해마다", "each year",
        "30개 이상의 단순 무작위 표본 조사", "a simple random sample of 30 or more",
        "95 % 신뢰구간을 불확도에 반영", "its 95 % interval enters the uncertainty",
    ),
)  # fmt: skip

_DAYS_A_YEAR = 365


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Saved electricity in Wh, row by row, and the emissions it avoided.

    Refused: `legally-required`, `no-row-usable`, `nothing-saved`.
    """
    refusal = legally_required(inputs)
    if refusal is not None:
        return refusal
    judged = judge(inputs.tables["appliances"], lambda row: _reason(row, inputs))
    refusal = none_usable("appliances", judged)
    if refusal is not None:
        return refusal
    saved = {row["id"]: _saved_wh(row, inputs) for row in judged.used}
    found = emissions(
        sum(saved.values(), Decimal(0)), inputs.factors["electricity"], inputs.gwp_set
    )
    refusal = nothing_saved(found["co2e_t"])
    if refusal is not None:
        return refusal
    return Outcome(
        lines=tuple(RunLine(row, "electricity-saved", wh) for row, wh in saved.items()),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty=stated(
            found["co2e_t"], _components(judged.used, saved, inputs), note=FACTOR_NOTE
        ),
        coverage={"appliances": judged.coverage()},
        details={
            "rows_metered": sum(1 for row in judged.used if "metered_kwh" in row),
            "rows_seen_in_service": sum(1 for row in judged.used if row.get("in_service")),
        },
    )


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    project = _project_kwh_per_year(row)
    if not row["old_scrapped"]:
        return "old-not-scrapped"
    if row.get("in_service") is False:
        return "not-in-service"
    if not days_of_period(inputs).within(row["installed"], row.get("life_ends")):
        return "not-in-period"
    if project is None:
        return "project-use-missing"
    if "metered_kwh" in row and uncalibrated(row, inputs):
        return "out-of-calibration"
    if project >= row["baseline_kwh_per_year"]:
        return "not-less-use"
    return None


def _project_kwh_per_year(row: Row) -> Decimal | None:
    """The new appliance's yearly use: as metered, else as rated, else not known."""
    if "metered_kwh" in row:
        days = row.get("metered_days")
        return None if days is None else row["metered_kwh"] * _DAYS_A_YEAR / days
    return row.get("rated_kwh_per_year")


def _saved_wh(row: Row, inputs: MethodInputs) -> Decimal:
    project = _project_kwh_per_year(row)
    assert project is not None
    days = days_of_period(inputs).within(row["installed"], row.get("life_ends"))
    given = inputs.parameters
    served = Decimal(1) if row.get("in_service") else given["in_service_pct"] / 100
    kept = served * (1 - given["rebound_pct"] / 100)
    return (row["baseline_kwh_per_year"] - project) * 1000 * days * kept / _DAYS_A_YEAR


def _components(
    rows: tuple[Row, ...], saved: Mapping[str, Decimal], inputs: MethodInputs
) -> list[dict[str, Any]]:
    given, factor = inputs.parameters, inputs.factors["electricity"]

    def tonnes(chosen: list[Row]) -> Decimal:
        energy_wh = sum((saved[row["id"]] for row in chosen), Decimal(0))
        return emissions(energy_wh, factor, inputs.gwp_set)["co2e_t"]

    metered = tonnes([row for row in rows if "metered_kwh" in row])
    rated = tonnes([row for row in rows if "metered_kwh" not in row])
    unseen = tonnes([row for row in rows if not row.get("in_service")])
    made: list[dict[str, Any]] = []
    if metered:
        made.append(
            component(
                "sampling:appliances:metered use",
                metered,
                given["metered_uncertainty_pct"],
                ko="계량한 사용량",
                en="Metered use",
            )
        )
    if rated:
        made.append(
            component(
                "sampling:appliances:rated use",
                rated,
                given["rated_uncertainty_pct"],
                ko="표시 사용량",
                en="Rated use",
            )
        )
    if unseen:
        made.append(
            surveyed(
                "sampling:appliances:in service",
                unseen,
                given["in_service_pct"] / 100,
                given["in_service_sample"],
                "사용률 표본",
                "In-service sample",
            )
        )
    return made  # fmt: skip


def worked_example() -> WorkedExample:
    """Two refrigerators by hand, over thirty days: one by its label, one metered."""
    rows = (
        {
            "id": "urn:ngsi-ld:Appliance:example:fridge-1", "kind": "refrigerator",
            "baseline_kwh_per_year": Decimal(730), "rated_kwh_per_year": Decimal(365),
            "installed": date(2025, 1, 1), "old_scrapped": True,
        },
        {
            "id": "urn:ngsi-ld:Appliance:example:fridge-2", "kind": "refrigerator",
            "baseline_kwh_per_year": Decimal(730), "metered_kwh": Decimal(30),
            "metered_days": Decimal(30), "installed": date(2025, 6, 16), "old_scrapped": True,
            "in_service": True,
        },
    )  # fmt: skip
    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={
            "in_service_pct": Decimal(90), "in_service_sample": Decimal(50),
            "rebound_pct": Decimal(10), "rated_uncertainty_pct": Decimal(20),
            "metered_uncertainty_pct": Decimal(10),
        },
        series={},
        factors={"electricity": factor_set("kr-grid-2018").factors[0]},
        gwp_set="SAR",
        tables={"appliances": rows},
    )  # fmt: skip
    return WorkedExample(
        source="Arithmetic by hand with the 2018 consumption-end factor (0.45941 tCO2e/MWh, SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.0173657206800"),
        steps=(
            "First: (730 − 365) kWh × 30/365 = 30 kWh × 90 % in service × (1 − 10 %) = 24.3 kWh",
            "Second: 1 kWh a day = 365 kWh a year; (730 − 365) × 15/365 = 15 kWh × 90 % = 13.5 kWh",
            "37.8 kWh × 0.4594106 kg/kWh = 17.36572068 kg",
        ),
    )
