"""Cashback by several funders, and what a cancellation, whole or in part, takes back."""

from uuid import uuid4

from small_town import Town
from test_charges import at_once
from test_payments import paid, refused, shown

from onsil import ledger
from onsil.citizen.models import Cancellation, Cashback, Merchant, Payment, User
from onsil.citizen.services import cancellations, cashbacks, payments
from onsil.core.periods import local_day
from onsil.ledger import rules
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile


def fresh(town: Town, *funders: str, won: int = 10_000_000) -> None:
    town.fund_cashback(won, *(funders or ("city", "market", "good-price")))


def given(payment: Payment) -> dict[str, int]:
    rows = Cashback.objects.filter(payment=payment, state="applied")
    return {row.funder: row.kept for row in rows}


def claims(town: Town, citizen: User) -> int:
    with transaction() as tx:
        return sum(won for _, won in cashbacks.owed(tx, town.city, f"citizen:{citizen.pk}"))


def rate_of_shop(shop: Merchant, percent: int) -> Merchant:
    shop.cashback_percent = percent  # pyright: ignore[reportAttributeAccessIssue]
    shop.save()
    return shop


def budget_left(town: Town, funder: str) -> int:
    year = local_day(town.clock.now(), city_profile(town.city).zone).year
    return town.balance(rules.names.cashback_budget(funder, year), "KRW")


def test_city_and_shop_each_give_their_share_once(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), rate_of_shop(town.shop(), 2)
    town.charge(citizen, 50_000)
    before = budget_left(town, "city")
    payment = paid(payments.pay(shown(shop, 10_000).pk, citizen))
    assert given(payment) == {"city": 1_000, "shop": 200}
    cashbacks.reward(Payment.objects.get(pk=payment.pk))
    assert given(payment) == {"city": 1_000, "shop": 200}
    assert town.money(citizen) == 41_200
    assert budget_left(town, "city") == before - 1_000
    assert Payment.objects.get(pk=payment.pk).shop_cashback == 200
    assert town.takings(shop) == 10_000
    assert not town.imbalances()


def test_allowances_and_cashback_itself_bring_none(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), town.shop()
    town.give_money(citizen, 5_000, fund="policy:coupon-2026", rule="policy")
    town.give_money(citizen, 3_000, fund="cashback:city", rule="ordinary")
    payment = paid(payments.pay(shown(shop, 8_000).pk, citizen))
    assert given(payment) == {}
    town.charge(citizen, 2_000)
    town.give_money(citizen, 1_000, fund="policy:coupon-2026", rule="policy")
    mixed = paid(payments.pay(shown(shop, 3_000).pk, citizen))
    assert [(p.fund, p.amount) for p in payments.taken(mixed)] == [
        ("policy:coupon-2026", 1_000), ("own", 2_000),
    ]  # fmt: skip
    assert given(mixed) == {"city": 200}


def test_the_months_base_is_capped_even_for_payments_at_once(town: Town):
    fresh(town)
    citizen = town.citizen()
    town.give_money(citizen, 1_000_000)
    codes = [shown(town.shop(), 100_000) for _ in range(6)]
    answers = at_once(town, lambda n: payments.pay(codes[n].pk, citizen), 6)
    rows = [paid(answer) for answer in answers]
    for row in rows:
        cashbacks.reward(row)
    assert sum(given(row).get("city", 0) for row in rows) == 30_000
    assert not town.imbalances()


def test_a_budget_that_ends_gives_what_is_left_and_says_so(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), rate_of_shop(town.shop(), 3)
    town.charge(citizen, 100_000)
    with transaction() as tx:
        year = local_day(town.clock.now(), city_profile(town.city).zone).year
        account = rules.names.cashback_budget("city", year)
        left = ledger.balance(tx, town.city, account, "KRW")
        leg = ledger.Leg(account, "external:bank", "KRW", left - 700)
        request = ledger.TransferRequest(f"drain:{uuid4()}", "drain", (leg,))
        assert ledger.post(tx, town.city, [request], town.clock)[request.key]
    codes = [shown(shop, 5_000) for _ in range(4)]
    rows = [paid(a) for a in at_once(town, lambda n: payments.pay(codes[n].pk, citizen), 4)]
    for row in rows:
        cashbacks.reward(row)
    assert sum(given(row).get("city", 0) for row in rows) == 700
    assert all(given(row)["shop"] == 150 for row in rows)
    assert budget_left(town, "city") == 0
    short = Cashback.objects.filter(payment__in=rows, funder="city")
    assert sum(row.short for row in short) == 4 * 500 - 700
    town.fund_cashback(10_000_000, "city")


