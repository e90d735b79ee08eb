"""Every 'no' around converting, charging, giving and refunds, in whole sentences."""

from onsil.core.refusal import Refusal


def _won(amount: int) -> str:
    return f"{amount:,}"


# ---- conversion


def conversion_too_small(minimum: int) -> Refusal:
    return Refusal(
        "conversion-too-small",
        f"한 번에 {_won(minimum)}포인트부터 전환할 수 있습니다. 전환되지 않았습니다.",
        f"Convert at least {_won(minimum)} points at once. Nothing was converted.",
        {"minimum_points": minimum},
    )


def conversion_uneven(step: int) -> Refusal:
    return Refusal(
        "conversion-uneven",
        f"{_won(step)}포인트 단위로 전환할 수 있습니다. 전환되지 않았습니다.",
        f"Convert in steps of {_won(step)} points. Nothing was converted.",
        {"step_points": step},
    )


def not_enough_points(have: int, asked: int) -> Refusal:
    return Refusal(
        "not-enough-points",
        f"포인트가 부족합니다. 전환할 수 있는 포인트는 {_won(have)}입니다. 전환되지 않았습니다.",
        f"Not enough points: {_won(have)} can be converted. Nothing was converted.",
        {"points": have, "asked_points": asked},
    )


def form_used() -> Refusal:
    return Refusal(
        "form-used",
        "이미 보낸 신청입니다. 다시 전환되지 않았습니다. 지갑에서 결과를 확인해 주세요.",
        "This form was sent already. Nothing was converted again. See the result in the wallet.",
    )


# ---- charging


def charging_closed() -> Refusal:
    return Refusal(
        "charging-closed",
        "이 도시는 아직 충전을 받지 않습니다. 아무것도 주문되지 않았습니다.",
        "This city takes no charges yet. Nothing was ordered.",
    )


def charge_paid_already() -> Refusal:
    return Refusal(
        "charge-paid-already",
        "이미 입금이 확인된 충전입니다. 취소하려면 환불을 신청해 주세요.",
        "The deposit for this charge has come in. Ask for a refund instead.",
    )


def deposit_unknown_reference() -> Refusal:
    return Refusal(
        "deposit-unknown-reference",
        "입금의 번호와 맞는 충전 주문이 없습니다. 입금자에게 확인한 뒤 연결하거나 돌려주세요.",
        "No charge has the number given with the deposit. Ask the depositor, then assign or return "
        "it.",
    )


def deposit_amount_differs(ordered: int, paid: int) -> Refusal:
    return Refusal(
        "deposit-amount-differs",
        f"주문은 {_won(ordered)}원인데 {_won(paid)}원이 입금되었습니다. 충전되지 않았습니다. "
        "돌려주거나 맞는 주문에 연결하세요.",
        f"{_won(ordered)} won were ordered and {_won(paid)} won paid in. Nothing was charged. "
        "Return it or assign it to an order of that amount.",
        {"ordered_krw": ordered, "paid_krw": paid},
    )


def deposit_too_late(last_day: str) -> Refusal:
    return Refusal(
        "deposit-too-late",
        f"입금 기한({last_day})이 지난 뒤에 들어온 돈입니다. 충전되지 않았습니다. "
        "돌려주거나 새 주문에 연결하세요.",
        f"The money came after its last day ({last_day}). Nothing was charged. Return it or assign "
        "it to a new order.",
        {"last_day": last_day},
    )


def deposit_order_paid() -> Refusal:
    return Refusal(
        "deposit-order-paid",
        "이미 입금이 확인된 주문에 다시 들어온 돈입니다. 두 번 충전되지 않았습니다. 돌려주세요.",
        "A second deposit for a charge that was paid already. It was not charged twice. Return it.",
    )


def deposit_order_cancelled() -> Refusal:
    return Refusal(
        "deposit-order-cancelled",
        "시민이 취소한 주문에 들어온 돈입니다. 충전되지 않았습니다. "
        "돌려주거나 새 주문에 연결하세요.",
        "The citizen had cancelled this charge. Nothing was charged. Return it or assign it to a "
        "new order.",
    )


def deposit_seen_to() -> Refusal:
    return Refusal(
        "deposit-seen-to",
        "이미 처리된 입금입니다. 아무것도 바뀌지 않았습니다.",
        "This deposit has been seen to already. Nothing was changed.",
    )


def deposit_does_not_fit(ordered: int, paid: int) -> Refusal:
    return Refusal(
        "deposit-does-not-fit",
        f"이 주문은 {_won(ordered)}원이고 입금은 {_won(paid)}원이거나, 주문이 더는 열려 있지 "
        "않습니다. 연결되지 않았습니다.",
        f"The order is for {_won(ordered)} won and the deposit is {_won(paid)} won, or the order "
        "is no longer open. Nothing was assigned.",
        {"ordered_krw": ordered, "paid_krw": paid},
    )


# ---- gifts


def gift_not_yours() -> Refusal:
    return Refusal(
        "gift-not-yours",
        "다른 분의 선물입니다. 아무것도 바뀌지 않았습니다.",
        "This gift is between other people. Nothing was changed.",
    )


def gift_over(end: str) -> Refusal:
    how = {
        "accepted": ("받는 분이 이미 받았습니다.", "It has been accepted already."),
        "declined": ("받는 분이 거절해 돌아갔습니다.", "It was declined and went back."),
        "withdrawn": ("보낸 분이 먼저 거두었습니다.", "The giver had called it back."),
        "lapsed": ("기한이 지나 돌아갔습니다.", "Its time was over and it went back."),
    }
    ko, en = how.get(end, ("처리하고 있습니다.", "It is being seen to."))
    return Refusal(
        "gift-over",
        f"{ko} 이번에는 아무것도 바뀌지 않았습니다.",
        f"{en} Nothing was changed this time.",
        {"end": end},
    )


# ---- refunds


def refund_changed() -> Refusal:
    return Refusal(
        "refund-changed",
        "그사이 지갑이 달라져 환불 금액이 바뀌었습니다. 신청되지 않았습니다. "
        "새 금액을 확인해 주세요.",
        "The wallet has changed meanwhile, and with it the amount. Nothing was asked for. See the "
        "new amount.",
    )


def account_malformed() -> Refusal:
    return Refusal(
        "account-malformed",
        "은행, 예금주와 계좌번호 숫자 8~16자리를 다시 확인해 주세요. 신청되지 않았습니다.",
        "Check the bank, the holder and the eight to sixteen digits of the account. Nothing was "
        "asked for.",
    )


def nothing_to_release() -> Refusal:
    return Refusal(
        "nothing-to-release",
        "지급할 환불이 없습니다. 다른 담당자가 확인한 환불만 지급할 수 있습니다.",
        "There is no refund to pay. Only those that another official has seen to can be paid.",
    )
