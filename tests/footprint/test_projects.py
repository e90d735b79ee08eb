"""Monitoring periods: two persons, fixed claims, states that only go forward."""

from datetime import date, timedelta

import psycopg
import pytest
from footprint_world import CITY, World

from onsil import footprint, proof
from onsil.core.ids import new_id
from onsil.footprint.store import savepoint


def opened(world: World, project: footprint.Project, first=date(2025, 6, 1), days=1):
    return footprint.open_monitoring_period(
        world.conn, CITY, project.id, world.day(first, days), "maker", world.clock
    )


def submitted(world: World, project: footprint.Project) -> footprint.Monitoring:
    held = world.claimed(world.solar_run())
    made = footprint.submit_monitoring(
        world.conn, CITY, opened(world, project).id, [held.id], "maker", world.clock
    )
    assert isinstance(made, footprint.Monitoring), made
    return made


def test_registering_again_gives_the_same_project(world: World, refused):
    project = world.project()
    assert world.project() == project
    assert footprint.projects(world.conn, CITY) == [project]
    other = footprint.ProjectSpec(
        "SOLAR-1", "다른 이름", "Other", "kr-offset", "solar-self-consumption",
        date(2025, 1, 1), date(2035, 1, 1),
    )  # fmt: skip
    refused(footprint.register_project(world.conn, CITY, other, "o", world.clock), "project-exists")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"methodology": "alchemy"}, "unknown-methodology"),
        ({"ends": date(2024, 1, 1)}, "dates-invalid"),
        ({"buffer_bp": 10_001}, "buffer-invalid"),
    ],
)
def test_a_project_that_makes_no_sense_is_refused(world: World, refused, changes, code):
    terms = {
        "code": "P", "name_ko": "가", "name_en": "A", "programme": "kr-offset",
        "methodology": "solar-self-consumption", "starts": date(2025, 1, 1),
        "ends": date(2026, 1, 1), **changes,
    }  # fmt: skip
    spec = footprint.ProjectSpec(**terms)
    refused(footprint.register_project(world.conn, CITY, spec, "o", world.clock), code)


def test_periods_lie_apart_and_within_the_crediting_period(world: World, refused):
    project = world.project()
    first = opened(world, project)
    assert opened(world, project) == first
    refused(opened(world, project, date(2025, 5, 31), 2), "monitoring-overlaps")
    refused(opened(world, project, date(2024, 12, 31), 2), "outside-crediting")
    assert opened(world, project, date(2025, 6, 2)).sequence == 2
    refused(
        footprint.open_monitoring_period(
            world.conn, CITY, new_id(), world.day(date(2025, 6, 1)), "m", world.clock
        ),
        "unknown-project",
    )


def test_the_maker_is_not_the_checker(world: World, refused):
    monitored = submitted(world, world.project())
    refused(
        footprint.approve_monitoring(world.conn, CITY, monitored.id, "maker", world.clock),
        "maker-is-checker",
    )
    refused(
        footprint.return_monitoring(world.conn, CITY, monitored.id, "maker", "no", world.clock),
        "maker-is-checker",
    )
    done = footprint.approve_monitoring(world.conn, CITY, monitored.id, "checker", world.clock)
    assert isinstance(done, footprint.Monitoring)
    assert (done.status, done.maker, done.checker) == ("approved", "maker", "checker")


def test_the_database_refuses_it_too(world: World):
    monitored = submitted(world, world.project())
    with pytest.raises(psycopg.errors.CheckViolation, match="maker"), savepoint(world.conn):
        world.conn.execute(
            """UPDATE footprint_monitoring SET status = 'approved', checker = 'maker',
            decided_at = now() WHERE id = %s""",
            (monitored.id,),
        )


@pytest.mark.parametrize(
    "change",
    [
        "status = 'issued'",
        "status = 'open'",
        "status = 'approved', checker = NULL",
        "status = 'approved', checker = 'c', maker = 'someone else'",
        "status = 'returned', checker = 'c', period = tstzrange(now(), now() + interval '1 day')",
    ],
)
def test_states_only_go_forward(world: World, change):
    monitored = submitted(world, world.project())
    statement = f"UPDATE footprint_monitoring SET {change} WHERE id = %s"  # noqa: S608
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute(statement, (monitored.id,))  # pyright: ignore


