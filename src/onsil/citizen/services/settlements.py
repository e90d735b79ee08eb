"""Settling a day's sales: the file and what each shop is owed. Paying it out is `payouts`'."""

from collections.abc import Sequence
from datetime import date, datetime

from onsil import ledger, proof
from onsil.citizen import refusals, settlement
from onsil.citizen.models import Merchant, Payment, Posting, Settlement, SettlementLine
from onsil.citizen.services import facts, payouts, postings, rulebook
from onsil.citizen.services.postings import SYSTEM, local_asset
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import OperationError, Refusal
from onsil.ledger import rules
from onsil.ledger.rules import names
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

JOB = "job:settlement"
_BATCH_PATIENCE_S = 60.0
_ASK_AGAIN = ("lot-rule", "insufficient-balance")


def build(
    day: date | None = None, *, actor: str = JOB, clock: Clock = SYSTEM
) -> Settlement | Refusal:
    """Settle a local day (yesterday by default): write the file, post what each shop is owed.

    Done again it finds the same settlement and only asks for answers that are still out. Payments
    that earlier settlements missed (a late answer, a clock set back) are taken along.
    Refusals: `settlement-too-early`. Raises OperationError (retry) while payments are undecided.
    """
    city = current_city()
    zone, now = city_profile(city).zone, clock.now()
    which = day or settlement.due_day(now, zone)
    if which > settlement.due_day(now, zone):
        return refusals.settlement_too_early({"day": which.isoformat()})
    made = Settlement.objects.filter(city=city, day=which).first()
    if made is None:
        end = settlement.day_period(which, zone).end
        _decide_pending(city, end, clock)
        with transaction() as tx:
            tx.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"settlement:{city}",)
            )
            made = Settlement.objects.filter(city=city, day=which).first()
            if made is None:
                made = _write(tx, city, which, end, actor, now)
    _ask_again(made, clock)
    for line in made.lines.filter(state=Posting.State.PENDING):
        postings.settle(line, clock, _BATCH_PATIENCE_S)
    payouts.pay_subsidies(made)
    return made


def build_due(*, clock: Clock = SYSTEM) -> list[Settlement]:
    """Settle every past day that has sales and no settlement yet, oldest first."""
    city = current_city()
    zone = city_profile(city).zone
    last = settlement.due_day(clock.now(), zone)
    end = settlement.day_period(last, zone).end
    open_sales = Payment.objects.filter(
        city=city, settlement__isnull=True, submitted_at__lt=end
    ).exclude(state=Posting.State.REFUSED)
    days = sorted({local_day(at, zone) for at in open_sales.values_list("submitted_at", flat=True)})
    settled = set(Settlement.objects.filter(city=city, day__in=days).values_list("day", flat=True))
    due = [day for day in days if day not in settled]
    if len(due) < len(days) and last not in settled and last not in due:
        due.append(last)  # stragglers of a settled day go into the newest one
    built = [build(day, clock=clock) for day in due]
    return [one for one in built if isinstance(one, Settlement)]


def settlements() -> list[Settlement]:
    """The city's settlements, newest first, without their files."""
    return list(Settlement.objects.filter(city=current_city()).defer("content").order_by("-day"))


def lines_of(merchant: Merchant, limit: int = 90) -> list[SettlementLine]:
    """A shop's own settlements, newest first."""
    found = SettlementLine.objects.filter(city=merchant.city, merchant=merchant)
    return list(
        found.select_related("settlement").defer("settlement__content")
        .order_by("-settlement__day")[:limit]
    )  # fmt: skip


def shop_file(line: SettlementLine) -> bytes:
    """A shop's own file of one settlement: each payment by time and confirmation code, a total."""
    zone = city_profile(line.city).zone
    sold = Payment.objects.filter(
        city=line.city, merchant=line.merchant, settlement=line.settlement
    ).order_by("submitted_at")  # fmt: skip
    rows = [
        settlement.ShopRow(p.submitted_at.astimezone(zone), p.confirmation, p.amount, p.cancelled)
        for p in sold
    ]
    return settlement.shop_file_bytes(
        line.settlement.day, line.settlement.pay_day, rows, cashback=line.shop_cashback,
        fee=line.fee, subsidy=line.subsidy,
    )  # fmt: skip


def _decide_pending(city: str, end: datetime, clock: Clock) -> None:
    """Have an answer for every payment asked before `end`; settling around one would lose it."""
    waiting = Payment.objects.filter(
        city=city, state=Posting.State.PENDING, submitted_at__lt=end
    ).order_by("submitted_at")
    for payment in waiting:
        if postings.settle(payment, clock).pending:
            raise OperationError(
                f"{city}: payment {payment.pk} has no answer yet; is the writer running?",
                retry=True,
            )


