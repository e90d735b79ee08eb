"""What methodologies about measured trees share: columns, parameters, why a row does not count."""

from datetime import date
from decimal import Decimal
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.methodologies.records import Days, Row, days_of_period
from onsil.footprint.methodologies.registry import (
    CoefficientNeed,
    Column,
    MonitoringParameter,
    Parameter,
)
from onsil.footprint.terms import NOT_YET_MEASURABLE, MethodInputs
from onsil.footprint.trees import Area, GrowthColumns
from onsil.footprint.uncertainty import Discounted, discount, stated

GROUPS = ("conifer", "broadleaf", "evergreen-broadleaf")


def _size(when: str, ko: str, en: str) -> tuple[Column, ...]:
    return (
        Column(
            f"{when}_dbh_cm", "decimal", f"{ko} 흉고직경", f"Diameter at 1.2 m, {en}", "cm",
            required=False, minimum=Decimal("0.1"), maximum=Decimal(500),
        ),
        Column(
            f"{when}_height_m", "decimal", f"{ko} 수고", f"Height, {en}", "m", required=False,
            minimum=Decimal("0.1"), maximum=Decimal(80),
        ),
        Column(
            f"{when}_volume_m3", "decimal", f"{ko} 수간재적 (재적표에서 읽은 값)",
            f"Stem volume read from the species' own table, {en}", "m3", required=False,
            minimum=Decimal(0), maximum=Decimal(60),
        ),
    )  # fmt: skip


SPECIES_COLUMNS = (
    Column("species", "text", "수종 (국명·학명·코드)", "Species: Korean, scientific or table name"),
    Column(
        "group", "choice", "표에 없는 수종의 구분", "Group, for a species the table lacks",
        required=False, choices=GROUPS,
    ),
)  # fmt: skip
MEASURED_COLUMNS = (
    *SPECIES_COLUMNS,
    Column("first_date", "date", "첫 측정일", "First day of measurement"),
    *_size("first", "첫 측정", "first time"),
    Column("last_date", "date", "다음 측정일", "Second day of measurement"),
    *_size("last", "다음 측정", "second time"),
)
PLACE_COLUMNS = (
    Column(
        "latitude", "decimal", "위도", "Latitude", "degree", required=False,
        minimum=Decimal(-90), maximum=Decimal(90),
    ),
    Column(
        "longitude", "decimal", "경도", "Longitude", "degree", required=False,
        minimum=Decimal(-180), maximum=Decimal(180),
    ),
)  # fmt: skip
AREA_PARAMETERS = tuple(
    Parameter(
        f"area_{side}", "decimal", f"사업 구역의 {ko} 한계", f"The project area's {side}ern bound",
        "degree", required=False, minimum=Decimal(-limit), maximum=Decimal(limit),
    )
    for side, ko, limit in (
        ("south", "남쪽", 90), ("west", "서쪽", 180), ("north", "북쪽", 90), ("east", "동쪽", 180),
    )
)  # fmt: skip
MEASURING_PARAMETERS = (
    Parameter(
        "dbh_uncertainty_pct", "decimal", "흉고직경 측정 불확도 (95 %)",
        "Uncertainty of a diameter at 95 %", "%", default="1", minimum=Decimal("0.1"),
        maximum=Decimal(20),
    ),
    Parameter(
        "height_uncertainty_pct", "decimal", "수고 측정 불확도 (95 %)",
        "Uncertainty of a height at 95 %", "%", default="5", minimum=Decimal("0.1"),
        maximum=Decimal(30),
    ),
    Parameter(
        "coefficient_uncertainty_pct", "decimal", "수종 계수의 불확도 (95 %, 표에 없어 가정한 값)",
        "Uncertainty of a species' coefficients at 95 % (assumed: the table states none)", "%",
        default="10", minimum=Decimal(0), maximum=Decimal(100),
    ),
    Parameter(
        "yearly_most_kg", "decimal", "나무 한 그루의 한 해 흡수량 한도",
        "Most that one tree may take up in a year", "kg", default="60", minimum=Decimal(1),
        maximum=Decimal(100),
    ),
    Parameter(
        "days_min", "integer", "두 측정 사이의 최소 일수", "Least days between the measurements",
        "d", default="330", minimum=Decimal(180), maximum=Decimal(1830),
    ),
)  # fmt: skip
TREE_COEFFICIENTS = (
    CoefficientNeed("tree-biomass", "kr-nifos-biomass"),
    CoefficientNeed("stem-volume", "stem-form-factor"),
)
GROWTH_CONDITION = (
    "한 그루의 한 해 흡수량이 한도(yearly_most_kg, 최대 100 kg)를 넘으면 산정을 거절합니다. 0.1666 "
    "tCO2는 소나무 17년 누적량이므로 한 해 값으로 쓸 수 없습니다.",
    "A tree beyond yearly_most_kg in a year (100 kg at most) makes the run refused. 0.1666 t is "
    "seventeen years' growth of a pine and never a year's.",
)
DATES_CONDITION = (
    "두 측정일은 기간 안에 있고 days_min 이상 떨어져 있어야 합니다.",
    "Both days of measurement lie in the period and at least days_min apart.",
)
TREE_MONITORING = (
    MonitoringParameter(
        "DBH, H", "cm, m", "흉고직경과 수고", "Diameter and height",
        "기간의 처음과 끝", "at the period's beginning and end",
        "줄자(둘레 ÷ π) 또는 윤척, 측고기", "girth tape or caliper, hypsometer",
        "같은 높이·같은 계절, 표본 5 % 다시 측정", "same height and season; 5 % measured again",
    ),
    MonitoringParameter(
        "status", "–", "생존 여부", "Whether the tree lives",
        "기간마다", "each period", "현장 조사, 사진과 위치",
        "field survey with photograph and place",
        "찾지 못하면 고사로 봄", "not found counts as dead",
    ),
)  # fmt: skip


