"""Water units: a year's m³ by the steps of the rule, per project and year, floored once."""

from datetime import date
from decimal import Decimal

import pytest
from footprint_world import CITY, World
from hypothesis import given
from hypothesis import strategies as st
from units_world import done, whole

from onsil import footprint
from onsil.footprint import credits
from onsil.footprint.credits import rules
from onsil.footprint.issuance import tiered

STEPS = ((40_000, 1), (1_300_000, 10), (None, 100))
volumes = st.decimals(0, 3_000_000, places=3)


@pytest.mark.parametrize(
    ("volume", "units"),
    [
        ("0", "0"), ("39999.5", "39999.5"), ("40000", "40000"), ("40001", "40000.1"),
        ("100000", "46000"), ("1300000", "166000"), ("1300100", "166001"), ("2000000", "173000"),
    ],
)  # fmt: skip
def test_golden_19_by_steps(volume, units):
    assert tiered(Decimal(volume), STEPS) == Decimal(units)


def test_the_steps_are_data_with_days_and_source(monkeypatch):
    rule = rules.tier_rule("gold-standard", "m3", 2025)
    assert rule is not None
    assert rules.steps_of(rule) == STEPS
    assert rule.source
    assert rule.maturity != "confirmed"
    assert rules.tier_rule("gold-standard", "tCO2e", 2025) is None
    newer = {**rule.terms, "valid_from": date(2027, 1, 1), "steps": [{"per_unit": 7}]}
    newer |= {"source": "s", "maturity": "m"}
    data = {**rules._data(), "tiers": [*rules._data()["tiers"], newer]}
    monkeypatch.setattr(rules, "_data", lambda: data)
    assert [
        rules.steps_of(found) for year in (2026, 2027)
        if (found := rules.tier_rule("gold-standard", "m3", year)) is not None
    ] == [STEPS, ((None, 7),)]  # fmt: skip


@given(first=volumes, second=volumes)
def test_more_water_is_more_units_but_ever_fewer_a_cubic_metre(first, second):
    together = tiered(first + second, STEPS)
    assert max(tiered(first, STEPS), tiered(second, STEPS)) <= together <= first + second
    assert together <= tiered(first, STEPS) + tiered(second, STEPS)
    assert together >= (first + second) / 100


def water(world: World, monkeypatch, volume: str, first: date, code: str = "WATER"):
    """A period of a project in m³, whose claims come to a volume."""
    spec = footprint.ProjectSpec(
        code, "물", "Water", "internal", "solar-self-consumption", date(2024, 1, 1),
        date(2034, 1, 1), unit="m3",
    )  # fmt: skip
    project = done(footprint.register_project(world.conn, CITY, spec, "official", world.clock))
    held = world.claimed(world.solar_run("1", first), "internal")
    period = world.approved(project, [held.id], first)
    monkeypatch.setattr(
        "onsil.footprint.credits.issuing._quantity",
        lambda _, unit: Decimal(volume) if unit == "m3" else pytest.fail("not in m³"),
    )
    return done(footprint.issue(world.conn, CITY, period.id, "o", world.clock))


def test_a_year_s_steps_go_on_over_its_issuances(world: World, monkeypatch):
    one = water(world, monkeypatch, "39999.5", date(2025, 6, 1))
    assert (one.tonnes, one.carried_out_t, one.unit) == (39_999, Decimal("0.5"), "m3")
    two = water(world, monkeypatch, "60000.5", date(2025, 6, 2))
    assert (two.quantified_t, two.tonnes, two.carried_out_t) == (Decimal("6000.5"), 6001, 0)
    assert one.tonnes + two.tonnes == 46_000
    three = water(world, monkeypatch, "1900000", date(2025, 6, 3))
    assert one.tonnes + two.tonnes + three.tonnes == 173_000
    following = water(world, monkeypatch, "40000", date(2024, 6, 3))
    assert following.tonnes == 40_000
    other = water(world, monkeypatch, "40000", date(2025, 6, 3), code="WATER-2")
    assert other.tonnes == 40_000
    noted = credits.events(world.conn, CITY, batch_id=two.id, kinds=("stepped",))
    assert [(e.facts["metered"], e.facts["before"]) for e in noted] == [("60000.5", "39999.5")]
    whole(world)


def test_a_project_says_its_unit_when_it_is_registered(world: World, refused):
    def register(code: str, programme: str, unit: str, route: str = "internal"):
        spec = footprint.ProjectSpec(
            code, "물", "Water", programme, "solar-self-consumption", date(2025, 1, 1),
            date(2030, 1, 1), unit=unit,
        )  # fmt: skip
        return footprint.register_project(world.conn, CITY, spec, "o", world.clock, route)

    made = done(register("W", "internal", "m3"))
    assert made.unit == "m3"
    assert register("W", "internal", "m3") == made
    refused(register("W", "internal", "tCO2e"), "project-exists")
    refused(register("X", "internal", "kWh"), "unit-unknown")
    refused(register("Y", "kr-offset", "m3"), "unit-programme")
    assert world.project().unit == "tCO2e"
