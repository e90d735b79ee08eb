"""Taking a payment back, all of it or a part, on the day it was made."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from onsil import ledger, proof
from onsil.citizen import parts, refusals, settlement
from onsil.citizen.models import Cancellation, Merchant, Payment, User
from onsil.citizen.services import cashbacks, facts, postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


def cancel(
    payment_id: UUID, merchant: Merchant, *, actor: User, amount: int | None = None,
    form_id: UUID | None = None, clock: Clock = SYSTEM,
) -> Cancellation | Refusal:  # fmt: skip
    """Give `amount` won of a payment back (all that is left of it by default), in one act: the
    citizen's value returns to where it was, and the cashback it had brought is taken back.

    `form_id` came with the form: the same form again gives the same cancellation; so does asking
    again for the whole. Refusals: `cancel-not-paid`, `cancel-too-late`, `cancel-amount-wrong`,
    `cancel-wait` (its cashback is still on its way), and the ledger's own.
    """
    city = current_city()
    payment = Payment.objects.get(city=city, pk=payment_id, merchant=merchant)
    key = f"cancel:{payment_id}:all" if form_id is None else f"cancel:{form_id}"
    shares = cashbacks.reward(postings.refresh(payment, clock), clock)
    if any(share.pending for share in shares):
        return refusals.cancel_wait()
    with transaction() as tx:
        payment = Payment.objects.select_for_update(of=("self",)).get(city=city, pk=payment_id)
        known = Cancellation.objects.filter(city=city, key__in=(key, f"{key}:again")).first()
        if known is not None:
            return known
        wanted = payment.kept if amount is None else amount
        no = _why_not(payment, wanted, clock.now())
        return no if no is not None else _post(tx, payment, wanted, key, actor, clock)


def cancellable(payment: Payment, *, clock: Clock = SYSTEM) -> bool:
    """Whether the shop may still take something of a payment back."""
    return payment.kept > 0 and _why_not(payment, payment.kept, clock.now()) is None


def _why_not(payment: Payment, amount: int, now: datetime) -> Refusal | None:
    if not payment.applied or payment.transfer_id is None:
        return refusals.cancel_not_applied()
    zone = city_profile(payment.city).zone
    late = not settlement.cancellable(payment.submitted_at, now, zone)
    if late or payment.settlement_id is not None:
        return refusals.cancel_too_late()
    if not 0 < amount <= payment.kept:
        return refusals.cancel_amount_wrong(payment.kept)
    return None


def _post(
    tx: Connection, payment: Payment, amount: int, key: str, actor: User, clock: Clock
) -> Cancellation | Refusal:
    """Post the return and what it takes back as one chain. The wallet may have changed while it
    was looked at: the second look is under the ledger's lock."""
    assert payment.transfer_id is not None
    city, now = payment.city, clock.now()
    done = ledger.transfer(tx, city, payment.transfer_id)
    assert done is not None, "an applied payment is in the ledger"
    wallet, asset = wallet_account(payment.citizen_id), local_asset(city)
    taken = parts.stretches(done.legs, wallet, asset)
    kept, back = parts.split(taken, payment.kept - amount)
    for name in (key, f"{key}:again"):
        chain = _requests(payment, taken, kept, name, now)
        clawed = cashbacks.claw_back(tx, payment, back, name, now)
        chain += [one.request for one in clawed]
        linked = [one._replace(linked=one is not chain[-1]) for one in chain]
        answers = ledger.post(tx, city, linked, clock)
        blamed = next((a.refusal for a in answers.values() if a.refusal is not None
                       and a.refusal.code != "linked-failed"), None)  # fmt: skip
        if blamed is None:
            break
    else:
        return blamed
    made = Cancellation(
        city=city, payment=payment, amount=amount, asked_by=actor, key=name, submitted_at=now
    )
    if kept:
        payment.transfer_id = made.rest_transfer_id = answers[_rest(name)].transfer_id
    postings.remember(made, answers[name], now)
    cashbacks.note_taken_back(payment, clawed)
    payment.cancelled += amount
    payment.save(update_fields=["cancelled", "shop_cashback", "transfer_id"])
    postings.tell(tx, made)
    proof.audit(
        tx, city, f"user:{actor.pk}", "payment.cancelled", "payment", str(payment.pk),
        {"kept_krw": payment.kept + amount}, {"kept_krw": payment.kept},
    )  # fmt: skip
    return made


def _requests(
    payment: Payment, taken: Sequence[parts.Stretch], kept: Sequence[parts.Stretch], name: str,
    now: datetime,
) -> list[ledger.TransferRequest]:  # fmt: skip
    """All of it back to where it was and, where a part stays paid, that part paid again."""
    shop, wallet = payment.merchant.account, wallet_account(payment.citizen_id)
    asset, zone = local_asset(payment.city), city_profile(payment.city).zone
    back = ledger.TransferRequest(
        key=name, kind="cancellation", effective_at=now, origin_kind="payment",
        legs=(parts.return_leg(taken, shop, wallet, asset),), origin_id=str(payment.pk),
        reverses=payment.transfer_id,
    )  # fmt: skip
    if not kept:
        return [back]
    place = facts.eligibility(payment.merchant, local_day(payment.submitted_at, zone)).rules
    again = ledger.TransferRequest(
        key=_rest(name), kind="payment", effective_at=payment.submitted_at,
        legs=parts.repaid_legs(kept, shop, wallet, asset, place), origin_kind="payment",
        origin_id=str(payment.pk),
    )  # fmt: skip
    return [back, again]


def _rest(name: str) -> str:
    return f"{name}:rest"
