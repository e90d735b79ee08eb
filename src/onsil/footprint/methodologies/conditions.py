"""Conditions that many methodologies share: calibration, commissioning and the additionality clock.

ISO 14064-2 asks for activities beyond what law requires; the Korean offset guideline likewise
excludes what is done by legal duty (외부사업 타당성 평가 및 감축량 인증에 관한 지침).
"""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import midnight
from onsil.core.refusal import Refusal
from onsil.footprint.intervals import Intervals
from onsil.footprint.methodologies.records import Row, days_of_period
from onsil.footprint.methodologies.registry import Parameter
from onsil.footprint.terms import MethodInputs

LEGAL_DUTY = Parameter(
    "legal_duty_from", "date", "법적 의무가 되는 날 (있는 경우)",
    "Day from which law requires the measure, if any", required=False,
)  # fmt: skip
CALIBRATED = Parameter(
    "calibrated_until", "date", "계량기 검정 유효 기간의 다음 날",
    "Day after the meter's calibration ends", required=False,
)  # fmt: skip
DUTY_CONDITION = (
    "법적 의무가 시작되는 날(legal_duty_from)부터는 산정하지 않습니다.",
    "Nothing counts from the day on which law requires the measure (legal_duty_from).",
)
CALIBRATION_CONDITION = (
    "검정 유효 기간(calibrated_until)이 지난 계량값은 제외됩니다.",
    "Readings after the meter's calibration has ended (calibrated_until) are excluded.",
)


def legally_required(inputs: MethodInputs) -> Refusal | None:
    """A refusal when the period reaches into the time in which law requires the measure."""
    duty = inputs.parameters.get("legal_duty_from")
    if duty is None or duty >= days_of_period(inputs).end:
        return None
    return Refusal(
        "legally-required",
        f"{duty}부터 법적 의무이므로 그 뒤의 감축량은 추가성이 없습니다. 기간을 그 전까지로 "
        "나누세요.",
        f"Law requires the measure from {duty}, so nothing after that is additional. End the "
        "period before it.",
        {"legal_duty_from": duty.isoformat()},
    )


def exclude_uncalibrated(made: Intervals, parameters: Any, zone: str) -> None:
    """Exclude the intervals that begin when the calibration has ended, in place."""
    until: date | None = parameters.get("calibrated_until")
    if until is None:
        return
    end = midnight(until, ZoneInfo(zone))
    step = timedelta(seconds=made.step_s)
    first = max(0, -(-(end - made.period.start) // step))
    for index in range(first, len(made.values)):
        if made.values[index] is not None:
            made.exclude(index, "out-of-calibration")


def uncalibrated(row: Row, inputs: MethodInputs) -> bool:
    """Whether a row's `calibrated_until` ends before the period does."""
    until = row.get("calibrated_until")
    return until is not None and until < days_of_period(inputs).end