def test_a_whole_cancellation_takes_all_cashback_back(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), rate_of_shop(town.shop(), 2)
    town.charge(citizen, 20_000)
    before, budget = town.lots(citizen), budget_left(town, "city")
    payment = paid(payments.pay(shown(shop, 10_000).pk, citizen))
    back = cancellations.cancel(payment.pk, shop, actor=shop.applicant)
    assert isinstance(back, Cancellation)
    assert town.money(citizen) == 20_000
    assert budget_left(town, "city") == budget
    payment = Payment.objects.get(pk=payment.pk)
    assert (payment.kept, payment.shop_cashback, given(payment)) == (
        0, 0, {"city": 0, "shop": 0},
    )  # fmt: skip
    assert town.takings(shop) == 0
    assert sum(b - a for spans in before.values() for a, b in spans) == 20_000  # pyright: ignore
    assert claims(town, citizen) == 0
    assert not town.imbalances()


def test_cancelling_in_parts_takes_back_what_the_rest_would_not_have_brought(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), rate_of_shop(town.shop(), 2)
    town.charge(citizen, 20_000)
    payment = paid(payments.pay(shown(shop, 10_000).pk, citizen))
    form = uuid4()
    for _ in range(2):  # the same form twice is one cancellation
        part = cancellations.cancel(
            payment.pk, shop, actor=shop.applicant, amount=3_000, form_id=form
        )
        assert isinstance(part, Cancellation)
    payment = Payment.objects.get(pk=payment.pk)
    assert (payment.cancelled, payment.kept, payment.shop_cashback) == (3_000, 7_000, 140)
    assert given(payment) == {"city": 700, "shop": 140}
    assert (town.money(citizen), town.takings(shop)) == (13_840, 7_000)
    assert sum(p.amount for p in payments.taken(payment)) == 7_000
    refused(
        cancellations.cancel(payment.pk, shop, actor=shop.applicant, amount=7_001, form_id=uuid4()),
        "cancel-amount-wrong",
    )
    rest = cancellations.cancel(payment.pk, shop, actor=shop.applicant)
    assert isinstance(rest, Cancellation)
    assert rest.amount == 7_000
    assert (town.money(citizen), town.takings(shop)) == (20_000, 0)
    assert not town.imbalances()


def test_cashback_spent_meanwhile_is_taken_from_what_returns(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    payment = paid(payments.pay(shown(shop, 10_000).pk, citizen))
    paid(payments.pay(shown(town.shop(), 1_000).pk, citizen))  # the cashback
    assert town.money(citizen) == 0
    back = cancellations.cancel(payment.pk, shop, actor=shop.applicant)
    assert isinstance(back, Cancellation)
    assert (town.money(citizen), claims(town, citizen)) == (9_000, 0)
    assert not town.imbalances()


def test_two_cancellations_at_once_never_give_back_more_than_was_paid(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    payment = paid(payments.pay(shown(shop, 10_000).pk, citizen))
    answers = at_once(
        town,
        lambda _: cancellations.cancel(
            payment.pk, shop, actor=shop.applicant, amount=4_000, form_id=uuid4()
        ),
        4,
    )
    good = [a for a in answers if isinstance(a, Cancellation)]
    assert len(good) == 2
    assert Payment.objects.get(pk=payment.pk).cancelled == 8_000
    assert town.takings(shop) == 2_000
    assert town.money(citizen) == 8_000 + 200
    assert not town.imbalances()


def test_what_a_crash_left_ungiven_is_given_later(town: Town):
    fresh(town)
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    payment = paid(payments.pay(shown(shop, 1_000).pk, citizen))
    other = paid(payments.pay(shown(shop, 1_000).pk, citizen))
    Cashback.objects.filter(payment=other).delete()
    Payment.objects.filter(pk=other.pk).update(rewarded_at=None)
    had = town.money(citizen)
    cashbacks.reward_due()
    assert given(other) == given(payment) == {"city": 100}
    assert town.money(citizen) == had  # under the same key it is not given a second time


def test_the_ledger_still_adds_up(town: Town):
    assert town.imbalances() == []
