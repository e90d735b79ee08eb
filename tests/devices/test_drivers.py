"""The drivers that come with the house, held against the kit every driver must pass."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from onsil.devices import Device, Frame, drivers
from onsil.devices.drivers.testkit import check_driver
from onsil.hub import Reading

METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
NOW = datetime(2025, 3, 1, 0, 5, tzinfo=UTC)
T0 = datetime(2025, 3, 1, tzinfo=UTC)
MAPPING = {
    "time": {"column": "t", "interval_s": 900},
    "series": [{"column": "v", "entity": METER, "attribute": "energy", "unit": "kWh"}],
}
JSON = b'{"id":"7","at":"2025-03-01T00:00:00Z","values":{"power":{"value":1.5,"unit":"kW"}}}'
NGSI_LD = (
    b'{"id":"urn:ngsi-ld:Meter:pyeongtaek:m-1","type":"Meter","power":{"type":"Property",'
    b'"value":1.5,"unitCode":"KWT","observedAt":"2025-03-01T00:00:00Z"}}'
)
RECORDED = {
    "mqtt-json": (JSON, "", [Reading(METER, "power", T0, 1.5, "kW", NOW, "7")]),
    "http-batch": (JSON, "", [Reading(METER, "power", T0, 1.5, "kW", NOW, "7")]),
    "ngsi-ld": (NGSI_LD, "", [Reading(METER, "power", T0, 1.5, "KWT", NOW)]),
    "table": (
        b"t,v\n2025-03-01T00:00:00Z,1.5\n", "",
        [Reading(METER, "energy", T0, Decimal("1.5"), "kWh")],
    ),
}  # fmt: skip


def frame(name, payload, attribute=""):
    options = {"mapping": MAPPING} if name == "table" else {}
    device = Device("m-1", (METER,), name, options=options, city="pyeongtaek")
    return Frame(device, payload, NOW, attribute)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_kit(name):
    payload, attribute, expected = RECORDED[name]
    check_driver(drivers()[name], [(frame(name, payload, attribute), expected)])


def test_every_installed_driver_of_ours_has_a_recorded_frame():
    ours = {n for n, d in drivers().items() if type(d).__module__.startswith("onsil.")}
    assert ours == set(RECORDED)


def test_a_topic_of_one_attribute_takes_a_bare_number():
    (reading,) = drivers()["mqtt-json"].decode(frame("mqtt-json", b"21.5", "temperature"))
    assert reading == Reading(METER, "temperature", NOW, 21.5, "", NOW)
