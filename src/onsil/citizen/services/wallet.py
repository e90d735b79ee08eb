"""What a citizen has and where it came from, and turning points into local currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from onsil import ledger
from onsil.citizen import conversion, refusals
from onsil.citizen.models import Conversion, User
from onsil.citizen.services import postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.citizen.services.rulebook import rules_at
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import CityProfile
from onsil.tenancy.cities import city as city_profile


@dataclass(frozen=True)
class Source:
    """A transfer that brought `amount` of a lot."""

    transfer_id: UUID
    amount: int


@dataclass(frozen=True)
class Holding:
    """One lot in the wallet: how much is left of it, until when, where it may be spent, and what
    brought it."""

    asset: str
    name_ko: str
    name_en: str
    amount: int
    fund: str
    merchant_rule: str
    refundable: bool
    expires_at: datetime | None
    sources: tuple[Source, ...]

    @property
    def name(self) -> dict[str, str]:
        """The programme's or currency's name in both languages."""
        return {"ko": self.name_ko, "en": self.name_en}

    @property
    def transfer_id(self) -> UUID:
        """The newest transfer that brought some of it; the trace page starts there."""
        return self.sources[-1].transfer_id

    @property
    def is_money(self) -> bool:
        return self.asset.startswith("local:")

    @property
    def pocket(self) -> conversion.Pocket:
        return conversion.Pocket(
            self.asset, self.fund, self.amount, self.expires_at, self.merchant_rule
        )


@dataclass(frozen=True)
class Wallet:
    """All that can be spent now; `points` and `money` (won) are the sums of the holdings.

    `set_aside` won are the owner's still, but held for gifts nobody has taken yet.
    """

    points: int
    money: int
    set_aside: int
    holdings: tuple[Holding, ...]
    rate: conversion.Rate

    @property
    def next_expiry(self) -> Holding | None:
        """What is lost first when nothing is done."""
        dated = [h for h in self.holdings if h.expires_at is not None]
        return min(dated, key=lambda h: (h.expires_at, h.asset, h.fund), default=None)

    @property
    def worth(self) -> int:
        """Won that all the points would give."""
        return self.rate.worth(self.points - self.points % self.rate.points)


def rate_of(profile: CityProfile) -> conversion.Rate:
    """The city's `[conversion]` table: `krw_per_point`, `minimum_points`, `validity_years`."""
    table: Mapping[str, Any] = profile.data.get("conversion", {})
    worth = Fraction(str(table.get("krw_per_point", 1)))
    usual = conversion.Rate()
    return conversion.Rate(
        points=worth.denominator,
        won=worth.numerator,
        minimum=int(table.get("minimum_points", usual.minimum)),
        validity_years=int(table.get("validity_years", usual.validity_years)),
    )


def wallet(citizen: User, *, clock: Clock = SYSTEM) -> Wallet:
    """The citizen's wallet in the city at work, without what has expired; soonest expiry first."""
    city = current_city()
    with transaction() as tx:
        holdings = _holdings(tx, city, citizen, clock.now())
        account = ledger.account(tx, city, wallet_account(citizen.pk), local_asset(city))
    return Wallet(
        points=sum(h.amount for h in holdings if not h.is_money),
        money=sum(h.amount for h in holdings if h.is_money),
        set_aside=0 if account is None else account.held,
        holdings=tuple(holdings),
        rate=rate_of(city_profile(city)),
    )


