"""The reports' words in both languages, and numbers as people read them."""

from decimal import ROUND_HALF_EVEN, Decimal

from onsil.core.quantities import unit_sign
from onsil.footprint.reports.terms import Cell, Figure

_PLACES = {"tCO2e": 4, "%": 2, "kg": 3}


def shown(cell: Cell, with_unit: bool = True) -> str:
    """A cell as it is printed: numbers grouped by thousands, at most a few decimals, marked with ≈
    when digits were left out; the exact value stands in the list of sources."""
    if isinstance(cell, str):
        return cell
    text = number(cell)
    unit = unit_sign(cell.unit)
    return f"{text} {unit}".strip() if with_unit else text


def number(figure: Figure) -> str:
    """The value with the unit's usual number of decimals."""
    places = _PLACES.get(figure.unit, 3)
    rounded = figure.value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = f"{rounded:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if rounded == figure.value else f"≈{text}"


def word(pair: tuple[str, str], english: bool) -> str:
    """One of a Korean and an English word."""
    return pair[1] if english else pair[0]


STATUS = {
    "open": ("작성 중", "open"), "submitted": ("제출됨", "submitted"),
    "approved": ("승인됨", "approved"), "returned": ("반려됨", "returned"),
    "issued": ("발행됨", "issued"),
}  # fmt: skip
FATES = {
    "used": ("사용", "used"), "missing": ("누락", "missing"), "excluded": ("제외", "excluded"),
}  # fmt: skip
VERDICTS = {
    "done": ("완료", "done"), "on-track": ("정상 추진", "on track"), "behind": ("지연", "behind"),
    "not-started": ("미착수", "not begun"), "stopped": ("중단", "stopped"),
}  # fmt: skip
SEVERITY = {
    "note": ("참고", "note"), "warning": ("주의", "warning"), "discount": ("할인", "discount"),
    "blocking": ("차단", "blocking"),
}  # fmt: skip
