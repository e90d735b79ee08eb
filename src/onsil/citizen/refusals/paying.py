"""Every 'no' around payment codes and payments, in whole sentences."""

from datetime import datetime

from onsil.core.refusal import Refusal


def _won(amount: int) -> str:
    return f"{amount:,}"


# ---- payment codes


def qr_not_ours() -> Refusal:
    return Refusal(
        "qr-not-ours",
        "이 도시에서 발행한 결제 코드가 아닙니다. 결제되지 않았습니다. "
        "코드를 다시 띄워 달라고 해 주세요.",
        "This is not a payment code issued here. Nothing was paid. Ask for the code to be shown "
        "again.",
    )


def qr_wrong_city(theirs: str, ours: str) -> Refusal:
    return Refusal(
        "qr-wrong-city",
        "다른 도시의 결제 코드입니다. 이 지갑으로는 결제할 수 없으며, 결제되지 않았습니다.",
        "This code belongs to another city. This wallet cannot pay it, and nothing was paid.",
        {"code_city": theirs, "city": ours},
    )


def qr_expired(expired_at: datetime) -> Refusal:
    return Refusal(
        "qr-expired",
        "결제 코드의 유효 시간 3분이 지났습니다. 결제되지 않았습니다. 새 코드를 띄워 주세요.",
        "The code's three minutes are over. Nothing was paid. Show a new code.",
        {"expired_at": expired_at},
    )


def qr_used() -> Refusal:
    return Refusal(
        "qr-used",
        "이미 사용한 결제 코드입니다. 다시 결제되지 않습니다. 새 코드를 띄워 주세요.",
        "This code has been used already. Nothing was paid again. Show a new code.",
    )


def qr_cancelled() -> Refusal:
    return Refusal(
        "qr-cancelled",
        "취소된 결제 코드입니다. 결제되지 않았습니다. 새 코드를 띄워 주세요.",
        "This code was cancelled. Nothing was paid. Show a new code.",
    )


def qr_other_way() -> Refusal:
    return Refusal(
        "qr-other-way",
        "이 화면에서 쓰는 코드가 아닙니다. "
        "손님은 가맹점의 코드를, 가맹점은 손님의 코드를 읽어 주세요.",
        "This code is for the other side: customers scan the shop's code, shops the customer's.",
    )


def amount_wrong(maximum: int) -> Refusal:
    return Refusal(
        "amount-wrong",
        f"금액은 1원부터 {_won(maximum)}원까지 입력할 수 있습니다.",
        f"Enter an amount from 1 to {_won(maximum)} won.",
        {"maximum_krw": maximum},
    )


def over_code_limit(limit: int, asked: int) -> Refusal:
    return Refusal(
        "over-code-limit",
        f"손님이 보여 준 코드로는 한 번에 {_won(limit)}원까지 결제할 수 있습니다. "
        "결제되지 않았습니다. "
        "더 큰 금액은 가맹점이 금액 코드를 띄우고 손님이 확인해 주세요.",
        f"A code shown by the customer pays up to {_won(limit)} won at once. Nothing was paid. For "
        "more, show the amount as a code and let the customer confirm it.",
        {"limit_krw": limit, "asked_krw": asked},
    )


# ---- payments


def not_enough(have: int, asked: int) -> Refusal:
    return Refusal(
        "not-enough-money",
        f"잔액이 부족합니다. 잔액은 {_won(have)}원, 결제 금액은 {_won(asked)}원입니다. "
        "결제되지 않았습니다. 포인트를 전환한 뒤 다시 시도해 주세요.",
        f"The balance is not enough: {_won(have)} won for a payment of {_won(asked)} won. Nothing "
        "was paid. Convert points first and try again.",
        {"balance_krw": have, "asked_krw": asked},
    )


def payer_cannot_pay() -> Refusal:
    return Refusal(
        "payer-cannot-pay",
        "손님의 지갑에서 결제할 수 없습니다. 결제되지 않았습니다. "
        "손님에게 지갑을 확인해 달라고 해 주세요.",
        "The customer's wallet cannot pay this. Nothing was paid. Ask the customer to check it.",
    )


def merchant_not_open(state: str) -> Refusal:
    return Refusal(
        "merchant-not-open",
        "지금은 결제를 받을 수 없는 가맹점입니다. 결제되지 않았습니다. "
        "가맹점 상태는 시청에 문의해 주세요.",
        "This shop cannot take payments at present. Nothing was paid. Ask the city office about "
        "the shop.",
        {"state": state},
    )


def own_shop() -> Refusal:
    return Refusal(
        "own-shop",
        "자신의 가맹점에는 결제할 수 없습니다. 결제되지 않았습니다.",
        "You cannot pay at your own shop. Nothing was paid.",
    )


def cancel_not_applied() -> Refusal:
    return Refusal(
        "cancel-not-paid",
        "결제가 완료된 건만 취소할 수 있습니다. 아무것도 바뀌지 않았습니다.",
        "Only a completed payment can be cancelled. Nothing was changed.",
    )


def cancel_too_late() -> Refusal:
    return Refusal(
        "cancel-too-late",
        "결제한 날에만 취소할 수 있습니다. 이 결제는 이미 정산에 들어갔습니다. "
        "환불은 시청에 문의해 주세요.",
        "A payment can be cancelled on its own day only; this one is in a settlement. Ask the "
        "city office about a refund.",
    )


def cancel_amount_wrong(left: int) -> Refusal:
    return Refusal(
        "cancel-amount-wrong",
        f"이 결제에서 취소할 수 있는 금액은 1원부터 {_won(left)}원까지입니다. "
        "아무것도 바뀌지 않았습니다.",
        f"From 1 to {_won(left)} won of this payment can be cancelled. Nothing was changed.",
        {"left_krw": left},
    )


def cancel_wait() -> Refusal:
    return Refusal(
        "cancel-wait",
        "이 결제의 캐시백을 아직 처리하고 있습니다. 취소되지 않았습니다. 잠시 뒤 다시 눌러 주세요.",
        "The cashback of this payment is still on its way. Nothing was cancelled. Try again in a "
        "moment.",
    )
