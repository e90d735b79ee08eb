"""Every 'no' around residence, members, shops and their settlement, in whole sentences."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil

from onsil.core.refusal import Refusal


def _won(amount: int) -> str:
    return f"{amount:,}"


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


# ---- one another


def member_unknown() -> Refusal:
    return Refusal(
        "member-unknown",
        "그런 회원번호나 확인된 전화번호를 찾지 못했습니다. "
        "받는 분의 회원번호를 다시 확인해 주세요.",
        "No member has this code or confirmed telephone number. Ask the other person for the code.",
    )


def phone_malformed() -> Refusal:
    return Refusal(
        "phone-malformed",
        "휴대전화 번호 11자리를 다시 확인해 주세요.",
        "Check the eleven digits of the mobile number.",
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


# ---- what is known of a shop


def facts_backdated() -> Refusal:
    return Refusal(
        "facts-backdated",
        "지난 날짜부터 적용할 수 없습니다. 이미 결제된 것은 그때 알던 사실로 판단합니다.",
        "Findings cannot hold from a past day: what was paid stays judged by what was known then.",
    )


def facts_wrong() -> Refusal:
    return Refusal(
        "facts-wrong",
        "업종과 연 매출을 다시 확인해 주세요. 아무것도 바뀌지 않았습니다.",
        "Check the kind of business and the yearly sales. Nothing was changed.",
    )


# ---- settlement


def settlement_too_early(facts: Mapping[str, object]) -> Refusal:
    return Refusal(
        "settlement-too-early",
        "아직 끝나지 않은 날은 정산할 수 없습니다. 다음 날 다시 실행됩니다.",
        "A day that is not over cannot be settled. It will be tried again the next day.",
        dict(facts),
    )
