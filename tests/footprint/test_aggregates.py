"""A fleet's run from the lake says what its sites' runs from the database said, on every road."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext

import pyarrow.parquet as parquet
import pytest
from footprint_world import CITY, SAR_2018, SEOUL

from onsil import footprint, hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.periods import Period, local_days
from onsil.core.refusal import OperationError
from onsil.footprint.aggregates import FleetSite, quantify_fleet, recheck_fleet
from onsil.footprint.aggregates.engines import engine
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.methodologies import solar_fleet
from onsil.hub.lake import export, place
from onsil.hub.lake.export import close_month

CLOCK = FixedClock(datetime(2025, 9, 1, tzinfo=UTC))
PERIOD = local_days(date(2025, 3, 30), date(2025, 4, 3), SEOUL)
STEP = timedelta(minutes=15)
ATTRIBUTE = "power"
UNITS = (("W", "gauge", 1), ("kW", "gauge", 1000), ("Wh", "interval", Decimal("0.25")))


def meter(number: int) -> str:
    return f"{hub.entity_uri('Building', CITY, f'fleet-{number}')}#{ATTRIBUTE}"


SITES = [FleetSite(meter(number), Decimal("5.5"), True) for number in range(len(UNITS))]


@pytest.fixture
def lake(tmp_path, monkeypatch):
    for module in (place, export):
        monkeypatch.setattr(module, "folder", lambda: tmp_path)
    return tmp_path


def readings(number: int) -> list[hub.Reading]:
    """Some days of mean power with all that happens: gaps, signs, spikes, clocks that go wrong."""
    chance = random.Random(number)
    entity = meter(number).partition("#")[0]
    _, _, per_unit = UNITS[number]
    made = []
    start = PERIOD.start - 20 * STEP
    for index in range(int(PERIOD.length / STEP) + 40):
        watts, fate = Decimal(chance.randrange(0, 5000)), chance.randrange(100)
        if fate == 0:
            continue
        watts = {1: Decimal(-3), 2: Decimal(7000)}.get(fate, watts)
        value = watts * per_unit if number == 2 else watts / per_unit
        late = timedelta(minutes=4, microseconds=7) if fate == 3 else timedelta(0)
        made.append(hub.Reading(entity, ATTRIBUTE, start + index * STEP + late, value))
    return made


@pytest.fixture
def recorded(fresh_database, lake) -> str:
    with connect(fresh_database, CITY) as conn:
        for number, (unit, kind, _) in enumerate(UNITS):
            entity = meter(number).partition("#")[0]
            hub.ensure_series(conn, CITY, [hub.SeriesSpec(entity, ATTRIBUTE, unit, 900, kind)])
            hub.record(conn, CITY, readings(number), CLOCK)
    return fresh_database


def close(dsn: str) -> None:
    with connect(dsn, "*") as conn:
        for month in (date(2025, 3, 1), date(2025, 4, 1)):
            assert close_month(conn, month, CLOCK).state in ("dropped", "gone")


def fleet(conn, sites=SITES, period=PERIOD, **more):
    return quantify_fleet(
        conn, CITY, sites, period, SAR_2018, "analyst", CLOCK,
        parameters={"coverage_min_pct": "80"}, **more,
    )  # fmt: skip


def alone(conn, number: int) -> footprint.Run:
    made = footprint.quantify(
        conn, CITY, "solar-self-consumption", {"generation": meter(number)},
        {"capacity_kw": "5.5", "no_export": True, "coverage_min_pct": "80"}, PERIOD, SAR_2018,
        "analyst", CLOCK, version="1",  # which fleets follow: the second takes nights' own use off
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    return made


def outputs(conn, run: footprint.Run) -> dict:
    found = conn.execute(
        "SELECT outputs FROM footprint_run WHERE city = %s AND id = %s", (CITY, run.id)
    ).fetchone()
    return json.loads(found[0])


def test_the_fleet_is_the_sum_of_its_sites(recorded, lake):
    with connect(recorded, CITY) as conn:
        single = [alone(conn, number) for number in range(3)]
        told = [outputs(conn, run) for run in single]
    close(recorded)
    with connect(recorded, CITY) as conn:
        run = fleet(conn)
        assert isinstance(run, footprint.Run), run
        assert {line.meter: line.amount for line in run.lines} == {
            one.lines[0].meter: one.lines[0].amount for one in single
        }
        with localcontext(ARITHMETIC):
            assert run.co2e_t == sum(one.co2e_t for one in single)
        said = outputs(conn, run)
        counted = [one["coverage"]["generation"] for one in told]
        whole = said["coverage"]["sites"]
        for name in ("expected", "used", "missing", "off_grid"):
            assert int(whole[name]) == sum(int(one[name]) for one in counted)
        assert whole["off_grid"] > 0
        for reason, name in (("negative", "negative"), ("above-capacity", "above_capacity")):
            singly = sum(one["excluded"].get(reason, 0) for one in counted)
            assert whole["excluded"][name] == singly > 0
        for line, one in zip(said["lines"], told, strict=True):
            assert line["parts"] == one["details"]["monthly_wh"]
            assert set(line["parts"]) == {"2025-03", "2025-04"}
        assert footprint.recompute(conn, CITY, run.id).identical
        assert recheck_fleet(conn, CITY, run.id).identical
        bundle = footprint.export_bundle(conn, CITY, run.id)
        assert isinstance(bundle, bytes)
        assert footprint.verify_bundle(bundle).ok
        assert fleet(conn).id == run.id


def test_a_claim_holds_every_site_against_its_own(recorded, refused):
    with connect(recorded, CITY) as conn:
        first = alone(conn, 1)
        conn.commit()
    close(recorded)
    with connect(recorded, CITY) as conn:
        run = fleet(conn)
        held = footprint.claim(conn, CITY, run.id, "kr-offset", clock=CLOCK)
        assert isinstance(held, footprint.Claim), held
        assert [line.amount for line in held.lines] == [line.amount for line in run.lines]
        refused(footprint.claim(conn, CITY, first.id, "kr-offset", clock=CLOCK), "claim-conflict")


def test_a_month_of_the_fleet_is_claimed_by_itself(recorded):
    close(recorded)
    march = local_days(date(2025, 3, 30), date(2025, 4, 1), SEOUL)
    with connect(recorded, CITY) as conn:
        run = fleet(conn)
        held = footprint.claim(conn, CITY, run.id, "kr-offset", clock=CLOCK, period=march)
        assert isinstance(held, footprint.Claim), held
        assert [x.amount for x in held.lines] == [x.parts["2025-03"] for x in run.lines]


def test_what_came_after_the_export_counts_once_exported(recorded, refused, lake):
    close(recorded)
    at = PERIOD.start + 50 * STEP
    entity = meter(0).partition("#")[0]
    with connect(recorded, CITY) as conn:
        before = fleet(conn)
        assert isinstance(before, footprint.Run), before
        reading = hub.Reading(entity, ATTRIBUTE, at, Decimal("4999.5"))
        hub.record(conn, CITY, [reading], CLOCK)
        refused(fleet(conn), "lake-incomplete")
        conn.commit()
    close(recorded)
    with connect(recorded, CITY) as conn:
        after = fleet(conn)
        assert isinstance(after, footprint.Run), after
        assert after.id != before.id
        was = next(r.value for r in readings(0) if r.observed_at == at)
        assert after.energy_wh - before.energy_wh == (Decimal("4999.5") - was) / 4
        assert recheck_fleet(conn, CITY, before.id).identical
        assert recheck_fleet(conn, CITY, after.id).identical
        assert footprint.recompute(conn, CITY, before.id).identical


def test_values_finer_than_thousandths_are_added_exactly(recorded, lake):
    entity = meter(1).partition("#")[0]
    fine = hub.Reading(entity, ATTRIBUTE, PERIOD.start + 60 * STEP, Decimal("1.23456789"))
    with connect(recorded, CITY) as conn:
        hub.record(conn, CITY, [fine], CLOCK)
        single = alone(conn, 1)
    close(recorded)
    with connect(recorded, CITY) as conn:
        run = fleet(conn)
        assert isinstance(run, footprint.Run), run
        assert run.lines[1].amount == single.lines[0].amount
        assert str(single.lines[0].amount).endswith("9725")
        assert recheck_fleet(conn, CITY, run.id).identical


def test_a_file_that_was_changed_is_found_out(recorded, refused, lake):
    close(recorded)
    file = lake / CITY / "2025-04" / "points-r1.parquet"
    with connect(recorded, CITY) as conn:
        run = fleet(conn)
        table = parquet.read_table(file)
        parquet.write_table(table.slice(0, len(table) - 1), file)
        refused(fleet(conn), "evidence-broken")
        refused(recheck_fleet(conn, CITY, run.id), "evidence-broken")


def test_what_cannot_be_added_up_here_is_refused(recorded, refused, lake):
    with connect(recorded, CITY) as conn:
        refused(fleet(conn), "lake-incomplete")
    close(recorded)
    with connect(recorded, CITY) as conn:
        refused(fleet(conn, [*SITES, FleetSite("nobody#power", Decimal(1), True)]),
                "unknown-series")  # fmt: skip
        refused(fleet(conn, [replace(SITES[0], no_export=False)]), "export-unknown")
        uneven = Period(PERIOD.start + timedelta(minutes=1), PERIOD.end)
        refused(fleet(conn, period=uneven), "period-uneven")
        later = local_days(date(2025, 4, 1), date(2025, 5, 2), SEOUL)
        refused(fleet(conn, period=later), "lake-incomplete")
        entity = hub.entity_uri("Building", CITY, "other")
        for attribute, unit, interval_s, kind in (
            ("hourly", "Wh", 3600, "interval"), ("total", "Wh", 900, "counter"),
            ("flow", "m3", 900, "interval"),
        ):  # fmt: skip
            spec = hub.SeriesSpec(entity, attribute, unit, interval_s, kind)
            hub.ensure_series(conn, CITY, [spec])
            refused(fleet(conn, [FleetSite(f"{entity}#{attribute}", Decimal(5), True)]),
                    "series-unfit")  # fmt: skip
        with pytest.raises(OperationError):
            fleet(conn, engine_url="postgres://somewhere")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"used": 9}, "counts-differ"),
        ({"expected": 11, "missing": 1}, "counts-differ"),
        ({"energy_wh": Decimal(9999)}, "counts-differ"),
        ({"months": "2025-06=a"}, "counts-differ"),
        ({"energy_wh": Decimal(20000), "months": "2025-06=20000"}, "counts-differ"),
        ({"no_export": False}, "export-unknown"),
    ],
)
def test_sums_that_do_not_agree_are_refused(refused, change, code):
    inputs = solar_fleet.worked_example().inputs
    first, *rest = inputs.tables["sites"]
    tables = {**inputs.tables, "sites": ({**first, **change}, *rest)}
    with localcontext(ARITHMETIC):
        refused(solar_fleet.quantify(replace(inputs, tables=tables)), code)


def test_nothing_is_made_of_sites_measured_too_little_or_idle(refused):
    inputs = solar_fleet.worked_example().inputs
    sites = inputs.tables["sites"]
    idle = {**sites[0], "energy_wh": Decimal(0), "months": ""}
    with localcontext(ARITHMETIC):
        for rows, code in (((sites[2],), "coverage-too-low"), ((idle,), "nothing-generated")):
            tables = {**inputs.tables, "sites": rows}
            refused(solar_fleet.quantify(replace(inputs, tables=tables)), code)
        tables = {**inputs.tables, "files": ()}
        refused(solar_fleet.quantify(replace(inputs, tables=tables)), "lake-incomplete")


@pytest.mark.parametrize("url", ["duckdb://?password=x", "http://x", "sc://", "duckdb:///file"])
def test_an_engine_of_another_kind_is_told(url):
    with pytest.raises((OperationError, ValueError)), engine(url):
        pass


def test_files_that_are_gone_or_no_parquet_are_named(recorded, refused, lake):
    close(recorded)
    file = lake / CITY / "2025-04" / "points-r1.parquet"
    with connect(recorded, CITY) as conn:
        run = fleet(conn)
        whole = file.read_bytes()
        file.write_bytes(b"PAR1" + whole[4:200])
        refused(recheck_fleet(conn, CITY, run.id), "evidence-broken")
        file.unlink()
        refused(recheck_fleet(conn, CITY, run.id), "evidence-broken")
        file.write_bytes(whole)
        assert recheck_fleet(conn, CITY, run.id).identical


def test_only_a_fleet_can_be_added_up_again(recorded, refused):
    with connect(recorded, CITY) as conn:
        refused(recheck_fleet(conn, CITY, alone(conn, 0).id), "not-a-fleet")


@pytest.mark.parametrize(
    "url", ["duckdb://?threads=many", "duckdb://?threads", "duckdb://?a=1", "duckdb:///x", "sc://"]
)
def test_an_engine_that_cannot_be_is_said_in_words(url):
    with pytest.raises(OperationError), engine(url):
        pytest.fail("opened")
