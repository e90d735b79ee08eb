"""SenML (RFC 8428) as JSON or CBOR: packs of records with base fields, resolved and mapped.

Options of the device: `names` maps a resolved name to `{attribute, entity, unit}`. A name without a
line there becomes its last part (`urn:dev:ow:10e2073a01080063:voltage` → `voltage`), and one that
begins with an entity of the device writes for that entity.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import cbor2

from onsil.devices.drivers.json_payload import READINGS_MAX, malformed, parse_json
from onsil.devices.drivers.senml_units import UNITS, unit_of
from onsil.devices.terms import Decoded, DecodeError, Device, Frame, Status
from onsil.hub import Reading

VERSION_MAX = 10
ABSOLUTE_FROM = 2**28  # RFC 8428 §4.5.3: smaller times are seconds from now
NAME_MAX = 200
# RFC 8428 §6, table 4: CBOR's integer labels.
_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_NUMBERS = ("bt", "bv", "bs", "v", "s", "t", "ut")
_TEXTS = ("bn", "bu", "n", "u", "vs", "vd")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATTERY = ("%EL", "%battery")


class Record(NamedTuple):
    """A resolved record (§4.6): whole name, SenML unit, Unix time or seconds from now, value."""

    name: str
    unit: str
    time: float
    value: Any
    total: float | None


def parse_pack(payload: bytes, *, cbor: bool) -> list[dict[str, Any]]:
    """The records as they came, under their JSON labels. Raises DecodeError."""
    if cbor:
        try:
            pack = cbor2.loads(payload)
        except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError,
                MemoryError) as error:  # fmt: skip
            raise malformed(f"not CBOR ({str(error)[:80]})") from None
    else:
        pack = parse_json(payload)
    if not isinstance(pack, list) or not pack:
        raise malformed("a SenML pack is a list of records")
    if len(pack) > READINGS_MAX:
        raise malformed(f"more than {READINGS_MAX} records")
    return [_labelled(record, cbor=cbor) for record in pack]


def _labelled(record: Any, *, cbor: bool) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise malformed("a record is a map")
    named: dict[str, Any] = {}
    for key, value in record.items():
        label = _LABELS.get(key) if isinstance(key, int) and not isinstance(key, bool) else key
        if not isinstance(label, str):
            # A label nobody has registered as one that must be understood is passed over (§4.4).
            continue
        if label.endswith("_"):
            raise malformed(f"the field {label[:20]} must be understood and is not")
        named[label] = value
    for label in _NUMBERS:
        if label in named and not _is_number(named[label], cbor=cbor):
            raise malformed(f"{label} is a number")
    for label in _TEXTS:
        if label in named and not isinstance(named[label], str | bytes if label == "vd" else str):
            raise malformed(f"{label} is a text")
    if "vb" in named and not isinstance(named["vb"], bool):
        raise malformed("vb is true or false")
    return named


def _is_number(raw: Any, *, cbor: bool) -> bool:
    if isinstance(raw, bool) or (not isinstance(raw, int | float) and not _is_decimal(raw, cbor)):
        return False
    try:
        return math.isfinite(raw)
    except OverflowError:
        return False


def _is_decimal(raw: Any, cbor: bool) -> bool:
    """CBOR has decimal fractions and big floats (tags 4 and 5), which arrive as Decimal."""
    return cbor and type(raw).__name__ == "Decimal"


def resolve(pack: list[dict[str, Any]], *, paths: bool = False) -> Iterator[Record]:
    """Records with the base fields worked in (§4.6). Raises DecodeError.

    `paths`: names may begin with a slash, as LwM2M's do.
    """
    base_name, base_unit, base_time, base_value, base_sum, version = "", "", 0.0, 0, 0, None
    for record in pack:
        base_name = record.get("bn", base_name)
        base_unit = record.get("bu", base_unit)
        base_time = float(record.get("bt", base_time))
        base_value, base_sum = record.get("bv", base_value), record.get("bs", base_sum)
        said = record.get("bver", version)
        if said != version and (version is not None or not _is_version(said)):
            raise malformed(f"version {str(said)[:10]} (known: up to {VERSION_MAX}, one a pack)")
        version = said
        name = base_name + record.get("n", "")
        if not name or len(name) > NAME_MAX or not _is_name(name, paths):
            raise malformed(f"{name[:40]!r} is no name (A-Z a-z 0-9 - : . / _)")
        value = record.get("vb", record.get("vs", record.get("vd")))
        if "v" in record:
            value = record["v"] + base_value if base_value else record["v"]
        elif value is None and "s" not in record:
            if "bv" in record or base_value:  # §4.1: the base value stands for a missing value
                value = base_value
            else:
                continue  # a record of nothing but base fields, or an extension's
        total = record["s"] + base_sum if "s" in record else None
        unit = record.get("u", base_unit)
        yield Record(name, unit, base_time + float(record.get("t", 0)), value, total)


def _is_version(raw: Any) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= VERSION_MAX


def _is_name(name: str, paths: bool) -> bool:
    """§4.5.1: letters, digits and - : . / _ , the first a letter or digit."""
    first = name[0].isalnum() or (paths and name[0] == "/")
    return (
        name.isascii()
        and first
        and not name.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:./_")
    )


def moment(time: float, received_at: datetime) -> datetime:
    """§4.5.3: from 2**28 on a Unix time, below it seconds from now. Raises DecodeError."""
    try:
        start = _EPOCH if time >= ABSOLUTE_FROM else received_at
        return start + timedelta(seconds=time)
    except OverflowError:
        raise malformed(f"{time} is not a time") from None


def record_reading(
    record: Record, device: Device, names: Mapping[str, Any], frame: Frame
) -> list[Decoded]:
    """What a resolved record says: none for a text nobody mapped, a status for a battery."""
    mapped = names.get(record.name, {})
    if record.unit in BATTERY and not mapped and _is_number(record.value, cbor=True):
        return [Status(battery_percent=min(100.0, max(0.0, float(record.value))))]
    entity, attribute = _target(record.name, device)
    entity, attribute = mapped.get("entity", entity), mapped.get("attribute", attribute)
    unit = mapped.get("unit") or unit_of(record.unit)
    scale = 1 if mapped.get("unit") else UNITS.get(record.unit, ("", 1))[1]
    at = moment(record.time, frame.received_at)
    value = record.value
    if isinstance(value, bool):
        value = int(value) if mapped else None
    made: list[Decoded] = []
    if value is not None and not isinstance(value, str | bytes):
        value = value * scale if scale != 1 else value
        made.append(Reading(entity, attribute, at, value, unit, frame.received_at))
    if record.total is not None:
        over = f"({unit}) * second" if unit else ""
        made.append(
            Reading(entity, f"{attribute}Sum", at, record.total * scale, over, frame.received_at)
        )
    return made


def _target(name: str, device: Device) -> tuple[str, str]:
    for entity in device.entities:
        if name.startswith(entity) and name[len(entity) : len(entity) + 1] in ("/", ":"):
            return entity, name[len(entity) + 1 :]
    last = name.rstrip(":/").replace("/", ":").rpartition(":")[2]
    return device.entities[0], last or name


def decode_pack(frame: Frame, *, cbor: bool) -> list[Decoded]:
    """The readings of a pack. Raises DecodeError."""
    names = frame.device.options.get("names", {})
    made: list[Decoded] = []
    for record in resolve(parse_pack(frame.payload, cbor=cbor)):
        made += record_reading(record, frame.device, names, frame)
    if not made:
        raise malformed("no record with a number in it")
    return made


class SenmlPayload:
    """`senml`: JSON where it begins with a bracket, CBOR where it does not."""

    name = "senml"
    title_ko = "SenML (RFC 8428)"
    title_en = "SenML (RFC 8428)"

    def decode(self, frame: Frame) -> list[Decoded]:
        """The readings of a pack, its times by the arrival where they are relative."""
        kind = frame.content_type.partition(";")[0].strip().lower()
        if kind.endswith(("+json", "+cbor")):
            return decode_pack(frame, cbor=kind.endswith("+cbor"))
        cbor = frame.payload.lstrip()[:1] != b"["
        try:
            return decode_pack(frame, cbor=cbor)
        except DecodeError:
            raise
        except (ArithmeticError, ValueError, TypeError) as error:
            raise malformed(str(error)[:80]) from None
