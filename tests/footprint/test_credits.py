"""Credits: floored once, carried, serialled, sold and retired once, nothing made or lost."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, World, race
from hypothesis import given
from hypothesis import strategies as st

from onsil import footprint, ledger
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.issuance import issuance_amounts
from onsil.footprint.store import savepoint

amounts = st.decimals(0, 10**6, places=12, allow_nan=False)


@given(st.lists(amounts, min_size=1, max_size=20), st.integers(0, 10_000))
def test_floor_and_carry_conserve_every_gram(periods, buffer_bp):
    carried, issued = Decimal(0), 0
    for quantified_t in periods:
        made = issuance_amounts(quantified_t, carried, buffer_bp)
        assert 0 <= made.carried_out_t < 1
        assert 0 <= made.buffer_tonnes <= made.tonnes
        assert made.buffer_tonnes * 10_000 >= made.tonnes * buffer_bp
        carried, issued = made.carried_out_t, issued + made.tonnes
    assert issued + carried == sum(periods)


@pytest.mark.parametrize(
    ("quantified", "carried", "buffer_bp", "expected"),
    [
        ("2.29", "0", 0, (2, 0, "0.29")),
        ("2.30", "0.29", 0, (2, 0, "0.59")),
        ("0.71", "0.29", 0, (1, 0, "0.00")),
        ("0.9999999", "0", 2000, (0, 0, "0.9999999")),
        ("10", "0", 2000, (10, 2, "0")),
        ("11", "0", 2000, (11, 3, "0")),
    ],
)
def test_whole_tonnes_by_hand(quantified, carried, buffer_bp, expected):
    made = issuance_amounts(Decimal(quantified), Decimal(carried), buffer_bp)
    tonnes, buffer_tonnes, out = expected
    assert (made.tonnes, made.buffer_tonnes) == (tonnes, buffer_tonnes)
    assert made.carried_out_t == Decimal(out)


def held(world: World, code: str, asset: str) -> int:
    return ledger.balance(world.conn, CITY, code, asset)


def test_an_approved_period_becomes_units_in_the_ledger(world: World):
    made = world.issued("50", buffer_bp=2000)
    assert (made.tonnes, made.buffer_tonnes, made.vintage) == (22, 5, 2025)
    assert made.serial_last - made.serial_first + 1 == 22
    assert made.serials.startswith("ONSIL-PYEONGTAEK-SOLAR-1-2025-")
    assert held(world, f"project:{made.project_id}", made.asset) == 17
    assert held(world, "buffer", made.asset) == 5
    assert held(world, "issuer:credit", made.asset) == -22
    assert footprint.monitoring(world.conn, CITY, made.monitoring_id).status == "issued"  # pyright: ignore


def test_issuing_again_gives_the_same_batch(world: World):
    made = world.issued()
    assert footprint.issue(world.conn, CITY, made.monitoring_id, "o", world.clock) == made
    assert len(footprint.batches(world.conn, CITY)) == 1


def test_what_is_left_of_a_tonne_goes_to_the_next_period(world: World):
    days = [date(2025, 6, day) for day in (1, 2, 3)]
    made = [world.issued("1.5", first=day) for day in days]
    assert [one.tonnes for one in made] == [0, 1, 1]
    assert made[0].transfer_id is None
    assert [one.carried_in_t for one in made[1:]] == [one.carried_out_t for one in made[:-1]]
    total = sum(one.quantified_t for one in made)
    assert total == sum(one.tonnes for one in made) + made[-1].carried_out_t
    other = world.issued("1.5", code="SOLAR-2")
    assert other.carried_in_t == 0


def test_serials_never_meet(world: World):
    made = [world.issued("10", code=f"S-{i}") for i in range(3)]
    used = [n for one in made for n in range(one.serial_first, one.serial_last + 1)]
    assert len(used) == len(set(used)) == 12
    assert footprint.batch_by_serial(world.conn, CITY, used[5]) == made[1]
    assert footprint.batch_by_serial(world.conn, CITY, 10**9) is None


def sold(world: World, batch: footprint.CreditBatch, tonnes=3, price=15_000, company="company:a"):
    world.company(company, 100_000)
    footprint.list_for_sale(world.conn, CITY, batch.id, tonnes, price, "o", world.clock)
    made = footprint.buy(
        world.conn, CITY, batch.id, company, tonnes, price, f"buy-{company}", company, world.clock
    )
    assert isinstance(made, footprint.Sale), made
    return made


def test_a_sale_moves_units_and_pays_the_incentive_fund(world: World):
    batch = world.issued("10")
    made = sold(world, batch)
    assert made.amount_krw == 45_000
    assert held(world, "company:a", batch.asset) == 3
    assert held(world, "company:a", "KRW") == 55_000
    assert held(world, "fund:incentive", "KRW") == 45_000
    assert footprint.listings(world.conn, CITY) == []
    assert footprint.sales(world.conn, CITY) == [made]
    assert footprint.holdings(world.conn, CITY, "company:a") == [footprint.Holding(batch, 3)]
    assert ledger.conservation(world.conn, CITY) == []


def test_buying_twice_with_one_key_buys_once(world: World, refused):
    batch = world.issued("10")
    made = sold(world, batch, 2)
    footprint.list_for_sale(world.conn, CITY, batch.id, 2, 15_000, "o", world.clock)

    def again(tonnes):
        return footprint.buy(
            world.conn, CITY, batch.id, "company:a", tonnes, 15_000, "buy-company:a", "x",
            world.clock,
        )  # fmt: skip

    assert again(2) == made
    refused(again(1), "key-reused")
    assert held(world, "company:a", batch.asset) == 2


def test_nothing_is_listed_or_sold_beyond_what_is_held(world: World, refused):
    batch = world.issued("10")
    world.company("company:a", 100_000)

    def offer(tonnes, price=15_000):
        return footprint.list_for_sale(world.conn, CITY, batch.id, tonnes, price, "o", world.clock)

    def order(tonnes, price, key, batch_id=batch.id):
        return footprint.buy(
            world.conn, CITY, batch_id, "company:a", tonnes, price, key, "a", world.clock
        )

    refused(offer(0), "listing-invalid")
    refused(offer(5), "listing-exceeds")
    assert offer(3)
    refused(offer(2), "listing-exceeds")
    refused(order(4, 15_000, "k1"), "not-listed")
    refused(order(3, 14_999, "k2"), "not-listed")
    refused(order(-3, 15_000, "k3"), "not-listed")
    refused(order(1, 15_000, "k4", new_id()), "unknown-batch")
    assert offer(1, 200_000)
    refused(order(1, 200_000, "k5"), "insufficient-balance")
    assert footprint.sales(world.conn, CITY) == []
    assert held(world, "fund:incentive", "KRW") == 0


def test_a_withdrawn_offer_cannot_be_bought(world: World, refused):
    batch = world.issued("10")
    world.company("company:a", 100_000)
    offer = footprint.list_for_sale(world.conn, CITY, batch.id, 3, 100, "o", world.clock)
    assert isinstance(offer, footprint.Listing)
    gone = footprint.withdraw_listing(world.conn, CITY, offer.id, "o", world.clock)
    assert isinstance(gone, footprint.Listing)
    assert gone.withdrawn
    refused(
        footprint.buy(world.conn, CITY, batch.id, "company:a", 1, 100, "k", "a", world.clock),
        "not-listed",
    )
    refused(
        footprint.withdraw_listing(world.conn, CITY, new_id(), "o", world.clock), "unknown-listing"
    )
    assert footprint.list_for_sale(world.conn, CITY, batch.id, 4, 100, "o", world.clock)


def retired(world: World, batch_id, tonnes, key, company="company:a", beneficiary="수혜 기업"):
    return footprint.retire(
        world.conn, CITY, batch_id, company, tonnes, beneficiary, "2025년 배출량 상쇄", key, "a",
        world.clock,
    )  # fmt: skip


def test_retired_units_are_gone_and_keep_their_serials(world: World, refused):
    batch = world.issued("10")
    sold(world, batch, 3)
    first, second = retired(world, batch.id, 1, "r1"), retired(world, batch.id, 2, "r2")
    assert isinstance(first, footprint.Retirement)
    assert isinstance(second, footprint.Retirement)
    assert (first.serial_first, first.serial_last) == (batch.serial_first, batch.serial_first)
    assert second.serial_first == first.serial_last + 1
    assert held(world, "retired", batch.asset) == 3
    assert held(world, "company:a", batch.asset) == 0
    refused(retired(world, batch.id, 1, "r3"), "insufficient-balance")
    assert retired(world, batch.id, 1, "r1") == first
    refused(retired(world, batch.id, 2, "r1"), "key-reused")
    assert footprint.retirement(world.conn, CITY, first.id) == first
    assert footprint.retirements(world.conn, CITY, company="company:a") == [second, first]


def test_a_retirement_wants_a_beneficiary_and_a_reason(world: World, refused):
    batch = world.issued("10")
    sold(world, batch, 3)
    refused(retired(world, batch.id, 1, "r", beneficiary=" "), "retirement-incomplete")
    refused(retired(world, batch.id, 0, "r"), "retirement-incomplete")
    refused(retired(world, new_id(), 1, "r"), "unknown-batch")


def test_issued_is_active_and_retired_and_buffer(world: World):
    batch = world.issued("50", buffer_bp=1000)
    sold(world, batch, 4, price=100)
    retired(world, batch.id, 3, "r1")
    accounts = ("company:a", "buffer", "retired", f"project:{batch.project_id}")
    assert sum(held(world, code, batch.asset) for code in accounts) == batch.tonnes


def test_the_database_keeps_the_sum_of_an_issuance(world: World):
    made = world.issued("10")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
        world.conn.execute("UPDATE footprint_batch SET tonnes = 9")
    world.conn.execute("RESET ROLE")
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute("UPDATE footprint_batch SET tonnes = tonnes + 1")
    assert footprint.batch(world.conn, CITY, made.id) == made


def test_a_reading_leads_to_its_credits(world: World):
    batch = world.issued("10")
    assert len(footprint.claims_of_batch(world.conn, CITY, batch.id)) == 1
    run = footprint.runs(world.conn, CITY)[0]
    entity, attribute = run.lines[0].meter.split("#")
    uses = footprint.forward(world.conn, CITY, entity, attribute, run.period.start)
    assert uses[0].batches == (batch,)
    assert footprint.runs(world.conn, CITY, meter=run.lines[0].meter) == [run]


def test_one_key_retires_once_under_a_race(connector, fresh_database):
    with connector() as conn:
        world = World(conn)
        batch = world.issued("10")
        sold(world, batch, 3)
        conn.commit()
    answers = race(
        fresh_database,
        [lambda conn: retired(World(conn), batch.id, 2, "same") for _ in range(4)]
        + [lambda conn, n=n: retired(World(conn), batch.id, 2, f"other-{n}") for n in range(3)],
    )
    made = {a.id for a in answers if isinstance(a, footprint.Retirement)}
    lost = [a for a in answers if isinstance(a, Refusal)]
    assert len(made) == 1
    assert {a.code for a in lost} == {"insufficient-balance"}
    with connector() as conn:
        assert ledger.balance(conn, CITY, "retired", batch.asset) == 2
        assert len(footprint.retirements(conn, CITY)) == 1


def test_one_period_is_issued_once_under_a_race(connector, fresh_database):
    with connector() as conn:
        world = World(conn)
        done = world.approved(world.project(), [world.claimed(world.solar_run("10")).id])
        conn.commit()
    answers = race(
        fresh_database,
        [
            lambda conn: footprint.issue(conn, CITY, done.id, "o", World(conn).clock)
            for _ in range(4)
        ],
    )
    assert len({a.id for a in answers}) == 1  # pyright: ignore
