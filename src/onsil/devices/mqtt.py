"""From the MQTT broker to committed points, losing nothing on the way.

The session is persistent and QoS 1, and a message is acknowledged only after the transaction that
holds its readings has been committed. Whatever dies in between, the broker sends it again, and the
hub's duplicate rule makes that harmless. Messages are gathered for a moment and recorded together.
"""

import gc
import logging
import queue
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import ALL_CITIES, Connection, connect, scope
from onsil.devices.ingest import Message, ingest, raw_payload
from onsil.devices.mqtt_link import Arrived, Link, MqttSettings
from onsil.devices.mqtt_wire import Published
from onsil.devices.roster import CHANNEL, Roster
from onsil.devices.sparkplug.hosting import EdgeMessage, ToSend, ingest_sparkplug
from onsil.devices.sparkplug.session import Topic as EdgeTopic
from onsil.devices.sparkplug.session import parse_topic as parse_edge_topic
from onsil.devices.topics import DOWN, SPARKPLUG, Topic, parse_topic
from onsil.hub import QuarantineDraft, quarantine_raw

log = logging.getLogger(__name__)

GATHER_S = 0.05
MESSAGES_MAX = 2_000
ROUTES_MAX = 100_000
SEEN_EVERY_S = 2.0
NO_CITY = "unknown"
YOUNG_MAX = 50_000  # about what a batch makes; none of it forms cycles

__all__ = ["MESSAGES_MAX", "MqttSettings", "run_mqtt"]


class _One(NamedTuple):
    """A message on its way, and where it belongs."""

    route: Topic | EdgeTopic | None
    topic: bytes
    payload: bytes
    received_at: datetime


class Gathered(NamedTuple):
    """Messages to be recorded together, and what to acknowledge afterwards."""

    messages: list[_One]
    chunks: list[tuple[int, list[int]]]


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
    gc.freeze()  # what was loaded stays
    gc.set_threshold(YOUNG_MAX, *gc.get_threshold()[1:])
    link = Link(settings, clock, ready or threading.Event())
    store = _Store(dsn, clock, stop)
    routes = _Routes()
    try:
        while not stop.is_set():
            gathered = _gather(link, routes, stop)
            if gathered.chunks and store.keep(gathered.messages):
                for session, mids in gathered.chunks:
                    link.acknowledge(session, mids)
                for one in store.sending:
                    link.publish(one.topic, one.payload)
                store.sending.clear()
            store.note_seen()
    finally:
        link.close()
        store.note_seen(last=True)
        store.close()


def _gather(link: Link, routes: "_Routes", stop: threading.Event) -> Gathered:
    """The next messages: those of a short moment, or about as many as one batch should have."""
    gathered = Gathered([], [])
    deadline = time.monotonic() + 0.5
    while len(gathered.messages) < MESSAGES_MAX and not (stop.is_set() and not gathered.chunks):
        try:
            chunk = link.arrived.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if not gathered.chunks:
            deadline = time.monotonic() + GATHER_S
        routes.sort(chunk, gathered)
    return gathered


class _Routes:
    """Topics taken apart once: a device's topics are few and come again and again."""

    def __init__(self) -> None:
        self._known: dict[bytes, Topic | EdgeTopic | None] = {}

    def sort(self, chunk: Arrived, into: Gathered) -> None:
        """Put a chunk's messages to the others, but for our own commands that the broker echoes."""
        known, at = self._known, chunk.received_at
        for one in chunk.published:
            try:
                route = known[one.topic]
            except KeyError:
                route = self._learn(one)
            if type(route) is Topic and route.attribute == DOWN:
                continue
            into.messages.append(_One(route, one.topic, one.payload, at))
        into.chunks.append((chunk.session, [one.mid for one in chunk.published if one.mid]))

    def _learn(self, one: Published) -> Topic | EdgeTopic | None:
        text = one.topic.decode("utf-8", "replace")
        edge = text.startswith(f"{SPARKPLUG}/")
        route = parse_edge_topic(text) if edge else parse_topic(text)
        if len(self._known) >= ROUTES_MAX:
            self._known.clear()
        self._known[one.topic] = route
        return route


