"""Dated facts of shops, judged lot by lot on the day of the payment."""

from datetime import timedelta

from small_town import Town
from test_payments import paid, refused, shown

from onsil.citizen.models import Cashback, MerchantFacts
from onsil.citizen.services import facts, payments
from onsil.core.clock import FixedClock
from onsil.core.periods import local_day
from onsil.tenancy.cities import city as city_profile


def note(town: Town, shop, sales: int = 90_000_000, clock=None, **more):
    more = {"kind": shop.kind, "region": "비전동", "source": "국세청 확인", **more}
    return facts.note(
        shop, yearly_sales_krw=sales, actor="user:desk", clock=clock or town.clock, **more
    )


def test_a_shop_above_the_limit_takes_policy_money_but_no_ordinary(town: Town):
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    town.give_money(citizen, 4_000, fund="policy:coupon-2026", rule="policy")
    assert isinstance(note(town, shop, sales=3_100_000_000), MerchantFacts)
    no = payments.pay(shown(shop, 5_000).pk, citizen)
    refused(no, "not-enough-here")
    assert no.facts["usable_krw"] == 4_000  # pyright: ignore
    payment = paid(payments.pay(shown(shop, 4_000).pk, citizen))
    assert [p.fund for p in payments.taken(payment)] == ["policy:coupon-2026"]


def test_the_township_exception_lets_ordinary_value_in(town: Town):
    citizen = town.citizen()
    shop = town.shop(kind="grocery", address="평택시 진위면 진위로 1")
    town.charge(citizen, 10_000)
    note(town, shop, sales=5_000_000_000, region="진위면")
    paid(payments.pay(shown(shop, 5_000).pk, citizen))


def test_facts_hold_from_their_day_on_and_never_before(town: Town):
    shop = town.shop()
    today = local_day(town.clock.now(), city_profile(town.city).zone)
    refused(note(town, shop, valid_from=today - timedelta(days=1)), "facts-backdated")
    refused(note(town, shop, sales=-1), "facts-wrong")
    refused(note(town, shop, kind="spaceport"), "facts-wrong")
    note(town, shop, sales=9_000_000_000, valid_from=today + timedelta(days=1))
    assert "ordinary" in facts.eligibility(shop, today).rules
    assert "ordinary" not in facts.eligibility(shop, today + timedelta(days=1)).rules
    again = note(town, shop, sales=1, valid_from=today + timedelta(days=1))
    assert isinstance(again, MerchantFacts)
    assert MerchantFacts.objects.filter(merchant=shop).count() == 1


def test_shops_are_due_for_their_check_each_january_and_july(town: Town):
    shop = town.shop(name="점검할 가게")
    zone = city_profile(town.city).zone
    now = town.clock.now().astimezone(zone)
    next_check = now.replace(year=now.year + 1, month=1, day=2)
    assert shop not in facts.due_for_check(clock=town.clock)
    assert shop in facts.due_for_check(clock=FixedClock(next_check))
    note(town, shop, clock=FixedClock(next_check))
    assert shop not in facts.due_for_check(clock=FixedClock(next_check + timedelta(days=30)))
    assert shop in facts.due_for_check(clock=FixedClock(next_check.replace(month=7)))


def test_a_marked_shop_brings_the_extra_share(town: Town):
    town.fund_cashback(1_000_000, "city", "good-price")
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    note(town, shop, tags=frozenset({"good-price"}))
    payment = paid(payments.pay(shown(shop, 10_000).pk, citizen))
    rows = Cashback.objects.filter(payment=payment, state="applied")
    assert {row.funder: row.amount for row in rows} == {"city": 1_000, "good-price": 500}
