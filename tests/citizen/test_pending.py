"""When the writer is late: a clear pending state, nothing twice, and an answer in the end."""

from datetime import timedelta
from uuid import uuid4

import pytest
from small_town import Town

from onsil.citizen.models import Conversion, Payment
from onsil.citizen.services import codes, convert, payments, postings, settlements
from onsil.core.clock import FixedClock
from onsil.core.refusal import OperationError, Refusal


def test_a_payment_waits_for_the_writer_and_is_then_answered_once(quiet_town: Town):
    town = quiet_town
    citizen, shop = town.citizen(money=1_000), town.shop()
    code = codes.show_amount(shop, 700)
    payment = payments.pay(code.pk, citizen, patience_s=0.05)  # pyright: ignore
    assert isinstance(payment, Payment)
    assert payment.pending
    again = payments.pay(code.pk, citizen, patience_s=0.05)  # pyright: ignore
    assert isinstance(again, Payment)
    assert (again.pk, again.pending) == (payment.pk, True)
    assert (town.money(citizen), town.takings(shop)) == (1_000, 0)
    assert postings.refresh(payment).pending
    with town.writer():
        settled = postings.settle(payment, patience_s=10)
    assert settled.applied
    assert (town.money(citizen), town.takings(shop)) == (300, 700)
    assert postings.refresh(payment).applied


def test_two_waiting_payments_beyond_the_balance_leave_one_refused(quiet_town: Town):
    town = quiet_town
    citizen, shop = town.citizen(money=1_000), town.shop()
    rows = []
    for _ in range(2):
        code = codes.show_amount(shop, 700)
        rows.append(payments.pay(code.pk, citizen, patience_s=0.01))  # pyright: ignore
    with town.writer():
        states = [postings.settle(row, patience_s=10).state for row in rows]
    assert sorted(states) == ["applied", "refused"]
    no = next(postings.refresh(row) for row in rows if postings.refresh(row).state == "refused")
    assert no.refusal_code
    assert no.refusal_ko
    assert no.refusal_en
    assert town.money(citizen) == 300


def test_a_conversion_waits_as_well(quiet_town: Town):
    town = quiet_town
    citizen, form = town.citizen(points=500), uuid4()
    row = convert(citizen, 500, form, patience_s=0.05)
    assert isinstance(row, Conversion)
    assert row.pending
    with town.writer():
        assert postings.settle(row, patience_s=10).applied
        again = convert(citizen, 500, form)
    assert isinstance(again, Conversion)
    assert again.applied
    assert town.money(citizen) == 500


def test_an_undecided_payment_holds_the_settlement_back(
    quiet_town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postings, "PATIENCE_S", 0.05)
    town = quiet_town
    citizen, shop = town.citizen(money=900), town.shop()
    past = FixedClock(town.clock.now() - timedelta(days=2))
    next_day = FixedClock(past.now() + timedelta(days=1))
    code = codes.show_amount(shop, 900, clock=past)
    row = payments.pay(code.pk, citizen, clock=past)  # pyright: ignore
    assert isinstance(row, Payment)
    assert row.pending
    with pytest.raises(OperationError) as error:
        settlements.build(clock=next_day)
    assert error.value.retry
    assert settlements.settlements() == []
    with town.writer():
        postings.settle(row, patience_s=10)
        made = settlements.build(clock=next_day)
    assert not isinstance(made, Refusal)
    assert made.net == 900
