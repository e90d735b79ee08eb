"""Sparkplug messages into the hub: sessions are loaded, moved on and saved with the readings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.devices.commands.orders import echoed, lock, reconnected
from onsil.devices.drivers.sparkplug import BIRTHS, SparkplugPayload, births, parse, tell
from onsil.devices.ingest import Batch, IngestReport, Message, raw_payload, settle, unknown_device
from onsil.devices.register import devices, note_online
from onsil.devices.sparkplug.session import (
    Edge,
    Topic,
    ask_again,
    hear,
    rebirth_request,
    unborn,
)
from onsil.devices.terms import DecodeError, Device, Frame

_DRIVER = SparkplugPayload()


class EdgeMessage(NamedTuple):
    """A message of an edge node, as it came."""

    topic: Topic
    payload: bytes
    received_at: datetime


class ToSend(NamedTuple):
    """Something to publish once the transaction is committed."""

    topic: str
    payload: bytes


def ingest_sparkplug(
    conn: Connection, city: str, messages: Sequence[EdgeMessage], clock: Clock
) -> tuple[IngestReport, list[ToSend]]:
    """Take messages of a city's edge nodes in their order; what to publish comes back."""
    edges = sorted({m.topic.edge for m in messages})
    sessions = _load(conn, city, edges)
    known = {d.id: d for d in devices(conn, city, driver=_DRIVER.name, edges=edges)}
    work = _Work(conn, city, clock, sessions, known)
    for message in messages:
        work.take(message)
    work.finish()
    report = settle(conn, city, work.batch, known, clock)
    note_online(conn, city, work.online)
    return report, work.sending


class _Work:
    """One batch on its way."""

    def __init__(
        self, conn: Connection, city: str, clock: Clock, sessions: dict[str, Edge],
        known: dict[str, Device],
    ) -> None:  # fmt: skip
        self.conn, self.city, self.clock = conn, city, clock
        self.sessions, self.known = sessions, known
        self.batch = Batch()
        self.sending: list[ToSend] = []
        self.online: dict[str, tuple[datetime, bool]] = {}
        self.back: dict[str, Device] = {}
        self.echoes: dict[str, dict[str, Any]] = {}

    def take(self, message: EdgeMessage) -> None:
        topic = message.topic
        device = self.known.get(topic.device_id)
        session = self.sessions.get(topic.edge, Edge())
        if device is None:
            self.batch.refuse(topic.device_id, unknown_device(topic.device_id, self.city),
                              raw_payload(message.payload))  # fmt: skip
        else:
            self.batch.hear(device.id, message.received_at)
        try:
            heard = hear(session, topic, message.payload, message.received_at)
        except DecodeError as fault:
            if device is not None:
                self.batch.refuse(device.id, fault, raw_payload(message.payload))
            return
        self.sessions[topic.edge] = heard.edge
        self._lives(topic, message.received_at, heard.online, heard.offline)
        rebirth = heard.rebirth
        if device is not None and heard.decode:
            rebirth = self._decode(device, message, heard.edge) or rebirth
        elif device is not None and topic.kind in ("NDATA", "DDATA"):
            self.batch.refuse(device.id, unborn(topic), raw_payload(message.payload))
        if rebirth:
            self.sending.append(
                ToSend(f"spBv1.0/{self.city}/NCMD/{topic.edge}", rebirth_request(self.clock.now()))
            )

    def _decode(self, device: Device, message: EdgeMessage, edge: Edge) -> bool:
        """Decode one message; whether a rebirth must be asked for."""
        topic = message.topic
        memory = edge.memory(topic.device)
        frame = Frame(device, message.payload, message.received_at, topic.kind, "", memory)
        try:
            decoded = _DRIVER.decode(frame)
        except DecodeError as fault:
            self.batch.refuse(device.id, fault, raw_payload(message.payload))
            if fault.code != "unknown-alias":
                return False
            again = ask_again(edge, message.received_at)
            self.sessions[topic.edge] = again.edge
            return again.rebirth
        self.batch.take(device, Message(device.id, message.payload, message.received_at), decoded)
        payload = parse(message.payload)
        taught = births(payload) if topic.kind in BIRTHS else memory["metrics"]
        values = {one.name: one.value for one in tell(payload, taught)}
        self.echoes.setdefault(device.id, {}).update(values)
        return False

    def _lives(
        self, topic: Topic, at: datetime, online: frozenset[str], offline: frozenset[str]
    ) -> None:
        """Who was born and who died: the node's own part is named ""."""
        for parts, alive in ((offline, False), (online, True)):
            for part in parts:
                number = f"{topic.edge}.{part}" if part else topic.edge
                device = self.known.get(number)
                if device is None:
                    continue
                self.online[number] = (at, alive)
                if alive:
                    self.back[number] = device

    def finish(self) -> None:
        """Save the sessions; tell the commands who is back and which values came."""
        lock(self.conn, self.city, {*self.back, *self.echoes})
        for number, values in self.echoes.items():
            echoed(self.conn, self.city, number, values, self.clock)
        reconnected(self.conn, self.city, list(self.back.values()), self.clock)
        registered = {number.partition(".")[0] for number in self.known}
        with cursor(self.conn) as cur:
            for edge, session in sorted(self.sessions.items()):
                if edge not in registered:  # strangers leave no memory
                    continue
                cur.execute(
                    "INSERT INTO devices_memory (city, device_id, memory, changed_at)"
                    " VALUES (%s, %s, %s, %s) ON CONFLICT (city, device_id) DO UPDATE SET"
                    " memory = EXCLUDED.memory, changed_at = EXCLUDED.changed_at",
                    (self.city, edge, Jsonb(session.as_json()), self.clock.now()),
                )


def _load(conn: Connection, city: str, edges: Sequence[str]) -> dict[str, Edge]:
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, memory FROM devices_memory WHERE city = %s AND device_id = ANY(%s)"
            " ORDER BY device_id FOR UPDATE",
            (city, list(edges)),
        )
        return {edge: Edge.of_json(memory) for edge, memory in cur}
