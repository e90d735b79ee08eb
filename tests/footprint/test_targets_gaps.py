"""The gap in tonnes: what the goal asks for, what measures bring and have shown, what is left."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from footprint_world import CITY, SEOUL, World
from hypothesis import given
from hypothesis import strategies as st
from inventory_books import compiled, electricity, granted, opened, put, the_rest
from test_targets import SITE, SOLAR

from onsil.footprint import factors, inventory, targets
from onsil.footprint.targets import Goal, what_if

D = Decimal
GOALS = [Goal(2030, "reduction-pct", D("40"), "", True)]


def test_a_year_states_needed_planned_shown_and_left():
    points = targets.pathway(2020, GOALS, {2020: D(1000), 2025: D(900)}, {}, until=2030)
    found = {one.year: one for one in targets.gaps(points, [], [])}
    assert found[2025].needed_t == 200
    assert found[2025].over_t == 100
    assert found[2030].needed_t == 400
    assert found[2030].over_t is None
    assert found[2025].left(True) == 200
    assert found[2025].expected_t is None  # nothing planned is not a plan of zero
    assert found[2025].behind_t is None


def test_without_the_base_years_inventory_there_are_no_tonnes():
    points = targets.pathway(2020, GOALS, {2025: D(900)}, {}, until=2030)
    found = {one.year: one for one in targets.gaps(points, [], [])}
    assert {one.needed_t for one in found.values()} == {None}
    assert found[2025].left(True) is None
    assert found[2025].over_t is None


tonnes = st.decimals(0, 10_000, places=3)


@given(tonnes, tonnes, tonnes)
def test_allowed_effects_and_rest_add_up_to_the_base(base: Any, planned: Any, shown: Any):
    gap = targets.Gap(2025, base, D(0), None, {"a": planned}, {"a": shown})
    for achieved, part in ((True, shown), (False, planned)):
        left = gap.left(achieved)
        assert left is not None
        assert left + part == base
    assert gap.behind_t == planned - shown


def sealed(world: World, year: int, mwh: str) -> None:
    book = opened(world, year)
    granted(put(world, book, [electricity(amount=mwh), *the_rest([electricity()])]))
    version = compiled(world, book)
    granted(inventory.decide(world.conn, CITY, version.id, True, "", "checker", world.clock))


def adopted(world: World) -> tuple[Any, Any]:
    made = granted(
        targets.adopt_plan(
            world.conn, CITY, "P", ("계획", "Plan"), 2024, "", "official", world.clock
        )
    )
    granted(targets.set_goal(world.conn, CITY, made.id, GOALS[0], "official", world.clock))
    measure = granted(
        targets.put_measure(world.conn, CITY, made.id, "M-1", SOLAR, "official", world.clock)
    )
    return made, measure


def test_runs_are_set_against_the_goal_and_the_review_seals_the_gap(world: World):
    sealed(world, 2024, "1000")
    sealed(world, 2025, "950")
    plan, measure = adopted(world)
    year = targets.YearTarget(2025, None, D(5), None)
    granted(targets.set_target(world.conn, CITY, measure.id, year, "", "official", world.clock))
    run = world.solar_run("2")
    granted(
        targets.link_evidence(
            world.conn, CITY, measure.id, 2025, "run", str(run.id), "official", world.clock
        )
    )
    gap = targets.gap_of_year(world.conn, CITY, plan, 2025)
    assert gap is not None
    base = D("477.7")
    assert gap.emitted_t == D("950") * D("0.4777")
    assert gap.needed_t is not None
    assert abs(gap.needed_t - base * D("0.4") / 6) < D("1e-9")
    assert (gap.expected_t, gap.shown_t) == (5, run.co2e_t)
    assert gap.behind_t == 5 - run.co2e_t
    review = granted(targets.open_review(world.conn, CITY, plan.id, 2025, "official", world.clock))
    granted(
        targets.judge_measure(
            world.conn, CITY, review.id, measure.id, "behind", "늦음", "official", world.clock
        )
    )
    handed = granted(targets.submit_review(world.conn, CITY, review.id, "official", world.clock))

    content = json.loads(handed.content)
    assert D(content["gap"]["shown_t"]) == run.co2e_t
    assert D(content["gap"]["over_t"]) == gap.over_t
    assert content["format"] == "onsil-implementation-review-2"


def test_what_if_takes_the_citys_own_factors(world: World):
    """A set that the city had approved is chosen as it is for runs; shipped alone it is unknown."""
    own = replace(
        SITE,
        authorities=(replace(SITE.authorities[0], factor_set="city-grid"),),
        units={2026: D(1)},
    )
    day = date(2026, 3, 1)
    (without,) = targets.simulate([own], [2026], day, SEOUL)
    assert without.co2e_t is None
    library = factors.library_of(world.conn, CITY)
    (same,) = targets.simulate([SITE], [2026], day, SEOUL, library)
    (shipped,) = targets.simulate([SITE], [2026], day, SEOUL)
    assert same == shipped
    seen: list[Any] = []
    original = what_if.factors_for

    def spy(made: Any, roles: Any, authorities: Any, as_of: Any, held: Any) -> Any:
        seen.append(held)
        return original(made, roles, authorities, as_of, held)

    what_if.factors_for = spy
    try:
        targets.simulate([SITE], [2026], day, SEOUL, library)
    finally:
        what_if.factors_for = original
    assert seen
    assert all(held is library for held in seen)
