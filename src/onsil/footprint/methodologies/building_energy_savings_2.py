"""Building energy savings by whole-facility measurement, version 2.

Version 1 with the adjustments for what was not routine, and with its uncertainty by source:

    use'_d = use_d − ev_d − Σ_events change_e / days_e          in the reporting period
    savings = Σ_days (baseline model(temperature) − use'_d)
    emission reduction = Σ_carriers savings × EF(carrier)

Source: EVO, IPMVP Core Concepts (EVO 10000-1), option C with non-routine adjustments; EVO, IPMVP
Application Guide on Non-Routine Events and Adjustments; ASHRAE Guideline 14-2014, whole-building
path. Electric vehicles that came to charge behind the meter are metered and taken off; added solar
is metered and added back as in version 1. Any other event is a row with evidence: one that lowers
the savings always counts; one that raises them counts only where its change was metered.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import local_days
from onsil.core.refusal import Refusal
from onsil.footprint.intervals import energy_intervals
from onsil.footprint.methodologies import building_energy_savings as before
from onsil.footprint.methodologies.conditions import DUTY_CONDITION, LEGAL_DUTY, legally_required
from onsil.footprint.methodologies.records import Days, Row, days_of_period, judge
from onsil.footprint.methodologies.registry import (
    Column,
    MonitoringParameter,
    Parameter,
    Role,
    TableRole,
    WorkedExample,
)
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome
from onsil.footprint.uncertainty import stated, width

ID = before.ID
VERSION = "2"
TITLE_KO = before.TITLE_KO
TITLE_EN = before.TITLE_EN
SOURCES = (
    *before.SOURCES,
    "Efficiency Valuation Organization, IPMVP Application Guide on Non-Routine Events and "
    "Adjustments",
)
FORMULA = (
    "ER [tCO2e] = Σ_c (Σ_d model_c(T_d) − (use_c,d − ev_d − Σ_e change_e/days_e)) [MWh] × "
    "EF_c [kgCO2e/MWh] / 1000, c = electricity, gas"
)
CONDITIONS = (
    *before.CONDITIONS,
    (
        "보고 기간에 전기차 충전이 더해졌다면(ev_added) 충전량을 재어 뺍니다. 충전량이 빠진 구간의 "
        "날은 쓰지 않습니다.",
        "Where charging of vehicles was added (ev_added), it is metered and taken off; a day on "
        "which it was not measured is left out.",
    ),
    (
        "그 밖의 비일상 사건은 증빙과 함께 적습니다. 절감을 늘리는 조정은 잰 것만 셉니다.",
        "Any other non-routine event is stated with evidence. An adjustment that raises the "
        "savings counts only where it was metered.",
    ),
    (
        "크기를 모르는 사건이 있으면 산정하지 않습니다.",
        "Nothing is quantified while the size of an event is not known.",
    ),
    DUTY_CONDITION,
)
ROLES = (
    *before.ROLES,
    Role(
        "ev_charging", "energy or power", "더해진 전기차 충전량", "Charging of added vehicles",
        required=False,
    ),
)  # fmt: skip
PARAMETERS = (
    *before.PARAMETERS,
    Parameter(
        "ev_added", "boolean", "전기차 충전 신설", "Vehicle charging was added", default=False
    ),
    LEGAL_DUTY,
)
TABLES = (
    TableRole(
        "non_routine", "비일상 사건", "Non-routine events",
        (
            Column(
                "carrier", "choice", "에너지원", "Carrier", choices=("electricity", "gas")
            ),
            Column("since", "date", "시작일", "First day"),
            Column("until", "date", "종료 다음 날", "Day after the last"),
            Column(
                "change_kwh", "decimal", "사용량의 변화 (늘면 +)", "Change of use, more is +",
                "kWh", required=False,
            ),
            Column("basis", "choice", "근거", "Basis", choices=("metered", "estimated")),
            Column("evidence", "text", "증빙", "Evidence"),
        ),
        required=False,
    ),
)  # fmt: skip
FACTORS = before.FACTORS
MONITORING = (
    MonitoringParameter(
        "E, G", "kWh", "전력과 가스 사용량", "Electricity and gas used", "한 시간 이하",
        "hourly or oftener", "검정받은 계량기", "type-approved meters",
        "고지서와 월별 대조, 검정 유효 기간", "monthly against bills; calibration in force",
    ),
    MonitoringParameter(
        "T", "°C", "외기 온도", "Outdoor temperature", "한 시간 이하", "hourly or oftener",
        "가장 가까운 기상 관측소", "nearest weather station", "하루의 75 % 이상 관측",
        "observed in 75 % of a day or more",
    ),
    MonitoringParameter(
        "NRE", "kWh", "비일상 사건", "Non-routine events", "생길 때마다", "whenever one happens",
        "따로 잰 계량기, 설비 대장, 현장 조사", "a meter of its own, the equipment list, a survey",
        "증빙 문서, 유리한 추정은 인정하지 않음",
        "documents; no estimate in favour of the project is accepted",
    ),
)  # fmt: skip

span = before.span


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Savings of each carrier, adjusted for what was not routine, and the emissions avoided.

    Refused: `legally-required`, `ev-not-metered`, `event-unmeasured`, `intervals-differ`, and the
    codes of version 1.
    """
    refusal = legally_required(inputs)
    if refusal is None:
        refusal = _unknown(inputs)
    if refusal is not None:
        return refusal
    days = days_of_period(inputs)
    judged = judge(inputs.tables.get("non_routine", ()), lambda row: _reason(row, inputs, days))
    series = dict(inputs.series)
    for carrier in ("electricity", "gas"):
        events = [row for row in judged.used if row["carrier"] == carrier]
        charging = carrier == "electricity" and inputs.parameters["ev_added"]
        if carrier in series and (events or charging):
            adjusted = _adjusted(inputs, carrier, events, charging)
            if isinstance(adjusted, Refusal):
                return adjusted
            series[carrier] = adjusted
    found = before.quantify(replace(inputs, series=series))
    if isinstance(found, Refusal):
        return found
    changes = sum((row["change_kwh"] for row in judged.used), Decimal(0)) * 1000
    return replace(
        found,
        uncertainty=_uncertainty(inputs, found),
        coverage={**found.coverage, "non_routine": judged.coverage()},
        details={**found.details, "non_routine_wh": changes},
    )


