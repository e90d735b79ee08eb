"""The ledger's refusals, in words. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onsil.core.refusal import Refusal


def _no(code: str, ko: str, en: str, **facts: Any) -> Refusal:
    return Refusal(code, ko, en, facts)


def insufficient(account: str, asset: str, available: int, needed: int) -> Refusal:
    return _no(
        "insufficient-balance",
        f"잔액이 부족합니다. 쓸 수 있는 금액은 {available:,}, 필요한 금액은 {needed:,}입니다.",
        f"The balance is not enough: {available:,} can be used and {needed:,} are needed.",
        account=account, asset=asset, available=available, needed=needed,
    )  # fmt: skip


def lot_rule(account: str, asset: str, usable: int, needed: int, balance: int) -> Refusal:
    return _no(
        "lot-rule",
        f"잔액 {balance:,} 가운데 이곳에서 지금 쓸 수 있는 금액은 {usable:,}이고 {needed:,}이 "
        "필요합니다. 나머지는 기한이 지났거나 사용처가 정해진 금액입니다.",
        f"Of the balance of {balance:,}, {usable:,} can be used here and now and {needed:,} are "
        "needed. The rest has expired or is bound to other places.",
        account=account, asset=asset, usable=usable, needed=needed, balance=balance,
    )  # fmt: skip


def over_limit(account: str, asset: str, balance: int, maximum: int, amount: int) -> Refusal:
    return _no(
        "account-limit",
        f"보유 한도를 넘습니다. 한도 {maximum:,}, 현재 {balance:,}, 들어올 금액 {amount:,}입니다.",
        f"The account's limit would be passed: the limit is {maximum:,}, {balance:,} are there and "
        f"{amount:,} would come in.",
        account=account, asset=asset, balance=balance, maximum=maximum, amount=amount,
    )  # fmt: skip


def unknown_account(account: str, asset: str) -> Refusal:
    return _no(
        "unknown-account",
        f"계정 {account}이(가) 없습니다. 계정을 먼저 개설해 주세요.",
        f"There is no account {account}. Please open it first.",
        account=account, asset=asset,
    )  # fmt: skip


def asset_mismatch(account: str, asset: str) -> Refusal:
    return _no(
        "asset-mismatch",
        f"계정 {account}은(는) {asset} 자산을 다루지 않습니다.",
        f"The account {account} does not hold the asset {asset}.",
        account=account, asset=asset,
    )  # fmt: skip


def account_closed(account: str, asset: str) -> Refusal:
    return _no(
        "account-closed",
        f"계정 {account}은(는) 해지되어 더 이상 거래할 수 없습니다.",
        f"The account {account} is closed; nothing can be moved to or from it.",
        account=account, asset=asset,
    )  # fmt: skip


def key_reused(key: str) -> Refusal:
    return _no(
        "key-reused",
        "같은 거래 번호로 내용이 다른 요청이 이미 처리되었습니다. 새 번호로 다시 요청해 주세요.",
        "Another request was already decided under this key. Please ask again with a new key.",
        key=key,
    )  # fmt: skip


def amount_not_positive(amount: str) -> Refusal:
    return _no(
        "amount-not-positive",
        "금액은 1 이상의 정수여야 합니다.",
        "An amount must be a whole number of at least 1.",
        amount=amount,
    )  # fmt: skip


def same_account(account: str) -> Refusal:
    return _no(
        "same-account",
        "보내는 계정과 받는 계정이 같습니다.",
        "The account that pays and the one that is paid are the same.",
        account=account,
    )  # fmt: skip


def malformed(what: str) -> Refusal:
    return _no(
        "malformed-request",
        f"요청 형식이 올바르지 않습니다({what}).",
        f"The request is malformed ({what}).",
        what=what,
    )  # fmt: skip


def lot_terms_fixed(account: str, asset: str) -> Refusal:
    return _no(
        "lot-terms-fixed",
        "이미 조건이 붙은 금액에는 새 조건을 붙일 수 없습니다.",
        "Value that already carries terms cannot be given other terms.",
        account=account, asset=asset,
    )  # fmt: skip


def not_reversible(transfer: str, reason_ko: str, reason_en: str) -> Refusal:
    return _no(
        "not-reversible",
        f"이 거래는 되돌릴 수 없습니다: {reason_ko}",
        f"This transfer cannot be reversed: {reason_en}",
        transfer=transfer,
    )  # fmt: skip


def already_reversed(transfer: str) -> Refusal:
    return _no(
        "already-reversed",
        "이 거래는 이미 취소되었습니다.",
        "This transfer has been reversed already.",
        transfer=transfer,
    )  # fmt: skip


def not_recordable(key: str) -> Refusal:
    return _no(
        "not-recordable",
        "이 요청은 기록할 수 없는 내용이라 처리되지 않았습니다. 운영자에게 문의해 주세요.",
        "This request could not be recorded and was not carried out. Please ask the operator.",
        key=key,
    )  # fmt: skip


def from_row(code: str, ko: str, en: str, facts: Mapping[str, Any]) -> Refusal:
    """A refusal as it was recorded."""
    return Refusal(code, ko, en, facts)


def account_not_empty(account: str, asset: str, balance: int) -> Refusal:
    return _no(
        "account-not-empty",
        f"계정에 {balance:,}이 남아 있어 해지할 수 없습니다. 먼저 비워 주세요.",
        f"The account still holds {balance:,}. Please empty it before closing it.",
        account=account, asset=asset, balance=balance,
    )  # fmt: skip


def limits_not_met(
    account: str, asset: str, balance: int, minimum: int | None, maximum: int | None
) -> Refusal:
    return _no(
        "limits-not-met",
        f"현재 잔액 {balance:,}이 새 한도를 벗어나므로 한도를 바꿀 수 없습니다.",
        f"The present balance of {balance:,} is outside the new limits, so they were not set.",
        account=account, asset=asset, balance=balance, minimum=minimum, maximum=maximum,
    )  # fmt: skip


def linked_failed() -> Refusal:
    return _no(
        "linked-failed",
        "함께 처리되어야 하는 다른 요청이 거절되어 이 요청도 처리되지 않았습니다.",
        "Another request that had to go through together with this one was refused.",
    )


def moved_on(account: str, asset: str, amount: int) -> Refusal:
    return _no(
        "lot-rule",
        f"되돌릴 금액 {amount:,}이 이미 다른 곳으로 옮겨져 취소할 수 없습니다.",
        f"The {amount:,} to be given back have moved on, so this cannot be undone.",
        account=account, asset=asset, needed=amount,
    )  # fmt: skip


def pending_unknown(transfer: str) -> Refusal:
    return _no(
        "pending-unknown",
        "예약된 거래가 없습니다.",
        "There is no such pending transfer.",
        transfer=transfer,
    )


def pending_settled(transfer: str) -> Refusal:
    return _no(
        "pending-settled",
        "이 예약 거래는 이미 확정되었거나 취소되었습니다.",
        "This pending transfer has been posted or released already.",
        transfer=transfer,
    )


def pending_expired(transfer: str, timeout_at: datetime) -> Refusal:
    return _no(
        "pending-expired",
        "예약 거래의 기한이 지나 확정할 수 없습니다.",
        "The pending transfer's time is over; it can no longer be posted.",
        transfer=transfer, timeout_at=timeout_at.isoformat(),
    )  # fmt: skip


def account_not_free(account: str, asset: str, held: int, coming: int) -> Refusal:
    return _no(
        "account-not-empty",
        f"예약된 거래(나갈 금액 {held:,}, 들어올 금액 {coming:,})가 있어 해지할 수 없습니다.",
        f"Pending transfers ({held:,} going out, {coming:,} coming in) keep it from being closed.",
        account=account, asset=asset, held=held, coming=coming,
    )  # fmt: skip
