"""SunSpec over Modbus: the chain of models, scale factors, and values that mean there is none.

Source: SunSpec Alliance, Device Information Model Specification v1.1 §4 (types, not-implemented
values) and §6 (discovery by the marker `SunS` at 0, 40000 or 50000).
"""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from onsil.devices.drivers.json_payload import malformed
from onsil.devices.drivers.registers import Block, raw_value, words_at
from onsil.devices.drivers.single import from_single
from onsil.devices.drivers.sunspec_models import (
    COMMON_FIRMWARE,
    CONTROLS,
    MODELS,
    MODULE_POINTS,
    MODULE_WORDS,
    MODULES_AT,
    Control,
    Point,
)

MARKER = (0x5375, 0x6E53)  # "SunS"
BASES = (40_000, 0, 50_000)
END = 0xFFFF
MODELS_MAX = 100
SCALE_MAX = 10
# type → (words, numeric type, raw value of a point that is not implemented)
_TYPES: dict[str, tuple[int, str, int | None]] = {
    "int16": (1, "int16", -0x8000), "uint16": (1, "uint16", 0xFFFF),
    "enum16": (1, "uint16", 0xFFFF), "bits16": (1, "uint16", 0xFFFF),
    "int32": (2, "int32", -0x8000_0000),
    "uint32": (2, "uint32", 0xFFFF_FFFF), "acc32": (2, "uint32", 0), "acc64": (4, "uint64", 0),
    "float32": (2, "float32", None),
}  # fmt: skip


class Model(NamedTuple):
    """A model found in the chain: its id, the address of its id word, its words with the head."""

    id: int
    address: int
    words: int


class Measured(NamedTuple):
    """One point of a device: what it is, its scaled value, its unit."""

    attribute: str
    value: Any
    unit: str


def chain(blocks: Sequence[Block]) -> list[Model]:
    """The models in what was read from the marker on. Raises DecodeError for a broken chain."""
    for base in BASES:
        if words_at(blocks, "holding", base, 2) == list(MARKER):
            return list(_models(blocks, base + 2))
    raise malformed("no SunSpec marker at 40000, 0 or 50000")


def _models(blocks: Sequence[Block], at: int) -> Iterator[Model]:
    for _ in range(MODELS_MAX):
        head = words_at(blocks, "holding", at, 2)
        if head is None:
            first = words_at(blocks, "holding", at, 1)
            if first == [END]:
                return
            raise malformed(f"the chain of models breaks off at {at}")
        if head[0] == END:
            return
        yield Model(head[0], at, head[1] + 2)
        at += head[1] + 2
        if at > 65_534:
            raise malformed("the chain of models leaves the address space")
    raise malformed(f"more than {MODELS_MAX} models")


def measured(blocks: Sequence[Block], models: Sequence[Model]) -> Iterator[Measured]:
    """Every implemented point of the models we know. Raises DecodeError for one that is cut."""
    taken: set[str] = set()
    for model in models:
        words = words_at(blocks, "holding", model.address, model.words)
        if words is None:
            if model.id in MODELS or model.id == 160:
                raise malformed(f"model {model.id} was not read whole")
            continue
        for one in _model_points(model.id, words):
            name, turn = one.attribute, 2
            while name in taken:  # a second model of the same kind (meter 2, inverter 2)
                name, turn = f"{one.attribute}{turn}", turn + 1
            taken.add(name)
            yield one._replace(attribute=name)


def _model_points(model_id: int, words: Sequence[int]) -> Iterator[Measured]:
    if model_id == 160:
        count = words[8] if len(words) > 8 and words[8] != 0xFFFF else 0
        for number in range(count):
            base = MODULES_AT + number * MODULE_WORDS
            if base + MODULE_WORDS > len(words):
                raise malformed("model 160 has fewer modules than it says")
            for point in MODULE_POINTS:
                value = point_value(words, point, base)
                if value is not None:
                    yield Measured(f"{point.attribute}{number + 1}", value, point.unit)
        return
    for point in MODELS.get(model_id, ()):
        value = point_value(words, point)
        if value is not None:
            yield Measured(point.attribute, value, point.unit)


def point_value(words: Sequence[int], point: Point, base: int = 0) -> Any:
    """A point's scaled value, None where it is not implemented; `base` moves no scale factor."""
    count, kind, nothing = _TYPES[point.type]
    at = base + point.offset
    if at + count > len(words):
        return None  # an older, shorter edition of the model
    raw = raw_value(words[at : at + count], kind)
    if raw == nothing or (isinstance(raw, float) and not math.isfinite(raw)):
        return None
    if isinstance(raw, float):
        return from_single(raw)
    scale = scale_factor(words, point.scale_at)
    if scale is None:
        return None
    return raw if scale == 0 else Decimal(raw).scaleb(scale)


def scale_factor(words: Sequence[int], at: int | None) -> int | None:
    """A power of ten, 0 where there is none; None for one that is not implemented or impossible."""
    if at is None:
        return 0
    if at >= len(words):
        return None
    factor = raw_value([words[at]], "int16")
    return factor if abs(factor) <= SCALE_MAX else None


def firmware(blocks: Sequence[Block], models: Sequence[Model]) -> str:
    """The version in the common model (1), if it was read."""
    for model in models:
        if model.id == 1:
            start, count = COMMON_FIRMWARE
            words = words_at(blocks, "holding", model.address + start, count)
            body = b"".join(word.to_bytes(2, "big") for word in words or ())
            return body.split(b"\0")[0].decode("ascii", "replace").strip()
    return ""


def control(models: Sequence[Model], actuator: str) -> tuple[Model, Control] | None:
    """The point that an actuator's name means, and the model it lies in."""
    for model in models:
        for one in CONTROLS.get(model.id, ()):
            if one.actuator == actuator and one.offset < model.words:
                return model, one
    return None


def control_word(value: float, one: Control, scale: int) -> int:
    """The word that says a value. Raises ValueError for what does not fit."""
    raw = int((Decimal(str(float(value))).scaleb(-scale)).to_integral_value())
    low, high = (-0x7FFF, 0x7FFF) if one.type == "int16" else (0, 0xFFFE)
    if not low <= raw <= high:
        raise ValueError(f"{value} does not fit {one.actuator}")
    return raw & 0xFFFF