def test_who_approved_cannot_be_rewritten(world: World):
    held = world.claimed(world.solar_run())
    done = world.approved(world.project(), [held.id])
    for change in ("checker = 'x'", "status = 'returned'", "status = 'issued', checker = 'x'"):
        statement = f"UPDATE footprint_monitoring SET {change} WHERE id = %s"  # noqa: S608
        with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
            world.conn.execute(statement, (done.id,))  # pyright: ignore
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute("DELETE FROM footprint_monitoring_claim")


def test_a_returned_period_can_be_handed_in_again(world: World, refused):
    monitored = submitted(world, world.project())
    refused(
        footprint.return_monitoring(world.conn, CITY, monitored.id, "checker", " ", world.clock),
        "reason-missing",
    )
    back = footprint.return_monitoring(
        world.conn, CITY, monitored.id, "checker", "계측기 교정 성적서 누락", world.clock
    )
    assert isinstance(back, footprint.Monitoring)
    assert (back.status, back.reason) == ("returned", "계측기 교정 성적서 누락")
    again = footprint.submit_monitoring(
        world.conn, CITY, monitored.id, list(monitored.claim_ids), "checker", world.clock
    )
    assert isinstance(again, footprint.Monitoring)
    assert (again.status, again.maker, again.checker) == ("submitted", "checker", None)
    refused(
        footprint.approve_monitoring(world.conn, CITY, monitored.id, "checker", world.clock),
        "maker-is-checker",
    )


def test_only_fitting_claims_are_taken(world: World, refused):
    project = world.project()
    period = opened(world, project)

    def hand_in(*claim_ids):
        return footprint.submit_monitoring(
            world.conn, CITY, period.id, list(claim_ids), "maker", world.clock
        )

    refused(hand_in(), "no-claims")
    refused(hand_in(new_id()), "unknown-claim")
    refused(hand_in(world.claimed(world.solar_run(), "household-saving").id), "claim-programme")
    late = world.claimed(world.solar_run(first=date(2025, 7, 1)))
    refused(hand_in(late.id), "claim-period")
    assert hand_in(world.claimed(world.solar_run()).id)


def test_a_claim_serves_one_monitoring_period(world: World, refused):
    first, second = world.project("SOLAR-1"), world.project("SOLAR-2")
    monitored = submitted(world, first)
    period = opened(world, second)
    refused(
        footprint.submit_monitoring(
            world.conn, CITY, period.id, list(monitored.claim_ids), "maker", world.clock
        ),
        "claim-used",
    )
    assert footprint.monitoring(world.conn, CITY, period.id) == period


def test_steps_out_of_turn_are_refused(world: World, refused):
    project = world.project()
    period = opened(world, project)
    refused(
        footprint.approve_monitoring(world.conn, CITY, period.id, "c", world.clock),
        "monitoring-state",
    )
    refused(footprint.issue(world.conn, CITY, period.id, "o", world.clock), "monitoring-state")
    refused(
        footprint.approve_monitoring(world.conn, CITY, new_id(), "c", world.clock),
        "unknown-monitoring",
    )
    refused(footprint.issue(world.conn, CITY, new_id(), "o", world.clock), "unknown-monitoring")
    monitored = submitted(world, project)
    refused(
        footprint.submit_monitoring(
            world.conn, CITY, monitored.id, list(monitored.claim_ids), "m", world.clock
        ),
        "monitoring-state",
    )


def test_every_step_is_in_the_audit_trail(world: World):
    held = world.claimed(world.solar_run())
    done = world.approved(world.project(), [held.id])
    trail = proof.audit_trail(world.conn, CITY, subject_id=str(done.id))
    assert [record.action for record in reversed(trail)] == [
        "monitoring.opened", "monitoring.submitted", "monitoring.approved",
    ]  # fmt: skip
    assert trail[0].actor == "checker"
    assert trail[0].before is not None
    assert trail[0].before["status"] == "submitted"
    assert world.day(date(2025, 6, 1)).length == timedelta(days=1)
