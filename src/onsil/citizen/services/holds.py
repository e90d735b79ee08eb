"""Value set aside by a pending transfer, and what becomes of it: done, given up, or lapsed.

Whoever ends a hold first wins, whatever is clicked at once: the row is locked while the end is
asked for, only one end is asked for at a time, and the ledger settles a pending transfer once.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, TypeVar

from onsil import ledger
from onsil.citizen.models import Held
from onsil.citizen.services import postings
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.tenancy import current_city, transaction

Row = TypeVar("Row", bound=Held)
Ended = Callable[[Connection, Row], None]

_GONE = frozenset({"pending-expired", "pending-settled"})
_ENDS = {"post": Held.Outcome.DONE, "void": Held.Outcome.GIVEN_UP}


def locked(row: Row) -> Row:
    """The row as it stands, locked until the transaction ends."""
    return type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)


def ask(
    tx: Connection, row: Held, phase: Literal["post", "void"], kind: str, *, memo: str = "",
    origin_kind: str = "", origin_id: str = "", before: Iterable[ledger.TransferRequest] = (),
) -> None:  # fmt: skip
    """Ask the ledger to post or void a hold that is locked and open; its answer comes later.

    `before` are requests that stand or fall with it, each linked to the next.
    """
    assert row.open, "only an open hold can be ended"
    assert not row.outcome_key, "an end has been asked for"
    row.outcome_key = f"{row.key}:{phase}"
    row.save(update_fields=["outcome_key"])
    request = ledger.TransferRequest(
        key=row.outcome_key, kind=kind, legs=(), memo=memo, origin_kind=origin_kind,
        origin_id=origin_id, phase=phase, pending=row.transfer_id,
    )  # fmt: skip
    ledger.submit(tx, current_city(), [*before, request])


def settle(
    row: Row, clock: Clock = SYSTEM, patience_s: float | None = None, ended: Ended | None = None
) -> Row:
    """Wait for what was asked of a hold, its making or its end, and remember the answer."""
    row = postings.settle(row, clock, patience_s)
    if row.open and row.outcome_key:
        waited = postings.PATIENCE_S if patience_s is None else patience_s
        ledger.wait(postings.dsn(), current_city(), [row.outcome_key], waited)
    return refresh(row, clock, ended)


def refresh(row: Row, clock: Clock = SYSTEM, ended: Ended | None = None) -> Row:
    """Look for answers that are still out; a hold whose time is over lapses.

    `ended(tx, row)` is told once, in the same transaction, when the hold has come to its end.
    """
    row = postings.refresh(row, clock)
    if not row.open:
        return row
    row.refresh_from_db()  # somebody else may have asked for the end meanwhile
    if row.outcome_key:
        with transaction() as tx:
            row = locked(row)
            if row.open:
                _look(tx, row, clock.now(), ended)
    if row.open and not row.outcome_key and clock.now() >= row.expires_at:
        return _lapse(row, clock, ended)
    return row


def _look(tx: Connection, row: Held, now: datetime, ended: Ended | None) -> None:
    answer = ledger.answers(tx, current_city(), [row.outcome_key]).get(row.outcome_key)
    if answer is None or answer.state == "pending":
        return
    if answer.transfer_id is not None and answer.state in ("applied", "replayed"):
        phase = row.outcome_key.rsplit(":", 1)[-1]
        lapsed = phase == "void" and now >= row.expires_at
        row.outcome = Held.Outcome.LAPSED if lapsed else _ENDS[phase]
        row.outcome_transfer_id = answer.transfer_id
    elif answer.refusal is not None and answer.refusal.code in _GONE:
        row.outcome = Held.Outcome.LAPSED
    else:
        no = answer.refusal
        assert no is not None, "a refused answer says why"
        row.refusal_code, row.refusal_ko, row.refusal_en = no.code, no.ko, no.en
        row.outcome_key = ""  # it stays open, and may be ended otherwise
        row.save()
        return
    row.outcome_at = now
    row.save()
    if ended is not None:
        ended(tx, row)


def _lapse(row: Row, clock: Clock, ended: Ended | None) -> Row:
    """Release what nobody took in time. The writer may have done so already: then it says so."""
    with transaction() as tx:
        row = locked(row)
        if row.open and not row.outcome_key:
            ask(tx, row, "void", "lapse")
    return settle(row, clock, None, ended)
