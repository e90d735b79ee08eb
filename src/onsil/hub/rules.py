"""The rules a single reading must pass, as pure decisions. docs/hub.md lists them for people."""

import math
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.hub.terms import Reading, Series, uri_city

CLOCK_TOLERANCE = timedelta(minutes=5)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class Fault(NamedTuple):
    """Why a reading is set aside."""

    code: str
    ko: str
    en: str


def no_series(reading: Reading, city: str) -> Fault:
    """Why a reading of no known series is refused: another city's entity, or simply unknown."""
    named = uri_city(reading.entity)
    if named is not None and named != city:
        return Fault(
            "wrong-city",
            f"{named}의 개체를 {city}의 데이터로 보냈습니다. 도시 설정을 확인하세요.",
            f"The entity belongs to {named} but was sent as data of {city}. Check the city.",
        )
    return Fault(
        "unknown-series",
        f"{reading.entity}에 {reading.attribute} 계열이 등록되어 있지 않습니다. 먼저 등록하세요.",
        f"{reading.entity} has no series {reading.attribute}. Register it first.",
    )


def judge_time(observed_at: datetime, now: datetime) -> Fault | None:
    """Refuse times without a zone, ahead of the clock by over five minutes, or before 2000."""
    if observed_at.tzinfo is None:
        return Fault(
            "no-zone",
            "측정 시각에 시간대가 없습니다. UTC 또는 시간대를 붙여 보내세요.",
            "The time of the reading has no zone. Send UTC or an offset.",
        )
    if observed_at > now + CLOCK_TOLERANCE:
        return Fault(
            "observed-in-future",
            "측정 시각이 현재보다 5분 넘게 앞섭니다. 기기의 시계를 맞추세요.",
            "The reading is more than five minutes ahead of our clock. Set the device's clock.",
        )
    if observed_at < EARLIEST:
        return Fault(
            "observed-too-early",
            "측정 시각이 2000년보다 앞섭니다. 기기의 시계를 맞추세요.",
            "The reading is dated before 2000. Set the device's clock.",
        )
    return None


def limits(series: Series) -> tuple[float, float]:
    """A series' least and greatest value, infinite where there is none."""
    low = -math.inf if series.minimum is None else float(series.minimum)
    high = math.inf if series.maximum is None else float(series.maximum)
    return low, high


def fast_limits(series: Series) -> tuple[float, float]:
    """Finite bounds between which a number in the series' unit is beyond doubt."""
    low, high = limits(series)
    if series.kind != "gauge" and _is_energy(series.unit):
        low = max(low, 0.0)
    return max(low, -sys.float_info.max), min(high, sys.float_info.max)


def judge_value(reading: Reading, series: Series, low: float, high: float) -> float | Fault:
    """Convert the value to the series' unit and hold it against the series' limits."""
    value = reading.value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _not_a_number(value)
    if not _is_finite(value):
        return _not_a_number(value)
    if reading.unit and reading.unit != series.unit:
        fault = _unit_fault(reading.unit, series.unit)
        if fault:
            return fault
        exact = value if isinstance(value, Decimal) else Decimal(repr(value))
        value = convert(exact, reading.unit, series.unit)
        if not _is_finite(value):
            return _not_a_number(reading.value)
    num = float(value)
    if num < 0 and series.kind != "gauge" and _is_energy(series.unit):
        return Fault(
            "negative-energy",
            f"에너지량이 음수입니다({num} {series.unit}). 계량기의 방향이나 배선을 확인하세요.",
            f"An amount of energy is negative ({num} {series.unit}). Check the meter's direction.",
        )
    if num < low or num > high:
        bounds = f"{series.minimum if series.minimum is not None else '-∞'} – "
        bounds += f"{series.maximum if series.maximum is not None else '∞'} {series.unit}"
        return Fault(
            "out-of-range",
            f"값 {num}이(가) 허용 범위({bounds})를 벗어납니다.",
            f"The value {num} is outside the allowed range ({bounds}).",
        )
    return num


def counter_back(num: float, before: float, unit: str) -> Fault:
    """A meter's total that went back."""
    return Fault(
        "counter-back",
        f"누적값이 {before}에서 {num} {unit}(으)로 줄었습니다. 계량기 교체나 초기화를 확인하세요.",
        f"The counter went back from {before} to {num} {unit}. Was the meter replaced or reset?",
    )


def closes_after(series: Series) -> timedelta:
    """How long after its time a reading still counts as on time: its interval and the grace."""
    return timedelta(seconds=series.interval_s + series.grace_s)


def _is_finite(value: float | Decimal) -> bool:
    """Whether the value is a number that a double can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _not_a_number(value: object) -> Fault:
    return Fault(
        "not-a-number",
        f"값 {str(value)[:40]!r}은(는) 유한한 숫자가 아닙니다.",
        f"The value {str(value)[:40]!r} is not a finite number.",
    )


@cache
def _is_energy(unit: str) -> bool:
    return same_dimension(unit, "Wh")


@cache
def _unit_fault(unit: str, wanted: str) -> Fault | None:
    """Units of devices are few, so each pair is looked at once."""
    try:
        if same_dimension(unit, wanted):
            return None
    except UnitError:
        return Fault(
            "unknown-unit",
            f"알 수 없는 단위입니다: {unit!r}. 예: kWh, W, degC, KWH.",
            f"Unknown unit: {unit!r}. Use one such as kWh, W, degC or KWH.",
        )
    return Fault(
        "wrong-dimension",
        f"{unit}은(는) {wanted}(으)로 바꿀 수 없는 단위입니다.",
        f"{unit} is a unit of another kind and cannot become {wanted}.",
    )
