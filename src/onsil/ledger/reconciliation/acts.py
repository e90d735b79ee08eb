"""What people do about exceptions: match by hand, correct through the ledger, undo, comment.

Each needs a reason. Above the account's limit it waits until a second person approves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.ledger.accounts import open_accounts
from onsil.ledger.posting import post
from onsil.ledger.reconciliation import refusals, store
from onsil.ledger.reconciliation.booking import take_books_in
from onsil.ledger.reconciliation.terms import BankAccount, Correction, Line, Match, Text
from onsil.ledger.reversal import reverse
from onsil.ledger.terms import AccountSpec, Leg, TransferRequest

KIND = "correction"
Act = Literal["match", "correct", "undo"]


@dataclass(frozen=True)
class Order:
    """What is asked for: `lines` for a match or a correction, `match_id` for an undo."""

    act: Act
    reason: str
    lines: tuple[UUID, ...] = ()
    match_id: UUID | None = None
    correction: str = ""


@dataclass(frozen=True)
class Proposal:
    """An order and what became of it: done at once, or waiting for a second person."""

    id: UUID
    order: Order
    amount: int
    waiting: bool
    match_id: UUID | None


@dataclass(frozen=True)
class Office:
    """Where and when an act happens."""

    conn: Connection
    city: str
    account: BankAccount
    clock: Clock
    zone: ZoneInfo


def ask(office: Office, order: Order, actor: str) -> Proposal | Refusal:
    """Do it, or put it before a second person when it moves more than the account's limit.

    Refusals: `reason-missing`, `no-lines`, `line-not-open`, `sums-differ`, `nothing-to-correct`,
    `correction-unknown`, `match-undone`, `match-in-closed-day`, or the ledger's own.
    """
    if not order.reason.strip():
        return refusals.reason_missing()
    store.lock(office.conn, office.city, office.account.code)
    amount = _weight(office, order)
    if isinstance(amount, Refusal):
        return amount
    identity, waiting = new_id(), amount > office.account.limit_krw
    match_id = order.match_id
    if not waiting:
        done = _perform(office, identity, order, actor)
        if isinstance(done, Refusal):
            return done
        match_id = done
    _write(office, identity, order, amount, actor, match_id, waiting=waiting)
    return Proposal(identity, order, amount, waiting, match_id)


def decide(office: Office, proposal_id: UUID, approve: bool, actor: str) -> Proposal | Refusal:
    """Approve or decline what waits; not by who asked for it.

    Refusals: `proposal-decided`, `maker-is-checker`, and those of `ask`.
    """
    store.lock(office.conn, office.city, office.account.code)
    found = store.rows(
        office.conn,
        """SELECT * FROM reconciliation_proposal
        WHERE city = %s AND id = %s AND account = %s AND state = 'waiting' FOR UPDATE""",
        (office.city, proposal_id, office.account.code),
    )
    if not found:
        return refusals.proposal_gone()
    row = found[0]
    if row["made_by"] == actor:
        return refusals.maker_is_checker()
    order = Order(
        row["act"], row["reason"], tuple(row["lines"]), row["match_id"], row["correction"]
    )
    match_id = row["match_id"]
    if approve:
        done = _perform(office, proposal_id, order, row["made_by"])
        if isinstance(done, Refusal):
            return done
        match_id = done
    state = "done" if approve else "declined"
    store.run(
        office.conn,
        """UPDATE reconciliation_proposal SET state = %s, decided_by = %s, decided_at = %s,
          match_id = %s WHERE city = %s AND id = %s""",
        (state, actor, office.clock.now(), match_id, office.city, proposal_id),
    )
    proof.audit(
        office.conn, office.city, actor, f"reconciliation.{state}", "bank-proposal",
        str(proposal_id), {"state": "waiting"}, {"state": state},
    )  # fmt: skip
    return Proposal(proposal_id, order, row["amount"], False, match_id)


def comment(conn: Connection, city: str, line_id: UUID, text: str, actor: str, clock: Clock) -> (
    Refusal | None
):  # fmt: skip
    """Say something about a line. Refuses with `line-not-open` for a line that is not there."""
    if store.line(conn, city, line_id) is None:
        return refusals.line_gone(1)
    if not text.strip():
        return refusals.reason_missing()
    store.run(
        conn, "INSERT INTO reconciliation_comment VALUES (%s, %s, %s, %s, %s, %s)",
        (city, new_id(), line_id, text.strip()[:2000], actor, clock.now()),
    )  # fmt: skip
    return None


def _weight(office: Office, order: Order) -> int | Refusal:
    """How much money an order is about; a refusal when it cannot be carried out."""
    if order.act == "undo":
        held = _undoable(office, order)
        if isinstance(held, Refusal):
            return held
        return max(abs(held["bank_sum"]), abs(held["book_sum"]))
    chosen = _chosen(office, order.lines)
    if isinstance(chosen, Refusal):
        return chosen
    bank, book = _sums(chosen)
    if order.act == "match":
        if len(chosen) < 2:
            return refusals.nothing_chosen()
        return refusals.sums_differ(bank, book) if bank != book else max(
            abs(bank), max(abs(line.amount) for line in chosen)
        )  # fmt: skip
    if bank == book:
        return refusals.nothing_to_correct()
    if _correction(office.account, order.correction) is None:
        return refusals.unknown_correction(order.correction)
    return abs(bank - book)


def _chosen(office: Office, ids: Sequence[UUID]) -> list[Line] | Refusal:
    found = store.open_among(office.conn, office.city, ids)
    mine = [line for line in found if line.account == office.account.code]
    if len(mine) < len(set(ids)):
        return refusals.line_gone(len(set(ids)) - len(mine))
    return mine if mine else refusals.nothing_chosen()


def _sums(lines: Sequence[Line]) -> tuple[int, int]:
    bank = sum(line.amount for line in lines if line.side == "bank")
    return bank, sum(line.amount for line in lines if line.side == "book")


def _correction(account: BankAccount, code: str) -> Correction | None:
    return next((c for c in account.corrections if c.code == code), None)


def _undoable(office: Office, order: Order) -> store.Row | Refusal:
    held = None
    if order.match_id is not None:
        held = store.living_match(office.conn, office.city, order.match_id)
    if held is None or held["account"] != office.account.code:
        return refusals.match_gone()
    closed = store.last_closed_at(office.conn, office.city)
    if closed is not None and held["made_at"] <= closed:
        return refusals.match_closed()
    return held


def _perform(office: Office, identity: UUID, order: Order, actor: str) -> UUID | Refusal:
    """Carry an order out; the id of the match made or undone."""
    checked = _weight(office, order)
    if isinstance(checked, Refusal):
        return checked
    if order.act == "undo":
        return _undo(office, order, actor)
    chosen = _chosen(office, order.lines)
    if isinstance(chosen, Refusal):
        return chosen
    correction = None
    if order.act == "correct":
        posted = _post(office, identity, order, chosen)
        if isinstance(posted, Refusal):
            return posted
        correction = posted
        take_books_in(office.conn, office.city, office.account, office.clock, office.zone)
        chosen += store.of_transfers(office.conn, office.city, office.account.code, [posted])
    return _hold(office, order, chosen, actor, correction)


def _hold(
    office: Office, order: Order, lines: Sequence[Line], actor: str, correction: UUID | None
) -> UUID:
    made = Match(
        "by-hand" if correction is None else "by-correction", Text(order.reason, order.reason),
        tuple(line for line in lines if line.side == "bank"),
        tuple(line for line in lines if line.side == "book"),
    )  # fmt: skip
    match_id = new_id()
    store.add_match(
        office.conn, office.city, match_id, office.account.code, made, rules_from=None,
        correction=correction, actor=actor, at=office.clock.now(),
    )  # fmt: skip
    return match_id


def _post(office: Office, identity: UUID, order: Order, chosen: Sequence[Line]) -> UUID | Refusal:
    """Write the difference to the correction's account, so that the books agree with the bank."""
    to = _correction(office.account, order.correction)
    assert to is not None, "the order was checked"
    book = office.account.books[0]
    bank_sum, book_sum = _sums(chosen)
    moved = book.sign * (bank_sum - book_sum)  # as the mirroring account sees it
    ends = (to.account, book.account) if moved > 0 else (book.account, to.account)
    open_accounts(
        office.conn, office.city, [AccountSpec(to.account, book.asset, to.kind, minimum=None)]
    )
    key = f"reconciliation:{identity}"
    request = TransferRequest(
        key, KIND, (Leg(*ends, book.asset, abs(moved)),), memo=order.reason[:200],
        origin_kind="reconciliation", origin_id=str(identity),
    )  # fmt: skip
    answer = post(office.conn, office.city, [request], office.clock)[key]
    if answer.refusal is not None:
        return answer.refusal
    assert answer.transfer_id is not None, "an applied transfer has an id"
    return answer.transfer_id


