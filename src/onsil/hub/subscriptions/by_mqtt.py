"""Notifications by MQTT 3.1.1 and 5.0 (§7.2): a JSON object of `metadata` and `body` on a topic.

A connection to a broker is kept while it is in use; paho runs it in a thread of its own.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from onsil.core.ids import new_id
from onsil.hub.subscriptions.addresses import Reach, checked_addresses
from onsil.hub.subscriptions.queueing import Result
from onsil.hub.subscriptions.rendering import Message
from onsil.hub.subscriptions.terms import Endpoint

PORTS = {"mqtt": 1883, "mqtts": 8883}
IDLE_S = 60.0
_VERSIONS = {"mqtt3.1.1": MQTTProtocolVersion.MQTTv311, "mqtt5.0": MQTTProtocolVersion.MQTTv5}


class Broker(NamedTuple):
    """Where a broker is and how it is spoken to."""

    secure: bool
    host: str
    port: int
    username: str
    password: str
    version: MQTTProtocolVersion


class Target(NamedTuple):
    broker: Broker
    topic: str
    qos: int


def target_of(endpoint: Endpoint) -> Target:
    """Broker, topic and quality of service of an MQTT endpoint; defaults of Table 7.2-1."""
    parts = urlsplit(endpoint.uri)
    info = dict(endpoint.notifier_info)
    qos = info.get("MQTT-QoS", "0")
    version = _VERSIONS.get(info.get("MQTT-Version", "mqtt5.0"), MQTTProtocolVersion.MQTTv5)
    broker = Broker(
        parts.scheme == "mqtts", parts.hostname or "", parts.port or PORTS[parts.scheme],
        unquote(parts.username or ""), unquote(parts.password or ""), version,
    )  # fmt: skip
    return Target(broker, unquote(parts.path[1:]), int(qos) if qos in ("0", "1", "2") else 0)


def payload_of(message: Message) -> bytes:
    """The MQTT message of a notification: what HTTP has as headers goes into `metadata`."""
    return orjson.dumps({"metadata": message.headers, "body": message.body})


class _Connection:
    """One connection, with a future for each message that is under way."""

    def __init__(self, broker: Broker, address: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._under_way: dict[int, asyncio.Future[None]] = {}
        self.used = time.monotonic()
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, f"onsil-{new_id().hex[-12:]}", protocol=broker.version,
            reconnect_on_failure=False,
        )  # fmt: skip
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.secure:
            client.tls_set_context(ssl.create_default_context())
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        # A certificate is for the name; without one the address that was checked is taken.
        client.connect_async(broker.host if broker.secure else address, broker.port, keepalive=30)
        client.loop_start()

    async def ready(self) -> None:
        await asyncio.shield(self._connected)

    @property
    def open(self) -> bool:
        return self._client.is_connected()

    async def publish(self, topic: str, payload: bytes, qos: int) -> None:
        self.used = time.monotonic()
        info = self._client.publish(topic, payload, qos)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise OSError(paho.error_string(info.rc))
        if info.is_published():
            return
        future = self._under_way.setdefault(info.mid, self._loop.create_future())
        if info.is_published():
            self._settle(info.mid, None)
        await future

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _tell(self, call: Callable[..., None], *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *values)

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self._tell(self._opened, OSError(str(reason)) if reason.is_failure else None)

    def _on_publish(self, _c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        bad = reason is not None and reason.is_failure
        self._tell(self._settle, mid, OSError(str(reason)) if bad else None)

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self._tell(self._lost, OSError(f"the broker is gone: {reason}"))

    def _on_connect_fail(self, _c: Any, _u: Any) -> None:
        self._tell(self._lost, OSError("the broker cannot be reached"))

    def _opened(self, error: OSError | None) -> None:
        if self._connected.done():
            return
        if error:
            self._connected.set_exception(error)
        else:
            self._connected.set_result(None)

    def _settle(self, mid: int, error: OSError | None) -> None:
        future = self._under_way.pop(mid, None)
        if future is not None and not future.done():
            if error:
                future.set_exception(error)
            else:
                future.set_result(None)

    def _lost(self, error: OSError) -> None:
        self._opened(error)
        for mid in list(self._under_way):
            self._settle(mid, error)


class MqttSender:
    """Publishes notifications."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._open: dict[Broker, _Connection] = {}
        self._opening: dict[Broker, asyncio.Lock] = {}

    async def send(self, endpoint: Endpoint, message: Message) -> tuple[Result, str]:
        """Send one notification: what came of it, and why not."""
        target = target_of(endpoint)
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                connection = await self._connection(target.broker)
                await connection.publish(target.topic, payload_of(message), target.qos)
        except (OSError, TimeoutError, ValueError) as error:
            await self._drop(target.broker)
            return "failed", str(error) or type(error).__name__
        return "sent", ""

    async def _connection(self, broker: Broker) -> _Connection:
        async with self._opening.setdefault(broker, asyncio.Lock()):
            kept = self._open.get(broker)
            if kept is not None and kept.open:
                return kept
            await self._drop(broker)
            addresses = await checked_addresses(broker.host, broker.port, self._reach)
            self._open[broker] = made = _Connection(broker, addresses[0])
            await made.ready()
            return made

    async def _drop(self, broker: Broker) -> None:
        kept = self._open.pop(broker, None)
        if kept is not None:
            await asyncio.to_thread(kept.close)

    async def close_idle(self) -> None:
        """Close connections that have not been used for a while."""
        before = time.monotonic() - IDLE_S
        for broker in [b for b, c in self._open.items() if c.used < before]:
            await self._drop(broker)

    async def close(self) -> None:
        for broker in list(self._open):
            await self._drop(broker)
