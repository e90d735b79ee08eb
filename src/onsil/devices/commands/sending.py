"""Commands out over the broker: `onsil/<city>/<device>/down`, and Sparkplug's NCMD and DCMD."""

import logging
import threading
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, connect, scope
from onsil.devices.commands.actuators import channel_of
from onsil.devices.commands.machine import Command
from onsil.devices.commands.orders import take_due
from onsil.devices.mqtt_link import MqttSettings
from onsil.devices.sparkplug.session import command as sparkplug_command
from onsil.devices.terms import Device
from onsil.devices.topics import DOWN, SPARKPLUG, topic_of

log = logging.getLogger(__name__)
CHANNELS = ("mqtt", "sparkplug")
EVERY_S = 0.5


class Downward(NamedTuple):
    """What is published for a command."""

    topic: str
    payload: bytes
    qos: int


def downward(device: Device, command: Command, now: datetime) -> Downward:
    """The message that tells a device: its own form of what to set, or Sparkplug's."""
    if channel_of(device) == "sparkplug":
        edge, _, part = device.id.partition(".")
        topic = f"{SPARKPLUG}/{device.city}/{'DCMD' if part else 'NCMD'}/{edge}"
        payload = sparkplug_command(command.actuator, command.value, now)
        return Downward(f"{topic}/{part}" if part else topic, payload, 0)
    return Downward(topic_of(device.city, device.id, DOWN), orjson.dumps(told(command)), 1)


def told(command: Command) -> dict[str, Any]:
    """A command as devices read it. One that comes after `expires` must not be carried out."""
    return {
        "command": str(command.id), "actuator": command.actuator, "value": command.value,
        "safe": command.safe, "attempt": command.attempts,
        "expires": command.expires_at.isoformat() if command.expires_at else None,
    }  # fmt: skip


def run_sending(
    dsn: str, settings: MqttSettings, stop: threading.Event, clock: Clock, every_s: float = EVERY_S
) -> None:
    """Send what is due until told to stop; nothing is marked as sent while the broker is away."""
    client = paho.Client(CallbackAPIVersion.VERSION2, f"{settings.client_id}-commands")
    if settings.username:
        client.username_pw_set(settings.username, settings.password)
    if settings.ca_file:
        client.tls_set(settings.ca_file, settings.cert_file or None, settings.key_file or None)
    client.reconnect_delay_set(1, 10)
    client.connect_async(settings.host, settings.port, keepalive=30)
    client.loop_start()
    try:
        with connect(dsn, ALL_CITIES, autocommit=True) as conn:
            while not stop.wait(every_s):
                if not client.is_connected():
                    continue
                for city in _waiting(conn, clock.now()):
                    with conn.transaction():
                        scope(conn, city)
                        due = take_due(conn, city, clock, channels=CHANNELS)
                    for device, command in due:
                        made = downward(device, command, clock.now())
                        client.publish(made.topic, made.payload, made.qos)
    finally:
        client.disconnect()
        client.loop_stop()


def _waiting(conn: Any, now: datetime) -> list[str]:
    rows = conn.execute(
        "SELECT DISTINCT city FROM devices_command WHERE state IN ('queued', 'sent')"
        " AND (due_at <= %s OR expires_at <= %s)",
        (now, now),
    ).fetchall()
    return sorted(row[0] for row in rows)
