"""Charging with own money: ordering, and the deposit that pays the order.

An order is a pending transfer: it sets room aside in every cap (person and month, holding, the
city's month), so that money that arrives is never too much, however many orders come at once. The
bank's line posts it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError

from onsil import ledger
from onsil.citizen import deposits, reference, refusals
from onsil.citizen.models import ChargeOrder, Held, User
from onsil.citizen.services import holds, postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.citizen.services.rulebook import rules_at
from onsil.core.announce import announce
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.ledger.rules.charging import ChargingRule, Counters
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import CityProfile
from onsil.tenancy.cities import city as city_profile


@dataclass(frozen=True)
class Cap:
    """One limit as the citizen is shown it: `used` of `most` won, `left` to go."""

    code: str
    most: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.most - self.used)


@dataclass(frozen=True)
class Room:
    """What may still be charged now: every cap that is set, and the least of what they leave."""

    rule: ChargingRule
    caps: tuple[Cap, ...]
    most: int | None


def terms_of(profile: CityProfile) -> deposits.DepositTerms | None:
    """Where deposits go in a city; None where it takes none."""
    return deposits.DepositTerms.of(profile.data.get("deposits", {}))


def room(citizen: User, *, clock: Clock = SYSTEM) -> Room:
    """What is left of each cap, orders that are still to be paid counted in."""
    city, now = current_city(), clock.now()
    rule = rules_at(city_profile(city), now).charging
    with transaction() as tx:
        counted = _counters(tx, city, citizen, now, waiting=True)
    caps = (
        ("person-month", rule.person_month_krw, counted.charged),
        ("holding", rule.holding_krw, counted.own),
        ("city-month", rule.city_month_krw, counted.city_issued),
    )
    shown = tuple(Cap(code, most, used) for code, most, used in caps if most is not None)
    return Room(rule, shown, rules.charging.room(rule, counted))


def order(
    citizen: User, amount: int, form_id: UUID, *, clock: Clock = SYSTEM,
    patience_s: float | None = None,
) -> ChargeOrder | Refusal:  # fmt: skip
    """Order a charge; the order given back says where to pay it in, or why the ledger refused it.

    The same form again gives the same order. Refusals before anything was asked:
    `charging-closed`, `charge-too-small`, `charge-uneven`, `form-used`; a cap that is reached is
    the order's own refusal (`charge-over-month`, `charge-over-holding`, `charge-city-full`).
    """
    city, now = current_city(), clock.now()
    profile = city_profile(city)
    rule, terms = rules_at(profile, now).charging, terms_of(profile)
    known = ChargeOrder.objects.filter(city=city, pk=form_id).first()
    if known is None:
        if terms is None:
            return refusals.charging_closed()
        if (no := rules.charging.examine(amount, rule)) is not None:
            return no
        known = _placed(citizen, amount, form_id, rule, terms, now)
    if (known.citizen_id, known.amount) != (citizen.pk, amount):
        return refusals.form_used()
    return refresh(postings.settle(known, clock, patience_s), clock)


def withdraw(
    row: ChargeOrder, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> ChargeOrder | Refusal:
    """Give up an order that has not been paid. Refusal: `charge-paid-already`."""
    with transaction() as tx:
        row = holds.locked(row)
        if row.open and not row.outcome_key:
            holds.ask(tx, row, "void", "charge-withdrawn", origin_kind="charge",
                      origin_id=str(row.pk))  # fmt: skip
    row = holds.settle(row, clock, patience_s, told)
    return refusals.charge_paid_already() if row.outcome == Held.Outcome.DONE else row


def refresh(row: ChargeOrder, clock: Clock = SYSTEM) -> ChargeOrder:
    """The order with the newest answers; a cap's refusal is told in the cap's own words."""
    row = holds.refresh(row, clock, told)
    if row.refusal_code == "account-limit":
        _explain(row)
    return row


def orders(citizen: User, limit: int = 20, *, clock: Clock = SYSTEM) -> list[ChargeOrder]:
    """A citizen's charges, newest first."""
    found = ChargeOrder.objects.filter(city=current_city(), citizen=citizen)
    return [refresh(row, clock) for row in found.order_by("-submitted_at")[:limit]]


def waiting(citizen: User, *, clock: Clock = SYSTEM) -> list[ChargeOrder]:
    """The orders of a citizen that still are to be paid, newest first."""
    found = ChargeOrder.objects.filter(
        city=current_city(), citizen=citizen, outcome=Held.Outcome.OPEN
    ).exclude(state=ChargeOrder.State.REFUSED)
    return [
        row
        for row in (refresh(one, clock) for one in found.order_by("-submitted_at"))
        if row.open or row.pending
    ]


