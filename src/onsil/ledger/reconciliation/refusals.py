"""Every no of this room, said for those who keep the books."""

from collections.abc import Sequence
from typing import Any

from onsil.core.refusal import Refusal
from onsil.ledger.reconciliation.terms import BadLine


def _no(code: str, ko: str, en: str, **facts: Any) -> Refusal:
    return Refusal(code, ko, en, facts)


def unknown_account(code: str) -> Refusal:
    return _no(
        "bank-account-unknown", f"{code}: 대사할 계좌로 등록되어 있지 않습니다.",
        f"{code} is not set up for reconciliation.", account=code,
    )  # fmt: skip


def unknown_format(code: str) -> Refusal:
    return _no(
        "file-format-unknown", f"이 계좌는 {code} 형식의 파일을 받지 않습니다.",
        f"This account takes no files of the format {code}.", format=code,
    )  # fmt: skip


def file_too_large(size: int, most: int) -> Refusal:
    return _no(
        "file-too-large", f"파일이 {size:,}바이트입니다. {most:,}바이트까지 받습니다.",
        f"The file has {size:,} bytes; up to {most:,} are taken.", bytes=size, most=most,
    )  # fmt: skip


def file_unreadable(bad: Sequence[BadLine], more: int) -> Refusal:
    """`facts["lines"]` lists what is wrong, line by line."""
    total = len(bad) + more
    return _no(
        "file-unreadable",
        f"{total:,}곳을 읽을 수 없어 파일을 들이지 않았습니다. 장부는 그대로입니다.",
        f"{total:,} places cannot be read, so the file was not taken in. Nothing has changed.",
        lines=list(bad), more=more,
    )  # fmt: skip


def line_gone(count: int) -> Refusal:
    return _no(
        "line-not-open",
        f"고른 줄 가운데 {count}줄은 이미 맞춰졌거나 없습니다. 새로 고친 뒤 다시 골라 주세요.",
        f"{count} of the chosen lines are matched already or gone. Please reload and choose again.",
        count=count,
    )  # fmt: skip


def nothing_chosen() -> Refusal:
    return _no(
        "no-lines", "두 줄 이상을 골라 주세요.", "Please choose two lines or more."
    )  # fmt: skip


def reason_missing() -> Refusal:
    return _no(
        "reason-missing", "사유를 적어 주세요. 기록에 남습니다.",
        "Please give a reason. It is kept on record.",
    )  # fmt: skip


def sums_differ(bank: int, book: int) -> Refusal:
    return _no(
        "sums-differ",
        f"은행 쪽 합 {bank:,}원과 장부 쪽 합 {book:,}원이 다릅니다. 차액 {bank - book:,}원은 정정 "
        "분개로 처리해 주세요.",
        f"The bank's lines sum to {bank:,} and the books' to {book:,}. Please post a correction "
        f"for the difference of {bank - book:,} KRW.",
        bank=bank, book=book, difference=bank - book,
    )  # fmt: skip


def nothing_to_correct() -> Refusal:
    return _no(
        "nothing-to-correct", "차액이 없습니다. 정정 없이 맞추면 됩니다.",
        "There is no difference. Please match the lines without a correction.",
    )  # fmt: skip


def unknown_correction(code: str) -> Refusal:
    return _no(
        "correction-unknown", f"{code}: 이 계좌에서 쓸 수 있는 정정 항목이 아닙니다.",
        f"{code} is no correction that this account allows.", correction=code,
    )  # fmt: skip


def proposal_gone() -> Refusal:
    return _no(
        "proposal-decided", "이미 처리된 요청입니다.", "This request has been decided already."
    )  # fmt: skip


def maker_is_checker() -> Refusal:
    return _no(
        "maker-is-checker", "요청한 사람은 승인할 수 없습니다. 다른 사람이 승인해야 합니다.",
        "Who asked for it cannot approve it. Somebody else has to.",
    )  # fmt: skip


def match_gone() -> Refusal:
    return _no(
        "match-undone", "이미 되돌렸거나 없는 대사입니다.",
        "This match has been undone already, or there is none.",
    )  # fmt: skip


def match_closed() -> Refusal:
    return _no(
        "match-in-closed-day",
        "마감 전의 대사는 되돌릴 수 없습니다. 잘못되었다면 정정 분개로 바로잡아 주세요.",
        "A match made before the last daily close cannot be undone. Please post a correction.",
    )  # fmt: skip
