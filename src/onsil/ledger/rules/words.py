"""Every 'no' of the local currency's rules, in whole sentences. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from onsil.core.refusal import Refusal


def _no(code: str, ko: str, en: str, **facts: Any) -> Refusal:
    return Refusal(code, ko, en, facts)


def rules_unusable(file: str, problems: Sequence[str]) -> Refusal:
    listed = "; ".join(problems)
    return _no(
        "currency-rules-unusable",
        f"지역화폐 규칙 파일 {file}을(를) 쓸 수 없습니다: {listed}",
        f"The local currency's rules file {file} cannot be used: {listed}",
        file=file, problems=tuple(problems),
    )  # fmt: skip


# ---- charging


def charge_too_small(minimum: int) -> Refusal:
    return _no(
        "charge-too-small",
        f"한 번에 {minimum:,}원부터 충전할 수 있습니다. 충전되지 않았습니다. 금액을 올려 주세요.",
        f"A charge starts at {minimum:,} won. Nothing was charged. Please choose more.",
        minimum_krw=minimum,
    )  # fmt: skip


def charge_uneven(step: int) -> Refusal:
    return _no(
        "charge-uneven",
        f"{step:,}원 단위로 충전할 수 있습니다. 충전되지 않았습니다. 금액을 고쳐 주세요.",
        f"Charges go in steps of {step:,} won. Nothing was charged. Please change the amount.",
        step_krw=step,
    )  # fmt: skip


def charge_over_month(limit: int, charged: int | None, month: str) -> Refusal:
    had_ko = "" if charged is None else f" 이달에 이미 {charged:,}원을 충전하셨습니다."
    had_en = "" if charged is None else f" You have charged {charged:,} won this month."
    return _no(
        "charge-over-month",
        f"한 사람이 한 달에 {limit:,}원까지 충전할 수 있습니다.{had_ko} "
        "충전되지 않았습니다. 금액을 줄이거나 다음 달에 다시 해 주세요.",
        f"One person may charge {limit:,} won a month.{had_en} Nothing was charged. Choose less, "
        "or try again next month.",
        limit_krw=limit, charged_krw=charged, month=month,
    )  # fmt: skip


def charge_over_holding(limit: int, held: int | None) -> Refusal:
    had_ko = "" if held is None else f" 지금 {held:,}원을 갖고 계십니다."
    had_en = "" if held is None else f" You hold {held:,} won."
    return _no(
        "charge-over-holding",
        f"충전한 돈은 {limit:,}원까지 보유할 수 있습니다.{had_ko} 충전되지 않았습니다. "
        "먼저 쓰신 뒤 다시 충전해 주세요.",
        f"Up to {limit:,} won of charged money may be held.{had_en} Nothing was charged. Please "
        "spend some first.",
        limit_krw=limit, held_krw=held,
    )  # fmt: skip


def charge_city_full(limit: int, month: str) -> Refusal:
    return _no(
        "charge-city-full",
        f"이달에 시가 발행하기로 한 {limit:,}원이 모두 나갔습니다. 충전되지 않았습니다. "
        "다음 달 1일부터 다시 충전할 수 있습니다.",
        f"The {limit:,} won that the city issues this month have all been charged. Nothing was "
        "charged. Charging opens again on the first of next month.",
        limit_krw=limit, month=month,
    )  # fmt: skip


# ---- spending


def not_enough_here(usable: int, needed: int, held: int) -> Refusal:
    return _no(
        "not-enough-here",
        f"이곳에서 지금 쓸 수 있는 금액은 {usable:,}원이고 {needed:,}원이 필요합니다(보유 "
        f"{held:,}원). 결제되지 않았습니다. 나머지는 사용처나 기한이 정해진 돈입니다.",
        f"{usable:,} won can be used here and now, and {needed:,} are needed (you hold {held:,}). "
        "Nothing was paid. The rest is bound to other places or has run out.",
        usable_krw=usable, needed_krw=needed, held_krw=held,
    )  # fmt: skip


def shop_excluded(kind: str) -> Refusal:
    return _no(
        "shop-excluded",
        "이 업종에서는 지역화폐를 쓸 수 없습니다. 결제되지 않았습니다.",
        "Local currency cannot be spent in this kind of business. Nothing was paid.",
        kind=kind,
    )  # fmt: skip


# ---- gifts


def gift_too_small(minimum: int) -> Refusal:
    return _no(
        "gift-too-small",
        f"선물은 {minimum:,}원부터 보낼 수 있습니다. 보내지 않았습니다.",
        f"A gift starts at {minimum:,} won. Nothing was sent.",
        minimum_krw=minimum,
    )  # fmt: skip


def gift_too_large(maximum: int) -> Refusal:
    return _no(
        "gift-too-large",
        f"선물은 한 번에 {maximum:,}원까지 보낼 수 있습니다. 보내지 않았습니다.",
        f"One gift may be {maximum:,} won at most. Nothing was sent.",
        maximum_krw=maximum,
    )  # fmt: skip


def gift_over_month(limit: int, month: str) -> Refusal:
    return _no(
        "gift-over-month",
        f"한 달에 {limit:,}원까지 선물할 수 있습니다. 보내지 않았습니다. 다음 달에 다시 해 주세요.",
        f"Gifts of up to {limit:,} won a month can be sent. Nothing was sent. Please try again "
        "next month.",
        limit_krw=limit, month=month,
    )  # fmt: skip


def gift_not_giftable(giftable: int, needed: int) -> Refusal:
    return _no(
        "gift-not-giftable",
        f"선물할 수 있는 돈은 직접 충전한 {giftable:,}원이고 {needed:,}원이 필요합니다. "
        "정책지원금과 캐시백은 선물할 수 없습니다. 보내지 않았습니다.",
        f"{giftable:,} won of your own charged money can be given and {needed:,} are needed. "
        "Allowances and cashback cannot be given away. Nothing was sent.",
        giftable_krw=giftable, needed_krw=needed,
    )  # fmt: skip


def gift_to_self() -> Refusal:
    return _no(
        "gift-to-self",
        "자신에게는 선물할 수 없습니다. 받는 분을 바꿔 주세요.",
        "A gift cannot go to yourself. Please choose somebody else.",
    )


# ---- refunds


def nothing_to_refund(spend_more: int | None, from_day: date | None) -> Refusal:
    hint_ko, hint_en = "", ""
    if spend_more is not None:
        hint_ko = f" {spend_more:,}원을 더 쓰시면 나머지를 환불받을 수 있습니다."
        hint_en = f" After spending {spend_more:,} won more the rest can be refunded."
    elif from_day is not None:
        hint_ko = f" {from_day:%Y-%m-%d}부터 환불받을 수 있습니다."
        hint_en = f" A refund is possible from {from_day:%Y-%m-%d}."
    return _no(
        "nothing-to-refund",
        f"지금 환불할 수 있는 금액이 없습니다.{hint_ko}",
        f"Nothing can be refunded now.{hint_en}",
        spend_more_krw=spend_more, possible_from=from_day,
    )  # fmt: skip


# ---- settlement


def fee_class_missing(sales: int) -> Refusal:
    return _no(
        "fee-class-missing",
        f"연 매출 {sales:,}원인 가맹점의 수수료율이 규칙에 없습니다. 규칙 파일을 보완해 주세요.",
        f"The rules name no fee for a shop with yearly sales of {sales:,} won. Please complete the "
        "rules file.",
        yearly_sales_krw=sales,
    )  # fmt: skip
