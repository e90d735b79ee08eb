"""A part of a run's period: which amounts and tonnes fall into it, never more than the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_days, local_month
from onsil.core.refusal import Refusal
from onsil.footprint.terms import Run, RunLine

# Rounded down, so that whatever the parts are, they never add up to more than the whole.
_DOWN = Context(prec=50, rounding=ROUND_DOWN)
SCALE = 10_000


@dataclass(frozen=True)
class Part:
    """What a claim would take: its period, its tonnes, its lines with amounts above zero."""

    period: Period
    co2e_t: Decimal
    energy_wh: Decimal
    lines: tuple[RunLine, ...]


def part_of(
    found: Run,
    shares: tuple[int, int],
    period: Period | None,
    zone: ZoneInfo,
    deduct_pct: Mapping[str, Decimal] | None = None,
) -> Part | Refusal:
    """A share, in ten-thousandths, of a run, over all of its period or a part of it.

    A part consists of whole local days (or months, where the run divides its amounts by months).
    Tonnes are divided in proportion to the amounts; where a run has several quantities, by the one
    of which the least falls into the part. Everything is rounded down at the fiftieth digit.
    `deduct_pct` is taken off the amounts of the meters it names, and off the tonnes with them.

    Refused: `part-outside`, `part-unknown` for a run that does not divide its amounts,
    `part-signed` when some of its days hold less than nothing, `part-cut` for a bound within a day
    or month, and `part-empty`.
    """
    width = shares[1] - shares[0]
    if period is None or period == found.period:
        whole = {i: line.amount for i, line in enumerate(found.lines)}
        return _made(found.period, found, _less(found, whole, deduct_pct), width)
    refusal = _bounds(found, period, zone)
    if refusal is not None:
        return refusal
    taken: dict[int, Decimal] = {}
    for index, line in enumerate(found.lines):
        amount = _within(found, line, period, zone)
        if isinstance(amount, Refusal):
            return amount
        taken[index] = amount
    if not any(taken.values()):
        return _no(
            "part-empty", found, period,
            "이 기간에는 청구할 양이 없습니다.", "Nothing was found in this part of the period.",
        )  # fmt: skip
    return _made(period, found, _less(found, taken, deduct_pct), width)


def _less(
    found: Run, taken: Mapping[int, Decimal], deduct_pct: Mapping[str, Decimal] | None
) -> Mapping[int, Decimal]:
    if not deduct_pct:
        return taken
    with localcontext(_DOWN):
        return {
            index: amount * (100 - deduct_pct.get(found.lines[index].meter, Decimal(0))) / 100
            for index, amount in taken.items()
        }


def _made(period: Period, found: Run, taken: Mapping[int, Decimal], width: int) -> Part:
    with localcontext(_DOWN):
        lines = tuple(
            RunLine(line.meter, line.quantity, taken[index] * width / SCALE, line.unit)
            for index, line in enumerate(found.lines)
            if taken[index] > 0
        )
        whole = all(taken[i] == line.amount for i, line in enumerate(found.lines))
        co2e_t = found.co2e_t if whole else found.co2e_t * _least(found, taken)
        energy_wh = sum((x.amount for x in lines if x.unit == "Wh"), Decimal(0))
        return Part(period, co2e_t * width / SCALE, energy_wh, lines)


def _least(found: Run, taken: Mapping[int, Decimal]) -> Decimal:
    """The smallest share, over the run's quantities, of an amount that falls into the part."""
    wholes: dict[tuple[str, str], Decimal] = {}
    parts: dict[tuple[str, str], Decimal] = {}
    for index, line in enumerate(found.lines):
        key = (line.quantity, line.unit)
        wholes[key] = wholes.get(key, Decimal(0)) + line.amount
        parts[key] = parts.get(key, Decimal(0)) + taken[index]
    return min(parts[key] / whole for key, whole in wholes.items() if whole > 0)


def _bounds(found: Run, period: Period, zone: ZoneInfo) -> Refusal | None:
    if period.start < found.period.start or period.end > found.period.end:
        return _no(
            "part-outside", found, period,
            "산정 기간 밖의 기간은 청구할 수 없습니다.",
            "A part cannot reach beyond the period that was quantified.",
        )  # fmt: skip
    for bound, edge in ((period.start, found.period.start), (period.end, found.period.end)):
        local = bound.astimezone(zone)
        if bound != edge and (local.hour, local.minute, local.second, local.microsecond) != (
            (0, 0, 0, 0)
        ):
            return _cut(found, period)
    return None


def _within(found: Run, line: RunLine, period: Period, zone: ZoneInfo) -> Decimal | Refusal:
    if line.parts is None:
        return _no(
            "part-unknown", found, period,
            f"이 산정은 {line.meter}의 양을 날이나 달로 나누지 않아 일부 기간만 "
            "청구할 수 없습니다.",
            f"This run does not divide what it found at {line.meter} by day or month, so a part "
            "of its period cannot be claimed.",
        )  # fmt: skip
    amount = Decimal(0)
    with localcontext(_DOWN):
        total = sum(line.parts.values(), Decimal(0))
        if any(part < 0 for part in line.parts.values()) or total > line.amount:
            return _no(
                "part-signed", found, period,
                f"{line.meter}의 일부 날은 감축이 아니라 증가여서 기간을 나눌 수 없습니다.",
                f"On some days {line.meter} used more, not less: its period cannot be divided.",
            )  # fmt: skip
        for key, part in line.parts.items():
            span = span_of(key, zone)
            first = max(span.start, found.period.start)
            last = min(span.end, found.period.end)
            if first >= period.start and last <= period.end:
                amount += part
            elif first < period.end and last > period.start:
                return _cut(found, period)
    return amount


def span_of(key: str, zone: ZoneInfo) -> Period:
    """The local day (2025-06-01) or month (2025-06) that a part is named after."""
    if len(key) == 7:
        return local_month(int(key[:4]), int(key[5:]), zone)
    day = date.fromisoformat(key)
    return local_days(day, day + timedelta(days=1), zone)


def _cut(found: Run, period: Period) -> Refusal:
    return _no(
        "part-cut", found, period,
        "기간은 산정이 나눈 단위(날 또는 달)의 경계에서 시작하고 끝나야 합니다.",
        "A part begins and ends where the run divides its amounts: at a midnight, or between "
        "months.",
    )  # fmt: skip


def _no(code: str, found: Run, period: Period, ko: str, en: str) -> Refusal:
    facts = {
        "run": str(found.id), "start": period.start.isoformat(), "end": period.end.isoformat(),
    }  # fmt: skip
    return Refusal(code, ko, en, facts)
