"""Rides by bus in place of cars, version 1. For rewards only: people's behaviour earns no units.

Over the period, with p the share of passenger-kilometres that a survey says would have been
travelled by mode m, e_m that mode's emission per vehicle-kilometre and o_m its mean occupancy:

    baseline = Σ_rides passenger_km · Σ_m p_m · e_m / o_m
    project  = Σ_rides passenger_km · (emissions of the service / passenger_km of the service)
    emission reduction = baseline − project

Source: the approach of UNFCCC CDM AM0031 "Bus rapid transit projects" and AMS-III.U (what
passengers would have used otherwise, by survey; project emissions from the fuel used). Walking,
cycling and trips that would not have been made have a baseline of zero: they are leakage of the
claim. The Korean offset guideline leaves out changes of behaviour, so `CREDITABLE` is False.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies.components import surveyed
from onsil.footprint.methodologies.emissions import emissions, emitted, emitted_co2
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
from onsil.footprint.uncertainty import stated

ID = "bus-modal-shift"
VERSION = "1"
CREDITABLE = False
TITLE_KO = "버스 이용 전환"
TITLE_EN = "Rides by bus in place of cars"
SOURCES = (
    "UNFCCC CDM AM0031, Bus rapid transit projects",
    "UNFCCC CDM AMS-III.U, Cable cars for mass rapid transit systems (survey of the mode replaced)",
    "외부사업 타당성 평가 및 감축량 인증에 관한 지침 (행태 변화는 대상에서 제외)",
)
FORMULA = (
    "ER [tCO2e] = Σ_r pkm_r × (Σ_m p_m × e_m [gCO2/km] / o_m / 10⁶ − service emissions [t] / "
    "service pkm)"
)
CONDITIONS = (
    (
        "행태 변화이므로 보상에만 쓰이고 크레딧이 될 수 없습니다.",
        "A change of behaviour: for rewards only, never units.",
    ),
    (
        "탑승은 교통카드 등 서버 기록이어야 합니다(evidence). 스스로 적은 탑승은 제외됩니다.",
        "Rides are recorded by fare card or server (evidence); a self-declared one is excluded.",
    ),
    (
        "대체 수단 조사의 비율은 합이 100 %이고 표본은 30명 이상입니다.",
        "The survey's shares add up to 100 % and its sample is 30 or more.",
    ),
    (
        "걷기, 자전거, 하지 않았을 이동은 기준 배출이 0입니다.",
        "Walking, cycling and trips that would not have been made have a baseline of zero.",
    ),
    (
        "버스 자체의 배출을 이용 인·km로 나누어 뺍니다. 서비스의 경유와 충전량 중 하나는 있어야 "
        "합니다.",
        "The buses' own emissions are taken off by passenger-kilometre; their diesel or charging "
        "is known.",
    ),
    (
        "한 번 탑승의 거리는 trip_km_max를 넘을 수 없습니다.",
        "No ride is longer than trip_km_max.",
    ),
)
ROLES = ()
_ZERO_MODES = ("walk", "bicycle", "no-trip", "bus")
_MODES = ("car", *_ZERO_MODES)
TABLES = (
    TableRole(
        "rides", "탑승", "Rides",
        (
            Column("day", "date", "날짜", "Day"),
            Column("rides", "integer", "탑승 수", "Number of rides", minimum=Decimal(1)),
            Column(
                "passenger_km", "decimal", "인·km", "Passenger-kilometres", "km",
                required=False, minimum=Decimal(0),
            ),
            Column(
                "evidence", "choice", "증빙", "Evidence", choices=("card", "server", "declared")
            ),
        ),
    ),
    TableRole(
        "survey", "대체 수단 조사", "Survey of the mode replaced",
        (
            Column("mode", "choice", "버스가 없었다면", "Otherwise by", choices=_MODES),
            Column(
                "share_pct", "decimal", "비율", "Share", "%", minimum=Decimal(0),
                maximum=Decimal(100),
            ),
            Column(
                "occupancy", "decimal", "평균 재차 인원", "Mean occupancy", required=False,
                minimum=Decimal(1), maximum=Decimal(10),
            ),
        ),
    ),
    TableRole(
        "service", "버스 운행", "Bus service",
        (
            Column("diesel_l", "decimal", "경유", "Diesel", "L", required=False,
                   minimum=Decimal(0)),
            Column("charged_kwh", "decimal", "충전량", "Charged", "kWh", required=False,
                   minimum=Decimal(0)),
            Column(
                "passenger_km", "decimal", "전체 인·km", "Passenger-kilometres of the service",
                "km", minimum=Decimal("0.001"),
            ),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "survey_sample", "integer", "조사 표본 수", "Sample of the survey", minimum=Decimal(30)
    ),
    Parameter(
        "trip_km_max", "decimal", "한 번 탑승의 최대 거리", "Longest ride", "km", default="60",
        minimum=Decimal(1), maximum=Decimal(200),
    ),
)  # fmt: skip
FACTORS = (
    FactorNeed("car", "tailpipe", ("survey",), gases="co2"),
    FactorNeed("diesel", "road", ("service",), required=False),
    FactorNeed("electricity", "consumption", ("service",), required=False),
)
MONITORING = (
    MonitoringParameter(
        "pkm", "passenger-km", "인·km", "Passenger-kilometres", "날마다", "daily",
        "교통카드 승하차 기록", "fare-card records of boarding and alighting",
        "탑승당 거리 상한, 중복 기록 거절", "limit per ride; a record twice is refused",
    ),
    MonitoringParameter(
        "p_m, o_m", "%, –", "대체 수단과 재차 인원", "Mode replaced and occupancy",
        "해마다", "each year", "이용자 무작위 표본 조사", "random sample of passengers",
        "95 % 신뢰구간을 불확도에 반영", "its 95 % interval enters the uncertainty",
    ),
    MonitoringParameter(
        "F", "L 또는 kWh", "버스의 연료와 충전량", "Buses' fuel and charging", "달마다", "monthly",
        "주유·충전 영수증", "fuel and charging receipts", "운행 거리와 대조",
        "against distance driven",
    ),
)  # fmt: skip


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Passenger-kilometres by bus, record by record, and the emissions they avoided.

    Refused: `survey-incomplete`, `service-fuel-unknown`, `factor-missing`, `no-row-usable`,
    `nothing-saved`.
    """
    refusal = _survey_refusal(inputs)
    if refusal is None:
        refusal = _service_refusal(inputs)
    if refusal is not None:
        return refusal
    days = days_of_period(inputs)
    judged = judge(inputs.tables["rides"], lambda row: _reason(row, inputs, days))
    refusal = none_usable("rides", judged)
    if refusal is not None:
        return refusal
    pkm = sum((row["passenger_km"] for row in judged.used), Decimal(0))
    share, per_km = _replaced(inputs)
    baseline_t, service_t = pkm * per_km, pkm * _service_t_per_km(inputs)
    refusal = nothing_saved(baseline_t - service_t)
    if refusal is not None:
        return refusal
    return Outcome(
        lines=tuple(
            RunLine(
                row["id"], "passenger-km", row["passenger_km"], "km",
                {row["day"].isoformat(): row["passenger_km"]},
            )
            for row in judged.used
        ),
        co2e_t=baseline_t - service_t,
        gases_kg=None,
        uncertainty=stated(
            baseline_t - service_t,
            [
                surveyed(
                    "sampling:survey:mode replaced", baseline_t, share,
                    inputs.parameters["survey_sample"], "대체 수단 조사", "Survey of modes",
                )
            ],
            note="The baseline's publisher states no uncertainty; occupancy is taken as stated.",
        ),
        coverage={"rides": judged.coverage()},
        details={
            "baseline_t": baseline_t, "service_t": service_t, "share_from_cars": share,
            "passenger_km": pkm,
        },
    )  # fmt: skip


