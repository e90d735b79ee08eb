"""The posting machine: decides a batch of transfers in strict order. Pure and deterministic.

It reads no clock, no randomness and no database: the same book, requests, instant and ids give the
same decisions. A refused request leaves the book as it found it and never disturbs the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from onsil.core.ids import IdSource
from onsil.core.refusal import Refusal
from onsil.ledger import refusals
from onsil.ledger.lots import LotState, Purse
from onsil.ledger.terms import (
    AMOUNT_MAX,
    Answer,
    Leg,
    LotTerms,
    Piece,
    TransferRequest,
)

LEGS_MAX = 1000
_KEY_MAX, _MEMO_MAX = 200, 1000


@dataclass(slots=True)
class AccountState:
    """An account while a batch is decided; `before` is its balance at the batch's beginning."""

    id: int
    code: str
    asset: str
    minimum: int | None
    maximum: int | None
    keeps_lots: bool
    balance: int
    closed: bool = False
    purse: Purse = field(default_factory=Purse)
    before: int = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.balance


@dataclass(frozen=True, slots=True)
class Decided:
    """What an idempotency key stands for already."""

    fingerprint: bytes
    transfer_id: UUID | None
    refusal: Refusal | None


@dataclass(slots=True)
class Book:
    """All that a batch's decisions depend on. `codes` are codes that exist with any asset."""

    accounts: dict[tuple[str, str], AccountState]
    keys: dict[str, Decided] = field(default_factory=dict)
    lots: dict[UUID, LotState] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    reversed: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class AppliedLeg:
    """A leg as applied, with the balances right after it."""

    source: AccountState
    destination: AccountState
    amount: int
    source_balance: int
    destination_balance: int
    pieces: list[Piece]


@dataclass(slots=True)
class AppliedTransfer:
    """A transfer as applied; `made` are its new lots in the order of their ids."""

    id: UUID
    request: TransferRequest
    fingerprint: bytes
    effective_at: datetime
    recorded_at: datetime
    legs: list[AppliedLeg]
    made: list[LotState]


@dataclass(frozen=True, slots=True)
class Decision:
    """One request's answer; `applied` is set when it moved something, `fresh` tells a first no."""

    answer: Answer
    applied: AppliedTransfer | None = None
    fingerprint: bytes = b""
    fresh: bool = True


def check_form(request: TransferRequest) -> Refusal | None:
    """The refusal of a request that can be judged without any account, or None."""
    key, kind, memo = request.key, request.kind, request.memo
    origin = request.origin_kind + request.origin_id
    if not 0 < len(key) <= _KEY_MAX or "\x00" in key:
        return refusals.malformed("key")
    if len(kind) > _KEY_MAX or len(memo) > _MEMO_MAX or len(origin) > _MEMO_MAX:
        return refusals.malformed("texts")
    if "\x00" in kind or "\x00" in memo or "\x00" in origin:
        return refusals.malformed("texts")
    if not 0 < len(request.legs) <= LEGS_MAX:
        return refusals.malformed("legs")
    if request.effective_at is not None and request.effective_at.tzinfo is None:
        return refusals.malformed("effective_at")
    for leg in request.legs:
        refusal = _check_leg(leg)
        if refusal is not None:
            return refusal
    return None


def _check_leg(leg: Leg) -> Refusal | None:
    if type(leg.amount) is not int or leg.amount <= 0:
        return refusals.amount_not_positive(str(leg.amount))
    if leg.amount > AMOUNT_MAX:
        return refusals.malformed("amount")
    for code in (leg.source, leg.destination, leg.asset):
        if not code or len(code) > 200 or "\x00" in code:
            return refusals.malformed("account")
    if leg.source == leg.destination:
        return refusals.same_account(leg.source)
    terms = leg.lot
    if terms is not None:
        text = terms.fund + terms.merchant_rule + terms.origin_kind + terms.origin_id
        if len(text) > 800 or "\x00" in text:
            return refusals.malformed("lot")
        if terms.expires_at is not None and terms.expires_at.tzinfo is None:
            return refusals.malformed("lot.expires_at")
    if leg.pieces is not None and (
        sum(p.amount for p in leg.pieces) != leg.amount or any(p.amount <= 0 for p in leg.pieces)
    ):
        return refusals.malformed("pieces")
    return None


