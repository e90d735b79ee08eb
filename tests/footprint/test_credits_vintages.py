"""Vintages: a period that crosses years, divided by claimed days, the calendar, or not at all."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from footprint_world import CITY, SEOUL, SOLAR, World, site
from units_world import done, whole

from onsil import footprint, hub
from onsil.core.periods import local_days
from onsil.footprint import credits
from onsil.footprint.credits import vintages
from onsil.footprint.projects.vintages import rule_for

VOLUNTARY = footprint.FactorAuthority("voluntary", "kr-grid-2018", "consumption", "AR5")
KR = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")


def measured(world: World, values: list[int], start: datetime) -> str:
    """Hourly readings, taken in after the new year."""
    meter = (site(77), "generation")
    hub.ensure_series(world.conn, CITY, [hub.SeriesSpec(*meter, "kWh", 3600, "interval")])
    readings = [
        hub.Reading(*meter, start + n * timedelta(hours=1), Decimal(value))
        for n, value in enumerate(values)
    ]
    assert not hub.record(world.conn, CITY, readings, world.clock).quarantined
    return "#".join(meter)


def new_years_eve(world: World, programme: str, hourly: tuple[int, int]) -> footprint.Monitoring:
    """An approved period of the last day of 2025 and the first of 2026."""
    period = world.day(date(2025, 12, 31), 2)
    values = [hourly[0]] * 24 + [hourly[1]] * 24
    key = measured(world, values, period.start)
    authority = KR if programme == "kr-offset" else VOLUNTARY
    run = footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": key}, SOLAR, period, authority,
        "analyst", world.clock,
    )  # fmt: skip
    spec = footprint.ProjectSpec(
        "EVE", "연말", "Year's end", programme, "solar-self-consumption", date(2025, 1, 1),
        date(2035, 1, 1), 2000,
    )  # fmt: skip
    owner = done(footprint.register_project(world.conn, CITY, spec, "official", world.clock))
    held = world.claimed(done(run), programme)
    opened = done(
        footprint.open_monitoring_period(world.conn, CITY, owner.id, period, "maker", world.clock)
    )
    done(footprint.submit_monitoring(
        world.conn, CITY, opened.id, [held.id], "maker", world.clock
    ))  # fmt: skip
    return done(footprint.approve_monitoring(world.conn, CITY, opened.id, "checker", world.clock))


def issued(world: World, period: footprint.Monitoring, **more):
    return credits.issue_vintages(world.conn, CITY, period.id, "official", world.clock, **more)


def test_a_period_across_years_is_a_batch_a_vintage_by_its_days(world: World):
    period = new_years_eve(world, "kr-offset", (1000, 3000))
    made = done(issued(world, period))
    assert [one.vintage for one in made] == [2025, 2026]
    quarter = period.co2e_t / 4
    assert [one.quantified_t for one in made] == [quarter, period.co2e_t - quarter]
    assert made[1].carried_in_t == made[0].carried_out_t
    assert sum(one.tonnes for one in made) == int(period.co2e_t // 1)
    assert issued(world, period) == made
    assert footprint.issue(world.conn, CITY, period.id, "o", world.clock) == made[-1]
    assert footprint.monitoring(world.conn, CITY, period.id).status == "issued"  # pyright: ignore
    whole(world)


def test_vintages_behind_the_gate_are_withheld_and_said_so(world: World, refused):
    period = new_years_eve(world, "voluntary", (4000, 4000))
    (made,) = done(issued(world, period))
    assert (made.vintage, made.quantified_t) == (2025, period.co2e_t / 2)
    (withheld,) = credits.events(world.conn, CITY, kinds=("withheld",))
    assert withheld.facts["vintage"] == 2026
    assert withheld.facts["code"] == "vintage-gated"
    assert Decimal(withheld.facts["quantity"]) == period.co2e_t / 2
    assert issued(world, period) == [made]
    whole(world)


def test_nothing_is_issued_when_all_of_it_is_gated(world: World, refused):
    period = new_years_eve(world, "voluntary", (0, 4000))
    no = refused(issued(world, period), "vintage-gated")
    assert no.facts["maturity"] != "confirmed"
    assert footprint.monitoring(world.conn, CITY, period.id).status == "approved"  # pyright: ignore
    assert credits.events(world.conn, CITY, kinds=("withheld",)) == []


def test_golden_5_half_a_crediting_year_is_behind_the_gate():
    rule = rule_for("gold-standard", "any")
    period = local_days(date(2025, 7, 1), date(2026, 7, 1), SEOUL)
    days = vintages.by_calendar(period, SEOUL, rule.blocks)
    assert days == {(2025, False): Decimal(184), (2026, True): Decimal(181)}
    parts = vintages.shared(Decimal(365), days)
    assert parts == {(2025, False): Decimal(184), (2026, True): Decimal(181)}


@pytest.mark.parametrize(
    ("programme", "answer"), [("kr-offset", None), ("voluntary", "calendar-days")]
)
def test_which_programmes_divide_by_the_calendar(programme, answer):
    from onsil.footprint.credits.rules import vintage_rule

    rule = vintage_rule(programme)
    assert (rule and rule["by"]) == answer


def test_without_daily_quantities_a_crossing_claim_is_refused(world: World, refused, monkeypatch):
    period = new_years_eve(world, "kr-offset", (1000, 3000))
    monkeypatch.setattr(vintages, "by_quantity", lambda *_: None)
    no = refused(issued(world, period), "vintage-undivided")
    assert no.facts["years"] == [2025, 2026]


def test_water_is_issued_in_cubic_metres(world: World, refused):
    project = world.project()
    held = world.claimed(world.solar_run("10"))
    period = world.approved(project, [held.id])
    world.conn.execute("RESET ROLE")
    world.conn.execute("UPDATE footprint_project SET unit = 'm3'")
    world.conn.execute("SET ROLE onsil_app")
    refused(issued(world, period), "unit-unknown")