def convert(
    citizen: User, points: int, form_id: UUID, *, clock: Clock = SYSTEM,
    patience_s: float | None = None,
) -> Conversion | Refusal:  # fmt: skip
    """Turn points into local currency at the city's rate, those that expire first in front.

    `form_id` came with the form: the same form again gives the same conversion. What is given back
    may be pending or refused by the ledger. Refusals before anything was asked: those of
    `conversion.plan`, `form-used`.
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        known = Conversion.objects.filter(city=city, pk=form_id).first()
        if known is None:
            rate = rate_of(city_profile(city))
            pockets = [h.pocket for h in _holdings(tx, city, citizen, now) if not h.is_money]
            parts = conversion.plan(pockets, points, rate, now)
            if isinstance(parts, Refusal):
                return parts
            known, made = Conversion.objects.get_or_create(
                pk=form_id,
                defaults={"city": city, "citizen": citizen, "points": points,
                          "won": sum(part.won for part in parts), "key": f"convert:{form_id}",
                          "submitted_at": now},
            )  # fmt: skip
            if made:
                ledger.open_accounts(tx, city, postings.city_accounts(city))
                ledger.submit(tx, city, [_request(known, parts, rate, now)])
        if (known.citizen_id, known.points) != (citizen.pk, points):
            return refusals.form_used()
    return postings.settle(known, clock, patience_s)


def expiring(citizen: User, *, clock: Clock = SYSTEM) -> list[Holding]:
    """What ends within the city's longest notice, soonest first: told in the wallet ahead."""
    city, now = current_city(), clock.now()
    profile = city_profile(city)
    days = rules_at(profile, now).expiry.notice_days
    last = now + timedelta(days=max(days, default=0))
    with transaction() as tx:
        held = _holdings(tx, city, citizen, now)
    return [h for h in held if h.expires_at is not None and h.expires_at <= last]


def _assets(tx: Connection, city: str, code: str) -> list[str]:
    """The points and money the citizen has accounts in, programmes that have ended included."""
    return [
        a.asset for a in ledger.accounts(tx, city, prefix=code)
        if a.code == code and a.asset.startswith(("point:", "local:"))
    ]  # fmt: skip


def _holdings(tx: Connection, city: str, citizen: User, now: datetime) -> list[Holding]:
    profile, code = city_profile(city), wallet_account(citizen.pk)
    names = {t.asset: (t.name.ko, t.name.en) for t in rewards.programmes(city)}
    names[local_asset(city)] = (profile.currency_ko, profile.currency_en)
    found = [
        Holding(
            asset, *names.get(asset, (asset, asset)), lot.amount, lot.terms.fund,
            lot.terms.merchant_rule, lot.terms.refundable, lot.terms.expires_at,
            _sources(tx, city, code, asset, lot),
        )
        for asset in _assets(tx, city, code)
        for lot in ledger.lots(tx, city, code, asset)
        if lot.amount > 0 and (lot.terms.expires_at is None or lot.terms.expires_at > now)
    ]  # fmt: skip
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda h: (h.expires_at or far, h.asset, h.fund, h.merchant_rule))


def _sources(
    tx: Connection, city: str, code: str, asset: str, lot: ledger.Lot
) -> tuple[Source, ...]:
    """The transfers that brought what is left of a lot, oldest first."""
    sums: dict[UUID, int] = {}
    for start, end in lot.spans:
        for part in ledger.credits_of(tx, city, code, asset, lot.terms, start, end):
            sums[part.transfer_id] = sums.get(part.transfer_id, 0) + part.amount
    return tuple(Source(transfer, amount) for transfer, amount in sorted(sums.items()))


def _request(
    row: Conversion, parts: tuple[conversion.Part, ...], rate: conversion.Rate, now: datetime
) -> ledger.TransferRequest:
    """Points back to their issuer, local currency out, and its cover from reserve to trust."""
    person, local = wallet_account(row.citizen_id), local_asset(row.city)
    taken: dict[str, int] = {}
    for part in parts:
        taken[part.asset] = taken.get(part.asset, 0) + part.points
    legs = [ledger.Leg(person, "issuer:point", asset, points) for asset, points in taken.items()]
    expires = conversion.years_later(now, rate.validity_years)
    given: dict[tuple[str, str], int] = {}
    for part in parts:
        like = (part.fund, part.merchant_rule)
        given[like] = given.get(like, 0) + part.won
    legs += [
        ledger.Leg(
            "issuer:local", person, local, won,
            lot=ledger.LotTerms(fund=fund, expires_at=expires, merchant_rule=rule,
                                origin_kind="conversion", origin_id=str(row.pk)),
        )
        for (fund, rule), won in given.items() if won
    ]  # fmt: skip
    legs.append(ledger.Leg("reserve:points", "trust:local", "KRW", row.won))
    return ledger.TransferRequest(
        key=row.key, kind="conversion", legs=tuple(legs), effective_at=now,
        origin_kind="conversion", origin_id=str(row.pk),
    )  # fmt: skip
