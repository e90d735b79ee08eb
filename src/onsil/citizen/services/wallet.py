"""What a citizen has, where it came from, and turning points into local currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from onsil import ledger
from onsil.citizen import conversion, refusals
from onsil.citizen.models import Cancellation, Conversion, Payment, User
from onsil.citizen.services import postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import CityProfile
from onsil.tenancy.cities import city as city_profile


@dataclass(frozen=True)
class Holding:
    """One lot in the wallet: value of equal terms, until when it holds, and the transfer that
    brought the oldest of it. `place` is where in the lot that begins."""

    place: int
    asset: str
    name_ko: str
    name_en: str
    amount: int
    fund: str
    merchant_rule: str
    expires_at: datetime | None
    transfer_id: UUID

    @property
    def name(self) -> dict[str, str]:
        """The programme's or currency's name in both languages."""
        return {"ko": self.name_ko, "en": self.name_en}

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
    """All that can be spent now; `points` and `money` (won) are the sums of the holdings."""

    points: int
    money: int
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


@dataclass(frozen=True)
class Movement:
    """One transfer as its owner sees it. `points` and `money` are signed; 0 where not touched."""

    transfer_id: UUID
    kind: str
    at: datetime
    points: int
    money: int
    about_ko: str
    about_en: str
    reason_ko: str = ""
    reason_en: str = ""

    @property
    def about(self) -> dict[str, str]:
        """Whom or what it was with, in both languages."""
        return {"ko": self.about_ko, "en": self.about_en}

    @property
    def reason(self) -> dict[str, str]:
        """Why it came, in both languages; empty where nothing was decided."""
        return {"ko": self.reason_ko, "en": self.reason_en}


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
    return Wallet(
        points=sum(h.amount for h in holdings if not h.is_money),
        money=sum(h.amount for h in holdings if h.is_money),
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


def history(citizen: User, limit: int = 50) -> list[Movement]:
    """The citizen's newest transfers, one entry each, with shop names and awards' reasons."""
    city, code = current_city(), wallet_account(citizen.pk)
    grouped: dict[UUID, list[tuple[str, ledger.Entry]]] = {}
    with transaction() as tx:
        for asset in _assets(tx, city, code):
            for entry in ledger.statement(tx, city, code, asset, limit):
                grouped.setdefault(entry.transfer_id, []).append((asset, entry))
    newest = sorted(grouped.items(), key=lambda kv: (kv[1][0][1].at, kv[0]), reverse=True)[:limit]
    story = _Story(city, citizen, [transfer for transfer, _ in newest])
    return [_movement(transfer, entries, story) for transfer, entries in newest]


def _assets(tx: Connection, city: str, code: str) -> list[str]:
    """What the citizen has accounts in, programmes that have ended included."""
    return [a.asset for a in ledger.accounts(tx, city, prefix=code) if a.code == code]


def _holdings(tx: Connection, city: str, citizen: User, now: datetime) -> list[Holding]:
    profile, code = city_profile(city), wallet_account(citizen.pk)
    names = {t.asset: (t.name.ko, t.name.en) for t in rewards.programmes(city)}
    names[local_asset(city)] = (profile.currency_ko, profile.currency_en)
    found = [
        Holding(
            lot.spans[0][0], asset, *names.get(asset, (asset, asset)), lot.amount, lot.terms.fund,
            lot.terms.merchant_rule, lot.terms.expires_at, _bringer(tx, city, code, asset, lot),
        )
        for asset in _assets(tx, city, code)
        for lot in ledger.lots(tx, city, code, asset)
        if lot.amount > 0 and (lot.terms.expires_at is None or lot.terms.expires_at > now)
    ]  # fmt: skip
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda h: (h.expires_at or far, h.asset, h.place, h.fund))


def _bringer(tx: Connection, city: str, code: str, asset: str, lot: ledger.Lot) -> UUID:
    """The transfer that brought the oldest unit of a lot."""
    first = lot.spans[0][0]
    return ledger.credits_of(tx, city, code, asset, lot.terms, first, first + 1)[0].transfer_id


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


class _Story:
    """What the room knows of some transfers: which shop, which award and why."""

    def __init__(self, city: str, citizen: User, transfers: list[UUID]) -> None:
        paid = Payment.objects.filter(city=city, citizen=citizen).select_related("merchant")
        self.shops = {
            p.transfer_id: p.merchant.name for p in paid.filter(transfer_id__in=transfers)
        }
        back = Cancellation.objects.filter(
            city=city, payment__citizen=citizen, transfer_id__in=transfers
        ).select_related("payment__merchant")
        self.returns = {c.transfer_id: c.payment.merchant.name for c in back}
        wanted = set(transfers)
        self.awards = {
            view.transfer_id: view
            for view in rewards.decisions_of(city, citizen.pk, limit=200)
            if view.transfer_id in wanted
        }


def _movement(transfer: UUID, entries: list[tuple[str, ledger.Entry]], story: _Story) -> Movement:
    money = sum(e.amount for asset, e in entries if asset.startswith("local:"))
    points = sum(e.amount for asset, e in entries if not asset.startswith("local:"))
    kind, at = entries[0][1].kind, entries[0][1].at
    about_ko = about_en = reason_ko = reason_en = ""
    if transfer in story.shops:
        kind, about_ko = "payment", story.shops[transfer]
        about_en = about_ko
    elif transfer in story.returns:
        kind, about_ko = "cancellation", story.returns[transfer]
        about_en = about_ko
    elif transfer in story.awards:
        award = story.awards[transfer]
        about_ko, about_en = award.name.ko, award.name.en
        reason_ko, reason_en = award.reason.ko, award.reason.en
    return Movement(transfer, kind, at, points, money, about_ko, about_en, reason_ko, reason_en)
