"""Two-phase transfers: value set aside at the source, then posted, in part or whole, or released.

Pure. The exact positions are held: nobody else can spend them, and what is released is where it
was. Value that expires while it is held may still be posted, it was set aside in time.
"""

from collections.abc import Iterator
from datetime import datetime

from onsil.core.refusal import Refusal
from onsil.ledger import refusals
from onsil.ledger.book import (
    AppliedLeg,
    Book,
    HeldLeg,
    PieceRow,
    Reserved,
    Undo,
    parties,
)
from onsil.ledger.lots import TERMS, choose, give, restore, take
from onsil.ledger.terms import Leg, LotTerms, TransferRequest


def reserve(
    book: Book, request: TransferRequest, now: datetime, undo: Undo
) -> list[HeldLeg] | Refusal:
    """Set aside what the legs will move; the caller makes the reservation out of it.

    Refuses as a single transfer of the same legs would.
    """
    held: list[HeldLeg] = []
    for leg in request.legs:
        found = parties(book, leg)
        if isinstance(found, Refusal):
            return found
        source, destination = found
        undo.keep(source, destination)
        one = HeldLeg(source, destination, leg.amount, [], None)
        no = _set_aside(book, request, leg, one, now)
        if no is not None:
            return no
        source.held += leg.amount
        destination.coming += leg.amount
        held.append(one)
    return held


def _set_aside(
    book: Book, request: TransferRequest, leg: Leg, one: HeldLeg, now: datetime
) -> Refusal | None:
    source, terms = one.source, book.terms
    if source.keeps_lots:
        if leg.lot is not None:
            return refusals.lot_terms_fixed(leg.source, leg.asset)
        chosen, missing = choose(source.purse, terms, leg.amount, leg.only, now)
        if missing:
            return refusals.lot_rule(
                leg.source, leg.asset, leg.amount - missing, leg.amount, source.balance
            )
        for layer, part in chosen:
            number = layer[TERMS]
            one.pieces += [(number, *stretch) for stretch in take(source.purse, layer, part)]
    elif one.destination.keeps_lots:
        issued = leg.lot or LotTerms("", None, "", False, request.origin_kind, request.origin_id)
        one.origin = issued.origin_kind, issued.origin_id
        one.pieces.append((terms.number(issued), None, leg.amount))
    return None


def reserved_legs(reserved: Reserved) -> list[AppliedLeg]:
    """How the journal tells of a reservation or its release: nothing has moved."""
    return [
        AppliedLeg(
            leg.source, leg.destination, leg.amount, leg.source.balance, leg.destination.balance,
            [(terms, taken, None, amount) for terms, taken, amount in leg.pieces], leg.origin,
        )
        for leg in reserved.legs
    ]  # fmt: skip


def settle(
    book: Book, request: TransferRequest, now: datetime, undo: Undo
) -> tuple[Reserved, list[AppliedLeg]] | Refusal:
    """Post or void the reservation that a request names.

    Refuses with `pending-unknown`, `pending-settled`, `pending-expired`, and with
    `malformed-request` when the legs to post are not those reserved, or more.
    """
    name = str(request.pending)
    reserved = None if request.pending is None else book.reserved.get(request.pending)
    if reserved is None:
        return refusals.pending_unknown(name)
    if reserved.settled_by is not None:
        return refusals.pending_settled(name)
    if request.phase == "void":
        amounts = [0] * len(reserved.legs)
    elif reserved.timeout_at is not None and reserved.timeout_at <= now:
        return refusals.pending_expired(name, reserved.timeout_at)
    else:
        found = _amounts(reserved, request.legs)
        if found is None:
            return refusals.malformed("legs")
        amounts = found
    told = reserved_legs(reserved) if request.phase == "void" else []
    for leg, amount in zip(reserved.legs, amounts, strict=True):
        undo.keep(leg.source, leg.destination)
        leg.source.held -= leg.amount
        leg.destination.coming -= leg.amount
        moved = _move(book, leg, amount)
        if amount:
            told.append(moved)
    undo.settled.append(reserved)
    return reserved, told


def _amounts(reserved: Reserved, legs: tuple[Leg, ...]) -> list[int] | None:
    """What to post of each leg; None when the legs are others or ask for more."""
    if not legs:
        return [leg.amount for leg in reserved.legs]
    if len(legs) != len(reserved.legs):
        return None
    for leg, held in zip(legs, reserved.legs, strict=True):
        same = (leg.source, leg.destination, leg.asset) == (
            held.source.code, held.destination.code, held.source.asset
        )  # fmt: skip
        if not same or leg.amount > held.amount:
            return None
    return [leg.amount for leg in legs]


def _move(book: Book, leg: HeldLeg, amount: int) -> AppliedLeg:
    """Move `amount` of a held leg and give the rest back to its positions."""
    source, destination = leg.source, leg.destination
    pieces: list[PieceRow] = []
    for terms, taken, part, posted in _split(leg, amount):
        if posted:
            made = None
            if destination.keeps_lots:
                made = give(destination.purse, book.terms, terms, part, destination.received)
                destination.received += part
            pieces.append((terms, taken, made, part))
        elif taken is not None:
            restore(source.purse, book.terms, terms, taken, part, source.received)
    source.balance -= amount
    destination.balance += amount
    return AppliedLeg(
        source, destination, amount, source.balance, destination.balance, pieces, leg.origin
    )


def _split(leg: HeldLeg, amount: int) -> Iterator[tuple[int, int | None, int, bool]]:
    """(terms, first position, part, whether it is posted): the first `amount`, then the rest."""
    for terms, taken, size in leg.pieces:
        part = min(size, amount)
        amount -= part
        if part:
            yield terms, taken, part, True
        if part < size:
            rest = None if taken is None else taken + part
            yield terms, rest, size - part, False
