"""Auditor's test 19, reversal: dead trees draw the buffer, then stop issuance until made good."""

from datetime import UTC, date, datetime

import psycopg
import pytest
from footprint_world import CITY, World
from units_world import A, approved, done, lost, next_period, proposed, transferred, whole

from onsil import footprint
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.footprint import credits
from onsil.footprint.store import savepoint


def states(world: World, batch_id) -> dict[str, int]:
    found = credits.conservation(world.conn, CITY, batch_id)
    assert found is not None
    return {state: units for state, units in found.states.items() if units}


def test_dead_trees_draw_the_buffer_then_block_issuance(world: World, refused):
    made = world.issued("50", buffer_bp=2000)  # 22 t, 5 of them in the buffer
    project = made.project_id
    lost(world, project, "3.2")
    assert states(world, made.id) == {"held": 17, "buffer": 1, "cancelled": 4}
    assert credits.shortfall(world.conn, CITY, project).units == 0
    lost(world, project, "2.7", "second", "fire")
    owed = credits.shortfall(world.conn, CITY, project)
    assert (owed.lost, owed.covered, owed.units) == (6, 5, 1)
    assert owed.due == date(2031, 2, 1)
    assert states(world, made.id) == {"held": 17, "cancelled": 5}
    period = next_period(world, "SOLAR-1", date(2025, 6, 2), "10")
    no = refused(footprint.issue(world.conn, CITY, period.id, "o", world.clock), "issuance-blocked")
    assert no.facts == {"units": 1, "due": "2031-02-01"}
    new = done(footprint.issue(world.conn, CITY, period.id, "o", world.clock, recover=True))
    assert new.tonnes == 5
    assert states(world, new.id) == {"held": 3, "buffer": 1, "cancelled": 1}
    assert credits.shortfall(world.conn, CITY, project).units == 0
    later = next_period(world, "SOLAR-1", date(2025, 6, 3), "10")
    done(footprint.issue(world.conn, CITY, later.id, "o", world.clock))
    whole(world)


def test_small_losses_cost_no_more_than_their_sum(world: World):
    made = world.issued("50", buffer_bp=2000)
    for n in range(5):
        lost(world, made.project_id, "0.3", f"loss-{n}")
    assert credits.shortfall(world.conn, CITY, made.project_id).lost == 2
    assert states(world, made.id)["cancelled"] == 2


def test_other_projects_and_their_buffers_are_not_touched(world: World):
    mine, other = world.issued("50", buffer_bp=1000), world.issued("50", 1000, code="OTHER")
    lost(world, mine.project_id, "9")
    assert states(world, other.id) == {"held": 19, "buffer": 3}
    period = next_period(world, "OTHER", date(2025, 6, 2))
    done(footprint.issue(world.conn, CITY, period.id, "o", world.clock))


def test_a_loss_is_made_good_with_units_somebody_holds(world: World, refused):
    made, other = world.issued("50"), world.issued("50", code="OTHER")
    done(transferred(world, other, 10))
    lost(world, made.project_id, "4")

    def good(units, key, account=A, batch=other):
        return credits.make_good(
            world.conn, CITY, made.project_id, batch.id, account, units, key, "o", world.clock
        )

    refused(good(5, "g0"), "nothing-owed")
    refused(good(1, "g0", "buffer"), "account-not-held")
    refused(good(1, "g0", "company:none"), "insufficient-balance")
    paid = done(good(3, "g1"))
    assert good(3, "g1") == paid
    assert credits.shortfall(world.conn, CITY, made.project_id).units == 1
    done(good(1, "g2"))
    assert credits.shortfall(world.conn, CITY, made.project_id).due is None
    assert states(world, other.id) == {"held": 18, "cancelled": 4}
    whole(world)


def test_after_five_years_new_units_no_longer_make_it_good(world: World, refused):
    made = world.issued("20")
    lost(world, made.project_id, "2")
    period = next_period(world, "SOLAR-1", date(2025, 6, 2))

    def issue(year):
        clock = FixedClock(datetime(year, 1, 31, 15, tzinfo=UTC))  # the next day in Korea
        return footprint.issue(world.conn, CITY, period.id, "o", clock, recover=True)

    refused(issue(2031), "recovery-overdue")
    done(issue(2030))


