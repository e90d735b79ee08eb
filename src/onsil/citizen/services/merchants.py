"""Shops: applying, being decided on, closing, and who speaks for which."""

from uuid import UUID

from django.db import IntegrityError

from onsil import ledger, proof
from onsil.citizen import refusals
from onsil.citizen.approval import Application, MerchantRules, business_number, examine
from onsil.citizen.models import Merchant, Role, User
from onsil.citizen.services.people import give_role
from onsil.citizen.services.postings import SYSTEM, city_accounts, local_asset
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

State = Merchant.State


def apply(
    applicant: User, application: Application, *, clock: Clock = SYSTEM
) -> Merchant | Refusal:
    """Take up a shop's application; the applicant may see its state from then on.

    Refusals: those of `approval.examine`, `already-applied`.
    """
    city = current_city()
    rules = MerchantRules.of(city_profile(city).data.get("merchants", {}))
    if (no := examine(application, rules)) is not None:
        return no
    number = business_number(application.business_number) or ""
    try:
        with transaction() as tx:
            merchant = Merchant.objects.create(
                city=city, name=application.name.strip(), business_number=number,
                kind=application.kind, address=application.address.strip(),
                yearly_sales_krw=application.yearly_sales_krw, applicant=applicant,
                applied_at=clock.now(),
            )  # fmt: skip
            give_role(applicant, Role.MERCHANT, merchant.pk)
            _audit(tx, f"user:{applicant.pk}", "merchant.applied", merchant, None)
    except IntegrityError as error:
        if "one_shop_a_business_number" in str(error):
            return refusals.already_applied()
        raise
    return merchant


def decide(
    merchant_id: UUID, approve: bool, *, actor: User, reason: str = "", clock: Clock = SYSTEM
) -> Merchant | Refusal:
    """Approve or refuse an application. An approved shop's accounts are opened at once.

    Refusals: `decision-out-of-turn`, `maker-is-checker` (nobody decides on an own shop).
    """
    state = State.APPROVED if approve else State.REFUSED
    return _change(merchant_id, {State.APPLIED}, state, actor, reason, clock)


def close(
    merchant_id: UUID, *, actor: User, reason: str, clock: Clock = SYSTEM
) -> Merchant | Refusal:
    """Stop a shop from taking payments; what it is owed is still settled."""
    return _change(merchant_id, {State.APPROVED}, State.CLOSED, actor, reason, clock)


def reopen(
    merchant_id: UUID, *, actor: User, reason: str, clock: Clock = SYSTEM
) -> Merchant | Refusal:
    """Let a closed shop take payments again."""
    return _change(merchant_id, {State.CLOSED}, State.APPROVED, actor, reason, clock)


def merchants(state: str | None = None) -> list[Merchant]:
    """The city's shops, those waiting longest first."""
    found = Merchant.objects.filter(city=current_city()).order_by("applied_at")
    return list(found.filter(state=state) if state else found)


def shops_of(user: User) -> list[Merchant]:
    """The shops a user speaks for in the city at work."""
    city = current_city()
    ids = user.memberships.filter(city=city, role=Role.MERCHANT).values("organisation")
    return list(Merchant.objects.filter(city=city, pk__in=ids).order_by("applied_at"))


def _change(
    merchant_id: UUID, before: set[State], after: State, actor: User, reason: str, clock: Clock
) -> Merchant | Refusal:
    city = current_city()
    with transaction() as tx:
        merchant = Merchant.objects.select_for_update(of=("self",)).get(city=city, pk=merchant_id)
        if merchant.state not in before:
            return refusals.decision_out_of_turn(merchant.state)
        if actor.pk == merchant.applicant_id:
            return refusals.maker_is_checker()
        was = merchant.state
        merchant.state = after
        merchant.decided_by, merchant.decided_at = actor, clock.now()
        merchant.reason = reason
        merchant.save()
        if after == State.APPROVED:
            _open_accounts(tx, merchant)
        _audit(tx, f"user:{actor.pk}", f"merchant.{after}", merchant, {"state": was})
    return merchant


def _open_accounts(tx: Connection, merchant: Merchant) -> None:
    city = merchant.city
    specs = [
        ledger.AccountSpec(merchant.account, local_asset(city), "merchant", lots=True),
        ledger.AccountSpec(f"payable:{merchant.pk}", "KRW", "payable"),
        *city_accounts(city),
    ]
    ledger.open_accounts(tx, city, specs)


def _audit(
    tx: Connection, actor: str, action: str, merchant: Merchant, before: dict | None
) -> None:
    after = {"state": str(merchant.state), "name": merchant.name, "reason": merchant.reason}
    proof.audit(tx, merchant.city, actor, action, "merchant", str(merchant.pk), before, after)
