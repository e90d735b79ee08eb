"""What becomes of a reading: one test for each rule in the table of docs/hub.md."""

import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from onsil import hub
from onsil.core.announce import CHANNEL
from onsil.core.clock import FixedClock
from onsil.core.periods import Period
from onsil.core.refusal import OperationError
from onsil.hub import Reading, SeriesSpec

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)
DAY = Period(T0, T0 + timedelta(days=1))


@pytest.fixture
def clock():
    return FixedClock(T0 + timedelta(hours=1))


@pytest.fixture
def energy(conn):
    """A quarter-hourly meter in Wh, up to 50 kWh an interval."""
    spec = SeriesSpec(
        METER, "activeEnergy", "Wh", 900, "interval", Decimal(0), Decimal(50_000), grace_s=600
    )
    return hub.ensure_series(conn, CITY, [spec])[METER, "activeEnergy"]


def at(minute, value, unit="Wh", **more):
    return Reading(METER, "activeEnergy", T0 + timedelta(minutes=minute), value, unit, **more)


def stored(conn, series, period=DAY):
    found = hub.points(conn, CITY, series.id, period)
    return dict(zip(found.times, found.values, strict=True))


def test_readings_are_stored_in_the_series_unit_exactly(conn, energy, clock):
    report = hub.record(
        conn, CITY, [at(0, 0.1, "kWh"), at(15, Decimal("1.234"), "KWH"), at(30, 7)], clock
    )
    assert (report.stored, report.quarantined) == (3, [])
    assert list(stored(conn, energy).values()) == [Decimal("100"), Decimal("1234"), Decimal(7)]


def test_a_duplicate_is_counted_and_changes_nothing(conn, energy, clock):
    hub.record(conn, CITY, [at(0, 5)], clock)
    report = hub.record(conn, CITY, [at(0, 5), at(0, 5.0), at(0, Decimal("0.005"), "kWh")], clock)
    assert (report.stored, report.duplicate, report.corrected) == (0, 3, 0)
    assert stored(conn, energy) == {T0: Decimal(5)}
    assert hub.revisions(conn, CITY, energy.id, DAY) == []


def test_a_correction_wins_and_keeps_what_was_before(conn, energy, clock):
    first = clock.now()
    hub.record(conn, CITY, [at(0, 5), at(15, 6)], clock)
    clock.advance(timedelta(minutes=3))
    report = hub.record(conn, CITY, [at(0, 8, message_id="fix-1")], clock)
    assert (report.stored, report.corrected) == (0, 1)
    assert stored(conn, energy)[T0] == 8
    (revision,) = hub.revisions(conn, CITY, energy.id, DAY)
    assert (revision.old_value, revision.new_value) == (5, 8)
    assert (revision.old_received_at, revision.new_received_at) == (first, clock.now())
    assert revision.message_id == "fix-1"
    (hour,) = hub.rollups(conn, CITY, energy.id, DAY)
    assert (hour.count, hour.total, hour.minimum, hour.maximum) == (2, 14, 6, 8)


def test_two_values_for_one_time_in_one_batch_are_a_correction(conn, energy, clock):
    report = hub.record(conn, CITY, [at(0, 5), at(0, 9), at(0, 9)], clock)
    assert (report.stored, report.corrected, report.duplicate) == (1, 1, 1)
    assert stored(conn, energy) == {T0: Decimal(9)}
    assert [r.old_value for r in hub.revisions(conn, CITY, energy.id, DAY)] == [5]


def test_the_latest_point_follows_time_and_correction(conn, energy, clock):
    hub.record(conn, CITY, [at(30, 3)], clock)
    hub.record(conn, CITY, [at(15, 2)], clock)
    assert hub.latest(conn, CITY, [energy.id])[energy.id].value == 3
    hub.record(conn, CITY, [at(30, 4)], clock)
    assert hub.latest(conn, CITY, [energy.id])[energy.id].value == 4


def test_late_means_after_the_interval_and_the_grace(conn, energy, clock):
    closes = T0 + timedelta(seconds=900 + 600)
    report = hub.record(
        conn,
        CITY,
        [
            at(0, 1, received_at=closes),
            at(15, 1, received_at=closes + timedelta(minutes=15, microseconds=1)),
        ],
        clock,
    )
    assert (report.stored, report.late) == (2, 1)
    assert hub.linkage(conn, CITY, [energy.id], DAY) == hub.Linkage(96, 1)


def refused(report):
    return [(q.index, q.code) for q in report.quarantined]


def test_a_clock_that_jumped_ahead_is_quarantined(conn, energy, clock):
    just = clock.now() + timedelta(minutes=5)
    readings = [
        Reading(METER, "activeEnergy", just, 1),
        Reading(METER, "activeEnergy", just + timedelta(microseconds=1), 1),
        Reading(METER, "activeEnergy", datetime(1970, 1, 1, tzinfo=UTC), 1),
        Reading(METER, "activeEnergy", datetime(2025, 3, 1), 1),  # noqa: DTZ001
    ]
    report = hub.record(conn, CITY, readings, clock)
    assert refused(report) == [
        (1, "observed-in-future"), (2, "observed-too-early"), (3, "no-zone"),
    ]  # fmt: skip
    assert report.stored == 1


