"""`onsil lake export`, `list` and `verify` as an operator types them, and who reads the files."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import polars
import pytest

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.hub import Reading, SeriesSpec

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 30, tzinfo=UTC)
TOTAL = sum(Decimal(n) / 8 for n in range(96))


@pytest.fixture
def onsil(fresh_database, tmp_path):
    """The command beside a database with two days of March and two of April."""
    with connect(fresh_database, CITY) as conn:
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activeEnergy", "Wh", 3600, "interval")])
        clock = FixedClock(T0 + timedelta(days=90))
        hub.record(conn, CITY, [
            Reading(METER, "activeEnergy", T0 + timedelta(hours=n), Decimal(n) / 8)
            for n in range(96)
        ], clock)  # fmt: skip
    environment = {**os.environ, "ONSIL_DATABASE_URL": fresh_database, "ONSIL_LANGUAGE": "en",
                   "ONSIL_DATA_FOLDER": str(tmp_path)}  # fmt: skip
    environment.pop("ONSIL_LAKE_HOME", None)

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "onsil.cli", "lake", *words], env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_months_are_exported_read_by_others_and_checked(onsil, tmp_path):
    exported = onsil("export", "--before", "2025-05")
    assert exported.returncode == 0, exported.stderr
    assert ["2025-03", "exported", "1", "48"] in map(str.split, exported.stdout.splitlines())
    listed = [json.loads(line) for line in onsil("list", CITY, "--json").stdout.splitlines()]
    assert [(one["month"], one["rows"]) for one in listed] == [("2025-03", 48), ("2025-04", 48)]
    files = str(tmp_path / "lake" / CITY / "*" / "points-*.parquet")
    row = duckdb.execute("SELECT entity, sum(value), count(*) FROM read_parquet(?) GROUP BY 1",
                         [files]).fetchone()  # fmt: skip
    assert row == (METER, TOTAL, 96)
    frame = polars.scan_parquet(files).select(polars.col("value").sum(), polars.len()).collect()
    assert frame.row(0) == (TOTAL, 96)
    path = tmp_path / "lake" / listed[0]["path"]
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    checked = onsil("verify")
    assert checked.returncode != 0
    assert listed[0]["path"].rsplit("/", 1)[1] in checked.stderr
