"""The posting machine: decides a batch of transfers in strict order. Pure and deterministic.

It reads no clock, no randomness and no database: the same book, requests, instant and ids give the
same decisions. A refused request leaves the book as it found it and never disturbs the others.
"""

from collections.abc import Iterable
from datetime import datetime

from onsil.core.ids import IdSource
from onsil.core.refusal import Refusal
from onsil.ledger import refusals
from onsil.ledger.book import (
    AccountState,
    Applied,
    AppliedLeg,
    Book,
    Decision,
    PieceRow,
    Reserved,
    Undo,
    parties,
)
from onsil.ledger.form import check_form
from onsil.ledger.lots import TERMS, choose, give, restore, take, take_exactly
from onsil.ledger.pending import reserve, reserved_legs, settle
from onsil.ledger.plain import STRETCH_MAX, STRETCH_MIN, all_plain, decide_plain
from onsil.ledger.terms import Leg, LotTerms, TransferRequest

Marked = tuple[TransferRequest, bytes]


def decide(
    book: Book, requests: Iterable[Marked], now: datetime, new_id: IdSource
) -> list[Decision]:
    """Decide (request, fingerprint) pairs one after the other, changing `book` as they apply.

    `now` is the instant of recording; ids from `new_id` must ascend. Linked requests are decided
    as one, and so is a chain that is left open at the end: it is refused.
    """
    asked = requests if isinstance(requests, list) else list(requests)
    decisions: list[Decision] = []
    chain: list[Marked] = []
    for start in range(0, len(asked), STRETCH_MAX):
        stretch = asked[start : start + STRETCH_MAX]
        if not chain and len(stretch) >= STRETCH_MIN and all_plain(stretch):
            decisions += decide_plain(book, stretch, now, new_id, _decide_alone)
            continue
        for marked in stretch:
            if marked[0].linked or chain:
                chain.append(marked)
                if not marked[0].linked:
                    decisions += _decide_chain(book, chain, now, new_id)
                    chain = []
            else:
                decisions.append(_decide_alone(book, marked, now, new_id))
    return decisions + _decide_chain(book, chain, now, new_id)


def _decide_alone(book: Book, marked: Marked, now: datetime, new_id: IdSource) -> Decision:
    request, mark = marked
    known = book.keys.get(request.key)
    if known is not None:
        return known.repeat(mark)
    # A single leg changes nothing before everything is checked, so there is nothing to take back.
    simple = request.phase == "single" and request.reverses is None and len(request.legs) == 1
    simple = simple and request.legs[0].pieces is None
    undo = None if simple else Undo()
    outcome = _apply(book, marked, now, new_id, undo)
    if isinstance(outcome, Refusal):
        if undo is not None:
            undo.roll_back(book)
        return _refused(book, request.key, mark, outcome)
    decision = Decision(request.key, mark, outcome.id, None, outcome, True)
    book.keys[request.key] = decision
    return decision


def _decide_chain(
    book: Book, chain: list[Marked], now: datetime, new_id: IdSource
) -> list[Decision]:
    """All of a chain or none: the one to blame gets its own refusal, the others `linked-failed`.

    Members decided before are told as such, and the others then fail.
    """
    known = [book.keys.get(request.key) for request, _ in chain]
    undo, applied, blame, refusal = Undo(), [], -1, None
    if any(known) or len({request.key for request, _ in chain}) < len(chain):
        refusal = refusals.linked_failed()
    elif chain and chain[-1][0].linked:
        blame, refusal = len(chain) - 1, refusals.malformed("linked")
    for n, marked in enumerate(chain if refusal is None else ()):
        outcome = _apply(book, marked, now, new_id, undo)
        if isinstance(outcome, Refusal):
            undo.roll_back(book)
            blame, refusal = n, outcome
            break
        applied.append(outcome)
    if refusal is None:
        return [_remember(book, one) for one in applied]
    decisions = []
    for n, (request, mark) in enumerate(chain):
        earlier = book.keys.get(request.key)
        if earlier is not None:
            decisions.append(earlier.repeat(mark))
        else:
            no = refusal if n == blame else refusals.linked_failed()
            decisions.append(_refused(book, request.key, mark, no))
    return decisions


def _remember(book: Book, applied: Applied) -> Decision:
    key = applied.request.key
    book.keys[key] = Decision(key, applied.fingerprint, applied.id, None, applied, True)
    return book.keys[key]


def _refused(book: Book, key: str, mark: bytes, refusal: Refusal) -> Decision:
    """A first no; what is no key cannot be remembered."""
    recordable = refusal.facts.get("what") != "key"
    decision = Decision(key, mark, None, refusal, None, recordable)
    if recordable:
        book.keys[key] = decision
    return decision