@pytest.mark.parametrize(
    ("value", "unit", "code"),
    [
        (math.nan, "Wh", "not-a-number"),
        (math.inf, "Wh", "not-a-number"),
        (True, "Wh", "not-a-number"),
        ("12", "Wh", "not-a-number"),
        (None, "Wh", "not-a-number"),
        (Decimal("1e400"), "Wh", "not-a-number"),
        (10**400, "Wh", "not-a-number"),
        (-1, "Wh", "negative-energy"),
        (50_001, "Wh", "out-of-range"),
        (51, "kWh", "out-of-range"),
        (1, "degC", "wrong-dimension"),
        (1, "furlongs-per-moon", "unknown-unit"),
    ],
)
def test_impossible_values_and_units_are_quarantined(conn, energy, clock, value, unit, code):
    report = hub.record(conn, CITY, [at(0, value, unit, message_id="m"), at(15, 1)], clock)
    assert refused(report) == [(0, code)]
    assert report.stored == 1
    (entry,) = hub.quarantine_list(conn, CITY)
    assert entry.code == code
    assert entry.raw["entity"] == METER
    assert str(entry.raw["value"]) == str(value)
    assert entry.raw["unit"] == unit
    assert entry.ko
    assert entry.en
    assert entry.message_id == "m"


def test_energy_that_flows_back_is_fine_for_a_power_gauge(conn, clock):
    power = SeriesSpec(METER, "activePower", "W", 60)
    hub.ensure_series(conn, CITY, [power])
    report = hub.record(conn, CITY, [Reading(METER, "activePower", T0, -250)], clock)
    assert report.stored == 1


def test_unknown_series_and_other_cities_are_told_apart(conn, energy, clock):
    readings = [
        Reading(METER, "voltage", T0, 230, "V"),
        Reading("urn:ngsi-ld:Meter:goyang:m-1", "activeEnergy", T0, 1, "Wh"),
        Reading("urn:ngsi-ld:Meter:pyeongtaek:m-2", "activeEnergy", T0, 1, "Wh"),
    ]
    report = hub.record(conn, CITY, readings, clock)
    assert refused(report) == [(0, "unknown-series"), (1, "wrong-city"), (2, "unknown-series")]
    assert len(hub.quarantine_list(conn, CITY)) == 3


def test_the_same_bad_message_again_is_kept_once(conn, energy, clock):
    for _ in range(2):
        hub.record(conn, CITY, [at(0, -1, message_id="m-7")], clock, "device:m-1")
        clock.advance(timedelta(seconds=5))
    assert [e.origin for e in hub.quarantine_list(conn, CITY)] == ["device:m-1"]


def test_a_counter_never_goes_back(conn, clock):
    spec = SeriesSpec(METER, "total", "kWh", 900, "counter")
    series = hub.ensure_series(conn, CITY, [spec])[METER, "total"]

    def total(minute, value):
        return Reading(METER, "total", T0 + timedelta(minutes=minute), value)

    hub.record(conn, CITY, [total(0, 100), total(30, 120)], clock)
    report = hub.record(
        conn, CITY, [total(45, 119), total(15, 121), total(15, 110), total(50, 125)], clock
    )
    assert refused(report) == [(0, "counter-back"), (1, "counter-back")]
    assert list(stored(conn, series).values()) == [100, 110, 120, 125]


def test_points_fall_into_months_made_on_demand(conn, energy):
    clock = FixedClock(datetime(2027, 1, 1, tzinfo=UTC))
    months = [datetime(2019, 2, 28, 23, 45, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)]
    report = hub.record(
        conn, CITY, [Reading(METER, "activeEnergy", m, 1, "Wh") for m in months], clock
    )
    assert (report.stored, report.late) == (2, 2)
    whole = Period(months[0], months[1] + timedelta(days=1))
    assert list(stored(conn, energy, whole)) == months


def test_a_series_keeps_its_unit_and_kind(conn, energy):
    with pytest.raises(OperationError, match="cannot become"):
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activeEnergy", "kWh", 900, "interval")])
    with pytest.raises(OperationError, match="unknown unit"):
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "x", "blorps", 900)])
    with pytest.raises(OperationError, match="not an entity"):
        hub.ensure_series(conn, CITY, [SeriesSpec("urn:ngsi-ld:Meter:goyang:1", "x", "W", 900)])
    looser = SeriesSpec(METER, "activeEnergy", "Wh", 900, "interval", None, Decimal(90_000))
    again = hub.ensure_series(conn, CITY, [looser])[METER, "activeEnergy"]
    assert (again.id, again.maximum) == (energy.id, 90_000)


def test_readings_wake_the_live_pages(connector, fresh_database):
    listener = connector(autocommit=True)
    listener.execute(f"LISTEN {CHANNEL}")
    writer = connector()
    hub.ensure_series(writer, CITY, [SeriesSpec(METER, "activeEnergy", "Wh", 900, "interval")])
    hub.record(writer, CITY, [at(0, 5)], FixedClock(T0 + timedelta(hours=1)))
    writer.commit()
    (told,) = listener.notifies(timeout=5, stop_after=1)
    assert json.loads(told.payload) == {
        "city": CITY, "topic": hub.LIVE_TOPIC, "message": {"stored": 1, "corrected": 0},
    }  # fmt: skip