class _Store:
    """The database's side: tries until a batch is in, or the process is told to stop."""

    def __init__(self, dsn: str, clock: Clock, stop: threading.Event) -> None:
        self.dsn, self.clock, self.stop = dsn, clock, stop
        self.connection: Connection | None = None
        self.sending: list[ToSend] = []
        self.roster = Roster()
        self._noted = time.monotonic()

    def keep(self, batch: Sequence[_One]) -> bool:
        """Record a batch. False: told to stop before it could be done."""
        delay = 0.1
        while not self.stop.is_set():
            try:
                self._transactions(batch)
                return True
            except psycopg.OperationalError as error:
                log.warning("the database is away, trying again: %s", str(error).split("\n")[0])
                self.close()
                self.stop.wait(delay)
                delay = min(delay * 2, 5.0)
            except (psycopg.Error, ValueError):
                log.exception("a batch of %d could not be recorded", len(batch))
                self.close()
                if len(batch) == 1:
                    self._set_aside(batch[0])
                    return True
                middle = len(batch) // 2
                return self.keep(batch[:middle]) and self.keep(batch[middle:])
        return False

    def _transactions(self, batch: Sequence[_One]) -> None:
        plain: dict[str, list[Message]] = {}
        edges: dict[str, list[EdgeMessage]] = {}
        strays: list[_One] = []
        for one in batch:
            route = one.route
            if type(route) is Topic:
                message = Message(route.device_id, one.payload, one.received_at, route.attribute)
                if route.city in plain:
                    plain[route.city].append(message)
                else:
                    plain[route.city] = [message]
            elif isinstance(route, EdgeTopic):
                edges.setdefault(route.city, []).append(
                    EdgeMessage(route, one.payload, one.received_at)
                )
            else:
                strays.append(one)
        for city, messages in sorted(plain.items()):
            with self._connect().transaction():
                scope(self._connect(), city)
                report = ingest(self._connect(), city, messages, self.clock, self.roster)
            self.roster.hear(city, report.heard)
        for city, messages in sorted(edges.items()):
            with self._connect().transaction():
                scope(self._connect(), city)
                _, sending = ingest_sparkplug(self._connect(), city, messages, self.clock)
            self.sending += sending
        if strays:
            with self._connect().transaction():
                drafts = [_draft(one, *_BAD_TOPIC) for one in strays]
                quarantine_raw(self._connect(), NO_CITY, self.clock.now(), drafts)

    def note_seen(self, *, last: bool = False) -> None:
        """Write down, every now and then, which devices were heard. What this process had counted
        when it was killed is not counted; the readings are kept all the same."""
        if not last and time.monotonic() - self._noted < SEEN_EVERY_S:
            return
        self._noted = time.monotonic()
        try:
            for city in self.roster.cities_heard:
                with self._connect().transaction():
                    scope(self._connect(), city)
                    self.roster.write_down(self._connect(), city)
                self.roster.written(city)
        except psycopg.Error as error:
            log.warning("devices heard are written down later: %s", str(error).split("\n")[0])
            self.close()

    def _set_aside(self, one: _One) -> None:
        """The database would not take this message at all: keep it where it can be looked at."""
        with self._connect().transaction():
            quarantine_raw(
                self._connect(), one.route.city if one.route else NO_CITY, self.clock.now(),
                [_draft(one, *_UNSTORABLE)],
            )  # fmt: skip

    def _connect(self) -> Connection:
        if self.connection is None:
            self.connection = connect(self.dsn, ALL_CITIES, autocommit=True)
            self.connection.add_notify_handler(lambda _: self.roster.forget())
            self.connection.execute(f"LISTEN {CHANNEL}".encode())
            self.roster.forget()
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


def _draft(one: _One, code: str, ko: str, en: str) -> QuarantineDraft:
    topic = one.topic.decode("utf-8", "replace")
    return QuarantineDraft("mqtt", code, ko, en, {"topic": topic, **raw_payload(one.payload)})
