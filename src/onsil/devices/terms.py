"""The nouns of devices: who sends, in which form, and how they fare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from onsil.hub import Reading

HealthState = Literal["new", "ok", "silent", "stuck", "drifting", "impossible"]


@dataclass(frozen=True)
class DeviceSpec:
    """A device to register.

    `entities` are the hub entities it may write for; readings that name none go to the first.
    `options` belong to its driver. `interval_s`: how often something is expected of it.
    """

    id: str
    entities: tuple[str, ...]
    driver: str = "mqtt-json"
    interval_s: int = 60
    simulated: bool = False
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Device(DeviceSpec):
    """A registered device of a city."""

    city: str = ""
    registered_at: datetime | None = None


class Frame(NamedTuple):
    """One message as it came, with who sent it.

    `attribute` is named by the MQTT topic, if any; `content_type` is the media type where the
    transport tells it; `memory` is what earlier messages of the device taught its driver.
    """

    device: Device
    payload: bytes
    received_at: datetime
    attribute: str = ""
    content_type: str = ""
    memory: Mapping[str, Any] = {}


class SetAside(NamedTuple):
    """One reading of a message that its driver could read but must not pass on, and why."""

    code: str
    ko: str
    en: str
    raw: Any


class Status(NamedTuple):
    """What a device says of itself, not of the world."""

    battery_percent: float | None = None
    firmware: str = ""


Decoded = Reading | SetAside | Status


class DecodeError(ValueError):
    """A message no reading can be made of: a stable code and words for people."""

    def __init__(self, code: str, ko: str, en: str) -> None:
        super().__init__(en)
        self.code, self.ko, self.en = code, ko, en


class Symptom(NamedTuple):
    """One thing that is wrong with a device: since when, what shows it, what to do."""

    state: HealthState
    since: datetime | None
    evidence_ko: str
    evidence_en: str
    do_ko: str
    do_en: str


class DeviceHealth(NamedTuple):
    """How a device fares: its weightiest state in words, and every symptom with its evidence."""

    device: Device
    last_seen: datetime | None
    state: HealthState
    ko: str
    en: str
    symptoms: tuple[Symptom, ...] = ()