def lapse_due(*, clock: Clock = SYSTEM) -> int:
    """Let every order lapse whose time is over; how many did."""
    due = ChargeOrder.objects.filter(
        city=current_city(), outcome=Held.Outcome.OPEN, state=ChargeOrder.State.APPLIED,
        expires_at__lte=clock.now(),
    )  # fmt: skip
    return sum(refresh(row, clock).outcome == Held.Outcome.LAPSED for row in due)


def told(tx: Connection, row: ChargeOrder) -> None:
    """Note what stands in the wallet once an order is paid; let open screens know, at commit."""
    if row.outcome == Held.Outcome.DONE:
        row.standing = _counters(tx, row.city, row.citizen, row.submitted_at).own
        row.save(update_fields=["standing"])
    news = {"charge": str(row.pk), "state": row.outcome}
    announce(tx, row.city, f"wallet.{row.citizen_id}", news)


def _placed(
    citizen: User, amount: int, form_id: UUID, rule: ChargingRule, terms: deposits.DepositTerms,
    now: datetime,
) -> ChargeOrder:  # fmt: skip
    """Write the order down and ask the ledger to set its room aside, in one transaction."""
    city = current_city()
    zone = city_profile(city).zone
    person, month = wallet_account(citizen.pk), rules.names.month_of(now, zone)
    with transaction() as tx:
        made, new = ChargeOrder.objects.get_or_create(
            pk=form_id,
            defaults={
                "city": city, "citizen": citizen, "amount": amount, "key": f"charge:{form_id}",
                "reference": _free_reference(city), "month": month, "submitted_at": now,
                "expires_at": terms.held_until(now, zone),
            },
        )  # fmt: skip
        if new:
            specs = [*postings.city_accounts(city), *rules.charging.accounts(rule, person, month)]
            postings.open_with_limits(tx, city, specs)
            counted = _counters(tx, city, citizen, now)
            release = rules.charging.holding_release(person, counted)
            request = rules.charging.charge(
                city=city, person=person, amount=amount, key=made.key, charge_id=str(made.pk),
                at=now, zone=zone, rule=rule, counters=counted,
            )  # fmt: skip
            request = request._replace(phase="pending", timeout_at=made.expires_at)
            ledger.submit(tx, city, [request] if release is None else [release, request])
    return made


def _free_reference(city: str) -> str:
    """A reference that no order has; two that draw the same one are told apart by the database."""
    for _ in range(5):
        drawn = reference.new_reference()
        if not ChargeOrder.objects.filter(city=city, reference=drawn).exists():
            return drawn
    raise IntegrityError("no free deposit reference was found")


def _counters(
    tx: Connection, city: str, citizen: User, now: datetime, *, waiting: bool = False
) -> Counters:
    """What the ledger's counters say; with `waiting`, what is set aside counts as used."""
    person, zone = wallet_account(citizen.pk), city_profile(city).zone
    month = rules.names.month_of(now, zone)

    def used(code: str, asset: str) -> int:
        found = ledger.account(tx, city, code, asset)
        if found is None:
            return 0
        return found.balance + (found.coming if waiting else 0)

    own = sum(
        lot.amount
        for lot in ledger.lots(tx, city, person, local_asset(city))
        if lot.terms.fund == rules.names.OWN
    )
    holding = used(person, rules.charging.HOLDING)
    if waiting:
        own += _coming_charges(citizen)
    return Counters(
        charged=used(person, rules.charging.month_asset(month)),
        city_issued=used(
            rules.charging.issue_account(month), rules.charging.issue_asset(month)
        ),
        holding=holding, released=used(person, rules.charging.RELEASED), own=own,
    )  # fmt: skip


def _coming_charges(citizen: User) -> int:
    """Won of orders that are set aside and not paid yet."""
    found = ChargeOrder.objects.filter(
        city=current_city(), citizen=citizen, outcome=Held.Outcome.OPEN,
        state=ChargeOrder.State.APPLIED,
    )  # fmt: skip
    return sum(found.values_list("amount", flat=True))


def _explain(row: ChargeOrder) -> None:
    """Put the words of the cap in place of the ledger's, once."""
    with transaction() as tx:
        answer = ledger.answers(tx, row.city, [row.key]).get(row.key)
        if answer is None or answer.refusal is None:
            return
        rule = rules_at(city_profile(row.city), row.submitted_at).charging
        counted = _counters(tx, row.city, row.citizen, row.submitted_at, waiting=True)
        no = rules.charging.explained(answer.refusal, rule, counted)
        row.refusal_code, row.refusal_ko, row.refusal_en = no.code, no.ko, no.en
        row.save(update_fields=["refusal_code", "refusal_ko", "refusal_en"])
