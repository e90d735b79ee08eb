"""The nouns of devices: who sends, in which form, and how they fare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

HealthState = Literal["new", "ok", "silent", "stuck", "impossible"]


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


@dataclass(frozen=True)
class Device(DeviceSpec):
    """A registered device of a city."""

    city: str = ""
    registered_at: datetime | None = None


class Frame(NamedTuple):
    """One message as it came, with who sent it. `attribute` is named by the MQTT topic, if any."""

    device: Device
    payload: bytes
    received_at: datetime
    attribute: str = ""


class DecodeError(ValueError):
    """A message no reading can be made of: a stable code and words for people."""

    def __init__(self, code: str, ko: str, en: str) -> None:
        super().__init__(en)
        self.code, self.ko, self.en = code, ko, en


class DeviceHealth(NamedTuple):
    """How a device fares; `silent`: nothing for three intervals; `stuck`: the same value for long;
    `impossible`: readings set aside of late."""

    device: Device
    last_seen: datetime | None
    state: HealthState
    ko: str
    en: str
