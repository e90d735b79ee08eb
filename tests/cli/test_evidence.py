"""`onsil evidence` writes what a figure rests on; `onsil recompute --lake` adds fleets up again."""

import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import uuid4

import pytest
from footprint_world import CITY, SAR_2018, SEOUL, World

from onsil import footprint, hub
from onsil.cli.main import run
from onsil.configuration import configuration
from onsil.core.canonical import canonical_bytes, digest
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.periods import local_days
from onsil.footprint.aggregates import FleetSite, quantify_fleet
from onsil.footprint.archive import pack, unpack
from onsil.hub.lake import export, place
from onsil.hub.lake.export import close_month

CLOCK = FixedClock(datetime(2025, 9, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def beside(fresh_database, monkeypatch, tmp_path):
    monkeypatch.setenv("ONSIL_DATABASE_URL", fresh_database)
    monkeypatch.setenv("ONSIL_LANGUAGE", "en")
    monkeypatch.setenv("ONSIL_DATA_FOLDER", str(tmp_path / "data"))
    configuration.cache_clear()
    yield
    configuration.cache_clear()


@pytest.fixture
def world(fresh_database):
    with connect(fresh_database, CITY) as conn:
        yield World(conn)


def evidence(*words: str) -> int:
    return run(["evidence", *words, "--city", CITY])


def test_a_run_is_written_hashed_and_checked_by_the_second_program(world, tmp_path, capsys):
    made = world.solar_run("2.5", date(2025, 6, 1))
    world.conn.commit()
    file = tmp_path / "bundle.zip"
    assert evidence(str(made.id), "-o", str(file), "--check") == 0
    told = capsys.readouterr()
    assert sha256(file.read_bytes()).hexdigest() in told.out
    assert "verified: every hash fits" in told.out
    assert "no receipt" in told.err
    assert zipfile.ZipFile(file).testzip() is None
    assert run(["verify", str(file)]) == 0
    first = file.read_bytes()
    assert evidence(str(made.id), "-o", str(file)) == 0
    assert file.read_bytes() == first


def test_a_claim_and_a_period_lead_to_their_runs(world, tmp_path, capsys):
    made = world.solar_run("2.5", date(2025, 6, 1))
    held = world.claimed(made)
    period = world.approved(world.project(), [held.id])
    world.conn.commit()
    names = {}
    for subject in (made.id, held.id, period.id):
        folder = tmp_path / str(subject)
        folder.mkdir()
        assert evidence(str(subject), "-o", str(folder)) == 0, capsys.readouterr().err
        names[subject] = [path.name for path in folder.iterdir()]
    assert set(map(tuple, names.values())) == {(f"onsil-evidence-{made.id}.zip",)}


def test_several_runs_want_a_folder(world, tmp_path, capsys):
    held = [world.claimed(world.solar_run(mwh)).id for mwh in ("2.5", "3")]
    period = world.approved(world.project(), held)
    world.conn.commit()
    assert evidence(str(period.id), "-o", str(tmp_path / "one.zip")) == 2
    assert "2 runs want a folder" in capsys.readouterr().err
    assert not (tmp_path / "one.zip").exists()
    assert evidence(str(period.id), "-o", str(tmp_path / "both"), "--check") == 0
    told = capsys.readouterr().out
    files = sorted((tmp_path / "both").iterdir())
    assert len(files) == 2
    assert all(sha256(file.read_bytes()).hexdigest() in told for file in files)
    assert told.count("verified: every hash fits") == 2


def test_what_is_not_there_and_what_cannot_be_written_is_said(world, tmp_path, capsys):
    made = world.solar_run("2.5", date(2025, 6, 1))
    world.conn.commit()
    file = str(tmp_path / "x.zip")
    assert evidence(str(uuid4()), "-o", file) == 1
    assert "has no run, claim or monitoring period" in capsys.readouterr().err
    assert evidence("seven", "-o", file) == 2
    assert evidence(str(made.id), "-o", "/proc/nowhere/x.zip") == 2
    assert "cannot write" in capsys.readouterr().err
    assert not (tmp_path / "x.zip").exists()


def test_the_sentences_are_korean_where_the_reader_is(world, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ONSIL_LANGUAGE", "ko")
    assert evidence(str(uuid4()), "-o", str(tmp_path / "x.zip")) == 1
    assert "없습니다" in capsys.readouterr().err


def test_what_the_second_program_does_not_confirm_is_status_one(
    world, tmp_path, capsys, monkeypatch
):
    made = world.solar_run("2.5", date(2025, 6, 1))
    world.conn.commit()
    whole = footprint.export_archive(world.conn, CITY, made.id)
    assert isinstance(whole, bytes)
    members = unpack(whole)
    del members["manifest.json"]
    broken = pack(CITY, made.id, {**members, "outputs.json": members["outputs.json"] + b" "})
    monkeypatch.setattr(footprint, "export_archive", lambda *_: broken)
    assert evidence(str(made.id), "-o", str(tmp_path / "x.zip"), "--check") == 1
    assert "does not confirm" in capsys.readouterr().err
    inputs = json.loads(members["inputs.json"])
    inputs["methodology"]["id"] = "unheard-of"
    members["inputs.json"] = canonical_bytes(inputs)
    said = json.loads(members["run.json"]), json.loads(members["log_entry.json"])
    said[0]["inputs_sha256"] = said[1]["inputs"] = digest(inputs)
    said[1]["methodology"] = "unheard-of"
    members["run.json"], members["log_entry.json"] = map(canonical_bytes, said)
    monkeypatch.setattr(footprint, "export_archive", lambda *_: pack(CITY, made.id, members))
    assert evidence(str(made.id), "-o", str(tmp_path / "x.zip"), "--check") == 1
    assert "does not know this methodology" in capsys.readouterr().err
    monkeypatch.setenv("ONSIL_VERIFIER", str(tmp_path / "no-program"))
    assert evidence(str(made.id), "-o", str(tmp_path / "x.zip"), "--check") == 2
    assert "ONSIL_VERIFIER" in capsys.readouterr().err


@pytest.fixture
def fleet(world, fresh_database, tmp_path, monkeypatch):
    """A fleet's run over two days in the lake, and the run of a single site."""
    for module in (place, export):
        monkeypatch.setattr(module, "folder", lambda: tmp_path / "lake")
    period = local_days(date(2025, 3, 10), date(2025, 3, 12), SEOUL)
    sites, step = [], timedelta(minutes=15)
    for number in range(2):
        entity = hub.entity_uri("Building", CITY, f"fleet-{number}")
        hub.ensure_series(
            world.conn, CITY, [hub.SeriesSpec(entity, "power", "Wh", 900, "interval")]
        )
        hub.record(world.conn, CITY, [
            hub.Reading(entity, "power", period.start + n * step, Decimal(n % 9 * 100))
            for n in range(192)
        ], CLOCK)  # fmt: skip
        sites.append(FleetSite(f"{entity}#power", Decimal("5.5"), True))
    single = world.solar_run("2.5", date(2025, 6, 1))
    world.conn.commit()
    with connect(fresh_database, "*") as conn:
        assert close_month(conn, date(2025, 3, 1), CLOCK).state == "dropped"
    made = quantify_fleet(world.conn, CITY, sites, period, SAR_2018, "analyst", CLOCK)
    assert isinstance(made, footprint.Run), made
    world.conn.commit()
    return made, single, tmp_path / "lake" / CITY / "2025-03" / "points-r1.parquet"


def test_a_fleet_is_added_up_again_from_the_lake(fleet, capsys):
    made, single, file = fleet
    again = ["recompute", str(made.id), "--city", CITY, "--lake", "duckdb://"]
    assert run(again) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    assert "from the lake" in told
    assert "identical to the byte" in told
    assert run(["recompute", str(single.id), "--city", CITY, "--lake", "duckdb://"]) == 1
    assert "not of a fleet" in capsys.readouterr().err
    assert run([*again[:-1], "postgres://x"]) == 2
    assert run(["recompute", "--all", "--lake", "duckdb://"]) == 2
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    capsys.readouterr()
    assert run(again) == 1
    assert "points-r1.parquet" in capsys.readouterr().err
