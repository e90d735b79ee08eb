"""From the MQTT broker to committed points, losing nothing on the way.

The session is persistent and QoS 1, and a message is acknowledged only after the transaction that
holds its readings has been committed. Whatever dies in between, the broker sends it again, and the
hub's duplicate rule makes that harmless. Messages are gathered for a moment and recorded together.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import ALL_CITIES, Connection, connect, scope
from onsil.devices.ingest import Message, ingest, raw_payload
from onsil.devices.topics import SUBSCRIPTION, parse_topic
from onsil.hub import QuarantineDraft, quarantine_raw

log = logging.getLogger(__name__)

GATHER_S = 0.05
MESSAGES_MAX = 2_000
WAITING_MAX = 20_000
NO_CITY = "unknown"


@dataclass(frozen=True)
class MqttSettings:
    """Where the broker is. `client_id` names the persistent session: one process may use it."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    client_id: str = "onsil-ingest"


class _Arrived(NamedTuple):
    """A message with what is needed to acknowledge it."""

    topic: str
    payload: bytes
    received_at: datetime
    mid: int
    session: int


class _Subscriber:
    """The broker's side: takes messages in and acknowledges them when told to."""

    def __init__(self, settings: MqttSettings, clock: Clock, ready: threading.Event) -> None:
        self.clock = clock
        self.arrived: queue.Queue[_Arrived] = queue.Queue(WAITING_MAX)
        self.session = 0
        self.stopped = False
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, settings.client_id, clean_session=False, manual_ack=True
        )
        if settings.username:
            self.client.username_pw_set(settings.username, settings.password)
        self.client.reconnect_delay_set(1, 10)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.connect_async(settings.host, settings.port, keepalive=30)
        self.client.loop_start()

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _p: Any
    ) -> None:
        if reason.is_failure:
            log.warning("the broker refuses us: %s", reason)
            return
        log.info("connected to the broker")
        client.subscribe(SUBSCRIPTION, qos=1)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        # What has not been acknowledged comes again in the next session, under other numbers
        # perhaps: an acknowledgement must not cross over.
        self.session += 1
        if not self.stopped:
            log.warning("lost the broker: %s", reason)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        number = message.mid if message.qos else 0
        payload = bytes(message.payload)
        one = _Arrived(message.topic, payload, self.clock.now(), number, self.session)
        while not self.stopped:
            try:
                self.arrived.put(one, timeout=0.5)
                return
            except queue.Full:
                continue

    def gather(self, stop: threading.Event) -> list[_Arrived]:
        """The next messages: those of a short moment, or as many as one batch may have."""
        batch: list[_Arrived] = []
        deadline = time.monotonic() + 0.5
        while len(batch) < MESSAGES_MAX and not (stop.is_set() and not batch):
            try:
                batch.append(self.arrived.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
            if len(batch) == 1:
                deadline = time.monotonic() + GATHER_S
        return batch

    def acknowledge(self, batch: Sequence[_Arrived]) -> None:
        for one in batch:
            if one.mid and one.session == self.session:
                self.client.ack(one.mid, 1)

    def close(self) -> None:
        self.stopped = True
        self.client.disconnect()
        self.client.loop_stop()


def run_mqtt(
    dsn: str,
    settings: MqttSettings,
    stop: threading.Event,
    clock: Clock | None = None,
    ready: threading.Event | None = None,
) -> None:
    """Take readings from the broker into the hub until told to stop. Reconnects by itself.

    `ready` is set once the broker has taken the subscription: from then on it keeps for us whatever
    is published, even while this process is away.
    """
    clock = clock or SystemClock()
    subscriber = _Subscriber(settings, clock, ready or threading.Event())
    store = _Store(dsn, clock, stop)
    try:
        while not stop.is_set():
            batch = subscriber.gather(stop)
            if batch and store.keep(batch):
                subscriber.acknowledge(batch)
    finally:
        subscriber.close()
        store.close()


class _Store:
    """The database's side: tries until a batch is in, or the process is told to stop."""

    def __init__(self, dsn: str, clock: Clock, stop: threading.Event) -> None:
        self.dsn, self.clock, self.stop = dsn, clock, stop
        self.connection: Connection | None = None

    def keep(self, batch: Sequence[_Arrived]) -> bool:
        """Record a batch. False: told to stop before it could be done."""
        delay = 0.1
        while not self.stop.is_set():
            try:
                self._transaction(batch)
                return True
            except psycopg.OperationalError as error:
                log.warning("the database is away, trying again: %s", str(error).split("\n")[0])
                self.close()
                self.stop.wait(delay)
                delay = min(delay * 2, 5.0)
            except psycopg.Error:
                log.exception("a batch of %d could not be recorded", len(batch))
                self.close()
                if len(batch) == 1:
                    self._set_aside(batch[0])
                    return True
                middle = len(batch) // 2
                return self.keep(batch[:middle]) and self.keep(batch[middle:])
        return False

    def _transaction(self, batch: Sequence[_Arrived]) -> None:
        for city, messages in sorted(_by_city(batch).items()):
            with self._connect().transaction():
                scope(self._connect(), city)
                ingest(self._connect(), city, messages, self.clock)
        strays = [one for one in batch if parse_topic(one.topic) is None]
        if strays:
            with self._connect().transaction():
                drafts = [_draft(one, *_BAD_TOPIC) for one in strays]
                quarantine_raw(self._connect(), NO_CITY, self.clock.now(), drafts)

    def _set_aside(self, one: _Arrived) -> None:
        """The database would not take this message at all: keep it where it can be looked at."""
        topic = parse_topic(one.topic)
        with self._connect().transaction():
            quarantine_raw(
                self._connect(), topic.city if topic else NO_CITY, self.clock.now(),
                [_draft(one, *_UNSTORABLE)],
            )  # fmt: skip

    def _connect(self) -> Connection:
        if self.connection is None:
            self.connection = connect(self.dsn, ALL_CITIES, autocommit=True)
        return self.connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


_BAD_TOPIC = (
    "bad-topic",
    "토픽이 onsil/<도시>/<기기>/<속성 또는 up> 형식이 아닙니다.",
    "The topic is not onsil/<city>/<device>/<attribute or up>.",
)
_UNSTORABLE = (
    "unstorable",
    "데이터베이스가 받아들이지 않는 메시지입니다.",
    "The database does not take this message.",
)


def _draft(one: _Arrived, code: str, ko: str, en: str) -> QuarantineDraft:
    return QuarantineDraft("mqtt", code, ko, en, {"topic": one.topic, **raw_payload(one.payload)})


def _by_city(batch: Sequence[_Arrived]) -> dict[str, list[Message]]:
    cities: dict[str, list[Message]] = {}
    for one in batch:
        topic = parse_topic(one.topic)
        if topic:
            cities.setdefault(topic.city, []).append(
                Message(topic.device_id, one.payload, one.received_at, topic.attribute)
            )
    return cities
