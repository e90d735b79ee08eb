"""What a citizen has, converting it, and the history of it."""

from datetime import timedelta
from uuid import uuid4

from small_town import Town

from onsil import ledger
from onsil.citizen.models import Conversion, Payment
from onsil.citizen.services import (
    cancellations,
    codes,
    convert,
    history,
    payments,
    wallet,
)
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction


def test_a_new_wallet_is_open_and_empty(town: Town):
    purse = wallet(town.citizen())
    assert (purse.points, purse.money, purse.holdings) == (0, 0, ())
    assert purse.next_expiry is None


def test_it_lists_lots_by_what_expires_first(town: Town):
    citizen, now = town.citizen(), town.clock.now()
    town.give_points(citizen, 300, expires_at=now + timedelta(days=200), fund="national")
    town.give_points(citizen, 200, expires_at=now + timedelta(days=20))
    town.give_money(citizen, 5_000)
    purse = wallet(citizen)
    assert (purse.points, purse.money, purse.worth) == (500, 5_000, 500)
    assert [h.amount for h in purse.holdings] == [200, 300, 5_000]
    assert purse.next_expiry is not None
    assert purse.next_expiry.amount == 200
    later = wallet(citizen, clock=FixedClock(now + timedelta(days=21)))
    assert later.points == 300


def test_converting_moves_points_money_and_its_cover_together(town: Town):
    citizen = town.citizen(points=1_500)
    reserve, trust = town.balance("reserve:points", "KRW"), town.balance("trust:local", "KRW")
    row = convert(citizen, 1_200, uuid4())
    assert isinstance(row, Conversion)
    assert row.applied
    purse = wallet(citizen)
    assert (purse.points, purse.money) == (300, 1_200)
    assert town.balance("reserve:points", "KRW") == reserve - 1_200
    assert town.balance("trust:local", "KRW") == trust + 1_200
    money = next(h for h in purse.holdings if h.is_money)
    assert money.fund == "city"
    assert money.expires_at is not None
    assert money.expires_at.year >= town.clock.now().year + 5
    assert not town.imbalances()


def test_the_money_keeps_fund_and_rule_of_the_points_it_came_from(town: Town):
    citizen, now = town.citizen(), town.clock.now()
    town.give_points(citizen, 300, fund="national", expires_at=now + timedelta(days=5))
    town.give_points(citizen, 700, fund="city", expires_at=now + timedelta(days=9))
    assert isinstance(convert(citizen, 1_000, uuid4()), Conversion)
    money = {h.fund: h.amount for h in wallet(citizen).holdings if h.is_money}
    assert money == {"national": 300, "city": 700}


def test_the_same_form_converts_once(town: Town):
    citizen, form = town.citizen(points=1_000), uuid4()
    first = convert(citizen, 400, form)
    again = convert(citizen, 400, form)
    assert isinstance(first, Conversion)
    assert isinstance(again, Conversion)
    assert first.transfer_id == again.transfer_id
    assert wallet(citizen).money == 400
    changed = convert(citizen, 500, form)
    assert isinstance(changed, Refusal)
    assert changed.code == "form-used"
    stolen = convert(town.citizen(points=400), 400, form)
    assert isinstance(stolen, Refusal)
    assert stolen.code == "form-used"


def test_more_than_there_is_cannot_be_converted(town: Town):
    citizen = town.citizen(points=1_000)
    answer = convert(citizen, 1_001, uuid4())
    assert isinstance(answer, Refusal)
    assert answer.code == "not-enough-points"
    assert not Conversion.objects.filter(citizen=citizen).exists()
    assert wallet(citizen).points == 1_000


def test_an_empty_reserve_refuses_and_changes_nothing(town: Town):
    citizen = town.citizen(points=1_000)
    left = town.balance("reserve:points", "KRW")
    with transaction() as tx:
        leg = ledger.Leg("reserve:points", "external:bank", "KRW", left)
        request = ledger.TransferRequest(f"empty:{uuid4()}", "gift", (leg,))
        assert ledger.post(tx, town.city, [request], town.clock)[request.key]
    row = convert(citizen, 1_000, uuid4())
    assert isinstance(row, Conversion)
    assert row.state == "refused"
    assert row.refusal_code
    assert (wallet(citizen).points, wallet(citizen).money) == (1_000, 0)


def test_history_tells_each_transfer_once_newest_first(town: Town):
    citizen, shop = town.citizen(points=2_000), town.shop(name="데모 빵집")
    assert isinstance(convert(citizen, 2_000, uuid4()), Conversion)
    code = codes.show_amount(shop, 700)
    payment = payments.pay(code.pk, citizen)  # pyright: ignore
    assert isinstance(payment, Payment)
    cancellations.cancel(payment.pk, shop, actor=shop.applicant)
    rows = history(citizen)
    assert [row.kind for row in rows] == ["cancellation", "payment", "conversion", "gift"]
    assert [(row.points, row.money) for row in rows] == [
        (0, 700), (0, -700), (-2_000, 2_000), (2_000, 0),
    ]  # fmt: skip
    assert rows[1].about_ko == "데모 빵집"
    assert len(history(citizen, limit=2)) == 2


def test_a_payment_traces_back_through_the_conversion_to_the_points(town: Town):
    citizen, shop = town.citizen(points=900), town.shop()
    convert(citizen, 900, uuid4())
    code = codes.show_amount(shop, 900)
    payment = payments.pay(code.pk, citizen)  # pyright: ignore
    assert isinstance(payment, Payment)
    assert payment.transfer_id
    with transaction() as tx:
        steps = ledger.trace_back(tx, town.city, payment.transfer_id)
    assert "conversion" in {step.kind for step in steps}


def test_answers_come_while_the_citizen_looks(town: Town):
    """The page that pays already shows the ledger's answer; how fast it is, bench/ledger tells."""
    citizen, shop = town.citizen(money=50_000), town.shop()
    for _ in range(10):
        code = codes.show_amount(shop, 100)
        row = payments.pay(code.pk, citizen)  # pyright: ignore
        assert isinstance(row, Payment)
        assert (row.applied, row.decided_at is None) == (True, False)
