"""Paying at a shop by QR, both ways. Which value pays is judged lot by lot, by the day's rules."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from onsil import ledger
from onsil.citizen import parts, qr, refusals, settlement
from onsil.citizen.models import Merchant, Payment, PaymentCode, Posting, Role, User
from onsil.citizen.services import cashbacks, facts, postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.citizen.services.rulebook import rules_at
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


def pay(
    code_id: UUID, citizen: User, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Payment | Refusal:
    """The citizen confirms the amount a shop's code shows.

    Asked again by the same citizen (double click, replay, lost answer) it gives the same payment.
    A payment given back may be pending, applied or refused by the ledger. Refusals before anything
    was asked: `qr-used`, `qr-cancelled`, `qr-expired`, `qr-other-way`, `merchant-not-open`,
    `own-shop`, `shop-excluded`, `not-enough-money`, `not-enough-here` (a part could be paid).
    Cashback follows at once; what is not decided yet is on its way.
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        code = _locked(city, code_id)
        if code.shown_by != qr.ShownBy.MERCHANT:
            return refusals.qr_other_way()
        payment = _made(code)
        if payment is not None:
            if payment.citizen_id != citizen.pk:
                return refusals.qr_used()
        else:
            amount = code.amount or 0
            no = _first(_closed(code, now), _at_shop(code.merchant, citizen))
            if no is not None:
                return no
            legs = _legs(tx, citizen, code.merchant, amount, now)
            if isinstance(legs, Refusal):
                return legs
            payment = _ask(tx, code, code.merchant, citizen, amount, legs, now)
    return _settled(payment, clock, patience_s)


def charge(
    code_id: UUID, merchant: Merchant, amount: int, *, clock: Clock = SYSTEM,
    patience_s: float | None = None,
) -> Payment | Refusal:  # fmt: skip
    """The shop enters the amount for a code that a citizen shows.

    The same shop with the same amount gets the same payment again. Refusals before anything was
    asked: `qr-used`, `qr-cancelled`, `qr-expired`, `qr-other-way`, `merchant-not-open`, `own-shop`,
    `amount-wrong`, `over-code-limit`, `payer-cannot-pay` (the shop is not told the balance).
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        code = _locked(city, code_id)
        if code.shown_by != qr.ShownBy.CITIZEN:
            return refusals.qr_other_way()
        payment = _made(code)
        if payment is not None:
            if (payment.merchant_id, payment.amount) != (merchant.pk, amount):
                return refusals.qr_used()
        else:
            citizen, limit = code.citizen, code.limit or 0
            no = _first(_closed(code, now), _at_shop(merchant, citizen))
            if no is None and amount < 1:
                no = refusals.amount_wrong(limit)
            if no is None and amount > limit:
                no = refusals.over_code_limit(limit, amount)
            if no is not None:
                return no
            legs = _legs(tx, citizen, merchant, amount, now)
            if isinstance(legs, Refusal):
                return refusals.payer_cannot_pay()
            payment = _ask(tx, code, merchant, citizen, amount, legs, now)
    return _settled(payment, clock, patience_s)


def why_not(code: PaymentCode, citizen: User, *, clock: Clock = SYSTEM) -> Refusal | None:
    """What stands against paying a shop's code, before anything is confirmed; None when nothing."""
    if _made(code) is not None:
        return refusals.qr_used()
    now = clock.now()
    no = _first(_closed(code, now), _at_shop(code.merchant, citizen))
    if no is not None:
        return no
    with transaction() as tx:
        legs = _legs(tx, citizen, code.merchant, code.amount or 0, now)
    return legs if isinstance(legs, Refusal) else None


def why_not_charge(
    code: PaymentCode, merchant: Merchant, *, clock: Clock = SYSTEM
) -> Refusal | None:
    """What stands against charging a citizen's code, whatever the amount."""
    if _made(code) is not None:
        return refusals.qr_used()
    return _first(_closed(code, clock.now()), _at_shop(merchant, code.citizen))


def payment_of_code(code: PaymentCode, *, clock: Clock = SYSTEM) -> Payment | None:
    """What became of a code: its payment with the newest answer, or None while nobody used it."""
    payment = _made(code)
    return postings.refresh(payment, clock) if payment else None


def taken(payment: Payment) -> tuple[parts.Part, ...]:
    """Which value a payment took: fund, end, what bound it, and how much; empty before it is."""
    if payment.transfer_id is None:
        return ()
    with transaction() as tx:
        done = ledger.transfer(tx, payment.city, payment.transfer_id)
    if done is None:
        return ()
    return parts.parts(
        parts.stretches(done.legs, wallet_account(payment.citizen_id), local_asset(payment.city))
    )


