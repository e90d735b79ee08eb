"""Months leave for files and nobody notices: the same points, hashes, roll-ups and answers."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import polars
import psycopg
import pytest

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.periods import Period
from onsil.core.refusal import OperationError
from onsil.hub import Reading, SeriesSpec
from onsil.hub.lake import export, place
from onsil.hub.lake.export import close_month, manifests, open_months, verify_chain
from onsil.hub.lake.retention import decide_retention, keep_to_retentions, retentions

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
OTHER = "urn:ngsi-ld:Meter:pyeongtaek:m-2"
MARCH = date(2025, 3, 1)
T0 = datetime(2025, 3, 1, tzinfo=UTC)
SPRING = Period(T0, T0 + timedelta(days=61))
CLOCK = FixedClock(T0 + timedelta(days=90))


@pytest.fixture
def lake(tmp_path, monkeypatch):
    for module in (place, export):
        monkeypatch.setattr(module, "folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def series(fresh_database, lake):
    with connect(fresh_database, CITY) as conn:
        specs = [SeriesSpec(METER, "activeEnergy", "Wh", 3600, "interval"),
                 SeriesSpec(OTHER, "total", "Wh", 3600, "counter")]  # fmt: skip
        made = hub.ensure_series(conn, CITY, specs)
        chance = random.Random(4)
        hub.record(conn, CITY, [
            Reading(METER, "activeEnergy", T0 + timedelta(hours=6 * n),
                    Decimal(chance.randrange(10**9)).scaleb(-chance.randrange(12)))
            for n in range(240)
        ] + [Reading(OTHER, "total", T0 + timedelta(hours=12 * n), n) for n in range(120)],
            CLOCK)  # fmt: skip
    return made[METER, "activeEnergy"].id, made[OTHER, "total"].id


def snapshot(dsn, ids):
    with connect(dsn, CITY) as conn:
        return hub.snapshot(conn, CITY, ids, SPRING)


def close(dsn, month=MARCH):
    with connect(dsn, "*") as conn:
        return close_month(conn, month, CLOCK)


def state(dsn, ids):
    """Everything that reading tells of the series."""
    with connect(dsn, CITY) as conn:
        taken = hub.snapshot(conn, CITY, ids, SPRING)
        return (
            taken.digest, {n: (p.times, p.values) for n, p in taken.points.items()},
            [hub.rollups(conn, CITY, n, SPRING, "day") for n in ids],
            [hub.last_points(conn, CITY, n, count) for n in ids for count in (1, 70, 500)],
            hub.last_points(conn, CITY, ids[0], 5, Period(T0, T0 + timedelta(days=3))),
        )  # fmt: skip


def test_nobody_notices_that_a_month_has_left(fresh_database, series, lake):
    before = state(fresh_database, series)
    closed = close(fresh_database)
    assert (closed.state, [one.rows for one in closed.exported]) == ("dropped", [124 + 62])
    with psycopg.connect(fresh_database) as owner:
        left = owner.execute("SELECT count(*) FROM hub_point WHERE ts < '2025-04-01Z'")
        assert left.fetchone() == (0,)
    assert state(fresh_database, series) == before
    assert close(fresh_database).state == "gone"
    close(fresh_database, date(2025, 4, 1))
    assert state(fresh_database, series) == before
    with connect(fresh_database, "*") as conn:
        assert verify_chain(conn, CITY) == 2
        assert open_months(conn, date(2026, 1, 1)) == []


def test_anyone_reads_the_files(fresh_database, series, lake):
    points = snapshot(fresh_database, series).points
    expected = [value for n in sorted(points) for time, value in
                zip(points[n].times, points[n].values, strict=True) if time.month == 3]  # fmt: skip
    close(fresh_database)
    file = str(lake / CITY / "2025-03" / "points-r1.parquet")
    rows = duckdb.read_parquet(file).select("num, value, epoch_us(ts), entity, unit").fetchall()
    assert [Decimal(repr(row[0])) for row in rows] == expected
    assert [row[1] for row in rows] == expected
    assert rows[0][2] == T0.timestamp() * 1_000_000
    assert {row[3] for row in rows} == {METER, OTHER}
    frame = polars.read_parquet(file)
    assert frame["value"].to_list() == expected
    assert frame["ts"].dtype == polars.Datetime("us", "UTC")
    thousandths = duckdb.read_parquet(file).select("milli, after_us, slot").fetchall()
    assert [row[0] for row in thousandths] == [
        int(value * 1000) if value * 1000 == int(value * 1000) else None for value in expected
    ]
    assert [(row[1] + row[2] * 900_000_000) for row in thousandths] == [row[2] for row in rows]
    (total,) = duckdb.read_parquet(file).sum("value").fetchall()
    assert total == (frame["value"].sum(),) == (sum(expected),)


POINTS = ["write_points", "write_text", "verify_file"]


@pytest.mark.parametrize("point", [*POINTS, "after files, before the commit", "before the drop"])
def test_stopped_anywhere_it_is_begun_again(fresh_database, series, lake, monkeypatch, point):
    before = state(fresh_database, series)

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if point in POINTS:
            patched.setattr(export, point, stop)
        elif point.startswith("after"):
            write = export.write_text
            patched.setattr(export, "write_text", lambda *a: (write(*a), stop()))
        else:
            patched.setattr(export, "verify_file", lambda *_: stop())
        with pytest.raises(KeyboardInterrupt):
            close(fresh_database)
    assert state(fresh_database, series) == before
    assert close(fresh_database).state == "dropped"
    assert state(fresh_database, series) == before
    with connect(fresh_database, "*") as conn:
        assert verify_chain(conn, CITY) == 1
    assert not list(lake.rglob("*.writing"))


def test_what_comes_in_meanwhile_stops_the_drop(fresh_database, series, lake, monkeypatch):
    verify = export.verify_file

    def late_reading(conn, *args):
        verify(conn, *args)
        with connect(fresh_database, CITY) as other:
            hub.record(other, CITY, [Reading(METER, "activeEnergy", T0 + timedelta(minutes=7), 1)],
                       CLOCK)  # fmt: skip

    monkeypatch.setattr(export, "verify_file", late_reading)
    assert close(fresh_database).state == "changed"
    monkeypatch.setattr(export, "verify_file", verify)
    after = state(fresh_database, series)
    closed = close(fresh_database)
    assert (closed.state, closed.exported[0].revision) == ("dropped", 2)
    assert state(fresh_database, series) == after


def test_corrections_of_a_closed_month_lie_on_top_and_leave_as_its_next_revision(
    fresh_database, series, lake
):
    close(fresh_database)
    meter, _ = series
    with connect(fresh_database, CITY) as conn:
        there = hub.points(conn, CITY, meter, SPRING)
        report = hub.record(conn, CITY, [
            Reading(METER, "activeEnergy", there.times[4], there.values[4]),
            Reading(METER, "activeEnergy", there.times[5], 7),
            Reading(METER, "activeEnergy", there.times[5] + timedelta(minutes=1), 8),
            Reading(OTHER, "total", T0 + timedelta(hours=18), 0),
            Reading(OTHER, "total", T0 + timedelta(hours=18), Decimal("1.5")),
        ], CLOCK)  # fmt: skip
        assert (report.duplicate, report.corrected, report.stored) == (1, 1, 2)
        assert [q.code for q in report.quarantined] == ["counter-back"]
        hour = Period(there.times[5], there.times[5] + timedelta(hours=1))
        rolls = hub.rollups(conn, CITY, meter, hour)
        assert [(roll.count, roll.total) for roll in rolls] == [(2, 15.0)]
        found = hub.points(conn, CITY, meter, SPRING)
        assert found.values[4:7] == [there.values[4], Decimal(7), Decimal(8)]
        assert len(found) == len(there) + 1
        (revision,) = hub.revisions(conn, CITY, meter, SPRING)
        assert (revision.old_value, revision.new_value) == (there.values[5], Decimal(7))
    corrected = state(fresh_database, series)
    first = (lake / CITY / "2025-03" / "points-r1.parquet").read_bytes()
    assert close(fresh_database).exported[0].revision == 2
    assert state(fresh_database, series) == corrected
    assert (lake / CITY / "2025-03" / "points-r1.parquet").read_bytes() == first
    with connect(fresh_database, "*") as conn:
        assert verify_chain(conn, CITY) == 2
        assert [(m.number, m.revision) for m in manifests(conn, CITY)] == [(1, 1), (2, 2)]


@pytest.mark.parametrize("harm", ["points", "manifest", "gone"])
def test_a_harmed_file_is_seen(fresh_database, series, lake, harm):
    close(fresh_database)
    folder = lake / CITY / "2025-03"
    if harm == "gone":
        (folder / "points-r1.parquet").unlink()
    else:
        name = "points-r1.parquet" if harm == "points" else "manifest-r1.json"
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)
    with connect(fresh_database, "*") as conn, pytest.raises((OperationError, UnicodeDecodeError)):
        verify_chain(conn, CITY)


def test_only_the_operator_closes_and_only_what_is_written(fresh_database, series, lake):
    with connect(fresh_database, CITY) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT hub_close_month('2025-03-01')")
    with connect(fresh_database, "*") as conn:
        assert conn.execute("SELECT hub_close_month('2025-03-01')").fetchone() == ("changed",)


def test_retention_takes_plain_points_and_leaves_what_is_measured(fresh_database, series, lake):
    before = state(fresh_database, series)
    with connect(fresh_database, CITY) as conn:
        day = timedelta(days=1)
        for days, start in ((None, T0), (30, T0 + 60 * day), (1, T0 + 900 * day)):
            decide_retention(
                conn, CITY, "meters", ["Meter"], days, valid_from=start, now=T0, by="x"
            )
        (held,) = retentions(conn, CITY, T0 + 61 * day)
        assert held.keep_days == 30
        assert retentions(conn, CITY, T0 + day)[0].keep_days is None
        assert keep_to_retentions(conn, CITY, T0 + 61 * day) == [("meters", 0, 0)]
    assert state(fresh_database, series) == before
