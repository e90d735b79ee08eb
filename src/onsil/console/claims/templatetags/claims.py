"""Shares, kinds and the drawing's numbers as the claims' screens write them."""

from decimal import Decimal

from django import template

from onsil.console.claims.forms import kind_word as word_of
from onsil.footprint.claims import KINDS, kind_of

register = template.Library()


@register.filter
def share(ten_thousandths: int) -> str:
    """A share in per cent, as short as it can be said."""
    return f"{Decimal(ten_thousandths) / 100:f}".removesuffix(".00")


@register.filter
def kind_word(kind: str) -> str:
    """A kind of programme in words."""
    return word_of(kind) if kind in KINDS else kind


@register.filter
def programme_kind(programme: str) -> str:
    """The kind of a programme."""
    return kind_of(programme)


@register.filter
def unlocalized(number: float) -> str:
    """A number as SVG reads it, in whatever language the page is."""
    return f"{number:g}"


@register.filter
def add_number(number: float, more: int) -> str:
    """A coordinate a little further on."""
    return f"{number + more:g}"
