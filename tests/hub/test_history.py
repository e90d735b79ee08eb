"""Reading back: roll-ups in the city's days, linkage, snapshots, and who may see what."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import psycopg
import pytest

from onsil import hub
from onsil.core.canonical import digest
from onsil.core.clock import FixedClock
from onsil.core.database import scope
from onsil.core.periods import Period
from onsil.hub import Reading, SeriesSpec

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)
DAY = Period(T0, T0 + timedelta(days=1))
CLOCK = FixedClock(T0 + timedelta(days=40))


@pytest.fixture
def series(conn):
    spec = SeriesSpec(METER, "activeEnergy", "Wh", 900, "interval", grace_s=600)
    return hub.ensure_series(conn, CITY, [spec])[METER, "activeEnergy"]


def put(conn, minutes, value=Decimal("0.1"), late=False):
    delay = timedelta(hours=5) if late else timedelta(minutes=15)
    readings = [
        Reading(METER, "activeEnergy", T0 + timedelta(minutes=m), value, "",
                T0 + timedelta(minutes=m) + delay)
        for m in minutes
    ]  # fmt: skip
    return hub.record(conn, CITY, readings, CLOCK)


def test_days_are_the_citys_own(conn, series):
    put(conn, [0, 14 * 60 + 45, 15 * 60, 20 * 60])
    days = hub.rollups(conn, CITY, series.id, DAY, "day")
    assert [(d.start, d.count) for d in days] == [
        (T0 - timedelta(hours=9), 2), (T0 + timedelta(hours=15), 2),
    ]  # fmt: skip
    (month,) = hub.rollups(conn, CITY, series.id, DAY, "month")
    assert month.count == 4
    assert hub.rollups(conn, CITY, series.id, Period(DAY.end, DAY.end + DAY.length)) == []
    with pytest.raises(ValueError, match="no such step"):
        hub.rollups(conn, CITY, series.id, DAY, "fortnight")


def test_linkage_is_what_came_on_time_of_what_was_expected(conn, series):
    put(conn, range(0, 12 * 60, 15))
    put(conn, range(12 * 60, 18 * 60, 15), late=True)
    assert hub.linkage_rate(conn, CITY, [series.id], DAY) == Decimal("0.5000")
    # More than expected in one hour does not make up for another's silence.
    put(conn, range(1, 60))
    assert hub.linkage_rate(conn, CITY, [series.id], DAY) == Decimal("0.5000")
    half_hour = Period(T0, T0 + timedelta(minutes=30))
    assert hub.linkage_rate(conn, CITY, [series.id], half_hour) is None
    assert hub.linkage_by_series(conn, CITY, [series.id], DAY)[series.id] == (96, 48)


def test_a_snapshots_hashes_can_be_computed_by_anyone(conn, series):
    put(conn, [0, 15], Decimal("0.1"))
    put(conn, [30], Decimal("1e-7"))
    taken = hub.snapshot(conn, CITY, [series.id], DAY)
    lines = b"2025-03-01T00:00:00Z 0.1\n2025-03-01T00:15:00Z 0.1\n2025-03-01T00:30:00Z 0.0000001\n"
    (entry,) = taken.manifest["series"]
    assert entry["sha256"] == sha256(lines).hexdigest()
    assert (entry["count"], entry["sum"]) == (3, Decimal("0.2000001"))
    assert taken.digest == digest(taken.manifest)
    assert "id" not in entry
    put(conn, [15], Decimal("0.2"))
    assert hub.snapshot(conn, CITY, [series.id], DAY).digest != taken.digest


def test_another_city_sees_and_changes_nothing(conn, series):
    put(conn, [0])
    scope(conn, "goyang")
    assert hub.points(conn, CITY, series.id, DAY).times == []
    assert hub.find_series(conn, CITY) == []
    report = hub.record(conn, "goyang", [Reading(METER, "activeEnergy", T0, 1)], CLOCK)
    assert [q.code for q in report.quarantined] == ["wrong-city"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "x", "W", 60)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hub_point_revision SET old_num = 0",
        "DELETE FROM hub_quarantine",
        "DELETE FROM hub_point",
        "SELECT * FROM hub_point_2025_03",
        "CREATE TABLE hub_point_x (LIKE hub_point)",
    ],
)
def test_the_app_role_cannot_tamper(conn, series, statement):
    put(conn, [0])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)
