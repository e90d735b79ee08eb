"""Asking over Modbus TCP: reading a device's registers into a frame, writing and reading back.

Client: pymodbus (async). One connection a round, so that a gateway with few places serves others.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from onsil.devices.collecting.faults import Fault
from onsil.devices.collecting.reach import Network, resolve
from onsil.devices.drivers import registers, sunspec
from onsil.devices.drivers.registers import WORDS_MAX, Block, Register, Span
from onsil.devices.terms import DecodeError, Device

TIMEOUT_S = 3.0
SUNSPEC_WORDS_MAX = 10_000


class Asking:
    """A connection to one device while the block runs. Raises Fault."""

    def __init__(self, device: Device, named: Sequence[Network]) -> None:
        self.device, self.named = device, named
        self.unit = int(device.options.get("unit_id", 1))
        self.client: Any = None

    async def __aenter__(self) -> "Asking":
        host, port = self.device.options["host"], int(self.device.options.get("port", 502))
        address = await resolve(host, port, self.named, public=False)
        self.client = AsyncModbusTcpClient(
            address, port=port, timeout=TIMEOUT_S, retries=1, reconnect_delay=0
        )
        if not await self.client.connect():
            raise Fault("no-connection",
                        f"{host}:{port}에 연결할 수 없습니다. 전원과 망을 확인하세요.",
                        f"No connection to {host}:{port}. Check power and network.")  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        self.client.close()

    async def read(self, span: Span) -> Block:
        """Words (or bits) of one span. Raises Fault."""
        call = {
            "holding": self.client.read_holding_registers,
            "input": self.client.read_input_registers,
            "coil": self.client.read_coils,
            "discrete": self.client.read_discrete_inputs,
        }[span.table]
        answer = await self._answered(call(span.address, count=span.count, device_id=self.unit))
        if span.table in ("coil", "discrete"):
            return Block(span.table, span.address, [int(b) for b in answer.bits[: span.count]])
        if len(answer.registers) != span.count:
            raise _refused("short answer")
        return Block(span.table, span.address, answer.registers)

    async def write(self, table: str, address: int, words: Sequence[int]) -> None:
        """Write words, or one bit. Raises Fault."""
        if table == "coil":
            await self._answered(
                self.client.write_coil(address, bool(words[0]), device_id=self.unit)
            )
            return
        await self._answered(self.client.write_registers(address, list(words), device_id=self.unit))

    async def _answered(self, call: Any) -> Any:
        try:
            answer = await call
        except (ModbusException, OSError, TimeoutError) as error:
            raise Fault("no-answer", "장치가 답하지 않습니다. 배선과 국번을 확인하세요.",
                        f"The device does not answer ({str(error)[:60]}).") from error  # fmt: skip
        if answer.isError():
            raise _refused(str(getattr(answer, "exception_code", answer)))
        return answer

    async def sunspec_block(self) -> Block:
        """All models from the marker to the end of the chain, as one block. Raises Fault."""
        for base in sunspec.BASES:
            try:
                marker = await self.read(Span("holding", base, 2))
            except Fault as fault:
                if fault.code == "refused":
                    continue
                raise
            if tuple(marker.words) == sunspec.MARKER:
                return await self._chain(base)
        raise Fault("no-sunspec", "SunSpec 표지를 찾을 수 없습니다. 국번과 지도를 확인하세요.",
                    "No SunSpec marker at 40000, 0 or 50000. Check the unit id.")  # fmt: skip

    async def _chain(self, base: int) -> Block:
        words: list[int] = [*sunspec.MARKER]
        while len(words) < SUNSPEC_WORDS_MAX:
            at = base + len(words)
            try:
                head = (await self.read(Span("holding", at, 2))).words
            except Fault as fault:
                if fault.code != "refused":
                    raise
                head = (await self.read(Span("holding", at, 1))).words
            words += head
            if head[0] == sunspec.END:
                return Block("holding", base, words)
            left = head[1]
            while left:
                count = min(left, WORDS_MAX)
                words += (await self.read(Span("holding", base + len(words), count))).words
                left -= count
        raise Fault("no-sunspec", "SunSpec 모델 사슬이 끝나지 않습니다.",
                    "The chain of SunSpec models has no end.")  # fmt: skip


def _refused(what: str) -> Fault:
    return Fault("refused", f"장치가 요청을 거절했습니다({what}). 주소표를 확인하세요.",
                 f"The device refuses the request ({what}). Check the register map.")  # fmt: skip


async def ask(device: Device, named: Sequence[Network]) -> bytes:
    """One round: everything the device's options name, as a frame for the driver. Raises Fault."""
    async with Asking(device, named) as asking:
        blocks: list[Block] = []
        if device.options.get("sunspec"):
            blocks.append(await asking.sunspec_block())
        for span in registers.plan(registers.register_map(device.options)):
            blocks.append(await asking.read(span))
    return orjson.dumps({"blocks": [[b.table, b.address, list(b.words)] for b in blocks]})


async def tell(device: Device, actuator: str, value: Any, named: Sequence[Network]) -> str:
    """Set an actuator and read it back; what was read. Raises Fault when it is not what was set."""
    async with Asking(device, named) as asking:
        lines = [r for r in registers.register_map(device.options) if r.attribute == actuator]
        try:
            if lines:
                return await _tell_register(asking, lines[0], value)
            return await _tell_sunspec(asking, actuator, value)
        except (ValueError, DecodeError) as error:
            raise Fault("bad-value", f"{actuator}: {error}", f"{actuator}: {error}") from error


async def _tell_register(asking: Asking, line: Register, value: Any) -> str:
    if not line.writable:
        raise ValueError("the register is not marked as writable")
    words = registers.words_for(value, line)
    await asking.write(line.table, line.address, words)
    back = await asking.read(Span(line.table, line.address, line.words))
    return _same(words, list(back.words))


async def _tell_sunspec(asking: Asking, actuator: str, value: Any) -> str:
    block = await asking.sunspec_block()
    found = sunspec.control(sunspec.chain([block]), actuator)
    if found is None:
        raise ValueError("the device has no such control")
    model, one = found
    words = registers.words_at([block], "holding", model.address, model.words)
    scale = sunspec.scale_factor(words or [], one.scale_at)
    if scale is None:
        raise ValueError("the device gives no scale factor for it")
    wanted = [sunspec.control_word(value, one, scale)]
    await asking.write("holding", model.address + one.offset, wanted)
    if one.enable_at is not None:
        await asking.write("holding", model.address + one.enable_at, [1])
    back = await asking.read(Span("holding", model.address + one.offset, 1))
    return _same(wanted, list(back.words))


def _same(wanted: list[int], back: list[int]) -> str:
    if wanted != back:
        raise Fault("not-taken", f"장치가 값을 받지 않았습니다(읽은 값 {back}).",
                    f"The device did not take the value (read back {back}).")  # fmt: skip
    return f"read back {back}"
