"""Both routes walked from end to end, and every step refused where it must be."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, World, race
from project_walk import APPROVER, OFFICIAL, VERIFIER, Walk, fine

from onsil import footprint, proof
from onsil.core.database import connect
from onsil.footprint.projects import (
    Design,
    Finding,
    LegalDuty,
    Site,
    Step,
    answer_finding,
    close_finding,
    crediting_periods,
    current_design,
    from_content,
    join_site,
    leave_site,
    move_to_version,
    options,
    raise_finding,
    record_duty,
    route_of,
    routes,
    set_design,
    sites,
    standing,
    steps,
    take_step,
    verification_due,
    withdraw_duty,
)
from onsil.footprint.projects.journal import SEOUL
from onsil.footprint.proofs import entry_of
from onsil.footprint.store import rows, savepoint


@pytest.fixture
def offset(world: World) -> Walk:
    return Walk.on(world, "kr-offset")


@pytest.fixture
def gold(world: World) -> Walk:
    return Walk.on(world, "gold-standard", "voluntary")


def certified(walk: Walk, day: date = date(2025, 6, 1)) -> footprint.Monitoring:
    """A period of the Korean route taken to its certification."""
    period, claims = walk.period(day)
    walk.paper("monitoring-report", period)
    fine(walk.submit(period, claims))
    walk.engaged(period)
    walk.go("engage", monitoring=period)
    walk.judged(period)
    walk.go("verify", "request-certification", "certify", monitoring=period)
    found = footprint.monitoring(walk.world.conn, CITY, period)
    assert found is not None
    return found


def test_the_korean_route_from_plan_to_credits_and_renewal(offset: Walk):
    offset.registered()
    assert offset.state() == "registered"
    done = certified(offset)
    assert (done.status, done.maker, done.checker) == ("approved", OFFICIAL, APPROVER)
    assert [s.to_state for s in steps(offset.world.conn, CITY, offset.project.id, done.id)] == [
        "reported", "verifying", "verified", "requested", "certified",
    ]  # fmt: skip
    batch = footprint.issue(offset.world.conn, CITY, done.id, APPROVER, offset.clock)
    assert isinstance(batch, footprint.CreditBatch), batch
    offset.go("request-renewal", "renew")
    periods = crediting_periods(offset.world.conn, CITY, offset.project)
    assert [(p.starts, p.ends) for p in periods] == [
        (date(2025, 1, 1), date(2032, 1, 1)), (date(2032, 1, 1), date(2039, 1, 1)),
    ]  # fmt: skip
    offset.go("request-renewal", "refuse-renewal", "end")
    assert offset.state() == "ended"
    assert options(offset.world.conn, CITY, offset.project.id, OFFICIAL, None, offset.clock) == []


def test_a_third_renewal_is_one_too_many(offset: Walk, refused):
    offset.registered()
    for _ in range(2):
        offset.go("request-renewal", "renew")
    offset.go("request-renewal")
    refused(offset.step("renew"), "renewals-used-up")
    assert len(crediting_periods(offset.world.conn, CITY, offset.project)) == 3


def test_ways_back_on_the_korean_route(offset: Walk):
    offset.prepare()
    offset.engaged()
    offset.go("request-validation", "correct-plan", "request-validation")
    offset.judged()
    offset.go("validate", "request-approval", "reject", "withdraw")
    assert offset.state() == "withdrawn"


def test_gold_standard_from_consultation_to_issuance(gold: Walk):
    gold.prepare()
    gold.go("open-consultation", "request-listing", "send-back", "request-listing", "list")
    gold.engaged()
    gold.go("request-validation")
    gold.judged()
    gold.go("validate", "return-design", "validate")
    gold.later(28)
    gold.go("certify-design", "report-year", "report-year")
    period, claims = gold.period()
    gold.paper("monitoring-report", period)
    fine(gold.submit(period, claims))
    gold.go("return", monitoring=period)
    fine(gold.submit(period, claims))
    gold.engaged(period)
    gold.go("engage", monitoring=period)
    gold.judged(period)
    gold.go("verify", "review", "request-issuance", "approve-issuance", monitoring=period)
    done = footprint.monitoring(gold.world.conn, CITY, period)
    assert done is not None
    assert done.status == "approved"
    gold.go("request-renewal", "renew", "request-renewal", "refuse-renewal", "end")
    assert gold.state() == "ended"


def test_every_step_of_a_route_is_walked_here():
    """The walks above and below name each transition of both routes."""
    from pathlib import Path

    text = Path(__file__).read_text("utf-8") + Path(__file__).with_name(
        "project_walk.py").read_text("utf-8")  # fmt: skip
    for name in ("kr-offset", "gold-standard"):
        for flow in (routes()[name].project, routes()[name].period):
            unwalked = [t.id for t in flow.transitions if f'"{t.id}"' not in text]
            assert [t for t in unwalked if t != "submit"] == []


def test_a_period_can_be_sent_back_at_any_point(offset: Walk, refused):
    offset.registered()
    period, claims = offset.period()
    offset.paper("monitoring-report", period)
    fine(offset.submit(period, claims))
    fine(offset.step("return", APPROVER, period))
    refused(offset.step("return", APPROVER, period), "route-state")
    assert offset.state(period) == "returned"
    fine(offset.submit(period, claims))
    assert offset.state(period) == "reported"


def test_approval_does_not_jump_the_verification(offset: Walk, refused):
    offset.registered()
    period, claims = offset.period()
    offset.paper("monitoring-report", period)
    fine(offset.submit(period, claims))
    answer = footprint.approve_monitoring(
        offset.world.conn, CITY, period, APPROVER, offset.clock, roles={"approver"}
    )
    assert "검증 맡기기" in refused(answer, "route-state").ko


def test_what_a_step_asks_for_is_asked_for(offset: Walk, refused):
    refused(offset.step("request-validation"), "document-missing")
    offset.papers_for("request-validation")
    refused(offset.step("request-validation"), "design-missing")
    offset.prepare()
    refused(offset.step("request-validation"), "engagement-missing")
    offset.engaged()
    fine(offset.step("request-validation"))
    offset.paper("feasibility-report")
    refused(offset.step("validate"), "site-visit-missing")
    offset.judged(outcome="adverse")
    refused(offset.step("validate"), "opinion-missing")
    offset.judged()
    found = fine(raise_finding(
        offset.world.conn, CITY, offset.project.id,
        Finding("CAR", "material", "교정", "성적서가 없다"), VERIFIER, offset.clock,
    ))  # fmt: skip
    refused(offset.step("validate"), "findings-open")
    fine(answer_finding(offset.world.conn, CITY, found.id, "올렸습니다", OFFICIAL, offset.clock))
    fine(close_finding(offset.world.conn, CITY, found.id, "확인", VERIFIER, offset.clock))
    fine(offset.step("validate"))


def test_a_submission_asks_for_plan_meter_calibration_and_report(offset: Walk, refused):
    offset.registered()
    period, claims = offset.period(date(2025, 6, 1))
    refused(offset.submit(period, claims), "document-missing")
    offset.paper("monitoring-report", period)
    late = footprint.open_monitoring_period(
        offset.world.conn, CITY, offset.project.id, offset.world.day(date(2025, 7, 1)), OFFICIAL,
        offset.clock,
    )  # fmt: skip
    assert isinstance(late, footprint.Monitoring)
    run = offset.world.solar_run(first=date(2025, 7, 1))
    held = offset.world.claimed(run)
    offset.paper("monitoring-report", late.id)
    refused(offset.submit(late.id, [held.id]), "device-unknown")
    fine(offset.submit(period, claims))


def test_roles_and_order_are_kept(offset: Walk, refused):
    offset.prepare()
    here = (offset.world.conn, CITY, offset.project.id)
    refused(take_step(*here, "register", APPROVER, offset.clock), "route-state")
    refused(take_step(*here, "fly", APPROVER, offset.clock), "unknown-step")
    offset.papers_for("request-validation")
    answer = take_step(*here, "request-validation", OFFICIAL, offset.clock, roles={"approver"})
    refused(answer, "wrong-role")


def test_the_same_step_sent_twice_is_one(offset: Walk, refused):
    offset.prepare()
    offset.engaged()
    offset.papers_for("request-validation")
    first = fine(offset.step("request-validation", seen=0))
    assert offset.step("request-validation", seen=0) == first
    refused(offset.step("withdraw", seen=0), "route-moved")


def test_who_verifies_takes_no_other_part(offset: Walk, refused):
    offset.registered()
    refused(offset.step("request-renewal", VERIFIER), "party-conflict")
    period, claims = offset.period()
    offset.paper("monitoring-report", period)
    fine(offset.submit(period, claims))
    offset.engaged(period)
    offset.go("engage", monitoring=period)
    offset.judged(period)
    offset.paper("verification-report", period)
    # however an actor is written, he is one person
    refused(offset.step("verify", "1", period), "maker-is-checker")
    refused(offset.step("verify", APPROVER, period), "party-conflict")


def test_11_the_database_holds_the_duties_apart(offset: Walk):
    """Auditor's test 11: maker is not checker; the database rejects, not only the code."""
    offset.registered()
    conn, route = offset.world.conn, route_of(offset.world.conn, CITY, offset.project.id)
    offset.paper("renewal-request")
    at = standing(conn, CITY, offset.project.id).seen

    def insert(**changes):
        row = {
            "city": CITY, "id": "0197a000-0000-7000-8000-000000000001",
            "project_id": offset.project.id, "monitoring_id": None, "sequence": at + 1,
            "route_sha256": route.sha256, "transition": "request-renewal",
            "from_state": "registered", "to_state": "renewing", "role": "official",
            "party": "developer", "actor": OFFICIAL, "created_at": offset.clock.now(), **changes,
        }  # fmt: skip
        names = ", ".join(row)
        marks = ", ".join(f"%({name})s" for name in row)
        conn.execute(f"INSERT INTO footprint_project_step ({names}) VALUES ({marks})", row)  # noqa: S608  # pyright: ignore

    wrong = (
        {"actor": VERIFIER},  # who verified does not develop
        {"transition": "renew", "to_state": "registered", "role": "approver", "party": "registry"},
        {"to_state": "ended"},  # no such step in the sealed route
        {"role": "approver"},
        {"party": "vvb"},
        {"sequence": at + 2},
        {"sequence": at},
        {"route_sha256": "0" * 64},
        {"from_state": "renewing"},
    )
    for changes in wrong:
        with pytest.raises(psycopg.errors.IntegrityError), savepoint(conn):
            insert(**changes)
    insert()
    decided = {
        "id": "0197a000-0000-7000-8000-000000000002", "sequence": at + 2, "transition": "renew",
        "from_state": "renewing", "to_state": "registered", "role": "approver",
        "party": "registry",
    }  # fmt: skip
    with pytest.raises(psycopg.errors.CheckViolation, match="maker"), savepoint(conn):
        insert(**decided, actor="1")
    insert(**decided, actor=APPROVER)


