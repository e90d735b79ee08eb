"""What one person proposes and another decides on; the database knows that they are two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.canonical import plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.credits import exchanges, reversals, transfers
from onsil.footprint.credits.batches import key_reused
from onsil.footprint.credits.terms import ACTIONS, Action, UnitEvent
from onsil.footprint.store import Row, execute, lock, rows, savepoint

_SEOUL = ZoneInfo("Asia/Seoul")
_ACTION = """SELECT id, kind, terms, key, status, maker, proposed_at, checker, decided_at, reason,
  outcome FROM footprint_registry_action"""

Check = Callable[[Connection, str, Mapping[str, Any], Clock, ZoneInfo], Refusal | None]
Approve = Callable[[Connection, str, Action, str, Clock], UnitEvent | Refusal]
Start = Callable[[Connection, str, Action, Clock], UnitEvent | Refusal]


@dataclass(frozen=True)
class _Doing:
    """What a kind of action wants, and does when proposed, approved or rejected."""

    terms: tuple[str, ...]
    check: Check
    approve: Approve
    start: Start | None = None
    reject: Approve | None = None


_DOING = {
    "reversal": _Doing(
        ("project", "cause", "tonnes", "happened_on", "evidence"), reversals.check_reversal,
        reversals.approve_reversal,
    ),
    "buffer-release": _Doing(
        ("batch", "units", "reason"), transfers.check_release, transfers.approve_buffer
    ),
    "buffer-cancellation": _Doing(
        ("batch", "units", "reason"), transfers.check_buffer, transfers.approve_buffer
    ),
    "export": _Doing(
        ("batch", "account", "units", "registry", "recipient"), exchanges.check_export,
        exchanges.approve_export, exchanges.start_export, exchanges.reject_export,
    ),
    "import": _Doing(
        ("registry", "serials", "units", "vintage", "unit", "project", "reference", "standard",
         "account", "evidence"),
        exchanges.check_import, exchanges.approve_import,
    ),
    "conversion": _Doing(
        ("batch", "account", "units"), transfers.check_conversion, transfers.approve_conversion
    ),
}  # fmt: skip
assert set(_DOING) == set(ACTIONS)


class _No(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def action(conn: Connection, city: str, action_id: UUID) -> Action | None:
    found = rows(conn, f"{_ACTION} WHERE city = %s AND id = %s", (city, action_id))
    return _action(found[0]) if found else None


def actions(conn: Connection, city: str, status: str = "") -> list[Action]:
    """Proposals, newest first, optionally of one status."""
    found = rows(
        conn,
        f"{_ACTION} WHERE city = %s AND (%s = '' OR status = %s) ORDER BY id DESC",
        (city, status, status),
    )
    return [_action(row) for row in found]


def _action(row: Row) -> Action:
    return Action(**row)


def propose(
    conn: Connection, city: str, kind: str, terms: Mapping[str, Any], key: str, maker: str,
    clock: Clock, zone: ZoneInfo = _SEOUL,
) -> Action | Refusal:  # fmt: skip
    """Propose a reversal, a buffer's release or cancellation, an export, import or conversion.

    `terms` have exactly the fields that the kind's check names (ids, whole numbers, texts; a loss
    in tonnes as decimal text). An export's units are set apart at once. The same key and terms
    again give the proposal that is there. Refused: key-reused, and what the kind's check refuses.
    """
    doing, given = _DOING[kind], plain(dict(terms))
    assert set(given) == set(doing.terms), f"{kind} wants {doing.terms}"
    lock(conn, city, [f"registry action {key}"])
    there = rows(conn, f"{_ACTION} WHERE city = %s AND key = %s", (city, key))
    if there:
        before = _action(there[0])
        return before if (before.kind, before.terms) == (kind, given) else key_reused(key)
    refusal = doing.check(conn, city, given, clock, zone)
    if refusal is not None:
        return refusal
    made = new_id()
    try:
        with savepoint(conn):
            execute(
                conn,
                """INSERT INTO footprint_registry_action (city, id, kind, terms, key, maker,
                  proposed_at) VALUES (%s,%s,%s,%s,%s,%s,%s)""",
                (city, made, kind, Jsonb(given), key, maker, clock.now()),
            )
            stored = _stored(conn, city, made)
            if doing.start is not None:
                _unless(doing.start(conn, city, stored, clock))
    except _No as no:
        return no.refusal
    proof.audit(
        conn, city, maker, f"units.{kind}.proposed", "registry-action", str(made), None, given
    )
    return stored


def approve(
    conn: Connection, city: str, action_id: UUID, checker: str, clock: Clock,
    outcome: Mapping[str, Any] | None = None,
) -> Action | Refusal:  # fmt: skip
    """Approve a proposal and carry it out, by anyone but who made it; all of it or nothing.

    `outcome` is what became known meanwhile: the other registry's `serials` for an export, the
    `reference` of a conversion. Refused: unknown-action, action-decided, maker-is-checker, and
    what the kind refuses.
    """
    return _decide(conn, city, action_id, checker, clock, "approved", "", outcome or {})


def reject(
    conn: Connection, city: str, action_id: UUID, checker: str, reason: str, clock: Clock
) -> Action | Refusal:
    """Turn a proposal down with a reason; an export's units go back. Refused as `approve` is, and
    reason-missing."""
    if not reason.strip():
        return Refusal("reason-missing", "반려 사유를 적어 주세요.", "Please give the reason.")
    return _decide(conn, city, action_id, checker, clock, "rejected", reason, {})


def _decide(
    conn: Connection, city: str, action_id: UUID, checker: str, clock: Clock, status: str,
    reason: str, outcome: Mapping[str, Any],
) -> Action | Refusal:  # fmt: skip
    lock(conn, city, [f"registry action {action_id}"])
    found = action(conn, city, action_id)
    refusal = _undecidable(found, checker)
    if refusal is not None:
        return refusal
    assert found is not None
    doing = _DOING[found.kind]
    try:
        with savepoint(conn):
            execute(
                conn,
                """UPDATE footprint_registry_action SET status = %s, checker = %s, decided_at = %s,
                  reason = %s, outcome = %s WHERE city = %s AND id = %s""",
                (status, checker, clock.now(), reason, Jsonb(plain(dict(outcome))), city, found.id),
            )
            decided = _stored(conn, city, found.id)
            act = doing.approve if status == "approved" else doing.reject
            if act is not None:
                _unless(act(conn, city, decided, checker, clock))
    except _No as no:
        return no.refusal
    proof.audit(
        conn, city, checker, f"units.{found.kind}.{status}", "registry-action", str(found.id),
        {"status": found.status, "maker": found.maker},
        {"status": status, "checker": checker, "reason": reason, "outcome": dict(outcome)},
    )  # fmt: skip
    return decided


def _undecidable(found: Action | None, checker: str) -> Refusal | None:
    if found is None:
        return Refusal("unknown-action", "없는 요청입니다.", "There is no such proposal.")
    if found.status != "proposed":
        return Refusal(
            "action-decided",
            f"이미 결정된 요청입니다 ({found.status}).",
            f"That proposal has been decided already ({found.status}).",
        )
    if found.maker.removeprefix("user:") == checker.removeprefix("user:"):
        return Refusal(
            "maker-is-checker",
            "요청한 사람은 결정할 수 없습니다. 다른 담당자가 확인해야 합니다.",
            "Whoever proposed it cannot decide on it; another person has to check.",
        )
    return None


def _unless(answer: UnitEvent | Refusal) -> None:
    if isinstance(answer, Refusal):
        raise _No(answer)


def _stored(conn: Connection, city: str, action_id: UUID) -> Action:
    found = action(conn, city, action_id)
    assert found is not None
    return found
