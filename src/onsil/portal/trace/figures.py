"""Numbers inside sentences: exact where they are small, prefixed where they are large."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from onsil.core.periods import Period


def grouped(value: Decimal | int, places: int | None = None) -> str:
    """`1234567` as `1,234,567`; a Decimal is rounded half up to `places` when they are given."""
    if isinstance(value, Decimal) and places is not None:
        value = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"


def energy(energy_wh: Decimal) -> str:
    """Watt-hours in Wh, kWh or MWh, whichever reads best."""
    size = abs(energy_wh)
    if size < 1000:
        return f"{grouped(energy_wh, 0)} Wh"
    if size < 10_000_000:
        return f"{grouped(energy_wh / 1000, 1)} kWh"
    return f"{grouped(energy_wh / 1_000_000, 2)} MWh"


def carbon(co2e_t: Decimal) -> str:
    """Tonnes of CO2e in g, kg or t, whichever reads best."""
    size = abs(co2e_t)
    if size < Decimal("0.001"):
        return f"{grouped(co2e_t * 1_000_000, 0)} gCO2e"
    if size < 1:
        return f"{grouped(co2e_t * 1000, 1)} kgCO2e"
    return f"{grouped(co2e_t, 3)} tCO2e"


def subject(word: str) -> str:
    """A Korean word with the subject particle that its last sound asks for: 집이, 학교가."""
    last = ord(word[-1]) - 0xAC00 if word else -1
    if not 0 <= last < 11_172:
        return f"{word}에서는"
    return f"{word}{'이' if last % 28 else '가'}"


def won(amount: int) -> tuple[str, str]:
    """Korean and English."""
    return f"{amount:,}원", f"{amount:,} won"


def points(amount: int) -> tuple[str, str]:
    return f"{amount:,}점", f"{amount:,} points"


def days(period: Period, zone: ZoneInfo) -> tuple[str, str]:
    """A period's local days, first to last, in Korean and English."""
    first = period.start.astimezone(zone)
    last = (period.end.astimezone(zone) - timedelta(microseconds=1)).date()
    if first.date() == last:
        return f"{first:%Y}년 {first.month}월 {first.day}일", f"{first.day} {first:%B %Y}"
    return (
        f"{first:%Y}년 {first.month}월 {first.day}일~{_short_ko(last, first)}",
        f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}",
    )


def _short_ko(last: date, first: datetime) -> str:
    year = "" if last.year == first.year else f"{last.year}년 "
    return f"{year}{last.month}월 {last.day}일"
