"""Grid-connected solar generation, version 1.

A plant feeds the grid and displaces what the grid would have generated. Per interval i:

    net          = Σ_i generation[i] − Σ_i auxiliary import[i]
    emission reduction = net · EF_grid

Source: UNFCCC CDM AMS-I.D "Grid connected renewable electricity generation" and ACM0002 "Grid-
connected electricity generation from renewable sources": baseline emissions are the net quantity
supplied times the grid's factor, and solar plants have neither project emissions nor leakage. The
factor is that of the generation end, or of the consumption end where the programme says so; the
project states which one, and another is refused. An interval without generation data adds nothing.
One without import data is not taken for none: the largest import that was measured is taken off.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.intervals import Intervals, coverage_refusal, daily, energy_intervals
from onsil.footprint.methodologies.components import FACTOR_NOTE
from onsil.footprint.methodologies.conditions import (
    CALIBRATED,
    CALIBRATION_CONDITION,
    DUTY_CONDITION,
    LEGAL_DUTY,
    exclude_uncalibrated,
    legally_required,
)
from onsil.footprint.methodologies.emissions import emissions
from onsil.footprint.methodologies.records import nothing_saved
from onsil.footprint.methodologies.registry import (
    FactorNeed,
    MonitoringParameter,
    Parameter,
    Role,
    WorkedExample,
)
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = "grid-solar"
VERSION = "1"
TITLE_KO = "계통 연계 태양광"
TITLE_EN = "Grid-connected solar generation"
SOURCES = (
    "UNFCCC CDM AMS-I.D, Grid connected renewable electricity generation",
    "UNFCCC CDM ACM0002, Grid-connected electricity generation from renewable sources",
)
FORMULA = (
    "ER [tCO2e] = (Σ_i generation_i − Σ_i import_i) [MWh] × EF_grid [kgCO2e/MWh] / 1000, "
    "EF at the boundary that the programme names"
)
CONDITIONS = (
    (
        "소내 수전 전력량계가 있거나, 수전하지 않음(no_import)이 현장 조건으로 확인되어야 합니다.",
        "Auxiliary import is metered, or the site is stated to import nothing (no_import).",
    ),
    (
        "배출계수는 사업이 밝힌 경계(displaced_at)의 값이어야 합니다.",
        "The factor is that of the boundary which the project states (displaced_at).",
    ),
    (
        "발전과 수전 모두 기대 구간의 90 % 이상(coverage_min_pct)이 측정되어야 합니다. 수전이 빠진 "
        "구간에는 측정된 가장 큰 수전량을 뺍니다.",
        "At least 90 % (coverage_min_pct) of the intervals of generation and of import were "
        "measured. Where import is missing, the largest measured one is taken off.",
    ),
    (
        "설비 용량의 110 %를 넘거나 음수인 구간은 제외됩니다.",
        "Intervals above 110 % of capacity or below zero are excluded.",
    ),
    (
        "기간은 상업운전 개시일(commissioned) 이후여야 합니다.",
        "The period begins on or after the day of commissioning.",
    ),
    CALIBRATION_CONDITION,
    DUTY_CONDITION,
)
ROLES = (
    Role("generation", "energy or power", "발전량 (송전단)", "Generation sent out"),
    Role("import", "energy or power", "소내 수전량", "Auxiliary import", required=False),
)
PARAMETERS = (
    Parameter(
        "capacity_kw", "decimal", "설비 용량(교류)", "Installed AC capacity", "kW",
        minimum=Decimal("0.01"),
    ),
    Parameter("commissioned", "date", "상업운전 개시일", "Day of commissioning"),
    Parameter("no_import", "boolean", "수전 없음", "Nothing is imported", default=False),
    Parameter(
        "displaced_at", "choice", "대체되는 전력의 경계", "Boundary of what is displaced",
        default="generation", choices=("generation", "consumption"),
    ),
    Parameter(
        "meter_uncertainty_pct", "decimal", "전력량계 불확도 (95 % 신뢰수준)",
        "Meter uncertainty at 95 % confidence", "%", default="2.0", minimum=Decimal(0),
        maximum=Decimal(5),
    ),
    Parameter(
        "coverage_min_pct", "decimal", "최소 측정률", "Least coverage", "%", default="90",
        minimum=Decimal(80), maximum=Decimal(100),
    ),
    CALIBRATED,
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (
    FactorNeed("electricity", "generation", ("generation",), or_boundaries=("consumption",)),
)
MONITORING = (
    MonitoringParameter(
        "EG_generation", "kWh", "송전 전력량", "Electricity sent out",
        "연속, 15분 이하", "continuous, every 15 minutes or oftener",
        "검정받은 양방향 전력량계", "type-approved two-way electricity meter",
        "정산서와 월별 대조, 검정 유효 기간", "monthly against settlement; calibration in force",
    ),
    MonitoringParameter(
        "EG_import", "kWh", "수전 전력량", "Electricity imported",
        "연속, 15분 이하", "continuous, every 15 minutes or oftener",
        "검정받은 양방향 전력량계", "type-approved two-way electricity meter",
        "전기요금 고지서와 월별 대조", "monthly against the electricity bill",
    ),
)  # fmt: skip

_CAPACITY_MARGIN = Decimal("1.1")


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """The readings wanted: the period's own."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Net generation in Wh and the grid emissions it displaced.

    Refused: `before-commissioning`, `legally-required`, `factor-boundary-differs`,
    `import-unknown`, `unit-mismatch`, `no-interval`, `coverage-too-low`, `nothing-saved`.
    """
    refusal = _applicable(inputs)
    if refusal is not None:
        return refusal
    made = _series(inputs, "generation")
    if isinstance(made, Refusal):
        return made
    taken = _series(inputs, "import") if "import" in inputs.series else None
    if isinstance(taken, Refusal):
        return taken
    generated_wh = _total(made)
    imported_wh, filled = _imported(taken)
    net_wh = generated_wh - imported_wh
    found = emissions(net_wh, inputs.factors["electricity"], inputs.gwp_set)
    refusal = nothing_saved(found["co2e_t"])
    if refusal is not None:
        return refusal
    relative = inputs.parameters["meter_uncertainty_pct"]
    meter = inputs.series["generation"].meter
    coverage = {"generation": made.coverage()}
    if taken is not None:
        coverage["import"] = taken.coverage()
    return Outcome(
        lines=(
            RunLine(
                meter, "solar-generation", net_wh,
                parts=daily(made, ZoneInfo(inputs.zone)) if not imported_wh else None,
            ),
        ),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty=stated(
            found["co2e_t"],
            [
                component(
                    f"meter:{meter}", found["co2e_t"], relative, ko="전력량계",
                    en="Electricity meter",
                )
            ],
            note=FACTOR_NOTE,
        ),
        coverage=coverage,
        details={
            "generated_wh": generated_wh,
            "imported_wh": imported_wh,
            "import_intervals_filled": filled,
            "displaced_at": inputs.parameters["displaced_at"],
        },
    )  # fmt: skip


def _applicable(inputs: MethodInputs) -> Refusal | None:
    given, factor = inputs.parameters, inputs.factors["electricity"]
    if local_day(inputs.period.start, ZoneInfo(inputs.zone)) < given["commissioned"]:
        return Refusal(
            "before-commissioning",
            f"기간이 상업운전 개시일({given['commissioned']})보다 먼저 시작합니다.",
            f"The period begins before the commissioning on {given['commissioned']}.",
            {"commissioned": given["commissioned"].isoformat()},
        )
    if factor.boundary != given["displaced_at"]:
        return Refusal(
            "factor-boundary-differs",
            f"사업은 {given['displaced_at']} 경계를 밝혔으나 계수는 {factor.boundary} 값입니다.",
            f"The project states the {given['displaced_at']} boundary, but the factor is of "
            f"{factor.boundary}.",
            {"stated": given["displaced_at"], "factor": factor.id},
        )
    if "import" not in inputs.series and not given["no_import"]:
        return Refusal(
            "import-unknown",
            "수전량계가 없고 수전 없음도 확인되지 않아 순 송전량을 알 수 없습니다.",
            "Without an import meter or a stated no-import site, net generation is not known.",
        )
    return legally_required(inputs)


def _series(inputs: MethodInputs, role: str) -> Intervals | Refusal:
    """The usable intervals of one role; refused when they are too few."""
    made = energy_intervals(inputs.series[role], inputs.period)
    if isinstance(made, Refusal):
        return made
    hours = Decimal(made.step_s) / 3600
    ceiling_wh = inputs.parameters["capacity_kw"] * 1000 * hours * _CAPACITY_MARGIN
    for index, value in enumerate(made.values):
        if value is not None and value < 0:
            made.exclude(index, "negative")
        elif value is not None and value > ceiling_wh:
            made.exclude(index, "above-capacity")
    exclude_uncalibrated(made, inputs.parameters, inputs.zone)
    refusal = coverage_refusal(role, made.coverage(), inputs.parameters["coverage_min_pct"])
    return made if refusal is None else refusal


def _total(made: Intervals) -> Decimal:
    return sum((v for v in made.values if v is not None), Decimal(0))


def _imported(taken: Intervals | None) -> tuple[Decimal, int]:
    """What was imported, each interval not known filled with the largest known; and how many."""
    if taken is None:
        return Decimal(0), 0
    known = [v for v in taken.values if v is not None]
    unknown = len(taken.values) - len(known)
    return sum(known, Decimal(0)) + unknown * max(known, default=Decimal(0)), unknown


def worked_example() -> WorkedExample:
    """Ten quarter-hours by hand: 20 kW sent out, a little imported, one import not measured."""
    start = datetime(2025, 6, 1, 3, tzinfo=UTC)
    times = tuple(start + timedelta(minutes=15 * i) for i in range(10))

    def series(role: str, watts: tuple[str | None, ...]) -> ActivitySeries:
        kept = [(t, Decimal(w)) for t, w in zip(times, watts, strict=True) if w is not None]
        return ActivitySeries(
            role, f"urn:ngsi-ld:Meter:example:{role}", "power", "W", 900, "gauge", "measured",
            tuple(t for t, _ in kept), tuple(v for _, v in kept),
        )  # fmt: skip

    factor = next(f for f in factor_set("kr-grid-2018").factors if f.boundary == "generation")
    inputs = MethodInputs(
        period=Period(start, start + timedelta(minutes=150)),
        zone="Asia/Seoul",
        parameters={
            "capacity_kw": Decimal(25), "commissioned": start.date(), "no_import": False,
            "displaced_at": "generation", "meter_uncertainty_pct": Decimal(2),
            "coverage_min_pct": Decimal(90),
        },
        series={
            "generation": series("generation", ("20000",) * 9 + (None,)),
            "import": series("import", ("200", "400") + ("200",) * 7 + (None,)),
        },
        factors={"electricity": factor},
        gwp_set="SAR",
    )  # fmt: skip
    return WorkedExample(
        source="Arithmetic by hand with the 2018 generation-end factor (0.4427134 tCO2e/MWh, SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.019656474960"),
        steps=(
            "Generation: 9 × 20,000 W × 0.25 h = 45,000 Wh; the tenth was not measured, adds none",
            "Import: 8 × 50 Wh + 100 Wh = 500 Wh; the tenth was not measured: the largest, 100 Wh",
            "Net 45,000 − 600 = 44,400 Wh = 0.0444 MWh × 442.7134 kg/MWh = 19.65647496 kg",
        ),
    )
