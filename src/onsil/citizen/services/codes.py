"""Payment codes: making them, and finding the one that was scanned or typed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onsil.citizen import qr, refusals, throttle
from onsil.citizen.keys import derived_key
from onsil.citizen.models import Merchant, PaymentCode, User
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


@dataclass(frozen=True)
class PaymentRules:
    """A city's limits in won: for one payment, and for one code that a citizen shows."""

    maximum_krw: int = 1_000_000
    code_limit_krw: int = 50_000


def payment_rules(city: str) -> PaymentRules:
    """The `[payments]` table of a city; what it leaves out keeps the usual limits."""
    table: dict[str, Any] = city_profile(city).data.get("payments", {})
    usual = PaymentRules()
    return PaymentRules(
        int(table.get("maximum_krw", usual.maximum_krw)),
        int(table.get("code_limit_krw", usual.code_limit_krw)),
    )


def signing_key() -> bytes:
    """The installation's key for payment codes, derived from its secret."""
    return derived_key("onsil.citizen.payment-code")


def show_amount(merchant: Merchant, amount: int, *, clock: Clock = SYSTEM) -> PaymentCode | Refusal:
    """A code for the shop's screen with the amount bound to it.

    Refusals: `merchant-not-open`, `amount-wrong`.
    """
    if merchant.state != Merchant.State.APPROVED:
        return refusals.merchant_not_open(merchant.state)
    maximum = payment_rules(merchant.city).maximum_krw
    if not 0 < amount <= maximum:
        return refusals.amount_wrong(maximum)
    return _make(qr.ShownBy.MERCHANT, clock.now(), merchant=merchant, amount=amount)


def show_wallet(citizen: User, *, clock: Clock = SYSTEM) -> PaymentCode:
    """A code for the citizen's screen: the shop scans it and enters the amount, up to a limit.

    The codes the citizen showed before and nobody used stop working: one screen, one code.
    """
    city, now = current_city(), clock.now()
    with transaction():
        PaymentCode.objects.filter(
            city=city, citizen=citizen, used_at__isnull=True, cancelled_at__isnull=True,
            expires_at__gt=now,
        ).update(cancelled_at=now)  # fmt: skip
        limit = payment_rules(city).code_limit_krw
        return _make(qr.ShownBy.CITIZEN, now, citizen=citizen, limit=limit)


def running(citizen: User, *, clock: Clock = SYSTEM) -> PaymentCode | None:
    """The code that the citizen shows at present, while it holds and nobody has used it."""
    return PaymentCode.objects.filter(
        city=current_city(), citizen=citizen, used_at__isnull=True, cancelled_at__isnull=True,
        expires_at__gt=clock.now(),
    ).order_by("-made_at").first()  # fmt: skip


def withdraw(code: PaymentCode, *, clock: Clock = SYSTEM) -> PaymentCode:
    """Take a code off the screen before anybody used it; a used one stays as it is."""
    now = clock.now()
    PaymentCode.objects.filter(
        city=code.city, pk=code.pk, used_at__isnull=True, cancelled_at__isnull=True
    ).update(cancelled_at=now)
    code.refresh_from_db()
    return code


def token_text(code: PaymentCode) -> str:
    """The signed text of a code, for its QR and its address."""
    shown_by = qr.ShownBy(code.shown_by)
    return qr.sign(qr.Token(code.city, shown_by, code.pk, code.expires_at), signing_key())


def find(
    text: str, shown_by: qr.ShownBy, *, reader: str, clock: Clock = SYSTEM
) -> PaymentCode | Refusal:
    """The code that was scanned (its text or address) or typed (eight characters).

    `reader` names who guesses, for the limit on wrong typed codes. Expiry of a typed code is left
    to paying itself, which also knows replays. Refusals: `qr-not-ours`, `qr-wrong-city`,
    `qr-expired`, `qr-other-way`, `too-many-attempts`.
    """
    city, now = current_city(), clock.now()
    typed = qr.typed_code(text)
    if typed is not None:
        return _find_typed(typed, shown_by, reader, now)
    token = qr.read(text, signing_key(), city, now)
    if isinstance(token, Refusal):
        if token.code != "qr-expired":
            return token
        paid = _paid_already(text)
        return paid or token
    if token.shown_by is not shown_by:
        return refusals.qr_other_way()
    found = _codes(city).filter(pk=token.code_id).first()
    return found or refusals.qr_not_ours()


def _paid_already(text: str) -> PaymentCode | None:
    """The used code behind an expired text, so that a payer who reloads sees what happened."""
    token = qr.opened(text, signing_key())
    if token is None:
        return None
    return _codes(token.city).filter(pk=token.code_id, used_at__isnull=False).first()


def _find_typed(
    typed: str, shown_by: qr.ShownBy, reader: str, now: datetime
) -> PaymentCode | Refusal:
    city = current_city()
    with transaction():
        if (wait := throttle.blocked(throttle.TYPED_CODE, reader, now)) is not None:
            return wait
        found = _codes(city).filter(typed=typed).first()
        if found is None:
            throttle.note(throttle.TYPED_CODE, reader, now)
            return refusals.qr_not_ours()
    return found if found.shown_by == shown_by else refusals.qr_other_way()


def _codes(city: str) -> Any:
    return PaymentCode.objects.filter(city=city).select_related("merchant")


def _make(shown_by: qr.ShownBy, now: datetime, **sides: Any) -> PaymentCode:
    return PaymentCode.objects.create(
        city=current_city(), shown_by=shown_by.value, typed=qr.new_typed_code(), made_at=now,
        expires_at=qr.expiry(now), **sides,
    )  # fmt: skip
