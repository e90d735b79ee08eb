"""A meter's local days: exact decimals whatever was sent, gaps left out, the city's own days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.periods import local_days
from onsil.core.quantities import shortest_decimal
from onsil.hub.daily import DayTotal, _by_day
from onsil.hub.lake.spanning import Vector

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
_MEANS = st.one_of(
    st.decimals("-1e6", "1e6", places=4), st.floats(-1e6, 1e6, allow_nan=False).map(Decimal)
)


@given(st.lists(_MEANS, min_size=1, max_size=60))
def test_sums_are_those_of_the_shortest_decimals(values: list[Decimal]):
    doubles = [float(value) for value in values]
    stamps = np.arange(len(doubles), dtype=np.int64)
    vector = Vector(stamps, np.array(doubles, np.float64), stamps)
    made = _by_day(vector, [date(2025, 1, 1)], np.array([0], np.int64))
    assert made == [
        DayTotal(date(2025, 1, 1), len(doubles),
                 sum((shortest_decimal(x) for x in doubles), Decimal(0)))
    ]  # fmt: skip


def test_days_are_the_citys_and_a_day_without_points_is_not_there(conn: Connection):
    entity = hub.entity_uri("Building", CITY, "daily")
    hub.ensure_series(
        conn, CITY,
        [hub.SeriesSpec(entity, name, "kWh", 3600, "interval") for name in ("power", "silent")],
    )  # fmt: skip
    period = local_days(date(2025, 6, 1), date(2025, 6, 4), SEOUL)
    hours = [h for h in range(72) if not 24 <= h < 48]
    readings = [
        hub.Reading(entity, "power", period.start + timedelta(hours=h), Decimal("0.1"))
        for h in hours
    ]
    hub.record(conn, CITY, readings, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    power, silent = (
        hub.find_series(conn, CITY, entities=[entity], attribute=name)[0].id
        for name in ("power", "silent")
    )
    found = hub.daily_totals(conn, CITY, [power, silent], period, SEOUL)
    assert found[power] == [
        DayTotal(date(2025, 6, 1), 24, Decimal("2.4")),
        DayTotal(date(2025, 6, 3), 24, Decimal("2.4")),
    ]
    assert found[silent] == []
