"""Tries to use a unit twice, or one that is not there to be used: each is refused, by name."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from footprint_world import CITY, World, race
from units_world import (
    EXPORT,
    IMPORT,
    A,
    B,
    approved,
    done,
    next_period,
    proposed,
    retired,
    transferred,
    whole,
)

from onsil import footprint
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import credits, market
from onsil.footprint.store import savepoint

PRICE = 10_000
HIDDEN = ("buffer", "retired", "pending-export", "exported", "issuer:credit", "fund:incentive")
LOOKALIKES = (
    " company:a",
    "company:a ",
    "Retired",
    "RETIRED",
    "company: a",
    "retired\u200b",
    "company:a\u200b",
    "",
)


def project_of(batch: footprint.CreditBatch) -> str:
    return f"project:{batch.project_id}"


@pytest.mark.parametrize("account", [*HIDDEN, *LOOKALIKES])
def test_nothing_is_used_out_of_what_is_set_apart_or_gone(world: World, refused, account):
    batch = world.issued("50", buffer_bp=2000)
    conn, clock = world.conn, world.clock
    refused(retired(world, batch.id, 1, "r", account), "account-not-held")
    refused(transferred(world, batch, 1, B, "t", account or " "), "account-not-held")
    refused(transferred(world, batch, 1, account, "u"), "account-not-held")
    cancelled = credits.cancel(conn, CITY, batch.id, account, 1, "why", "c", "o", clock)
    refused(cancelled, "account-not-held")
    terms = {"batch": str(batch.id), "account": account, "units": 1}
    refused(proposed(world, "export", "e", **terms, **EXPORT), "account-not-held")
    refused(proposed(world, "conversion", "v", **terms), "account-not-held")
    refused(proposed(world, "import", "i", **{**IMPORT, "account": account}), "account-not-held")
    good = credits.make_good(conn, CITY, batch.project_id, batch.id, account, 1, "g", "o", clock)
    refused(good, "account-not-held")
    whole(world)


@pytest.mark.parametrize("buyer", ["retired", "buffer", "exported", "fund:incentive", "Retired"])
def test_nobody_buys_into_an_account_of_the_registry(world: World, refused, buyer):
    batch = world.issued("50")
    offer = done(market.list_for_sale(world.conn, CITY, batch.id, 5, PRICE, "s", world.clock))
    bought = footprint.buy(world.conn, CITY, batch.id, buyer, 1, PRICE, "k", "b", world.clock)
    refused(bought, "account-not-held")
    order = market.place_order(world.conn, CITY, offer.id, buyer, 1, PRICE, "k", "b", world.clock)
    refused(order, "account-not-held")


@pytest.mark.parametrize("kind", ["transfer", "sale", "cancellation", "retirement"])
def test_the_database_knows_what_leads_where(world: World, kind):
    batch = world.issued("50")
    wrong = {"retirement": "exported"}.get(kind, "retired")
    asked = credits.Move(batch.id, kind, project_of(batch), wrong, 1, "k", "x")
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        credits.move(world.conn, CITY, asked, world.clock)


def test_what_an_order_was_promised_is_not_used_for_anything_else(world: World, refused):
    batch = world.issued("25")  # 11 t
    buyer = world.company("company:test", 1_000_000)
    offer = done(market.list_for_sale(world.conn, CITY, batch.id, 8, PRICE, "s", world.clock))
    order = done(
        market.place_order(world.conn, CITY, offer.id, buyer, 6, PRICE, "k", "b", world.clock)
    )
    own = project_of(batch)
    refused(retired(world, batch.id, 6, "r", own), "units-promised")
    refused(transferred(world, batch, 6), "units-promised")
    cancelled = credits.cancel(world.conn, CITY, batch.id, own, 6, "w", "c", "o", world.clock)
    refused(cancelled, "units-promised")
    terms = {"batch": str(batch.id), "account": own, "units": 6}
    refused(proposed(world, "export", "e", **terms, **EXPORT), "units-promised")
    assert credits.actions(world.conn, CITY) == []
    refused(approved(world, done(proposed(world, "conversion", "v", **terms))), "units-promised")
    refused(transferred(world, batch, 12), "insufficient-balance")
    done(transferred(world, batch, batch.tonnes - 6, B))
    done(market.settle_order(world.conn, CITY, order.id, "third", world.clock))
    assert sum(b.units for b in credits.blocks(world.conn, CITY, batch.id, buyer)) == 6
    whole(world)


def test_an_order_that_has_lapsed_is_not_settled(world: World, refused):
    batch = world.issued("25")
    buyer = world.company("company:test", 1_000_000)
    offer = done(market.list_for_sale(world.conn, CITY, batch.id, 8, PRICE, "s", world.clock))
    order = done(
        market.place_order(world.conn, CITY, offer.id, buyer, 6, PRICE, "k", "b", world.clock)
    )
    world.clock = FixedClock(order.lapses_at - timedelta(microseconds=1))
    refused(
        market.settle_order(world.conn, CITY, order.id, "user:b", world.clock), "maker-is-checker"
    )
    world.clock = FixedClock(order.lapses_at)
    refused(market.settle_order(world.conn, CITY, order.id, "third", world.clock), "order-lapsed")


def test_one_person_under_two_names_is_one(world: World, refused):
    shares = [market.RevenueShare("fund:incentive", 10_000)]
    rule = done(
        market.propose_revenue_rule(
            world.conn, CITY, shares, date(2026, 1, 1), "all", "7", world.clock
        )
    )
    refused(
        market.approve_revenue_rule(world.conn, CITY, rule.id, "user:7", world.clock),
        "maker-is-checker",
    )
    update = """UPDATE footprint_revenue_rule SET checker = 'user:7', approved_at = now()
      WHERE id = %s"""
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute(update, (rule.id,))


@pytest.mark.parametrize(
    ("registry", "serials"),
    [
        ("Registry X", "x-1-2024-000100-000129"), ("registry  x", "X-1-2024-000100-000129"),
        ("Registry X", " X-1-2024-000100-000129 "), ("Registry X", "X 1 2024 000100 000129"),
        ("REGISTRY-X", "X1–2024–000100–000129"), ("Registry X", "Ｘ-1-2024-000100-000129"),
    ],
)  # fmt: skip
def test_serials_come_in_once_however_they_are_spelled(world: World, refused, registry, serials):
    waiting = done(proposed(world, "import", "second", **{**IMPORT, "serials": "X-OTHER"}))
    done(approved(world, proposed(world, "import", "first", **IMPORT)))
    again = {**IMPORT, "registry": registry, "serials": serials}
    refused(proposed(world, "import", "again", **again), "already-imported")
    done(approved(world, waiting))
    insert = """INSERT INTO footprint_unit_event (city, id, kind, facts, key, actor, created_at)
      VALUES (%s, %s, 'retired-elsewhere', jsonb_build_object('registry', %s::text, 'serials',
        %s::text), %s, 'o', now())"""
    world.conn.execute(insert, (CITY, new_id(), "Registry X", "X-9", "one"))
    with pytest.raises(psycopg.errors.UniqueViolation), savepoint(world.conn):
        world.conn.execute(insert, (CITY, new_id(), "registry x", "x 9", "two"))


def test_what_was_used_elsewhere_does_not_come_back(world: World, refused):
    batch = world.issued("50")
    done(transferred(world, batch, 5))
    terms = {"batch": str(batch.id), "account": A, "units": 3, **EXPORT}
    out = done(proposed(world, "export", "e", **terms))
    refused(retired(world, batch.id, 3, "r"), "insufficient-balance")  # they wait apart
    done(approved(world, out, serials="X-55"))
    refused(retired(world, batch.id, 3, "r"), "insufficient-balance")
    (event,) = credits.events(world.conn, CITY, kinds=("exported",))
    done(
        credits.retired_elsewhere(
            world.conn, CITY, "Registry X", "X-55", 3, "who", date(2026, 2, 1), "page", "n", "o",
            world.clock, event.id,
        )
    )  # fmt: skip
    back = {**IMPORT, "serials": "x 55", "units": 3}
    refused(proposed(world, "import", "i", **back), "already-retired-elsewhere")
    (gone,) = credits.blocks(world.conn, CITY, batch.id, "exported")
    asked = credits.Move(batch.id, "transfer", "exported", A, 3, "k", "x", (gone.span,))
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        moved_at_once(world, asked)
    world.conn.execute("SET CONSTRAINTS ALL DEFERRED")
    whole(world)


def moved_at_once(world: World, asked: credits.Move) -> None:
    credits.move(world.conn, CITY, asked, world.clock)
    world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_blocks_of_two_issuances_or_holders_are_not_merged(world: World, refused):
    one = world.issued("20")
    period = next_period(world, "SOLAR-1", date(2025, 6, 2), "20")
    two = done(footprint.issue(world.conn, CITY, period.id, "o", world.clock))
    assert one.serial_last + 1 == two.serial_first  # they follow on each other, and yet
    pair = [credits.blocks(world.conn, CITY, b.id)[0].id for b in (one, two)]
    refused(credits.merge(world.conn, CITY, pair, "m", "o", world.clock), "blocks-apart")
    done(transferred(world, one, 3))
    both = [b.id for b in credits.blocks(world.conn, CITY, one.id)]
    refused(credits.merge(world.conn, CITY, both, "n", "o", world.clock), "blocks-apart")


@pytest.mark.parametrize(
    ("instant", "late"),
    [
        (datetime(2031, 2, 28, 14, 59, 59, tzinfo=UTC), False),
        (datetime(2031, 2, 28, 15, 0, tzinfo=UTC), True),  # the first of March in Korea
    ],
)
def test_the_last_day_to_convert_is_korean(world: World, instant, late):
    batch = world.issued("20")  # certified on 1 March 2026
    done(transferred(world, batch, 5))
    action = done(proposed(world, "conversion", "c", batch=str(batch.id), account=A, units=1))
    world.clock = FixedClock(instant)
    answer = approved(world, action)
    assert isinstance(answer, Refusal) is late
    assert not late or answer.code == "conversion-late"
    expired = credits.expire(world.conn, CITY, batch.id, A, 1, "x", "o", world.clock)
    assert isinstance(expired, Refusal) is not late


def test_a_leap_days_five_years_end_on_the_first_of_march(world: World):
    world.clock = FixedClock(datetime(2028, 2, 28, 15, tzinfo=UTC))  # 29 February in Korea
    batch = world.issued("20")
    assert credits.conversion_limit(world.conn, CITY, batch) == date(2033, 3, 1)


def test_a_label_counts_on_its_days_alone(world: World):
    batch = world.issued("20")
    label = done(
        credits.give_label(
            world.conn, CITY, "CCP", date(2026, 1, 1), "decision", "l", "o", world.clock,
            batch_id=batch.id, ends=date(2026, 6, 1),
        )
    )  # fmt: skip
    assert [label.on(day) for day in (
        date(2025, 12, 31), date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1)
    )] == [False, True, True, False]  # fmt: skip


def test_an_export_and_a_sale_at_once_take_the_units_once(connector, fresh_database):
    with connector() as conn:
        world = World(conn)
        batch = world.issued("10")
        buyer = world.company("company:test", 10_000_000)
        offer = done(
            market.list_for_sale(conn, CITY, batch.id, batch.tonnes, PRICE, "s", world.clock)
        )
        conn.commit()
    own = project_of(batch)

    def ordered(conn):
        return market.place_order(
            conn, CITY, offer.id, buyer, batch.tonnes, PRICE, "k", "b", World(conn).clock
        )

    def exported(conn):
        terms = {"batch": str(batch.id), "account": own, "units": batch.tonnes, **EXPORT}
        return proposed(World(conn), "export", "e", **terms)

    answers = race(fresh_database, [ordered, exported])
    with connector() as conn:
        found = credits.conservation(conn, CITY, batch.id)
        assert found is not None
        assert found.whole
        (order,) = [a for a in answers if isinstance(a, market.Order)] or [None]
        if isinstance(answers[1], Refusal):
            assert answers[1].code == "units-promised"
            assert order is not None
        elif order is not None:  # the export came first: the order cannot be settled
            no = market.settle_order(conn, CITY, order.id, "third", World(conn).clock)
            assert isinstance(no, Refusal)
            assert no.code == "insufficient-balance"
