"""One reduction, one programme: in any order, in any share, under any race."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, World, race, site
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.range import Range

from onsil import footprint
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.claims import making
from onsil.footprint.store import savepoint


def test_a_claim_holds_everything_the_run_found(world: World):
    run = world.solar_run("2")
    made = world.claimed(run)
    assert (made.co2e_t, made.energy_wh) == (run.co2e_t, run.energy_wh)
    assert [(x.meter, x.amount, x.unit) for x in made.lines] == [
        (x.meter, x.amount, x.unit) for x in run.lines
    ]
    assert footprint.claim_of(world.conn, CITY, made.id) == made
    assert footprint.claims(world.conn, CITY, run.id) == [made]


def test_the_same_claim_again_is_the_same_claim(world: World):
    run = world.solar_run()
    assert world.claimed(run) == world.claimed(run)


def test_a_second_programme_is_refused_and_sees_both_sides(world: World, refused):
    run = world.solar_run()
    held = world.claimed(run)
    answer = refused(footprint.claim(world.conn, CITY, run.id, "voluntary"), "claim-conflict")
    assert answer.facts["mine"]["programme"] == "voluntary"
    assert answer.facts["theirs"][0]["claim"] == str(held.id)
    assert "kr-offset" in answer.ko
    assert "kr-offset" in answer.en
    assert footprint.claims(world.conn, CITY, run.id) == [held]


def test_shares_side_by_side_are_fine_and_overlapping_ones_are_not(world: World, refused):
    run = world.solar_run("2")
    first = footprint.claim(world.conn, CITY, run.id, "kr-offset", (0, 3000))
    second = footprint.claim(world.conn, CITY, run.id, "household-saving", (3000, 10000))
    assert isinstance(first, footprint.Claim)
    assert isinstance(second, footprint.Claim)
    assert first.co2e_t + second.co2e_t == run.co2e_t
    assert first.energy_wh * 7 == second.energy_wh * 3
    refused(footprint.claim(world.conn, CITY, run.id, "rec", (2999, 3000)), "claim-conflict")


@pytest.mark.parametrize("shares", [(0, 0), (5, 5), (-1, 10), (0, 10001), (7, 3)])
def test_a_share_is_a_range_of_ten_thousandths(world: World, refused, shares):
    run = world.solar_run()
    refused(footprint.claim(world.conn, CITY, run.id, "kr-offset", shares), "share-invalid")


def test_the_next_day_is_another_quantity(world: World):
    entity = site(1)
    world.claimed(world.solar_run(first=date(2025, 6, 1), entity=entity))
    world.claimed(world.solar_run(first=date(2025, 6, 2), entity=entity), "voluntary")


def test_a_longer_run_over_a_claimed_day_is_refused(world: World, refused):
    entity = site(1)
    for day in (1, 2):
        run = world.solar_run(first=date(2025, 6, day), entity=entity)
    world.claimed(run)
    both = footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": f"{entity}#generation"},
        {"capacity_kw": "1000", "no_export": True}, world.day(date(2025, 6, 1), 2),
        footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR"), "a",
        world.clock,
    )  # fmt: skip
    assert isinstance(both, footprint.Run)
    refused(footprint.claim(world.conn, CITY, both.id, "kr-offset"), "claim-conflict")


def insert_line(world: World, held: footprint.Claim, share: Range) -> None:
    line = held.lines[0]
    other = new_id()
    world.conn.execute(
        """INSERT INTO footprint_claim SELECT city, %s, run_id, 'x', share, period, co2e_t,
        energy_wh, actor, created_at FROM footprint_claim WHERE id = %s""",
        (other, held.id),
    )
    world.conn.execute(
        """INSERT INTO footprint_claim_line (city, claim_id, meter, quantity, share, period,
        amount) VALUES (%s,%s,%s,%s,%s,%s,1)""",
        (
            CITY, other, line.meter, line.quantity, share,
            Range(held.period.start, held.period.end),
        ),
    )  # fmt: skip


def test_the_database_itself_refuses_whatever_the_code_does(world: World):
    held = world.claimed(world.solar_run())
    with pytest.raises(psycopg.errors.ExclusionViolation), savepoint(world.conn):
        insert_line(world, held, Range(9999, 10000))


def test_claims_are_append_only(world: World):
    held = world.claimed(world.solar_run())
    for table in ("footprint_claim", "footprint_claim_line"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
            world.conn.execute(f"DELETE FROM {table}")  # pyright: ignore  # noqa: S608
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
            world.conn.execute(f"UPDATE {table} SET share = '[0,1)'")  # pyright: ignore  # noqa: S608
    assert footprint.claim_of(world.conn, CITY, held.id) == held


shares = st.tuples(st.integers(0, 20), st.integers(1, 20)).filter(lambda s: s[0] < s[1])
asked = st.lists(
    st.tuples(st.sampled_from(["kr-offset", "voluntary", "rec", "household"]), shares),
    min_size=1, max_size=12,
)  # fmt: skip


def test_claims_never_exceed_the_quantity_in_any_order(world: World):
    run = world.solar_run("2")

    @settings(max_examples=30, deadline=None)
    @given(asked)
    def attempt(wanted):
        with pytest.raises(_Undo), savepoint(world.conn):  # noqa: PT012
            held = []
            for programme, (low, high) in wanted:
                made = footprint.claim(world.conn, CITY, run.id, programme, (low * 500, high * 500))
                if isinstance(made, Refusal):
                    assert made.code == "claim-conflict"
                elif made not in held:
                    held.append(made)
            assert sum((c.energy_wh for c in held), Decimal(0)) <= run.energy_wh
            covered = [n for c in held for n in range(c.share_from, c.share_to, 500)]
            assert len(covered) == len(set(covered))
            raise _Undo

    attempt()


class _Undo(Exception):
    """Take an example's claims back."""


def test_under_a_race_exactly_one_wins(connector, fresh_database):
    with connector() as conn:
        run = World(conn).solar_run("2")
        conn.commit()
    answers = race(
        fresh_database,
        [
            lambda conn, name=name: footprint.claim(conn, CITY, run.id, name)
            for name in ("kr-offset", "voluntary", "rec", "household", "dr", "inventory")
        ],
    )
    won = [a for a in answers if isinstance(a, footprint.Claim)]
    lost = [a for a in answers if isinstance(a, Refusal)]
    assert len(won) == 1
    assert {a.code for a in lost} == {"claim-conflict"}
    assert all(a.facts["theirs"][0]["claim"] == str(won[0].id) for a in lost)


def test_the_constraint_decides_when_nobody_locked(connector, fresh_database, monkeypatch):
    """Without the lock that keeps claimants in line, the loser still gets a refusal."""
    with connector() as conn:
        run = World(conn).solar_run("2")
        conn.commit()
    monkeypatch.setattr(making, "lock_many", lambda *a: None)
    real, seen = making.held_against, []

    def blind(*given):
        seen.append(given)
        return [] if len(seen) == 1 else real(*given)

    with connector() as first, connector() as second:
        assert isinstance(footprint.claim(first, CITY, run.id, "kr-offset"), footprint.Claim)
        first.commit()
        monkeypatch.setattr(making, "held_against", blind)
        answer = footprint.claim(second, CITY, run.id, "voluntary")
        assert isinstance(answer, Refusal)
        assert answer.code == "claim-conflict"
        assert answer.facts["theirs"][0]["programme"] == "kr-offset"
