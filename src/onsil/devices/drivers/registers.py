"""Modbus registers as values: types, orders, scales, what stands for nothing; and back again.

A register map is a device's option `register`, a list of tables (in TOML `[[register]]`):

    attribute  the name of what is read            table   holding, input, coil, discrete
    address    of its first word, from 0           type    int16 … uint64, float32, float64, bool
    word_order big or little (default big)         byte_order  big or little (default big)
    scale      multiply by this (default 1)        shift   then add this (default 0)
    unit       of the result                       nothing raw values that mean there is none
    entity     if not the device's first           writable, minimum, maximum   for commands
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from onsil.core.refusal import OperationError
from onsil.devices.drivers.single import from_single

TABLES = ("holding", "input", "coil", "discrete")
WORDS_MAX = 125  # Modbus Application Protocol V1.1b3 §6.3: of one read
GAP_MAX = 8
_FORMATS = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
TYPES = (*_FORMATS, "bool")


class Block(NamedTuple):
    """Words (or bits) as read: the table, the first address, the values."""

    table: str
    address: int
    words: Sequence[int]


class Span(NamedTuple):
    """What to read: the table, the first address, how many."""

    table: str
    address: int
    count: int


@dataclass(frozen=True)
class Register:
    """One line of a register map."""

    attribute: str
    address: int
    table: str = "holding"
    type: str = "uint16"
    word_order: str = "big"
    byte_order: str = "big"
    scale: Decimal = Decimal(1)
    shift: Decimal = Decimal(0)
    unit: str = ""
    entity: str = ""
    nothing: tuple[int, ...] = ()
    writable: bool = False
    minimum: float = -math.inf
    maximum: float = math.inf

    @property
    def words(self) -> int:
        return 1 if self.type == "bool" else struct.calcsize(_FORMATS[self.type]) // 2


def register_map(options: Mapping[str, Any]) -> list[Register]:
    """The map in a device's options. Raises OperationError saying what is wrong in which line."""
    lines = options.get("register", [])
    if not isinstance(lines, list):
        raise OperationError("register is a list of tables", retry=False)
    return [_register(number, line) for number, line in enumerate(lines, 1)]


def _register(number: int, line: Any) -> Register:
    known = {field.name for field in fields(Register)}
    where = f"[[register]] {number}"
    if not isinstance(line, dict) or set(line) - known:
        extra = sorted(set(line) - known) if isinstance(line, dict) else [str(line)[:20]]
        raise OperationError(
            f"{where}: unknown {', '.join(extra)}; known are {', '.join(sorted(known))}",
            retry=False,
        )
    values = dict(line)
    try:
        for name in ("scale", "shift"):
            if name in values:
                values[name] = Decimal(str(values[name]))
        values["nothing"] = tuple(int(raw) for raw in values.get("nothing", ()))
        made = Register(**values)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise OperationError(f"{where}: {error}", retry=False) from None
    for value, allowed, name in (
        (made.table, TABLES, "table"), (made.type, TYPES, "type"),
        (made.word_order, ("big", "little"), "word_order"),
        (made.byte_order, ("big", "little"), "byte_order"),
    ):  # fmt: skip
        if value not in allowed:
            raise OperationError(f"{where}: {name} is one of {', '.join(allowed)}", retry=False)
    if not isinstance(made.address, int) or not 0 <= made.address <= 65_536 - made.words:
        raise OperationError(f"{where}: address is 0 to 65535", retry=False)
    if (made.type == "bool") != (made.table in ("coil", "discrete")):
        raise OperationError(f"{where}: bool is for coils and discrete inputs", retry=False)
    if made.scale == 0:
        raise OperationError(f"{where}: a scale of zero says nothing", retry=False)
    return made


def plan(registers: Iterable[Register]) -> list[Span]:
    """As few reads as cover the map, none longer than the protocol allows."""
    spans: list[Span] = []
    for one in sorted(registers, key=lambda r: (r.table, r.address)):
        last = spans[-1] if spans else None
        if last and last.table == one.table:
            end = max(last.address + last.count, one.address + one.words)
            if (
                one.address <= last.address + last.count + GAP_MAX
                and end - last.address <= WORDS_MAX
            ):
                spans[-1] = last._replace(count=end - last.address)
                continue
        spans.append(Span(one.table, one.address, one.words))
    return spans


def words_at(blocks: Iterable[Block], table: str, address: int, count: int) -> list[int] | None:
    """Words out of what was read; None where they were not."""
    for block in blocks:
        first = address - block.address
        if block.table == table and first >= 0 and first + count <= len(block.words):
            return list(block.words[first : first + count])
    return None


def raw_value(
    words: Sequence[int], kind: str, word_order: str = "big", byte_order: str = "big"
) -> Any:
    """Words as a number: an int, a float (which may be NaN), or 0/1."""
    if kind == "bool":
        return int(bool(words[0]))
    ordered = list(words) if word_order == "big" else list(reversed(words))
    body = struct.pack(f"{'>' if byte_order == 'big' else '<'}{len(ordered)}H", *ordered)
    return struct.unpack(_FORMATS[kind], body)[0]


def value_of(words: Sequence[int], one: Register) -> Any:
    """The scaled value of a register; None where its raw value stands for nothing."""
    raw = raw_value(words, one.type, one.word_order, one.byte_order)
    unsigned = raw % (1 << 16 * one.words) if isinstance(raw, int) else raw
    if raw in one.nothing or unsigned in one.nothing:
        return None
    if isinstance(raw, float) and not math.isfinite(raw):
        return None
    if isinstance(raw, float):
        raw = from_single(raw) if one.type == "float32" else raw
        if (one.scale, one.shift) == (1, 0):
            return raw
    exact = Decimal(repr(raw)) * one.scale + one.shift
    return exact if exact != int(exact) or isinstance(raw, float) else int(exact)


def words_for(value: float | bool, one: Register) -> list[int]:
    """The words that say a value. Raises ValueError for what the register cannot hold."""
    if not one.minimum <= value <= one.maximum:
        raise ValueError(f"{value} is outside of {one.minimum} to {one.maximum}")
    if one.type == "bool":
        return [int(bool(value))]
    raw: Any = (Decimal(str(value)) - one.shift) / one.scale
    raw = float(raw) if one.type.startswith("float") else int(raw.to_integral_value())
    try:
        body = struct.pack(_FORMATS[one.type], raw)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value} does not fit a {one.type}") from error
    words = list(struct.unpack(f"{'>' if one.byte_order == 'big' else '<'}{len(body) // 2}H", body))
    return words if one.word_order == "big" else words[::-1]
