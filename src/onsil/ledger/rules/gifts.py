"""Gifts: giftable money to another person, who has three days to take it.

A gift is a pending transfer: the giver's lots are held, nothing has moved; taking it posts, saying
no or letting the time run out releases the same lots.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.refusal import Refusal
from onsil.ledger.rules import names, words
from onsil.ledger.rules.fields import Fields
from onsil.ledger.rules.spending import Held
from onsil.ledger.terms import AccountSpec, Leg, LotFilter, TransferRequest


@dataclass(frozen=True)
class GiftRule:
    """`giftable` groups of funds; `timeout_hours` until an untaken gift lapses; limits in won."""

    giftable: tuple[str, ...] = (names.OWN,)
    timeout_hours: int = 72
    minimum_krw: int = 1
    maximum_krw: int | None = None
    person_month_krw: int | None = None


def read(at: Fields) -> GiftRule:
    """The fields of a `[[gift]]` table."""
    rule = GiftRule(
        giftable=at.texts("giftable", [names.OWN]),
        timeout_hours=at.whole("timeout_hours", 72, 1, 24 * 90),
        minimum_krw=at.won("minimum_krw", 1, least=1),
        maximum_krw=at.maybe_won("maximum_krw"),
        person_month_krw=at.maybe_won("person_month_krw"),
    )
    if rule.maximum_krw is not None and rule.maximum_krw < rule.minimum_krw:
        at.refuse("maximum_krw", "is below minimum_krw")
    return rule


def month_asset(month: str) -> str:
    return f"quota:gift:{month}"


def accounts(rule: GiftRule, person: str, month: str) -> list[AccountSpec]:
    """The giver's counter of the month."""
    asset = month_asset(month)
    return [
        AccountSpec(person, asset, "quota", maximum=rule.person_month_krw),
        AccountSpec(names.QUOTA, asset, "issuer", minimum=None),
    ]


def giftable(lots: Iterable[Held], rule: GiftRule, now: datetime) -> tuple[frozenset[str], int]:
    """The funds in a wallet that may be given away, and how much of them there is."""
    fits = [
        lot
        for lot in lots
        if names.belongs(lot.terms.fund, rule.giftable)
        and (lot.terms.expires_at is None or lot.terms.expires_at > now)
    ]
    return frozenset(lot.terms.fund for lot in fits), sum(lot.amount for lot in fits)


def lapses_at(given_at: datetime, rule: GiftRule) -> datetime:
    return given_at + timedelta(hours=rule.timeout_hours)


def give(
    *, lots: Iterable[Held], rule: GiftRule, city: str, giver: str, receiver: str, amount: int,
    key: str, gift_id: str, at: datetime, zone: ZoneInfo,
) -> TransferRequest | Refusal:  # fmt: skip
    """The pending transfer of a gift, with the giver's monthly counter.

    Refusals: `gift-to-self`, `gift-too-small`, `gift-too-large`, `gift-not-giftable`.
    """
    if giver == receiver:
        return words.gift_to_self()
    if amount < rule.minimum_krw:
        return words.gift_too_small(rule.minimum_krw)
    if rule.maximum_krw is not None and amount > rule.maximum_krw:
        return words.gift_too_large(rule.maximum_krw)
    funds, there = giftable(lots, rule, at)
    if there < amount:
        return words.gift_not_giftable(there, amount)
    month = month_asset(names.month_of(at, zone))
    return TransferRequest(
        key=key, kind="gift", effective_at=at, origin_kind="gift", origin_id=gift_id,
        phase="pending", timeout_at=lapses_at(at, rule),
        legs=(
            Leg(giver, receiver, names.local_asset(city), amount, only=LotFilter(funds=funds)),
            Leg(names.QUOTA, giver, month, amount),
        ),
    )  # fmt: skip


def settle(*, pending: UUID, key: str, taken: bool, gift_id: str) -> TransferRequest:
    """The receiver takes the gift, or it goes back (refused, or called back by the giver)."""
    return TransferRequest(
        key=key, kind="gift-taken" if taken else "gift-returned", legs=(), origin_kind="gift",
        origin_id=gift_id, phase="post" if taken else "void", pending=pending,
    )  # fmt: skip


def explained(no: Refusal, rule: GiftRule) -> Refusal:
    """A ledger's `account-limit` on the month's counter in a giver's words; any other as it is."""
    asset = str(no.facts.get("asset", ""))
    limited = no.code == "account-limit" and asset.startswith("quota:gift:")
    if limited and rule.person_month_krw is not None:
        return words.gift_over_month(rule.person_month_krw, asset.rsplit(":", 1)[-1])
    return no
