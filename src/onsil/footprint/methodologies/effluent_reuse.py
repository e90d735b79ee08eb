"""Reuse of treated effluent, version 1.

Treated effluent waters trees instead of running to the river. Per delivery d at a meter:

    water reused     = Σ (delivered_d − drained_d)
    nitrogen, phosphorus kept from the river = Σ (delivered_d − drained_d) · concentration_d
    CO2e             = max(0, tap water replaced · EF_tap − pumping · EF_grid)
    water benefits   = water reused by tiers: 1 m3 each to 40,000 m3, 10 m3 to 1.3 million, then 100

Source: the Gold Standard's water benefit certificates (volume supplied, purified or conserved, and
the tiers, as its page has them); load = volume × concentration. What is applied is measured; what
the trees take up of it is a model, and not stated here. Tap water counts only where it was really
replaced; a net emission is told and never made a negative credit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import Factor, factor_set
from onsil.footprint.methodologies.conditions import (
    CALIBRATION_CONDITION,
    DUTY_CONDITION,
    LEGAL_DUTY,
    legally_required,
)
from onsil.footprint.methodologies.emissions import add_gases, emitted, emitted_co2
from onsil.footprint.methodologies.records import Row, days_of_period, judge, none_usable
from onsil.footprint.methodologies.registry import (
    Column,
    FactorNeed,
    MonitoringParameter,
    Parameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.methodologies.waste_rows import no_gases
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = "effluent-reuse"
VERSION = "1"
TITLE_KO = "처리수 재이용"
TITLE_EN = "Reuse of treated effluent"
SOURCES = (
    "Gold Standard, Water Benefit Certificates (tiers of volume; intake to be confirmed)",
    "2006 IPCC Guidelines vol. 1 ch. 3 (uncertainty, approach 1)",
)
FORMULA = (
    "water [m3] = Σ (delivered − drained); load [kg] = water × c [mg/L] / 1000; "
    "CO2e = max(0, V_tap × EF_tap − E_pump × EF_grid); "
    "benefits = tiers(V), 1 per 1 / 10 / 100 m3"
)
CONDITIONS = (
    (
        "사용 허가(permit_until)가 기간 끝까지 유효해야 합니다.",
        "The permit to use the water (permit_until) is in force to the period's end.",
    ),
    (
        "공급량은 취수량(source_m3)을 2 % 넘게 초과할 수 없고, 배수량은 공급량보다 클 수 없습니다.",
        "No more is delivered than was drawn (source_m3), but for 2 %, and no more drained than "
        "delivered.",
    ),
    (
        "공급량이 그루당 하루 한도(unit_day_most_l)를 넘으면 그 행을 제외합니다.",
        "A row above unit_day_most_l litres for each unit and day is excluded.",
    ),
    (
        "한 계량기의 기간이 겹치면 거절합니다. 공급량이나 펌프 전력이 없는 행은 0이 아니라 "
        "누락입니다.",
        "Rows of one meter do not overlap; one without volume or pump energy is missing, not zero.",
    ),
    (
        "수돗물을 실제로 대신한 물만 온실가스 감축으로 셉니다.",
        "Only water that really replaced tap water reduces emissions.",
    ),
    CALIBRATION_CONDITION,
    DUTY_CONDITION,
)
ROLES = ()
_OPTIONAL = {"required": False, "minimum": Decimal(0)}
TABLES = (
    TableRole(
        "deliveries", "공급", "Deliveries",
        (
            Column("meter", "text", "수량계", "Water meter"),
            Column("first_date", "date", "첫날", "First day"),
            Column("last_date", "date", "마지막 날", "Last day"),
            Column("water_m3", "decimal", "공급량", "Delivered", "m3", **_OPTIONAL),
            Column(
                "source_m3", "decimal", "같은 기간의 취수량", "Drawn meanwhile", "m3", **_OPTIONAL,
            ),
            Column("drained_m3", "decimal", "배수된 양", "Drained again", "m3", **_OPTIONAL),
            Column("nitrogen_mg_l", "decimal", "총질소", "Total nitrogen", "mg/L", **_OPTIONAL),
            Column("phosphorus_mg_l", "decimal", "총인", "Total phosphorus", "mg/L", **_OPTIONAL),
            Column("pumping_kwh", "decimal", "펌프 전력량", "Pump energy", "kWh", **_OPTIONAL),
            Column(
                "replaces", "choice", "대신한 물", "Water it replaced",
                choices=("tap-water", "groundwater", "river-water", "nothing"),
            ),
            Column(
                "units_served", "integer", "물을 받은 나무·화분 수", "Trees or planters served",
                required=False, minimum=Decimal(1),
            ),
            Column(
                "calibrated_until", "date", "수량계 검정 유효 기간의 다음 날",
                "Day after the meter's calibration ends", required=False,
            ),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter("permit_until", "date", "사용 허가 만료 다음 날", "Day after the permit ends"),
    Parameter(
        "volume_before_m3", "decimal", "이 인증 연도에 이미 산정한 물의 양",
        "Water quantified before in this year of certification", "m3", default="0",
        minimum=Decimal(0),
    ),
    Parameter(
        "unit_day_most_l", "decimal", "그루당 하루 한도", "Most for one unit in a day", "L",
        default="200", minimum=Decimal(1), maximum=Decimal(2000),
    ),
    Parameter(
        "meter_uncertainty_pct", "decimal", "수량계 불확도 (95 %)",
        "Water meter's uncertainty at 95 %", "%", default="2", minimum=Decimal(0),
        maximum=Decimal(5),
    ),
    Parameter(
        "quality_uncertainty_pct", "decimal", "수질 분석 불확도 (95 %)",
        "Uncertainty of water analyses at 95 %", "%", default="10", minimum=Decimal(0),
        maximum=Decimal(30),
    ),
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = (
    FactorNeed("electricity", "consumption", ("deliveries",)),
    FactorNeed("tap-water", "supply", ("deliveries",), required=False),
)
MONITORING = (
    MonitoringParameter(
        "V", "m3", "공급·취수·배수량", "Water delivered, drawn and drained", "연속", "continuous",
        "검정받은 수량계", "calibrated water meters", "수지(취수 ≥ 공급) 검사",
        "balance: drawn is not below delivered",
    ),
    MonitoringParameter(
        "TN, TP", "mg/L", "총질소·총인", "Total nitrogen and phosphorus", "달마다", "monthly",
        "공인 시험기관 분석", "accredited laboratory", "시료 두 개 가운데 하나는 다시 분석",
        "every second sample analysed twice",
    ),
    MonitoringParameter(
        "E", "kWh", "펌프 전력량", "Pump energy", "연속", "continuous", "전력량계",
        "electricity meter", "빠지면 그 행을 세지 않음", "a row without it does not count",
    ),
)  # fmt: skip

_TIERS = (
    (Decimal(40_000), Decimal(1)),
    (Decimal(1_300_000), Decimal(10)),
    (None, Decimal(100)),
)
_LOSS = Decimal("1.02")
_NUTRIENTS = (("nitrogen-removed", "nitrogen_mg_l"), ("phosphorus-removed", "phosphorus_mg_l"))


def water_benefits(volume_m3: Decimal) -> Decimal:
    """Certificates for a year's volume: 100,000 m3 give 46,000; 2,000,000 m3 give 173,000."""
    found, below = Decimal(0), Decimal(0)
    for upto, per in _TIERS:
        within = volume_m3 - below if upto is None else min(volume_m3, upto) - below
        found += max(within, Decimal(0)) / per
        below = upto or below
    return found


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Water, nitrogen and phosphorus by meter, and the emissions avoided, which may be none.

    Refused: `legally-required`, `no-permit`, `counted-twice`, `no-row-usable`, `factor-missing`,
    `nothing-reused`.
    """
    rows = inputs.tables["deliveries"]
    for refusal in (legally_required(inputs), _permitted(inputs), _overlapping(rows)):
        if refusal is not None:
            return refusal
    judged = judge(rows, lambda row: _reason(row, inputs))
    refusal = none_usable("deliveries", judged)
    if refusal is not None:
        return refusal
    used = judged.used
    water_m3 = sum((_kept(row) for row in used), Decimal(0))
    if water_m3 <= 0:
        return Refusal(
            "nothing-reused", "재이용한 물이 없습니다.", "No water was reused.", {"m3": water_m3}
        )
    carbon = _carbon(inputs, used)
    before = inputs.parameters["volume_before_m3"]
    relative = inputs.parameters["meter_uncertainty_pct"]
    return Outcome(
        lines=_lines(used),
        co2e_t=max(carbon["net_t"], Decimal(0)),
        gases_kg=carbon["gases"] if carbon["net_t"] > 0 else no_gases(),
        uncertainty=stated(
            max(carbon["net_t"], Decimal(0)),
            [
                component(
                    "record:deliveries:water", carbon["avoided_t"], relative, ko="수량계",
                    en="Water meter",
                ),
                component(
                    "record:deliveries:pumping", -carbon["pumping_t"], relative, ko="펌프 전력량계",
                    en="Pump's electricity meter",
                ),
            ],
        ),
        coverage={"deliveries": judged.coverage()},
        details={
            "water_m3": water_m3,
            "water_half_width_m3": water_m3 * relative / 100,
            "water_benefits": water_benefits(before + water_m3) - water_benefits(before),
            "avoided_t": carbon["avoided_t"],
            "pumping_t": carbon["pumping_t"],
            "net_t": carbon["net_t"],
            "load_relative_pct": (
                relative**2 + inputs.parameters["quality_uncertainty_pct"] ** 2
            ).sqrt(),
            "unanalysed_m3": {
                quantity: sum((_kept(row) for row in used if column not in row), Decimal(0))
                for quantity, column in _NUTRIENTS
            },
        },
    )  # fmt: skip


def _permitted(inputs: MethodInputs) -> Refusal | None:
    until = inputs.parameters["permit_until"]
    if until >= days_of_period(inputs).end:
        return None
    return Refusal(
        "no-permit",
        f"재이용수 사용 허가가 {until}에 끝나 기간 끝까지 유효하지 않습니다.",
        f"The permit to use the water ends on {until}, before the period does.",
        {"permit_until": until.isoformat()},
    )


def _overlapping(rows: Sequence[Row]) -> Refusal | None:
    by_meter: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_meter[row["meter"]].append(row)
    for meter, held in by_meter.items():
        held.sort(key=lambda row: (row["first_date"], row["id"]))
        for one, other in pairwise(held):
            if other["first_date"] <= one["last_date"]:
                return Refusal(
                    "counted-twice",
                    f"수량계 {meter}의 두 행({one['id']}, {other['id']})의 날짜가 겹칩니다.",
                    f"Two rows of meter {meter} overlap in time ({one['id']}, {other['id']}).",
                    {"meter": meter, "rows": [one["id"], other["id"]]},
                )
    return None


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    days = days_of_period(inputs)
    if not (row["first_date"] in days and row["last_date"] in days):
        return "outside-period"
    count = (row["last_date"] - row["first_date"]).days + 1
    if count < 1:
        return "dates-reversed"
    if "water_m3" not in row:
        return "volume-missing"
    if "pumping_kwh" not in row:
        return "pumping-missing"
    until = row.get("calibrated_until")
    if until is not None and until <= row["last_date"]:
        return "out-of-calibration"
    water, served = row["water_m3"], row.get("units_served")
    if water > row.get("source_m3", water) * _LOSS:
        return "above-source"
    if row.get("drained_m3", Decimal(0)) > water:
        return "drained-impossible"
    if served is not None and water * 1000 > served * count * inputs.parameters["unit_day_most_l"]:
        return "volume-implausible"
    return None


def _kept(row: Row) -> Decimal:
    """What was delivered and did not drain away again."""
    kept: Decimal = row["water_m3"] - row.get("drained_m3", Decimal(0))
    return kept


def _carbon(inputs: MethodInputs, used: Sequence[Row]) -> dict[str, Any]:
    pumped_kwh = sum((row["pumping_kwh"] for row in used), Decimal(0))
    grid = emitted(pumped_kwh, "kWh", inputs.factors["electricity"], inputs.gwp_set)
    replaced = sum((_kept(row) for row in used if row["replaces"] == "tap-water"), Decimal(0))
    tap: Factor | None = inputs.factors.get("tap-water")
    avoided: dict[str, Any] = {"co2e_t": Decimal(0), "gases_kg": {"co2": Decimal(0)}}
    if tap is not None:
        avoided = (
            emitted_co2(replaced, "m3", tap)
            if tap.co2_only
            else emitted(replaced, "m3", tap, inputs.gwp_set)
        )
    taken = grid["gases_kg"]
    less = None if taken is None else {gas: -kg for gas, kg in taken.items()}
    return {
        "avoided_t": avoided["co2e_t"],
        "pumping_t": grid["co2e_t"],
        "net_t": avoided["co2e_t"] - grid["co2e_t"],
        "gases": add_gases(avoided["gases_kg"], less),
    }


def _lines(used: Sequence[Row]) -> tuple[RunLine, ...]:
    by_meter: dict[str, list[Row]] = defaultdict(list)
    for row in used:
        by_meter[row["meter"]].append(row)
    lines: list[RunLine] = []
    for meter, rows in sorted(by_meter.items()):
        water = sum((_kept(row) for row in rows), Decimal(0))
        if water > 0:
            lines.append(RunLine(meter, "water-reused", water, "m3", _months(rows)))
        for quantity, column in _NUTRIENTS:
            load = sum((_kept(row) * row.get(column, Decimal(0)) for row in rows), Decimal(0))
            if load > 0:
                lines.append(RunLine(meter, quantity, load / 1000, "kg"))
    return tuple(lines)


def _months(rows: Sequence[Row]) -> dict[str, Decimal] | None:
    """Water by local month, where every row lies in one month."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        first, last = (row[name].isoformat()[:7] for name in ("first_date", "last_date"))
        if first != last:
            return None
        found[first] += _kept(row)
    return dict(sorted(found.items()))


