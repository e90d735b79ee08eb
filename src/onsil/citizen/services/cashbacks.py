"""Cashback: what funders give back for a payment, right after it, and what a cancellation takes.

Each funder's share is a transfer of its own under a key that names payment and funder, so that it
is given once, and that a funder whose budget has run out does not stop the others. Caps are
counters in the ledger; a share that meets a cap or an empty budget is reckoned again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from onsil import ledger
from onsil.citizen import parts
from onsil.citizen.models import Cashback, Payment
from onsil.citizen.services import facts, postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.citizen.services.rulebook import rules_at
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.ledger import rules
from onsil.ledger.rules.cashback import CashbackRule, Grant
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

_TRIES = 5
_LIMITS = frozenset({"account-limit", "insufficient-balance"})
_GIVEN_UP_AFTER = timedelta(days=7)


def reward(
    payment: Payment, clock: Clock = SYSTEM, patience_s: float | None = None
) -> list[Cashback]:
    """Give the cashback of an applied payment, once; asked again, the same with newest answers."""
    if not payment.applied:
        return []
    if payment.rewarded_at is None:
        with transaction() as tx:
            fresh = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
            if fresh.rewarded_at is None:
                _grant(tx, fresh, clock.now())
            payment.rewarded_at = fresh.rewarded_at
    rows = list(payment.cashbacks.order_by("pk"))
    return [_settled(row, clock, patience_s) for row in rows]


def given(payment: Payment, clock: Clock = SYSTEM) -> list[Cashback]:
    """A payment's cashback as it stands, without waiting for anything."""
    return [_settled(row, clock, 0) for row in payment.cashbacks.order_by("pk")]


def reward_due(*, clock: Clock = SYSTEM) -> int:
    """Give what a crash or a late answer left ungiven; how many payments were seen to."""
    city, since = current_city(), clock.now() - _GIVEN_UP_AFTER
    due = Payment.objects.filter(
        city=city, state=Payment.State.APPLIED, rewarded_at__isnull=True, submitted_at__gt=since
    )
    seen = [reward(payment, clock) for payment in due.order_by("submitted_at")]
    out = Cashback.objects.filter(city=city, state=Cashback.State.PENDING)
    for row in out.select_related("payment"):
        _settled(row, clock, 0)
    return len(seen)


@dataclass(frozen=True)
class TakenBack:
    """What a cancellation takes back of one share, and the request that does it."""

    row: Cashback
    amount: int
    base: int
    request: ledger.TransferRequest


def claw_back(
    tx: Connection, payment: Payment, cancelled: Sequence[parts.Stretch], name: str, now: datetime
) -> list[TakenBack]:
    """What is to be taken back of the cashback of the part of a payment that is cancelled.

    The requests are to be linked with the cancellation, behind it: they may take what it returns.
    `name` makes their keys the cancellation's own.
    """
    profile = city_profile(payment.city)
    rule = rules_at(profile, payment.submitted_at).cashback
    rows = {row.funder: row for row in payment.cashbacks.order_by("pk") if row.applied}
    person, asset = wallet_account(payment.citizen_id), local_asset(payment.city)
    base = _paid_base(tx, payment, rule)
    there = rules.cashback.reclaimable(
        [*ledger.lots(tx, payment.city, person, asset), *_as_lots(cancelled)], rule, now
    )
    shop = facts.shop(payment.merchant, local_day(payment.submitted_at, profile.zone))
    found = []
    for back in rules.cashback.claw_back(
        rule, [_standing(row) for row in rows.values()], base, _base(cancelled, rule)
    ):
        request = rules.cashback.claw_back_request(
            rule=rule, back=back, city=payment.city, person=person, shop=shop,
            payment_id=str(payment.pk), cancellation_id=name, there=there,
            paid_at=payment.submitted_at, zone=profile.zone,
        )  # fmt: skip
        there -= min(there, back.amount)
        found.append(TakenBack(rows[back.funder], back.amount, back.base, request))
    return found


def note_taken_back(payment: Payment, found: Iterable[TakenBack]) -> None:
    """Write down what was taken back, in the transaction of the cancellation; the payment's own
    row is left for the caller to save."""
    for one in found:
        one.row.returned += one.amount
        one.row.base_returned += one.base
        one.row.save(update_fields=["returned", "base_returned"])
        if one.row.funder == rules.cashback.SHOP:
            payment.shop_cashback -= one.amount


def owed(tx: Connection, city: str, person: str) -> list[tuple[str, int]]:
    """Cashback a citizen owes back, per funder: taken-back shares that the wallet did not hold."""
    found = [a for a in ledger.accounts(tx, city, prefix=person) if a.code == person]
    claims = [(a.asset.removeprefix("claim:"), a.balance) for a in found
              if a.asset.startswith("claim:")]  # fmt: skip
    return [(funder, won) for funder, won in claims if won > 0]


