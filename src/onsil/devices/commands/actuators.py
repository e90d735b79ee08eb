"""What a device can be told: its actuators, as its options declare them.

actuators.valve = { kind = "boolean", safe = false }
actuators.limit = { kind = "number", minimum = 0, maximum = 100, unit = "percent", safe = 100 }
actuators.mode  = { kind = "text", values = ["eco", "comfort"], safe = "eco" }
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from onsil.core.refusal import Refusal
from onsil.devices.terms import Device

Channel = Literal["mqtt", "sparkplug", "modbus", "http", ""]
_CHANNELS: dict[str, Channel] = {
    "mqtt-json": "mqtt", "senml": "mqtt", "lwm2m": "mqtt", "ngsi-ld": "mqtt",
    "sparkplug-b": "sparkplug", "modbus": "modbus", "http-batch": "http",
}  # fmt: skip
TEXT_MAX = 200


@dataclass(frozen=True)
class Actuator:
    """One thing that can be set. `safe` is None where there is no safe state."""

    name: str
    kind: str = "number"
    minimum: float = -math.inf
    maximum: float = math.inf
    values: tuple[str, ...] = ()
    unit: str = ""
    safe: Any = None

    def refuse(self, value: Any) -> Refusal | None:
        """Why a value cannot be ordered, or None. Code: `bad-value`."""
        if self.kind == "boolean":
            fits, wanted = isinstance(value, bool), "true, false"
        elif self.kind == "text":
            fits = isinstance(value, str) and len(value) <= TEXT_MAX
            fits = fits and (not self.values or value in self.values)
            wanted = ", ".join(self.values) or f"≤ {TEXT_MAX}"
        else:
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            fits = fits and math.isfinite(value) and self.minimum <= value <= self.maximum
            wanted = f"{self.minimum:g} – {self.maximum:g} {self.unit}".strip()
        if fits:
            return None
        return Refusal(
            "bad-value",
            f"{self.name}에 {str(value)[:40]}은(는) 보낼 수 없는 값입니다. 가능한 값: {wanted}.",
            f"{self.name} cannot be set to {str(value)[:40]}. It takes {wanted}.",
        )


def actuators(device: Device) -> dict[str, Actuator]:
    """A device's actuators by name; lines that say nothing usable are passed over."""
    declared = device.options.get("actuators", {})
    made: dict[str, Actuator] = {}
    for name, raw in declared.items() if isinstance(declared, Mapping) else ():
        if not isinstance(raw, Mapping) or raw.get("kind", "number") not in _KINDS:
            continue
        one = Actuator(
            str(name), raw.get("kind", "number"), _bound(raw, "minimum", -math.inf),
            _bound(raw, "maximum", math.inf), tuple(map(str, raw.get("values", ()))),
            str(raw.get("unit", "")), raw.get("safe"),
        )  # fmt: skip
        made[one.name] = one
    return made


_KINDS = ("number", "boolean", "text")


def _bound(raw: Mapping[str, Any], name: str, fallback: float) -> float:
    value = raw.get(name, fallback)
    return float(value) if isinstance(value, int | float) else fallback


def channel_of(device: Device) -> Channel:
    """By what way commands reach a device; empty where there is none."""
    if device.options.get("commands") == "http":
        return "http"
    return _CHANNELS.get(device.driver, "")


def can_command(device: Device) -> bool:
    return bool(channel_of(device) and actuators(device))
