"""Tables by mapping: units, zones, labels, missing marks, replays, power into energy."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.periods import Period
from onsil.core.refusal import OperationError
from onsil.devices import DecodeError, import_table, mapping_of, read_mapping

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:home-1"
CLOCK = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
SHARED = Path(os.environ.get("ONSIL_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))


def mapping(column=None, **time):
    base = {"column": "start", "interval_s": 3600, "zone": "UTC"}
    value = {
        "column": "value", "entity": "urn:ngsi-ld:Meter:{city}:home-1",
        "attribute": "activeEnergy", "unit": "kWh", "stored_unit": "Wh",
    }  # fmt: skip
    return mapping_of({"time": base | time, "series": [value | (column or {})]})


def written(folder, *lines, name="t.csv"):
    path = folder / name
    path.write_text("start,value\n" + "\n".join(lines) + "\n")
    return path


def all_points(conn, report):
    period = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    found = hub.points(conn, CITY, report.series[0].id, period)
    return list(zip(found.times, found.values, strict=True))


def hour(number, day=1):
    return datetime(2025, 1, day, number, tzinfo=UTC)


def test_missing_is_never_zero_and_nothing_is_dropped(conn, tmp_path):
    path = written(
        tmp_path, "2025-01-01 00:00:00+00:00,0.078", "2025-01-01 01:00,NA",
        "2025-01-01T02:00Z,", "2025-01-01 03:00,abc", "2025-01-01 04:00,0",
    )  # fmt: skip
    report = import_table(conn, CITY, path, mapping(), clock=CLOCK)
    assert (report.rows, report.stored, report.missing, report.quarantined) == (5, 2, 2, 1)
    assert all_points(conn, report) == [(hour(0), Decimal(78)), (hour(4), Decimal(0))]
    (entry,) = hub.quarantine_list(conn, CITY)
    assert (entry.origin, entry.code, entry.raw["value"]) == ("file:t.csv", "not-a-number", "abc")


def test_importing_the_same_file_again_stores_nothing(conn, tmp_path):
    path = written(tmp_path, "2025-01-01 00:00,1.5", "2025-01-01 01:00,2.5")
    first = import_table(conn, CITY, path, mapping(), clock=CLOCK)
    again = import_table(conn, CITY, path, mapping(), clock=CLOCK)
    assert (first.stored, again.stored, again.duplicate) == (2, 0, 2)


def test_stamps_without_an_offset_are_of_the_stated_zone_and_label(conn, tmp_path):
    path = written(tmp_path, "2025-01-01 10:00,1")
    report = import_table(conn, CITY, path, mapping(zone="Asia/Seoul", label="end"), clock=CLOCK)
    assert all_points(conn, report) == [(hour(0), Decimal(1000))]


def test_a_replay_is_shifted_openly_and_counts_as_come_on_time(conn, tmp_path):
    path = written(tmp_path, "2024-12-31 12:00-07:00,1")
    spec = mapping(
        {"source": "replayed", "note": "measured 2024"},
        zone="Etc/GMT+7", shift_days=7, replay_zone="Asia/Seoul", arrival="observed",
    )  # fmt: skip
    report = import_table(conn, CITY, path, spec, clock=CLOCK)
    noon_in_seoul = datetime(2025, 1, 7, 3, tzinfo=UTC)
    assert all_points(conn, report) == [(noon_in_seoul, Decimal(1000))]
    assert report.late == 0
    assert report.series[0].source == "replayed"
    assert report.series[0].note == (
        "measured 2024; dates shifted by 7 days; wall clock of Etc/GMT+7 replayed in Asia/Seoul"
    )


def test_mean_power_becomes_energy_by_the_interval(conn, tmp_path):
    path = written(tmp_path, "2025-01-01 00:00,2.4")
    spec = mapping({"unit": "kW", "power": True}, interval_s=900)
    report = import_table(conn, CITY, path, spec, clock=CLOCK)
    assert all_points(conn, report) == [(hour(0), Decimal(600))]
    assert "mean power" in report.series[0].note


def test_parquet_gzip_and_long_tables(conn, tmp_path):
    table = pa.table({
        "start": [hour(0), hour(0), hour(1)], "meter": ["a", "b", "a"],
        "value": pa.array([1.25, 9.0, None]),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    spec = mapping({"where": {"meter": "a"}})
    report = import_table(conn, CITY, tmp_path / "t.parquet", spec, clock=CLOCK)
    assert (report.stored, report.missing) == (1, 1)
    assert all_points(conn, report) == [(hour(0), Decimal(1250))]
    zipped = tmp_path / "t.csv.gz"
    zipped.write_bytes(gzip.compress(b"start,value\n2025-01-02 00:00,3\n"))
    assert import_table(conn, CITY, zipped, mapping(), clock=CLOCK).stored == 1


def test_progress_is_told(conn, tmp_path):
    told = []
    path = written(tmp_path, "2025-01-01 00:00,1", "2025-01-01 01:00,2")
    import_table(conn, CITY, path, mapping(), lambda done, total: told.append((done, total)), CLOCK)
    assert told == [(2, 2)]


@pytest.mark.parametrize(
    ("line", "columns", "code"),
    [("yesterday,1", {}, "bad-time"), ("2025-01-01,1", {"column": "other"}, "no-column")],
)
def test_a_file_that_does_not_fit_says_why(conn, tmp_path, line, columns, code):
    with pytest.raises(DecodeError) as caught:
        import_table(conn, CITY, written(tmp_path, line), mapping(columns), clock=CLOCK)
    assert caught.value.code == code
    assert caught.value.ko


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[time]\ncolumn='t'\ninterval_s=60", "at least one"),
        ("[time]\ncolumn='t'\n[[series]]\ncolumn='v'", "interval_s missing"),
        ("[time]\ncolumn='t'\ninterval_s=60\nzone='Mars/Base'\n[[series]]\ncolumn='v'\n"
         "entity='urn:ngsi-ld:A:b:c'\nattribute='a'\nunit='W'", "unknown zone"),
        ("[time]\ncolumn='t'\ninterval_s=60\n[[series]]\ncolumn='v'\nentity='urn:ngsi-ld:A:b:c'\n"
         "attribute='a'\nunit='W'\nstored_unit='Wh'", "cannot be stored"),
        ("[time]\ncolumn='t'\ninterval_s=60\ncolour='red'\n[[series]]\ncolumn='v'",
         "unknown colour"),
        ("time = ", "Invalid"),
    ],
)  # fmt: skip
def test_a_broken_mapping_names_what_is_wrong(tmp_path, text, says):
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(OperationError, match=says):
        read_mapping(path)


@pytest.mark.skipif(
    not (SHARED / "energy").exists(), reason="no shared energy data (set ONSIL_SHARED_DATA)"
)
def test_a_measured_household_is_taken_in_whole(conn):
    path = SHARED / "energy/opendsm_samples/uk-electricity-hdd-only-hourly-sample-1.csv.gz"
    report = import_table(conn, CITY, path, mapping(interval_s=1800), clock=CLOCK)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    last = {stamp: Decimal(value) for stamp, value in (line.split(",") for line in lines) if value}
    assert report.rows == len(lines)
    # The source itself repeats the hour that comes twice each autumn.
    assert report.duplicate == len(lines) - len(last)
    assert (report.stored, report.corrected, report.quarantined) == (len(last), 0, 0)
    stored = all_points(conn, report)
    assert sum(value for _, value in stored) == sum(last.values()) * 1000
    assert stored[1][0] - stored[0][0] == timedelta(minutes=30)
