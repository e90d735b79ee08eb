"""Refunds of charged money: what the legal rule gives back now, asking for it, and paying it out.

Whoever asks has the value out of the wallet at once, into `payable:refund:<id>`; one official sees
to it, another releases the file for the bank. A refused refund returns to the very same positions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil import ledger
from onsil.citizen import refusals, sealing
from onsil.citizen.models import ChargeOrder, Held, Refund, User
from onsil.citizen.services import cashbacks, postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.citizen.services.rulebook import rules_at
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.ledger.rules.refunds import Charged, Line, Quote
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

ACCOUNT = "refund-account"
_DIGITS = range(8, 17)


@dataclass(frozen=True)
class BankAccount:
    """Where a refund is to go; `number` is digits only."""

    bank: str
    number: str
    holder: str

    @classmethod
    def read(cls, bank: str, number: str, holder: str) -> "BankAccount | Refusal":
        """Refusal: `account-malformed`."""
        digits = "".join(c for c in number if c not in " -")
        fits = digits.isascii() and digits.isdigit() and len(digits) in _DIGITS
        if not (fits and bank.strip() and holder.strip()):
            return refusals.account_malformed()
        return cls(bank.strip()[:40], digits, holder.strip()[:80])


def payable(refund_id: object) -> str:
    return f"payable:refund:{refund_id}"


def quote(citizen: User, *, clock: Clock = SYSTEM) -> Quote:
    """What today's rule makes of each of a citizen's charges: the money, or what is missing."""
    with transaction() as tx:
        return _quote(tx, citizen, clock.now())


def ask(
    citizen: User, chosen: Iterable[tuple[str, int]], account: BankAccount, form_id: UUID, *,
    clock: Clock = SYSTEM, patience_s: float | None = None,
) -> Refund | Refusal:  # fmt: skip
    """Ask for the refund of some charges: (charge, won) as they were shown.

    The same form again gives the same refund. Refusals before anything was asked:
    `nothing-to-refund`, `refund-changed` (other amounts than those shown), `form-used`.
    """
    city, now, wanted = current_city(), clock.now(), dict(chosen)
    with transaction() as tx:
        tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            (f"refund:{city}:{citizen.pk}",),
        )
        made = Refund.objects.filter(city=city, pk=form_id).first()
        if made is None:
            quoted = _quote(tx, citizen, now)
            others = frozenset(x.charge.charge_id for x in quoted.lines) - frozenset(wanted)
            quoted = rules.refunds.without(quoted, others)
            told = {x.charge.charge_id: x.amount for x in quoted.lines if x.possible}
            if told != wanted:
                return refusals.refund_changed()
            if quoted.amount <= 0:
                return rules.words.nothing_to_refund(None, None)
            made = _write(tx, citizen, quoted, account, form_id, now)
        if made.citizen_id != citizen.pk:
            return refusals.form_used()
    return postings.settle(made, clock, patience_s)


def of_citizen(citizen: User, limit: int = 20, *, clock: Clock = SYSTEM) -> list[Refund]:
    """A citizen's refunds, newest first."""
    found = Refund.objects.filter(city=current_city(), citizen=citizen)
    return [postings.refresh(row, clock) for row in found.order_by("-submitted_at")[:limit]]


def _quote(tx: Connection, citizen: User, now: datetime) -> Quote:
    city = current_city()
    profile, person = city_profile(city), wallet_account(citizen.pk)
    charges, standing = _charges(tx, citizen, now)
    debts = sum(won for _, won in cashbacks.owed(tx, city, person))
    return rules.refunds.quote(
        charges, rules_at(profile, now).refund, now, profile.zone, standing=standing, owed=debts
    )