@pytest.mark.parametrize(
    "wrong",
    [
        {"tonnes": "0"}, {"tonnes": "-1"}, {"tonnes": "many"}, {"tonnes": "NaN"},
        {"cause": "boredom"}, {"happened_on": "2026-03-02"}, {"happened_on": "soon"},
        {"evidence": " "},
    ],
)  # fmt: skip
def test_a_report_says_what_was_lost_when_and_how_it_is_known(world: World, refused, wrong):
    made = world.issued("20")
    terms = {
        "project": str(made.project_id), "cause": "felling", "tonnes": "1",
        "happened_on": "2026-02-01", "evidence": "photographs",
    }  # fmt: skip
    refused(proposed(world, "reversal", **{**terms, **wrong}), "reversal-invalid")
    refused(proposed(world, "reversal", **{**terms, "project": str(new_id())}), "unknown-project")


def test_whoever_reports_does_not_approve(world: World, refused):
    made = world.issued("20", buffer_bp=5000)
    terms = {
        "project": str(made.project_id), "cause": "fire", "tonnes": "1",
        "happened_on": "2026-02-01", "evidence": "report",
    }  # fmt: skip
    action = done(proposed(world, "reversal", "p", **terms))
    assert proposed(world, "reversal", "p", **terms) == action
    refused(proposed(world, "reversal", "p", **{**terms, "tonnes": "2"}), "key-reused")
    refused(approved(world, action, "maker"), "maker-is-checker")
    refused(credits.reject(world.conn, CITY, action.id, "c", " ", world.clock), "reason-missing")
    refused(credits.approve(world.conn, CITY, new_id(), "c", world.clock), "unknown-action")
    done(approved(world, action))
    refused(approved(world, action, "third"), "action-decided")


def test_the_database_wants_the_second_person(world: World):
    made = world.issued("20", buffer_bp=5000)
    action = done(
        proposed(world, "buffer-release", batch=str(made.id), units=1, reason="term over")
    )
    update = """UPDATE footprint_registry_action SET status = 'approved', checker = %s,
      decided_at = now() WHERE id = %s"""
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute(update, ("maker", action.id))
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute("UPDATE footprint_registry_action SET terms = '{}'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
        world.conn.execute("DELETE FROM footprint_registry_action")
    bypass = credits.Move(
        made.id, "buffer-release", "buffer", "company:a", 1, "k", "maker", action_id=action.id
    )
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        credits.move(world.conn, CITY, bypass, world.clock)
    done(approved(world, action))
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute(update, ("somebody", action.id))


def test_the_buffer_is_released_or_cancelled_by_two(world: World, refused):
    made = world.issued("20", buffer_bp=5000)  # 9 t, 5 of them in the buffer
    terms = {"batch": str(made.id), "reason": "term over"}
    refused(proposed(world, "buffer-release", units=0, **terms), "units-invalid")
    refused(proposed(world, "buffer-release", units=1, **{**terms, "reason": ""}), "reason-missing")
    refused(
        proposed(world, "buffer-release", units=1, **{**terms, "batch": str(new_id())}),
        "unknown-batch",
    )
    done(approved(world, proposed(world, "buffer-release", "r", units=2, **terms)))
    done(approved(world, proposed(world, "buffer-cancellation", "c", units=1, **terms)))
    assert states(world, made.id) == {"held": 6, "buffer": 2, "cancelled": 1}
    too_many = done(proposed(world, "buffer-release", "m", units=9, **terms))
    refused(approved(world, too_many), "insufficient-balance")
    assert credits.action(world.conn, CITY, too_many.id).status == "proposed"  # pyright: ignore
    lost(world, made.project_id, "3")
    refused(proposed(world, "buffer-release", "n", units=1, **terms), "reversal-open")
    refused(approved(world, too_many), "reversal-open")
    whole(world)