def _survey_refusal(inputs: MethodInputs) -> Refusal | None:
    rows = inputs.tables["survey"]
    total = sum((row["share_pct"] for row in rows), Decimal(0))
    bare = [r["id"] for r in rows if r["mode"] not in _ZERO_MODES and "occupancy" not in r]
    modes = [row["mode"] for row in rows]
    cars = any(r["mode"] not in _ZERO_MODES and r["share_pct"] > 0 for r in rows)
    if total == 100 and not bare and len(set(modes)) == len(modes) and cars:
        return None
    return Refusal(
        "survey-incomplete",
        f"조사의 비율 합은 100 %여야 하고(지금 {total} %), 승용차에서 온 이용자가 있어야 하며 그 "
        "재차 인원이 필요합니다. 한 수단은 한 행입니다.",
        f"The survey's shares must add up to 100 % (now {total} %), some must come from cars with "
        "their occupancy, and each mode has one row.",
        {"total_pct": total, "without_occupancy": bare},
    )


def _service_refusal(inputs: MethodInputs) -> Refusal | None:
    for row in inputs.tables["service"]:
        if "diesel_l" not in row and "charged_kwh" not in row:
            return Refusal(
                "service-fuel-unknown",
                f"버스 운행 {row['id']}의 경유나 충전량을 알아야 합니다.",
                f"The diesel or the charging of service {row['id']} must be known.",
                {"service": row["id"]},
            )
        for column, commodity in (("diesel_l", "diesel"), ("charged_kwh", "electricity")):
            if column in row and commodity not in inputs.factors:
                return Refusal(
                    "factor-missing",
                    f"버스 운행에 {commodity} 배출계수가 필요합니다.",
                    f"The bus service needs a factor for {commodity}.",
                    {"commodity": commodity},
                )
    return None


