"""Modbus TCP against pymodbus's own server: register maps, SunSpec chains, writing."""

import asyncio
import struct
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from asynchronous import in_a_loop
from onsil import devices, hub
from onsil.core.clock import SystemClock
from onsil.core.database import transaction
from onsil.core.refusal import OperationError
from onsil.devices import Device, DeviceSpec, Frame
from onsil.devices.collecting import modbus
from onsil.devices.collecting.faults import Fault
from onsil.devices.collecting.reach import networks
from onsil.devices.collecting.rounds import Asker
from onsil.devices.collecting.schedule import rounds
from onsil.devices.commands import commands, order
from onsil.devices.drivers import drivers, registers, sunspec
from onsil.devices.drivers.registers import Block, Register
from onsil.devices.terms import Status
from onsil.hub import SeriesSpec

CITY = "pyeongtaek"
INVERTER = "urn:ngsi-ld:Inverter:pyeongtaek:i-1"
NOW = datetime(2025, 3, 1, tzinfo=UTC)
LOCAL = networks("127.0.0.0/8")
NOTHING16, NOTHING_SIGNED = 0xFFFF, 0x8000


def text(words, value):
    raw = value.encode().ljust(words * 2, b"\0")
    return list(struct.unpack(f">{words}H", raw))


def model(number, length, **points):
    """A model's words: its head, then zeros with `points` at their offsets (from the id word)."""
    made = [number, length] + [NOTHING16] * length
    for at, value in points.items():
        values = value if isinstance(value, list) else [value]
        place = int(at[1:])
        made[place : place + len(values)] = [v & 0xFFFF for v in values]
    return made


def inverter(power=3210):
    """A three-phase inverter with its models, as a device of its kind presents itself."""
    return [
        *sunspec.MARKER,
        *model(1, 66, _2=text(16, "Maker"), _18=text(16, "Model"), _42=text(8, "1.2.3")),
        *model(103, 50, _2=140, _3=47, _4=47, _5=46, _6=-1, _14=power, _15=0, _16=6001, _17=-2,
               _10=2301, _13=-1, _18=NOTHING_SIGNED, _19=0, _20=-120, _21=0, _22=NOTHING_SIGNED,
               _23=NOTHING_SIGNED, _24=[0x0001, 0x86A0], _26=1, _27=82, _28=-1, _29=NOTHING16,
               _30=-1, _31=3300, _32=0, _33=412, _37=-1, _38=4),
        *model(123, 24, _4=1, _5=100, _9=0, _10=NOTHING_SIGNED, _14=0, _23=0, _24=-2, _25=0),
        *model(160, 48, _2=-1, _3=-1, _4=0, _5=0, _8=2,
               _19=41, _20=4005, _21=1650, _22=[0, 5000], _26=35,
               _39=40, _40=4010, _41=1640, _42=[0, 0], _46=NOTHING_SIGNED),
        *model(203, 105, _6=-1, _18=-2500, _19=-800, _22=0, _38=[0, 1234], _46=[0, 0], _54=2,
               _16=NOTHING_SIGNED, _17=-2, _2=NOTHING_SIGNED, _15=NOTHING_SIGNED, _33=-98, _37=-2,
               _23=NOTHING_SIGNED, _28=NOTHING_SIGNED),
        *model(64001, 3, _2=[1, 2, 3]),  # a maker's own model: passed over
        0xFFFF, 0,
    ]  # fmt: skip


EXPECTED = {
    "current": ("14.0", "A"), "activePower": ("3210", "W"), "frequency": ("60.01", "Hz"),
    "voltagePhaseA": ("230.1", "V"), "reactivePower": ("-120", "V * A"),
    "activeEnergyTotal": ("1000000", "Wh"), "dcCurrent": ("8.2", "A"), "dcPower": ("3300", "W"),
    "cabinetTemperature": ("41.2", "degC"), "operatingState": ("4", "count"),
    "connected": ("1", "count"), "activePowerLimit": ("100", "percent"),
    "moduleDcVoltage1": ("400.5", "V"), "moduleDcEnergyTotal1": ("5000", "Wh"),
    "moduleTemperature1": ("35", "degC"), "moduleDcPower2": ("1640", "W"),
    "meterActivePower": ("-2500", "W"), "meterActivePowerPhaseA": ("-800", "W"),
    "activeEnergyExported": ("123400", "Wh"), "meterPowerFactor": ("-0.98", "percent"),
}  # fmt: skip
ABSENT = {"apparentPower", "powerFactor", "dcVoltage", "moduleDcEnergyTotal2", "meterFrequency",
          "moduleTemperature2", "activeEnergyImported", "meterCurrent",
          "powerFactorSetting"}  # fmt: skip


