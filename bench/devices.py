"""Messages of one reading, and a city's whole fleet, through the real broker to committed points.

`mqtt_messages_per_s`: as in `bench/hub.py` the messages wait in the broker and the clock runs from
before the ingest connects until the last point is committed; the goal stands beside it.
`fleet_lag_s`: 4,500 devices, each a message a minute with its readings (three, as a meter has),
sent at random moments for FLEET_S seconds while the ingest runs; the longest any message waited
from its sending to its points' commit. `fleet_cpu_share`: what the ingest needed of one core.
"""

import os
import random
import shutil
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

from bench.database import installation
from bench.figure import Figure
from bench.hub import CITY, copy_seconds, ingest_seconds, publish, start_broker, subscribe_first
from onsil import devices, hub
from onsil.core.database import connect

DEVICES = 4_500
MESSAGES = 60_000  # the publisher may have 65,535 under way
FLEET_S = int(os.environ.get("ONSIL_BENCH_FLEET_S", "65"))
ATTRIBUTES = (("activePower", "W"), ("voltage", "V"), ("frequency", "Hz"))
T0 = datetime(2025, 3, 1, tzinfo=UTC)
RATE_GOAL = 8_000
LAG_GOAL_S = 5.0


def prepare(dsn: str) -> None:
    """The fleet: devices, their series, and the months their points fall into."""
    names = [hub.entity_uri("Meter", CITY, f"m-{n}") for n in range(DEVICES)]
    with connect(dsn, CITY) as conn:
        hub.ensure_series(
            conn, CITY, [hub.SeriesSpec(n, a, unit, 60) for n in names for a, unit in ATTRIBUTES]
        )
        for number, name in enumerate(names):
            devices.register_device(conn, CITY, devices.DeviceSpec(f"m-{number}", (name,)))
        conn.execute(
            "SELECT hub_ensure_months(%s::date[])", ([T0.date(), datetime.now(UTC).date()],)
        )
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("ANALYZE")  # what autovacuum does within its first minute


def single_messages() -> list[tuple[str, bytes]]:
    """Messages of one reading each, minute by minute through the fleet."""
    made = []
    for number in range(MESSAGES):
        device, turn = number % DEVICES, number // DEVICES
        body = {"at": (T0 + timedelta(minutes=turn)).isoformat(),
                "values": {"activePower": number % 4000 + 0.5}}  # fmt: skip
        made.append((f"onsil/{CITY}/m-{device}/up", orjson.dumps(body)))
    return made


_INGEST = """
import sys, threading
from onsil import devices
settings = devices.MqttSettings("127.0.0.1", int(sys.argv[2]))
ready = threading.Event()
threading.Thread(target=lambda: (ready.wait(), print("ready", flush=True)), daemon=True).start()
devices.run_mqtt(sys.argv[1], settings, threading.Event(), ready=ready)
"""


class Fleet:
    """4,500 devices over one connection, each at its own moment of the minute."""

    def __init__(self, settings: devices.MqttSettings) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.max_inflight_messages_set(2000)
        self.client.connect(settings.host, settings.port)
        self.client.loop_start()
        self.sent = 0

    def run(self, seconds: float) -> None:
        """Send for so long; every message says when it was sent."""
        source = random.Random(7)
        moments = sorted((source.uniform(0, 60), n) for n in range(DEVICES))
        begun = time.monotonic()
        for minute in range(int(seconds // 60) + 1):
            for moment, number in moments:
                due = begun + minute * 60 + moment
                if due - begun > seconds:
                    return
                wait = due - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                values = {a: source.random() * 100 + 100 for a, _ in ATTRIBUTES}
                body = {"at": datetime.now(UTC).isoformat(), "values": values}
                self.client.publish(f"onsil/{CITY}/m-{number}/up", orjson.dumps(body), qos=1)
                self.sent += 1

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fleet_run(dsn: str, settings: devices.MqttSettings) -> tuple[float, float, int]:
    """The longest lag in s, the ingest's share of a core, and the messages sent."""
    process = subprocess.Popen(
        [sys.executable, "-c", _INGEST, dsn, str(settings.port)], stdout=subprocess.PIPE
    )
    fleet = Fleet(settings)
    try:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        sender = threading.Thread(target=fleet.run, args=(FLEET_S,))
        started, before, worst = time.monotonic(), cpu_seconds(process.pid), 0.0
        sender.start()
        with psycopg.connect(dsn, autocommit=True) as watch:
            # A message sent before `moment` and not stored by now has waited since `moment`.
            while sender.is_alive() or _stored(watch) < fleet.sent * len(ATTRIBUTES):
                moment, due = time.monotonic(), fleet.sent * len(ATTRIBUTES)
                while _stored(watch) < due:
                    assert time.monotonic() - moment < 60, "the ingest fell behind"
                    time.sleep(0.01)
                worst = max(worst, time.monotonic() - moment)
                time.sleep(0.2)
        share = (cpu_seconds(process.pid) - before) / (time.monotonic() - started)
        return worst, share, fleet.sent
    finally:
        fleet.close()
        process.terminate()
        process.wait()


def _stored(watch: psycopg.Connection) -> int:
    row = watch.execute(
        "SELECT coalesce(sum(count), 0) FROM hub_rollup WHERE hour > now() - interval '3 hours'"
    ).fetchone()
    return int(row[0]) if row else 0


def measure() -> Iterator[Figure]:
    """Messages of one reading a second, then the fleet's lag and the ingest's share of a core."""
    folder = Path(tempfile.mkdtemp(prefix="onsil-bench-"))
    broker, settings = start_broker(folder)
    try:
        with installation() as dsn:
            prepare(dsn)
            subscribe_first(dsn, settings)
            publish(settings, single_messages())
            rate = MESSAGES / ingest_seconds(dsn, settings, MESSAGES)
            yield Figure("mqtt_messages_per_s", rate, "messages/s", RATE_GOAL, 1.0)
            yield Figure("mqtt_messages_copy_per_s", MESSAGES / copy_seconds(dsn), "rows/s")
            worst, share, sent = fleet_run(dsn, settings)
        assert sent >= DEVICES * (FLEET_S // 60)
        yield Figure("fleet_lag_s", worst, "s", LAG_GOAL_S, 1.0, less_is_better=True)
        yield Figure("fleet_cpu_share", share, "cores")
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(folder, ignore_errors=True)
