"""Paying by QR: once, or not at all, and always told which."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from small_town import Town

from onsil.citizen import qr
from onsil.citizen.models import Cancellation, Merchant, Payment, PaymentCode, Role
from onsil.citizen.services import cancellations, codes, merchants, payments, people
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.tenancy import city_scope


def refused(answer: object, code: str) -> None:
    assert isinstance(answer, Refusal), answer
    assert answer.code == code
    assert answer.ko
    assert answer.en


def shown(shop: Merchant, amount: int, **kwargs: object) -> PaymentCode:
    code = codes.show_amount(shop, amount, **kwargs)
    assert isinstance(code, PaymentCode)
    return code


def paid(answer: object) -> Payment:
    assert isinstance(answer, Payment), answer
    assert answer.applied, (answer.state, answer.refusal_en)
    return answer


def test_a_citizen_pays_what_the_shops_code_shows(town: Town):
    citizen, shop = town.citizen(money=10_000), town.shop()
    code = shown(shop, 4_500)
    found = codes.find(codes.token_text(code), qr.ShownBy.MERCHANT, reader="x")
    assert isinstance(found, PaymentCode)
    payment = paid(payments.pay(found.pk, citizen))
    assert (town.money(citizen), town.takings(shop)) == (5_500, 4_500)
    assert payments.payment_of_code(code) == payment
    assert [p.pk for p in payments.sales(shop)] == [payment.pk]
    assert len(payment.confirmation) == 4


def test_a_shop_charges_the_code_a_citizen_shows(town: Town):
    citizen, shop = town.citizen(money=10_000), town.shop()
    code = codes.show_wallet(citizen)
    found = codes.find(qr.spaced(code.typed).lower(), qr.ShownBy.CITIZEN, reader="till")
    assert isinstance(found, PaymentCode)
    paid(payments.charge(found.pk, shop, 3_000))
    assert (town.money(citizen), town.takings(shop)) == (7_000, 3_000)


def test_codes_hold_nobodys_data(town: Town):
    citizen = town.citizen(money=1)
    text = codes.token_text(codes.show_wallet(citizen))
    raw = qr.opened(text, codes.signing_key())
    assert raw is not None
    assert str(citizen.pk) not in text
    assert raw.code_id != citizen.pk


def test_a_double_click_or_replay_never_charges_twice(town: Town):
    citizen, shop = town.citizen(money=10_000), town.shop()
    code = shown(shop, 2_000)
    first = paid(payments.pay(code.pk, citizen))
    again = paid(payments.pay(code.pk, citizen))
    assert again.pk == first.pk
    late = FixedClock(town.clock.now() + timedelta(hours=1))
    assert paid(payments.pay(code.pk, citizen, clock=late)).pk == first.pk
    assert town.money(citizen) == 8_000
    shows = codes.show_wallet(citizen)
    one = paid(payments.charge(shows.pk, shop, 500))
    assert paid(payments.charge(shows.pk, shop, 500)).pk == one.pk
    refused(payments.charge(shows.pk, shop, 600), "qr-used")
    assert town.money(citizen) == 7_500


def test_many_clicks_at_once_make_one_payment(town: Town):
    citizen, shop = town.citizen(money=10_000), town.shop()
    code = shown(shop, 1_000)
    start = threading.Barrier(6)

    def click(_: int) -> object:
        with city_scope(town.city):
            start.wait(10)
            try:
                return payments.pay(code.pk, citizen).pk  # pyright: ignore
            finally:
                connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(click, range(6)))
    assert len(answers) == 1
    assert (town.money(citizen), town.takings(shop)) == (9_000, 1_000)


def test_two_phones_race_for_one_code_and_one_pays(town: Town):
    first, second, shop = town.citizen(money=1_000), town.citizen(money=1_000), town.shop()
    code = shown(shop, 1_000)
    start = threading.Barrier(2)

    def click(person: object) -> object:
        with city_scope(town.city):
            start.wait(10)
            try:
                return payments.pay(code.pk, person)  # pyright: ignore
            finally:
                connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, [first, second]))
    assert sorted(type(a).__name__ for a in answers) == ["Payment", "Refusal"]
    refused(next(a for a in answers if isinstance(a, Refusal)), "qr-used")
    assert town.takings(shop) == 1_000
    assert town.money(first) + town.money(second) == 1_000


def test_one_wallet_charged_at_two_shops_at_once_is_never_overdrawn(town: Town):
    citizen, one, two = town.citizen(money=1_000), town.shop(), town.shop()
    both = [shown(one, 800), shown(two, 800)]
    start = threading.Barrier(2)

    def click(code: PaymentCode) -> object:
        with city_scope(town.city):
            start.wait(10)
            try:
                return payments.pay(code.pk, citizen)
            finally:
                connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, both))
    good = [a for a in answers if isinstance(a, Payment) and a.applied]
    assert len(good) == 1
    assert town.money(citizen) == 200
    assert town.takings(one) + town.takings(two) == 800


def test_overspending_is_told_to_the_payer_and_not_to_the_shop(town: Town):
    citizen, shop = town.citizen(money=1_000), town.shop()
    answer = payments.pay(shown(shop, 1_001).pk, citizen)
    refused(answer, "not-enough-money")
    assert answer.facts["balance_krw"] == 1_000  # pyright: ignore
    answer = payments.charge(codes.show_wallet(citizen).pk, shop, 1_001)
    refused(answer, "payer-cannot-pay")
    assert "1,000" not in answer.ko + answer.en  # pyright: ignore
    assert (town.money(citizen), town.takings(shop)) == (1_000, 0)


def test_an_expired_code_pays_nothing(town: Town):
    citizen, shop = town.citizen(money=5_000), town.shop()
    past = FixedClock(town.clock.now() - timedelta(minutes=3, seconds=1))
    code = shown(shop, 1_000, clock=past)
    refused(payments.pay(code.pk, citizen), "qr-expired")
    refused(codes.find(codes.token_text(code), qr.ShownBy.MERCHANT, reader="x"), "qr-expired")
    mine = codes.show_wallet(citizen, clock=past)
    refused(payments.charge(mine.pk, shop, 1_000), "qr-expired")
    assert town.money(citizen) == 5_000


def test_a_paid_code_is_still_found_after_it_expired(town: Town):
    citizen, shop = town.citizen(money=5_000), town.shop()
    code = shown(shop, 1_000)
    payment = paid(payments.pay(code.pk, citizen))
    later = FixedClock(town.clock.now() + timedelta(minutes=10))
    text = codes.token_text(code)
    found = codes.find(text, qr.ShownBy.MERCHANT, reader="x", clock=later)
    assert isinstance(found, PaymentCode)
    assert payments.payment_of_code(found) == payment


def test_withdrawn_and_superseded_codes_pay_nothing(town: Town):
    citizen, shop = town.citizen(money=5_000), town.shop()
    code = codes.withdraw(shown(shop, 1_000))
    refused(payments.pay(code.pk, citizen), "qr-cancelled")
    old = codes.show_wallet(citizen)
    new = codes.show_wallet(citizen)
    refused(payments.charge(old.pk, shop, 100), "qr-cancelled")
    paid(payments.charge(new.pk, shop, 100))


def test_a_code_of_another_city_or_the_wrong_side_is_told_so(town: Town):
    citizen, shop = town.citizen(money=5_000), town.shop()
    code = shown(shop, 1_000)
    other = qr.sign(
        qr.Token("goyang", qr.ShownBy.MERCHANT, code.pk, code.expires_at), codes.signing_key()
    )
    refused(codes.find(other, qr.ShownBy.MERCHANT, reader="x"), "qr-wrong-city")
    refused(codes.find(codes.token_text(code), qr.ShownBy.CITIZEN, reader="x"), "qr-other-way")
    refused(payments.pay(codes.show_wallet(citizen).pk, citizen), "qr-other-way")
    refused(payments.charge(code.pk, shop, 1_000), "qr-other-way")
    with city_scope("goyang"), pytest.raises(PaymentCode.DoesNotExist):
        payments.pay(code.pk, citizen)
    assert town.money(citizen) == 5_000


def test_guessing_typed_codes_is_stopped(town: Town):
    reader = f"guesser-{town.clock.now().timestamp()}"
    for _ in range(8):
        refused(codes.find("ABCD2345", qr.ShownBy.MERCHANT, reader=reader), "qr-not-ours")
    refused(codes.find("ABCD2345", qr.ShownBy.MERCHANT, reader=reader), "too-many-attempts")
    later = FixedClock(town.clock.now() + timedelta(minutes=10, seconds=1))
    refused(codes.find("ABCD2345", qr.ShownBy.MERCHANT, reader=reader, clock=later), "qr-not-ours")


@pytest.mark.parametrize("amount", [0, -5, 1_000_001])
def test_a_shop_cannot_ask_for_impossible_amounts(town: Town, amount: int):
    refused(codes.show_amount(town.shop(), amount), "amount-wrong")


def test_what_a_citizens_code_pays_is_limited(town: Town):
    citizen, shop = town.citizen(money=100_000), town.shop()
    code = codes.show_wallet(citizen)
    refused(payments.charge(code.pk, shop, 50_001), "over-code-limit")
    refused(payments.charge(code.pk, shop, 0), "amount-wrong")
    paid(payments.charge(code.pk, shop, 50_000))


def test_unapproved_refused_and_closed_shops_take_nothing(town: Town):
    citizen, waiting = town.citizen(money=5_000), town.shop(approved=False)
    refused(codes.show_amount(waiting, 100), "merchant-not-open")
    refused(payments.charge(codes.show_wallet(citizen).pk, waiting, 100), "merchant-not-open")
    shop = town.shop()
    code = shown(shop, 100)
    closed = merchants.close(shop.pk, actor=town.user(Role.OFFICIAL), reason="점검")
    assert isinstance(closed, Merchant)
    refused(payments.pay(code.pk, citizen), "merchant-not-open")
    assert town.money(citizen) == 5_000


def test_nobody_pays_at_an_own_shop(town: Town):
    shop = town.shop()
    owner = shop.applicant
    people.admit(owner, "counter")
    town.give_money(owner, 1_000)
    refused(payments.pay(shown(shop, 100).pk, owner), "own-shop")
    refused(payments.charge(codes.show_wallet(owner).pk, shop, 100), "own-shop")


def test_money_bound_to_a_kind_of_shop_is_spent_only_there(town: Town):
    citizen, bakery = town.citizen(), town.shop()
    market = town.shop(kind="market")
    town.give_money(citizen, 1_000, rule="kind:market")
    town.give_money(citizen, 500)
    no = payments.pay(shown(bakery, 600).pk, citizen)
    refused(no, "not-enough-here")
    assert no.facts["usable_krw"] == 500  # pyright: ignore
    paid(payments.pay(shown(bakery, 500).pk, citizen))
    paid(payments.pay(shown(market, 1_000).pk, citizen))
    assert town.money(citizen) == 0


def test_expired_money_does_not_pay(town: Town):
    citizen, shop = town.citizen(), town.shop()
    town.give_money(citizen, 1_000, expires_at=town.clock.now() + timedelta(seconds=1))
    later = FixedClock(town.clock.now() + timedelta(seconds=2))
    refused(payments.pay(shown(shop, 100).pk, citizen, clock=later), "not-enough-money")


def test_cancelling_gives_the_very_lots_back(town: Town):
    citizen, shop = town.citizen(money=1_000), town.shop()
    town.give_money(citizen, 2_000)
    before = town.lots(citizen)
    payment = paid(payments.pay(shown(shop, 2_500).pk, citizen))
    assert town.lots(citizen) != before
    back = cancellations.cancel(payment.pk, shop, actor=shop.applicant)
    assert isinstance(back, Cancellation)
    assert back.applied
    assert town.lots(citizen) == before
    assert town.takings(shop) == 0
    again = cancellations.cancel(payment.pk, shop, actor=shop.applicant)
    assert isinstance(again, Cancellation)
    assert again.pk == back.pk
    assert not town.imbalances()


def test_cancelling_ends_with_the_local_day(town: Town):
    citizen, shop = town.citizen(money=1_000), town.shop()
    payment = paid(payments.pay(shown(shop, 400).pk, citizen))
    tomorrow = FixedClock(town.clock.now() + timedelta(days=1))
    answer = cancellations.cancel(payment.pk, shop, actor=shop.applicant, clock=tomorrow)
    refused(answer, "cancel-too-late")
    assert town.takings(shop) == 400


def test_another_shop_cannot_cancel(town: Town):
    citizen, shop, other = town.citizen(money=1_000), town.shop(), town.shop()
    payment = paid(payments.pay(shown(shop, 400).pk, citizen))
    with pytest.raises(Payment.DoesNotExist):
        cancellations.cancel(payment.pk, other, actor=other.applicant)


def test_the_ledger_still_adds_up(town: Town):
    assert town.imbalances() == []
