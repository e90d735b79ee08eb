"""Whatever the order, the repetition and the company, the same readings leave the same points."""

import random
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.periods import Period
from onsil.hub import Reading, SeriesSpec

CITY = "pyeongtaek"
T0 = datetime(2025, 1, 31, 22, tzinfo=UTC)  # a month ends within the day
DAY = Period(T0, T0 + timedelta(days=1))
CLOCK = FixedClock(T0 + timedelta(days=1))
ENTITIES = [f"urn:ngsi-ld:Meter:pyeongtaek:p-{i}" for i in range(3)]

# (meter, minute) → value: one value for each series and time, so nothing is in conflict.
truths = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 300)),
    st.decimals(0, 10_000, places=3, allow_nan=False),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(truth=truths, cuts=st.integers(1, 6), repeats=st.integers(0, 10), seed=st.integers())
def test_order_and_repetition_change_nothing(conn, truth, cuts, repeats, seed):
    conn.rollback()
    made = hub.ensure_series(conn, CITY, [SeriesSpec(e, "energy", "Wh", 60) for e in ENTITIES])
    source = random.Random(seed)
    readings = [
        Reading(ENTITIES[meter], "energy", T0 + timedelta(minutes=minute), value)
        for (meter, minute), value in truth.items()
    ]
    sent = readings + source.choices(readings, k=repeats)
    source.shuffle(sent)
    size = max(1, len(sent) // cuts)
    reports = [hub.record(conn, CITY, sent[i : i + size], CLOCK) for i in range(0, len(sent), size)]
    assert sum(r.stored for r in reports) == len(truth)
    assert sum(r.duplicate for r in reports) == repeats
    assert sum(r.corrected for r in reports) == 0
    for meter, entity in enumerate(ENTITIES):
        series = made[entity, "energy"]
        points = hub.points(conn, CITY, series.id, DAY)
        expected = sorted((minute, v) for (m, minute), v in truth.items() if m == meter)
        assert points.values == [value for _, value in expected]
        assert points.times == [T0 + timedelta(minutes=minute) for minute, _ in expected]
        hours = hub.rollups(conn, CITY, series.id, DAY)
        assert sum(h.count for h in hours) == len(expected)
        assert abs(sum(Decimal(h.total) for h in hours) - sum(points.values)) < Decimal("0.001")
        if expected:
            last = hub.latest(conn, CITY, [series.id])[series.id]
            assert (last.observed_at, last.value) == (points.times[-1], points.values[-1])
    digest = hub.snapshot(conn, CITY, [s.id for s in made.values()], DAY).digest
    hub.record(conn, CITY, readings, CLOCK)
    assert hub.snapshot(conn, CITY, [s.id for s in made.values()], DAY).digest == digest


def test_writers_of_the_same_series_stand_in_line(connector):
    """Eight writers, the same 3,000 readings each in its own order, months not made yet."""
    entities = [f"urn:ngsi-ld:Meter:pyeongtaek:c-{i}" for i in range(30)]
    setting_up = connector()
    made = hub.ensure_series(
        setting_up, CITY, [SeriesSpec(e, "energy", "Wh", 60) for e in entities]
    )
    setting_up.commit()
    start = datetime(2025, 5, 31, 23, 30, tzinfo=UTC)
    clock = FixedClock(start + timedelta(days=1))
    readings = [
        Reading(entity, "energy", start + timedelta(minutes=minute), minute)
        for entity in entities
        for minute in range(100)
    ]
    reports, faults = [], []

    def write(seed):
        mine = random.Random(seed).sample(readings, len(readings))
        conn = connector()
        try:
            for first in range(0, len(mine), 500):
                reports.append(hub.record(conn, CITY, mine[first : first + 500], clock))
                conn.commit()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert sum(r.stored for r in reports) == 3000
    assert sum(r.duplicate for r in reports) == 7 * 3000
    period = Period(start, start + timedelta(days=1))
    for series in made.values():
        assert hub.points(setting_up, CITY, series.id, period).values == list(range(100))
        hours = hub.rollups(setting_up, CITY, series.id, period)
        assert [h.count for h in hours] == [30, 60, 10]


def test_new_months_made_at_once_by_several_writers(connector):
    entity = "urn:ngsi-ld:Meter:pyeongtaek:n-1"
    other = "urn:ngsi-ld:Meter:pyeongtaek:n-2"
    setting_up = connector()
    hub.ensure_series(setting_up, CITY, [SeriesSpec(e, "v", "W", 60) for e in (entity, other)])
    setting_up.commit()
    faults = []

    def write(name, backwards):
        months = range(1, 13)
        conn = connector()
        try:
            for month in reversed(months) if backwards else months:
                at = datetime(2010, month, 1, tzinfo=UTC)
                hub.record(conn, CITY, [Reading(name, "v", at, month)], CLOCK)
                conn.commit()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=a) for a in ((entity, False), (other, True))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    found = setting_up.execute("SELECT count(*) FROM hub_point").fetchone()
    assert found == (24,)
