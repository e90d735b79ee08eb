"""Planned units change hands and stay planned: fulfilment follows the holder; none is retired."""

from datetime import UTC, date, datetime

import pytest
from footprint_world import CITY, SEOUL, World, race
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from units_world import A, B, done, next_period, retired, spans, whole

from onsil import footprint, ledger
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import credits


def planned(world: World, project_id, units=10, vintage=2026, key="p1"):
    return done(
        credits.plan(
            world.conn, CITY, project_id, vintage, units, "growth model", key, "o", world.clock
        )
    )


def handed(world: World, made, units, key, source="", destination=A):
    source = source or f"project:{made.project_id}"
    return credits.hand_on(
        world.conn, CITY, made.id, source, destination, units, key, "o", world.clock
    )


def at(world: World, year: int, month: int = 6) -> World:
    world.clock = FixedClock(datetime(year, month, 1, tzinfo=UTC))
    return world


def test_planned_units_change_hands_and_are_not_retired(world: World, refused):
    made = planned(world, world.project().id)
    now = done(handed(world, made, 4, "h1"))
    assert handed(world, made, 4, "h1") == now
    refused(handed(world, made, 5, "h1"), "key-reused")
    project = f"project:{made.project_id}"
    assert credits.planned_holders(world.conn, CITY, made) == {project: 6, A: 4}
    done(handed(world, made, 3, "h2", A, B))
    assert credits.planned_holders(world.conn, CITY, made) == {project: 6, A: 1, B: 3}
    refused(handed(world, made, 2, "h3", A, B), "insufficient-balance")
    refused(handed(world, made, 0, "h3", A, B), "units-invalid")
    refused(handed(world, made, 1, "h3", A, A), "units-invalid")
    for gone in ("retired", "fulfilled", "cancelled", "issuer:planned", "buffer", " company:a"):
        refused(handed(world, made, 1, "h3", A, gone), "account-not-held")
    refused(retired(world, made.id, 1, "r", A), "planned-not-retirable")
    unknown = credits.hand_on(world.conn, CITY, new_id(), A, B, 1, "h4", "o", world.clock)
    refused(unknown, "unknown-planned")


def test_fulfilment_goes_to_whoever_holds_them(world: World, refused):
    batch = world.issued("20")  # 9 t
    made = planned(at(world, 2025), batch.project_id, vintage=2025)
    done(handed(world, made, 4, "h1"))
    at(world, 2026)

    def fulfil(units, key, holder=""):
        return credits.fulfil(
            world.conn, CITY, made.id, batch.id, units, key, "o", world.clock, holder
        )

    refused(fulfil(5, "f0", A), "insufficient-balance")
    refused(fulfil(1, "f0", B), "insufficient-balance")
    now = done(fulfil(3, "f1", A))
    assert fulfil(3, "f1", A) == now
    refused(fulfil(3, "f1", B), "key-reused")
    assert (now.open, now.fulfilled) == (7, 3)
    assert spans(world, batch.id, A) == [(1, 3)]
    assert credits.planned_holders(world.conn, CITY, made)[A] == 1
    done(fulfil(6, "f2"))  # the project's own: nothing moves
    assert spans(world, batch.id, f"project:{batch.project_id}") == [(4, 9)]
    refused(fulfil(1, "f3", A), "planned-exceeds")
    whole(world)


def test_a_project_that_has_sold_its_units_fulfils_nothing(world: World, refused):
    batch = world.issued("20")
    made = planned(at(world, 2025), batch.project_id, vintage=2025)
    done(handed(world, made, 4, "h1"))
    own = f"project:{batch.project_id}"
    done(credits.transfer(world.conn, CITY, batch.id, own, B, 8, "t", "o", world.clock))
    answer = credits.fulfil(world.conn, CITY, made.id, batch.id, 4, "f", "o", world.clock, A)
    refused(answer, "insufficient-balance")
    assert credits.planned_holders(world.conn, CITY, made)[A] == 4


def test_what_falls_short_is_made_good_by_later_vintages_within_five_years(world: World, refused):
    batch = world.issued("20")  # of 2025
    made = planned(at(world, 2024), batch.project_id, vintage=2024)
    done(handed(world, made, 4, "h1"))
    assert credits.planned_due(made) == date(2030, 1, 1)

    def fulfil(units, key, holder=A):
        return credits.fulfil(
            world.conn, CITY, made.id, batch.id, units, key, "o", world.clock, holder
        )

    refused(fulfil(1, "f"), "planned-other")
    refused(handed(at(world, 2025), made, 1, "h2"), "planned-late")
    assert done(fulfil(1, "f")).fulfilled == 1
    period = next_period(at(world, 2029), "SOLAR-1", date(2025, 6, 2))
    done(footprint.issue(world.conn, CITY, period.id, "o", world.clock))
    late = next_period(world, "SOLAR-1", date(2025, 6, 3))
    world.clock = FixedClock(datetime(2029, 12, 31, 14, 59, 59, tzinfo=UTC))
    assert credits.planned_overdue(
        world.conn, CITY, batch.project_id, world.clock, SEOUL
    ) is None  # fmt: skip
    world.clock = FixedClock(datetime(2029, 12, 31, 15, tzinfo=UTC))  # the next year in Korea
    no = refused(footprint.issue(world.conn, CITY, late.id, "o", world.clock), "planned-overdue")
    assert no.facts == {"units": 3, "due": "2030-01-01"}
    done(fulfil(1, "f2"))
    done(credits.drop(world.conn, CITY, made.id, 2, "paid back", "d", "o", world.clock, A))
    done(footprint.issue(world.conn, CITY, late.id, "o", world.clock))
    whole(world)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_planned_is_held_fulfilled_or_dropped_after_any_events(planned_world, data):
    world, made, batch = planned_world
    world.conn.execute("SAVEPOINT example")
    own = f"project:{made.project_id}"
    someone = st.sampled_from([own, A, B])
    for n in range(data.draw(st.integers(1, 12))):
        units, who = data.draw(st.integers(1, 6)), data.draw(someone)
        act = data.draw(st.sampled_from(["hand", "fulfil", "drop"]))
        conn, clock = world.conn, world.clock
        if act == "hand":
            handed(world, made, units, f"k{n}", who, data.draw(someone))
        elif act == "fulfil":
            credits.fulfil(conn, CITY, made.id, batch.id, units, f"k{n}", "o", clock, who)
        else:
            credits.drop(conn, CITY, made.id, units, "r", f"k{n}", "o", clock, who)
        now = credits.planned_of(conn, CITY, made.id)
        assert now is not None
        assert sum(credits.planned_holders(conn, CITY, made).values()) == now.open >= 0
        assert now.open + now.fulfilled + now.cancelled == 10
        whole(world)
    assert ledger.conservation(world.conn, CITY) == []
    world.conn.execute("ROLLBACK TO SAVEPOINT example")


@pytest.fixture
def planned_world(world: World):
    batch = world.issued("20")
    at(world, 2025)
    return world, planned(world, batch.project_id, vintage=2025), batch


def test_two_at_once_hand_the_same_planned_units_on(connector, fresh_database):
    with connector() as conn:
        made = planned(World(conn), World(conn).project().id)
        conn.commit()
    answers = race(
        fresh_database,
        [
            lambda conn, n=n: handed(World(conn), made, 7, f"h{n}", "", f"company:{n}")
            for n in range(3)
        ],
    )
    refusals = [one.code for one in answers if isinstance(one, Refusal)]
    assert refusals == ["insufficient-balance"] * 2
    with connector() as conn:
        assert sorted(credits.planned_holders(conn, CITY, made).values()) == [3, 7]
