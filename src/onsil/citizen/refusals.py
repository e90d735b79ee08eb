"""Every 'no' of the room, in whole sentences: what happened, what it means, what to do."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

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


# ---- residence


def residence_code_wrong() -> Refusal:
    return Refusal(
        "residence-code-wrong",
        "맞지 않는 거주 확인 코드입니다. 우편으로 받은 코드를 다시 확인해 주세요.",
        "This residence code is not right. Check the code in the letter and try again.",
    )


def residence_code_spent() -> Refusal:
    return Refusal(
        "residence-code-spent",
        "이미 사용했거나 기한이 지난 거주 확인 코드입니다. 주민센터에서 새 코드를 받아 주세요.",
        "This residence code was used already or is out of date. Ask the community centre for a "
        "new one.",
    )


def too_many_attempts(wait: timedelta) -> Refusal:
    minutes = max(1, ceil(wait.total_seconds() / 60))
    return Refusal(
        "too-many-attempts",
        f"여러 번 잘못 입력하여 잠시 막았습니다. {minutes}분 뒤에 다시 시도해 주세요.",
        f"Too many wrong entries. Try again in {minutes} minutes.",
        {"wait_minutes": minutes},
    )


def residence_unavailable(kind: str) -> Refusal:
    return Refusal(
        "residence-check-unavailable",
        "지금은 거주 확인을 할 수 없습니다. 잠시 뒤 다시 시도하거나 시청에 문의해 주세요.",
        "Residence cannot be checked at present. Try again later or ask the city office.",
        {"kind": kind},
    )


# ---- merchants


def merchant_name_missing() -> Refusal:
    return Refusal(
        "merchant-name-missing",
        "가맹점 이름을 입력해 주세요.",
        "Enter the name of the shop.",
    )


def business_number_wrong() -> Refusal:
    return Refusal(
        "business-number-wrong",
        "사업자등록번호 10자리를 다시 확인해 주세요.",
        "Check the ten digits of the business registration number.",
    )


def kind_excluded(kind: str) -> Refusal:
    return Refusal(
        "kind-excluded",
        "이 업종은 시 조례에 따라 가맹점이 될 수 없습니다.",
        "The city's by-law leaves this kind of business out.",
        {"kind": kind},
    )


def sales_too_high(limit: int) -> Refusal:
    return Refusal(
        "sales-too-high",
        f"연 매출 {_won(limit // 100_000_000)}억 원을 넘는 곳은 가맹점이 될 수 없습니다.",
        f"Shops with yearly sales above {_won(limit)} won cannot take part.",
        {"maximum_yearly_sales_krw": limit},
    )


def already_applied() -> Refusal:
    return Refusal(
        "already-applied",
        "이 사업자등록번호로 이미 신청이 있습니다. 가맹점 화면에서 진행 상태를 확인해 주세요.",
        "There is an application with this business number already. See its state on the shop "
        "screen.",
    )


def decision_out_of_turn(state: str) -> Refusal:
    return Refusal(
        "decision-out-of-turn",
        "지금 상태에서는 할 수 없는 처리입니다. 아무것도 바뀌지 않았습니다.",
        "This cannot be done in the present state. Nothing was changed.",
        {"state": state},
    )


def maker_is_checker() -> Refusal:
    return Refusal(
        "maker-is-checker",
        "만든 사람과 승인하는 사람이 같을 수 없습니다. 다른 담당자가 승인해 주세요.",
        "Whoever made it cannot approve it. Another official has to.",
    )


# ---- settlement


def settlement_too_early(facts: Mapping[str, object]) -> Refusal:
    return Refusal(
        "settlement-too-early",
        "아직 끝나지 않은 날은 정산할 수 없습니다. 다음 날 다시 실행됩니다.",
        "A day that is not over cannot be settled. It will be tried again the next day.",
        dict(facts),
    )