def _reason(row: Row, inputs: MethodInputs, days: Any) -> str | None:
    if row["evidence"] == "declared":
        return "not-evidenced"
    if row["day"] not in days:
        return "outside-period"
    if "passenger_km" not in row:
        return "distance-missing"
    if row["passenger_km"] > row["rides"] * inputs.parameters["trip_km_max"]:
        return "distance-impossible"
    return None


def _replaced(inputs: MethodInputs) -> tuple[Decimal, Decimal]:
    """The share that came from motor vehicles, and tonnes avoided per passenger-kilometre."""
    share, tonnes = Decimal(0), Decimal(0)
    for row in inputs.tables["survey"]:
        if row["mode"] in _ZERO_MODES:
            continue
        part = row["share_pct"] / 100
        share += part
        per_km = emitted_co2(Decimal(1), "km", inputs.factors[row["mode"]])["co2e_t"]
        tonnes += part * per_km / row["occupancy"]
    return share, tonnes


def _service_t_per_km(inputs: MethodInputs) -> Decimal:
    tonnes, pkm = Decimal(0), Decimal(0)
    for row in inputs.tables["service"]:
        pkm += row["passenger_km"]
        if "diesel_l" in row:
            found = emitted(row["diesel_l"], "L", inputs.factors["diesel"], inputs.gwp_set)
            tonnes += found["co2e_t"]
        if "charged_kwh" in row:
            energy_wh = row["charged_kwh"] * 1000
            found = emissions(energy_wh, inputs.factors["electricity"], inputs.gwp_set)
            tonnes += found["co2e_t"]
    return tonnes / pkm


def worked_example() -> WorkedExample:
    """Two days' rides on an electric bus by hand; four passengers in ten came from cars."""
    rides = (
        {
            "id": "urn:ngsi-ld:Rides:example:1", "day": date(2025, 6, 2), "rides": Decimal(500),
            "passenger_km": Decimal(3000), "evidence": "card",
        },
        {
            "id": "urn:ngsi-ld:Rides:example:2", "day": date(2025, 6, 3), "rides": Decimal(400),
            "passenger_km": Decimal(2000), "evidence": "card",
        },
    )  # fmt: skip
    survey = (
        {"id": "car", "mode": "car", "share_pct": Decimal(40), "occupancy": Decimal("1.2")},
        {"id": "walk", "mode": "walk", "share_pct": Decimal(35)},
        {"id": "none", "mode": "no-trip", "share_pct": Decimal(25)},
    )  # fmt: skip
    service = ({"id": "line-1", "charged_kwh": Decimal(1000), "passenger_km": Decimal(20_000)},)
    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={"survey_sample": Decimal(400), "trip_km_max": Decimal(60)},
        series={},
        factors={
            "electricity": factor_set("kr-grid-2021").factors[0],
            "car": factor_set("kr-new-cars-2020").factors[0],
        },
        gwp_set="AR5",
        tables={"rides": rides, "survey": survey, "service": service},
    )
    return WorkedExample(
        source="Arithmetic by hand with the 2021 consumption-end factor (0.4777 tCO2e/MWh, AR5)",
        inputs=inputs,
        co2e_t=Decimal("0.11607500"),
        steps=(
            "Baseline: 5,000 pkm × 40 % × 141.3 g/km ÷ 1.2 = 235.5 kg",
            "Service: 1,000 kWh × 0.4777 kg/kWh ÷ 20,000 pkm × 5,000 pkm = 119.425 kg",
            "235.5 − 119.425 = 116.075 kg",
        ),
    )