def worked_example() -> WorkedExample:
    """A year at one meter: 100,000 m3, a tenth of it drained, none of it in place of tap water."""
    rows = (
        {
            "id": "urn:ngsi-ld:Delivery:example:2025",
            "meter": "urn:ngsi-ld:WaterMeter:example:1#volume",
            "first_date": date(2025, 1, 1), "last_date": date(2025, 12, 31),
            "water_m3": Decimal(100_000), "source_m3": Decimal(101_000),
            "drained_m3": Decimal(10_000), "nitrogen_mg_l": Decimal(8),
            "phosphorus_mg_l": Decimal("0.2"), "pumping_kwh": Decimal(12_000),
            "replaces": "river-water",
        },
    )  # fmt: skip
    inputs = MethodInputs(
        period=Period(
            datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={
            "permit_until": date(2027, 1, 1), "volume_before_m3": Decimal(10_000),
            "unit_day_most_l": Decimal(200), "meter_uncertainty_pct": Decimal(2),
            "quality_uncertainty_pct": Decimal(10),
        },
        series={},
        factors={"electricity": factor_set("kr-grid-2018").factors[0]},
        gwp_set="SAR",
        tables={"deliveries": rows},
    )  # fmt: skip
    return WorkedExample(
        source="Made-up volumes; the tiers of the water benefit certificates",
        inputs=inputs,
        co2e_t=Decimal(0),
        steps=(
            "100,000 − 10,000 = 90,000 m3 reused; × 8 mg/L = 720 kg N; × 0.2 mg/L = 18 kg P",
            "With 10,000 m3 before: tiers(100,000) − tiers(10,000) = 46,000 − 10,000 = 36,000 "
            "benefits",
            "Pumping 12 MWh × 459.4106 kg = 5.5129272 t, no tap water replaced: net −5.51 t, "
            "credited 0",
        ),
    )
