"""Paying at a shop by QR, both ways, and taking a payment back on the same day."""

from datetime import datetime
from uuid import UUID

from onsil import ledger, proof
from onsil.citizen import qr, refusals, settlement
from onsil.citizen.approval import MerchantRules, satisfied
from onsil.citizen.models import Cancellation, Merchant, Payment, PaymentCode, Posting, Role, User
from onsil.citizen.services import postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


def pay(
    code_id: UUID, citizen: User, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Payment | Refusal:
    """The citizen confirms the amount a shop's code shows.

    Asked again by the same citizen (double click, replay, lost answer) it gives the same payment.
    A payment given back may be pending, applied or refused by the ledger. Refusals before anything
    was asked: `qr-used`, `qr-cancelled`, `qr-expired`, `qr-other-way`, `merchant-not-open`,
    `own-shop`, `not-enough-money`.
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
            if no is None:
                have = _usable(tx, citizen, code.merchant, now)
                no = refusals.not_enough(have, amount) if have < amount else None
            if no is not None:
                return no
            payment = _ask(tx, code, code.merchant, citizen, amount, now)
    return postings.settle(payment, clock, patience_s)


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
            if no is None and _usable(tx, citizen, merchant, now) < amount:
                no = refusals.payer_cannot_pay()
            if no is not None:
                return no
            payment = _ask(tx, code, merchant, citizen, amount, now)
    return postings.settle(payment, clock, patience_s)


def why_not(code: PaymentCode, citizen: User, *, clock: Clock = SYSTEM) -> Refusal | None:
    """What stands against paying a shop's code, before anything is confirmed; None when nothing."""
    if _made(code) is not None:
        return refusals.qr_used()
    now = clock.now()
    no = _first(_closed(code, now), _at_shop(code.merchant, citizen))
    if no is not None:
        return no
    with transaction() as tx:
        have = _usable(tx, citizen, code.merchant, now)
    amount = code.amount or 0
    return refusals.not_enough(have, amount) if have < amount else None


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


def cancel(
    payment_id: UUID, merchant: Merchant, *, actor: User, clock: Clock = SYSTEM
) -> Cancellation | Refusal:
    """Take a payment back, on the day it was made; the citizen's lots return as they were.

    Repeated, it gives the same cancellation. Refusals: `cancel-not-paid`, `cancel-too-late`, and
    the ledger's own.
    """
    city, now, zone = current_city(), clock.now(), city_profile(current_city()).zone
    with transaction() as tx:
        payment = Payment.objects.select_for_update(of=("self",)).get(
            city=city, pk=payment_id, merchant=merchant
        )
        known = Cancellation.objects.filter(city=city, payment=payment).first()
        if known is not None and known.applied:
            return known
        if not payment.applied or payment.transfer_id is None:
            return refusals.cancel_not_applied()
        late = not settlement.cancellable(payment.submitted_at, now, zone)
        if late or payment.settlement_id is not None:
            return refusals.cancel_too_late()
        key = f"cancel:{payment.pk}"
        answer = ledger.reverse(tx, city, payment.transfer_id, key, clock)
        if isinstance(answer, Refusal):
            return answer
        if answer.refusal is not None:
            return answer.refusal
        made = Cancellation(
            city=city, payment=payment, amount=payment.amount, asked_by=actor, key=key,
            submitted_at=now,
        )  # fmt: skip
        postings.remember(made, answer, now)
        payment.cancelled = payment.amount
        payment.save(update_fields=["cancelled"])
        postings.tell(tx, made)
        proof.audit(
            tx, city, f"user:{actor.pk}", "payment.cancelled", "payment", str(payment.pk),
            {"state": "applied"}, {"amount_krw": payment.amount},
        )  # fmt: skip
    return made


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


def _rules_met(merchant: Merchant) -> frozenset[str]:
    rules = MerchantRules.of(city_profile(merchant.city).data.get("merchants", {}))
    return satisfied(merchant.kind, merchant.yearly_sales_krw, rules)


def _usable(tx: Connection, citizen: User | None, merchant: Merchant | None, now: datetime) -> int:
    """Won that the citizen could pay at this very shop: unexpired, and no rule against it."""
    assert citizen is not None
    assert merchant is not None
    met, city = _rules_met(merchant), merchant.city
    return sum(
        lot.amount
        for lot in ledger.lots(tx, city, wallet_account(citizen.pk), local_asset(city))
        if (not lot.terms.merchant_rule or lot.terms.merchant_rule in met)
        and (lot.terms.expires_at is None or lot.terms.expires_at > now)
    )


def _ask(
    tx: Connection, code: PaymentCode, merchant: Merchant | None, citizen: User | None,
    amount: int, now: datetime,
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
    leg = ledger.Leg(
        wallet_account(citizen.pk), merchant.account, local_asset(city), amount,
        only=ledger.LotFilter(merchant_rules=_rules_met(merchant)),
    )  # fmt: skip
    request = ledger.TransferRequest(
        key=payment.key, kind="payment", legs=(leg,), effective_at=now, origin_kind="payment",
        origin_id=str(identity),
    )  # fmt: skip
    ledger.submit(tx, city, [request])
    return payment