@contextmanager
def served(words, first, *more):
    """pymodbus's server on a port of its own, in a thread of its own."""
    ready, box = threading.Event(), {}

    async def serve():
        block = SimData(first, values=words, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(SimDevice(1, simdata=[block, *more]), address=("127.0.0.1", 0))
        await server.listen()
        box["port"] = server.transport.sockets[0].getsockname()[1]
        box["loop"], box["server"] = asyncio.get_running_loop(), server
        ready.set()
        await server.serving

    thread = threading.Thread(target=lambda: asyncio.run(_quiet(serve())), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield box["port"]
    asyncio.run_coroutine_threadsafe(box["server"].shutdown(), box["loop"]).result(5)
    thread.join(5)


async def _quiet(work):
    try:
        await work
    except asyncio.CancelledError:
        return


def device(port, **options):
    whole = {"host": "127.0.0.1", "port": port, **options}
    return Device("i-1", (INVERTER,), "modbus", options=whole, city=CITY)


def readings(payload, **options):
    made = drivers()["modbus"].decode(Frame(device(1, **options), payload, NOW))
    return {
        r.attribute: (format(Decimal(str(r.value)), "f"), r.unit)
        for r in made
        if not isinstance(r, Status)
    }, made


def test_a_sunspec_device_tells_all_it_implements():
    with served(inverter(), 40_000) as port:
        payload = in_a_loop(modbus.ask(device(port, sunspec=True), LOCAL))
    found, made = readings(payload, sunspec=True)
    assert {k: found[k] for k in EXPECTED} == EXPECTED
    assert not ABSENT & set(found)
    assert Status(firmware="1.2.3") in made


def test_the_marker_is_looked_for_at_all_three_places():
    with served(inverter(), 0) as port:
        payload = in_a_loop(modbus.ask(device(port, sunspec=True), LOCAL))
    assert readings(payload, sunspec=True)[0]["activePower"] == ("3210", "W")


def test_a_device_that_is_no_sunspec_says_so():
    with (
        served([1, 2, 3, 4], 40_000) as port,
        pytest.raises(Fault) as raised,
    ):
        in_a_loop(modbus.ask(device(port, sunspec=True), LOCAL))
    assert raised.value.code == "no-sunspec"


MAP = [
    {"attribute": "power", "address": 10, "type": "int32", "scale": "0.1", "unit": "W"},
    {"attribute": "energy", "address": 200, "type": "uint32", "word_order": "little", "unit": "Wh"},
    {"attribute": "limit", "address": 12, "type": "uint16", "scale": "0.1", "unit": "percent",
     "writable": True, "minimum": 0, "maximum": 100},
]  # fmt: skip


def test_a_register_map_is_read_in_few_requests_and_written_and_read_back():
    words = [0] * 300
    words[10:12], words[200:202], words[12] = [0xFFFF, 0xFFF1], [0x86A0, 0x0001], 1000
    with served(words, 0) as port:
        one = device(port, register=MAP)
        found, _ = readings(in_a_loop(modbus.ask(one, LOCAL)), register=MAP)
        assert found == {"power": ("-1.5", "W"), "energy": ("100000", "Wh"),
                         "limit": ("100", "percent")}  # fmt: skip
        assert in_a_loop(modbus.tell(one, "limit", 42.5, LOCAL)) == "read back [425]"
        found, _ = readings(in_a_loop(modbus.ask(one, LOCAL)), register=MAP)
        assert found["limit"] == ("42.5", "percent")
        for actuator, value in (("limit", 101), ("power", 1), ("door", 1)):
            with pytest.raises(Fault):
                in_a_loop(modbus.tell(one, actuator, value, LOCAL))


def test_a_sunspec_control_is_written_with_its_switch():
    with served(inverter(), 40_000) as port:
        one = device(port, sunspec=True)
        in_a_loop(modbus.tell(one, "activePowerLimit", 60, LOCAL))
        found, _ = readings(in_a_loop(modbus.ask(one, LOCAL)), sunspec=True)
    assert found["activePowerLimit"] == ("60", "percent")
    assert found["activePowerLimitEnabled"] == ("1", "count")


def test_addresses_outside_the_named_networks_are_not_asked():
    with pytest.raises(Fault) as raised:
        in_a_loop(modbus.ask(device(5432, register=MAP), networks("10.0.0.0/8")))
    assert raised.value.code == "forbidden-address"


def test_rounds_commands_and_failures_are_kept(fresh_database):
    """The whole way: asked, recorded, told, answered; and what is noted when nobody answers."""
    with served(inverter(), 40_000) as port:
        spec = DeviceSpec(
            "i-1", (INVERTER,), "modbus", 60,
            options={"host": "127.0.0.1", "port": port, "sunspec": True,
                     "actuators": {"activePowerLimit": {"minimum": 0, "maximum": 100}}},
        )  # fmt: skip
        with transaction(fresh_database, CITY) as conn:
            hub.ensure_series(conn, CITY, [SeriesSpec(INVERTER, "activePower", "W", 60)])
            made, _ = devices.register_device(conn, CITY, spec)
        asker = Asker(fresh_database, SystemClock(), LOCAL)
        assert in_a_loop(asker.round(made)) is None
        with transaction(fresh_database, CITY) as conn:
            assert conn.execute("SELECT num FROM hub_point").fetchall() == [(3210.0,)]
            assert devices.seen(conn, CITY)["i-1"].firmware == "1.2.3"
            assert rounds(conn, CITY)["i-1"].failures == 0
            order(conn, made, "activePowerLimit", 50, "kim", SystemClock())
        in_a_loop(asker.tell_all())
        with transaction(fresh_database, CITY) as conn:
            told = next(c for c in commands(conn, CITY) if not c.safe)
            assert (told.state, told.detail) == ("done", "read back [50]")
    assert in_a_loop(asker.round(made)).code == "no-connection"
    in_a_loop(asker.round(made))
    with transaction(fresh_database, CITY) as conn:
        now = rounds(conn, CITY)["i-1"]
        assert (now.failures, now.fault_code) == (2, "no-connection")
        assert now.succeeded_at is not None


@pytest.mark.parametrize(
    "line",
    [
        {"attribute": "a"}, {"attribute": "a", "address": 0, "type": "int24"},
        {"attribute": "a", "address": 65_535, "type": "int32"},
        {"attribute": "a", "address": 0, "colour": "red"},
        {"attribute": "a", "address": 0, "scale": "x"},
        {"attribute": "a", "address": 0, "scale": 0},
        {"attribute": "a", "address": 0, "type": "bool"}, "a",
    ],
)  # fmt: skip
def test_a_map_that_says_nothing_usable_is_refused(line):
    with pytest.raises(OperationError):
        registers.register_map({"register": [line]})


KINDS = st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "uint64"])


