"""The real Mosquitto: readings arrive whatever dies on the way, and nothing is doubled."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from onsil import devices, hub
from onsil.core.database import connect
from onsil.core.programs import run_program
from onsil.devices import DeviceSpec, MqttSettings, SimulatorSpec
from onsil.hub import SeriesSpec
from onsil.supervisor.postgres import EmbeddedPostgres

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
PROGRAM = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")


class Mosquitto:
    """One broker on a port of its own, in a folder of its own."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true\n") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.configuration = folder / "mosquitto.conf"
        user = pwd.getpwuid(os.geteuid()).pw_name
        self.configuration.write_text(
            f"listener {self.port} 127.0.0.1\nuser {user}\npersistence true\n"
            f"persistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1\n"
            f"max_inflight_messages 0\nmax_queued_messages 0\n{extra}"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM, "Mosquitto is not installed; `make test` installs it"
        self.process = subprocess.Popen(
            [PROGRAM, "-c", str(self.configuration)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: socket.create_connection(("127.0.0.1", self.port), 0.2).close() is None)

    def stop(self, *, kill: bool = False) -> None:
        if self.process:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(10)
            self.process = None

    @property
    def settings(self) -> MqttSettings:
        return MqttSettings("127.0.0.1", self.port)


def until(happens, timeout=20.0):
    """Wait for something that may raise until it is so."""
    end = time.monotonic() + timeout
    while True:
        try:
            if happens():
                return
        except (OSError, psycopg.Error):
            pass
        assert time.monotonic() < end, f"it did not come to pass: {happens()}"
        time.sleep(0.05)


@pytest.fixture
def broker():
    folder = Path(tempfile.mkdtemp(prefix="onsil-mqtt-"))
    made = Mosquitto(folder)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@contextmanager
def ingesting(dsn, settings):
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=devices.run_mqtt, args=(dsn, settings, stop, None, ready))
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


@contextmanager
def publishing(settings, username="", password=""):
    client = paho.Client(CallbackAPIVersion.VERSION2)
    if username:
        client.username_pw_set(username, password)
    client.reconnect_delay_set(1, 1)
    client.connect(settings.host, settings.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def prepared(dsn):
    with connect(dsn, CITY) as conn:
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activePower", "W", 60)])
        return devices.register_device(conn, CITY, DeviceSpec("m-1", (METER,)))[1]


T0 = datetime(2025, 3, 1, tzinfo=UTC)


def up(number, count=10):
    """A message of ten readings, a second apart."""
    return orjson.dumps({"id": str(number), "readings": [
        {"attribute": "activePower", "value": number * count + i,
         "at": (T0 + timedelta(seconds=number * count + i)).isoformat()} for i in range(count)
    ]})  # fmt: skip


def count(dsn, table="hub_point"):
    with connect(dsn, CITY) as conn:
        return conn.execute("SELECT count(*) FROM " + table).fetchone()[0]  # noqa: S608


def test_readings_go_from_the_broker_to_points(fresh_database, broker):
    prepared(fresh_database)
    with ingesting(fresh_database, broker.settings), publishing(broker.settings) as client:
        for number in range(20):
            client.publish("onsil/pyeongtaek/m-1/up", up(number), qos=1)
        client.publish("onsil/pyeongtaek/m-1/activePower", b'{"value": 1}', qos=1)
        for topic, payload in (
            ("onsil/pyeongtaek/m-1/up", b"{broken"),
            ("onsil/pyeongtaek/m-9/up", up(0)),
            ("onsil/goyang/m-1/up", up(0)),
            ("onsil/nonsense", b"1"),
        ):
            client.publish(topic, payload, qos=1)
        until(lambda: count(fresh_database) == 201)
        until(lambda: count(fresh_database, "hub_quarantine") == 2)
    with connect(fresh_database, "*") as conn:
        rows = conn.execute("SELECT city, code FROM hub_quarantine ORDER BY 1, 2").fetchall()
    assert rows == [
        ("goyang", "unknown-device"), ("pyeongtaek", "malformed"),
        ("pyeongtaek", "unknown-device"), ("unknown", "bad-topic"),
    ]  # fmt: skip


def test_what_came_while_the_ingest_was_away_is_waiting(fresh_database, broker):
    prepared(fresh_database)
    with ingesting(fresh_database, broker.settings), publishing(broker.settings) as client:
        client.publish("onsil/pyeongtaek/m-1/up", up(0), qos=1)
        until(lambda: count(fresh_database) == 10)
    with publishing(broker.settings) as client:
        client.publish("onsil/pyeongtaek/m-1/up", up(1), qos=1).wait_for_publish(5)
    assert count(fresh_database) == 10
    with ingesting(fresh_database, broker.settings):
        until(lambda: count(fresh_database) == 20)


def test_a_killed_broker_comes_back_and_nothing_is_lost_or_doubled(fresh_database, broker):
    prepared(fresh_database)
    with ingesting(fresh_database, broker.settings), publishing(broker.settings) as client:
        for number in range(60):
            client.publish("onsil/pyeongtaek/m-1/up", up(number), qos=1)
            if number == 30:
                until(lambda: count(fresh_database) > 0)
                broker.stop(kill=True)
                broker.start()
        until(lambda: count(fresh_database) == 600, 30)
    assert count(fresh_database, "hub_point_revision") == 0


def test_a_database_killed_mid_ingest_loses_and_doubles_nothing(postgres, broker):
    """A server of its own, with durability on, crash-stopped while messages pour in."""
    home = Path(tempfile.gettempdir()) / f"onsil-crash-{os.getpid()}"
    server = EmbeddedPostgres.at(home, shared_buffers="32MB")
    server.start()
    try:
        dsn = server.create_database("onsil")
        schema = run_program(
            [_program("pg_dump"), "--schema-only", "--no-owner", postgres.dsn("onsil_template")]
        )
        restore(dsn, schema)
        prepared(dsn)
        with ingesting(dsn, broker.settings), publishing(broker.settings) as client:
            for number in range(120):
                client.publish("onsil/pyeongtaek/m-1/up", up(number), qos=1)
                if number == 60:
                    until(lambda: count(dsn) > 0)
                    server.stop("immediate")
                time.sleep(0.002)
            server.start()
            until(lambda: count(dsn) == 1200, 30)
        with connect(dsn, CITY) as conn:
            (series,) = hub.find_series(conn, CITY)
            hours = hub.rollups(conn, CITY, series.id, hub_period())
            assert sum(h.count for h in hours) == 1200
            assert sum(h.total for h in hours) == sum(range(1200))
    finally:
        server.remove()


def _program(name):
    from onsil.supervisor.postgres import program

    return str(program(name))


def restore(dsn, schema):
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("CREATE ROLE onsil_app NOLOGIN")
        # The dump's own search path and psql's commands are not for us.
        lines = (s for s in schema.splitlines() if not s.startswith(("\\", "SELECT pg_catalog")))
        owner.execute("\n".join(lines))


def hub_period():
    from onsil.core.periods import Period

    return Period(T0, T0 + timedelta(days=1))


def test_the_broker_holds_devices_to_their_own_topics(fresh_database):
    """The logins the register makes, on a broker without anonymous access."""
    token = prepared(fresh_database)
    folder = Path(tempfile.mkdtemp(prefix="onsil-mqtt-"))
    with connect(fresh_database, CITY) as conn:
        accounts = devices.broker_accounts(conn, CITY)
    ours = "hub:" + accounts[0].password_line.partition(":")[2]
    (folder / "passwords").write_text("\n".join([a.password_line for a in accounts] + [ours, ""]))
    access = ["user hub", "topic read onsil/#"]
    for account in accounts:
        access += [f"user {account.username}", f"topic write {account.topic}"]
    (folder / "access").write_text("\n".join([*access, ""]))
    for name in ("passwords", "access"):
        (folder / name).chmod(0o600)
    broker = Mosquitto(
        folder,
        f"allow_anonymous false\npassword_file {folder}/passwords\nacl_file {folder}/access\n",
    )
    broker.start()
    settings = MqttSettings("127.0.0.1", broker.port, "hub", token)
    try:
        with (
            ingesting(fresh_database, settings),
            publishing(settings, "pyeongtaek.m-1", token) as client,
        ):
            client.publish("onsil/pyeongtaek/m-2/up", up(0), qos=1)
            client.publish("onsil/goyang/m-1/up", up(0), qos=1)
            client.publish("onsil/pyeongtaek/m-1/up", up(1), qos=1)
            until(lambda: count(fresh_database) == 10)
        with connect(fresh_database, "*") as conn:
            assert conn.execute("SELECT count(*) FROM hub_quarantine").fetchone() == (0,)
        refused = []
        forged = paho.Client(CallbackAPIVersion.VERSION2)
        forged.username_pw_set("pyeongtaek.m-1", "forged")
        forged.on_connect = lambda c, d, f, reason, p: refused.append(reason.is_failure)
        forged.connect(settings.host, settings.port)
        forged.loop_start()
        until(lambda: refused)
        forged.loop_stop()
        assert refused[0] is True
    finally:
        broker.stop()
        shutil.rmtree(folder)


def test_simulators_fill_the_hub_over_the_broker(fresh_database, broker):
    specs = [SimulatorSpec(CITY, "sim-1", "household", 1), SimulatorSpec(CITY, "sim-2", "soil", 1)]
    with connect(fresh_database, CITY) as conn:
        devices.register_simulators(conn, CITY, specs)
    stop = threading.Event()
    thread = threading.Thread(target=devices.run_simulators, args=(broker.settings, specs, stop))
    with ingesting(fresh_database, broker.settings):
        thread.start()
        until(lambda: count(fresh_database) >= 8)
        stop.set()
        thread.join(10)
    assert count(fresh_database, "hub_quarantine") == 0
