"""`{% load citizen %}`: what only these screens show."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext, gettext_noop

from onsil.citizen.carbon import OwnCarbon
from onsil.citizen.services.charges import Cap
from onsil.citizen.services.movements import Movement
from onsil.rewards.services import Offer

register = template.Library()

_KINDS = {
    "payment": gettext_noop("결제"), "cancellation": gettext_noop("결제 취소"),
    "conversion": gettext_noop("포인트 전환"), "award": gettext_noop("적립"),
    "reversal": gettext_noop("되돌림"), "expiry": gettext_noop("기한 만료"),
    "charge": gettext_noop("충전"), "charge-paid": gettext_noop("충전"),
    "cashback": gettext_noop("캐시백"), "cashback-return": gettext_noop("캐시백 되돌림"),
    "claim-collected": gettext_noop("캐시백 되돌림"), "refund": gettext_noop("환불"),
    "gift-sent": gettext_noop("선물 보냄"), "gift-received": gettext_noop("선물 받음"),
    "policy": gettext_noop("정책지원금"), "policy-grant": gettext_noop("정책지원금"),
}  # fmt: skip
_SIGNS = {
    "payment": "shop", "cancellation": "back", "conversion": "wallet", "award": "leaf",
    "reversal": "back", "expiry": "clock", "charge": "plus", "charge-paid": "plus",
    "cashback": "reward", "cashback-return": "back", "claim-collected": "back", "refund": "back",
    "gift-sent": "gift", "gift-received": "gift", "policy": "fund", "policy-grant": "fund",
}  # fmt: skip
_GROUPS = {
    "pay": gettext_noop("결제와 취소"), "charge": gettext_noop("충전과 환불"),
    "points": gettext_noop("적립과 전환"), "cashback": gettext_noop("캐시백"),
    "gift": gettext_noop("선물"), "expiry": gettext_noop("기한 만료"),
}  # fmt: skip
_CAPS = {
    "person-month": gettext_noop("이달에 충전할 수 있는 돈"),
    "holding": gettext_noop("가질 수 있는 충전한 돈"),
    "city-month": gettext_noop("이달에 시가 발행하는 돈"),
}
_REASONS = {
    "unused": gettext_noop("7일 안에 쓰지 않은 충전"),
    "used-enough": gettext_noop("기준만큼 쓰고 남은 돈"),
    "expired": gettext_noop("기한이 지난 돈"), "defect": gettext_noop("하자에 따른 환불"),
    "worse-terms": gettext_noop("불리해진 조건에 따른 환불"),
    "not-used-enough": gettext_noop("아직 기준만큼 쓰지 않았습니다."),
    "expired-too-long": gettext_noop("환불 기한도 지났습니다."),
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


@register.simple_tag
def cap_word(cap: Cap) -> str:
    """Which limit it is, in words."""
    return gettext(_CAPS.get(cap.code, cap.code))


@register.simple_tag
def group_word(key: str) -> str:
    """A group of movements, in words."""
    return gettext(_GROUPS.get(key, key))


@register.simple_tag
def reason_word(code: str) -> str:
    """Why a charge is refunded, or not yet."""
    return gettext(_REASONS.get(code, code))


@register.filter
def percentage(value: Decimal) -> str:
    """`10 %`, `2.5 %`: without zeros that say nothing."""
    return f"{value.normalize():f} %"


@register.filter
def grouped(value: int) -> str:
    """A whole number as people type it: 12,300."""
    return f"{value:,}"


@register.filter
def signed(value: int) -> str:
    """`+1,200` or `−1,200`, with the typographic minus that screen readers say aloud."""
    return f"+{value:,}" if value > 0 else f"−{-value:,}" if value < 0 else "0"
