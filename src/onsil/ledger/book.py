"""What a batch's decisions depend on and change: accounts, keys, reservations. Pure, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from onsil.core.refusal import Refusal
from onsil.ledger import refusals
from onsil.ledger.lots import Purse, TermsBook
from onsil.ledger.terms import AMOUNT_MAX, Answer, Leg, TransferRequest

PieceRow = tuple[int, int | None, int | None, int]
"""A piece as the journal keeps it: number of the terms, taken, made, amount."""


@dataclass(slots=True, eq=False)
class AccountState:
    """An account while batches are decided. `received` is all it ever received, which is where a
    new lot's positions begin."""

    id: int
    code: str
    asset: str
    minimum: int | None
    maximum: int | None
    keeps_lots: bool
    balance: int
    held: int = 0
    coming: int = 0
    received: int = 0
    purse: Purse = field(default_factory=list)
    closed: bool = False

    def snapshot(self) -> tuple[Any, ...]:
        """All that a transfer may change."""
        purse = [layer[:] for layer in self.purse]
        return self.balance, self.held, self.coming, self.received, purse

    def reset(self, snapshot: tuple[Any, ...]) -> None:
        self.balance, self.held, self.coming, self.received, self.purse = snapshot


class AppliedLeg(NamedTuple):
    """A leg as applied, with the balances right after it; `origin` is that of newly issued value
    (None when nothing was issued). Of a pending or void, what was reserved or released."""

    source: AccountState
    destination: AccountState
    amount: int
    source_balance: int
    destination_balance: int
    pieces: Sequence[PieceRow]
    origin: tuple[str, str] | None


@dataclass(slots=True, eq=False)
class Applied:
    """A transfer as applied."""

    id: UUID
    request: TransferRequest
    fingerprint: bytes
    recorded_at: datetime
    legs: list[AppliedLeg]

    @property
    def effective_at(self) -> datetime:
        return self.request.effective_at or self.recorded_at


class Decision(NamedTuple):
    """What a key stands for. `applied` is set when this very decision moved something; `fresh`
    when it has to be recorded; `repeated` when it tells of an earlier one."""

    key: str
    fingerprint: bytes
    transfer_id: UUID | None
    refusal: Refusal | None
    applied: Applied | None = None
    fresh: bool = False
    repeated: bool = False

    @property
    def answer(self) -> Answer:
        if self.refusal is not None:
            return Answer(self.key, "refused", None, self.refusal, self.repeated)
        state = "replayed" if self.repeated else "applied"
        return Answer(self.key, state, self.transfer_id, None, self.repeated)

    def repeat(self, fingerprint: bytes) -> "Decision":
        """The answer to another request under this decision's key."""
        if self.fingerprint != fingerprint:
            return Decision(self.key, fingerprint, None, refusals.key_reused(self.key))
        return self._replace(applied=None, fresh=False, repeated=True)


@dataclass(slots=True, eq=False)
class HeldLeg:
    """A leg of a pending transfer: the positions it holds (number of terms, first position or
    None, amount) and the origin of what it will issue."""

    source: AccountState
    destination: AccountState
    amount: int
    pieces: list[tuple[int, int | None, int]]
    origin: tuple[str, str] | None


@dataclass(slots=True, eq=False)
class Reserved:
    """A pending transfer; `settled_by` is the post or void that ended it."""

    id: UUID
    timeout_at: datetime | None
    legs: list[HeldLeg]
    settled_by: UUID | None = None


@dataclass(slots=True, eq=False)
class Book:
    """All that a batch's decisions depend on. `codes` are codes that exist with any asset."""

    accounts: dict[tuple[str, str], AccountState]
    terms: TermsBook = field(default_factory=TermsBook)
    keys: dict[str, Decision] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    reversed: set[UUID] = field(default_factory=set)
    reserved: dict[UUID, Reserved] = field(default_factory=dict)


class Undo:
    """What a transfer or chain has changed so far, so that it can be taken back exactly."""

    __slots__ = ("accounts", "reserved", "reversed", "settled")

    def __init__(self) -> None:
        self.accounts: dict[int, tuple[AccountState, tuple[Any, ...]]] = {}
        self.reversed: list[UUID] = []
        self.reserved: list[UUID] = []
        self.settled: list[Reserved] = []

    def keep(self, *accounts: AccountState) -> None:
        """Remember accounts as they are, unless they are remembered already."""
        for account in accounts:
            if account.id not in self.accounts:
                self.accounts[account.id] = account, account.snapshot()

    def roll_back(self, book: Book) -> None:
        for account, snapshot in self.accounts.values():
            account.reset(snapshot)
        for transfer in self.reversed:
            book.reversed.discard(transfer)
        for transfer in self.reserved:
            del book.reserved[transfer]
        for reserved in self.settled:
            reserved.settled_by = None


def parties(book: Book, leg: Leg) -> tuple[AccountState, AccountState] | Refusal:
    """The accounts of a leg, when both are open and their limits allow it."""
    source = book.accounts.get((leg.source, leg.asset))
    if source is None or source.closed:
        return _unusable(book, source, leg.source, leg.asset)
    destination = book.accounts.get((leg.destination, leg.asset))
    if destination is None or destination.closed:
        return _unusable(book, destination, leg.destination, leg.asset)
    amount = leg.amount
    floor = -AMOUNT_MAX if source.minimum is None else source.minimum
    available = source.balance - source.held - floor
    if available < amount:
        return refusals.insufficient(leg.source, leg.asset, max(0, available), amount)
    ceiling = AMOUNT_MAX if destination.maximum is None else destination.maximum
    if destination.balance + destination.coming + amount > ceiling:
        return refusals.over_limit(
            leg.destination, leg.asset, destination.balance + destination.coming, ceiling, amount
        )
    return source, destination


def _unusable(book: Book, found: AccountState | None, code: str, asset: str) -> Refusal:
    if found is not None:
        return refusals.account_closed(code, asset)
    if code in book.codes:
        return refusals.asset_mismatch(code, asset)
    return refusals.unknown_account(code, asset)
