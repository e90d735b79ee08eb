"""The linkage rate counts whole hours from a live series' first reading on."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from onsil import hub
from onsil.console.linkage import linkage_of, together
from onsil.core.clock import FixedClock
from onsil.core.database import Connection

SEOUL = ZoneInfo("Asia/Seoul")
CITY = "pyeongtaek"
NOW = datetime(2026, 3, 2, 3, 20, tzinfo=UTC)
METER = hub.entity_uri("Meter", CITY, "linkage-1")


def live_series(conn: Connection, first: datetime, *, every: int = 1) -> hub.Series:
    """A meter that has sent every `every`-th minute from `first` until now."""
    spec = hub.SeriesSpec(METER, "power", "W", 60, source="simulated")
    made = hub.ensure_series(conn, CITY, [spec])
    minutes = int((NOW - first) / timedelta(minutes=1))
    clock = FixedClock(NOW)
    hub.record(
        conn, CITY,
        [
            hub.Reading(METER, "power", at, 100, received_at=at + timedelta(seconds=5))
            for at in (first + timedelta(minutes=m) for m in range(0, minutes, every))
        ],
        clock,
    )  # fmt: skip
    return made[METER, "power"]


def test_an_hour_under_way_expects_nothing_yet(conn: Connection):
    series = live_series(conn, NOW - timedelta(minutes=15))
    assert linkage_of(conn, CITY, [series], NOW, SEOUL) == {}
    assert together([]) is None


@pytest.mark.parametrize(("every", "rate"), [(1, 1), (2, Decimal("0.5"))])
def test_whole_hours_since_the_first_reading_count(conn: Connection, every: int, rate: Decimal):
    series = live_series(conn, NOW - timedelta(hours=3, minutes=20), every=every)
    found = linkage_of(conn, CITY, [series], NOW, SEOUL)
    assert found[series.id].expected == 180
    assert together(found.values()) == rate
