"""What was read over Modbus TCP, as a message: registers by a map, or a SunSpec device's models.

The collector (`devices/collecting/modbus.py`) reads; the frame it makes is JSON:
`{"blocks": [["holding", 40000, [21365, 28243, …]], …]}`. So what a device answered is kept and can
be decoded again. Options: `host`, `port` (502), `unit_id` (1), and `sunspec = true` or `register`.
"""

from collections.abc import Mapping
from typing import Any

from onsil.core.refusal import OperationError
from onsil.devices.drivers import registers, sunspec
from onsil.devices.drivers.json_payload import malformed, parse_json
from onsil.devices.drivers.registers import TABLES, Block, words_at
from onsil.devices.terms import Decoded, Frame, Status
from onsil.hub import Reading

BLOCKS_MAX = 2_000


def parse_blocks(payload: bytes) -> list[Block]:
    """The blocks of a frame. Raises DecodeError."""
    body = parse_json(payload)
    listed = body.get("blocks") if isinstance(body, dict) else None
    if not isinstance(listed, list) or not listed or len(listed) > BLOCKS_MAX:
        raise malformed("blocks is a list of [table, address, words]")
    return [_block(one) for one in listed]


def _block(raw: Any) -> Block:
    if not isinstance(raw, list) or len(raw) != 3:
        raise malformed("a block is [table, address, words]")
    table, address, words = raw
    if table not in TABLES or not _is_word(address) or not isinstance(words, list):
        raise malformed("a block is [table, address, words]")
    if not all(_is_word(word) for word in words):
        raise malformed("a word is 0 to 65535")
    return Block(table, address, words)


def _is_word(raw: Any) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 0xFFFF


class ModbusPayload:
    """`modbus`: Modbus TCP, by register map or SunSpec."""

    name = "modbus"
    title_ko = "Modbus TCP·SunSpec"
    title_en = "Modbus TCP, SunSpec"

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises OperationError where nothing could be read by these options."""
        if not isinstance(options.get("host"), str) or not options["host"]:
            raise OperationError("modbus: the option host is missing", retry=False)
        for name, low, high, usual in (("port", 1, 65_535, 502), ("unit_id", 0, 255, 1)):
            value = options.get(name, usual)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise OperationError(f"modbus: {name} is {low} to {high}", retry=False)
        if not registers.register_map(options) and not options.get("sunspec"):
            raise OperationError("modbus: sunspec = true or [[register]] is needed", retry=False)

    def decode(self, frame: Frame) -> list[Decoded]:
        """The readings of one round; what a device does not implement makes none."""
        blocks = parse_blocks(frame.payload)
        options, at = frame.device.options, frame.received_at
        usual = frame.device.entities[0]
        made: list[Decoded] = []
        if options.get("sunspec"):
            models = sunspec.chain(blocks)
            for one in sunspec.measured(blocks, models):
                made.append(Reading(usual, one.attribute, at, one.value, one.unit, at))
            version = sunspec.firmware(blocks, models)
            if version:
                made.append(Status(firmware=version))
        try:
            lines = registers.register_map(options)
        except OperationError as error:
            raise malformed(f"the device's register map: {error}") from None
        for line in lines:
            words = words_at(blocks, line.table, line.address, line.words)
            if words is None:
                raise malformed(f"{line.attribute}: register {line.address} was not read")
            value = registers.value_of(words, line)
            if value is not None:
                made.append(Reading(line.entity or usual, line.attribute, at, value, line.unit, at))
        if not made:
            raise malformed("no register with a value in it")
        return made