def _charges(tx: Connection, citizen: User, now: datetime) -> tuple[list[Charged], int | None]:
    """The citizen's charges with what is left of each, found by the positions it brought; and the
    charged money as it stood after the last one."""
    city, person, asset = current_city(), wallet_account(citizen.pk), local_asset(current_city())
    live: dict[tuple[object, ...], tuple[tuple[int, int], ...]] = {
        _like(lot.terms): lot.spans for lot in ledger.lots(tx, city, person, asset)
    }
    back = _refunded_expired(citizen)
    found, standing = [], None
    paid = ChargeOrder.objects.filter(city=city, citizen=citizen, outcome=Held.Outcome.DONE)
    for order in paid.order_by("outcome_at"):
        standing = order.standing
        assert order.outcome_transfer_id is not None
        done = ledger.transfer(tx, city, order.outcome_transfer_id)
        pieces = [] if done is None else [
            piece for leg in done.legs if leg.destination == person and leg.asset == asset
            for piece in leg.pieces
        ]  # fmt: skip
        for piece in pieces:
            assert piece.made is not None, "a wallet keeps lots"
            start, end = piece.made, piece.made + piece.amount
            spans = _overlap(live.get(_like(piece.terms), ()), start, end)
            left = sum(b - a for a, b in spans)
            until = piece.terms.expires_at
            assert until is not None, "charged money has an end"
            if until <= now:
                left = _expired(tx, person, asset, piece.terms, start, end) - back.get(
                    str(order.pk), 0
                )
                spans = ()
            terms = piece.terms._replace(origin_kind="", origin_id="")
            found.append(Charged(
                str(order.pk), order.outcome_at or order.submitted_at, order.amount, left, until,
                terms=terms, spans=spans,
            ))  # fmt: skip
    return found, standing


def _like(terms: ledger.LotTerms) -> tuple[object, ...]:
    return (terms.fund, terms.expires_at, terms.merchant_rule, terms.refundable)


def _overlap(spans: Iterable[tuple[int, int]], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The parts of spans that lie within [start, end)."""
    cut = ((max(a, start), min(b, end)) for a, b in spans)
    return tuple((a, b) for a, b in cut if a < b)


def _expired(
    tx: Connection, person: str, asset: str, terms: ledger.LotTerms, start: int, end: int
) -> int:
    """Won of these positions that the expiry job has taken."""
    city = current_city()
    took = ledger.debits_of(tx, city, person, asset, terms, start, end)
    kinds: dict[UUID, str] = {}
    for one in took:
        if one.transfer_id not in kinds:
            done = ledger.transfer(tx, city, one.transfer_id)
            kinds[one.transfer_id] = "" if done is None else done.kind
    return sum(one.amount for one in took if kinds[one.transfer_id] == "expiry")


def _refunded_expired(citizen: User) -> dict[str, int]:
    """Won per charge that refunds of expired value have taken, refused ones left out."""
    sums: dict[str, int] = {}
    mine = Refund.objects.filter(city=current_city(), citizen=citizen)
    for row in mine.exclude(stage=Refund.Stage.REFUSED).exclude(state=Refund.State.REFUSED):
        for line in row.lines:
            if line["reason"] == "expired":
                sums[line["charge"]] = sums.get(line["charge"], 0) + line["taken"]
    return sums


def _write(
    tx: Connection, citizen: User, quoted: Quote, account: BankAccount, form_id: UUID,
    now: datetime,
) -> Refund:  # fmt: skip
    """Write the refund down and ask the ledger for it, in the caller's transaction."""
    city, person = current_city(), wallet_account(citizen.pk)
    lines = [_noted(line) for line in quoted.lines if line.possible]
    made = Refund.objects.create(
        pk=form_id, city=city, citizen=citizen, key=f"refund:{form_id}", submitted_at=now,
        taken=sum(line["taken"] for line in lines), payout=quoted.amount, lines=lines,
        bank=account.bank, holder=account.holder, account_end=account.number[-4:],
        account_sealed=sealing.seal(account.number, ACCOUNT),
    )  # fmt: skip
    owed, left = [], quoted.owed
    for funder, won in cashbacks.owed(tx, city, person):
        owed.append((funder, min(won, left)))
        left -= owed[-1][1]
    ledger.open_accounts(tx, city, [
        *postings.city_accounts(city), ledger.AccountSpec(payable(made.pk), "KRW", "payable"),
        ledger.AccountSpec("fund:discount", "KRW", "fund"),
        ledger.AccountSpec(rules.names.breakage(rules.names.OWN), "KRW", "breakage"),
    ])  # fmt: skip
    request = rules.refunds.request(
        quoted=quoted, city=city, person=person, key=made.key, refund_id=str(made.pk), at=now,
        zone=city_profile(city).zone, owed=owed, payee=payable(made.pk),
    )  # fmt: skip
    ledger.submit(tx, city, [request])
    return made


def _noted(line: Line) -> dict[str, Any]:
    """A line as it is kept with the refund and shown later."""
    return {
        "charge": line.charge.charge_id, "reason": line.reason, "charged": line.charge.amount,
        "taken": line.taken, "amount": line.amount, "deducted": line.deducted,
        "kept": line.kept,
    }  # fmt: skip