@given(KINDS, st.sampled_from(["big", "little"]), st.sampled_from(["big", "little"]), st.data())
def test_what_is_written_is_what_is_read(kind, word_order, byte_order, data):
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    value = data.draw(st.integers(low, high))
    one = Register("a", 0, "holding", kind, word_order, byte_order)
    assert registers.value_of(registers.words_for(value, one), one) == value


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(["uint16", "float64"])), max_size=40)
)
def test_a_plan_covers_its_map_within_the_protocols_limits(places):
    lines = [Register("a", at, type=kind) for at, kind in places]
    spans = registers.plan(lines)
    assert all(1 <= span.count <= 125 for span in spans)
    blocks = [Block(s.table, s.address, [0] * s.count) for s in spans]
    assert all(registers.words_at(blocks, r.table, r.address, r.words) for r in lines)


@given(st.lists(st.integers(0, 0xFFFF), max_size=300))
def test_any_registers_make_readings_or_a_refusal(words):
    payload = orjson.dumps({"blocks": [["holding", 40_000, [*sunspec.MARKER, *words]]]})
    try:
        found, _ = readings(payload, sunspec=True)
    except devices.DecodeError as refused:
        found = {refused.code: ("", "")}
    assert found
    assert all(Decimal(v or 0).is_finite() for v, _ in found.values())
