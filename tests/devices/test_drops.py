"""Watched folders: taken once, moved with the reason, nothing lost by whoever dies."""

from datetime import UTC, datetime

import pytest

from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.core.database import transaction
from onsil.devices import DeviceSpec
from onsil.devices.collecting.drops import DropFolders

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
NOW = datetime(2025, 3, 2, tzinfo=UTC)
MAPPING = {
    "time": {"column": "t", "interval_s": 900},
    "series": [{"column": "v", "entity": METER, "attribute": "energy", "unit": "kWh"}],
}
ROWS = "t,v\n2025-03-01T00:00:00Z,1.5\n2025-03-01T00:15:00Z,2.5\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / CITY / "m-1"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def drops(tmp_path, fresh_database):
    with transaction(fresh_database, CITY) as conn:
        spec = DeviceSpec("m-1", (METER,), "table", options={"mapping": MAPPING})
        devices.register_device(conn, CITY, spec)
    return DropFolders(tmp_path, fresh_database, FixedClock(NOW))


def count(drops):
    with transaction(drops.dsn, CITY) as conn:
        return conn.execute("SELECT count(*) FROM hub_point").fetchone()[0]


def names(folder):
    return sorted(p.name for p in folder.iterdir() if p.is_file())


def test_a_file_is_taken_once_it_has_stopped_growing(drops, folder):
    (folder / "march.csv").write_text(ROWS)
    assert drops.once() == 0
    (folder / "march.csv").write_text(ROWS + "2025-03-01T00:30:00Z,3\n")
    assert drops.once() == 0
    assert drops.once() == 1
    assert (count(drops), names(folder), names(folder / "done")) == (3, [], ["march.csv"])
    with transaction(drops.dsn, CITY) as conn:
        assert devices.seen(conn, CITY)["m-1"].messages == 1


def test_what_is_still_being_written_is_left_alone(drops, folder):
    for name in (".march.csv", "march.csv.part", "march.tmp"):
        (folder / name).write_text(ROWS)
    drops.once()
    assert drops.once() == 0


def test_the_same_content_again_stores_nothing(drops, folder):
    for name in ("a.csv", "b.csv", "a.csv"):
        (folder / name).write_text(ROWS)
        drops.once()
        drops.once()
    assert count(drops) == 2
    assert names(folder / "done") == ["a-2.csv", "a.csv", "b.csv"]
    with transaction(drops.dsn, CITY) as conn:
        assert devices.seen(conn, CITY)["m-1"].messages == 1


@pytest.mark.parametrize("text", ["time,value\n1,2\n", "t,v\nnoon,1\n", "t,v\n", "\x00\x01"])
def test_what_cannot_be_taken_is_put_aside_with_the_reason(drops, folder, text):
    (folder / "odd.csv").write_text(text)
    drops.once()
    drops.once()
    assert names(folder / "failed") == ["odd.csv", "odd.csv.reason.txt"]
    assert (folder / "failed" / "odd.csv.reason.txt").read_text("utf-8").strip()
    assert count(drops) == 0
    with transaction(drops.dsn, CITY) as conn:
        assert len(hub.quarantine_list(conn, CITY)) == 1


@pytest.mark.parametrize("committed", [False, True])
def test_whoever_dies_leaves_the_file_to_be_finished(drops, folder, committed):
    """Killed after the file was taken: before its transaction, or between commit and move."""
    taking = folder / ".taking"
    taking.mkdir()
    (taking / "march.csv").write_text(ROWS)
    if committed:
        with transaction(drops.dsn, CITY) as conn:
            known = devices.devices(conn, CITY, ids=["m-1"])
        drops._record(known[0], taking / "march.csv")
    assert drops.once() == 1
    assert (count(drops), names(folder / "done"), names(taking)) == (2, ["march.csv"], [])


def test_folders_of_nobody_are_left_alone(drops, tmp_path):
    for place in ("unknown/m-1", f"{CITY}/m-9", "No City/m-1"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.csv").write_text(ROWS)
    drops.once()
    assert drops.once() == 0


def test_a_mapping_may_fill_only_the_devices_own_entities(tmp_path, fresh_database):
    other = {**MAPPING, "series": [{**MAPPING["series"][0],
                                    "entity": "urn:ngsi-ld:Meter:pyeongtaek:m-2"}]}  # fmt: skip
    with transaction(fresh_database, CITY) as conn:
        spec = DeviceSpec("m-1", (METER,), "table", options={"mapping": other})
        devices.register_device(conn, CITY, spec)
    drops = DropFolders(tmp_path, fresh_database, FixedClock(NOW))
    folder = tmp_path / CITY / "m-1"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(ROWS)
    drops.once()
    drops.once()
    assert names(folder / "failed") == ["a.csv", "a.csv.reason.txt"]
    assert count(drops) == 0
