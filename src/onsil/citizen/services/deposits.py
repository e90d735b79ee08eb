"""Money that came in for charges: each line of the bank pays its order or waits for a person.

Nothing is lost: a line that fits no order is kept with its reason, and its won stand on
`payable:deposits` until somebody assigns them to an order or gives them back.
"""

from datetime import datetime
from uuid import UUID

from onsil import ledger, proof
from onsil.citizen import deposits, reference, refusals
from onsil.citizen.models import ChargeOrder, Deposit, Held
from onsil.citizen.services import charges, holds, postings
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

ACCOUNT = "payable:deposits"
Fate = Deposit.Fate


def take_line(
    line: deposits.Line, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Deposit:
    """Take up one credit line of the bank's file; the same line again gives the same deposit.

    The deposit given back is `matched` to its order (whose charge it posts) or an `exception`
    with its reason: those of `deposits.why_not`.
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        made, new = Deposit.objects.get_or_create(
            city=city, bank_id=line.bank_id,
            defaults={
                "amount": line.amount, "reference": line.reference[:200],
                "depositor": line.depositor[:80], "booked_at": line.booked_at,
                "simulated": line.simulated, "submitted_at": now, "fate": Fate.EXCEPTION,
                "key": f"deposit:{new_id()}",
            },
        )  # fmt: skip
        if new:
            _place(tx, made)
    return settle(made, clock, patience_s)


def settle(row: Deposit, clock: Clock = SYSTEM, patience_s: float | None = None) -> Deposit:
    """The deposit with the ledger's answers; one whose order has lapsed meanwhile becomes an
    exception."""
    row = postings.settle(row, clock, patience_s) if patience_s != 0 else (
        postings.refresh(row, clock)
    )  # fmt: skip
    if row.fate != Fate.MATCHED or row.order is None:
        return row
    order = charges.refresh(row.order, clock)
    if row.state != Deposit.State.REFUSED or order.outcome == Held.Outcome.OPEN:
        return row
    with transaction() as tx:
        row = Deposit.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if row.fate == Fate.MATCHED and row.state == Deposit.State.REFUSED:
            _except(tx, row, refusals.deposit_too_late(_last_day(order).isoformat()))
    return postings.settle(row, clock, patience_s) if patience_s != 0 else row


def exceptions(*, clock: Clock = SYSTEM) -> list[Deposit]:
    """The deposits that wait for a person, oldest first."""
    refresh_open(clock=clock)
    found = Deposit.objects.filter(city=current_city(), fate=Fate.EXCEPTION)
    return list(found.select_related("order").order_by("booked_at", "submitted_at"))


def refresh_open(*, clock: Clock = SYSTEM) -> int:
    """Look for the answers of deposits that were taken up without waiting; how many were out."""
    out = Deposit.objects.filter(city=current_city(), state=Deposit.State.PENDING)
    rows = [settle(row, clock, 0) for row in out.select_related("order")]
    return len(rows)


def assign(
    deposit_id: UUID, order_id: UUID, *, actor: str, clock: Clock = SYSTEM,
    patience_s: float | None = None,
) -> Deposit | Refusal:  # fmt: skip
    """Let a deposit pay an order that is open and of the same amount.

    Refusals: `deposit-seen-to`, `deposit-does-not-fit`, and the ledger's own.
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        row = Deposit.objects.select_for_update(of=("self",)).get(city=city, pk=deposit_id)
        if row.fate != Fate.EXCEPTION or not row.applied:
            return refusals.deposit_seen_to()
        order = holds.locked(ChargeOrder(pk=order_id))
        if not order.open or order.outcome_key or order.amount != row.amount:
            return refusals.deposit_does_not_fit(order.amount, row.amount)
        back = ledger.TransferRequest(
            key=f"{row.key}:assigned", kind="deposit-assigned", effective_at=now,
            legs=(ledger.Leg(ACCOUNT, "external:bank", "KRW", row.amount),), memo=row.bank_id,
            origin_kind="deposit", origin_id=str(row.pk), linked=True,
        )  # fmt: skip
        holds.ask(tx, order, "post", "charge-paid", memo=row.bank_id, origin_kind="charge",
                  origin_id=str(order.pk), before=(back,))  # fmt: skip
        _seen_to(tx, row, Fate.ASSIGNED, order, actor, now)
    holds.settle(order, clock, patience_s, charges.told)
    return row


def give_back(
    deposit_id: UUID, *, actor: str, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Deposit | Refusal:
    """Send a deposit back to where it came from. Refusal: `deposit-seen-to`."""
    city, now = current_city(), clock.now()
    with transaction() as tx:
        row = Deposit.objects.select_for_update(of=("self",)).get(city=city, pk=deposit_id)
        if row.fate != Fate.EXCEPTION or not row.applied:
            return refusals.deposit_seen_to()
        back = ledger.TransferRequest(
            key=f"{row.key}:returned", kind="deposit-return", effective_at=now,
            legs=(ledger.Leg(ACCOUNT, "external:bank", "KRW", row.amount),), memo=row.bank_id,
            origin_kind="deposit", origin_id=str(row.pk),
        )  # fmt: skip
        ledger.submit(tx, city, [back])
        _seen_to(tx, row, Fate.RETURNED, None, actor, now)
    ledger.wait(
        postings.dsn(), city, [back.key], postings.PATIENCE_S if patience_s is None else patience_s
    )
    return row


def _place(tx: Connection, row: Deposit) -> None:
    """Let a new deposit pay its order, or set it aside with the reason."""
    named = reference.find_reference(row.reference)
    order = None if named is None else _order_of(row.city, named)
    booked = local_day(row.booked_at, city_profile(row.city).zone)
    seen = None if order is None else deposits.Order(order.amount, _last_day(order), order.outcome)
    no = deposits.why_not(seen, row.amount, booked)
    if no is None and order is not None and (not order.open or order.outcome_key):
        no = refusals.deposit_order_paid() if order.outcome_key.endswith(":post") else (
            refusals.deposit_order_cancelled()
        )  # fmt: skip
    row.order = order
    if no is not None or order is None:
        assert no is not None, "a deposit without an order has a reason"
        _except(tx, row, no)
        return
    holds.ask(tx, order, "post", "charge-paid", memo=row.bank_id, origin_kind="deposit",
              origin_id=str(row.pk))  # fmt: skip
    row.fate, row.key = Fate.MATCHED, order.outcome_key
    row.save()


def _except(tx: Connection, row: Deposit, no: Refusal) -> None:
    """Keep a deposit for a person to see to, its won on the account for such."""
    row.fate, row.state = Fate.EXCEPTION, Deposit.State.PENDING
    row.key = f"deposit:{row.pk}"
    row.reason_code, row.reason_ko, row.reason_en = no.code, no.ko, no.en
    row.save()
    ledger.open_accounts(
        tx, row.city,
        [ledger.AccountSpec(ACCOUNT, "KRW", "payable"), *postings.city_accounts(row.city)],
    )  # fmt: skip
    request = ledger.TransferRequest(
        key=row.key, kind="deposit",
        legs=(ledger.Leg("external:bank", ACCOUNT, "KRW", row.amount),),
        memo=row.bank_id, origin_kind="deposit", origin_id=str(row.pk),
    )  # fmt: skip
    ledger.submit(tx, row.city, [request])


def _order_of(city: str, named: str) -> ChargeOrder | None:
    found = ChargeOrder.objects.select_for_update(of=("self",)).filter(city=city, reference=named)
    return found.exclude(state=ChargeOrder.State.REFUSED).first()


def _last_day(order: ChargeOrder):
    profile = city_profile(order.city)
    terms = charges.terms_of(profile)
    assert terms is not None, "an order was taken, so deposits are"
    return terms.last_day(order.submitted_at, profile.zone)


def _seen_to(
    tx: Connection, row: Deposit, fate: str, order: ChargeOrder | None, actor: str, now: datetime
) -> None:
    row.fate, row.seen_to_by, row.seen_to_at = fate, actor, now
    if order is not None:
        row.order = order
    row.save()
    proof.audit(
        tx, row.city, actor, f"deposit.{fate}", "deposit", str(row.pk), {"reason": row.reason_code},
        {"amount_krw": row.amount, "order": None if order is None else str(order.pk)},
    )  # fmt: skip