def _undo(office: Office, order: Order, actor: str) -> UUID | Refusal:
    held = _undoable(office, order)
    if isinstance(held, Refusal):
        return held
    match_id: UUID = held["id"]
    correction: UUID | None = held["correction"]
    back: UUID | None = None
    if correction is not None:
        key = f"reconciliation:undo:{match_id}"
        answer = reverse(
            office.conn, office.city, correction, key, office.clock, order.reason[:200]
        )
        if isinstance(answer, Refusal):
            return answer
        if answer.refusal is not None:
            return answer.refusal
        back = answer.transfer_id
        assert back is not None, "an applied reversal has an id"
    store.release(
        office.conn, office.city, match_id, order.reason, actor, office.clock.now()
    )  # fmt: skip
    if correction is not None and back is not None:
        take_books_in(office.conn, office.city, office.account, office.clock, office.zone)
        pair = store.of_transfers(office.conn, office.city, office.account.code, [correction, back])
        assert sum(line.amount for line in pair) == 0, "a reversal takes its transfer back"
        _hold(office, order, pair, actor, None)
    return match_id


def _write(
    office: Office, identity: UUID, order: Order, amount: int, actor: str, match_id: UUID | None,
    *, waiting: bool,
) -> None:  # fmt: skip
    now = office.clock.now()
    store.run(
        office.conn,
        """INSERT INTO reconciliation_proposal (city, id, account, act, lines, match_id, correction,
          amount, reason, made_by, made_at, state, decided_by, decided_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            office.city, identity, office.account.code, order.act, list(order.lines), match_id,
            order.correction, amount, order.reason, actor, now,
            "waiting" if waiting else "done", "" if waiting else actor, None if waiting else now,
        ),
    )  # fmt: skip
    proof.audit(
        office.conn, office.city, actor, f"reconciliation.{order.act}", "bank-proposal",
        str(identity), None,
        {"account": office.account.code, "amount": amount, "reason": order.reason,
         "state": "waiting" if waiting else "done"},
    )  # fmt: skip