def decide(
    book: Book, requests: Iterable[tuple[TransferRequest, bytes]], now: datetime, new_id: IdSource
) -> list[Decision]:
    """Decide (request, fingerprint) pairs one after the other, changing `book` as they apply.

    `now` is the instant of recording; ids from `new_id` must ascend.
    """
    return [_decide_one(book, request, mark, now, new_id) for request, mark in requests]


def _decide_one(
    book: Book, request: TransferRequest, fingerprint: bytes, now: datetime, new_id: IdSource
) -> Decision:
    key = request.key
    known = book.keys.get(key)
    if known is not None:
        return Decision(repeat(key, known, fingerprint), fingerprint=fingerprint, fresh=False)
    outcome = check_form(request)
    if outcome is None and request.reverses in book.reversed:
        outcome = refusals.already_reversed(str(request.reverses))
    if outcome is None:
        outcome = _Posting(book, request, now, new_id).run(fingerprint)
    if isinstance(outcome, Refusal):
        recordable = outcome.facts.get("what") != "key"  # what is no key cannot be remembered
        if recordable:
            book.keys[key] = Decided(fingerprint, None, outcome)
        return Decision(Answer(key, "refused", None, outcome), None, fingerprint, recordable)
    if request.reverses is not None:
        book.reversed.add(request.reverses)
    book.keys[key] = Decided(fingerprint, outcome.id, None)
    return Decision(Answer(key, "applied", outcome.id), outcome, fingerprint)


def repeat(key: str, known: Decided, fingerprint: bytes) -> Answer:
    """The answer to a request whose key has been decided before."""
    if known.fingerprint != fingerprint:
        return Answer(key, "refused", None, refusals.key_reused(key))
    if known.refusal is not None:
        return Answer(key, "refused", None, known.refusal, repeated=True)
    return Answer(key, "replayed", known.transfer_id, repeated=True)


