"""Runs: kept once, recomputed to the same bytes, readable without the database."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, GAS_2022, SAR_2018, SOLAR, World, fill, race, site

from onsil import footprint, hub
from onsil.core.canonical import canonical_bytes
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.footprint.archive import pack, unpack
from onsil.footprint.store import savepoint


def quantify(world: World, key: str, **changes):
    stated = {
        "methodology_id": "solar-self-consumption", "series": {"generation": key},
        "parameters": SOLAR, "period": world.day(date(2025, 6, 1)), "authority": SAR_2018,
        "actor": "analyst", "clock": world.clock, **changes,
    }  # fmt: skip
    return footprint.quantify(world.conn, CITY, **stated)


@pytest.fixture
def key(world: World) -> str:
    """A day of 1 kWh an hour."""
    return fill(world.conn, site(), "generation", [1] * 24, world.day(date(2025, 6, 1)).start)


def test_a_day_of_sun_becomes_tonnes(world: World, key: str):
    made = quantify(world, key)
    assert isinstance(made, footprint.Run)
    assert made.measurable
    assert made.energy_wh == 24_000
    assert made.co2e_t == Decimal("24") * Decimal("459.4106") / 1_000_000
    day = {"2025-06-01": Decimal(24_000)}
    assert made.lines == (footprint.RunLine(key, "solar-generation", Decimal(24_000), "Wh", day),)
    assert footprint.run(world.conn, CITY, made.id) == made


def test_the_same_inputs_give_the_same_run(world: World, key: str):
    assert quantify(world, key) == quantify(world, key)
    assert len(footprint.runs(world.conn, CITY)) == 1
    entity, attribute = key.split("#")
    assert quantify(world, (entity, attribute)) == quantify(world, key)  # pyright: ignore
    series = hub.find_series(world.conn, CITY, entities=[entity])[0]
    assert quantify(world, series.id) == quantify(world, key)  # pyright: ignore


def test_recomputation_gives_identical_bytes(world: World, key: str):
    made = quantify(world, key)
    again = footprint.recompute(world.conn, CITY, made.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical
    assert again.recomputed_digest == made.outputs_digest
    assert again.note == ""


def test_a_later_correction_makes_a_new_run_and_moves_no_old_number(world: World, key: str):
    made = quantify(world, key)
    entity, attribute = key.split("#")
    at = world.day(date(2025, 6, 1)).start + timedelta(hours=5)
    hub.record(
        world.conn, CITY, [hub.Reading(entity, attribute, at, Decimal(3))],
        FixedClock(datetime(2026, 2, 1, tzinfo=UTC)),
    )  # fmt: skip
    again = footprint.recompute(world.conn, CITY, made.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical
    assert footprint.run(world.conn, CITY, made.id) == made
    later = quantify(world, key)
    assert later.id != made.id
    assert later.energy_wh == 26_000


def test_a_run_cannot_be_changed_or_removed(world: World, key: str):
    made = quantify(world, key)
    for statement in (
        "UPDATE footprint_run SET co2e_t = 9 WHERE id = %s",
        "DELETE FROM footprint_run WHERE id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
            world.conn.execute(statement, (made.id,))  # pyright: ignore


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"methodology_id": "alchemy"}, "unknown-methodology"),
        ({"parameters": {}}, "parameter-invalid"),
        ({"series": {}}, "role-missing"),
        ({"series": {"generation": site(77) + "#power"}}, "unknown-series"),
        ({"series": {"generation": "power"}}, "unknown-series"),
        ({"series": {"generation": 10**6}}, "unknown-series"),
        ({"authority": GAS_2022}, "factor-missing"),
        (
            {
                "authority": footprint.FactorAuthority(
                    "kr-offset", "kr-grid-2025", "consumption", "SAR"
                )
            },
            "factor-not-for-programme",
        ),
        (
            {
                "authority": footprint.FactorAuthority(
                    "kr-offset", "kr-grid-2018", "generation", "SAR"
                )
            },
            "factor-missing",
        ),
        ({"clock": FixedClock(datetime(2018, 1, 1, tzinfo=UTC))}, "factor-not-yet-valid"),
        ({"parameters": {"capacity_kw": "5"}}, "export-unknown"),
    ],
)
def test_what_cannot_be_quantified_is_refused_and_leaves_nothing(
    world: World, key: str, refused, changes, code
):
    refused(quantify(world, key, **changes), code)
    assert footprint.runs(world.conn, CITY) == []


def test_an_extra_role_is_refused(world: World, key: str, refused):
    refused(quantify(world, key, series={"generation": key, "moon": key}), "role-missing")


def test_two_gwp_sets_in_one_run_are_refused(world: World, key: str, refused):
    other = footprint.FactorAuthority(
        "citizen-reward", "kr-city-gas-2022", "combustion", "AR5", commodity="city-gas"
    )
    refused(quantify(world, key, authority=(SAR_2018, other)), "authorities-differ")


def household(world: World, saved: str) -> dict[str, str]:
    """Two years of days of a house that uses gas by the cold; the second year `saved` less."""
    start = world.day(date(2023, 1, 1)).start
    felt = [(i * 7) % 33 - 5 for i in range(731)]
    use = [
        (Decimal(10) + Decimal(2) * max(14 - t, 0)) * (1 if i < 365 else 1 - Decimal(saved))
        for i, t in enumerate(felt)
    ]
    daily = {"interval_s": 86_400}
    return {
        "temperature": fill(
            world.conn, site(9), "temperature", felt, start, unit="degC", kind="gauge", **daily
        ),
        "gas": fill(world.conn, site(9), "gas", use, start, **daily),
    }


def savings(world: World, series: dict[str, str]):
    return quantify(
        world, "", methodology_id="building-energy-savings", series=series,
        parameters={
            "baseline_start": "2023-01-01", "baseline_end": "2024-01-01",
            "gas_energy_basis": "ncv",
        },
        period=world.day(date(2024, 1, 1), 366), authority=(SAR_2018, GAS_2022),
    )  # fmt: skip


def test_a_house_that_saved_gas(world: World):
    made = savings(world, household(world, "0.1"))
    assert isinstance(made, footprint.Run), made
    assert made.measurable
    assert [line.quantity for line in made.lines] == ["gas-saved"]
    again = footprint.recompute(world.conn, CITY, made.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical


def test_a_house_that_saved_nothing_is_kept_shown_and_not_claimable(world: World, refused):
    made = savings(world, household(world, "0"))
    assert isinstance(made, footprint.Run), made
    assert made.status == footprint.NOT_YET_MEASURABLE
    assert made.refusal is not None
    assert made.refusal.code == "not-yet-measurable"
    assert made.co2e_t == 0
    refused(footprint.claim(world.conn, CITY, made.id, "kr-offset"), "not-measurable")
    again = footprint.recompute(world.conn, CITY, made.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical


def test_the_bundle_alone_is_enough(world: World, key: str):
    made = quantify(world, key)
    data = footprint.export_bundle(world.conn, CITY, made.id)
    assert isinstance(data, bytes)
    checked = footprint.verify_bundle(data)
    assert checked == footprint.BundleCheck(True, (), str(made.id), made.outputs_digest)


def tampered(held: dict, how: str) -> dict:
    sha256, text = next(iter(held["readings"].items()))
    match how:
        case "reading":
            held["readings"][sha256] = text.replace(" 1\n", " 2\n", 1)
        case "tonnes":
            held["outputs"]["co2e_t"] = "9"
        case "tonnes-and-hash":
            held["outputs"]["co2e_t"] = "9"
            from onsil.core.canonical import digest

            held["outputs_sha256"] = held["log_entry"]["outputs"] = digest(held["outputs"])
        case "factor":
            held["inputs"]["factors"]["electricity"]["gases_kg"]["co2"] = "999"
        case "set":
            held["factor_sets"] = []
        case "manifest":
            held["inputs"]["snapshot"]["manifest"]["series"][0]["sum"] = "25"
        case "lost":
            held["readings"] = {}
        case "format":
            held["format"] = "other"
    return held


@pytest.mark.parametrize(
    "how",
    ["reading", "tonnes", "tonnes-and-hash", "factor", "set", "manifest", "lost", "format"],
)
def test_a_tampered_bundle_is_found_out(world: World, key: str, how: str):
    data = footprint.export_bundle(world.conn, CITY, quantify(world, key).id)
    assert isinstance(data, bytes)
    changed = json.dumps(tampered(json.loads(data), how)).encode()
    checked = footprint.verify_bundle(changed)
    assert not checked.ok
    assert checked.findings


def test_the_archive_alone_is_enough_and_is_the_same_each_time(world: World, key: str):
    made = quantify(world, key)
    world.claimed(made)
    data = footprint.export_archive(world.conn, CITY, made.id)
    assert isinstance(data, bytes)
    assert data == footprint.export_archive(world.conn, CITY, made.id)
    checked = footprint.verify_archive(data)
    assert checked == footprint.BundleCheck(True, (), str(made.id), made.outputs_digest)
    members = unpack(data)
    manifest = json.loads(members["manifest.json"])
    assert [m["path"] for m in manifest["members"]] == sorted(set(members) - {"manifest.json"})
    assert next(iter(members)) == "manifest.json"
    assert json.loads(members["claims.json"])[0]["programme"] == "kr-offset"
    assert footprint.archive_name(world.clock.now(), made.methodology, made.id).endswith(".zip")


@pytest.mark.parametrize("how", ["lost", "changed", "added", "rehashed", "format"])
def test_a_tampered_archive_is_found_out(world: World, key: str, how: str):
    data = footprint.export_archive(world.conn, CITY, quantify(world, key).id)
    assert isinstance(data, bytes)
    members = unpack(data)
    manifest = json.loads(members.pop("manifest.json"))
    reading = next(path for path in members if path.startswith("readings/"))
    match how:
        case "lost":
            del members[reading]
        case "changed" | "rehashed":
            members[reading] = members[reading].replace(b" 1\n", b" 2\n", 1)
        case "added":
            members["factors/another.json"] = b"{}"
        case "format":
            manifest["format"] = "other"
    if how == "rehashed":
        changed = pack(CITY, manifest["run"], members)
    else:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as made:
            for path, content in [("manifest.json", canonical_bytes(manifest)), *members.items()]:
                made.writestr(path, content)
        changed = held.getvalue()
    assert not footprint.verify_archive(changed).ok


def test_rubbish_is_not_a_bundle():
    for data in (b"", b"[]", b"{}", b"\xff", b'{"format": "onsil-evidence-1"}'):
        assert not footprint.verify_bundle(data).ok
        assert not footprint.verify_archive(data).ok


def test_unknown_runs_are_refused(world: World, refused):
    from onsil.core.ids import new_id

    refused(footprint.recompute(world.conn, CITY, new_id()), "unknown-run")
    refused(footprint.export_bundle(world.conn, CITY, new_id()), "unknown-run")
    refused(footprint.export_archive(world.conn, CITY, new_id()), "unknown-run")
    refused(footprint.claim(world.conn, CITY, new_id(), "kr-offset"), "unknown-run")
    assert footprint.run_details(world.conn, CITY, new_id()) is None


def test_another_city_sees_no_run(world: World, key: str):
    made = quantify(world, key)
    world.conn.execute("SELECT set_config('onsil.city', 'goyang', true)")
    assert footprint.run(world.conn, CITY, made.id) is None
    assert footprint.runs(world.conn, "goyang") == []


def test_a_readings_way_forward(world: World):
    start = world.day(date(2025, 6, 1)).start
    values = [1] * 10 + [None] + [1] * 12 + [99]
    entity, attribute = fill(world.conn, site(), "generation", values, start).split("#")
    made = quantify(world, f"{entity}#{attribute}", parameters={**SOLAR, "capacity_kw": "5"})
    assert isinstance(made, footprint.Run)
    held = world.claimed(made)

    def status(hours: int) -> list[str]:
        at = start + timedelta(hours=hours)
        return [use.status for use in footprint.forward(world.conn, CITY, entity, attribute, at)]

    assert (status(0), status(10), status(23), status(24)) == (
        ["used"], ["missing"], ["above-capacity"], [],
    )  # fmt: skip
    use = footprint.forward(world.conn, CITY, entity, attribute, start)[0]
    assert (use.run, use.claims, use.batches) == (made, (held,), ())


def test_the_way_forward_of_a_house(world: World):
    keys = household(world, "0.1")
    made = savings(world, keys)
    assert isinstance(made, footprint.Run)

    def status(role: str, day: date) -> list[str]:
        entity, attribute = keys[role].split("#")
        at = world.day(day).start
        return [use.status for use in footprint.forward(world.conn, CITY, entity, attribute, at)]

    assert status("gas", date(2023, 5, 5)) == ["baseline"]
    assert status("gas", date(2024, 5, 5)) == ["used"]
    assert status("temperature", date(2024, 5, 5)) == ["weather"]


def test_details_hold_what_a_page_shows(world: World, key: str):
    made = quantify(world, key)
    held = world.claimed(made)
    shown = footprint.run_details(world.conn, CITY, made.id)
    assert shown is not None
    assert shown["run"] == made
    assert shown["claims"] == [held]
    assert shown["series"]["generation"]["count"] == 24
    assert shown["outputs"]["coverage"]["generation"]["used"] == 24
    assert shown["inputs"]["factors"]["electricity"]["set"] == "kr-grid-2018"
    assert not isinstance(shown, Refusal)


def test_quantifying_at_once_makes_one_run(connector, fresh_database):
    with connector() as conn:
        start = World(conn).day(date(2025, 6, 1)).start
        key = fill(conn, site(), "generation", [1] * 24, start)
        conn.commit()
    answers = race(fresh_database, [lambda conn: quantify(World(conn), key)] * 3)
    assert len({answer.id for answer in answers}) == 1  # pyright: ignore
