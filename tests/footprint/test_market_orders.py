"""Orders with escrow, the revenue's shares, projections: nothing sold twice, no won lost."""

import itertools
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, World, race
from hypothesis import given
from hypothesis import strategies as st

from onsil import footprint, ledger
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.footprint import market
from onsil.footprint.market import Order, PricePath, RevenueShare, Stream

PRICE = 20_000


@pytest.fixture
def batch(world: World) -> footprint.CreditBatch:
    return world.issued("25")


@pytest.fixture
def listed(world: World, batch: footprint.CreditBatch) -> footprint.Listing:
    made = market.list_for_sale(world.conn, CITY, batch.id, 8, PRICE, "official", world.clock)
    assert isinstance(made, footprint.Listing), made
    return made


@pytest.fixture
def buyer(world: World) -> str:
    return world.company("company:test", 1_000_000)


def place(world, listed, buyer, tonnes=3, price=PRICE, key="k"):
    return market.place_order(
        world.conn, CITY, listed.id, buyer, tonnes, price, key, "buyer", world.clock
    )


def krw(world: World, account: str) -> int:
    return ledger.balance(world.conn, CITY, account, "KRW")


def remaining(world: World, listed: footprint.Listing) -> int:
    found = market.listing(world.conn, CITY, listed.id)
    assert found is not None
    return found.remaining


def test_at_the_listed_price_the_won_wait_in_escrow_until_settled(
    world, batch, listed, buyer, refused
):
    made = place(world, listed, buyer)
    assert (made.status, krw(world, made.escrow)) == ("escrowed", 60_000)
    assert (krw(world, buyer), remaining(world, listed)) == (940_000, 5)
    assert place(world, listed, buyer) == made
    refused(place(world, listed, buyer, 2), "key-reused")
    refused(
        market.settle_order(world.conn, CITY, made.id, "buyer", world.clock), "maker-is-checker"
    )
    done = market.settle_order(world.conn, CITY, made.id, "approver", world.clock)
    assert isinstance(done, Order), done
    assert done.status == "settled"
    assert market.settle_order(world.conn, CITY, made.id, "approver", world.clock) == done
    assert krw(world, made.escrow) == 0
    assert krw(world, "fund:incentive") == 60_000
    assert ledger.balance(world.conn, CITY, buyer, batch.asset) == 3
    assert remaining(world, listed) == 5
    refused(
        market.cancel_order(world.conn, CITY, made.id, "x", "buyer", world.clock), "order-state"
    )


def test_an_offer_is_accepted_or_declined_by_another_person(world, listed, buyer, refused):
    made = place(world, listed, buyer, price=15_000)
    assert (made.status, krw(world, buyer), remaining(world, listed)) == ("offered", 1_000_000, 8)
    refused(
        market.accept_offer(world.conn, CITY, made.id, "buyer", world.clock), "maker-is-checker"
    )
    taken = market.accept_offer(world.conn, CITY, made.id, "official", world.clock)
    assert (taken.status, krw(world, made.escrow)) == ("escrowed", 45_000)
    refused(
        market.settle_order(world.conn, CITY, made.id, "official", world.clock),
        "maker-is-checker",
    )
    settled = market.settle_order(world.conn, CITY, made.id, "approver", world.clock)
    (sale,) = market.sales(world.conn, CITY)
    assert (settled.sale_id, sale.unit_price_krw) == (sale.id, 15_000)
    other = place(world, listed, buyer, price=10_000, key="low")
    refused(
        market.decline_offer(world.conn, CITY, other.id, " ", "official", world.clock),
        "reason-missing",
    )
    no = market.decline_offer(world.conn, CITY, other.id, "낮은 가격", "official", world.clock)
    assert no.status == "declined"


def test_what_is_cancelled_or_late_goes_back_whole(world, listed, buyer, refused):
    one, two = place(world, listed, buyer, 2, key="a"), place(world, listed, buyer, 4, key="b")
    gone = market.cancel_order(world.conn, CITY, one.id, "계획 변경", "buyer", world.clock)
    assert (gone.status, krw(world, one.escrow)) == ("cancelled", 0)
    late = FixedClock(world.clock.now() + timedelta(days=15))
    refused(market.settle_order(world.conn, CITY, two.id, "approver", late), "order-lapsed")
    (lapsed,) = market.lapse_orders(world.conn, CITY, "system", late)
    assert (lapsed.id, lapsed.status) == (two.id, "lapsed")
    assert market.lapse_orders(world.conn, CITY, "system", late) == []
    assert krw(world, buyer) == 1_000_000
    assert remaining(world, listed) == 8


