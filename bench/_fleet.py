"""A year of quarter-hours of a fleet, as months in the lake: made by DuckDB, known to the hub.

Files have the columns, order, compression and row groups that the hub's export writes; the export
itself, from rows in PostgreSQL, would take hours for what is read in seconds.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, cursor
from onsil.core.periods import local_year
from onsil.footprint.aggregates import FleetSite
from onsil.hub.lake.export import _note
from onsil.hub.lake.files import Written, file_sha256
from onsil.hub.lake.place import following, span

CITY = "pyeongtaek"
ATTRIBUTE = "power"
YEAR = local_year(2025, ZoneInfo("Asia/Seoul"))
CAPACITY_KW = Decimal(5)
CLOCK = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
SLOT_S = 900

# Whole watts with the hours of a sunny place. One reading in 211 is missing, one in 1,009 below
# zero, one in 1,013 above what the plant can make, one in 1,021 some seconds off its time.
_MONTH = """
COPY (
  SELECT n.series_id, n.entity, n.attribute, 'W' AS unit,
         make_timestamptz(slot::BIGINT * 900000000 + after_us) AS ts, slot::INT AS slot,
         (milli / 1000)::DOUBLE AS num, (milli // 1000)::DECIMAL(38, 12) AS value,
         make_timestamptz(slot::BIGINT * 900000000 + 905000000) AS received_at, false AS late,
         milli, after_us::INT AS after_us
  FROM (
    SELECT m, slot, CASE WHEN r % 1021 = 0 THEN 4000000 ELSE 0 END AS after_us,
           CASE WHEN r % 1009 = 0 THEN -1000 WHEN r % 1013 = 0 THEN 99000000
                ELSE greatest(0, (4000 * sin(((slot + 36) % 96 / 4.0 - 6) * pi() / 12)
                     * (0.2 + 0.8 * (r % 1024) / 1024.0))::BIGINT) * 1000 END AS milli
    FROM (SELECT i // {slots} AS m, i % {slots} + {first} AS slot, hash(i + {first}) AS r
          FROM range({count}) t(i))
    WHERE r % 211 <> 0)
  JOIN names n USING (m)
) TO '{place}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 131072)
"""


def sites(count: int) -> list[FleetSite]:
    """The fleet: plants of one size that export nothing."""
    names = (hub.entity_uri("Building", CITY, f"fleet-{number}") for number in range(count))
    return [FleetSite(f"{name}#{ATTRIBUTE}", CAPACITY_KW, True) for name in names]


def months() -> Iterator[date]:
    """The months in UTC that the local year touches: thirteen."""
    month = YEAR.start.date().replace(day=1)
    while span(month).start < YEAR.end:
        yield month
        month = following(month)


def fill(conn: Connection, lake: Path, count: int) -> int:
    """Register the fleet's series, write its year's files, and tell the hub. Points written."""
    specs = [hub.SeriesSpec(one.meter.partition("#")[0], ATTRIBUTE, "W", SLOT_S)
             for one in sites(count)]  # fmt: skip
    made = hub.ensure_series(conn, CITY, specs, CLOCK)
    points, began = 0, time.perf_counter()
    with duckdb.connect() as duck:
        duck.execute("SET threads = 2; SET memory_limit = '1500MB'; SET TimeZone = 'UTC'")
        duck.execute(f"SET temp_directory = '{lake}'")
        ordered = sorted(made.values(), key=lambda one: one.id)
        duck.register("names", pa.table({
            "m": pa.array(range(count), pa.int64()),
            "series_id": pa.array([one.id for one in ordered], pa.int32()),
            "entity": [one.entity for one in ordered],
            "attribute": [one.attribute for one in ordered],
        }))  # fmt: skip
        for month in months():
            points += _write(conn, duck, lake, month, count)
            print(f"{month:%Y-%m}: {points:,} points, {time.perf_counter() - began:.0f} s",
                  file=sys.stderr, flush=True)  # fmt: skip
    conn.commit()
    return points


def _write(
    conn: Connection, duck: duckdb.DuckDBPyConnection, lake: Path, month: date, count: int
) -> int:
    """One month's file, or the hours of it that the local year reaches into."""
    first = int(max(span(month).start, YEAR.start).timestamp()) // SLOT_S
    last = int(min(span(month).end, YEAR.end).timestamp()) // SLOT_S
    path = f"{CITY}/{month:%Y-%m}/points-r1.parquet"
    place = lake / path
    place.parent.mkdir(parents=True)
    slots = last - first
    duck.execute(_MONTH.format(slots=slots, first=first, count=count * slots, place=place))
    (rows,) = duck.execute(f"SELECT count(*) FROM '{place}'").fetchone() or (0,)
    unread = hashlib.sha256(b"").hexdigest()  # the points' own hash: not needed here
    written = Written(rows, place.stat().st_size, file_sha256(place), unread)
    with cursor(conn) as cur:
        _note(cur, CITY, month, 1, path, written, 0, CLOCK.now())
    return rows
