"""Spending: which of a wallet's lots a payment takes, in the order of the rule of its day.

The posting machine's own order is restricted first, then earliest expiry, then oldest. Where a
rule names funds to go first, the payment is split into legs, one a group of funds; within a leg the
machine's order holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from onsil.core.refusal import Refusal
from onsil.ledger.rules import names, words
from onsil.ledger.rules.fields import Fields
from onsil.ledger.rules.merchants import Eligibility
from onsil.ledger.terms import Leg, LotFilter, LotTerms


@dataclass(frozen=True)
class SpendingRule:
    """`first`: groups of funds that go before all others, in this order; empty: machine's order.

    `excluded_funds` pay nowhere (a fund that the city has stopped).
    """

    first: tuple[str, ...] = ()
    excluded_funds: frozenset[str] = frozenset()


class Held(Protocol):
    """A lot as the rules see it (`ledger.Lot` is one): its terms and how much can be spent."""

    @property
    def terms(self) -> LotTerms: ...
    @property
    def amount(self) -> int: ...


def read(at: Fields) -> SpendingRule:
    """The fields of a `[[spending]]` table."""
    return SpendingRule(at.texts("first", []), frozenset(at.texts("excluded_funds", [])))


def usable(
    lots: Iterable[Held], place: Eligibility, rule: SpendingRule, now: datetime
) -> list[Held]:
    """The lots that could pay at a shop now, in the order in which a payment would take them."""
    held = list(lots)
    allowed = place.funds({lot.terms.fund for lot in held})
    fits = [
        lot
        for lot in held
        if lot.amount > 0
        and lot.terms.fund in allowed
        and not names.belongs(lot.terms.fund, rule.excluded_funds)
        and (not lot.terms.merchant_rule or lot.terms.merchant_rule in place.rules)
        and (lot.terms.expires_at is None or lot.terms.expires_at > now)
    ]
    return sorted(fits, key=lambda lot: _rank(lot.terms.fund, rule))  # stable within a group


def payment_legs(
    *, lots: Sequence[Held], place: Eligibility, rule: SpendingRule, now: datetime, asset: str,
    source: str, destination: str, amount: int,
) -> tuple[Leg, ...] | Refusal:  # fmt: skip
    """The legs of a payment: one a group of funds, together `amount`.

    `lots` are the wallet's live lots in the machine's order (`ledger.lots`). Refusals:
    `shop-excluded`, `not-enough-here`. When others spend from the wallet in between, the machine
    refuses and the caller plans again.
    """
    if place.refusal is not None:
        return place.refusal
    fits = usable(lots, place, rule, now)
    have = sum(lot.amount for lot in fits)
    if have < amount:
        return words.not_enough_here(have, amount, sum(lot.amount for lot in lots))
    split: dict[int, int] = {}
    groups: dict[int, set[str]] = {}
    left = amount
    for lot in fits:
        rank = _rank(lot.terms.fund, rule)
        groups.setdefault(rank, set()).add(lot.terms.fund)
        part = min(left, lot.amount)
        if part:
            split[rank] = split.get(rank, 0) + part
            left -= part
    # Funds are named only where they matter, so that value that arrives meanwhile may pay as well.
    named = bool(rule.first or rule.excluded_funds or place.rule.funds)
    return tuple(
        Leg(
            source, destination, asset, part,
            only=LotFilter(
                merchant_rules=place.rules, funds=frozenset(groups[rank]) if named else None
            ),
        )
        for rank, part in sorted(split.items())
    )  # fmt: skip


def _rank(fund: str, rule: SpendingRule) -> int:
    """The place of a fund's group in the rule's order; what is not named comes last."""
    for place, group in enumerate(rule.first):
        if names.belongs(fund, (group,)):
            return place
    return len(rule.first)
