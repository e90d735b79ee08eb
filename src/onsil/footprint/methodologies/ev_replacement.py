"""Electric vehicles in place of combustion vehicles, version 1.

Per vehicle v, over the period:

    baseline_v = distance_v [km] · B [gCO2/km]
    project_v  = charged_v [kWh] · (1 + charging loss where metered in the vehicle) · EF_grid
    emission reduction = Σ_v (baseline_v − project_v)

Source: UNFCCC CDM AMS-III.C "Emission reductions by electric and hybrid vehicles": baseline
emissions per kilometre of the vehicle replaced times the distance, less the electricity charged
times the grid's factor. B is a dated published mean for the class. The distance comes from the
odometer, or from a trip log where there is none. A vehicle without metered charging is missing; its
electricity is never taken for zero. The baseline knows CO2 alone, so gases are not told apart.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies.conditions import (
    DUTY_CONDITION,
    LEGAL_DUTY,
    legally_required,
    uncalibrated,
)
from onsil.footprint.methodologies.emissions import emissions, emitted_co2
from onsil.footprint.methodologies.records import (
    Days,
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

ID = "ev-replacement"
VERSION = "1"
TITLE_KO = "전기차 전환"
TITLE_EN = "Electric vehicles in place of combustion vehicles"
SOURCES = (
    "UNFCCC CDM AMS-III.C, Emission reductions by electric and hybrid vehicles",
    "City plan's coefficient rebuilt: 141.3 g/km × 10,000 km − 1,661 kWh × 0.4594 = 0.650 t",
)
FORMULA = (
    "ER [tCO2e] = Σ_v (distance_v [km] × B [gCO2/km] / 10⁶ − charged_v [kWh] × "
    "(1 + charging_loss_pct/100 where metered in the vehicle) × EF_grid [kgCO2e/MWh] / 10⁶)"
)
CONDITIONS = (
    (
        "전기차가 내연기관차를 실제로 대신해야 합니다(replaced, 말소·매각 증빙).",
        "A combustion vehicle was given up for it, with evidence (replaced).",
    ),
    (
        "거리는 주행거리계의 시작·끝 값이나 운행 기록에서 나와야 하고, 뒤로 갈 수 없습니다.",
        "Distance is from the odometer's first and last state or from a trip log; an odometer "
        "never runs back.",
    ),
    (
        "하루 평균 거리(km_per_day_max)와 전비(2–12 km/kWh)가 있을 법한 범위여야 합니다.",
        "Distance a day (km_per_day_max) and efficiency (2–12 km/kWh) are plausible.",
    ),
    (
        "충전량이 계량되어야 합니다. 차 안에서 잰 값에는 충전 손실을 더합니다.",
        "Charging is metered; what is metered inside the vehicle gets the charging loss added.",
    ),
    (
        "운행 기록의 합이 주행거리계의 차보다 크면 그 차량은 제외됩니다.",
        "A vehicle whose logged trips exceed its odometer is excluded.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
TABLES = (
    TableRole(
        "vehicles", "차량", "Vehicles",
        (
            Column("vehicle_class", "choice", "차종", "Class", choices=("car",)),
            Column("replaced", "boolean", "내연기관차 대체 증빙", "Combustion vehicle given up"),
            Column("since", "date", "운행 시작일", "In use since"),
            Column(
                "odometer_start_km", "decimal", "기간 시작 주행거리", "Odometer at the start", "km",
                required=False, minimum=Decimal(0),
            ),
            Column(
                "odometer_end_km", "decimal", "기간 끝 주행거리", "Odometer at the end", "km",
                required=False, minimum=Decimal(0),
            ),
            Column(
                "charged_kwh", "decimal", "기간의 충전량", "Charged in the period", "kWh",
                required=False, minimum=Decimal(0),
            ),
            Column(
                "metered_at", "choice", "충전량을 잰 곳", "Where charging was metered",
                choices=("charger", "vehicle"),
            ),
            Column(
                "calibrated_until", "date", "계량기 검정 유효 기간의 다음 날",
                "Day after the meter's calibration ends", required=False,
            ),
        ),
    ),
    TableRole(
        "trips", "운행 기록", "Trips",
        (
            Column("vehicle", "text", "차량 id", "Vehicle's id"),
            Column("day", "date", "날짜", "Day"),
            Column("distance_km", "decimal", "거리", "Distance", "km", minimum=Decimal(0)),
        ),
        required=False,
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "charging_loss_pct", "decimal", "충전 손실 (차 안에서 잰 경우)",
        "Charging loss, where metered in the vehicle", "%", default="10", minimum=Decimal(0),
        maximum=Decimal(30),
    ),
    Parameter(
        "km_per_day_max", "decimal", "하루 평균 거리의 상한", "Most kilometres a day", "km",
        default="300", minimum=Decimal(1), maximum=Decimal(1000),
    ),
    Parameter(
        "distance_uncertainty_pct", "decimal", "거리의 불확도 (95 %)",
        "Uncertainty of distance at 95 %", "%", default="4", minimum=Decimal(0),
        maximum=Decimal(20),
    ),
    Parameter(
        "charging_uncertainty_pct", "decimal", "충전량의 불확도 (95 %)",
        "Uncertainty of charging at 95 %", "%", default="2", minimum=Decimal(0),
        maximum=Decimal(20),
    ),
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (
    FactorNeed("electricity", "consumption", ("vehicles",)),
    FactorNeed("car", "tailpipe", ("vehicles",), gases="co2"),
)
MONITORING = (
    MonitoringParameter(
        "D", "km", "주행거리", "Distance", "기간의 처음과 끝, 또는 운행마다",
        "at start and end of the period, or each trip", "주행거리계 사진, OBD, 운행 기록",
        "photograph of the odometer, OBD, trip log", "운행 기록과 주행거리계 대조",
        "trip log against odometer",
    ),
    MonitoringParameter(
        "E", "kWh", "충전량", "Electricity charged", "충전마다", "each charge",
        "검정받은 충전기 전력량계 또는 차량 기록", "type-approved charger's meter, or the vehicle",
        "전비 범위 확인, 검정 유효 기간", "efficiency band; calibration in force",
    ),
)  # fmt: skip

_KM_PER_KWH = (Decimal(2), Decimal(12))


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Kilometres driven electrically, vehicle by vehicle, and the emissions they avoided.

    Refused: `legally-required`, `unknown-vehicle` for a trip of none, `no-row-usable`,
    `nothing-saved`.
    """
    refusal = legally_required(inputs)
    if refusal is None:
        refusal = _strange_trip(inputs)
    if refusal is not None:
        return refusal
    days = days_of_period(inputs)
    logged = _logged(inputs, days)
    judged = judge(inputs.tables["vehicles"], lambda row: _reason(row, inputs, days, logged))
    refusal = none_usable("vehicles", judged)
    if refusal is not None:
        return refusal
    factor = inputs.factors["electricity"]
    baseline_t = project_t = energy_wh = Decimal(0)
    lines: list[RunLine] = []
    for row in judged.used:
        km = _distance_km(row, logged)
        assert km is not None
        taken_wh = _taken_kwh(row, inputs) * 1000
        baseline_t += emitted_co2(km, "km", inputs.factors[row["vehicle_class"]])["co2e_t"]
        project_t += emissions(taken_wh, factor, inputs.gwp_set)["co2e_t"]
        energy_wh += taken_wh
        by_day = logged.get(row["id"])
        whole = by_day is not None and sum(by_day.values()) == km
        lines.append(RunLine(row["id"], "vehicle-km", km, "km", by_day if whole else None))
    refusal = nothing_saved(baseline_t - project_t)
    if refusal is not None:
        return refusal
    return _outcome(inputs, tuple(lines), baseline_t, project_t, judged.coverage(), energy_wh)


