"""`{% load inventory %}`: how the inventory's own values are written."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import get_language

from onsil.core.canonical import decimal_text
from onsil.footprint import inventory

register = template.Library()


@register.filter
def bp(value: Any) -> str:
    """Ten-thousandths as percent."""
    return "–" if value is None else decimal_text(Decimal(value) / 100)


@register.filter
def percent_bp(value: Any) -> str:
    """Ten-thousandths as percent with the sign."""
    return bp(value) if value is None else f"{bp(value)} %"


@register.filter
def by_year(value: Any) -> str:
    """A parameter; a series by year as `2020:100|2021:90`."""
    if isinstance(value, Mapping):
        return "|".join(f"{year}:{amount}" for year, amount in value.items())
    return str(value)


@register.filter
def said_name(made: inventory.Calculator) -> str:
    """A calculator's name in the reader's language."""
    return made.en if (get_language() or "ko").startswith("en") else made.ko


@register.filter
def calculator_word(key: str) -> str:
    """A calculator's name and its source, by its id."""
    made = inventory.calculators().get(key)
    return key if made is None else f"{said_name(made)} · {made.source}"


@register.filter
def calculator_name(key: str) -> str:
    """A calculator's name by its id."""
    made = inventory.calculators().get(key)
    return key if made is None else said_name(made)
