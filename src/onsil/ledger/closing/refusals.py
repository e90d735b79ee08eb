"""Every no of the daily close."""

from collections.abc import Sequence
from datetime import date

from onsil.core.refusal import Refusal
from onsil.ledger.closing.terms import Reason


def not_over(day: date) -> Refusal:
    return Refusal(
        "day-not-over", f"{day}은 아직 끝나지 않아 마감할 수 없습니다.",
        f"{day} is not over yet, so it cannot be closed.", {"day": day},
    )  # fmt: skip


def out_of_turn(day: date, next_day: date) -> Refusal:
    return Refusal(
        "close-out-of-turn", f"{next_day}을 먼저 마감해 주세요. 날은 순서대로 마감합니다.",
        f"Please close {next_day} first. Days are closed in their order.",
        {"day": day, "next": next_day},
    )  # fmt: skip


def already_closed(day: date) -> Refusal:
    return Refusal(
        "day-closed", f"{day}은 이미 마감되었습니다.", f"{day} is closed already.", {"day": day}
    )  # fmt: skip


def not_in_order(day: date, reasons: Sequence[Reason]) -> Refusal:
    """`facts["reasons"]` lists what stands in the way."""
    found = [r for r in reasons if r.severity == "block"]
    ko = " ".join(r.ko for r in found[:3])
    en = " ".join(r.en for r in found[:3])
    return Refusal(
        "close-not-in-order", f"마감하지 않았습니다. {ko}", f"The day was not closed. {en}",
        {"day": day, "reasons": found},
    )  # fmt: skip


def reason_missing() -> Refusal:
    return Refusal(
        "reason-missing", "그래도 마감하려면 사유를 적어 주세요. 기록에 남습니다.",
        "To close nevertheless, please give a reason. It is kept on record.",
    )  # fmt: skip


def nothing_asked() -> Refusal:
    return Refusal(
        "close-not-asked", "기다리는 마감 요청이 없습니다.", "No request to close is waiting."
    )  # fmt: skip


def asked_already() -> Refusal:
    return Refusal(
        "close-asked", "이 날의 마감 요청이 이미 승인을 기다립니다.",
        "A request to close this day is waiting for approval already.",
    )  # fmt: skip


def maker_is_checker() -> Refusal:
    return Refusal(
        "maker-is-checker", "요청한 사람은 승인할 수 없습니다. 다른 사람이 승인해야 합니다.",
        "Who asked for it cannot approve it. Somebody else has to.",
    )  # fmt: skip
