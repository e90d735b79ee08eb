"""What a payment took from a wallet, and giving back a part of it to the very same positions. Pure.

A payment that is cancelled in part stands afterwards as if it had been made for the rest from the
beginning: what it took last goes back first, so that value bound to a place or soon to expire stays
spent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from onsil.ledger import Leg, LotTerms, Piece, PostedLeg


@dataclass(frozen=True)
class Part:
    """So much of a payment came from value of one fund that ends then and is bound so."""

    fund: str
    expires_at: datetime | None
    merchant_rule: str
    refundable: bool
    amount: int


@dataclass(frozen=True)
class Stretch:
    """A run of positions of one kind of value, from a wallet's account into a shop's."""

    terms: LotTerms
    taken: int
    made: int
    amount: int


def stretches(legs: Iterable[PostedLeg], source: str, asset: str) -> tuple[Stretch, ...]:
    """What legs took of an asset from an account, in the order in which they took it."""
    return tuple(
        Stretch(piece.terms, piece.taken, piece.made, piece.amount)
        for leg in legs
        if leg.source == source and leg.asset == asset
        for piece in leg.pieces
        if piece.taken is not None and piece.made is not None
    )


def parts(taken: Iterable[Stretch]) -> tuple[Part, ...]:
    """The stretches summed by their terms, in the order in which they were taken."""
    sums: dict[tuple[str, datetime | None, str, bool], int] = {}
    for one in taken:
        terms = one.terms
        like = (terms.fund, terms.expires_at, terms.merchant_rule, terms.refundable)
        sums[like] = sums.get(like, 0) + one.amount
    return tuple(Part(*like, amount) for like, amount in sums.items())


def last(taken: Sequence[Stretch], without: int, amount: int) -> tuple[Stretch, ...]:
    """The last `amount` of the stretches, their very last `without` left out (given back before).

    In the order in which they were taken. Raises ValueError when there is not as much.
    """
    whole = sum(one.amount for one in taken)
    end = whole - without
    begin = end - amount
    if amount <= 0 or without < 0 or begin < 0:
        raise ValueError(f"cannot give back {amount} of {whole}, {without} of them given already")
    found, at = [], 0
    for one in taken:
        first, final = max(begin, at), min(end, at + one.amount)
        if first < final:
            skipped = first - at
            found.append(Stretch(one.terms, one.taken + skipped, one.made + skipped, final - first))
        at += one.amount
    return tuple(found)


def return_leg(back: Sequence[Stretch], shop: str, wallet: str, asset: str) -> Leg:
    """The leg that gives stretches back: the same positions leave the shop and enter the wallet."""
    pieces = tuple(Piece(one.terms, one.made, one.taken, one.amount) for one in reversed(back))
    return Leg(shop, wallet, asset, sum(one.amount for one in back), pieces=pieces)
