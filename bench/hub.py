"""The hub: every scenario over HTTP, and readings from a real Mosquitto to committed points.

The scenarios are in `_broker`, `hub_query`, `hub_temporal` and `hub_notify`. Readings stand beside
raw COPY of the same rows.

A PostgreSQL of its own with durability on, a Mosquitto of its own, QoS 1, ten readings a message.
The messages wait in the broker; the clock runs from the moment before the ingest, a process of its
own, connects until the last point is committed. The yardstick is COPY of the same rows into a table
of the same shape with the same primary key, in batches of as many rows as an ingest batch may have,
each its own commit.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from bench import _broker, hub_notify, hub_query, hub_temporal
from bench.database import installation
from bench.figure import Figure
from onsil import devices, hub
from onsil.core.database import connect
from onsil.devices.mqtt import MESSAGES_MAX

CITY = "pyeongtaek"
DEVICES = 500
READINGS_A_MESSAGE = 10
T0 = datetime(2025, 3, 1, tzinfo=UTC)
READINGS = 200_000
RATIO_GOAL = 0.2


def entity(number: int) -> str:
    return hub.entity_uri("Meter", CITY, f"m-{number}")


def prepare(dsn: str) -> None:
    """Devices and series, and this month's partition."""
    names = [entity(n) for n in range(DEVICES)]
    with connect(dsn, CITY) as conn:
        hub.ensure_series(conn, CITY, [hub.SeriesSpec(n, "activePower", "W", 60) for n in names])
        for number, name in enumerate(names):
            devices.register_device(conn, CITY, devices.DeviceSpec(f"m-{number}", (name,)))
        conn.execute("SELECT hub_ensure_months(%s::date[])", ([T0.date()],))


def messages(count: int) -> list[tuple[str, bytes]]:
    """(topic, payload) of `count` messages, each of the next ten minutes of one device."""
    made = []
    for number in range(count):
        device, turn = number % DEVICES, number // DEVICES
        readings = [
            {"attribute": "activePower", "at": (T0 + timedelta(minutes=turn * 10 + i)).isoformat(),
             "value": (number * 7 + i) % 4000 + 0.5}
            for i in range(READINGS_A_MESSAGE)
        ]  # fmt: skip
        payload = orjson.dumps({"id": str(number), "readings": readings})
        made.append((f"onsil/{CITY}/m-{device}/up", payload))
    return made


def start_broker(folder: Path) -> tuple[subprocess.Popen[bytes], devices.MqttSettings]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = pwd.getpwuid(os.geteuid()).pw_name
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nuser {user}\nallow_anonymous true\npersistence true\n"
        f"persistence_location {folder}/\nmax_inflight_messages 0\nmax_queued_messages 0\n"
    )
    path = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert path, "Mosquitto is not installed"
    process = subprocess.Popen([path, "-c", str(folder / "mosquitto.conf")])
    time.sleep(0.5)
    return process, devices.MqttSettings("127.0.0.1", port)


def publish(settings: devices.MqttSettings, waiting: list[tuple[str, bytes]]) -> None:
    """Put the messages into the broker, all acknowledged by it."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    client.connect(settings.host, settings.port)
    client.loop_start()
    sent = [client.publish(topic, payload, qos=1) for topic, payload in waiting]
    for one in sent:
        one.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def subscribe_first(dsn: str, settings: devices.MqttSettings) -> None:
    """Make the ingest's session, so that the broker keeps what comes for it."""
    stop, ready = threading.Event(), threading.Event()
    arguments = (dsn, settings, stop, None, ready)
    thread = threading.Thread(target=devices.run_mqtt, args=arguments)
    thread.start()
    assert ready.wait(10)
    stop.set()
    thread.join()


_INGEST = """
import sys, threading
from onsil import devices
settings = devices.MqttSettings("127.0.0.1", int(sys.argv[2]))
print("ready", flush=True)
devices.run_mqtt(sys.argv[1], settings, threading.Event())
"""


def ingest_seconds(dsn: str, settings: devices.MqttSettings, expected: int) -> float:
    """Seconds from before it connects until all points are committed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _INGEST, dsn, str(settings.port)], stdout=subprocess.PIPE
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        with psycopg.connect(dsn, autocommit=True) as watch:
            while True:
                # The roll-ups are written in the points' own transaction, and are fewer to count.
                row = watch.execute("SELECT coalesce(sum(count), 0) FROM hub_rollup").fetchone()
                if row and row[0] >= expected:
                    return time.monotonic() - started
                assert time.monotonic() - started < 300, f"only {row} of {expected}"
                time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()


def copy_seconds(dsn: str) -> float:
    """Seconds that COPY takes for the rows now in hub_point."""
    batch = MESSAGES_MAX * READINGS_A_MESSAGE
    columns = "ts, num, received_at, series_id, late, city"
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            f"SELECT {columns} FROM hub_point ORDER BY received_at, series_id, ts"
        ).fetchall()
        connection.execute("CREATE TABLE yardstick (LIKE hub_point INCLUDING ALL)")
        connection.commit()
        started = time.monotonic()
        for first in range(0, len(rows), batch):
            with connection.cursor().copy(f"COPY yardstick ({columns}) FROM STDIN") as copy:
                for row in rows[first : first + batch]:
                    copy.write_row(row)
            connection.commit()
        return time.monotonic() - started


def measure() -> Iterator[Figure]:
    """The broker over HTTP, scenario by scenario; readings through the whole way in, by COPY."""
    yield from _broker.measure()
    yield from hub_query.measure()
    yield from hub_temporal.measure()
    yield from hub_notify.measure()
    folder = Path(tempfile.mkdtemp(prefix="onsil-bench-"))
    broker, settings = start_broker(folder)
    try:
        with installation() as dsn:
            prepare(dsn)
            subscribe_first(dsn, settings)
            publish(settings, messages(READINGS // READINGS_A_MESSAGE))
            rate = READINGS / ingest_seconds(dsn, settings, READINGS)
            copied = READINGS / copy_seconds(dsn)
        yield Figure("mqtt_readings_per_s", rate, "readings/s", copied, RATIO_GOAL)
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for one in measure():
        print(orjson.dumps(one.row("hub")).decode())
