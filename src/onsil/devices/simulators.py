"""Simulated devices that publish over the real broker, so that a demo city is alive.

They take the same way as any device, and everything they fill is labelled as simulated.
"""

import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import OperationError
from onsil.devices.mqtt import MqttSettings
from onsil.devices.profiles import PROFILES, TYPES
from onsil.devices.register import devices, register_device
from onsil.devices.terms import DeviceSpec
from onsil.devices.topics import topic_of
from onsil.hub import ensure_series, entity_uri, upsert_entities

log = logging.getLogger(__name__)
MODEL = "simulated"


@dataclass(frozen=True)
class SimulatorSpec:
    """One simulated device. `location` is (longitude, latitude) in degrees."""

    city: str
    device: str
    profile: str
    interval_s: int = 10
    seed: int = 0
    zone: str = "Asia/Seoul"
    name: str = ""
    location: tuple[float, float] | None = None

    @property
    def entity(self) -> str:
        return entity_uri(TYPES[self.profile], self.city, self.device)


def register_simulators(
    conn: Connection, city: str, specs: Sequence[SimulatorSpec], clock: Clock | None = None
) -> None:
    """Write simulated devices with entities and series into the hub; twice changes nothing.

    Raises OperationError for a profile there is none of.
    """
    clock = clock or SystemClock()
    mine = [spec for spec in specs if spec.city == city]
    unknown = sorted({spec.profile for spec in mine} - PROFILES.keys())
    if unknown:
        raise OperationError(
            f"no simulator profile {', '.join(unknown)}; there are {', '.join(PROFILES)}",
            retry=False,
        )
    upsert_entities(conn, city, [_entity(spec) for spec in mine], clock=clock)
    ensure_series(
        conn,
        city,
        [
            simulated.spec(spec.entity, attribute, spec.interval_s)
            for spec in mine
            for attribute, simulated in PROFILES[spec.profile].items()
        ],
        clock,
    )
    there = {d.id: d for d in devices(conn, city, ids=[spec.device for spec in mine])}
    for spec in mine:
        wanted = DeviceSpec(
            spec.device, (spec.entity,), interval_s=spec.interval_s, simulated=True, model=MODEL
        )
        known = there.get(spec.device)
        if known is None or (known.entities, known.interval_s) != (
            wanted.entities, wanted.interval_s,
        ):  # fmt: skip
            register_device(conn, city, wanted, clock)


def _entity(spec: SimulatorSpec) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": spec.entity,
        "type": TYPES[spec.profile],
        "name": spec.name or f"모의 기기 {spec.device}",
        "simulated": True,
    }
    if spec.location:
        made["location"] = {"type": "Point", "coordinates": list(spec.location)}
    return made


def message_of(spec: SimulatorSpec, at: datetime) -> bytes:
    """What a simulated device sends for the interval that begins at `at`: the same each time."""
    source = random.Random(f"{spec.city}/{spec.device}/{spec.seed}/{at.timestamp()}")  # noqa: S311
    local = at.astimezone(ZoneInfo(spec.zone))
    values = {
        attribute: {"value": one.value(local, spec.interval_s, source), "unit": one.unit}
        for attribute, one in PROFILES[spec.profile].items()
    }
    return orjson.dumps({"id": f"{at.timestamp():.0f}", "at": at.isoformat(), "values": values})


def run_simulators(
    settings: MqttSettings,
    specs: Sequence[SimulatorSpec],
    stop: threading.Event,
    clock: Clock | None = None,
) -> None:
    """Publish every device's finished interval, QoS 1, until told to stop. Reconnects by itself."""
    clock = clock or SystemClock()
    client = paho.Client(CallbackAPIVersion.VERSION2, f"{settings.client_id}-simulators")
    if settings.username:
        client.username_pw_set(settings.username, settings.password)
    client.reconnect_delay_set(1, 10)
    client.connect_async(settings.host, settings.port, keepalive=30)
    client.loop_start()
    last: dict[tuple[str, str], int] = {}
    try:
        while not stop.is_set():
            now = clock.now().timestamp()
            for spec in specs:
                begun = int(now // spec.interval_s - 1) * spec.interval_s
                if last.get((spec.city, spec.device), 0) < begun:
                    last[spec.city, spec.device] = begun
                    at = datetime.fromtimestamp(begun, UTC)
                    client.publish(topic_of(spec.city, spec.device), message_of(spec, at), qos=1)
            stop.wait(0.5)
    finally:
        client.disconnect()
        client.loop_stop()