def tables_for(inputs: MethodInputs) -> GrowthColumns:
    """The two coefficient tables a measurement is read with."""
    return GrowthColumns(inputs.coefficients["tree-biomass"], inputs.coefficients["stem-volume"])


def reason_of_place(row: Row, inputs: MethodInputs) -> str | None:
    """Why a row's place does not do: none stated although an area is, or outside of it."""
    area = Area.stated(inputs.parameters)
    if not area.binds:
        return None
    if "latitude" not in row or "longitude" not in row:
        return "place-missing"
    return None if (row["latitude"], row["longitude"]) in area else "outside-area"


def reason_of_dates(row: Row, inputs: MethodInputs) -> str | None:
    """Why a row's two days do not do; the period's end day itself is still within."""
    first, last = row["first_date"], row["last_date"]
    days = days_of_period(inputs)
    if not (_within(first, days) and _within(last, days)):
        return "outside-period"
    if (last - first).days < inputs.parameters["days_min"]:
        return "interval-too-short"
    return None


def _within(day: date, days: Days) -> bool:
    return days.first <= day <= days.end


def conservative(
    grown_t: Decimal, components: list[dict[str, Any]], rule: str
) -> Discounted | Refusal:
    """What uncertainty, at 90 %, leaves of a growth above zero.

    Refused: `not-yet-measurable` where the rule accepts no estimate so uncertain.
    """
    half_width = stated(grown_t, components, confidence_pct=90)["half_width_t"]
    left = discount(grown_t, half_width, rule)
    if left.accepted:
        return left
    shown = round(left.relative_pct, 1)
    return Refusal(
        NOT_YET_MEASURABLE,
        f"흡수량의 불확도가 90 % 신뢰수준에서 {shown} %로, 규칙({rule})의 한도를 넘습니다. 더 "
        "많이, 더 "
        "정확히 측정하세요.",
        f"The removal is uncertain by {shown} % at 90 % confidence, beyond what the rule ({rule}) "
        "accepts. Measure more trees, or more precisely.",
        {"relative_pct": left.relative_pct, "rule": rule, "grown_t": grown_t},
    )


def net_loss(grown_t: Decimal, lost_t: Decimal) -> Refusal:
    """The refusal of a period whose losses outweigh its growth."""
    return Refusal(
        NOT_YET_MEASURABLE,
        f"고사·소실({lost_t} tCO2)이 생장({grown_t} tCO2)보다 크거나 같아 이 기간의 순흡수량이 "
        "없습니다. "
        "이미 발행된 몫이 있으면 되돌림(reversal)으로 처리하세요.",
        f"Losses ({lost_t} t) are not below growth ({grown_t} t): nothing was removed on balance. "
        "Where units were issued before, record a reversal.",
        {"grown_t": grown_t, "lost_t": lost_t},
    )
