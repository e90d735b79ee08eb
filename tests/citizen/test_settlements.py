"""Settling a day: every sale once, the money behind it, and a file that says so."""

import csv
import hashlib
import io
from datetime import timedelta

from small_town import Town

from onsil.citizen.models import Merchant, Payment, Settlement
from onsil.citizen.services import (
    budgets,
    cancellations,
    codes,
    payments,
    payouts,
    settlements,
)
from onsil.core.clock import FixedClock
from onsil.core.periods import local_day, midnight
from onsil.core.refusal import Refusal
from onsil.ledger.rules.business_days import business_days_later
from onsil.tenancy import city_scope
from onsil.tenancy.cities import city as city_profile


def sell(town: Town, shop: Merchant, amount: int, clock: FixedClock) -> Payment:
    citizen = town.citizen(money=amount)
    code = codes.show_amount(shop, amount, clock=clock)
    row = payments.pay(code.pk, citizen, clock=clock)  # pyright: ignore
    assert isinstance(row, Payment)
    assert row.applied
    return row


def built(answer: object) -> Settlement:
    assert isinstance(answer, Settlement), answer
    return answer


def test_a_day_is_settled_once_and_adds_up(town: Town):
    zone = city_profile(town.city).zone
    morning = FixedClock(town.clock.now().astimezone(zone).replace(hour=9, minute=0))
    shop, other = town.shop(name="데모 빵집"), town.shop(name="데모 카페")
    first = sell(town, shop, 4_000, morning)
    back = sell(town, shop, 1_000, morning)
    cancellations.cancel(back.pk, shop, actor=shop.applicant, clock=morning)
    sell(town, other, 2_500, morning)
    day = local_day(morning.now(), zone)
    tomorrow = FixedClock(morning.now() + timedelta(days=1))

    early = settlements.build(day, clock=morning)
    assert isinstance(early, Refusal)
    assert early.code == "settlement-too-early"

    budgets.fund_budgets(clock=morning)
    trust = town.balance("trust:local", "KRW")
    made = built(settlements.build(clock=tomorrow))
    again = built(settlements.build(clock=tomorrow))
    assert (made.pk, made.day, made.pay_day) == (again.pk, day, business_days_later(day, 2))
    assert Settlement.objects.filter(city=town.city).count() == 1
    assert (made.payments, made.net) == (3, 6_500)
    content = bytes(made.content)
    assert hashlib.sha256(content).hexdigest() == made.digest
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row[3] for row in rows[1:]] == ["데모 빵집", "데모 카페", "합계 total"]
    assert [row[-1] for row in rows[1:]] == ["4000", "2500", "6500"]

    assert all(line.applied for line in made.lines.all())
    assert town.takings(shop) == town.takings(other) == 0
    assert town.balance(f"payable:{shop.pk}", "KRW") == 4_000
    assert town.balance("trust:local", "KRW") == trust - 6_500

    own = payouts.release(made.pk, actor=made.made_by)
    assert isinstance(own, Refusal)
    assert own.code == "maker-is-checker"
    for _ in range(2):
        released = built(payouts.release(made.pk, actor="user:official"))
        assert released.released_by == "user:official"
    assert town.balance(f"payable:{shop.pk}", "KRW") == 4_000, "the pay day has not come"
    assert payouts.pay_due(clock=tomorrow) == []
    pay_day = FixedClock(midnight(made.pay_day, zone))
    assert [one.pk for one in payouts.pay_due(clock=pay_day)] == [made.pk]
    assert payouts.pay_due(clock=pay_day) == []
    assert town.balance(f"payable:{shop.pk}", "KRW") == 0
    (line,) = settlements.lines_of(shop)
    assert line.payout_transfer_id
    mine = settlements.shop_file(line).decode("utf-8-sig")
    assert "데모 카페" not in mine
    assert mine.splitlines()[-1].endswith(",지급금액 net,,4000")
    late = cancellations.cancel(first.pk, shop, actor=shop.applicant, clock=morning)
    assert isinstance(late, Refusal)
    assert late.code == "cancel-too-late"
    assert not town.imbalances()

    stray = sell(town, shop, 300, morning)  # a clock set back into the settled day
    nothing_new = built(settlements.build(day, clock=tomorrow))
    assert nothing_new.pk == made.pk
    later = FixedClock(tomorrow.now() + timedelta(days=1))
    (caught,) = settlements.build_due(clock=later)
    assert (caught.payments, caught.net) == (1, 300)
    stray.refresh_from_db()
    assert stray.settlement_id == caught.pk
    assert settlements.build_due(clock=later) == []
    assert [s.day for s in settlements.settlements()] == [caught.day, made.day]


def test_another_city_sees_no_settlement(town: Town):
    with city_scope("goyang"):
        assert settlements.settlements() == []
