"""Replacement of lamps by LED, version 1.

Per fixture group f, over the period:

    saving_f = count_f · (before_f − after_f) [W] · hours_f [h] · (1 − interactive)
    emission reduction = Σ_f saving_f · EF_grid

Source: the lighting protocol of IPMVP (retrofit isolation; option A with stipulated hours, option B
with logged or metered ones), UNFCCC CDM AMS-II.C "Demand-side energy efficiency activities for
specific technologies", and the U.S. EPA's calculation of a lamp switched to LED (37.2 kWh a year ×
1,558.8 lb/MWh = 2.63E-02 t). Heating that replaces the lost warmth of the lamps is taken off by
`interactive_pct`; less cooling is never counted. A lamp replaced before its end of life saves
against the old lamp until that end, and after it against what would have been bought (standard_w).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies.components import FACTOR_NOTE
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

ID = "led-replacement"
VERSION = "1"
TITLE_KO = "LED 조명 교체"
TITLE_EN = "Replacement of lamps by LED"
SOURCES = (
    "Efficiency Valuation Organization, IPMVP Core Concepts, options A and B (retrofit isolation)",
    "UNFCCC CDM AMS-II.C, Demand-side energy efficiency activities for specific technologies",
    "U.S. EPA, Greenhouse Gas Equivalencies Calculator, Calculations and References (LED bulbs)",
)
FORMULA = (
    "ER [tCO2e] = Σ_f count_f × (before_f − after_f) [W] × hours_f [h] × (1 − interactive_pct/100) "
    "× EF_grid [kgCO2e/MWh] / 10⁹"
)
CONDITIONS = (
    (
        "교체 후 소비전력이 교체 전보다 작아야 합니다. 아닌 행은 제외됩니다.",
        "Power after is below power before; a row where it is not is excluded.",
    ),
    (
        "점등 시간은 설치 뒤 기간의 시간을 넘을 수 없고, 시간이 없는 행은 0이 아니라 누락입니다.",
        "Hours do not exceed those of the period since installation; a row without hours is "
        "missing, not zero.",
    ),
    (
        "계량된 시간은 검정 유효 기간 안의 계량기여야 합니다.",
        "Metered hours come from a meter whose calibration is in force.",
    ),
    (
        "조기 교체는 남은 수명까지만 기존 등기구와 비교하고, 그 뒤는 standard_w와 비교합니다.",
        "An early replacement is compared with the old lamp until that lamp's end of life, and "
        "with standard_w after it.",
    ),
    (
        "난방 증가분(interactive_pct)은 빼고, 냉방 감소분은 더하지 않습니다.",
        "More heating (interactive_pct) is taken off; less cooling is not counted.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
_BASES = ("stipulated", "logged", "metered")
TABLES = (
    TableRole(
        "fixtures", "등기구", "Fixtures",
        (
            Column("count", "integer", "수량", "Number of lamps", minimum=Decimal(1)),
            Column(
                "before_w", "decimal", "교체 전 소비전력", "Power before", "W", minimum=Decimal(0)
            ),
            Column(
                "after_w", "decimal", "교체 후 소비전력", "Power after", "W", minimum=Decimal(0)
            ),
            Column("installed", "date", "설치일", "Day of installation"),
            Column(
                "hours_basis", "choice", "점등 시간의 근거", "Where the hours are from",
                choices=_BASES,
            ),
            Column(
                "hours", "decimal", "기간의 점등 시간", "Hours lit in the period", "h",
                required=False, minimum=Decimal(0),
            ),
            Column(
                "metered_kwh", "decimal", "기간의 계량 전력량 (행 전체)",
                "Metered use of the whole row in the period", "kWh", required=False,
                minimum=Decimal(0),
            ),
            Column(
                "old_life_ends", "date", "기존 등기구의 수명 종료일", "End of the old lamp's life",
                required=False,
            ),
            Column(
                "standard_w", "decimal", "수명 종료 뒤의 기준 소비전력",
                "Baseline power after the old lamp's end of life", "W", required=False,
                minimum=Decimal(0),
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
        "interactive_pct", "decimal", "난방 증가로 상쇄되는 비율",
        "Share taken back by more heating", "%", default="0", minimum=Decimal(0),
        maximum=Decimal(50),
    ),
    Parameter(
        "stipulated_uncertainty_pct", "decimal", "정해 둔 시간의 불확도 (95 %)",
        "Uncertainty of stipulated hours at 95 %", "%", default="20", minimum=Decimal(5),
        maximum=Decimal(50),
    ),
    Parameter(
        "measured_uncertainty_pct", "decimal", "잰 시간의 불확도 (95 %)",
        "Uncertainty of logged or metered hours at 95 %", "%", default="5", minimum=Decimal(0),
        maximum=Decimal(20),
    ),
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (FactorNeed("electricity", "consumption", ("fixtures",)),)
MONITORING = (
    MonitoringParameter(
        "N, P_before, P_after", "–, W, W", "수량과 소비전력", "Number and power of lamps",
        "교체 때 한 번, 해마다 표본 확인", "once at replacement, a sample each year",
        "현장 조사와 제품 성적서, 표본 실측", "site survey, test reports, a metered sample",
        "사진과 등기구 번호, 중복 번호 거절", "photographs and numbers; a number twice is refused",
    ),
    MonitoringParameter(
        "H", "h", "점등 시간", "Hours lit", "연속 또는 기간마다", "continuous, or each period",
        "점등 기록계, 회로 전력량계, 또는 정해 둔 시간",
        "loggers, a circuit's meter, or stipulated",
        "기간의 시간을 넘으면 제외", "excluded where above the hours of the period",
    ),
)  # fmt: skip

_HOURS_A_DAY = 24
_UNCERTAINTY = {
    "stipulated": "stipulated_uncertainty_pct",
    "logged": "measured_uncertainty_pct",
    "metered": "measured_uncertainty_pct",
}


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
    judged = judge(inputs.tables["fixtures"], lambda row: _reason(row, inputs))
    refusal = none_usable("fixtures", judged)
    if refusal is not None:
        return refusal
    kept = 1 - inputs.parameters["interactive_pct"] / 100
    saved = {row["id"]: _saved_wh(row, inputs) * kept for row in judged.used}
    factor = inputs.factors["electricity"]
    found = emissions(sum(saved.values(), Decimal(0)), factor, inputs.gwp_set)
    refusal = nothing_saved(found["co2e_t"])
    if refusal is not None:
        return refusal
    by_basis = dict.fromkeys(_BASES, Decimal(0))
    for row in judged.used:
        by_basis[row["hours_basis"]] += saved[row["id"]]
    components = [
        component(
            f"sampling:fixtures:{basis} hours",
            emissions(energy_wh, factor, inputs.gwp_set)["co2e_t"],
            inputs.parameters[_UNCERTAINTY[basis]],
            ko="점등 시간",
            en=f"Hours lit, {basis}",
        )
        for basis, energy_wh in by_basis.items()
        if energy_wh
    ]
    return Outcome(
        lines=tuple(RunLine(row, "electricity-saved", wh) for row, wh in saved.items()),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty=stated(found["co2e_t"], components, note=FACTOR_NOTE),
        coverage={"fixtures": judged.coverage()},
        details={"saved_wh_by_hours_basis": {b: wh for b, wh in by_basis.items() if wh}},
    )


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    days = days_of_period(inputs)
    since = days.within(row["installed"], None)
    hours = _hours(row)
    if row["after_w"] >= row["before_w"]:
        return "not-less-power"
    if not since:
        return "installed-later"
    if row["hours_basis"] == "metered" and uncalibrated(row, inputs):
        return "out-of-calibration"
    if hours is None:
        return "hours-missing"
    if hours > since * _HOURS_A_DAY:
        return "hours-impossible"
    ends = row.get("old_life_ends")
    if ends is not None and ends < days.end and "standard_w" not in row:
        return "standard-power-missing"
    return None


def _hours(row: Row) -> Decimal | None:
    """Hours at full power: stated, or the metered energy over the new lamps' power."""
    if row["hours_basis"] != "metered":
        return row.get("hours")
    if "metered_kwh" not in row or not row["after_w"]:
        return None
    return row["metered_kwh"] * 1000 / (row["after_w"] * row["count"])


