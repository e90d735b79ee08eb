"""What the screens call the engine's codes."""

from typing import Any

from django.utils.translation import gettext_lazy as _

PROBLEMS: dict[str, Any] = {
    "missing-in-ledger": _("장부에 없음"),
    "missing-in-bank": _("은행에 없음"),
    "amount-differs": _("금액이 다름"),
    "duplicate": _("두 번 적힘"),
    "late": _("늦게 적힘"),
}
PROBLEM_STATUS = {
    "missing-in-ledger": "bad", "missing-in-bank": "bad", "amount-differs": "bad",
    "duplicate": "watch", "late": "watch",
}  # fmt: skip
EVENTS: dict[str, Any] = {
    "match": _("맞춤"),
    "undo": _("되돌림"),
    "comment": _("메모"),
    "proposal-waiting": _("승인을 기다림"),
    "proposal-declined": _("승인하지 않음"),
    "taken-matched": _("충전 확인에 쓰임"),
    "taken-exception": _("충전 확인에서 예외"),
    "taken-assigned": _("사람이 충전에 이음"),
    "taken-returned": _("충전금 반환"),
}
ACTS: dict[str, Any] = {
    "match": _("손으로 맞추기"), "correct": _("정정 분개"), "undo": _("되돌리기"),
}  # fmt: skip
SIDES: dict[str, Any] = {"bank": _("은행"), "book": _("장부")}
