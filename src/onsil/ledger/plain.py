"""The machine's short way for plain payments. Pure; gives what the long way gives, and faster.

Most of a large batch is alike: one leg of a well-formed request between two open accounts, paid out
of the first lot. A stretch of requests is looked over as columns, which costs next to nothing a
request, and then decided in one loop. Whatever turns out not to be that simple goes the long way by
itself, before anything has been changed for it, so that refusals are told in one place only.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import eq

from onsil.core.ids import IdSource
from onsil.ledger.book import Applied, AppliedLeg, Book, Decision, PieceRow
from onsil.ledger.form import KEY_MAX, MEMO_MAX, check_terms
from onsil.ledger.lots import SPANS, TERMS, give
from onsil.ledger.terms import AMOUNT_MAX, LotTerms, TransferRequest

Marked = tuple[TransferRequest, bytes]
Alone = Callable[[Book, Marked, datetime, IdSource], Decision]
STRETCH_MIN, STRETCH_MAX = 8, 256
"""How many requests are looked over together: fewer are not worth it, and one that is not plain
sends all of its stretch the long way."""

_EXPIRY = 1  # in the rank of terms
_new = tuple.__new__  # a named tuple without the detour through its own constructor


def all_plain(stretch: Sequence[Marked]) -> bool:
    """Whether each of the requests passes `check_form` and moves one leg at once, with no filter
    and no positions named."""
    columns = zip(*[request for request, _ in stretch], strict=True)
    keys, kinds, legs, effective, memos, origin_kinds, origin_ids, *rest = columns
    reverses, phases, pending, timeouts, linked = rest
    size = len(stretch)
    if (
        phases.count("single") < size
        or any(linked)
        or any(found.count(None) < size for found in (reverses, pending, timeouts))
        or list(map(len, legs)).count(1) < size
        or any(at is not None and at.tzinfo is None for at in effective)
    ):
        return False
    sources, destinations, assets, amounts, lots, only, pieces = zip(
        *[leg for (leg,) in legs], strict=True
    )
    if (
        only.count(None) < size
        or pieces.count(None) < size
        or set(map(type, amounts)) != {int}
        or min(amounts) <= 0
        or max(amounts) > AMOUNT_MAX
        or any(map(eq, sources, destinations))
        or any(lot is not None and check_terms(lot) is not None for lot in lots)
    ):
        return False
    names = keys, sources, destinations, assets
    texts = kinds, memos, origin_kinds, origin_ids
    return (
        all(all(column) and _longest(column) <= KEY_MAX for column in names)
        and _longest(kinds) <= KEY_MAX
        and _longest(memos) <= MEMO_MAX
        and _longest(origin_kinds) + _longest(origin_ids) <= MEMO_MAX
        and not any("\x00" in "".join(column) for column in (*names, *texts))
    )


def _longest(texts: Sequence[str]) -> int:
    return max(map(len, texts))


def decide_plain(
    book: Book, stretch: Sequence[Marked], now: datetime, new_id: IdSource, alone: Alone
) -> list[Decision]:
    """Decide requests that are `all_plain`; `alone` decides those that are not so simple."""
    accounts, keys, terms = book.accounts, book.keys, book.terms
    ranks = terms.ranks
    decisions: list[Decision] = []
    for marked in stretch:
        request, mark = marked
        key = request[0]
        leg = request[2][0]
        source_code, destination_code, asset, amount, lot, _, _ = leg
        source = accounts.get((source_code, asset))
        destination = accounts.get((destination_code, asset))
        if (
            source is None or source.closed or destination is None or destination.closed
            or key in keys
        ):  # fmt: skip
            decisions.append(alone(book, marked, now, new_id))
            continue
        left = source.balance - amount
        grown = destination.balance + amount
        floor, ceiling = source.minimum, destination.maximum
        if left - source.held < (
            -AMOUNT_MAX if floor is None else floor
        ) or grown + destination.coming > (AMOUNT_MAX if ceiling is None else ceiling):
            decisions.append(alone(book, marked, now, new_id))
            continue
        number, taken, origin = 0, None, None
        if source.keeps_lots:
            purse = source.purse
            # The first layer's first span has to pay it all, with something left of it.
            if lot is not None or not purse or ranks[purse[0][TERMS]][_EXPIRY] <= now:
                decisions.append(alone(book, marked, now, new_id))
                continue
            layer = purse[0]
            taken = layer[SPANS]
            if layer[SPANS + 1] - taken <= amount:
                decisions.append(alone(book, marked, now, new_id))
                continue
            layer[SPANS] = taken + amount
            number = layer[TERMS]
        elif destination.keeps_lots:
            if lot is None:
                lot = LotTerms("", None, "", False, request.origin_kind, request.origin_id)
            origin = lot.origin_kind, lot.origin_id
            number = terms.number(lot)
        pieces: list[PieceRow] = []
        if destination.keeps_lots:
            received = destination.received
            made = give(destination.purse, terms, number, amount, received)
            destination.received = received + amount
            pieces.append((number, taken, made, amount))
        elif taken is not None:
            pieces.append((number, taken, None, amount))
        source.balance, destination.balance = left, grown
        moved = _new(AppliedLeg, (source, destination, amount, left, grown, pieces, origin))
        applied = Applied(new_id(), request, mark, now, [moved])
        decision = _new(Decision, (key, mark, applied.id, None, applied, True, False))
        keys[key] = decision
        decisions.append(decision)
    return decisions