def _write(
    tx: Connection, city: str, day: date, end: datetime, actor: str, now: datetime
) -> Settlement:
    sold = list(
        Payment.objects.select_for_update(of=("self",))
        .filter(city=city, state=Posting.State.APPLIED, settlement__isnull=True,
                submitted_at__lt=end)
        .select_related("merchant")
    )  # fmt: skip
    rule = rulebook.rules_on(city_profile(city), day).settlement
    rows, carried = settlement.with_fees(
        settlement.lines(
            [settlement.Sale(p.merchant_id, p.amount, p.cancelled, p.shop_cashback) for p in sold],
            {settlement.Payee(p.merchant_id, p.merchant.name, p.merchant.business_number)
             for p in sold},
        ),
        {p.merchant_id: facts.eligibility(p.merchant, day).status.yearly_sales_krw
         for p in {p.merchant_id: p for p in sold}.values()},
        day, rule,
    )  # fmt: skip
    sold = [p for p in sold if p.merchant_id not in carried]
    pay_day = rules.settlement.pay_day(day, rule)
    content = settlement.file_bytes(day, pay_day, rows)
    made = Settlement.objects.create(
        city=city, day=day, pay_day=pay_day, content=content,
        digest=settlement.file_digest(content), payments=len(sold), net=sum(r.net for r in rows),
        made_by=actor, made_at=now,
    )  # fmt: skip
    Payment.objects.filter(city=city, pk__in=[p.pk for p in sold]).update(settlement=made)
    drafts = [_line(made, row, now) for row in rows]
    SettlementLine.objects.bulk_create(drafts)
    ledger.open_accounts(tx, city, _accounts(city, drafts))
    ledger.submit(tx, city, [_request(tx, line, now) for line in drafts if line.sales])
    proof.audit(
        tx, city, actor, "settlement.built", "settlement", str(made.pk), None,
        {"day": day.isoformat(), "net_krw": made.net, "sha256": made.digest},
    )  # fmt: skip
    return made


def _line(made: Settlement, row: settlement.Line, now: datetime) -> SettlementLine:
    state = Posting.State.PENDING if row.sales else Posting.State.APPLIED
    return SettlementLine(
        id=new_id(), city=made.city, settlement=made, merchant_id=row.payee.merchant_id,
        payments=row.payments, gross=row.gross, cancellations=row.cancellations,
        cancelled=row.cancelled, shop_cashback=row.shop_cashback, fee=row.fee,
        fee_class=row.fee_class, subsidy=row.subsidy, net=row.net, state=state, submitted_at=now,
        key=f"settle:{made.day.isoformat()}:{row.payee.merchant_id}",
    )  # fmt: skip


def _accounts(city: str, lines: Sequence[SettlementLine]) -> list[ledger.AccountSpec]:
    specs = [
        *postings.city_accounts(city),
        ledger.AccountSpec(names.FEES, "KRW", "fee"),
        ledger.AccountSpec(names.SUBSIDY, "KRW", "subsidy"),
    ]
    return specs + [
        ledger.AccountSpec(
            names.shop_receivable(line.merchant_id), "KRW", "receivable", minimum=None
        )
        for line in lines
        if line.shop_cashback
    ]


def _request(tx: Connection, line: SettlementLine, now: datetime) -> ledger.TransferRequest:
    """What was valid when it was paid is owed, even where it has expired in the till since."""
    shop, asset = f"merchant:{line.merchant_id}", local_asset(line.city)
    expired = sum(
        lot.amount
        for lot in ledger.lots(tx, line.city, shop, asset)
        if lot.terms.expires_at is not None and lot.terms.expires_at <= now
    )
    legs = rules.settlement.settle_legs(
        merchant=line.merchant_id, shop=shop, payable=f"payable:{line.merchant_id}", local=asset,
        sales=line.sales, fee=line.fee, cashback=line.shop_cashback, expired=expired,
    )  # fmt: skip
    return ledger.TransferRequest(
        key=line.key, kind="settlement", legs=legs, effective_at=now, origin_kind="settlement",
        origin_id=str(line.settlement_id),
    )  # fmt: skip


def _ask_again(made: Settlement, clock: Clock) -> None:
    """Lines that the ledger refused because lots had changed under them are asked anew."""
    now = clock.now()
    with transaction() as tx:
        refused = made.lines.select_for_update(of=("self",)).filter(
            state=Posting.State.REFUSED, refusal_code__in=_ASK_AGAIN
        )
        for line in refused:
            line.key = f"settle:{made.day.isoformat()}:{line.merchant_id}:{new_id().hex}"
            line.state, line.submitted_at = Posting.State.PENDING, now
            line.save(update_fields=["key", "state", "submitted_at"])
            ledger.submit(tx, made.city, [_request(tx, line, now)])
