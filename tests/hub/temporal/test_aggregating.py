"""Aggregates against a naive model: any values, phase and bounds; zones and calendar months."""

import calendar
import math
import statistics
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.hub.arrays import instant, microseconds, stamp_texts
from onsil.hub.documents import time_text
from onsil.hub.steps import run
from onsil.hub.temporal.aggregating import aggregate
from onsil.hub.temporal.aggregation import METHODS, from_numbers
from onsil.hub.temporal.asking import Aggregation, TemporalQuery
from onsil.hub.temporal.durations import Duration, DurationError, buckets, parse_duration
from onsil.hub.temporal.finding import Hit
from onsil.hub.temporal.reading import find_known

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
NAIVE = {
    "totalCount": len, "distinctCount": lambda v: len(set(v)), "sum": math.fsum,
    "avg": statistics.fmean, "min": min, "max": max, "stddev": statistics.pstdev,
    "sumsq": lambda v: math.fsum(x * x for x in v),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT1H", Duration(0, 3_600_000_000)), ("P1D", Duration(0, 86_400_000_000)),
        ("P2W", Duration(0, 14 * 86_400_000_000)), ("PT0S", Duration()), ("P0D", Duration()),
        ("P1M", Duration(1)), ("P3Y6M4DT12H30M5S", Duration(42, 390_605_000_000)),
        ("PT0.5S", Duration(0, 500_000)), ("PT90M", Duration(0, 5_400_000_000)),
    ],
)  # fmt: skip
def test_durations(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1H", "P1H", "P1W2D", "PT1H30", "P-1D", "P1.5D", "PTS"]
)
def test_what_is_no_duration(text):
    with pytest.raises(DurationError):
        parse_duration(text)


def edges(duration, start, end, zone=None):
    return [instant(int(e)) for e in buckets(parse_duration(duration), start, end, zone).edges]


def test_months_and_years_are_the_calendars_in_a_zone():
    first = datetime(2025, 3, 1, tzinfo=SEOUL)
    months = edges("P1M", first, datetime(2025, 6, 2, tzinfo=SEOUL), SEOUL)
    assert [e.astimezone(SEOUL).strftime("%m-%d %H") for e in months] == [
        "03-01 00", "04-01 00", "05-01 00", "06-01 00", "07-01 00",
    ]  # fmt: skip
    ends = edges("P1M", datetime(2024, 1, 31, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))
    assert [e.day for e in ends] == [31, 29, 31, 30]
    years = edges("P1Y", datetime(2024, 2, 29, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert [(e.year, e.day) for e in years] == [(2024, 29), (2025, 28), (2026, 28)]
    with pytest.raises(DurationError):
        edges("PT1S", T0, T0 + timedelta(days=30))


@settings(deadline=None)
@given(st.integers(0, 10**15), st.sampled_from([1, 1000, 10**6]))
def test_stamps_are_written_as_times_are(stamp, step):
    both = np.array([stamp * step % (10**15 * 6), 0], np.int64)
    assert stamp_texts(both) == [time_text(instant(int(both[0]))), "2000-01-01T00:00:00Z"]


points_ = st.dictionaries(
    st.integers(0, 40 * 24 * 60), st.integers(-(10**6), 10**6).map(lambda n: n / 8),
    min_size=1, max_size=60,
)  # fmt: skip


@settings(deadline=None)
@given(points_, st.integers(1, 5000))
def test_methods_over_vectors(points, width):
    minutes = sorted(points)
    place = np.array([m // width for m in minutes], np.int64)
    values = np.array([points[m] for m in minutes])
    made = from_numbers(METHODS, place, values)
    for method, naive in NAIVE.items():
        expected = {
            b: naive([points[m] for m in minutes if m // width == b]) for b in set(place.tolist())
        }
        assert made[method].keys() == expected.keys()
        for bucket, value in expected.items():
            assert made[method][bucket] == pytest.approx(value, rel=1e-9, abs=1e-6)


def model(points, start, anchor, end, duration, methods):
    """The same by definition: walk from bucket to bucket, and aggregate what lies in it."""
    inside = {t: v for t, v in points.items() if start <= t < end}
    if not inside:
        return {}
    made = {method: [] for method in methods}
    n = 0
    while (low := _step(anchor, duration, n)) <= max(inside):
        high = _step(anchor, duration, n + 1)
        group = [v for t, v in sorted(inside.items()) if low <= t < high]
        for method in methods if group else ():
            made[method].append((NAIVE[method](group), time_text(low), time_text(high)))
        n += 1
    return made


def _step(anchor, duration, times):
    months = anchor.year * 12 + anchor.month - 1 + duration.months * times
    year, month = divmod(months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    moved = anchor.replace(year=year, month=month + 1, day=day)
    return moved + timedelta(microseconds=duration.length_us * times)


@pytest.fixture(scope="module")
def series(postgres):
    name = "t_aggregating"
    dsn = postgres.create_database(name, "onsil_template")
    with connect(dsn, CITY) as conn:
        hub.ensure_series(conn, CITY, [hub.SeriesSpec(METER, "activePower", "W", 60)])
    yield dsn
    postgres.drop_database(name)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    points_, st.sampled_from(["PT1H", "PT20M", "P1D", "P1M", "PT7H30M", "P1W", "P1M2D"]),
    st.sampled_from([("totalCount", "sum", "avg", "min", "max"), METHODS]),
    st.integers(-90, 20 * 24 * 60), st.integers(1, 30 * 24 * 60),
    st.sampled_from(["after", "between"]), st.booleans(),
)  # fmt: skip
def test_roll_ups_and_points_together_are_the_naive_model(
    series, points, duration, methods, start, length, relation, on_the_hour
):
    start = start // 60 * 60 if on_the_hour else start
    first, last = T0 + timedelta(minutes=start), T0 + timedelta(minutes=start + length)
    timed = {T0 + timedelta(minutes=m): v for m, v in points.items()}
    with connect(series, CITY) as conn:
        hub.record(
            conn, CITY, [hub.Reading(METER, "activePower", t, v) for t, v in timed.items()],
            FixedClock(T0 + timedelta(days=60)),
        )  # fmt: skip
        end = last if relation == "between" else datetime(9999, 12, 30, tzinfo=UTC)
        query = TemporalQuery(relation, first, end)
        wanted = Aggregation(methods, parse_duration(duration))
        (known,) = run(conn, find_known(CITY, [METER], T0))
        (found,) = run(conn, aggregate(CITY, [Hit(known)], query, wanted, None, None))
        conn.rollback()
    expected = model(timed, first, first, end, wanted.duration, methods)
    told = next(iter(found.values()), {}) or {}
    assert {m: v for m, v in told.items() if m != "type"}.keys() == expected.keys()
    for method, rows in expected.items():
        assert [row[1:] for row in told[method]] == [row[1:] for row in rows]
        assert [row[0] for row in told[method]] == pytest.approx([r[0] for r in rows], abs=1e-4)


def test_microseconds_of_a_bucket_edge_belong_to_the_later_bucket():
    cut = buckets(parse_duration("PT1H"), T0, T0 + timedelta(hours=3))
    stamps = np.array(
        [microseconds(T0 + timedelta(hours=1)), microseconds(T0 + timedelta(hours=1)) - 1]
    )
    assert cut.place(stamps).tolist() == [1, 0]