def _outcome(
    inputs: MethodInputs,
    lines: tuple[RunLine, ...],
    baseline_t: Decimal,
    project_t: Decimal,
    coverage: Mapping[str, Any],
    energy_wh: Decimal,
) -> Outcome:
    given = inputs.parameters
    return Outcome(
        lines=lines,
        co2e_t=baseline_t - project_t,
        gases_kg=None,
        uncertainty=stated(
            baseline_t - project_t,
            [
                component(
                    "sampling:vehicles:distance", baseline_t, given["distance_uncertainty_pct"],
                    ko="주행거리", en="Distance",
                ),
                component(
                    "sampling:vehicles:charging", -project_t, given["charging_uncertainty_pct"],
                    ko="충전량", en="Charging",
                ),
            ],
            note="Neither the baseline's nor the factor's publisher states an uncertainty.",
        ),
        coverage={"vehicles": coverage},
        details={"baseline_t": baseline_t, "project_t": project_t, "energy_wh": energy_wh},
    )  # fmt: skip


def _strange_trip(inputs: MethodInputs) -> Refusal | None:
    known = {row["id"] for row in inputs.tables["vehicles"]}
    strange = next((t for t in inputs.tables.get("trips", ()) if t["vehicle"] not in known), None)
    if strange is None:
        return None
    return Refusal(
        "unknown-vehicle",
        f"운행 기록 {strange['id']}의 차량 {strange['vehicle']}이(가) 차량 표에 없습니다.",
        f"Trip {strange['id']} is of vehicle {strange['vehicle']}, which the table does not have.",
        {"trip": strange["id"], "vehicle": strange["vehicle"]},
    )


