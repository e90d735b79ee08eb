"""The city's plan: goals, measures, evidence, the yearly review, the way to 2050, and what-if."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, SEOUL, World, race
from hypothesis import given
from hypothesis import strategies as st

from onsil import footprint
from onsil.core.database import connect
from onsil.core.ids import new_id
from onsil.footprint import targets
from onsil.footprint.targets import Goal, Lever, MeasureTerms, PlannedSeries, YearTarget

SOLAR = MeasureTerms(
    "building", "공공건물 태양광", "Solar on public buildings", "에너지과", "Energy division",
    "설치 용량", "Installed capacity", "kW", 2025, 2030, "시험", "solar-self-consumption",
)  # fmt: skip
GRID = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")


@pytest.fixture
def plan(world: World) -> targets.Plan:
    made = targets.adopt_plan(
        world.conn,
        CITY,
        "PLAN-1",
        ("시험 계획", "Test plan"),
        2018,
        "시험",
        "official",
        world.clock,
    )
    assert isinstance(made, targets.Plan)
    return made


@pytest.fixture
def solar(world: World, plan: targets.Plan) -> targets.Measure:
    made = targets.put_measure(world.conn, CITY, plan.id, "B-1", SOLAR, "official", world.clock)
    assert isinstance(made, targets.Measure)
    return made


def test_a_plan_is_adopted_once(world: World, plan: targets.Plan, refused):
    names = (plan.name_ko, plan.name_en)
    again = targets.adopt_plan(world.conn, CITY, "PLAN-1", names, 2018, "", "x", world.clock)
    assert again == plan
    refused(
        targets.adopt_plan(world.conn, CITY, "PLAN-1", names, 2020, "", "x", world.clock),
        "plan-exists",
    )
    refused(
        targets.adopt_plan(world.conn, CITY, "P", ("", "x"), 2020, "", "x", world.clock),
        "plan-incomplete",
    )


def test_another_goal_is_another_revision(world: World, plan: targets.Plan, refused):
    def put(value: str, year: int = 2030, kind: str = "reduction-pct"):
        goal = Goal(year, kind, Decimal(value), "언론", False)
        return targets.set_goal(world.conn, CITY, plan.id, goal, "official", world.clock)

    assert put("42.9").revision == put("42.9").revision == 1
    assert put("45").revision == 2
    put("100", 2050)
    assert [(g.year, g.value) for g in targets.goals(world.conn, CITY, plan.id)] == [
        (2030, Decimal(45)), (2050, Decimal(100)),
    ]  # fmt: skip
    refused(put("101"), "goal-invalid")
    refused(put("1", 2018), "goal-invalid")
    refused(put("1", 2030, "wish"), "goal-invalid")


def test_a_measure_changes_by_revision_and_with_a_reason(world, plan, solar, refused):
    def put(terms: MeasureTerms, reason: str = ""):
        return targets.put_measure(
            world.conn, CITY, plan.id, "B-1", terms, "official", world.clock, reason
        )

    assert put(SOLAR) == solar
    other = replace(SOLAR, owner_ko="기후과")
    refused(put(other), "reason-missing")
    assert put(other, "조직 개편").revision == 2
    refused(put(replace(SOLAR, last_year=2020), "x"), "measure-incomplete")
    assert len(targets.measures(world.conn, CITY, plan.id)) == 1


def test_a_target_that_was_not_stated_is_missing(world: World, solar: targets.Measure, refused):
    def put(target: YearTarget, reason: str = ""):
        return targets.set_target(
            world.conn, CITY, solar.id, target, reason, "official", world.clock
        )

    refused(put(YearTarget(2025, None, None, None)), "target-invalid")
    refused(put(YearTarget(2025, Decimal(-1), None, None)), "target-invalid")
    refused(put(YearTarget(2031, Decimal(1), None, None)), "year-outside")
    put(YearTarget(2025, Decimal(100), None, 1_000_000))
    refused(put(YearTarget(2025, Decimal(90), None, None)), "reason-missing")
    put(YearTarget(2025, Decimal(90), Decimal("0.5"), None), "예산 감액")
    found = targets.measure(world.conn, CITY, solar.id)
    assert found is not None
    assert found.targets == {2025: YearTarget(2025, Decimal(90), Decimal("0.5"), None, 2)}


def test_a_run_brings_its_own_figures_and_serves_one_measure(world, plan, solar, refused):
    run = world.solar_run("2")

    def link(measure, subject=str(run.id), kind="run", year=2025, **said):
        return targets.link_evidence(
            world.conn, CITY, measure.id, year, kind, subject, "official", world.clock, **said
        )

    refused(link(solar, co2e_t=Decimal(9)), "evidence-figures")
    refused(link(solar, year=2026), "year-differs")
    refused(link(solar, str(new_id())), "unknown-run")
    refused(link(solar, "x", "wish"), "evidence-kind")
    refused(link(solar, "보고서", "document"), "evidence-figures")
    made = link(solar)
    assert (made.co2e_t, made.quantity, made.measured) == (run.co2e_t, run.energy_wh, True)
    assert link(solar) == made
    other = targets.put_measure(world.conn, CITY, plan.id, "B-2", SOLAR, "official", world.clock)
    refused(link(other), "evidence-used")
    targets.withdraw_evidence(world.conn, CITY, made.id, "잘못 연결", "official", world.clock)
    assert link(other).measure_id == other.id
    paper = link(solar, "준공 보고서", "document", quantity=Decimal(3), note="2025-12 준공 보고서")
    assert not paper.measured


def test_the_database_lets_evidence_serve_once(world: World, solar: targets.Measure):
    values = (CITY, solar.id, 2025, "document", "같은 문서", "메모", "x", world.clock.now())
    statement = """INSERT INTO footprint_measure_evidence
      (city, id, measure_id, year, kind, subject, note, actor, created_at)
      VALUES (%s, gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s)"""
    world.conn.execute(statement, values)
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.conn.execute(statement, values)


def judged(world: World, plan: targets.Plan, solar: targets.Measure) -> targets.Review:
    opened = targets.open_review(world.conn, CITY, plan.id, 2025, "maker", world.clock)
    assert isinstance(opened, targets.Review)
    found = targets.judge_measure(
        world.conn, CITY, opened.id, solar.id, "on-track", "", "maker", world.clock
    )
    assert isinstance(found, targets.Review)
    return found


def test_a_review_is_written_by_one_and_approved_by_another(world, plan, solar, refused):
    opened = targets.open_review(world.conn, CITY, plan.id, 2025, "maker", world.clock)
    refused(
        targets.submit_review(world.conn, CITY, opened.id, "maker", world.clock),
        "review-incomplete",
    )
    for verdict, code in (("behind", "comment-missing"), ("fine", "verdict-unknown")):
        answer = targets.judge_measure(
            world.conn, CITY, opened.id, solar.id, verdict, "", "maker", world.clock
        )
        refused(answer, code)
    judged(world, plan, solar)
    run = world.solar_run("2")
    targets.link_evidence(
        world.conn, CITY, solar.id, 2025, "run", str(run.id), "official", world.clock
    )
    sent = targets.submit_review(world.conn, CITY, opened.id, "maker", world.clock)
    assert sent.status == "submitted"
    assert '"covered_pct":"100"' in sent.content
    refused(
        targets.approve_review(world.conn, CITY, opened.id, "maker", world.clock),
        "maker-is-checker",
    )
    refused(
        targets.judge_measure(
            world.conn, CITY, opened.id, solar.id, "done", "", "maker", world.clock
        ),
        "review-state",
    )
    done = targets.approve_review(world.conn, CITY, opened.id, "checker", world.clock)
    assert (done.status, done.content) == ("approved", sent.content)
    entry = footprint.entry_of(world.conn, CITY, "implementation-review", done.id)
    assert entry is not None
    assert entry["content"] == done.sha256


def test_a_returned_review_is_open_again(world, plan, solar, refused):
    found = judged(world, plan, solar)
    targets.submit_review(world.conn, CITY, found.id, "maker", world.clock)
    refused(
        targets.return_review(world.conn, CITY, found.id, "checker", " ", world.clock),
        "reason-missing",
    )
    back = targets.return_review(world.conn, CITY, found.id, "checker", "근거 부족", world.clock)
    assert (back.status, back.content) == ("returned", None)
    assert targets.submit_review(world.conn, CITY, found.id, "maker", world.clock).content


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE footprint_review SET status = 'approved', checker = 'maker' WHERE id = %s",
        "UPDATE footprint_review SET status = 'draft' WHERE id = %s",
        "UPDATE footprint_review SET status='approved', checker='c', content = '{}' WHERE id = %s",
        "UPDATE footprint_review_line SET verdict = 'done' WHERE review_id = %s",
        "DELETE FROM footprint_review WHERE id = %s",
    ],
)
def test_the_database_refuses_what_the_code_would(world, plan, solar, statement):
    found = judged(world, plan, solar)
    targets.submit_review(world.conn, CITY, found.id, "maker", world.clock)
    with pytest.raises(psycopg.Error):
        world.conn.execute(statement, (found.id,))


def test_progress_never_takes_missing_for_zero(world, plan, solar):
    (found,) = targets.year_progress(world.conn, CITY, plan.id, 2025)
    assert (found.co2e_t, found.quantity, found.share_pct) == (None, None, None)
    assert found.status == "no-evidence"
    (early,) = targets.year_progress(world.conn, CITY, plan.id, 2024)
    assert early.status == "not-yet"
    run = world.solar_run("2")
    targets.link_evidence(
        world.conn, CITY, solar.id, 2025, "run", str(run.id), "official", world.clock
    )
    (found,) = targets.year_progress(world.conn, CITY, plan.id, 2025)
    assert found.status == "no-target"
    whole = YearTarget(2025, None, run.co2e_t * 2, None)
    targets.set_target(world.conn, CITY, solar.id, whole, "", "official", world.clock)
    (found,) = targets.year_progress(world.conn, CITY, plan.id, 2025)
    assert (found.share_pct, found.status, found.measured) == (Decimal(50), "under-way", True)


GOALS = [
    Goal(2030, "reduction-pct", Decimal("42.9"), "press", False),
    Goal(2050, "reduction-pct", Decimal(100), "law", False),
]


def test_the_pathway_meets_its_goals_and_shows_no_year_it_does_not_know():
    emitted = {2018: Decimal(1000), 2022: Decimal(950)}
    found = {p.year: p for p in targets.pathway(2018, GOALS, emitted, {2030: Decimal(300)})}
    assert found[2018].allowed_t == 1000
    assert found[2030].allowed_t == 571
    assert found[2040].allowed_t == Decimal("285.5")
    assert found[2050].allowed_t == 0
    assert found[2023].emitted_t is None
    assert (found[2030].planned_t, found[2030].gap_t) == (650, 79)
    assert found[2029].planned_t is None


def test_without_the_base_years_inventory_only_shares_are_known():
    found = {p.year: p for p in targets.pathway(2018, GOALS, {}, {})}
    assert found[2030].allowed_pct == Decimal("57.1")
    assert found[2030].allowed_t is None


@given(st.lists(st.decimals(0, 100, places=1), min_size=2, max_size=5))
def test_the_allowance_lies_between_its_neighbours(values):
    years = range(2025, 2025 + 5 * len(values), 5)
    stated = [Goal(y, "reduction-pct", v, "", True) for y, v in zip(years, values, strict=True)]
    found = targets.pathway(2018, stated, {2018: Decimal(100)}, {}, until=2050)
    for point in found:
        if point.allowed_pct is not None:
            assert 0 <= point.allowed_pct <= 100


SITE = Lever(
    "solar", "태양광", "Solar", "solar-self-consumption", (GRID,),
    {2026: Decimal(100), 2027: Decimal(0)}, "곳", "sites",
    {"capacity_kw": "10", "no_export": True},
    series={"generation": PlannedSeries("generation", "kWh", Decimal(12_775))},
)  # fmt: skip


def test_what_if_calculates_with_the_same_methodology():
    found = {e.year: e for e in targets.simulate([SITE], [2026, 2027], date(2026, 3, 1), SEOUL)}
    assert found[2026].refusal is None
    wanted = Decimal(12_775) / 1000 * 100 * Decimal("459.4106") / 1000
    assert abs(found[2026].co2e_t - wanted) < Decimal("1e-9")
    assert found[2027].co2e_t == 0


def test_what_if_shows_the_methodologys_own_no(refused):
    small = replace(SITE, parameters={"capacity_kw": "0.1", "no_export": True})
    (found,) = targets.simulate([small], [2026], date(2026, 3, 1), SEOUL)
    assert found.co2e_t is None
    refused(found.refusal, "coverage-too-low")
    (found,) = targets.simulate(
        [replace(SITE, methodology="hope")], [2026], date(2026, 3, 1), SEOUL
    )
    refused(found.refusal, "unknown-methodology")


def test_what_if_knows_no_factor_of_the_future(refused):
    (found,) = targets.simulate([SITE], [2026], date(2010, 1, 1), SEOUL)
    refused(found.refusal, "factor-not-yet-valid")


def test_one_run_serves_one_measure_under_a_race(fresh_database: str):
    def ready(conn) -> tuple:
        world = World(conn)
        made = targets.adopt_plan(
            conn, CITY, "RACE", ("경합", "Race"), 2018, "", "official", world.clock
        )
        each = [
            targets.put_measure(conn, CITY, made.id, f"R-{n}", SOLAR, "official", world.clock)
            for n in range(4)
        ]
        return world.solar_run("1"), each

    with connect(fresh_database, CITY) as conn:
        run, each = ready(conn)
        conn.commit()
    answers = race(
        fresh_database,
        [
            lambda conn, m=m: _link_and_commit(conn, m.id, str(run.id))
            for m in each
        ],
    )  # fmt: skip
    won = [a for a in answers if isinstance(a, targets.Evidence)]
    assert len(won) == 1
    assert {a.code for a in answers if a not in won} == {"evidence-used"}


def _link_and_commit(conn, measure_id, subject):
    answer = targets.link_evidence(
        conn, CITY, measure_id, 2025, "run", subject, "official", World(conn).clock
    )
    conn.commit()
    return answer