def _apply(
    book: Book, marked: Marked, now: datetime, new_id: IdSource, undo: Undo | None
) -> Applied | Refusal:
    """Apply one request. Whatever it has changed when it refuses is in `undo`."""
    request, mark = marked
    no = check_form(request)
    if no is not None:
        return no
    if request.reverses is not None:
        if request.reverses in book.reversed:
            return refusals.already_reversed(str(request.reverses))
        assert undo is not None
        undo.reversed.append(request.reverses)
        book.reversed.add(request.reverses)
    if request.phase == "single":
        legs: list[AppliedLeg] = []
        for leg in request.legs:
            outcome = _apply_leg(book, request, leg, now, undo)
            if isinstance(outcome, Refusal):
                return outcome
            legs.append(outcome)
        return Applied(new_id(), request, mark, now, legs)
    assert undo is not None
    if request.phase == "pending":
        held = reserve(book, request, now, undo)
        if isinstance(held, Refusal):
            return held
        reserved = Reserved(new_id(), request.timeout_at, held)
        book.reserved[reserved.id] = reserved
        undo.reserved.append(reserved.id)
        return Applied(reserved.id, request, mark, now, reserved_legs(reserved))
    settled = settle(book, request, now, undo)
    if isinstance(settled, Refusal):
        return settled
    reserved, legs = settled
    reserved.settled_by = new_id()
    return Applied(reserved.settled_by, request, mark, now, legs)


def _apply_leg(
    book: Book, request: TransferRequest, leg: Leg, now: datetime, undo: Undo | None
) -> AppliedLeg | Refusal:
    found = parties(book, leg)
    if isinstance(found, Refusal):
        return found
    source, destination = found
    if undo is not None:
        undo.keep(source, destination)
    pieces: list[PieceRow] = []
    origin = None
    if leg.pieces is not None:
        no = _move_exactly(book, leg, source, destination, pieces)
    elif source.keeps_lots:
        no = _spend(book, leg, source, destination, now, pieces)
    else:
        no = None
        if destination.keeps_lots:
            issued = leg.lot or LotTerms(
                "", None, "", False, request.origin_kind, request.origin_id
            )
            origin = issued.origin_kind, issued.origin_id
            _receive(book, destination, book.terms.number(issued), None, leg.amount, pieces)
    if no is not None:
        return no
    source.balance -= leg.amount
    destination.balance += leg.amount
    return AppliedLeg(
        source, destination, leg.amount, source.balance, destination.balance, pieces, origin
    )


def _receive(
    book: Book, account: AccountState, terms: int, taken: int | None, amount: int,
    pieces: list[PieceRow],
) -> None:  # fmt: skip
    """Value arrives; where the account keeps no lots, its terms end here."""
    made = None
    if account.keeps_lots:
        made = give(account.purse, book.terms, terms, amount, account.received)
        account.received += amount
    pieces.append((terms, taken, made, amount))


def _spend(
    book: Book, leg: Leg, source: AccountState, destination: AccountState, now: datetime,
    pieces: list[PieceRow],
) -> Refusal | None:  # fmt: skip
    """Take value in spending order, whichever lots the leg may take."""
    if leg.lot is not None:
        return refusals.lot_terms_fixed(leg.source, leg.asset)
    chosen, missing = choose(source.purse, book.terms, leg.amount, leg.only, now)
    if missing:
        return refusals.lot_rule(
            leg.source, leg.asset, leg.amount - missing, leg.amount, source.balance
        )
    for layer, part in chosen:
        terms = layer[TERMS]
        for start, amount in take(source.purse, layer, part):
            _receive(book, destination, terms, start, amount, pieces)
    return None


def _move_exactly(
    book: Book, leg: Leg, source: AccountState, destination: AccountState, pieces: list[PieceRow]
) -> Refusal | None:
    """Take the named positions and give them back to where they had been taken from."""
    for piece in leg.pieces or ():
        terms, amount = book.terms.number(piece.terms), piece.amount
        if source.keeps_lots != (piece.taken is not None):
            return refusals.malformed("pieces")
        if destination.keeps_lots != (piece.made is not None):
            return refusals.malformed("pieces")
        if piece.taken is not None and not take_exactly(source.purse, terms, piece.taken, amount):
            return refusals.moved_on(leg.source, leg.asset, amount)
        if piece.made is not None and not restore(
            destination.purse, book.terms, terms, piece.made, amount, destination.received
        ):
            return refusals.malformed("pieces")
        pieces.append((terms, piece.taken, piece.made, amount))
    return None
