"""Orders, offers, shared revenue and projections on screen: who may do what, and what it says."""

from uuid import uuid4

from django.test import Client
from django.urls import reverse
from portal_world import CITY, World

from onsil import footprint, ledger
from onsil.citizen.models import Role, User
from onsil.citizen.services import people
from onsil.console import jobs
from onsil.core.clock import FixedClock, SystemClock
from onsil.footprint import market
from onsil.tenancy import transaction

ORDERS = "/console/market/orders/"


def client(person) -> Client:
    made = Client()
    made.force_login(person)
    return made


def listing(world: World) -> footprint.Listing:
    """An open listing with a tonne left; another one where the last was sold."""
    with transaction(CITY) as tx:
        there = footprint.listings(tx, CITY)
        if there:
            return there[0]
        made = footprint.list_for_sale(tx, CITY, world.batch.id, 1, 18_000, "m", SystemClock())
    assert isinstance(made, footprint.Listing), made
    return made


def state(world: World) -> tuple[int, int]:
    """Tonnes the company holds, and its won."""
    company = f"company:{world.company}"
    with transaction(CITY) as tx:
        return (
            ledger.balance(tx, CITY, company, world.batch.asset),
            ledger.balance(tx, CITY, company, "KRW"),
        )


def staff(name: str, role: str) -> User:
    made = User.objects.create_user(f"{name}@demo.invalid", "correct horse", name=name)
    people.give_role(made, role)
    return made


def placed(world: World, price: int, tonnes: int = 1) -> market.Order:
    form = {"tonnes": tonnes, "unit_price_krw": price, "key": str(uuid4()), "message": "시험"}
    path = reverse("market-order", args=(listing(world).id,))
    for _ in range(2):
        assert client(world.buyer).post(path, form).status_code == 302
    with transaction(CITY) as tx:
        (found,) = [o for o in market.orders(tx, CITY) if o.key == form["key"]]
    return found


def again(order: market.Order) -> market.Order:
    with transaction(CITY) as tx:
        found = market.order(tx, CITY, order.id)
    assert found is not None
    return found


def act(person, order: market.Order, name: str, **data: str) -> int:
    return client(person).post(reverse("market-order-act", args=(order.id, name)), data).status_code


def test_an_order_waits_in_escrow_and_is_settled_by_an_approver(world: World):
    tonnes, krw = state(world)
    made = placed(world, listing(world).unit_price_krw)
    assert made.status == "escrowed"
    assert state(world)[1] == krw - made.amount_krw
    assert "대금 보관 중" in client(world.buyer).get(ORDERS).content.decode()
    assert act(world.official, made, "settle") == 404
    assert act(staff("order-approver", Role.APPROVER), made, "settle") == 302
    assert again(made).status == "settled"
    assert state(world)[0] == tonnes + 1


def test_an_offer_below_the_price_is_answered_by_an_official(world: World):
    made = placed(world, 1_000)
    assert made.status == "offered"
    assert act(world.buyer, made, "accept") == 404
    assert act(world.official, made, "accept") == 302
    assert again(made).status == "escrowed"
    assert act(world.buyer, made, "cancel", reason="시험") == 302
    assert again(made).status == "cancelled"
    with transaction(CITY) as tx:
        assert ledger.balance(tx, CITY, made.escrow, "KRW") == 0
    other = placed(world, 500)
    assert act(world.official, other, "decline", reason="낮음") == 302
    assert again(other).status == "declined"
    assert act(world.official, other, "burn") == 404


def test_who_sees_what(world: World):
    for path in (ORDERS, "/console/market/revenue/", "/console/market/projection/"):
        assert client(world.official).get(path).status_code == 200
        assert client(world.saver).get(path).status_code == 403
    assert client(world.buyer).get("/console/market/revenue/").status_code == 403
    assert client(world.official).get(f"{ORDERS}new/{listing(world).id}/").status_code == 403
    assert client(world.buyer).get(f"{ORDERS}new/{uuid4()}/").status_code == 404


def test_a_revenue_rule_takes_two_people(world: World):
    path = "/console/market/revenue/"
    form = {
        "starts_on": "2026-01-01", "fund_percent": "70", "other_account": "revenue:owner",
        "reason": "협약",
    }  # fmt: skip
    told = client(world.official).post(path, form | {"other_account": ""}, follow=True)
    assert "누가 받는지" in told.content.decode()
    assert client(world.official).post(path, form).status_code == 302
    with transaction(CITY) as tx:
        (rule,) = market.revenue_rules(tx, CITY)
    approver = staff("revenue-approver", Role.APPROVER)
    approval = reverse("market-revenue-approve", args=(rule.id,))
    assert client(world.official).post(approval).status_code == 403
    assert client(approver).post(approval).status_code == 302
    assert "70%" in client(world.official).get(path).content.decode()


def test_a_projection_refuses_the_same_tonnes_twice(world: World):
    form = {
        "first_year": 2027, "tonnes": 12_540, "growth_pct": 2, "compliance_price": 19_746,
        "compliance_years": 21, "compliance_from": 0, "compliance_to": 100,
        "voluntary_price": 4_519, "voluntary_years": 30, "voluntary_from": 0, "voluntary_to": 100,
    }  # fmt: skip
    path = "/console/market/projection/"
    text = client(world.official).get(path, form).content.decode()
    assert "두 번 파는" in text
    assert "19,746" in text
    apart = form | {"compliance_to": 60, "voluntary_from": 60}
    text = client(world.official).get(path, apart).content.decode()
    assert "두 번 파는 감축량" not in text
    assert "가격 경로별 합계" in text
    wrong = form | {"voluntary_to": 0}
    assert "몫의 끝" in client(world.official).get(path, wrong).content.decode()


def test_the_worker_closes_what_is_too_late(world: World, monkeypatch):
    made = placed(world, listing(world).unit_price_krw)
    later = FixedClock(made.lapses_at)
    monkeypatch.setattr(jobs, "SystemClock", lambda: later)
    jobs.lapse(0)
    assert again(made).status == "lapsed"
