"""What was made of a claim keeps it; a released claim makes nothing: in every interleaving."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from footprint_world import CITY, World, race

from onsil import footprint
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.claims import Release, release_claim, use, use_many, uses_of
from onsil.footprint.store import savepoint

CLOCK: FixedClock = World(None).clock  # pyright: ignore


def released(conn: Connection, claim_id: UUID) -> Release | Refusal:
    return release_claim(conn, CITY, claim_id, "entered twice", "official", CLOCK)


def used(conn: Connection, claim_id: UUID, kind: str = "award", subject: str = "a-1") -> Any:
    refusal = use(conn, CITY, claim_id, kind, subject, CLOCK)
    return "used" if refusal is None else refusal


def test_a_refused_release_says_what_uses_the_claim(world: World, refused):
    held = world.claimed(world.solar_run("5"))
    batch_period = world.approved(world.project(), [held.id])
    answer = refused(released(world.conn, held.id), "claim-used")
    assert answer.facts["uses"] == [{"kind": "monitoring", "subject": str(batch_period.id)}]
    assert "SOLAR-1 #1" in answer.ko
    assert "SOLAR-1 #1" in answer.en
    made = footprint.issue(world.conn, CITY, batch_period.id, "official", world.clock)
    assert isinstance(made, footprint.CreditBatch)
    assert {(one.kind, one.subject) for one in uses_of(world.conn, CITY, held.id)} == {
        ("monitoring", str(batch_period.id)), ("issuance", str(made.id)),
    }  # fmt: skip
    assert "SOLAR-1 2025" in refused(released(world.conn, held.id), "claim-used").en


def test_a_use_is_stated_once_and_for_many_at_once(world: World, refused):
    first, second = (world.claimed(world.solar_run(), "household-saving") for _ in range(2))
    wanted = [(first.id, "award", "a"), (second.id, "award", "a"), (first.id, "award", "b")]
    for _ in range(2):
        assert use_many(world.conn, CITY, wanted, CLOCK) is None
    assert [one.subject for one in uses_of(world.conn, CITY, first.id)] == ["a", "b"]
    assert use_many(world.conn, CITY, [], CLOCK) is None
    third = world.claimed(world.solar_run(), "household-saving")
    assert isinstance(released(world.conn, third.id), Release)
    refused(use_many(world.conn, CITY, [(first.id, "x", "y"), (third.id, "x", "y")], CLOCK),
            "claim-released")  # fmt: skip
    assert len(uses_of(world.conn, CITY, first.id)) == 2
    refused(use_many(world.conn, CITY, [(new_id(), "x", "y")], CLOCK), "unknown-claim")


def test_a_claim_serves_units_or_rewards_never_both(world: World, refused):
    given, handed = (world.claimed(world.solar_run("5")) for _ in range(2))
    assert used(world.conn, given.id) == "used"
    period = footprint.open_monitoring_period(
        world.conn, CITY, world.project().id, given.period, "maker", world.clock
    )
    assert isinstance(period, footprint.Monitoring)
    refused(
        footprint.submit_monitoring(
            world.conn, CITY, period.id, [given.id], "maker", world.clock
        ), "claim-used",
    )  # fmt: skip
    sent = footprint.submit_monitoring(
        world.conn, CITY, period.id, [handed.id], "maker", world.clock
    )
    assert isinstance(sent, footprint.Monitoring)
    refused(use(world.conn, CITY, handed.id, "award", "a-1", CLOCK), "claim-served")


def test_a_claim_left_out_of_a_returned_period_is_free_again(world: World, refused):
    first, second = (world.claimed(world.solar_run("5")) for _ in range(2))
    period = footprint.open_monitoring_period(
        world.conn, CITY, world.project().id, first.period, "maker", world.clock
    )
    assert isinstance(period, footprint.Monitoring)
    for claim_ids in ([first.id, second.id], [second.id]):
        sent = footprint.submit_monitoring(
            world.conn, CITY, period.id, claim_ids, "maker", world.clock
        )
        assert isinstance(sent, footprint.Monitoring), sent
        refused(released(world.conn, second.id), "claim-used")
        back = footprint.return_monitoring(
            world.conn, CITY, period.id, "again", "checker", world.clock
        )
        assert isinstance(back, footprint.Monitoring), back
    refused(released(world.conn, second.id), "claim-used")
    assert isinstance(released(world.conn, first.id), Release)
    refused(
        footprint.submit_monitoring(
            world.conn, CITY, period.id, [first.id], "maker", world.clock
        ), "claim-released",
    )  # fmt: skip


def test_nobody_writes_a_claims_fate_by_hand(world: World):
    held = world.claimed(world.solar_run())
    for statement in (
        "DELETE FROM footprint_claim_fate",
        "UPDATE footprint_claim_fate SET fate = 'released'",
        "INSERT INTO footprint_claim_fate SELECT city, id, 'given' FROM footprint_claim",
        "SELECT footprint_claim_becomes('pyeongtaek', gen_random_uuid(), 'given')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
            world.conn.execute(statement)  # pyright: ignore
    assert isinstance(released(world.conn, held.id), Release)


@pytest.mark.parametrize("first", ["used", "released"])
def test_without_any_trigger_the_constraint_still_refuses(connector, fresh_database, first):
    with connector() as conn:
        held = World(conn).claimed(World(conn).solar_run(), "household-saving")
        assert not isinstance(
            used(conn, held.id) if first == "used" else released(conn, held.id), Refusal
        )
        conn.commit()
    use_row = "INSERT INTO footprint_claim_use VALUES (%s, %s, 'award', 'a-2', now())"
    release_row = """INSERT INTO footprint_claim_release (city, claim_id, id, reason, actor,
      created_at) VALUES (%s, %s, gen_random_uuid(), 'x', 'x', now())"""
    with psycopg.connect(fresh_database) as owner:
        for table in ("footprint_claim_use", "footprint_claim_release"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # pyright: ignore
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="fate"):
            owner.execute(release_row if first == "used" else use_row, (CITY, held.id))  # pyright: ignore
        owner.rollback()


# ------------------------------------------------------------------ interleavings


def claimed(connector: Any, programme: str = "household-saving") -> UUID:
    with connector() as conn:
        held = World(conn).claimed(World(conn).solar_run("5"), programme)
        conn.commit()
    return held.id


def behind(
    dsn: str, first: Callable[[Connection], object], second: Callable[[Connection], object]
) -> tuple[object, object]:
    """The second begins while the first is done and not committed, and has to wait for it."""
    answers: list[object] = []
    with connect(dsn, CITY) as early:
        done = first(early)
        started = threading.Event()

        def late() -> None:
            with connect(dsn, CITY) as conn:
                pids.append(conn.info.backend_pid)
                started.set()
                answers.append(second(conn))

        pids: list[int] = []
        thread = threading.Thread(target=late)
        thread.start()
        assert started.wait(60)
        with psycopg.connect(dsn, autocommit=True) as watch:
            while thread.is_alive():
                row = watch.execute(
                    "SELECT %s = ANY(pg_blocking_pids(%s))", (early.info.backend_pid, pids[0])
                ).fetchone()
                if row is not None and row[0]:
                    break
                time.sleep(0.02)
        assert not answers, "it did not wait"
    thread.join(120)
    assert len(answers) == 1
    return done, answers[0]


def test_a_release_waits_for_a_use_that_is_under_way(connector, fresh_database):
    claim_id = claimed(connector)
    first, second = behind(
        fresh_database, lambda c: used(c, claim_id), lambda c: released(c, claim_id)
    )
    assert first == "used"
    assert isinstance(second, Refusal)
    assert second.code == "claim-used"
    assert second.facts["uses"] == [{"kind": "award", "subject": "a-1"}]


def test_a_use_waits_for_a_release_that_is_under_way(connector, fresh_database):
    claim_id = claimed(connector)
    first, second = behind(
        fresh_database, lambda c: released(c, claim_id), lambda c: used(c, claim_id)
    )
    assert isinstance(first, Release)
    assert isinstance(second, Refusal)
    assert second.code == "claim-released"


@pytest.mark.parametrize("first", ["used", "released"])
def test_an_old_snapshot_never_sees_past_the_other(connector, fresh_database, first):
    """At repeatable read, where a lock alone would not show what was committed meanwhile."""
    claim_id = claimed(connector)
    acts = {"used": lambda c: used(c, claim_id), "released": lambda c: released(c, claim_id)}
    early, late = acts.pop(first), next(iter(acts.values()))
    old = psycopg.connect(fresh_database)
    try:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("SELECT set_config('onsil.city', %s, false)", (CITY,))
        with connect(fresh_database, CITY) as conn:
            assert not isinstance(early(conn), Refusal)
        with suppress(psycopg.errors.SerializationFailure):
            assert isinstance(late(old), Refusal)
        old.rollback()
    finally:
        old.close()
    with connect(fresh_database, CITY) as conn:
        stands = footprint.claim_of(conn, CITY, claim_id)
        assert stands is not None
        assert (stands.released_at is not None) == (first == "released")
        assert len(uses_of(conn, CITY, claim_id)) == (first == "used")


def test_of_many_at_once_either_all_uses_stand_or_the_release_does(connector, fresh_database):
    claim_id = claimed(connector)
    answers = race(
        fresh_database,
        [
            *(lambda c, n=n: used(c, claim_id, "award", f"a-{n}") for n in range(4)),
            *(lambda c: released(c, claim_id) for _ in range(3)),
        ],
    )
    wins = [a for a in answers if not isinstance(a, Refusal)]
    assert wins
    assert all(a == "used" for a in wins) or all(isinstance(a, Release) for a in wins)
    with connect(fresh_database, CITY) as conn:
        held = footprint.claim_of(conn, CITY, claim_id)
        assert held is not None
        assert (held.released_at is None) == bool(uses_of(conn, CITY, claim_id))


def test_handing_in_and_releasing_at_once_never_both_happen(connector, fresh_database):
    with connector() as conn:
        world = World(conn)
        held = world.claimed(world.solar_run("5"))
        period = footprint.open_monitoring_period(
            conn, CITY, world.project().id, held.period, "maker", CLOCK
        )
        assert isinstance(period, footprint.Monitoring)
        conn.commit()
    first, second = behind(
        fresh_database,
        lambda c: footprint.submit_monitoring(c, CITY, period.id, [held.id], "maker", CLOCK),
        lambda c: released(c, held.id),
    )
    assert isinstance(first, footprint.Monitoring)
    assert isinstance(second, Refusal)
    assert second.code == "claim-used"


# ------------------------------------------------------------------ tonnes


@pytest.mark.parametrize(
    ("share", "part"), [("[5000,10000)", "0.51"), ("[5000,10000)", "0.5"), ("[0,5000)", "0.6")]
)
def test_no_claim_takes_more_tonnes_than_its_share(world: World, share, part):
    """By hand, past the code: what the holds allow and the run's tonnes do not."""
    run = world.solar_run("2")
    made = footprint.claim(world.conn, CITY, run.id, "kr-offset", (0, 5_000), clock=world.clock)
    assert isinstance(made, footprint.Claim)
    world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    world.conn.execute("SET CONSTRAINTS ALL DEFERRED")
    fits = (share, part) == ("[5000,10000)", "0.5")
    with savepoint(world.conn):
        world.conn.execute(
            """INSERT INTO footprint_claim (city, id, run_id, programme, share, period, co2e_t,
              energy_wh, actor, created_at)
            SELECT city, %s, id, 'voluntary', %s::int4range, period, co2e_t * %s::numeric, 0, 'x',
              created_at FROM footprint_run WHERE id = %s""",
            (new_id(), share, part, run.id),
        )
    if fits:
        world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return
    with pytest.raises(psycopg.errors.CheckViolation, match="no more tonnes"):
        world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    world.conn.rollback()


# ------------------------------------------------------------------ one city


def test_two_cities_do_not_claim_one_meter(connector, fresh_database):
    """The same entity in two cities' books: the second city's claim is refused and kept."""
    with connector() as conn:
        world = World(conn)
        run = world.solar_run("2")
        held = world.claimed(run)
        conn.commit()
    with psycopg.connect(fresh_database) as owner:
        owner.execute("SELECT set_config('onsil.city', '*', false)")
        for table in ("footprint_run",):
            owner.execute(
                f"""INSERT INTO {table} SELECT (jsonb_populate_record(r,
                  '{{"city": "goyang"}}')).* FROM {table} r WHERE r.id = %s""",  # pyright: ignore  # noqa: S608
                (run.id,),
            )
    with connect(fresh_database, "goyang") as other:
        answer = footprint.claim(other, "goyang", run.id, "voluntary", clock=CLOCK)
        assert isinstance(answer, Refusal)
        assert answer.code == "claim-elsewhere"
        assert str(held.id) not in str(answer.facts)
        (kept,) = footprint_refusals(other)
        assert kept == ("claim-elsewhere", [])


def footprint_refusals(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT code, theirs FROM footprint_claim_refusal").fetchall()
