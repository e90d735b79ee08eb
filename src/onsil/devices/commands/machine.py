"""What becomes of a command: a pure state machine.

    queued ──send──▶ sent ──acknowledge──▶ done | failed
       │              │  └─no answer──▶ sent again (until its attempts are used)
       │              └──expires or attempts used──▶ expired ──▶ safe state, where there is one
       └──expires or cancelled──▶ expired | cancelled

Of one actuator's commands at most one is under way (`sent`); a safe state goes before orders,
orders in the order they were made. A safe state never expires: it is sent, ever more slowly, until
the device acknowledges it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

State = Literal["queued", "sent", "done", "failed", "expired", "cancelled"]
OPEN: tuple[State, ...] = ("queued", "sent")
RETRY_MAX = timedelta(hours=1)


@dataclass(frozen=True)
class Command:
    """One thing asked of one actuator. `due_at`: when it may be sent (again)."""

    id: UUID
    device_id: str
    actuator: str
    value: Any
    made_at: datetime
    due_at: datetime
    expires_at: datetime | None = None
    safe: bool = False
    state: State = "queued"
    attempts: int = 0
    attempts_max: int = 5
    retry_s: int = 10
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    detail: str = ""
    made_by: str = ""
    idempotency_key: str = ""

    @property
    def open(self) -> bool:
        return self.state in OPEN


class Decision(NamedTuple):
    """What to do about one actuator: commands as they become, those of them to send, and a safe
    state to begin (after the command it answers for)."""

    changed: tuple[Command, ...] = ()
    send: Command | None = None
    safe_after: Command | None = None


def wait_before(attempts: int, retry_s: int) -> timedelta:
    """How long an answer is waited for after that many attempts: doubling, an hour at most."""
    return min(timedelta(seconds=retry_s * 2 ** min(attempts - 1, 16)), RETRY_MAX)


def decide(commands: Sequence[Command], now: datetime, *, has_safe: bool) -> Decision:
    """Look at one actuator's commands: let lapse what has lapsed, send what is due.

    `has_safe`: the actuator has a safe state. Order after a lapse: the safe state goes first.
    """
    changed: list[Command] = []
    astray: Command | None = None
    left: list[Command] = []
    for one in sorted((c for c in commands if c.open), key=_turn):
        lapsed = _lapsed(one, now)
        if lapsed is None:
            left.append(one)
            continue
        changed.append(lapsed)
        if lapsed.attempts and not lapsed.safe:
            astray = lapsed
    if astray is not None and has_safe and not any(c.safe for c in left):
        return Decision(tuple(changed), None, astray)
    chosen = next((c for c in left if c.state == "sent"), left[0] if left else None)
    if chosen is None or chosen.due_at > now:
        return Decision(tuple(changed))
    return _sending(changed, chosen, now)


def _turn(command: Command) -> tuple[bool, datetime, UUID]:
    return not command.safe, command.made_at, command.id


def _sending(changed: list[Command], one: Command, now: datetime) -> Decision:
    attempts = one.attempts + 1
    sent = replace(
        one, state="sent", attempts=attempts, sent_at=now,
        due_at=now + wait_before(attempts, one.retry_s),
    )  # fmt: skip
    return Decision((*changed, sent), sent)


def _lapsed(one: Command, now: datetime) -> Command | None:
    if one.safe:
        return None
    if one.expires_at is not None and one.expires_at <= now:
        return replace(one, state="expired", ended_at=now, detail="expired")
    if one.state == "sent" and one.attempts >= one.attempts_max and one.due_at <= now:
        return replace(one, state="expired", ended_at=now, detail="no-answer")
    return None


def acknowledge(one: Command, *, done: bool, detail: str, now: datetime) -> Command:
    """The device's answer. One that comes when all is over, or again, changes nothing."""
    if one.state != "sent":
        return one
    return replace(one, state="done" if done else "failed", ended_at=now, detail=detail)


def cancel(one: Command, now: datetime) -> Command:
    """Take back what has not been sent. What is under way cannot be taken back."""
    if one.state != "queued" or one.safe:
        return one
    return replace(one, state="cancelled", ended_at=now)


def hurry(one: Command, now: datetime) -> Command:
    """The device is back: what waits for it is due at once."""
    return replace(one, due_at=min(one.due_at, now)) if one.open else one