def _grant(tx: Connection, payment: Payment, now: datetime) -> None:
    """Reckon the shares of a payment, write them down and ask for them."""
    city, person = payment.city, wallet_account(payment.citizen_id)
    rule = rules_at(city_profile(city), payment.submitted_at).cashback
    base = _paid_base(tx, payment, rule)
    payment.rewarded_at = now
    payment.save(update_fields=["rewarded_at"])
    if base <= 0 or not rule.funders:
        return
    zone = city_profile(city).zone
    shop = facts.shop(payment.merchant, local_day(payment.submitted_at, zone))
    specs = rules.cashback.accounts(rule, person, payment.submitted_at, zone)
    postings.open_with_limits(tx, city, [
        *postings.city_accounts(city), *specs, rules.cashback.shop_account(shop)
    ])  # fmt: skip
    words = {funder.code: (funder.ko, funder.en) for funder in rule.funders}
    for grant in _shares(tx, payment, rule, base):
        ko, en = words[grant.funder]
        row = Cashback(
            city=city, payment=payment, funder=grant.funder, words_ko=ko, words_en=en,
            percent=grant.percent, submitted_at=now, key="",
        )  # fmt: skip
        _ask(tx, row, rule, grant, now, attempt=1)


def _ask(
    tx: Connection, row: Cashback, rule: CashbackRule, grant: Grant, now: datetime, attempt: int
) -> None:
    """Ask for one share; a share of nothing is written down as what the budget did not cover."""
    payment, zone = row.payment, city_profile(row.city).zone
    shop = facts.shop(payment.merchant, local_day(payment.submitted_at, zone))
    row.base, row.amount, row.short = grant.base, grant.amount, grant.short
    row.key = f"cashback:{payment.pk}:{grant.funder}:{attempt}"
    requests = rules.cashback.grant_requests(
        rule=rule, granted=[grant], city=row.city, person=wallet_account(payment.citizen_id),
        shop=shop, payment_id=str(payment.pk), at=payment.submitted_at, zone=zone,
    )  # fmt: skip
    row.state = Cashback.State.PENDING if requests else Cashback.State.REFUSED
    row.decided_at = None if requests else now
    row.save()
    ledger.submit(tx, row.city, [one._replace(key=row.key) for one in requests])


def _settled(row: Cashback, clock: Clock, patience_s: float | None) -> Cashback:
    """The share with the ledger's answer; where a cap or budget was met, reckoned again."""
    for _ in range(_TRIES):
        row = postings.settle(row, clock, patience_s) if patience_s != 0 else (
            postings.refresh(row, clock)
        )  # fmt: skip
        if row.state != Cashback.State.REFUSED or row.refusal_code not in _LIMITS:
            return row
        with transaction() as tx:
            row = Cashback.objects.select_for_update(of=("self",)).get(pk=row.pk)
            if row.state == Cashback.State.REFUSED and row.refusal_code in _LIMITS:
                _again(tx, row, clock.now())
    return row


def _again(tx: Connection, row: Cashback, now: datetime) -> None:
    """Reckon a refused share anew, with what the cap and the budget leave now."""
    payment = row.payment
    rule = rules_at(city_profile(row.city), payment.submitted_at).cashback
    only = CashbackRule(
        tuple(funder for funder in rule.funders if funder.code == row.funder),
        rule.excluded_funds, rule.rounding, rule.when_short, rule.validity_years,
        rule.merchant_rule,
    )  # fmt: skip
    attempt = int(row.key.rsplit(":", 1)[-1])
    whole = row.amount + row.short
    row.refusal_code = row.refusal_ko = row.refusal_en = ""
    shares = _shares(tx, payment, only, _paid_base(tx, payment, rule))
    if attempt < _TRIES and shares:
        _ask(tx, row, only, shares[0], now, attempt + 1)
        return
    row.amount, row.short, row.base = 0, whole if attempt >= _TRIES else 0, 0
    row.save()


def _shares(tx: Connection, payment: Payment, rule: CashbackRule, base: int) -> tuple[Grant, ...]:
    """The shares that caps and budgets allow now."""
    city, person = payment.city, wallet_account(payment.citizen_id)
    zone = city_profile(city).zone
    month = rules.names.month_of(payment.submitted_at, zone)

    def there(code: str, asset: str) -> int:
        return ledger.balance(tx, city, code, asset)

    codes = [funder.code for funder in rule.funders]
    counted = {code: there(person, rules.cashback.base_asset(code, month)) for code in codes}
    year = int(month[:4])
    budgets = {
        funder.code: max(0, there(rules.names.cashback_budget(funder.code, year), rules.names.KRW))
        for funder in rule.funders
        if not funder.by_shop
    }
    shop = facts.shop(payment.merchant, local_day(payment.submitted_at, zone))
    return rules.cashback.grants(rule, shop, base, counted, budgets)


def _paid_base(tx: Connection, payment: Payment, rule: CashbackRule) -> int:
    done = None
    if payment.transfer_id is not None:
        done = ledger.transfer(tx, payment.city, payment.transfer_id)
    assert done is not None, "an applied payment is in the ledger"
    person, asset = wallet_account(payment.citizen_id), local_asset(payment.city)
    taken = parts.stretches(done.legs, person, asset)
    return _base(taken, rule) if payment.kept else 0


def _base(taken: Iterable[parts.Stretch], rule: CashbackRule) -> int:
    return rules.cashback.base_of([(one.terms.fund, one.amount) for one in taken], rule)


def _standing(row: Cashback) -> Grant:
    return Grant(
        row.funder, row.percent, row.base - row.base_returned, row.amount - row.returned
    )  # fmt: skip


def _as_lots(taken: Iterable[parts.Stretch]) -> list[ledger.Lot]:
    return [ledger.Lot(one.terms, one.amount, ()) for one in taken]
