"""What a payment took from a wallet, and what of it goes back when it is cancelled. Pure.

All of it returns to the very same positions. What is to stay paid is paid anew in the same act,
fund by fund the first that the payment had taken: so value bound to a place or soon to expire stays
spent, and the payment stands as if it had been made for the rest from the beginning.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from onsil.ledger import Leg, LotFilter, LotTerms, Piece, PostedLeg


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


def split(taken: Sequence[Stretch], amount: int) -> tuple[tuple[Stretch, ...], tuple[Stretch, ...]]:
    """The first `amount` of what was taken, and the rest. Raises ValueError when there is less."""
    if not 0 <= amount <= sum(one.amount for one in taken):
        raise ValueError(f"there are not {amount} in {taken}")
    before, after = [], []
    for one in taken:
        part = min(amount, one.amount)
        amount -= part
        if part:
            before.append(Stretch(one.terms, one.taken, one.made, part))
        if part < one.amount:
            after.append(Stretch(one.terms, one.taken + part, one.made + part, one.amount - part))
    return tuple(before), tuple(after)


def return_leg(back: Sequence[Stretch], shop: str, wallet: str, asset: str) -> Leg:
    """The leg that gives stretches back: the same positions leave the shop and enter the wallet."""
    pieces = tuple(Piece(one.terms, one.made, one.taken, one.amount) for one in reversed(back))
    return Leg(shop, wallet, asset, sum(one.amount for one in back), pieces=pieces)


def repaid_legs(
    kept: Sequence[Stretch], shop: str, wallet: str, asset: str, place: frozenset[str]
) -> tuple[Leg, ...]:
    """The legs that pay the part of a cancelled payment that stays: each fund as much as it had
    paid of it, from value that the shop (`place`: the rules it satisfies) may take."""
    sums: dict[str, int] = {}
    for one in kept:
        sums[one.terms.fund] = sums.get(one.terms.fund, 0) + one.amount
    return tuple(
        Leg(
            wallet, shop, asset, amount,
            only=LotFilter(merchant_rules=place, funds=frozenset({fund})),
        )
        for fund, amount in sums.items()
    )  # fmt: skip