def _saved_wh(row: Row, inputs: MethodInputs) -> Decimal:
    """What a row saved, its hours spread evenly over the days since installation."""
    hours, days = _hours(row), days_of_period(inputs)
    assert hours is not None
    ends: date | None = row.get("old_life_ends")
    since = days.within(row["installed"], None)
    early = days.within(row["installed"], ends)
    against_old = row["before_w"] - row["after_w"]
    saved = row["count"] * hours * early * against_old
    if early < since:
        later = max(Decimal(0), min(row["standard_w"], row["before_w"]) - row["after_w"])
        saved += row["count"] * hours * (since - early) * later
    return saved / since


def worked_example() -> WorkedExample:
    """Two rows by hand: a hundred tubes on stipulated hours, ten floodlights on a meter."""
    rows = (
        {
            "id": "urn:ngsi-ld:Fixture:example:corridor", "count": Decimal(100),
            "before_w": Decimal(40), "after_w": Decimal(18), "installed": date(2025, 1, 1),
            "hours_basis": "stipulated", "hours": Decimal(300),
        },
        {
            "id": "urn:ngsi-ld:Fixture:example:yard", "count": Decimal(10),
            "before_w": Decimal(250), "after_w": Decimal(100), "installed": date(2025, 1, 1),
            "hours_basis": "metered", "metered_kwh": Decimal(240),
        },
    )  # fmt: skip
    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={
            "interactive_pct": Decimal(5), "stipulated_uncertainty_pct": Decimal(20),
            "measured_uncertainty_pct": Decimal(5),
        },
        series={},
        factors={"electricity": factor_set("kr-grid-2018").factors[0]},
        gwp_set="SAR",
        tables={"fixtures": rows},
    )  # fmt: skip
    return WorkedExample(
        source="Arithmetic by hand with the 2018 consumption-end factor (0.45941 tCO2e/MWh, SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.4451688714"),
        steps=(
            "Corridor: 100 × (40 − 18) W × 300 h = 660 kWh",
            "Yard: 240 kWh ÷ (10 × 100 W) = 240 h; 10 × (250 − 100) W × 240 h = 360 kWh",
            "1,020 kWh × (1 − 5 %) = 969 kWh × 0.4594106 kg/kWh = 445.1688714 kg",
        ),
    )
