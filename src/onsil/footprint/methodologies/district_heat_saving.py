"""District heat saved, version 1.

The heat meter of a whole building or complex before and after, the before carried into the after's
weather by heating degree days or a change point:

    savings = Σ_days (baseline model(temperature) − metered heat) [GJ]
    emission reduction = savings [TJ] × EF_heat [kg/TJ] / 1000

Source: EVO, IPMVP Core Concepts (EVO 10000-1), option C; ASHRAE Guideline 14-2014, whole-building
path, for the limits and the uncertainty of the savings. The factor is that of the heat delivered by
the supplier's branch in the stated version: four versions of one branch differ by a factor of 2.3.
A factor of fuel energy (net or gross) is refused, since delivered heat has no calorific basis.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies.building_days import Carrier, carrier_data
from onsil.footprint.methodologies.conditions import DUTY_CONDITION, LEGAL_DUTY, legally_required
from onsil.footprint.methodologies.emissions import emitted
from onsil.footprint.methodologies.records import days_of_period
from onsil.footprint.methodologies.registry import (
    FactorNeed,
    MonitoringParameter,
    Parameter,
    Role,
    WorkedExample,
)
from onsil.footprint.savings import Gates, MeasuredSavings, measure_savings
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated, width

ID = "district-heat-saving"
VERSION = "1"
TITLE_KO = "지역난방 절감"
TITLE_EN = "District heat saved"
SOURCES = (
    "Efficiency Valuation Organization, IPMVP Core Concepts, option C (whole facility)",
    "ASHRAE Guideline 14-2014, Measurement of Energy, Demand, and Water Savings",
    "한국지역난방공사, 열(스팀) 온실가스 배출계수 (판별 버전)",
)
FORMULA = (
    "ER [tCO2e] = Σ_d (model(T_d) − heat_d) [GJ] / 1000 × EF_heat [kgCO2e/TJ] / 1000, "
    "model = a + b × HDD18 or a change point"
)
CONDITIONS = (
    (
        "기준 기간은 12개월(365일) 이상이고 보고 기간 앞에 끝나야 합니다.",
        "The baseline holds twelve months (365 days) or more and ends before the reporting period.",
    ),
    (
        "두 기간 모두 날의 90 % 이상이 완전히 측정되어야 합니다. 빠진 날은 양쪽에서 빼며 0으로 "
        "채우지 않습니다.",
        "In both periods 90 % of the days were measured completely. A day with a gap is left out; "
        "nothing is filled with zero.",
    ),
    (
        "기준 모형은 월 합계로 가이드라인 14의 한도(CVRMSE 15 %, NMBE 5 %)를 지켜야 합니다.",
        "The baseline's monthly sums keep Guideline 14's limits (CVRMSE 15 %, NMBE 5 %).",
    ),
    (
        "절감량은 그 불확도(68 % 신뢰수준에서 50 % 이하)보다 커야 합니다.",
        "The savings exceed their uncertainty, which is 50 % at most at 68 % confidence.",
    ),
    (
        "열량계는 열(GJ, Gcal, kWh)을 재어야 하고, 배출계수는 연료가 아니라 공급된 열의 것이어야 "
        "합니다.",
        "The meter measures heat (GJ, Gcal, kWh); the factor is of heat delivered, not of fuel.",
    ),
    (
        "난방 면적이 달라졌으면(heated_area_changed) 산정하지 않습니다.",
        "Nothing is quantified where the heated area has changed (heated_area_changed).",
    ),
    DUTY_CONDITION,
)
ROLES = (
    Role("temperature", "temperature", "외기 온도", "Outdoor temperature"),
    Role("heat", "energy or power", "지역난방 열량", "District heat"),
)
PARAMETERS = (
    Parameter("baseline_start", "date", "기준 기간 시작일", "First day of the baseline"),
    Parameter("baseline_end", "date", "기준 기간 종료 다음 날", "Day after the baseline"),
    Parameter(
        "model", "choice", "모형", "Model", default="degree-days",
        choices=("degree-days", "3P-heating", "4P"),
    ),
    Parameter(
        "heated_area_changed", "boolean", "난방 면적이 달라짐", "Heated area has changed",
        default=False,
    ),
    Parameter(
        "meter_uncertainty_pct", "decimal", "열량계 불확도 (95 %)",
        "Heat meter's uncertainty at 95 %", "%", default="5", minimum=Decimal(0),
        maximum=Decimal(10),
    ),
    Parameter(
        "coverage_min_pct", "decimal", "최소 측정률", "Least coverage", "%", default="90",
        minimum=Decimal(80), maximum=Decimal(100),
    ),
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (FactorNeed("district-heat", "consumption", ("heat",)),)
MONITORING = (
    MonitoringParameter(
        "Q", "GJ", "공급된 열량", "Heat delivered", "한 시간 이하", "hourly or oftener",
        "검정받은 열량계 (유량과 온도차)", "type-approved heat meter (flow and temperature)",
        "요금 고지서와 월별 대조, 검정 유효 기간", "monthly against the bill; calibration in force",
    ),
    MonitoringParameter(
        "T", "°C", "외기 온도", "Outdoor temperature", "한 시간 이하", "hourly or oftener",
        "가장 가까운 기상 관측소", "nearest weather station", "하루의 75 % 이상 관측",
        "observed in 75 % of a day or more",
    ),
)  # fmt: skip


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """The readings wanted: from the baseline's first local day to the reporting period's end."""
    first = local_days(parameters["baseline_start"], parameters["baseline_end"], ZoneInfo(zone))
    return Period(min(first.start, period.start), period.end)


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Heat saved in Wh and the emissions it avoided.

    Refused: `legally-required`, `baseline-too-short`, `baseline-overlaps`, `area-changed`,
    `heat-is-no-fuel`, `unit-mismatch`, `no-interval`, `coverage-too-low`, and
    `not-yet-measurable` with the gates' figures.
    """
    refusal = _applicable(inputs)
    if refusal is not None:
        return refusal
    given = {**inputs.parameters, "resolution": "daily", "solar_added": False}
    carrier = carrier_data(replace(inputs, parameters=given), "heat")
    if isinstance(carrier, Refusal):
        return carrier
    found = _measure(inputs, carrier)
    if isinstance(found, Refusal):
        return found
    return _outcome(inputs, carrier, found)


