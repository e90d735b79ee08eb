"""Charging: the caps hold whatever comes at once, and no deposit is ever lost or counted twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

from django.db import connection
from small_town import Town
from test_payments import paid, shown

from onsil import ledger
from onsil.citizen.models import ChargeOrder, Deposit, Held
from onsil.citizen.services import charges, deposits, payments, postings
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.tenancy import city_scope, transaction


def ordered(answer: object) -> ChargeOrder:
    assert isinstance(answer, ChargeOrder), answer
    return answer


def refused(answer: object, code: str) -> None:
    assert isinstance(answer, Refusal), answer
    assert answer.code == code


def at_once(town: Town, act, many: int) -> list:
    start = threading.Barrier(many)

    def one(n: int) -> object:
        with city_scope(town.city):
            start.wait(20)
            try:
                return act(n)
            finally:
                connection.close()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def test_an_order_is_paid_by_the_banks_line_and_the_money_is_there(town: Town):
    citizen = town.citizen()
    order = ordered(charges.order(citizen, 50_000, uuid4()))
    assert order.open
    assert town.money(citizen) == 0
    line = town.bank_line(order)
    first, again = deposits.take_line(line), deposits.take_line(line)
    assert (first.pk, first.fate, first.state) == (again.pk, "matched", "applied")
    assert charges.refresh(order).outcome == Held.Outcome.DONE
    assert town.money(citizen) == 50_000
    with transaction() as tx:
        (lot,) = ledger.lots(tx, town.city, postings.wallet_account(citizen.pk), "local:pyeongtaek")
        done = ledger.transfer(tx, town.city, first.transfer_id)
    assert (lot.terms.fund, lot.terms.refundable, lot.terms.merchant_rule) == (
        "own", True, "ordinary",
    )  # fmt: skip
    assert done is not None
    assert done.memo == line.bank_id
    assert not town.imbalances()


def test_a_form_sent_twice_is_one_order(town: Town):
    citizen, form = town.citizen(), uuid4()
    first = ordered(charges.order(citizen, 10_000, form))
    assert ordered(charges.order(citizen, 10_000, form)).reference == first.reference
    refused(charges.order(citizen, 20_000, form), "form-used")
    refused(charges.order(town.citizen(), 10_000, form), "form-used")


def test_amounts_below_the_minimum_or_between_steps_are_told_before(town: Town):
    citizen = town.citizen()
    refused(charges.order(citizen, 500, uuid4()), "charge-too-small")
    refused(charges.order(citizen, 1_500, uuid4()), "charge-uneven")
    assert not ChargeOrder.objects.filter(citizen=citizen).exists()


def test_twenty_orders_at_once_never_pass_the_months_cap(town: Town):
    citizen = town.citizen()
    most = charges.room(citizen).rule.person_month_krw
    assert most is not None
    each = most // 4 // 1_000 * 1_000
    answers = at_once(town, lambda _: charges.order(citizen, each, uuid4()), 20)
    good = [a for a in answers if isinstance(a, ChargeOrder) and a.open]
    assert len(good) == most // each
    no = [a for a in answers if a not in good]
    assert {a.refusal_code for a in no} == {"charge-over-month"}
    paid_in = at_once(town, lambda n: deposits.take_line(town.bank_line(good[n])), len(good))
    assert {d.fate for d in paid_in} == {"matched"}
    assert town.money(citizen) == each * len(good) <= most
    left = {cap.code: cap.left for cap in charges.room(citizen).caps}
    assert left["person-month"] == most - each * len(good)
    assert not town.imbalances()


def test_an_order_that_lapses_or_is_withdrawn_gives_its_room_back(town: Town):
    citizen = town.citizen()
    most = charges.room(citizen).rule.person_month_krw
    assert most is not None
    whole = most // 1_000 * 1_000
    order = ordered(charges.order(citizen, whole, uuid4()))
    assert charges.room(citizen).most == 0
    over = ordered(charges.order(citizen, 1_000, uuid4()))
    assert over.refusal_code == "charge-over-month"
    assert ordered(charges.withdraw(order)).outcome == Held.Outcome.GIVEN_UP
    again = ordered(charges.order(citizen, whole, uuid4()))
    late = FixedClock(again.expires_at + timedelta(seconds=1))
    assert charges.refresh(again, late).outcome == Held.Outcome.LAPSED
    third = ordered(charges.order(citizen, whole, uuid4()))
    assert third.open
    charges.withdraw(third)


def test_paying_and_withdrawing_at_once_is_one_or_the_other(town: Town):
    for _ in range(4):
        citizen = town.citizen()
        order = ordered(charges.order(citizen, 10_000, uuid4()))
        acts = [
            lambda order=order: deposits.take_line(town.bank_line(order)),
            lambda order=order: charges.withdraw(order),
        ]
        deposit, gone = at_once(town, lambda n, acts=acts: acts[n](), 2)
        paid_in = charges.refresh(order).outcome == Held.Outcome.DONE
        assert town.money(citizen) == (10_000 if paid_in else 0)
        assert (deposit.fate == "matched") == paid_in
        assert isinstance(gone, Refusal) == paid_in
    assert not town.imbalances()


def test_one_line_taken_by_two_at_once_pays_once(town: Town):
    citizen = town.citizen()
    line = town.bank_line(ordered(charges.order(citizen, 10_000, uuid4())))
    answers = at_once(town, lambda _: deposits.take_line(line).pk, 6)
    assert len(set(answers)) == 1
    assert town.money(citizen) == 10_000


def test_what_fits_no_order_waits_for_a_person(town: Town):
    citizen = town.citizen()
    order = ordered(charges.order(citizen, 30_000, uuid4()))
    soon = town.clock.now() + timedelta(days=2)
    cases = {
        "deposit-unknown-reference": town.bank_line(order, reference="박씨 9월분"),
        "deposit-amount-differs": town.bank_line(order, amount=29_000),
        "deposit-too-late": town.bank_line(order),
    }
    for code, line in cases.items():
        if code == "deposit-too-late":
            line = type(line)(line.reference, line.amount, soon)
        deposit = deposits.take_line(line)
        assert (deposit.fate, deposit.reason_code, deposit.state) == ("exception", code, "applied")
        assert deposit.reason_ko
        assert deposit.reason_en
    assert town.money(citizen) == 0
    paid_in = deposits.take_line(town.bank_line(order))
    assert paid_in.fate == "matched"
    second = deposits.take_line(town.bank_line(order))
    assert second.reason_code == "deposit-order-paid"
    gone = ordered(charges.order(citizen, 1_000, uuid4()))
    charges.withdraw(gone)
    assert deposits.take_line(town.bank_line(gone)).reason_code == "deposit-order-cancelled"
    waiting = {d.reason_code for d in deposits.exceptions()}
    assert set(cases) | {"deposit-order-paid", "deposit-order-cancelled"} <= waiting
    assert town.balance("payable:deposits", "KRW") == sum(d.amount for d in deposits.exceptions())
    assert not town.imbalances()


def test_an_exception_is_given_back_or_assigned_once(town: Town):
    citizen = town.citizen()
    before = town.balance("payable:deposits", "KRW")
    order = ordered(charges.order(citizen, 40_000, uuid4()))
    lost = deposits.take_line(town.bank_line(order, reference="잘못 적은 번호", amount=40_000))
    other = deposits.take_line(town.bank_line(order, reference="모름", amount=7_000))
    refused(deposits.assign(other.pk, order.pk, actor="user:1"), "deposit-does-not-fit")
    done = deposits.assign(lost.pk, order.pk, actor="user:1")
    assert isinstance(done, Deposit)
    assert (done.fate, done.order_id) == ("assigned", order.pk)
    assert charges.refresh(order).outcome == Held.Outcome.DONE
    assert town.money(citizen) == 40_000
    refused(deposits.give_back(lost.pk, actor="user:1"), "deposit-seen-to")
    back = deposits.give_back(other.pk, actor="user:1")
    assert isinstance(back, Deposit)
    refused(deposits.give_back(other.pk, actor="user:1"), "deposit-seen-to")
    assert town.balance("payable:deposits", "KRW") == before
    assert not town.imbalances()


def test_holding_room_comes_back_as_money_is_spent(town: Town):
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 500_000)
    held = {cap.code: cap for cap in charges.room(citizen).caps}["holding"]
    assert held.used == 500_000
    paid(payments.pay(shown(shop, 200_000).pk, citizen))
    assert {cap.code: cap for cap in charges.room(citizen).caps}["holding"].used == 300_000
    town.charge(citizen, 100_000)
    assert {cap.code: cap for cap in charges.room(citizen).caps}["holding"].used == 400_000


def test_a_city_without_deposits_takes_no_charges(town: Town, monkeypatch):
    monkeypatch.setattr(charges, "terms_of", lambda profile: None)
    refused(charges.order(town.citizen(), 10_000, uuid4()), "charging-closed")
