"""The subscriber's side of a broker: a thread that reads, reconnects, keeps the session alive."""

import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from onsil.core.clock import Clock
from onsil.devices import mqtt_wire as wire
from onsil.devices.topics import SPARKPLUG, SUBSCRIPTIONS

log = logging.getLogger(__name__)
KEEPALIVE_S = 30
READ_BYTES = 256 * 1024
WAITING_CHUNKS = 64  # of at most READ_BYTES each; then the broker has to wait
HOST_ID = "onsil"


@dataclass(frozen=True)
class MqttSettings:
    """Where the broker is. `client_id` names the persistent session: one process may use it.

    `ca_file` turns TLS on; `cert_file` and `key_file` are our own certificate, if it wants one.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    client_id: str = "onsil-ingest"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class Arrived(NamedTuple):
    """What one look at the socket brought, with what is needed to acknowledge it."""

    published: list[wire.Published]
    received_at: datetime
    session: int


class Link:
    """Messages in through `arrived`, acknowledgements and our own few messages out."""

    def __init__(self, settings: MqttSettings, clock: Clock, ready: threading.Event) -> None:
        self.settings, self.clock, self.ready = settings, clock, ready
        self.arrived: queue.Queue[Arrived] = queue.Queue(WAITING_CHUNKS)
        self.session = 0
        self._socket: socket.socket | None = None
        self._sending = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def acknowledge(self, session: int, mids: Sequence[int]) -> None:
        """Acknowledge messages of a session; of one that is over, the broker sends them again."""
        if session == self.session and mids:
            self._send(wire.acknowledgements(mids))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 0, if there is a connection: for what is asked again anyway."""
        self._send(wire.publish_packet(topic, payload, retain=retain))

    def close(self) -> None:
        if self._socket is not None and not self._stopped.is_set():
            self.publish(*_state(online=False, clock=self.clock), retain=True)
            self._send(wire.DISCONNECT)
        self._stopped.set()
        self._drop()
        self._thread.join(5)

    def _send(self, data: bytes) -> None:
        with self._sending:
            try:
                if self._socket is not None:
                    self._socket.sendall(data)
            except OSError as error:
                log.debug("not sent: %s", error)  # the reader notices and reconnects

    def _run(self) -> None:
        delay = 0.2
        while not self._stopped.is_set():
            try:
                self._connect()
                delay = 0.2
                self._read()
            except (OSError, ssl.SSLError) as error:
                if not self._stopped.is_set():
                    log.warning("lost the broker: %s", error)
            self._drop()
            self._stopped.wait(delay)
            delay = min(delay * 2, 10.0)

    def _connect(self) -> None:
        one = self.settings
        opened: socket.socket = socket.create_connection((one.host, one.port), 5)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if one.ca_file:
            context = ssl.create_default_context(cafile=one.ca_file)
            if one.cert_file:
                context.load_cert_chain(one.cert_file, one.key_file or None)
            opened = context.wrap_socket(opened, server_hostname=one.host)
        opened.settimeout(1.0)
        will = _state(online=False, clock=self.clock)
        opened.sendall(
            wire.connect_packet(one.client_id, one.username, one.password, KEEPALIVE_S, will)
        )
        self._socket = opened

    def _drop(self) -> None:
        # What has not been acknowledged comes again in the next session, under other numbers
        # perhaps: an acknowledgement must not cross over.
        self.session += 1
        with self._sending:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _read(self) -> None:
        inbox = wire.Inbox()
        pinged = heard = time.monotonic()
        while not self._stopped.is_set():
            opened = self._socket
            if opened is None:
                return
            now = time.monotonic()
            if now - pinged > KEEPALIVE_S / 2:
                self._send(wire.PINGREQ)
                pinged = now
            if now - heard > KEEPALIVE_S * 1.5:
                raise ConnectionError("the broker has fallen silent")
            try:
                data = opened.recv(READ_BYTES)
            except TimeoutError:
                continue
            if not data:
                raise ConnectionError("the broker has hung up")
            heard = time.monotonic()
            published, others = inbox.take(data)
            for kind, body in others:
                self._control(kind, body)
            if published:
                self._hand_on(Arrived(published, self.clock.now(), self.session))
                heard = time.monotonic()

    def _control(self, kind: int, body: bytes) -> None:
        if kind == wire.CONNACK:
            wire.check_connack(body)
            log.info("connected to the broker")
            self._send(wire.subscribe_packet(1, SUBSCRIPTIONS))
        elif kind == wire.SUBACK:
            if any(code == 0x80 for code in body[2:]):
                raise wire.Refused("the broker refuses a subscription")
            self.publish(*_state(online=True, clock=self.clock), retain=True)
            self.ready.set()

    def _hand_on(self, one: Arrived) -> None:
        while not self._stopped.is_set():
            try:
                self.arrived.put(one, timeout=0.5)
                return
            except queue.Full:
                self._send(wire.PINGREQ)  # the broker must not take our waiting for our death


def _state(*, online: bool, clock: Clock) -> tuple[str, bytes]:
    """Sparkplug's STATE of the host application (Sparkplug 3.0 §6.4.27)."""
    stamp = int(clock.now().timestamp() * 1000)
    word = "true" if online else "false"
    return f"{SPARKPLUG}/STATE/{HOST_ID}", f'{{"online":{word},"timestamp":{stamp}}}'.encode()