def _applicable(inputs: MethodInputs) -> Refusal | None:
    given, factor = inputs.parameters, inputs.factors["district-heat"]
    first, end = given["baseline_start"], given["baseline_end"]
    if (end - first).days < 365:
        return Refusal(
            "baseline-too-short",
            f"기준 기간이 {(end - first).days}일로 365일보다 짧습니다.",
            f"The baseline has {(end - first).days} days; 365 are needed.",
            {"days": (end - first).days},
        )
    if local_days(first, end, ZoneInfo(inputs.zone)).end > inputs.period.start:
        return Refusal(
            "baseline-overlaps",
            "기준 기간이 보고 기간과 겹칩니다.",
            "The baseline overlaps the reporting period.",
        )
    if given["heated_area_changed"]:
        return Refusal(
            "area-changed",
            "난방 면적이 달라져 기준 기간과 견줄 수 없습니다.",
            "The heated area has changed, so the baseline says nothing of it.",
        )
    if factor.energy_basis is not None:
        return Refusal(
            "heat-is-no-fuel",
            f"{factor.id}은(는) 연료({factor.energy_basis})의 계수로, 공급된 열에 쓸 수 없습니다.",
            f"{factor.id} is of a fuel's energy ({factor.energy_basis}), not of heat delivered.",
            {"factor": factor.id},
        )
    return legally_required(inputs)


def _measure(inputs: MethodInputs, carrier: Carrier) -> MeasuredSavings | Refusal:
    found = measure_savings(
        inputs.parameters["model"],
        "daily",
        carrier.baseline,
        carrier.baseline_months,
        carrier.reporting,
        max(1, round(days_of_period(inputs).count * 12 / 365)),
        Gates.for_resolution("monthly"),
    )
    if isinstance(found, Refusal):
        return found
    return found if found.finding is None else found.finding


