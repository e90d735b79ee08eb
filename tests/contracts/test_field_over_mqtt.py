"""The real Mosquitto: Sparkplug, commands and their answers, certificates, a killed ingest."""

import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson
import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.enums import CallbackAPIVersion

from contracts.test_mqtt_broker import (
    CITY,
    METER,
    Mosquitto,
    broker,  # noqa: F401 (a fixture)
    count,
    ingesting,
    prepared,
    publishing,
    until,
    up,
)
from onsil import devices, hub
from onsil.configuration import Configuration
from onsil.core.clock import SystemClock
from onsil.core.database import connect, transaction
from onsil.core.refusal import OperationError
from onsil.devices import DeviceSpec
from onsil.devices.commands import commands, order
from onsil.devices.commands.sending import run_sending
from onsil.devices.drivers.sparkplug import parse
from onsil.devices.drivers.sparkplug_proto import Payload
from onsil.devices.tokens import issue_token
from onsil.hub import SeriesSpec
from onsil.supervisor.broker import Broker

PUMP = "urn:ngsi-ld:Pump:pyeongtaek:p-1"


@contextmanager
def listening(settings, topic):
    """What is published on a topic, as it comes."""
    heard = []
    with publishing(settings) as client:
        client.on_message = lambda _c, _d, message: heard.append(message)
        subscribed = threading.Event()
        client.on_subscribe = lambda *_: subscribed.set()
        client.subscribe(topic, qos=1)
        assert subscribed.wait(10)
        yield heard


def metrics(seq, *listed):
    made = Payload()
    made.timestamp = int(time.time() * 1000) - 20_000 + (seq or 0) * 1000
    if seq is not None:
        made.seq = seq
    for one in listed:
        made.metrics.add(**one)
    return made.SerializeToString()


def test_a_sparkplug_node_is_born_speaks_is_lost_and_asked_to_be_born_again(
    fresh_database,
    broker,  # noqa: F811
):
    with transaction(fresh_database, CITY) as conn:
        hub.ensure_series(conn, CITY, [SeriesSpec(PUMP, "flow", "liter / s", 60)])
        devices.register_device(conn, CITY, DeviceSpec("gw.p1", (PUMP,), "sparkplug-b"))
    base = f"spBv1.0/{CITY}"
    with (
        ingesting(fresh_database, broker.settings),
        listening(broker.settings, "spBv1.0/STATE/onsil") as states,
        listening(broker.settings, f"{base}/NCMD/gw") as told,
        publishing(broker.settings) as client,
    ):
        until(lambda: states and orjson.loads(states[-1].payload)["online"] is True)
        born = {"name": "bdSeq", "datatype": 4, "long_value": 1}
        flow = {"name": "flow", "alias": 1, "datatype": 9, "float_value": 0.1}
        client.publish(f"{base}/NBIRTH/gw", metrics(0, born), qos=0)
        client.publish(f"{base}/DBIRTH/gw/p1", metrics(1, flow), qos=0)
        client.publish(f"{base}/DDATA/gw/p1", metrics(2, {"alias": 1, "float_value": 0.2}), qos=0)
        until(lambda: count(fresh_database) == 2)
        client.publish(f"{base}/DDATA/gw/p1", metrics(9, {"alias": 1, "float_value": 7}), qos=0)
        until(lambda: told)
        assert parse(told[0].payload).metrics[0].name == "Node Control/Rebirth"
        client.publish(f"{base}/NDEATH/gw", metrics(None, born), qos=1)

        def dead():
            with connect(fresh_database, CITY) as conn:
                return devices.seen(conn, CITY)["gw.p1"].online is False

        until(dead)
        assert count(fresh_database) == 2


def test_a_command_goes_down_and_its_answer_comes_up(fresh_database, broker):  # noqa: F811
    with transaction(fresh_database, CITY) as conn:
        hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activePower", "W", 60)])
        options = {"actuators": {"relay": {"kind": "boolean", "safe": False}}}
        device, _ = devices.register_device(
            conn, CITY, DeviceSpec("m-1", (METER,), options=options)
        )
        order(conn, device, "relay", True, "kim", SystemClock(), retry_s=1)
    stop = threading.Event()
    sender = threading.Thread(
        target=run_sending, args=(fresh_database, broker.settings, stop, SystemClock(), 0.05)
    )

    def state():
        with connect(fresh_database, CITY) as conn:
            return [c.state for c in commands(conn, CITY) if not c.safe]

    with (
        ingesting(fresh_database, broker.settings),
        listening(broker.settings, f"onsil/{CITY}/m-1/down") as down,
        publishing(broker.settings) as client,
    ):
        sender.start()
        try:
            until(lambda: len(down) >= 2)  # the first went unanswered: it is sent again
            first, second = (orjson.loads(m.payload) for m in down[:2])
            assert first["command"] == second["command"]
            assert (first["attempt"], second["attempt"]) == (1, 2)
            body = orjson.dumps({"command": first["command"], "status": "done"})
            client.publish(f"onsil/{CITY}/m-1/ack", body, qos=1)
            until(lambda: state() == ["done"])
        finally:
            stop.set()
            sender.join(10)
    with connect(fresh_database, "*") as conn:
        assert conn.execute("SELECT count(*) FROM hub_quarantine").fetchone() == (0,)