def test_the_journal_cannot_be_rewritten(offset: Walk):
    offset.registered()
    for statement in (
        "UPDATE footprint_project_step SET actor = 'x'", "DELETE FROM footprint_project_step",
        "UPDATE footprint_route SET content = '{}'", "DELETE FROM footprint_project_route",
        "UPDATE footprint_finding SET title = 'x'", "DELETE FROM footprint_opinion",
        "UPDATE footprint_project_document SET sha256 = 'x'",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(offset.world.conn):
            offset.world.conn.execute(statement)  # pyright: ignore


def test_a_period_does_not_move_without_its_step(offset: Walk):
    offset.registered()
    period, claims = offset.period()
    offset.paper("monitoring-report", period)
    fine(offset.submit(period, claims))
    with pytest.raises(psycopg.errors.CheckViolation, match="no step"), \
            savepoint(offset.world.conn):  # fmt: skip
        offset.world.conn.execute(
            """UPDATE footprint_monitoring SET status = 'approved', checker = 'user:2',
            decided_at = now() WHERE id = %s""",
            (period,),
        )


def test_18_a_later_legal_duty_stops_crediting(offset: Walk, refused):
    """Auditor's test 18: a later legal duty stops crediting from that date."""
    conn, clock = offset.world.conn, offset.clock
    offset.registered()
    before, claims = offset.period(date(2025, 6, 1))
    offset.paper("monitoring-report", before)
    fine(offset.submit(before, claims))
    duty = fine(record_duty(
        conn, CITY, LegalDuty("시험법 제1조", "옥상 태양광 의무", date(2025, 6, 2),
                              project_id=offset.project.id), OFFICIAL, clock,
    ))  # fmt: skip
    after, late = offset.period(date(2025, 6, 2))
    offset.paper("monitoring-report", after)
    said = refused(offset.submit(after, late), "legal-duty")
    assert said.facts["in_force_on"] == "2025-06-02"
    offset.engaged(before)
    offset.go("engage", monitoring=before)  # what was credited before stays
    refused(withdraw_duty(conn, CITY, duty.id, "잘못 적음", OFFICIAL, clock), "maker-is-checker")
    assert withdraw_duty(conn, CITY, duty.id, "잘못 적음", APPROVER, clock) is None
    fine(offset.submit(after, late))


def test_a_duty_found_before_the_decision_stops_it(world: World, refused):
    project = world.project()
    held = world.claimed(world.solar_run())
    opened = footprint.open_monitoring_period(
        world.conn, CITY, project.id, world.day(date(2025, 6, 1)), "maker", world.clock
    )
    assert isinstance(opened, footprint.Monitoring)
    fine(footprint.submit_monitoring(
        world.conn, CITY, opened.id, [held.id], "maker", world.clock))  # fmt: skip
    fine(record_duty(world.conn, CITY, LegalDuty(
        "시험법", "의무", date(2025, 1, 1), methodology="solar-self-consumption"), "x", world.clock
    ))  # fmt: skip
    refused(
        footprint.approve_monitoring(world.conn, CITY, opened.id, "checker", world.clock),
        "legal-duty",
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="duty"), savepoint(world.conn):
        world.conn.execute(
            "UPDATE footprint_monitoring SET status = 'approved', checker = 'c' WHERE id = %s",
            (opened.id,),
        )


def test_time_limits(gold: Walk, refused):
    gold.prepare()
    gold.go("open-consultation", "request-listing", "list")
    gold.engaged()
    gold.go("request-validation")
    gold.later(740)
    gold.judged()
    gold.paper("validation-report")
    refused(gold.step("validate"), "too-late")
    gold.later(-20)
    fine(gold.step("validate"))
    gold.paper("review-minutes")
    gold.later(27)
    refused(gold.step("certify-design"), "too-early")
    gold.later(1)
    fine(gold.step("certify-design"))
    route = route_of(gold.world.conn, CITY, gold.project.id)
    assert verification_due(
        gold.world.conn, CITY, gold.project, route, SEOUL
    ) == date(2030, 1, 1)  # fmt: skip


def test_moving_to_a_new_version_is_a_step_of_its_own(offset: Walk, refused):
    offset.registered()
    conn, here = offset.world.conn, offset.project.id
    sealed = route_of(conn, CITY, here)
    newer = from_content({**sealed.content, "version": "2027.1"})
    with_other_words = from_content({**sealed.content, "ko": "다른 말"})
    lost = from_content({
        **sealed.content, "version": "2027.2",
        "project": {**sealed.content["project"], "state": [{"id": "x", "ko": "x", "en": "x"}]},
    })  # fmt: skip
    refused(move_to_version(conn, CITY, here, newer, "", APPROVER, offset.clock), "reason-missing")
    refused(move_to_version(conn, CITY, here, newer, "개정", OFFICIAL, offset.clock),
            "maker-is-checker")  # fmt: skip
    refused(move_to_version(conn, CITY, here, with_other_words, "개정", APPROVER, offset.clock),
            "route-changed")  # fmt: skip
    refused(move_to_version(conn, CITY, here, lost, "개정", APPROVER, offset.clock),
            "route-state-missing")  # fmt: skip
    refused(move_to_version(conn, CITY, here, routes()["internal"], "x", APPROVER, offset.clock),
            "other-route")  # fmt: skip
    fine(move_to_version(conn, CITY, here, newer, "지침 개정", APPROVER, offset.clock))
    assert route_of(conn, CITY, here).version == "2027.1"
    assert offset.state() == "registered"
    offset.go("end")
    assert steps(conn, CITY, here)[-1].route_sha256 == newer.sha256
    assert steps(conn, CITY, here)[0].route_sha256 == sealed.sha256


def test_registration_minds_the_route(world: World, refused):
    def register(route: str, programme: str = "kr-offset", ends: date = date(2032, 1, 1)):
        spec = footprint.ProjectSpec(
            "R-1", "가", "A", programme, "solar-self-consumption", date(2025, 1, 1), ends
        )
        return footprint.register_project(
            world.conn, CITY, spec, OFFICIAL, world.clock, route=route
        )

    refused(register("nowhere"), "unknown-route")
    refused(register("kr-offset", "voluntary"), "route-programme")
    refused(register("kr-offset", ends=date(2032, 1, 2)), "crediting-length")
    refused(register("gold-standard", "voluntary", date(2027, 1, 1)), "crediting-length")
    made = fine(register("kr-offset"))
    assert register("kr-offset") == made
    refused(register("internal"), "project-exists")


def test_a_project_older_than_routes_goes_the_quick_way(world: World):
    conn, held = world.conn, world.claimed(world.solar_run())
    project = world.project()
    conn.execute("RESET ROLE")
    conn.execute("DELETE FROM footprint_project_route WHERE project_id = %s", (project.id,))
    conn.execute("SET ROLE onsil_app")
    assert rows(conn, "SELECT * FROM footprint_project_route", ()) == []
    done = world.approved(project, [held.id])
    assert done.status == "approved"
    assert [s.transition for s in steps(conn, CITY, project.id, done.id)] == ["submit", "approve"]


def test_steps_are_leaves_of_the_log(offset: Walk):
    offset.registered()
    conn = offset.world.conn
    for made in steps(conn, CITY, offset.project.id):
        entry = entry_of(conn, CITY, "project-step", made.id)
        assert entry is not None
        assert entry["transition"] == made.transition
    trail = proof.audit_trail(conn, CITY, subject_id=str(offset.project.id))
    assert "route.register" in {record.action for record in trail}
    for kind in ("route", "project-step", "project-document", "opinion"):
        found = list(footprint.entry_sources[kind].entries(conn, CITY))
        assert found, kind
        assert entry_of(conn, CITY, kind, found[0][0]) == found[0][1]
    sealed = rows(conn, "SELECT id, sha256 FROM footprint_route", ())
    entry = entry_of(conn, CITY, "route", sealed[0]["id"])
    assert entry is not None
    assert entry["sha256"] == sealed[0]["sha256"]


def test_two_at_once_take_one_step(fresh_database: str):
    """However many press at the same time, a project moves once."""
    with connect(fresh_database, CITY) as conn:
        walk = Walk.on(World(conn), "kr-offset")
        walk.prepare()
        walk.engaged()
        walk.papers_for("request-validation")
        project, clock = walk.project.id, walk.clock

    def press(transition: str, who: str):
        return lambda conn: take_step(conn, CITY, project, transition, who, clock, seen=0)

    answers = race(fresh_database, [
        *(press("request-validation", f"user:{n}") for n in (1, 7, 8)), press("withdraw", "user:9"),
    ])  # fmt: skip
    taken = [one for one in answers if isinstance(one, Step)]
    assert len(taken) == 1
    with connect(fresh_database, CITY) as conn:
        assert len(steps(conn, CITY, project)) == 1


def test_direct_inserts_at_once_are_one_too(fresh_database: str):
    """Even past the code, two rows cannot both be the next step."""
    with connect(fresh_database, CITY) as conn:
        walk = Walk.on(World(conn), "kr-offset")
        route = route_of(conn, CITY, walk.project.id)

    def insert(number: int):
        def attempt(conn):
            try:
                conn.execute(
                    """INSERT INTO footprint_project_step (city, id, project_id, sequence,
                      route_sha256, transition, from_state, to_state, role, party, actor,
                      created_at) VALUES (%s, gen_random_uuid(), %s, 1, %s, 'withdraw', 'planned',
                      'withdrawn', 'official', 'developer', %s, now())""",
                    (CITY, walk.project.id, route.sha256, f"user:{number}"),
                )
            except psycopg.errors.IntegrityError:
                conn.rollback()
                return "refused"
            return "done"

        return attempt

    answers = race(fresh_database, [insert(n) for n in range(4)])
    assert sorted(map(str, answers)) == ["done", "refused", "refused", "refused"]


def test_a_bundle_takes_sites_in_and_lets_them_go(offset: Walk, refused):
    offset.prepare()
    conn, here = offset.world.conn, offset.project.id
    more = Site("S-2", "체육관", "Gym", date(2025, 2, 1), Decimal(60))
    second = fine(join_site(conn, CITY, here, more, OFFICIAL, offset.clock))
    assert fine(join_site(conn, CITY, here, more, OFFICIAL, offset.clock)) == second
    design = fine(set_design(conn, CITY, here, Design("bundle", "시험 시청", "옥상"), OFFICIAL,
                             offset.clock))  # fmt: skip
    assert (design.expected_t_per_year, design.size_class) == (150, "small")
    assert design.register_number == ""
    refused(leave_site(conn, CITY, second.id, date(2025, 1, 1), "철거", OFFICIAL, offset.clock),
            "dates-invalid")  # fmt: skip
    assert leave_site(conn, CITY, second.id, date(2026, 1, 1), "철거", OFFICIAL, offset.clock) \
        is None  # fmt: skip
    refused(leave_site(conn, CITY, second.id, date(2026, 1, 1), "철거", OFFICIAL, offset.clock),
            "site-left")  # fmt: skip
    fine(
        set_design(conn, CITY, here, Design("bundle", "시험 시청", "옥상"), OFFICIAL, offset.clock)
    )
    now = current_design(conn, CITY, here)
    assert now is not None
    assert (now.expected_t_per_year, now.size_class) == (90, "micro")
    assert [one.left_on for one in sites(conn, CITY, here)] == [None, date(2026, 1, 1)]


def test_what_cannot_become_a_credit_is_not_handed_in(world: World, refused):
    def opened(code: str, programme: str, day: date):
        spec = footprint.ProjectSpec(
            code, "가", "A", programme, "solar-self-consumption", date(2025, 1, 1),
            date(2032, 1, 1),
        )  # fmt: skip
        made = fine(footprint.register_project(world.conn, CITY, spec, OFFICIAL, world.clock))
        held = world.claimed(world.solar_run(first=day), programme)
        period = fine(footprint.open_monitoring_period(
            world.conn, CITY, made.id, world.day(day), OFFICIAL, world.clock))  # fmt: skip
        return period.id, held.id

    period, held = opened("C-1", "citizen-reward", date(2025, 6, 3))
    refused(
        footprint.submit_monitoring(
            world.conn, CITY, period, [held], OFFICIAL, world.clock
        ), "not-creditable",
    )  # fmt: skip
    period, held = opened("C-2", "kr-offset", date(2025, 6, 4))
    fine(footprint.release_claim(world.conn, CITY, held, "x", "official", world.clock))
    refused(
        footprint.submit_monitoring(
            world.conn, CITY, period, [held], OFFICIAL, world.clock
        ), "claim-released",
    )  # fmt: skip
