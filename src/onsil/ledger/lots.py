"""Lots as intervals of positions: what a payment takes, in which order, and where it goes. Pure.

A *layer* is the live value of equal terms in one account, as a flat list of integers

    [terms, born, end, start, stop, start, stop, ...]

`terms` is the number of the interned terms, `end` the position that the next unit gets, and the
rest the live spans [start, stop), ascending and apart. `born` is the lowest position the layer has
held, its age. A *purse* is the list of an account's layers in spending order.
"""

from bisect import insort
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from onsil.ledger.terms import LotFilter, LotTerms

Layer = list[int]
Purse = list[Layer]
Rank = tuple[bool, datetime]
TERMS, BORN, END, SPANS = 0, 1, 2, 3
ORIGIN = 4  # where the origin begins among the terms

_NEVER = datetime.max.replace(tzinfo=UTC)


class TermsBook:
    """Terms by small numbers, and the numbers by terms; origins are left out."""

    def __init__(self, known: dict[int, LotTerms] | None = None) -> None:
        self.terms: dict[int, LotTerms] = {}
        self.ranks: dict[int, Rank] = {}
        self.fresh: list[int] = []
        self.last = 0
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._absent: set[tuple[Any, ...]] = set()
        for number, terms in (known or {}).items():
            self.learn(number, terms)

    def learn(self, number: int, terms: LotTerms) -> None:
        """Take in terms that have their number already."""
        self.terms[number] = terms
        self.ranks[number] = terms.merchant_rule == "", terms.expires_at or _NEVER
        self._numbers[terms[:ORIGIN]] = number
        self.last = max(self.last, number)

    def knows(self, plain: tuple[Any, ...]) -> bool:
        """Whether terms, given without their origin, have a number or are known to have none."""
        return plain in self._numbers or plain in self._absent

    def lacks(self, plain: Iterable[tuple[Any, ...]]) -> None:
        """Note that what of these terms has no number here has none anywhere."""
        self._absent |= set(plain) - self._numbers.keys()

    def number(self, terms: LotTerms) -> int:
        """The number of terms, whatever their origin; a new one is noted in `fresh`."""
        known = self._numbers.get(terms[:ORIGIN])
        if known is None:
            known = self.last + 1
            self.learn(known, LotTerms(*terms[:ORIGIN]))
            self.fresh.append(known)
        return known

    def order(self, layer: Layer) -> tuple[Rank, int, int]:
        """Sort key of the spending order: what is bound to a merchant rule goes first, for it fits
        least often; then what expires first; then what is oldest."""
        return self.ranks[layer[TERMS]], layer[BORN], layer[TERMS]


def live(layer: Layer) -> int:
    """How much of a layer is there."""
    return sum(layer[SPANS + 1 :: 2]) - sum(layer[SPANS::2])


def spendable(terms: LotTerms, only: LotFilter | None, now: datetime) -> bool:
    """Whether a leg with the filter `only` may take value of these terms at `now`."""
    expired = terms.expires_at is not None and terms.expires_at <= now
    if only is None:
        return not expired
    return (
        expired == only.expired
        and (
            only.merchant_rules is None
            or terms.merchant_rule == ""
            or terms.merchant_rule in only.merchant_rules
        )
        and (only.funds is None or terms.fund in only.funds)
        and (only.refundable is None or terms.refundable == only.refundable)
    )


def choose(
    purse: Purse, book: TermsBook, amount: int, only: LotFilter | None, now: datetime
) -> tuple[list[tuple[Layer, int]], int]:
    """The layers that pay `amount`, each with its part, and what is then still missing.

    Nothing is taken yet.
    """
    chosen: list[tuple[Layer, int]] = []
    for layer in purse:
        if spendable(book.terms[layer[TERMS]], only, now):
            enough = layer[SPANS + 1] - layer[SPANS] >= amount  # mostly: the first span pays it
            part = amount if enough else min(live(layer), amount)
            chosen.append((layer, part))
            amount -= part
            if not amount:
                break
    return chosen, amount


def take(purse: Purse, layer: Layer, amount: int) -> list[tuple[int, int]]:
    """Take the oldest `amount` of a layer, which has as much: (position, amount) of each stretch.

    A layer that is used up leaves the purse.
    """
    taken: list[tuple[int, int]] = []
    while amount:
        start = layer[SPANS]
        part = min(layer[SPANS + 1] - start, amount)
        taken.append((start, part))
        amount -= part
        layer[SPANS] += part
        if layer[SPANS] == layer[SPANS + 1]:
            del layer[SPANS : SPANS + 2]
    if len(layer) == SPANS:
        purse.remove(layer)
    return taken


def give(purse: Purse, book: TermsBook, terms: int, amount: int, received: int) -> int:
    """Put newly received value in; its first position. `received` is all that the account had
    received before, so that no position of a lot ever comes again."""
    for layer in purse:
        if layer[TERMS] == terms:
            made = layer[END]
            layer[END] += amount
            if layer[-1] == made:
                layer[-1] += amount
            else:
                layer += (made, made + amount)
            return made
    layer = [terms, received, received + amount, received, received + amount]
    insort(purse, layer, key=book.order)
    return received


def take_exactly(purse: Purse, terms: int, start: int, amount: int) -> bool:
    """Take positions [start, start + amount) of these terms; False when not all are there."""
    stop = start + amount
    for layer in purse:
        if layer[TERMS] == terms:
            for n in range(SPANS, len(layer), 2):
                if layer[n] <= start and stop <= layer[n + 1]:
                    layer[n : n + 2] = _apart(layer[n], start) + _apart(stop, layer[n + 1])
                    if len(layer) == SPANS:
                        purse.remove(layer)
                    return True
    return False


def restore(
    purse: Purse, book: TermsBook, terms: int, start: int, amount: int, received: int
) -> bool:
    """Give positions [start, start + amount) back to where they had been taken from.

    False when one of them is there already or was never received.
    """
    stop = start + amount
    if stop > received:
        return False
    layer = next((one for one in purse if one[TERMS] == terms), None)
    if layer is None:
        layer = [terms, start, received, start, stop]
    else:
        spans = list(zip(layer[SPANS::2], layer[SPANS + 1 :: 2], strict=True))
        if any(low < stop and start < high for low, high in spans):
            return False
        purse.remove(layer)
        layer[SPANS:] = _merged(sorted([*spans, (start, stop)]))
        layer[BORN] = min(layer[BORN], start)
    insort(purse, layer, key=book.order)
    return True


def _apart(start: int, stop: int) -> list[int]:
    return [start, stop] if start < stop else []


def _merged(spans: list[tuple[int, int]]) -> list[int]:
    flat: list[int] = []
    for start, stop in spans:
        if flat and flat[-1] == start:
            flat[-1] = stop
        else:
            flat += (start, stop)
    return flat
