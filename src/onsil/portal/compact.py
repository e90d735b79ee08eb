"""Amounts in the few characters that a ring's station has room for."""

from decimal import ROUND_HALF_UP, Decimal

_KOREAN = ((10**12, "조"), (10**8, "억"), (10**4, "만"))
_LATIN = ((10**9, "bn"), (10**6, "M"), (10**3, "k"))


def compact(amount: Decimal | int, language: str) -> str:
    """`12345678` as 1,235만 or 12.3M; three significant digits, smaller amounts whole."""
    steps = _LATIN if language.startswith("en") else _KOREAN
    for size, word in steps:
        if abs(amount) >= size:
            return _three(Decimal(amount) / size) + word
    return _three(Decimal(amount))


def compact_won(amount: Decimal | int, language: str) -> str:
    text = compact(amount, language)
    return f"₩{text}" if language.startswith("en") else f"{text}원"


def compact_points(amount: Decimal | int, language: str) -> str:
    text = compact(amount, language)
    return f"{text} P" if language.startswith("en") else f"{text}점"


def compact_energy(energy_wh: Decimal | int) -> str:
    """Watt-hours as kWh, MWh or GWh."""
    return _prefixed(Decimal(energy_wh), ((10**9, "GWh"), (10**6, "MWh"), (10**3, "kWh")), "Wh")


def compact_carbon(co2e_t: Decimal | int) -> str:
    """Tonnes of CO2e as t or kg."""
    grams = Decimal(co2e_t) * 10**6
    return _prefixed(grams, ((10**9, "kt"), (10**6, "t"), (10**3, "kg")), "g")


def _prefixed(amount: Decimal, steps: tuple[tuple[int, str], ...], smallest: str) -> str:
    if not amount:
        return f"0 {steps[-1][1]}"
    for size, unit in steps:
        if abs(amount) >= size:
            return f"{_three(amount / size)} {unit}"
    return f"{_three(amount)} {smallest}"


def _three(number: Decimal) -> str:
    if not number:
        return "0"
    places = max(0, 2 - number.adjusted())
    text = f"{number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
