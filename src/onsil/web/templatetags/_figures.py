"""Numbers and times as people read them; pure functions of a value and a language.

A missing value is shown as a dash, never as zero.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

DASH = "–"
_TONNE_PREFIXES = (("Mt", 6), ("kt", 3), ("t", 0), ("kg", -3), ("g", -6))
_KILOWATT_HOUR_PREFIXES = (("TWh", 9), ("GWh", 6), ("MWh", 3), ("kWh", 0), ("Wh", -3))


def as_decimal(value: object) -> Decimal | None:
    """A number of any kind, or its spelling, as a Decimal; None when missing or no number."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def rounded(number: Decimal, significant: int = 3) -> Decimal:
    """Rounded half up to so many significant digits, whole part kept entire."""
    if number == 0:
        return Decimal(0)
    places = max(0, significant - 1 - number.adjusted())
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def grouped(number: Decimal) -> str:
    """With thousands separators and without idle zeros behind the point."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact(value: object) -> str:
    """Every digit there is."""
    number = as_decimal(value)
    return DASH if number is None else grouped(number)


def short(value: object, language: str = "ko", significant: int = 3) -> str:
    """A large number in a few characters: 1.23억, 4.5만 in Korean; 123 M, 45 k in English."""
    number = as_decimal(value)
    if number is None:
        return DASH
    if language.startswith("en"):
        steps = ((Decimal(10) ** 9, " bn"), (Decimal(10) ** 6, " M"), (Decimal(10) ** 4, " k"))
    else:
        steps = ((Decimal(10) ** 12, "조"), (Decimal(10) ** 8, "억"), (Decimal(10) ** 4, "만"))
    for size, word in steps:
        if abs(number) >= size:
            divisor = Decimal(1000) if word == " k" else size
            return grouped(rounded(number / divisor, significant)) + word
    return grouped(rounded(number, max(significant, number.adjusted() + 1)))


def korean_number(value: object, language: str = "ko") -> str:
    """A whole number as it is said: 1억 2,345만 6,789; grouped by thousands in English."""
    number = as_decimal(value)
    if number is None:
        return DASH
    whole = int(number.to_integral_value(ROUND_HALF_UP))
    if language.startswith("en") or abs(whole) < 10_000:
        return f"{whole:,}"
    rest, parts = abs(whole), []
    for word in ("", "만", "억", "조", "경"):
        rest, group = divmod(rest, 10_000)
        if group:
            parts.append(f"{group:,}{word}")
        if not rest:
            break
    return ("-" if whole < 0 else "") + " ".join(reversed(parts))


def won(value: object, language: str = "ko") -> str:
    """12,400원 or ₩12,400; won have no fraction."""
    number = as_decimal(value)
    if number is None:
        return DASH
    whole = int(number.to_integral_value(ROUND_HALF_UP))
    if language.startswith("en"):
        return f"{'-' if whole < 0 else ''}₩{abs(whole):,}"
    return f"{whole:,}원"


def won_short(value: object, language: str = "ko") -> str:
    """28억원 or ₩2.8 bn, for sums that are budgets."""
    number = as_decimal(value)
    if number is None:
        return DASH
    text = short(number, language)
    return f"₩{text}" if language.startswith("en") else f"{text}원"


def points(value: object, language: str = "ko") -> str:
    """1,200점 or 1,200 points: never dressed as won."""
    number = as_decimal(value)
    if number is None:
        return DASH
    return f"{int(number):,}{' points' if language.startswith('en') else '점'}"


def prefixed(number: Decimal, prefixes: tuple[tuple[str, int], ...], significant: int) -> str:
    """A number under the largest prefix that leaves it at one or more."""
    unit, power = next(
        (p for p in prefixes if abs(number) >= Decimal(1).scaleb(p[1])), prefixes[-1]
    )
    return f"{grouped(rounded(number.scaleb(-power), significant))} {unit}"


def tonnes(value: object, significant: int = 3) -> str:
    """tCO2e with the prefix that leaves a readable number: 12.4 tCO₂e, 340 kgCO₂e."""
    number = as_decimal(value)
    if number is None:
        return DASH
    return prefixed(number, _TONNE_PREFIXES, significant) + "CO₂e" if number else "0 tCO₂e"


def kwh(value: object, significant: int = 3) -> str:
    """Kilowatt-hours with the right prefix: 12.4 kWh, 1.2 GWh."""
    number = as_decimal(value)
    if number is None:
        return DASH
    return prefixed(number, _KILOWATT_HOUR_PREFIXES, significant) if number else "0 kWh"


def percent(value: object, places: int = 1) -> str:
    """A share (0.913) as 91.3 %."""
    number = as_decimal(value)
    if number is None:
        return DASH
    return grouped((number * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)) + "%"


def ago(when: datetime | None, now: datetime | None = None, language: str = "ko") -> str:
    """How long since: 방금, 3분 전, 2시간 전, 5일 전; for what lies ahead: 3분 후."""
    if when is None:
        return DASH
    span = (now or datetime.now(UTC)) - when
    english = language.startswith("en")
    ahead = span < timedelta(0)
    seconds = abs(int(span.total_seconds()))
    if seconds < 45:
        return "just now" if english else "방금"
    steps = ((86400 * 365, "년", "y"), (86400 * 30, "개월", "mo"), (86400, "일", "d"),
             (3600, "시간", "h"), (60, "분", "min"))  # fmt: skip
    size, korean, latin = next((s for s in steps if seconds >= s[0]), steps[-1])
    count = max(1, seconds // size)
    if english:
        return f"in {count} {latin}" if ahead else f"{count} {latin} ago"
    return f"{count}{korean} {'후' if ahead else '전'}"


def short_hash(digest: object) -> str:
    """The first eight and last four characters, enough to compare by eye."""
    text = str(digest or "")
    return text if len(text) <= 14 else f"{text[:8]}…{text[-4:]}"