def _logged(inputs: MethodInputs, days: Days) -> dict[str, dict[str, Decimal]]:
    """Logged kilometres by vehicle and local day, of trips within the period."""
    made: dict[str, dict[str, Decimal]] = {}
    for trip in inputs.tables.get("trips", ()):
        if trip["day"] in days:
            by_day = made.setdefault(trip["vehicle"], {})
            key = trip["day"].isoformat()
            by_day[key] = by_day.get(key, Decimal(0)) + trip["distance_km"]
    return made


def _distance_km(row: Row, logged: Mapping[str, Mapping[str, Decimal]]) -> Decimal | None:
    if "odometer_start_km" in row and "odometer_end_km" in row:
        return row["odometer_end_km"] - row["odometer_start_km"]
    by_day = logged.get(row["id"])
    return None if by_day is None else sum(by_day.values(), Decimal(0))


def _taken_kwh(row: Row, inputs: MethodInputs) -> Decimal:
    loss = inputs.parameters["charging_loss_pct"] / 100
    return row["charged_kwh"] * (1 + loss if row["metered_at"] == "vehicle" else 1)


def _reason(
    row: Row, inputs: MethodInputs, days: Days, logged: Mapping[str, Mapping[str, Decimal]]
) -> str | None:
    used_days, km = days.within(row["since"], None), _distance_km(row, logged)
    trips_km = sum(logged.get(row["id"], {}).values(), Decimal(0))
    if not row["replaced"]:
        return "nothing-replaced"
    if not used_days:
        return "not-in-period"
    if km is None:
        return "distance-missing"
    if "charged_kwh" not in row:
        return "charging-missing"
    if km < 0:
        return "odometer-ran-back"
    if trips_km > km:
        return "trips-exceed-odometer"
    if km > used_days * inputs.parameters["km_per_day_max"]:
        return "distance-impossible"
    if uncalibrated(row, inputs):
        return "out-of-calibration"
    taken = _taken_kwh(row, inputs)
    if not taken or not _KM_PER_KWH[0] <= km / taken <= _KM_PER_KWH[1]:
        return "efficiency-implausible"
    return None


def worked_example() -> WorkedExample:
    """The city plan's own car by hand: 10,000 km on 1,661 kWh from the charger's meter."""
    row = {
        "id": "urn:ngsi-ld:Vehicle:example:1", "vehicle_class": "car", "replaced": True,
        "since": date(2025, 1, 1), "odometer_start_km": Decimal(12_000),
        "odometer_end_km": Decimal(22_000), "charged_kwh": Decimal(1661), "metered_at": "charger",
    }  # fmt: skip
    inputs = MethodInputs(
        period=Period(
            datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={
            "charging_loss_pct": Decimal(10), "km_per_day_max": Decimal(300),
            "distance_uncertainty_pct": Decimal(4), "charging_uncertainty_pct": Decimal(2),
        },
        series={},
        factors={
            "electricity": factor_set("kr-grid-2018").factors[0],
            "car": factor_set("kr-new-cars-2020").factors[0],
        },
        gwp_set="SAR",
        tables={"vehicles": (row,)},
    )  # fmt: skip
    return WorkedExample(
        source="The city plan's 0.65 t per 10,000 km, rebuilt with the 2018 factor (SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.6499189934"),
        steps=(
            "Baseline: 10,000 km × 141.3 g/km = 1.413 t",
            "Charged: 1,661 kWh at the charger (6.02 km/kWh) × 0.4594106 kg/kWh = 0.7630810066 t",
            "1.413 − 0.7630810066 = 0.6499189934 t, printed in the plan as 0.65",
        ),
    )
