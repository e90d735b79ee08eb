"""LwM2M as gateways forward it: SenML (JSON, CBOR), OMA TLV, plain text and opaque resources.

The message's path is the topic's last part (`3303/0/5700`) or the option `path`; a pack of SenML
carries it in its names. IPSO objects are known (`ipso.py`); the option `objects` says more or
other: `{"3303/0/5700": {"attribute": "soilTemperature", "unit": "degC"}}`, also `"3303/5700"` for
every instance. `format` names the content where the transport does not: senml-json, senml-cbor,
tlv, text, opaque. Source: OMA-TS-LightweightM2M_Core-V1_1_1 §7.4.
"""

import math
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from onsil.devices.drivers import ipso
from onsil.devices.drivers.json_payload import malformed
from onsil.devices.drivers.senml import moment, parse_pack, resolve
from onsil.devices.drivers.senml_units import unit_of
from onsil.devices.drivers.single import from_single
from onsil.devices.terms import Decoded, Frame, Status
from onsil.hub import Reading

_MEDIA = {
    "application/senml+json": "senml-json", "application/senml+cbor": "senml-cbor",
    "application/vnd.oma.lwm2m+tlv": "tlv", "text/plain": "text",
    "application/octet-stream": "opaque",
}  # fmt: skip
_OBJECT_INSTANCE, _RESOURCE_INSTANCE, _MULTIPLE, _RESOURCE = range(4)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEPTH_MAX = 3
RESOURCES_MAX = 10_000

Path = tuple[int, ...]


class Resource(NamedTuple):
    """One resource (or resource instance) with its raw value; `typed`: already a number or text."""

    path: Path
    value: Any
    typed: bool
    unit: str = ""
    at: datetime | None = None


def parse_path(text: str) -> Path:
    """`3303/0/5700` as numbers; empty for none. Raises DecodeError."""
    parts = [part for part in text.strip("/").split("/") if part]
    if len(parts) > 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise malformed(f"{text[:40]!r} is no LwM2M path")
    path = tuple(int(part) for part in parts)
    if any(number > 65_535 for number in path):
        raise malformed(f"{text[:40]!r} is no LwM2M path")
    return path


def parse_tlv(body: bytes, base: Path, depth: int = 0) -> Iterator[Resource]:
    """The resources of a TLV message (§7.4.4), lengths checked. Raises DecodeError."""
    if depth > DEPTH_MAX:
        raise malformed("TLV nested too deep")
    at = 0
    while at < len(body):
        kind, number, begins, ends = _header(body, at)
        value, at = body[begins:ends], ends
        if kind == _OBJECT_INSTANCE:
            if len(base) != 1:
                raise malformed("an object instance in the TLV needs a path of one object")
            yield from parse_tlv(value, (*base, number), depth + 1)
        elif kind == _MULTIPLE:
            yield from parse_tlv(value, (*_instance(base), number), depth + 1)
        elif kind == _RESOURCE:
            yield Resource((*_instance(base), number), value, typed=False)
        else:  # an instance of the multiple resource that `base` names
            if len(base) != 3:
                raise malformed("a resource instance in the TLV outside of a resource")
            yield Resource((*base, number), value, typed=False)


def _header(body: bytes, at: int) -> tuple[int, int, int, int]:
    """Kind, id, and where the value begins and ends."""
    first = body[at]
    at += 1
    id_bytes = 2 if first & 0x20 else 1
    length_bytes = (first >> 3) & 0x03
    if length_bytes and first & 0x07:
        raise malformed("TLV length bits set twice")
    if at + id_bytes + length_bytes > len(body):
        raise malformed("the TLV is cut in a header")
    number = int.from_bytes(body[at : at + id_bytes], "big")
    at += id_bytes
    length = int.from_bytes(body[at : at + length_bytes], "big") if length_bytes else first & 0x07
    at += length_bytes
    if at + length > len(body):
        raise malformed("the TLV is cut in a value")
    return first >> 6, number, at, at + length


def _instance(base: Path) -> Path:
    if len(base) != 2:
        raise malformed("a resource in the TLV needs a path of object and instance")
    return base


def value_of(raw: bytes, kind: str) -> Any:
    """A TLV or opaque value by its type (§7.4.4, Appendix C). Raises DecodeError."""
    if kind == "string":
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise malformed("a text that is not UTF-8") from None
    if kind == "boolean":
        if raw not in (b"\0", b"\1"):
            raise malformed("a boolean of other than one byte 0 or 1")
        return raw[0]
    if kind in ("integer", "time"):
        if len(raw) not in (1, 2, 4, 8):
            raise malformed(f"an integer of {len(raw)} bytes")
        return int.from_bytes(raw, "big", signed=True)
    if len(raw) == 4:
        return from_single(struct.unpack(">f", raw)[0])
    if len(raw) == 8:
        return struct.unpack(">d", raw)[0]
    raise malformed(f"a float of {len(raw)} bytes")


def _text_value(text: str, kind: str) -> Any:
    """Plain text (§7.4.1): a number, 0 or 1, or the text itself. Raises DecodeError."""
    if kind == "string":
        return text
    try:
        value = int(text) if kind in ("integer", "boolean", "time") else float(text)
    except ValueError:
        raise malformed(f"{text[:40]!r} is no {kind}") from None
    if kind == "boolean" and value not in (0, 1):
        raise malformed("a boolean is 0 or 1")
    return value


