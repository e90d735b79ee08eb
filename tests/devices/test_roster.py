"""What the ingest remembers between batches never outlives a change of the register."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import psycopg
import pytest

from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.periods import Period
from onsil.devices import DeviceSpec, calibration, mqtt
from onsil.devices.mqtt import _One, _Store
from onsil.devices.topics import parse_topic
from onsil.hub import SeriesSpec
from onsil.hub.lake import export, place
from onsil.hub.lake.export import close_month

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    return FixedClock(T0 + timedelta(hours=2))


@pytest.fixture
def city(fresh_database):
    """Another process's connection, each statement committed."""
    with connect(fresh_database, CITY, autocommit=True) as conn:
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activePower", "W", 60)])
        devices.register_device(conn, CITY, DeviceSpec("m-1", (METER,)))
        yield conn


@pytest.fixture
def store(fresh_database, clock):
    made = _Store(fresh_database, clock, threading.Event())
    yield made
    made.close()


@pytest.fixture
def lake(tmp_path, monkeypatch):
    for module in (place, export):
        monkeypatch.setattr(module, "folder", lambda: tmp_path)


def send(store, minute, value, device="m-1"):
    topic = f"onsil/{CITY}/{device}/up"
    at = T0 + timedelta(minutes=minute)
    body = orjson.dumps({"at": at.isoformat(), "values": {"activePower": value}})
    one = _One(parse_topic(topic), topic.encode(), body, store.clock.now())
    assert store.keep([one])


def points(conn):
    (series,) = hub.find_series(conn, CITY)
    found = hub.points(conn, CITY, series.id, Period(T0, T0 + timedelta(days=1)))
    return {(at - T0) // timedelta(minutes=1): float(value)
            for at, value in zip(found.times, found.values, strict=True)}  # fmt: skip


def codes(conn):
    return [one.code for one in hub.quarantine_list(conn, CITY)]


def test_what_changes_counts_from_the_next_batch(store, city, clock):
    send(store, 0, 5)
    send(store, 1, 5)
    (device,) = devices.devices(city, CITY)
    made = calibration.calibrate(city, device, METER, "activePower", "W", Decimal(2), Decimal(0),
                                 T0, None, "engineer", clock=clock)  # fmt: skip
    assert isinstance(made, calibration.Calibration)
    send(store, 2, 5)
    limited = SeriesSpec(METER, "activePower", "W", 60, maximum=Decimal(9))
    hub.ensure_series(city, CITY, [limited])
    send(store, 3, 5)
    send(store, 4, 4)
    devices.register_device(city, CITY, DeviceSpec("m-1", (METER + "0",)))
    send(store, 5, 4)
    assert points(city) == {0: 5, 1: 5, 2: 10, 4: 8}
    assert codes(city) == ["unknown-series", "out-of-range"]


def test_what_was_not_known_is_known_once_it_is_registered(store, city):
    send(store, 0, 1, "m-2")
    devices.register_device(city, CITY, DeviceSpec("m-2", (METER,)))
    send(store, 1, 2, "m-2")
    city.execute("DELETE FROM devices_device WHERE city = %s AND device_id = 'm-2'", (CITY,))
    send(store, 2, 3, "m-2")
    assert points(city) == {1: 2}
    assert codes(city) == ["unknown-device"] * 2


def test_points_among_those_there_are_told_apart_from_newer_ones(store, city):
    for minute, value in ((5, 5), (5, 5), (5, 6), (2, 2), (2, 3), (7, 7)):
        send(store, minute, value)
    assert points(city) == {2: 3, 5: 6, 7: 7}
    (series,) = hub.find_series(city, CITY)
    day = Period(T0, T0 + timedelta(days=1))
    assert [r.old_value for r in hub.revisions(city, CITY, series.id, day)] == [2, 5]
    (hour,) = hub.rollups(city, CITY, series.id, day)
    assert (hour.count, hour.total, hour.minimum, hour.maximum) == (3, 16, 3, 7)
    assert hub.latest(city, CITY, [series.id])[series.id].value == 7


def test_a_month_that_leaves_for_the_lake_is_not_taken_for_open(store, city, fresh_database, lake):
    send(store, 0, 1)
    send(store, 1, 2)
    with connect(fresh_database, "*") as operator:
        later = FixedClock(T0 + timedelta(days=80))
        assert close_month(operator, T0.date(), later).state == "dropped"
    send(store, 2, 3)
    send(store, 1, 2)
    assert points(city) == {0: 1, 1: 2, 2: 3}
    assert codes(city) == []


def test_a_batch_that_is_rolled_back_leaves_nothing_remembered(store, city, monkeypatch):
    """The month's partition goes with the batch that made it."""
    genuine, failures = mqtt.ingest, iter([True, False])

    def fails_once(*arguments):
        report = genuine(*arguments)
        if next(failures):
            raise psycopg.OperationalError("the connection is lost before the commit")
        return report

    monkeypatch.setattr(mqtt, "ingest", fails_once)
    send(store, 0, 1)
    assert points(city) == {0: 1}
    store.note_seen(last=True)
    assert devices.seen(city, CITY)["m-1"].messages == 1


def test_who_was_heard_is_counted_once_the_batch_is_committed(store, city, fresh_database):
    send(store, 0, 1)
    send(store, 1, "x")
    assert devices.seen(city, CITY) == {}
    with psycopg.connect(
        fresh_database, autocommit=True
    ) as admin:  # the connection is lost meanwhile
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid = %s",
            (store.connection.info.backend_pid,),
        )
    store.note_seen(last=True)
    send(store, 2, 3)
    store.note_seen(last=True)
    seen = devices.seen(city, CITY)["m-1"]
    assert (seen.messages, seen.refused, seen.last_seen) == (3, 1, store.clock.now())
