"""`{% load citizen %}`: what only these screens show."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext

from onsil.citizen.carbon import OwnCarbon
from onsil.citizen.services.wallet import Movement
from onsil.rewards.services import Offer

register = template.Library()

_KINDS = {
    "payment": "결제", "cancellation": "결제 취소", "conversion": "포인트 전환", "award": "적립",
    "reversal": "되돌림", "expiry": "기한 만료",
}  # fmt: skip
_SIGNS = {
    "payment": "shop", "cancellation": "back", "conversion": "wallet", "award": "leaf",
    "reversal": "back", "expiry": "clock",
}  # fmt: skip


@register.filter
def kilograms(value: Decimal) -> str:
    """Kilograms of CO2 equivalent, a tenth shown below a hundred; the sign is told in words."""
    size = abs(value)
    return f"{size:,.0f} kgCO₂e" if size >= 100 else f"{size:,.1f} kgCO₂e"


@register.filter
def size(value: Decimal) -> Decimal:
    """The absolute value; whether more or less is told in words."""
    return abs(value)


@register.filter
def bars(carbon: OwnCarbon) -> list[dict[str, Any]]:
    """The periods as bars: width in percent of the largest, `more` where more was emitted."""
    largest = max((abs(p.co2e_kg) for p in carbon.periods), default=Decimal(0)) or Decimal(1)
    return [
        {
            "label": period.label,
            "percent": f"{abs(period.co2e_kg) / largest * 100:.0f}",
            "more": period.co2e_kg < 0,
            "words": ("+" if period.co2e_kg < 0 else "−") + kilograms(period.co2e_kg),
        }
        for period in carbon.periods
    ]


@register.filter
def most(offer: Offer) -> int:
    """The most points one cap or tier of a programme allows anybody; 0 when it names none."""
    caps = [max(cap.points.values()) for cap in offer.terms.caps[:1] if cap.points]
    tiers = [int(tier.get("points", 0)) for tier in offer.terms.rule.get("tier", ())]
    return max(caps or tiers, default=0)


@register.filter
def kind_word(movement: Movement) -> str:
    """What a movement was, in a word."""
    return gettext(_KINDS.get(movement.kind, "이동"))


@register.filter
def kind_sign(movement: Movement) -> str:
    """The icon of a movement's kind."""
    return _SIGNS.get(movement.kind, "list")


@register.filter
def signed(value: int) -> str:
    """`+1,200` or `−1,200`, with the typographic minus that screen readers say aloud."""
    return f"+{value:,}" if value > 0 else f"−{-value:,}" if value < 0 else "0"