def _outcome(inputs: MethodInputs, carrier: Carrier, found: MeasuredSavings) -> Outcome:
    factor, meter = inputs.factors["district-heat"], inputs.series["heat"].meter

    def tonnes(energy_wh: Decimal) -> dict[str, Any]:
        return emitted(energy_wh, "Wh", factor, inputs.gwp_set)

    saved, spread_wh = tonnes(found.savings_wh), found.uncertainty_wh or Decimal(0)
    return Outcome(
        lines=(RunLine(meter, "heat-saved", found.savings_wh),),
        co2e_t=saved["co2e_t"],
        gases_kg=saved["gases_kg"],
        uncertainty=stated(
            saved["co2e_t"],
            [
                width(
                    f"model:{meter}:heat", tonnes(spread_wh)["co2e_t"], confidence_pct=68,
                    ko="기준 모형", en="Baseline model",
                ),
                component(
                    f"meter:{meter}", saved["co2e_t"], inputs.parameters["meter_uncertainty_pct"],
                    ko="열량계", en="Heat meter",
                ),
            ],
            note="The factor's publisher states no uncertainty; its versions differ by 2.3 times.",
        ),
        coverage={"heat": carrier.coverage},
        details={
            "model": found.fit.kind,
            "factor": factor.id,
            "saved_gj": found.savings_wh * 36 / 10_000_000,
            "adjusted_baseline_wh": found.baseline_wh,
            "metered_wh": found.observed_wh,
            "savings_pct": found.savings_pct,
            "judged_cvrmse_pct": found.judged.cvrmse_pct,
            "judged_nmbe_pct": found.judged.nmbe_pct,
            "uncertainty_pct": found.uncertainty_pct,
        },
    )  # fmt: skip


def worked_example() -> WorkedExample:
    """Days on an exact line: 3.6 GJ and 0.36 GJ a degree below 18 °C, then a fifth less."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    days = tuple(start + timedelta(days=i) for i in range(730))
    felt = [Decimal(i % 33 - 5) for i in range(730)]
    line = [Decimal("3.6") + Decimal("0.36") * max(18 - t, Decimal(0)) for t in felt]
    used = [gj if i < 365 else gj * 8 / 10 for i, gj in enumerate(line)]

    def series(role: str, unit: str, kind: str, values: list[Decimal]) -> ActivitySeries:
        return ActivitySeries(
            role, "urn:ngsi-ld:Building:example:b1", role, unit, 86_400, kind, "measured",
            days, tuple(values),
        )  # fmt: skip

    inputs = MethodInputs(
        period=Period(days[365], days[-1] + timedelta(days=1)),
        zone="UTC",
        parameters={
            "baseline_start": date(2023, 1, 1), "baseline_end": date(2024, 1, 1),
            "model": "degree-days", "heated_area_changed": False,
            "meter_uncertainty_pct": Decimal(5), "coverage_min_pct": Decimal(90),
        },
        series={
            "temperature": series("temperature", "degC", "gauge", felt),
            "heat": series("heat", "GJ", "interval", used),
        },
        factors={"district-heat": factor_set("kdhc-pyeongtaek-heat-2024").factors[0]},
        gwp_set="AR5",
    )  # fmt: skip
    return WorkedExample(
        source="Made-up days on a degree-day line; heat factor of 2024 (15,735.5969 kg/TJ, AR5)",
        inputs=inputs,
        co2e_t=Decimal("7.6214419449336"),
        steps=(
            "Baseline year: heat = 3.6 GJ + 0.36 GJ × max(18 − T, 0) a day, fitted exactly",
            "Reporting year: a fifth less on every day of the same weather",
            "Saved: 2,421.72 GJ × 20 % = 484.344 GJ × 15,735.5969 kg/TJ",
        ),
    )