class _Posting:
    """One transfer being applied; what it did so far can be undone."""

    __slots__ = (
        "balances",
        "book",
        "legs",
        "made",
        "new_id",
        "now",
        "request",
        "taken",
        "transfer",
    )

    def __init__(
        self, book: Book, request: TransferRequest, now: datetime, new_id: IdSource
    ) -> None:
        self.book, self.request, self.now, self.new_id = book, request, now, new_id
        self.transfer = new_id()
        self.balances: list[tuple[AccountState, int]] = []
        self.taken: list[tuple[LotState, int]] = []
        self.made: list[tuple[AccountState, LotState]] = []
        self.legs: list[AppliedLeg] = []

    def run(self, fingerprint: bytes) -> AppliedTransfer | Refusal:
        for leg in self.request.legs:
            refusal = self._apply(leg)
            if refusal is not None:
                self._undo()
                return refusal
        for lot, _ in self.taken:
            if not lot.remaining:
                account = self._owner(lot)
                if account is not None:
                    account.purse.tidy()
        request = self.request
        return AppliedTransfer(
            self.transfer, request, fingerprint, request.effective_at or self.now, self.now,
            self.legs, [lot for _, lot in self.made],
        )  # fmt: skip

    def _undo(self) -> None:
        for account, balance in reversed(self.balances):
            account.balance = balance
        for lot, remaining in reversed(self.taken):
            lot.remaining = remaining
        for account, lot in self.made:
            account.purse.drop(lot)
            del self.book.lots[lot.id]

    def _owner(self, lot: LotState) -> AccountState | None:
        for leg in self.legs:
            if leg.source.id == lot.account_id:
                return leg.source
        return None

    def _account(self, code: str, asset: str) -> AccountState | Refusal:
        account = self.book.accounts.get((code, asset))
        if account is None:
            known = code in self.book.codes
            make = refusals.asset_mismatch if known else refusals.unknown_account
            return make(code, asset)
        if account.closed:
            return refusals.account_closed(code, asset)
        return account

    def _apply(self, leg: Leg) -> Refusal | None:
        source = self._account(leg.source, leg.asset)
        if isinstance(source, Refusal):
            return source
        destination = self._account(leg.destination, leg.asset)
        if isinstance(destination, Refusal):
            return destination
        amount = leg.amount
        floor = source.minimum if source.minimum is not None else -AMOUNT_MAX
        if source.balance - amount < floor:
            available = max(0, source.balance - floor)
            return refusals.insufficient(leg.source, leg.asset, available, amount)
        ceiling = destination.maximum if destination.maximum is not None else AMOUNT_MAX
        if destination.balance + amount > ceiling:
            return refusals.over_limit(
                leg.destination, leg.asset, destination.balance, ceiling, amount
            )
        pieces = self._move_lots(leg, source, destination)
        if isinstance(pieces, Refusal):
            return pieces
        self.balances += ((source, source.balance), (destination, destination.balance))
        source.balance -= amount
        destination.balance += amount
        self.legs.append(
            AppliedLeg(source, destination, amount, source.balance, destination.balance, pieces)
        )
        return None

    def _move_lots(
        self, leg: Leg, source: AccountState, destination: AccountState
    ) -> list[Piece] | Refusal:
        if not source.keeps_lots and not destination.keeps_lots:
            return []
        if leg.pieces is not None:
            return self._move_exactly(leg, source, destination)
        if not source.keeps_lots:
            terms = leg.lot or LotTerms(
                origin_kind=self.request.origin_kind, origin_id=self.request.origin_id
            )
            return [Piece(None, self._make(destination, leg.amount, terms, None), leg.amount)]
        if leg.lot is not None:
            return refusals.lot_terms_fixed(leg.source, leg.asset)
        chosen, missing = source.purse.choose(leg.amount, leg.only, self.now)
        if missing:
            return refusals.lot_rule(
                leg.source, leg.asset, leg.amount - missing, leg.amount, source.balance
            )
        pieces = []
        for lot, part in chosen:
            self.taken.append((lot, lot.remaining))
            lot.remaining -= part
            made = None
            if destination.keeps_lots:
                made = self._make(destination, part, lot.terms, lot.id)
            pieces.append(Piece(lot.id, made, part))
        return pieces

    def _make(
        self, account: AccountState, amount: int, terms: LotTerms, parent: UUID | None
    ) -> UUID:
        lot = LotState(
            self.new_id(), account.id, amount, amount, self.transfer, parent, terms, fresh=True
        )
        account.purse.add(lot)
        self.book.lots[lot.id] = lot
        self.made.append((account, lot))
        return lot.id

    def _move_exactly(
        self, leg: Leg, source: AccountState, destination: AccountState
    ) -> list[Piece] | Refusal:
        """Take named lots and give their value back to named lots."""
        for piece in leg.pieces or ():
            for account, key in ((source, piece.taken), (destination, piece.made)):
                if account.keeps_lots != (key is not None):
                    return refusals.malformed("pieces")
            if piece.taken is not None:
                lot = self.book.lots.get(piece.taken)
                if lot is None or lot.account_id != source.id:
                    return refusals.malformed("pieces")
                if lot.remaining < piece.amount:
                    return refusals.lot_rule(
                        leg.source, leg.asset, lot.remaining, piece.amount, source.balance
                    )
                self.taken.append((lot, lot.remaining))
                lot.remaining -= piece.amount
            if piece.made is not None:
                lot = self.book.lots.get(piece.made)
                if lot is None or lot.account_id != destination.id:
                    return refusals.malformed("pieces")
                if lot.remaining + piece.amount > lot.initial:
                    return refusals.malformed("pieces")
                self.taken.append((lot, lot.remaining))
                lot.remaining += piece.amount
                if lot not in destination.purse.lots:
                    destination.purse.add(lot)
        return list(leg.pieces or ())


def touched_lots(book: Book, applied: Iterable[AppliedTransfer]) -> list[LotState]:
    """Existing lots whose remainder a batch has changed, in the order of their ids."""
    keys = {
        key
        for transfer in applied
        for leg in transfer.legs
        for piece in leg.pieces
        for key in (piece.taken, piece.made)
        if key is not None
    }
    return sorted((book.lots[k] for k in keys if not book.lots[k].fresh), key=lambda lot: lot.id)
