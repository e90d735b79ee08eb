"""What each form of the desk does: proposals for a second person, and statements and moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onsil.console.registry import forms as given
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.footprint import credits

CLOCK = SystemClock()
Data = Mapping[str, Any]
Do = Callable[[Connection, str, Data, str], object]


@dataclass(frozen=True)
class Act:
    """One thing to do at the desk; `two` when a second person decides on it."""

    word: Any
    form: type[forms.Form]
    do: Do
    two: bool = False


def _proposal(kind: str) -> Do:
    def do(conn: Connection, city: str, data: Data, actor: str) -> object:
        terms = {name: value for name, value in data.items() if name != "key"}
        if kind == "reversal":
            terms["tonnes"] = format(terms["tonnes"], "f")
        return credits.propose(conn, city, kind, terms, str(data["key"]), actor, CLOCK)

    return do


def _label(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.give_label(
        conn, city, data["label"], data["starts"], data["reference"], str(data["key"]), actor,
        CLOCK, batch_id=data["batch"], methodology=data["methodology"], version=data["version"],
        ends=data["ends"],
    )  # fmt: skip


def _adjustment(conn: Connection, city: str, data: Data, actor: str) -> object:
    stated = credits.Adjustment(
        data["batch"], data["declaration"], data["status"], data["country"], data["letter"],
        data["letter_on"],
    )  # fmt: skip
    return credits.declare_adjustment(conn, city, stated, str(data["key"]), actor, CLOCK)


def _plan(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.plan(
        conn, city, data["project"], data["vintage"], data["units"], data["basis"],
        str(data["key"]), actor, CLOCK,
    )  # fmt: skip


def _fulfil(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.fulfil(
        conn, city, data["planned"], data["batch"], data["units"], str(data["key"]), actor, CLOCK,
        data["account"],
    )  # fmt: skip


def _hand_on(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.hand_on(
        conn, city, data["planned"], data["account"], data["destination"], data["units"],
        str(data["key"]), actor, CLOCK,
    )  # fmt: skip


def _drop(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.drop(
        conn, city, data["planned"], data["units"], data["reason"], str(data["key"]), actor, CLOCK,
        data["account"],
    )  # fmt: skip


def _recover(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.make_good(
        conn, city, data["project"], data["batch"], data["account"], data["units"],
        str(data["key"]), actor, CLOCK,
    )  # fmt: skip


def _cancel(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.cancel(
        conn, city, data["batch"], data["account"], data["units"], data["reason"],
        str(data["key"]), actor, CLOCK,
    )  # fmt: skip


def _transfer(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.transfer(
        conn, city, data["batch"], data["account"], data["destination"], data["units"],
        str(data["key"]), actor, CLOCK, memo=data["memo"],
    )  # fmt: skip


def _expire(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.expire(
        conn, city, data["batch"], data["account"], data["units"], str(data["key"]), actor, CLOCK
    )


def _holder(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.disclose_holder(
        conn, city, data["account"], data["name"], str(data["key"]), actor, CLOCK
    )


def _elsewhere(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.retired_elsewhere(
        conn, city, data["registry"], data["serials"], data["units"], data["beneficiary"],
        data["retired_on"], data["evidence"], str(data["key"]), actor, CLOCK, data["export"],
    )  # fmt: skip


def _split(conn: Connection, city: str, data: Data, actor: str) -> object:
    return credits.split(conn, city, data["block"], data["units"], str(data["key"]), actor, CLOCK)


ACTS: dict[str, Act] = {
    "reversal": Act(_("손실 보고"), given.ReversalForm, _proposal("reversal"), True),
    "buffer-release": Act(_("버퍼 해제"), given.BufferForm, _proposal("buffer-release"), True),
    "buffer-cancellation": Act(
        _("버퍼 취소"), given.BufferForm, _proposal("buffer-cancellation"), True
    ),
    "export": Act(_("내보내기"), given.ExportForm, _proposal("export"), True),
    "import": Act(_("들여오기"), given.ImportForm, _proposal("import"), True),
    "conversion": Act(_("배출권으로 전환"), given.HoldingForm, _proposal("conversion"), True),
    "transfer": Act(_("이전"), given.TransferForm, _transfer),
    "cancel": Act(_("취소"), given.CancelForm, _cancel),
    "expire": Act(_("기한 지남 처리"), given.HoldingForm, _expire),
    "recover": Act(_("손실 메우기"), given.RecoveryForm, _recover),
    "label": Act(_("라벨 주기"), given.LabelForm, _label),
    "adjustment": Act(_("상응조정 밝히기"), given.AdjustmentForm, _adjustment),
    "plan": Act(_("계획 적기"), given.PlanForm, _plan),
    "fulfil": Act(_("계획 채우기"), given.FulfilForm, _fulfil),
    "hand-on": Act(_("계획분 넘기기"), given.HandOnForm, _hand_on),
    "drop": Act(_("계획 취소"), given.DropForm, _drop),
    "holder": Act(_("보유자 공개"), given.HolderForm, _holder),
    "elsewhere": Act(_("다른 등록부에서 쓰인 것 적기"), given.ElsewhereForm, _elsewhere),
    "split": Act(_("구간 나누기"), given.SplitForm, _split),
}