class Lwm2mPayload:
    """`lwm2m`: what an LwM2M server or CoAP gateway forwards over MQTT or HTTP."""

    name = "lwm2m"
    title_ko = "LwM2M·CoAP 게이트웨이"
    title_en = "LwM2M and CoAP gateways"

    def decode(self, frame: Frame) -> list[Decoded]:
        """Readings of the resources that measure, and what object 3 says of the device."""
        options = frame.device.options
        path = parse_path(frame.attribute or str(options.get("path", "")))
        form = str(options.get("format", "")) or _form(frame, path)
        resources = list(self._resources(frame, path, form))
        if len(resources) > RESOURCES_MAX:
            raise malformed(f"more than {RESOURCES_MAX} resources")
        made = list(self._decoded(frame, resources))
        if not made:
            raise malformed("no resource that measures")
        return made

    def _resources(self, frame: Frame, path: Path, form: str) -> Iterator[Resource]:
        if form in ("senml-json", "senml-cbor"):
            prefix = "/" + "/".join(map(str, path)) if path else ""
            for record in resolve(
                parse_pack(frame.payload, cbor=form.endswith("cbor")), paths=True
            ):
                whole = record.name if record.name.count("/") >= 2 else f"{prefix}/{record.name}"
                at = moment(record.time, frame.received_at)
                value = int(record.value) if isinstance(record.value, bool) else record.value
                yield Resource(_senml_path(whole), value, True, unit_of(record.unit), at)
        elif form == "tlv":
            yield from parse_tlv(frame.payload, path)
        elif form == "text":
            try:
                text = frame.payload.decode().strip()
            except UnicodeDecodeError:
                raise malformed("plain text that is not UTF-8") from None
            yield Resource(_whole(path), text, typed=False)
        elif form == "opaque":
            yield Resource(_whole(path), frame.payload, typed=False)
        else:
            raise malformed(f"no format {form[:20]!r}")

    def _decoded(self, frame: Frame, resources: list[Resource]) -> Iterator[Decoded]:
        told = _told(resources)
        for one in resources:
            meaning = _meaning(frame, one.path)
            if meaning is None or len(one.path) < 3:
                continue
            value = _read(one, meaning.kind)
            key = (one.path[0], one.path[2])
            if key == ipso.BATTERY and _finite(value) and 0 <= value <= 100:
                yield Status(battery_percent=float(value))
            elif key == ipso.FIRMWARE and isinstance(value, str):
                yield Status(firmware=value)
            elif not isinstance(value, str | bytes | None) and meaning.attribute:
                unit, at = told.get(one.path[:2], ("", None))
                number = one.path[1] if len(one.path) == 3 else one.path[3]
                name = meaning.attribute + (str(number) if number else "")
                yield Reading(
                    frame.device.entities[0], name, one.at or at or frame.received_at, value,
                    one.unit or unit or meaning.unit, frame.received_at,
                )  # fmt: skip


def _meaning(frame: Frame, path: Path) -> ipso.Meaning | None:
    objects = frame.device.options.get("objects", {})
    whole = "/".join(map(str, path[:3]))
    short = f"{path[0]}/{path[2]}" if len(path) >= 3 else ""
    known = ipso.meaning(path[0], path[2]) if len(path) >= 3 else None
    return ipso.mapped(objects.get(whole, objects.get(short)), known)


def _told(resources: list[Resource]) -> dict[Path, tuple[str, datetime | None]]:
    """What an instance says of its own unit (5701) and time (5518)."""
    found: dict[Path, tuple[str, datetime | None]] = {}
    for one in resources:
        if len(one.path) != 3 or one.path[2] not in (ipso.SENSOR_UNITS, ipso.TIMESTAMP):
            continue
        unit, at = found.get(one.path[:2], ("", None))
        if one.path[2] == ipso.SENSOR_UNITS:
            text = _read(one, "string")
            unit = unit_of(text.strip()) if isinstance(text, str) else unit
        else:
            seconds = _read(one, "time")
            try:
                at = _EPOCH + timedelta(seconds=seconds)
            except (OverflowError, TypeError, ValueError):
                raise malformed("a timestamp that is no time") from None
        found[one.path[:2]] = (unit, at)
    return found


def _read(one: Resource, kind: str) -> Any:
    if one.typed:
        return one.value
    if isinstance(one.value, str):
        return _text_value(one.value, kind)
    return value_of(one.value, kind)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _whole(path: Path) -> Path:
    if len(path) < 3:
        raise malformed("a single value needs the path of a resource")
    return path


def _senml_path(name: str) -> Path:
    """`urn:dev:…/3303/0/5700` or `/3303/0/5700`: the numbers at the end."""
    parts = name.strip("/").split("/")
    while parts and not (parts[0].isascii() and parts[0].isdigit()):
        parts = parts[1:]
    return parse_path("/".join(parts))


def _form(frame: Frame, path: Path) -> str:
    """By the transport's media type, or else by how the message looks."""
    kind = frame.content_type.partition(";")[0].strip().lower()
    if kind in _MEDIA:
        return _MEDIA[kind]
    head = frame.payload.lstrip()[:1]
    if head == b"[":
        return "senml-json"
    if len(path) >= 3:
        return "text" if _looks_like_text(frame.payload) else "opaque"
    if not path:  # TLV means nothing without the path it was read from
        return "senml-cbor"
    return "tlv"


def _looks_like_text(payload: bytes) -> bool:
    return bool(payload) and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in payload)
