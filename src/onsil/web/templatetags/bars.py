"""`{% load bars %}`: waterfalls of changes and bars with their uncertainty."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template

from onsil.core.canonical import decimal_text
from onsil.web.templatetags import _bars

register = template.Library()


@register.inclusion_tag("onsil/components/waterfall.html")
def waterfall(
    title: str,
    first: tuple[str, Decimal],
    parts: Sequence[tuple[str, Decimal]],
    last: tuple[str, Decimal],
) -> dict[str, Any]:
    """An old total, what changed it, and the new one: (word, amount) each."""
    return {"title": title, "drawing": _bars.waterfall(first, parts, last)}


@register.inclusion_tag("onsil/components/whiskers.html")
def whiskers(
    title: str, rows: Sequence[tuple[str, Decimal, Decimal | None, Decimal | None]]
) -> dict[str, Any]:
    """Bars of (word, amount, half-width, percent); without a half-width no whisker."""
    return {"title": title, "bars": _bars.whiskers(rows)}


@register.filter
def plus_minus(value: Any) -> str:
    """A half-width in percent at 95 % confidence."""
    return "–" if value is None else f"±{decimal_text(Decimal(value))} % (95 %)"
