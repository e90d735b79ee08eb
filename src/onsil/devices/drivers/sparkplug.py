"""Sparkplug B (Eclipse Sparkplug 3.0): protobuf metrics, named at birth, by alias afterwards.

The topic's message type (`NBIRTH`, `DDATA`, …) comes as the frame's attribute; the frame's memory
holds `metrics` (alias or name → name, datatype, unit) of the last birth certificate, and `doubtful`
where a message was lost since: what is named by alias alone is then not believed until a new birth.

Options of the device: `metrics` maps a metric's name to `{attribute, entity, unit}`. A metric
without a line there becomes the last part of its name, in the unit of its `engUnit` property; texts
and booleans without a line are passed over.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as ProtobufError

from onsil.devices.drivers.json_payload import READINGS_MAX, malformed
from onsil.devices.drivers.single import from_single
from onsil.devices.drivers.sparkplug_proto import Payload
from onsil.devices.terms import Decoded, DecodeError, Frame, SetAside, Status
from onsil.hub import Reading

BIRTHS, DATA, DEATHS = ("NBIRTH", "DBIRTH"), ("NDATA", "DDATA"), ("NDEATH", "DDEATH")
KINDS = (*BIRTHS, *DATA, *DEATHS)
GOOD = 192
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Signed datatypes travel as two's complement in an unsigned field (§6.4.16): bits by number.
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_BOOLEAN, _DATETIME = 11, 13
# Metrics that steer or describe the node and measure nothing.
_NOT_MEASURED = ("bdSeq", "Node Control/", "Device Control/", "Node Info/", "Properties/")
_BATTERY = ("Properties/Battery", "Properties/Battery Level")
_FIRMWARE = ("Properties/Firmware Version", "Properties/FW", "Properties/Firmware")


class Told(NamedTuple):
    """One metric of a message: its name, typed value (None: null), when, and what goes with it."""

    name: str
    value: Any
    at: datetime | None
    unit: str
    quality: int
    by_alias: bool


def parse(payload: bytes) -> Any:
    """The protobuf message. Raises DecodeError."""
    try:
        made = Payload.FromString(payload)
    except (ProtobufError, UnicodeDecodeError) as error:
        raise malformed(f"not a Sparkplug B payload ({str(error)[:80]})") from None
    if len(made.metrics) > READINGS_MAX:  # pyright: ignore[reportAttributeAccessIssue]
        raise malformed(f"more than {READINGS_MAX} metrics")
    for metric in made.metrics:  # pyright: ignore[reportAttributeAccessIssue]
        if not isinstance(metric.name, str):  # protobuf hands on as bytes what is no UTF-8
            raise malformed("a metric's name is not UTF-8")
    return made


def births(payload: Any) -> dict[str, dict[str, Any]]:
    """What a birth certificate teaches: alias (as text) and name → name, datatype, unit."""
    known: dict[str, dict[str, Any]] = {}
    for metric in payload.metrics:
        if not metric.name:
            raise malformed("a birth certificate has a metric without a name")
        one = {"name": metric.name, "type": metric.datatype, "unit": _properties(metric)[0]}
        known[f"n:{metric.name}"] = one
        if metric.HasField("alias"):
            known[f"a:{metric.alias}"] = one
    return known


def tell(payload: Any, known: Mapping[str, Any]) -> Iterator[Told]:
    """The metrics by name, their values typed. Raises DecodeError for an alias never born."""
    for metric in payload.metrics:
        by_alias = not metric.name
        key = f"a:{metric.alias}" if by_alias else f"n:{metric.name}"
        born = known.get(key, {})
        if by_alias and not born:
            raise DecodeError(
                "unknown-alias",
                f"출생 증명에 없는 별칭입니다: {metric.alias}. 재출생을 요청했습니다.",
                f"The alias {metric.alias} is in no birth certificate. A rebirth was asked for.",
            )
        unit, quality = _properties(metric)
        datatype = metric.datatype or born.get("type", 0)
        at = None
        if metric.HasField("timestamp") or payload.HasField("timestamp"):
            at = _instant(metric.timestamp or payload.timestamp)
        yield Told(
            metric.name or born["name"], _value(metric, datatype), at,
            unit or born.get("unit", ""), quality, by_alias,
        )  # fmt: skip


def _instant(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise malformed(f"{milliseconds} ms is not a time") from None


def _value(metric: Any, datatype: int) -> Any:
    chosen = metric.WhichOneof("value")
    if metric.is_null or chosen is None:
        return None
    raw = getattr(metric, chosen)
    if datatype in _SIGNED and chosen in ("int_value", "long_value"):
        bits = _SIGNED[datatype]
        raw &= (1 << bits) - 1
        return raw - (1 << bits) if raw >> (bits - 1) else raw
    if datatype == _BOOLEAN:
        return bool(raw)
    if chosen == "float_value":
        return from_single(raw)
    return None if datatype == _DATETIME else raw


def _properties(metric: Any) -> tuple[str, int]:
    """(engineering unit, quality): `Quality` is 192 good, 0 bad, 500 stale (§6.4.14)."""
    unit, quality = "", GOOD
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key == "Quality":
            quality = value.int_value or value.long_value
        elif key in ("engUnit", "Engineering Units", "unit"):
            unit = value.string_value if isinstance(value.string_value, str) else ""
    return unit, quality


class SparkplugPayload:
    """`sparkplug-b`: edge nodes and devices on `spBv1.0/<city>/…`."""

    name = "sparkplug-b"
    title_ko = "Sparkplug B"
    title_en = "Sparkplug B"

    def decode(self, frame: Frame) -> list[Decoded]:
        """The readings of a birth or data message; those of bad quality are set aside."""
        if frame.attribute not in BIRTHS + DATA:
            raise malformed(f"{frame.attribute[:20]!r} carries no readings")
        payload = parse(frame.payload)
        known = births(payload) if frame.attribute in BIRTHS else frame.memory.get("metrics", {})
        made: list[Decoded] = []
        for told in tell(payload, known):
            made += self._decoded(frame, told)
        return made

    def _decoded(self, frame: Frame, told: Told) -> list[Decoded]:
        mapped = frame.device.options.get("metrics", {}).get(told.name)
        if told.name in _BATTERY and _is_number(told.value) and 0 <= told.value <= 100:
            return [Status(battery_percent=float(told.value))]
        if told.name in _FIRMWARE and isinstance(told.value, str):
            return [Status(firmware=told.value)]
        if mapped is None and told.name.startswith(_NOT_MEASURED):
            return []
        value = int(told.value) if isinstance(told.value, bool) and mapped else told.value
        if not _is_number(value):
            return []
        if told.by_alias and frame.memory.get("doubtful"):
            ko = "앞선 메시지를 잃어 별칭을 믿을 수 없습니다."
            en = "A message before it was lost, so its alias cannot be trusted."
            return [_aside("sequence-gap", told, ko, en)]
        if told.quality != GOOD:
            ko = f"기기가 품질 {told.quality}(양호 192)로 보냈습니다."
            en = f"The device itself marks it as of quality {told.quality} (good: 192)."
            return [_aside("bad-quality", told, ko, en)]
        mapped = mapped or {}
        return [
            Reading(
                mapped.get("entity", frame.device.entities[0]),
                mapped.get("attribute", told.name.rpartition("/")[2]),
                told.at or frame.received_at, value, mapped.get("unit", told.unit),
                frame.received_at,
            )
        ]  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _aside(code: str, told: Told, ko: str, en: str) -> SetAside:
    at = told.at.isoformat() if told.at else ""
    return SetAside(code, f"{told.name}: {ko}", f"{told.name}: {en}",
                    {"metric": told.name, "value": str(told.value), "at": at})  # fmt: skip
