"""Self-consumed solar generation, version 1.

A building uses its own solar power instead of the grid's. Per interval i:

    self_consumed[i] = generation[i] - export[i]          (generation[i] where nothing is exported)
    emission reduction = Σ self_consumed[i] · EF_grid     (baseline emissions; the project emits 0)

Source of the approach: grid-connected and self-consumed renewable generation, UNFCCC CDM
small-scale methodology AMS-I.F "Renewable electricity generation for captive use and mini-grid"
(baseline emissions = displaced quantity × grid factor), and the Korean offset programme's
electricity rule that the consumption-end factor displaces grid electricity at the consumer's.
An interval counts only when everything needed for it was measured: a gap adds nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.intervals import (
    MISSING,
    Intervals,
    coverage_refusal,
    daily,
    energy_intervals,
    monthly,
)
from onsil.footprint.methodologies.emissions import emissions
from onsil.footprint.methodologies.registry import (
    FactorNeed,
    MonitoringParameter,
    Parameter,
    Role,
    WorkedExample,
)
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome, RunLine

ID = "solar-self-consumption"
VERSION = "1"
TITLE_KO = "태양광 자가소비"
TITLE_EN = "Self-consumed solar generation"
SOURCES = (
    "UNFCCC CDM AMS-I.F, Renewable electricity generation for captive use and mini-grid",
    "외부사업 타당성 평가 및 감축량 인증에 관한 지침 (환경부고시 제2020-304호)",
)
FORMULA = "ER [tCO2e] = Σ_i (generation_i − export_i) [MWh] × EF_grid [kgCO2e/MWh] / 1000"
CONDITIONS = (
    (
        "역송 전력량계가 있거나, 역송하지 않음(no_export)이 현장 조건으로 확인되어야 합니다.",
        "There is an export meter, or the site is stated to have no export connection.",
    ),
    (
        "기대 구간의 90 % 이상(coverage_min_pct)이 측정되어야 합니다.",
        "At least 90 % (coverage_min_pct) of the expected intervals were measured.",
    ),
    (
        "설비 용량의 110 %를 넘는 구간, 음수 구간, 발전량보다 많은 역송 구간은 제외됩니다.",
        "Intervals above 110 % of capacity, below zero, or exporting more than was generated are "
        "excluded.",
    ),
    (
        "전력량계 불확도는 5 %를 넘지 않아야 합니다.",
        "The meter's uncertainty is 5 % at most.",
    ),
)
ROLES = (
    Role("generation", "energy or power", "발전량 (교류측)", "Generation, AC side"),
    Role("export", "energy or power", "계통 역송량", "Export to the grid", required=False),
)
PARAMETERS = (
    Parameter(
        "capacity_kw", "decimal", "설비 용량(교류)", "Installed AC capacity", "kW",
        minimum=Decimal("0.01"),
    ),
    Parameter("no_export", "boolean", "역송 없음", "No export connection", default=False),
    Parameter(
        "meter_uncertainty_pct", "decimal", "전력량계 불확도 (95 % 신뢰수준)",
        "Meter uncertainty at 95 % confidence", "%", default="2.0", minimum=Decimal(0),
        maximum=Decimal(5),
    ),
    Parameter(
        "coverage_min_pct", "decimal", "최소 측정률", "Least coverage", "%", default="90",
        minimum=Decimal(80), maximum=Decimal(100),
    ),
)  # fmt: skip
FACTORS = (FactorNeed("electricity", "consumption", ("generation",)),)
MONITORING = (
    MonitoringParameter(
        "EG_generation", "kWh", "발전 전력량", "Electricity generated",
        "연속, 15분 이하", "continuous, every 15 minutes or oftener",
        "검정받은 전력량계", "type-approved electricity meter",
        "설비 용량의 110 % 확인, 검정 유효 기간", "110 % of capacity; calibration in force",
    ),
    MonitoringParameter(
        "EG_export", "kWh", "역송 전력량", "Electricity exported",
        "연속, 15분 이하", "continuous, every 15 minutes or oftener",
        "검정받은 양방향 전력량계", "type-approved two-way electricity meter",
        "발전량보다 많으면 제외", "excluded where above generation",
    ),
)  # fmt: skip

_CAPACITY_MARGIN = Decimal("1.1")


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """The readings wanted: the period's own."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Self-consumed energy in Wh and the emissions it displaced.

    Refused: `export-unknown`, `unit-mismatch`, `no-interval`, `intervals-differ`,
    `coverage-too-low`, `nothing-generated`.
    """
    exported = inputs.series.get("export")
    if exported is None and not inputs.parameters["no_export"]:
        return Refusal(
            "export-unknown",
            "역송량계가 없고 역송 없음도 확인되지 않아 자가소비량을 알 수 없습니다.",
            "Without an export meter or a stated no-export connection, self-consumption is "
            "not known.",
        )
    generated = energy_intervals(inputs.series["generation"], inputs.period)
    if isinstance(generated, Refusal):
        return generated
    refusal = _judge(generated, inputs)
    if refusal is not None:
        return refusal
    coverage = generated.coverage()
    refusal = coverage_refusal("generation", coverage, inputs.parameters["coverage_min_pct"])
    if refusal is not None:
        return refusal
    energy_wh = sum((v for v in generated.values if v is not None), Decimal(0))
    if energy_wh <= 0:
        return Refusal(
            "nothing-generated",
            "이 기간에 자가소비한 발전량이 없습니다.",
            "Nothing was generated and used on site in this period.",
        )
    return _outcome(inputs, generated, coverage, energy_wh)


def _judge(generated: Intervals, inputs: MethodInputs) -> Refusal | None:
    """Exclude impossible intervals and take the export off the rest, in place."""
    hours = Decimal(generated.step_s) / 3600
    ceiling_wh = inputs.parameters["capacity_kw"] * 1000 * hours * _CAPACITY_MARGIN
    for index, value in enumerate(generated.values):
        if value is None:
            continue
        if value < 0:
            generated.exclude(index, "negative")
        elif value > ceiling_wh:
            generated.exclude(index, "above-capacity")
    series = inputs.series.get("export")
    if series is None:
        return None
    exported = energy_intervals(series, inputs.period)
    if isinstance(exported, Refusal):
        return exported
    if exported.step_s != generated.step_s:
        return Refusal(
            "intervals-differ",
            f"발전({generated.step_s}초)과 역송({exported.step_s}초)의 측정 주기가 다릅니다.",
            f"Generation ({generated.step_s} s) and export ({exported.step_s} s) have different "
            "intervals.",
        )
    for index, (made, sent) in enumerate(zip(generated.values, exported.values, strict=True)):
        if made is None:
            continue
        if sent is None:
            fate = exported.fates[index]
            generated.exclude(index, "export-missing" if fate == MISSING else f"export-{fate}")
        elif sent < 0 or sent > made:
            generated.exclude(index, "export-impossible")
        else:
            generated.values[index] = made - sent
    return None


def _outcome(
    inputs: MethodInputs, kept: Intervals, coverage: dict[str, Any], energy_wh: Decimal
) -> Outcome:
    factor = inputs.factors["electricity"]
    found = emissions(energy_wh, factor, inputs.gwp_set)
    relative = inputs.parameters["meter_uncertainty_pct"]
    return Outcome(
        lines=(
            RunLine(
                inputs.series["generation"].meter, "solar-generation", energy_wh,
                parts=daily(kept, ZoneInfo(inputs.zone)),
            ),
        ),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty={
            "confidence_pct": Decimal(95),
            "relative_pct": relative,
            "half_width_wh": energy_wh * relative / 100,
            "sources": ["electricity meter"],
            "note": "The factor's publisher states no uncertainty; none is added for it.",
        },
        coverage={"generation": coverage},
        details={"monthly_wh": monthly(kept, ZoneInfo(inputs.zone))},
    )  # fmt: skip


def worked_example() -> WorkedExample:
    """Four quarter-hours by hand: 1,000 W mean, 250 Wh, of which some is exported or missing."""
    start = datetime(2025, 6, 1, 3, tzinfo=UTC)
    times = tuple(start + timedelta(minutes=15 * i) for i in range(10))

    def series(role: str, watts: tuple[str, ...]) -> ActivitySeries:
        values = tuple(Decimal(w) for w in watts)
        return ActivitySeries(
            role, f"urn:ngsi-ld:Meter:example:{role}", "power", "W", 900, "gauge", "measured",
            times, values,
        )  # fmt: skip

    factor = factor_set("kr-grid-2018").factors[0]
    inputs = MethodInputs(
        period=Period(start, start + timedelta(minutes=150)),
        zone="Asia/Seoul",
        parameters={
            "capacity_kw": Decimal(5), "no_export": False,
            "meter_uncertainty_pct": Decimal(2), "coverage_min_pct": Decimal(90),
        },
        series={
            "generation": series("generation", ("4000",) * 9 + ("6000",)),
            "export": series("export", ("0",) * 4 + ("1000",) * 6),
        },
        factors={"electricity": factor},
        gwp_set="SAR",
    )  # fmt: skip
    return WorkedExample(
        source="Arithmetic by hand with the 2018 consumption-end factor (0.45941 tCO2e/MWh, SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.003560432150"),
        steps=(
            "The tenth interval is 6 kW from a 5 kW plant: above 110 %, excluded; 9 of 10 = 90 %",
            "4 × 4,000 W × 0.25 h = 4,000 Wh; 5 × (4,000 − 1,000) W × 0.25 h = 3,750 Wh",
            "7,750 Wh = 0.00775 MWh × 459.4106 kg/MWh = 3.56043215 kg = 0.00356043215 t",
        ),
    )
