"""Asking for a data set that is not open: who may do what, when. Pure.

Somebody asks with a purpose and a term; an official other than them approves or refuses with a
reason; who was approved makes a key, which is told once. Approval ends with its term, or when an
official ends it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from onsil.core.refusal import Refusal
from onsil.hub.datasets.registry import Dataset

State = Literal["asked", "approved", "refused", "withdrawn", "ended"]
Decision = Literal["approve", "refuse", "end"]
# What may be asked for, in days.
TERMS = (30, 90, 180, 365, 730)
PURPOSE_LEAST, PURPOSE_MOST = 10, 1000
ORGANISATION_MOST = 120
REASON_MOST = 300


@dataclass(frozen=True)
class UsageRequest:
    """One request as it stands; `days` is the term asked for, counted from approval."""

    id: str
    dataset: str
    person: str
    organisation: str
    purpose: str
    days: int
    state: State
    asked_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
    reason: str = ""
    expires_at: datetime | None = None

    def open(self, now: datetime) -> bool:
        """Whether it gives access now."""
        return self.state == "approved" and self.expires_at is not None and now < self.expires_at

    def expired(self, now: datetime) -> bool:
        return self.state == "approved" and not self.open(now)

    def pending(self, now: datetime) -> bool:
        """Whether another one of the same person would be one too many."""
        return self.state == "asked" or self.open(now)


def check_asking(
    dataset: Dataset, purpose: str, organisation: str, days: int, earlier: list[UsageRequest],
    now: datetime,
) -> Refusal | None:  # fmt: skip
    """Why a request cannot be taken; `earlier` are the person's own for this data set."""
    if dataset.open:
        return Refusal(
            "data-set-is-open",
            "누구나 쓸 수 있는 데이터이므로 신청할 필요가 없습니다. 바로 내려받으세요.",
            "This data set is open to all. There is no need to ask; download it.",
        )
    if not PURPOSE_LEAST <= len(purpose.strip()) <= PURPOSE_MOST:
        return Refusal(
            "purpose-length",
            f"무엇에 쓸지 {PURPOSE_LEAST}자 이상 {PURPOSE_MOST:,}자 이하로 적어 주세요."
            " 신청하지 않았습니다.",
            f"Say what it is for in {PURPOSE_LEAST} to {PURPOSE_MOST:,} characters."
            " Nothing was sent.",
        )
    if len(organisation) > ORGANISATION_MOST or days not in TERMS:
        return Refusal(
            "request-unreadable",
            "기관 이름이나 기간이 맞지 않습니다. 신청하지 않았습니다. 다시 골라 주세요.",
            "The organisation or the term is not valid. Nothing was sent. Choose again.",
        )
    if any(one.pending(now) for one in earlier):
        return Refusal(
            "already-asked",
            "이 데이터는 이미 신청하셨습니다. 아래에서 상태를 보세요.",
            "You have asked for this data set already. See below how it stands.",
        )
    return None


def decide(
    request: UsageRequest, decision: Decision, by: str, reason: str, now: datetime
) -> UsageRequest | Refusal:
    """The request as an official leaves it. Nobody decides what they asked for themselves."""
    from_state: State = "approved" if decision == "end" else "asked"
    if request.state != from_state:
        return Refusal(
            "decided-already",
            "이미 처리된 신청입니다. 아무것도 바뀌지 않았습니다. 목록을 다시 보세요.",
            "This request has been dealt with. Nothing was changed. Look at the list again.",
            {"state": request.state},
        )
    if by == request.person:
        return Refusal(
            "own-request",
            "스스로 신청한 것은 처리할 수 없습니다. 다른 담당자에게 맡겨 주세요.",
            "You cannot decide on what you asked for yourself. Leave it to somebody else.",
        )
    reason = reason.strip()
    if decision != "approve" and not reason:
        return Refusal(
            "reason-missing",
            "까닭을 적어 주세요. 신청한 분이 보게 됩니다. 아무것도 바뀌지 않았습니다.",
            "Give the reason; who asked will read it. Nothing was changed.",
        )
    if len(reason) > REASON_MOST:
        return Refusal(
            "reason-too-long",
            f"까닭은 {REASON_MOST}자까지 적을 수 있습니다. 아무것도 바뀌지 않았습니다.",
            f"A reason has up to {REASON_MOST} characters. Nothing was changed.",
        )
    states: dict[Decision, State] = {"approve": "approved", "refuse": "refused", "end": "ended"}
    ends = now + timedelta(days=request.days) if decision == "approve" else request.expires_at
    return UsageRequest(
        request.id, request.dataset, request.person, request.organisation, request.purpose,
        request.days, states[decision], request.asked_at, now, by, reason, ends,
    )  # fmt: skip


def check_key(request: UsageRequest, person: str, now: datetime) -> Refusal | None:
    """Why a person cannot have a key made for this request."""
    if request.person != person:
        return Refusal(
            "not-yours", "다른 사람의 신청입니다.", "This is somebody else's request."
        )  # fmt: skip
    if not request.open(now):
        return Refusal(
            "not-approved",
            "승인되지 않았거나 기간이 끝난 신청이라 열쇠를 만들 수 없습니다. 다시 신청해 주세요.",
            "There is no key for a request that is not approved or whose term is over. Ask again.",
        )
    return None