def _unknown(inputs: MethodInputs) -> Refusal | None:
    """A refusal where something is said to have changed, but not by how much."""
    if inputs.parameters["ev_added"] and "ev_charging" not in inputs.series:
        return Refusal(
            "ev-not-metered",
            "더해진 전기차 충전이 계량되지 않아 절감량을 알 수 없습니다.",
            "Vehicle charging was added but is not metered, so savings are not known.",
        )
    for row in inputs.tables.get("non_routine", ()):
        if "change_kwh" not in row:
            return Refusal(
                "event-unmeasured",
                f"비일상 사건 {row['id']}의 크기를 알 수 없어 산정할 수 없습니다.",
                f"The size of the non-routine event {row['id']} is not known.",
                {"event": row["id"], "evidence": row["evidence"]},
            )
    return None


def _reason(row: Row, inputs: MethodInputs, days: Days) -> str | None:
    if row["since"] >= row["until"] or row["since"] not in days or row["until"] > days.end:
        return "outside-period"
    if row["carrier"] not in inputs.series:
        return "carrier-not-metered"
    if row["change_kwh"] > 0 and row["basis"] == "estimated":
        return "estimated-in-favour"
    return None


def _adjusted(
    inputs: MethodInputs, carrier: str, events: list[Row], charging: bool
) -> ActivitySeries | Refusal:
    """The carrier's use without what was not routine, as energy of intervals in Wh."""
    one, zone = inputs.series[carrier], ZoneInfo(inputs.zone)
    watched = span(inputs.parameters, inputs.period, inputs.zone)
    made = energy_intervals(one, watched)
    if isinstance(made, Refusal):
        return made
    values, step = made.values[:], timedelta(seconds=made.step_s)
    for row in events:
        period = local_days(row["since"], row["until"], zone)
        first, end = ((at - watched.start) // step for at in (period.start, period.end))
        share = row["change_kwh"] * 1000 / (end - first)
        values[first:end] = [None if v is None else v - share for v in values[first:end]]
    if charging:
        taken = energy_intervals(inputs.series["ev_charging"], inputs.period)
        if isinstance(taken, Refusal):
            return taken
        if taken.step_s != made.step_s:
            return Refusal(
                "intervals-differ",
                "전기차 충전의 측정 주기가 전력 사용량과 다릅니다.",
                "Vehicle charging has another interval than electricity use.",
                {"role": "ev_charging"},
            )
        first = (inputs.period.start - watched.start) // step
        for index, value in enumerate(taken.values, first):
            own = values[index]
            values[index] = None if own is None or value is None else own - value
    kept = [(watched.start + i * step, v) for i, v in enumerate(values) if v is not None]
    return replace(
        one, unit="Wh", kind="interval", times=tuple(at for at, _ in kept),
        values=tuple(v for _, v in kept),
    )  # fmt: skip


def _uncertainty(inputs: MethodInputs, found: Outcome) -> dict[str, Any]:
    """Version 1's figures, each carrier's baseline model as a source of its own."""
    components: list[dict[str, Any]] = []
    for name, carrier in found.details["carriers"].items():
        if not carrier["counted_wh"]:
            continue
        half_width_wh = carrier["uncertainty_wh"] or Decimal(0)
        half_width_t = abs(carrier["co2e_t"] / carrier["counted_wh"]) * half_width_wh
        components.append(
            width(
                f"model:{inputs.series[name].meter}:{name}",
                half_width_t,
                confidence_pct=68,
                ko="기준 모형",
                en=f"Baseline model of {name}",
            )
        )
    note = "Carriers' models are taken as independent; factors add none stated."
    return stated(found.co2e_t, components, confidence_pct=68, note=note)  # fmt: skip


def worked_example() -> WorkedExample:
    """Version 1's building with two events: a heater metered for ten days, a lift out of use."""
    example = before.worked_example()
    inputs = example.inputs
    first = inputs.period.start.date()
    events = (
        {
            "id": "event-heater", "carrier": "electricity", "since": first,
            "until": first + timedelta(days=10), "change_kwh": Decimal(10), "basis": "metered",
            "evidence": "submeter 7",
        },
        {
            "id": "event-lift", "carrier": "electricity", "since": first,
            "until": first + timedelta(days=20), "change_kwh": Decimal(-20), "basis": "estimated",
            "evidence": "maintenance report",
        },
    )  # fmt: skip
    parameters = {**inputs.parameters, "ev_added": False}
    factor = inputs.factors["electricity"]
    changed = Decimal(-10_000) * factor.co2e_kg("SAR") / 1_000_000_000
    return WorkedExample(
        source=example.source,
        inputs=replace(inputs, parameters=parameters, tables={"non_routine": events}),
        co2e_t=example.co2e_t + changed,
        steps=(
            *example.steps,
            "A heater of the works, metered: 10 kWh were added, not the building's own",
            "A lift stood still, by estimate: 20 kWh less, which is no saving; in all −10 kWh",
        ),
    )
