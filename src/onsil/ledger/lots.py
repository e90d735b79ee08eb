"""Which lots a payment takes: restricted first, then earliest expiry, then oldest. Pure."""

from bisect import insort
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from onsil.ledger.terms import LotFilter, LotTerms

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class LotState:
    """A lot while a batch is decided."""

    id: UUID
    account_id: int
    remaining: int
    initial: int
    transfer_id: UUID
    parent_id: UUID | None
    terms: LotTerms
    fresh: bool = False


def spending_order(lot: LotState) -> tuple[bool, datetime, UUID]:
    """Sort key: what is bound to a merchant rule goes first, for it fits least often; then what
    expires first; then what is oldest (ids ascend with time)."""
    terms = lot.terms
    return (terms.merchant_rule == "", terms.expires_at or _NEVER, lot.id)


def spendable(lot: LotState, only: LotFilter | None, now: datetime) -> bool:
    """Whether a leg with the filter `only` may take from this lot at `now`."""
    terms = lot.terms
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
        and (only.lots is None or lot.id in only.lots)
    )


@dataclass(slots=True)
class Purse:
    """The lots of one account, kept in spending order."""

    lots: list[LotState] = field(default_factory=list)

    def add(self, lot: LotState) -> None:
        insort(self.lots, lot, key=spending_order)

    def drop(self, lot: LotState) -> None:
        """Take back a lot that was just added."""
        self.lots.remove(lot)

    def choose(
        self, amount: int, only: LotFilter | None, now: datetime
    ) -> tuple[list[tuple[LotState, int]], int]:
        """The lots that pay `amount`, each with its part, and what is then still missing.

        Nothing is taken yet.
        """
        chosen: list[tuple[LotState, int]] = []
        for lot in self.lots:
            if amount == 0:
                break
            if lot.remaining and spendable(lot, only, now):
                part = min(lot.remaining, amount)
                chosen.append((lot, part))
                amount -= part
        return chosen, amount

    def tidy(self) -> None:
        """Forget spent lots at the front, so that a long batch does not walk past them."""
        spent = 0
        for lot in self.lots:
            if lot.remaining:
                break
            spent += 1
        if spent:
            del self.lots[:spent]
