"""Notifications over a real Mosquitto (§7.2)."""

import asyncio
import json
import os
import pwd
import queue
import shutil
import socket
import subprocess
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from asynchronous import in_a_loop
from onsil.hub.subscriptions.by_mqtt import target_of
from onsil.hub.subscriptions.terms import Endpoint
from receiving import broker, created, prop, subscribed, subscription, told, until

PROGRAM = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
TOPIC = "city/notifications/a"


class Mosquitto:
    """A broker on a port of its own."""

    def __init__(self, folder, extra="allow_anonymous true\n"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        user = pwd.getpwuid(os.geteuid()).pw_name
        self.file = folder / "mosquitto.conf"
        self.file.write_text(f"listener {self.port} 127.0.0.1\nuser {user}\n{extra}")
        self.process = None

    def start(self):
        assert PROGRAM, "Mosquitto is not installed; `make test` installs it"
        self.process = subprocess.Popen(
            [PROGRAM, "-c", str(self.file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def listen(self, qos=2, **login):
        """A queue of what is published on the topic."""
        got: queue.Queue = queue.Queue()
        client = paho.Client(CallbackAPIVersion.VERSION2)
        if login:
            client.username_pw_set(**login)
        client.on_message = lambda _c, _u, message: got.put(message)
        ready = []
        client.on_subscribe = lambda *_: ready.append(1)
        client.connect("127.0.0.1", self.port)
        client.subscribe(TOPIC, qos)
        client.loop_start()
        end = time.monotonic() + 5
        while not ready:
            assert time.monotonic() < end
            time.sleep(0.01)
        return got, client


@pytest.fixture
def mosquitto(tmp_path):
    made = Mosquitto(tmp_path)
    made.start()
    yield made
    made.stop()


def pair(key, value):
    return {"key": key, "value": value}


@pytest.mark.parametrize(
    ("info", "qos"),
    [
        ([], 0),
        ([pair("MQTT-QoS", "1"), pair("MQTT-Version", "mqtt3.1.1")], 1),
        ([pair("MQTT-QoS", "2"), pair("MQTT-Version", "mqtt5.0")], 2),
    ],
)
def test_7_2_a_notification_over_mqtt(fresh_database, mosquitto, info, qos):
    async def work():
        got, client = mosquitto.listen()
        endpoint = {
            "uri": f"mqtt://user@127.0.0.1:{mosquitto.port}/{TOPIC}", "notifierInfo": info,
            "receiverInfo": [pair("test-receiver-key", "test-receiver-info")],
        }  # fmt: skip
        async with broker(fresh_database) as http:
            await subscribed(http, subscription("", notification={"endpoint": endpoint}))
            for number in range(3):
                await told(fresh_database, created(f"b{number}", level=prop(number)))
            await until(lambda: got.qsize() == 3)
        messages = [got.get() for _ in range(3)]
        client.disconnect()
        client.loop_stop()
        assert {message.qos for message in messages} == {qos}
        body = json.loads(messages[0].payload)
        assert body["metadata"]["Content-Type"] == "application/json"
        assert 'rel="http://www.w3.org/ns/json-ld#context"' in body["metadata"]["Link"]
        assert body["metadata"]["test-receiver-key"] == "test-receiver-info"
        assert body["body"]["type"] == "Notification"
        assert body["body"]["data"][0]["type"] == "Building"

    in_a_loop(work())


def test_a_broker_that_was_away_gets_what_it_missed(fresh_database, mosquitto):
    async def work():
        uri = f"mqtt://127.0.0.1:{mosquitto.port}/{TOPIC}"
        endpoint = {"uri": uri, "notifierInfo": [pair("MQTT-QoS", "1")]}
        async with broker(fresh_database) as http:
            path = await subscribed(http, subscription("", notification={"endpoint": endpoint}))
            got, client = mosquitto.listen()
            await told(fresh_database, created("b1", level=prop(1)))
            await until(lambda: got.qsize() == 1)
            client.loop_stop()
            await asyncio.to_thread(mosquitto.stop)
            await told(fresh_database, created("b2", level=prop(2)))
            begun = time.monotonic()
            while (await http.get(path)).json()["notification"]["status"] != "failed":
                assert time.monotonic() - begun < 3
                await asyncio.sleep(0.05)
            await asyncio.to_thread(mosquitto.start)
            got, client = mosquitto.listen()
            await until(lambda: got.qsize() == 1, 10)
            assert json.loads(got.get().payload)["body"]["data"][0]["level"]["value"] == 2
            client.loop_stop()

    in_a_loop(work())


def test_7_2_login_of_the_address(fresh_database, tmp_path):
    words = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(words), "city", "se:cret"], check=True)
    made = Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {words}\n")
    made.start()

    async def work():
        got, client = made.listen(username="city", password="se:cret")
        async with broker(fresh_database) as http:
            for login in ("city:wrong@", "city:se%3Acret@"):
                uri = f"mqtt://{login}127.0.0.1:{made.port}/{TOPIC}"
                await subscribed(http, subscription(uri))
            await told(fresh_database, created("b1", level=prop(1)))
            await until(lambda: got.qsize() == 1)
            await asyncio.sleep(0.3)
            assert got.qsize() == 1
        client.loop_stop()

    try:
        in_a_loop(work())
    finally:
        made.stop()


def test_7_2_defaults_of_an_address():
    target = target_of(Endpoint("mqtts://a:b@broker.example/x/y%20z"))
    assert target.broker.port == 8883
    assert target.broker.secure
    assert (target.broker.username, target.broker.password) == ("a", "b")
    assert target.topic == "x/y z"
    assert target.qos == 0