def test_wrong_orders_change_nothing(world, listed, buyer, refused):
    refused(place(world, listed, buyer, 0), "order-invalid")
    refused(place(world, listed, buyer, 9), "not-listed")
    refused(place(world, listed, buyer, 1, PRICE + 1), "price-above-listing")
    poor = world.company("company:poor", 10)
    refused(place(world, listed, poor, 1, key="p"), "insufficient-balance")
    market.withdraw_listing(world.conn, CITY, listed.id, "official", world.clock)
    refused(place(world, listed, buyer, 1), "not-listed")
    assert market.orders(world.conn, CITY) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE footprint_order SET status = 'settled' WHERE id = %s",
        "UPDATE footprint_order SET unit_price_krw = 1 WHERE id = %s",
        "UPDATE footprint_order SET status = 'offered' WHERE id = %s",
        "UPDATE footprint_order SET status = 'cancelled', closed_at = now() WHERE id = %s",
        "DELETE FROM footprint_order WHERE id = %s",
    ],
)
def test_the_database_refuses_what_the_code_would(world, listed, buyer, statement):
    made = place(world, listed, buyer)
    with pytest.raises(psycopg.Error):
        world.conn.execute(statement, (made.id,))


def test_revenue_is_shared_by_a_rule_that_two_people_made(world, batch, listed, buyer, refused):
    shares = [RevenueShare("fund:incentive", 6667), RevenueShare("revenue:owner", 3333)]
    day = world.clock.now().date()

    def propose(given, project=None):
        return market.propose_revenue_rule(
            world.conn, CITY, given, day, "협약", "maker", world.clock, project
        )

    refused(propose(shares[:1]), "shares-invalid")
    refused(propose([RevenueShare("company:x", 10_000)]), "shares-invalid")
    rule = propose(shares, batch.project_id)
    assert market.shares_on(world.conn, CITY, batch.project_id, day) == (
        RevenueShare("fund:incentive", 10_000),
    )
    refused(
        market.approve_revenue_rule(world.conn, CITY, rule.id, "maker", world.clock),
        "maker-is-checker",
    )
    market.approve_revenue_rule(world.conn, CITY, rule.id, "checker", world.clock)
    made = place(world, listed, buyer, 1)
    market.settle_order(world.conn, CITY, made.id, "approver", world.clock)
    assert (krw(world, "fund:incentive"), krw(world, "revenue:owner")) == (13_334, 6_666)
    assert market.shares_on(world.conn, CITY, None, day)[0].bp == 10_000
    with pytest.raises(psycopg.Error), world.conn.transaction():
        world.conn.execute(
            "UPDATE footprint_revenue_rule SET shares = '[]' WHERE id = %s", (rule.id,)
        )


@given(st.integers(0, 10**12), st.lists(st.integers(1, 9_999), min_size=1, max_size=5))
def test_shares_add_up_to_the_won(amount, cuts):
    edges = sorted({0, 10_000, *cuts})
    shares = [
        RevenueShare(f"fund:f{n}", b - a) for n, (a, b) in enumerate(itertools.pairwise(edges))
    ]
    parts = market.split(amount, shares)
    assert sum(parts.values()) == amount
    assert min(parts.values()) >= 0


def test_one_tonne_goes_to_one_of_many_buyers(fresh_database: str):
    with connect(fresh_database, CITY) as conn:
        world = World(conn)
        batch = world.issued("25")
        made = market.list_for_sale(conn, CITY, batch.id, 1, PRICE, "official", world.clock)
        names = [world.company(f"company:c{n}", 100_000) for n in range(4)]
        conn.commit()

    def attempt(name):
        def run(conn):
            answer = market.place_order(
                conn, CITY, made.id, name, 1, PRICE, name, "buyer", World(conn).clock
            )
            conn.commit()
            return answer

        return run

    answers = race(fresh_database, [attempt(name) for name in names])
    assert sum(isinstance(a, Order) for a in answers) == 1
    assert {a.code for a in answers if not isinstance(a, Order)} == {"not-listed"}


PLAN_T = Decimal(12_540)


def stream(code, programme, years, price, sources):
    path = PricePath("base", Decimal(price))
    return Stream(code, programme, 2026, years, PLAN_T, sources, (path,))


def test_the_plans_own_totals_are_a_double_sale(refused):
    compliance = stream("compliance", "kr-offset", 21, 19_746, {"G7": (0, 10_000)})
    voluntary = stream("voluntary", "gold-standard", 30, 4_519, {"G7": (0, 10_000)})
    answer = refused(market.project([compliance, voluntary]), "double-sale")
    assert answer.facts["conflicts"][0]["to"] == 2046
    apart = stream("voluntary", "gold-standard", 30, 4_519, {"G7": (6_000, 10_000)})
    refused(market.project([compliance, apart]), "double-sale")
    half = stream("compliance", "kr-offset", 21, 19_746, {"G7": (0, 6_000)})
    (first, second) = market.project([half, apart])
    assert (len(first.by_year), len(second.by_year)) == (21, 30)


def test_the_plans_prices_are_what_its_totals_mean():
    assert round(market.implied_price(Decimal("5.2e9"), 21, PLAN_T)) == 19_746
    assert round(market.implied_price(Decimal("1.7e9"), 30, PLAN_T)) == 4_519


def test_prices_grow_along_their_path():
    growing = PricePath("high", Decimal(10_000), Decimal(10))
    one = Stream("s", "kr-offset", 2026, 3, Decimal("1.5"), {"x": (0, 10_000)}, (growing,))
    (found,) = market.project([one])
    assert found.by_year == {2026: 15_000, 2027: 16_500, 2028: 18_150}
    assert found.total_krw == 49_650
