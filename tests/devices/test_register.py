"""The register: tokens, drivers, cities; and how devices fare."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.core.database import scope
from onsil.core.refusal import OperationError
from onsil.devices import DeviceSpec, Message, SimulatorSpec
from onsil.devices.profiles import PROFILES
from onsil.devices.simulators import message_of
from onsil.hub import SeriesSpec

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    return FixedClock(T0)


@pytest.fixture
def meter(conn, clock):
    hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activePower", "W", 60)], clock)
    device, _ = devices.register_device(conn, CITY, DeviceSpec("m-1", (METER,)), clock)
    return device


def message(clock, device="m-1", attribute="", payload=None, **body):
    raw = orjson.dumps(body) if payload is None else payload
    return Message(device, raw, clock.now(), attribute)


def test_a_token_opens_its_device_until_it_is_replaced(conn, clock):
    _, old = devices.register_device(conn, CITY, DeviceSpec("m-1", (METER,)), clock)
    assert devices.authenticate(conn, old).id == "m-1"
    assert devices.authenticate(conn, old + "x") is None
    device, new = devices.register_device(
        conn, CITY, DeviceSpec("m-1", (METER,), interval_s=300), clock
    )
    assert devices.authenticate(conn, old) is None
    assert devices.authenticate(conn, new) == device
    assert device.interval_s == 300


def test_another_citys_device_cannot_be_seen(conn, meter):
    scope(conn, "goyang")
    assert devices.devices(conn, "goyang") == []
    assert devices.devices(conn, CITY) == []


@pytest.mark.parametrize(
    "spec",
    [
        DeviceSpec("a/b", (METER,)),
        DeviceSpec("m-1", ()),
        DeviceSpec("m-1", ("urn:ngsi-ld:Meter:goyang:m-1",)),
        DeviceSpec("m-1", (METER,), driver="telepathy"),
    ],
)
def test_a_device_that_cannot_be_is_refused(conn, spec):
    with pytest.raises(OperationError):
        devices.register_device(conn, CITY, spec)


def test_messages_become_points_and_the_device_is_seen(conn, meter, clock):
    report = devices.ingest(
        conn,
        CITY,
        [
            message(clock, id="1", at="2025-03-01T00:00:00Z", values={"activePower": 512.5}),
            message(clock, attribute="activePower", at="2025-03-01T00:01:00+00:00", value=0.6,
                    unit="kW"),
            message(clock, readings=[{"attribute": "activePower", "at": 1740787320, "value": 7}]),
        ],
        clock,
    )  # fmt: skip
    assert (report.recorded.stored, report.refused) == (3, [])
    assert devices.seen(conn, CITY)["m-1"][:3] == (T0, 3, 0)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "malformed"),
        (b"\xff\x00", "malformed"),
        (b"[]", "malformed"),
        (b"{}", "malformed"),
        (b'{"values": 3}', "malformed"),
        (b'{"at": "noon", "values": {"activePower": 1}}', "malformed"),
        (b'{"at": "2025-03-01T00:00:00", "values": {"activePower": 1}}', "malformed"),
        (b'{"at": 1e300, "values": {"activePower": 1}}', "malformed"),
        (b'{"values": {"activePower": {"value": 1, "unit": 5}}}', "malformed"),
        (b'{"readings": [{"attribute": "activePower", "value": 1, "entity": '
         b'"urn:ngsi-ld:Meter:pyeongtaek:m-2"}]}', "not-its-entity"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_kept_raw(conn, meter, clock, raw, code):
    report = devices.ingest(conn, CITY, [message(clock, payload=raw)], clock)
    assert [r.code for r in report.refused] == [code]
    (entry,) = hub.quarantine_list(conn, CITY)
    assert entry.code == code
    assert "text" in entry.raw or "base64" in entry.raw
    assert devices.seen(conn, CITY)["m-1"].refused == 1


def test_a_nul_in_a_name_does_no_harm(conn, meter, clock):
    report = devices.ingest(
        conn, CITY, [message(clock, id="a\0b", values={"x\0y": 1, "activePower": 2})], clock
    )
    assert report.recorded.stored == 1
    assert [q.code for q in report.recorded.quarantined] == ["unknown-series"]


def test_an_unknown_device_is_set_aside_with_the_reason(conn, meter, clock):
    report = devices.ingest(conn, CITY, [message(clock, "m-9", values={"activePower": 1})], clock)
    assert [r.code for r in report.refused] == ["unknown-device"]
    assert [e.origin for e in hub.quarantine_list(conn, CITY)] == ["device:m-9"]


def test_ngsi_ld_payloads_are_read(conn, clock):
    hub.ensure_series(conn, CITY, [SeriesSpec(METER, "activePower", "W", 60)], clock)
    devices.register_device(conn, CITY, DeviceSpec("m-1", (METER,), driver="ngsi-ld"), clock)
    report = devices.ingest(
        conn,
        CITY,
        [
            message(clock, id=METER, type="Meter", activePower={
                "type": "Property", "value": 2, "unitCode": "KWT",
                "observedAt": "2025-03-01T00:00:00Z"}),
            message(clock, id=METER, type="Meter", name={"type": "Property", "value": "x"}),
        ],
        clock,
    )  # fmt: skip
    assert report.recorded.stored == 1
    assert [r.code for r in report.refused] == ["malformed"]
    attribute = hub.entity(conn, CITY, METER)["activePower"]
    assert (attribute["value"], attribute["unitCode"]) == (2000, "WTT")


def states(conn, clock):
    return {h.device.id: h.state for h in devices.device_health(conn, CITY, clock)}


def test_health_new_ok_silent(conn, meter, clock):
    assert states(conn, clock) == {"m-1": "new"}
    devices.ingest(conn, CITY, [message(clock, values={"activePower": 1})], clock)
    clock.advance(timedelta(minutes=3))
    assert states(conn, clock) == {"m-1": "ok"}
    clock.advance(timedelta(seconds=1))
    assert states(conn, clock) == {"m-1": "silent"}


def test_health_stuck_and_impossible(conn, meter, clock):
    for value in [5] * 11:
        devices.ingest(conn, CITY, [message(clock, values={"activePower": value})], clock)
        clock.advance(timedelta(minutes=1))
    assert states(conn, clock) == {"m-1": "ok"}
    devices.ingest(conn, CITY, [message(clock, values={"activePower": 5})], clock)
    assert states(conn, clock) == {"m-1": "stuck"}
    devices.ingest(conn, CITY, [message(clock, values={"activePower": None})], clock)
    assert states(conn, clock) == {"m-1": "impossible"}


def test_simulators_are_labelled_and_send_what_the_hub_takes(conn, clock):
    specs = [SimulatorSpec(CITY, f"sim-{name}", name, 60) for name in PROFILES]
    for _ in range(2):
        devices.register_simulators(conn, CITY, specs, clock)
    assert all(d.simulated for d in devices.devices(conn, CITY))
    series = hub.find_series(conn, CITY)
    assert {s.source for s in series} == {"simulated"}
    for minute in range(0, 24 * 60, 30):
        clock.instant = T0 + timedelta(minutes=minute)
        sent = [Message(s.device, message_of(s, clock.now()), clock.now()) for s in specs]
        report = devices.ingest(conn, CITY, sent, clock)
        assert report.recorded.stored == len(series), report
    assert message_of(specs[0], T0) == message_of(specs[0], T0)


def test_every_driver_follows_the_protocol():
    for name, driver in devices.drivers().items():
        assert isinstance(driver, devices.Driver)
        assert driver.name == name
        assert driver.title_ko
        assert driver.title_en