_INGEST = """
import sys, threading
from onsil import devices
settings = devices.MqttSettings("127.0.0.1", int(sys.argv[2]))
devices.run_mqtt(sys.argv[1], settings, threading.Event())
"""


def test_an_ingest_killed_again_and_again_loses_and_doubles_nothing(
    fresh_database,
    broker,  # noqa: F811
):
    prepared(fresh_database)
    with ingesting(fresh_database, broker.settings):
        pass  # the persistent session is there from now on

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", _INGEST, fresh_database, str(broker.port)],
            stderr=subprocess.DEVNULL,
        )

    process = start()
    try:
        with publishing(broker.settings) as client:
            for number in range(150):
                client.publish("onsil/pyeongtaek/m-1/up", up(number), qos=1)
                if number % 50 == 25:
                    until(lambda: count(fresh_database) > 0, 60)
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    process = start()
            until(lambda: count(fresh_database) == 1500, 60)
    finally:
        process.kill()
        process.wait()
    assert count(fresh_database, "hub_point_revision") == 0


# ------------------------------------------------------------------ certificates


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])
        made = self._made(self.name, self.key.public_key(), authority=True)
        (folder / "ca.pem").write_bytes(made)

    def issue(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        (self.folder / f"{name}.pem").write_bytes(self._made(who, key.public_key()))
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))  # fmt: skip
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")

    def _made(self, who, key, *, authority=False):
        import ipaddress

        now = datetime.now(UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder().subject_name(who).issuer_name(self.name).public_key(key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1)).add_extension(here, critical=False)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )  # fmt: skip


def test_a_certificate_is_a_devices_login_at_the_broker(fresh_database, tmp_path):
    """The listener as `onsil up` writes it: the common name counts, nobody enters without one."""
    prepared(fresh_database)
    authority = Authority(tmp_path)
    cert, key = authority.issue("broker")
    conf = Configuration(
        mqtt_tls_port=_free_port(), mqtt_ca_file=str(tmp_path / "ca.pem"), mqtt_cert_file=cert,
        mqtt_key_file=key, data_folder=tmp_path,
    )  # fmt: skip
    ours = Broker.of(conf)
    assert ours is not None
    tls = ours.tls
    with connect(fresh_database, CITY) as conn:
        accounts = devices.broker_accounts(conn, CITY)
    access = ["user hub", "topic readwrite #"]
    for account in accounts:
        access += [f"user {account.username}", *(f"topic {one}" for one in account.access)]
    (tmp_path / "passwords").write_text("hub:" + accounts[0].password_line.partition(":")[2] + "\n")
    (tmp_path / "access").write_text("\n".join([*access, ""]))
    for name in ("passwords", "access"):
        (tmp_path / name).chmod(0o600)
    server = Mosquitto(
        tmp_path,
        f"allow_anonymous false\npassword_file {tmp_path}/passwords\n"
        f"acl_file {tmp_path}/access\n{tls}",
    )
    server.start()
    try:
        with connect(fresh_database, CITY) as conn:
            token = issue_token(conn, CITY, "m-1")
            line = devices.broker_accounts(conn, CITY)[0].password_line.partition(":")[2]
        (tmp_path / "passwords").write_text(f"hub:{line}\n")
        os.kill(server.process.pid, signal.SIGHUP)
        settings = devices.MqttSettings("127.0.0.1", server.port, "hub", token)
        with ingesting(fresh_database, settings):
            for name in ("pyeongtaek.m-1", "pyeongtaek.m-2"):
                with _over_tls(conf, authority.issue(name)) as client:
                    client.publish("onsil/pyeongtaek/m-1/up", up(0 if name[-1] == "1" else 5),
                                   qos=1).wait_for_publish(10)  # fmt: skip
            until(lambda: count(fresh_database) == 10)
            time.sleep(0.5)
            assert count(fresh_database) == 10
        with pytest.raises((ssl.SSLError, OSError)), _over_tls(conf, None):
            pass
    finally:
        server.stop()


def _free_port():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def _over_tls(conf, pair):
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.tls_set(conf.mqtt_ca_file, *(pair or (None, None)))
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", conf.mqtt_tls_port)
    client.loop_start()
    try:
        if not connected.wait(5):
            raise OSError("the broker does not let us in")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_tls_port_without_its_files_is_refused(tmp_path):
    with pytest.raises(OperationError):
        Broker.of(Configuration(mqtt_tls_port=8883, data_folder=tmp_path))
