"""Paying out: fees and the city's part of them, on the pay day, whatever else is missing."""

from datetime import timedelta

import pytest
from small_town import Town

from onsil import ledger
from onsil.citizen.models import Merchant, Payment, Settlement
from onsil.citizen.services import budgets, codes, payments, payouts, settlements
from onsil.core.clock import FixedClock
from onsil.core.periods import midnight
from onsil.ledger.rules import names
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile


@pytest.fixture
def morning(town: Town) -> FixedClock:
    """Nine o'clock of a day that no other test of the module settles."""
    zone = city_profile(town.city).zone
    last = max((s.day for s in settlements.settlements()), default=None)
    now = town.clock.now().astimezone(zone).replace(hour=9, minute=0)
    return FixedClock(now if last is None else now + (last - now.date()) + timedelta(days=9))


def sold(town: Town, shop: Merchant, won: int, clock: FixedClock, **money) -> Payment:
    code = codes.show_amount(shop, won, clock=clock)
    citizen = town.citizen()
    town.give_money(citizen, won, **money)
    row = payments.pay(code.pk, citizen, clock=clock)  # pyright: ignore
    assert isinstance(row, Payment)
    assert row.applied, row.refusal
    return row


def settled(clock: FixedClock) -> Settlement:
    made = settlements.build(clock=FixedClock(clock.now() + timedelta(days=1)))
    assert isinstance(made, Settlement)
    return made


def pay_day(made: Settlement) -> FixedClock:
    return FixedClock(midnight(made.pay_day, city_profile(made.city).zone))


def test_money_that_ended_in_the_till_is_owed_all_the_same(town: Town):
    zone = city_profile(town.city).zone
    shop = town.shop()
    now = town.clock.now()
    soon = FixedClock(now)
    sold(town, shop, 5_000, soon, expires_at=now + timedelta(seconds=3))
    sold(town, shop, 2_000, soon)
    while town.clock.now() <= now + timedelta(seconds=3):
        pass
    day = soon.now().astimezone(zone).date()
    made = settlements.build(day, clock=FixedClock(midnight(day + timedelta(days=1), zone)))
    assert isinstance(made, Settlement)
    line = made.lines.get(merchant=shop)
    assert line.applied, line.refusal
    assert line.sales == 7_000
    assert town.takings(shop) == 0


def test_a_small_shop_gets_everything_and_a_large_one_pays_its_fee(town: Town, morning):
    budgets.fund_budgets(clock=morning)
    small = town.shop(name="데모 작은 가게")
    large = town.shop(name="데모 큰 가게", yearly_sales_krw=3_000_000_000)
    before = {code: town.balance(code, "KRW") for code in (names.FEES, names.SUBSIDY)}
    sold(town, small, 40_000, morning)
    sold(town, large, 40_000, morning)
    made = settled(morning)
    lines = {line.merchant_id: line for line in made.lines.all()}
    assert (lines[small.pk].fee, lines[small.pk].subsidy, lines[small.pk].net) == (100, 100, 40_000)
    assert (lines[large.pk].fee, lines[large.pk].subsidy, lines[large.pk].net) == (340, 0, 39_660)
    assert (lines[small.pk].fee_class, lines[large.pk].fee_class) == ("small", "medium")
    assert town.balance(names.FEES, "KRW") == before[names.FEES] + 440
    assert town.balance(names.SUBSIDY, "KRW") == before[names.SUBSIDY] - 100
    payouts.release(made.pk, actor="user:second", clock=pay_day(made))
    assert town.balance(f"payable:{small.pk}", "KRW") == 0
    assert town.balance(f"payable:{large.pk}", "KRW") == 0
    assert not town.imbalances()


def test_an_empty_subsidy_holds_nobody_up_and_follows_later(town: Town, morning):
    shop = town.shop()
    budgets.fund_budgets(clock=morning)
    with transaction() as tx:
        left = ledger.balance(tx, town.city, names.SUBSIDY, "KRW")
        leg = ledger.Leg(names.SUBSIDY, names.BANK, "KRW", left)
        request = ledger.TransferRequest(f"emptied:{shop.pk}", "fund", (leg,))
        assert ledger.post(tx, town.city, [request], town.clock)[request.key]
    sold(town, shop, 40_000, morning)
    made = settled(morning)
    bank = town.balance(names.BANK, "KRW")
    payouts.release(made.pk, actor="user:second", clock=pay_day(made))
    line = made.lines.get()
    assert line.payout_transfer_id
    assert line.subsidy_open
    assert town.balance(names.BANK, "KRW") == bank + 39_900
    with transaction() as tx:
        leg = ledger.Leg(names.BANK, names.SUBSIDY, "KRW", left)
        request = ledger.TransferRequest(f"refilled:{shop.pk}", "fund", (leg,))
        assert ledger.post(tx, town.city, [request], town.clock)[request.key]
    bank = town.balance(names.BANK, "KRW")
    for _ in range(2):
        payouts.pay_due(clock=pay_day(made))
    line.refresh_from_db()
    assert not line.subsidy_open
    assert town.balance(names.BANK, "KRW") == bank + 100
    assert town.balance(f"payable:{shop.pk}", "KRW") == 0
    assert not town.imbalances()


def test_the_shops_own_cashback_is_taken_off_and_clears_its_debt(town: Town, morning):
    shop = town.shop()
    row = sold(town, shop, 10_000, morning)
    debt = names.shop_receivable(shop.pk)
    with transaction() as tx:
        specs = [ledger.AccountSpec(debt, "KRW", "receivable", minimum=None)]
        ledger.open_accounts(tx, town.city, specs)
        leg = ledger.Leg(debt, names.TRUST, "KRW", 300)
        request = ledger.TransferRequest(f"share:{row.pk}", "cashback", (leg,))
        assert ledger.post(tx, town.city, [request], town.clock)[request.key]
    Payment.objects.filter(pk=row.pk).update(shop_cashback=300)
    budgets.fund_budgets(clock=morning)
    made = settled(morning)
    line = made.lines.get()
    assert (line.shop_cashback, line.net) == (300, 9_700)
    assert town.balance(debt, "KRW") == 0
    payouts.release(made.pk, actor="user:second", clock=pay_day(made))
    assert town.balance(f"payable:{shop.pk}", "KRW") == 0
    assert "지급금액 net,,9700" in settlements.shop_file(line).decode("utf-8-sig")


def test_budgets_are_brought_to_their_plan_once(town: Town, morning):
    budgets.fund_budgets(clock=morning)
    year = morning.now().astimezone(city_profile(town.city).zone).year
    account = names.cashback_budget("market", year)
    assert town.balance(account, "KRW") == 200_000_000
    assert budgets.fund_budgets(clock=morning) == []
    assert town.balance(account, "KRW") == 200_000_000