def sales(merchant: Merchant, day: object = None, *, clock: Clock = SYSTEM) -> list[Payment]:
    """A shop's payments of a local day (today by default), newest first, answers looked up."""
    zone = city_profile(merchant.city).zone
    which = day if day is not None else local_day(clock.now(), zone)
    period = settlement.day_period(which, zone)  # pyright: ignore[reportArgumentType]
    found = Payment.objects.filter(
        city=merchant.city, merchant=merchant, submitted_at__gte=period.start,
        submitted_at__lt=period.end,
    ).order_by("-submitted_at")  # fmt: skip
    return [postings.refresh(payment, clock) if payment.pending else payment for payment in found]


def _locked(city: str, code_id: UUID) -> PaymentCode:
    rows = PaymentCode.objects.select_related("merchant", "citizen")
    return rows.select_for_update(of=("self",)).get(city=city, pk=code_id)


def _made(code: PaymentCode) -> Payment | None:
    return Payment.objects.filter(city=code.city, code=code).select_related("merchant").first()


def _first(*answers: Refusal | None) -> Refusal | None:
    """The first no; a refusal is falsy, so `or` would pass it over."""
    return next((answer for answer in answers if answer is not None), None)


def _closed(code: PaymentCode, now: datetime) -> Refusal | None:
    if code.cancelled_at is not None:
        return refusals.qr_cancelled()
    if now >= code.expires_at:
        return refusals.qr_expired(code.expires_at)
    return None


def _at_shop(merchant: Merchant | None, citizen: User | None) -> Refusal | None:
    assert merchant is not None
    assert citizen is not None
    if merchant.state != Merchant.State.APPROVED:
        return refusals.merchant_not_open(merchant.state)
    mine = citizen.memberships.filter(
        city=merchant.city, role=Role.MERCHANT, organisation=merchant.pk
    )
    return refusals.own_shop() if mine.exists() else None


def _legs(
    tx: Connection, citizen: User | None, merchant: Merchant | None, amount: int, now: datetime
) -> tuple[ledger.Leg, ...] | Refusal:
    """What the wallet pays with at this very shop, or why it cannot: nothing here, or only a part
    of it, because the rest is bound to other places."""
    assert citizen is not None
    assert merchant is not None
    profile, wallet = city_profile(merchant.city), wallet_account(citizen.pk)
    place = facts.eligibility(merchant, local_day(now, profile.zone))
    lots = ledger.lots(tx, profile.code, wallet, local_asset(profile.code))
    alive = [x for x in lots if x.terms.expires_at is None or x.terms.expires_at > now]
    rule = rules_at(profile, now).spending
    legs = rules.spending.payment_legs(
        lots=alive, place=place, rule=rule, now=now, asset=local_asset(profile.code),
        source=wallet, destination=merchant.account, amount=amount,
    )  # fmt: skip
    if isinstance(legs, Refusal) and legs.code == "not-enough-here":
        have = sum(lot.amount for lot in alive)
        if have == legs.facts["usable_krw"]:  # nothing is bound elsewhere: it simply is too little
            return refusals.not_enough(have, amount)
    return legs


def _settled(payment: Payment, clock: Clock, patience_s: float | None) -> Payment:
    payment = postings.settle(payment, clock, patience_s)
    cashbacks.reward(payment, clock, patience_s)
    return payment


def _ask(
    tx: Connection, code: PaymentCode, merchant: Merchant | None, citizen: User | None,
    amount: int, legs: Sequence[ledger.Leg], now: datetime,
) -> Payment:  # fmt: skip
    assert merchant is not None
    assert citizen is not None
    city, identity = code.city, new_id()
    payment = Payment.objects.create(
        id=identity, city=city, code=code, merchant=merchant, citizen=citizen, amount=amount,
        confirmation=qr.confirmation(identity), key=f"pay:{code.pk}", submitted_at=now,
        state=Posting.State.PENDING,
    )  # fmt: skip
    code.used_at = now
    code.save(update_fields=["used_at"])
    request = ledger.TransferRequest(
        key=payment.key, kind="payment", legs=tuple(legs), effective_at=now,
        origin_kind="payment", origin_id=str(identity),
    )  # fmt: skip
    ledger.submit(tx, city, [request])
    return payment
