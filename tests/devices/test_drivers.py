"""The drivers that come with the house, held against the kit every driver must pass."""

import io
import struct
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import cbor2
import openpyxl
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.devices import DecodeError, Device, Frame, drivers
from onsil.devices.drivers.sparkplug_proto import Payload
from onsil.devices.drivers.testkit import check_driver
from onsil.devices.terms import SetAside, Status
from onsil.hub import Reading

METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
NOW = datetime(2025, 3, 1, 0, 5, tzinfo=UTC)
T0 = datetime(2025, 3, 1, tzinfo=UTC)
MS = int(T0.timestamp() * 1000)
MAPPING = {
    "time": {"column": "t", "interval_s": 900},
    "series": [{"column": "v", "entity": METER, "attribute": "energy", "unit": "kWh"}],
}
JSON = (
    b'{"id":"7","at":"2025-03-01T00:00:00Z","values":{"power":{"value":1.5,"unit":"kW"}},'
    b'"device":{"battery":87,"firmware":"1.4.2"}}'
)
NGSI_LD = (
    b'{"id":"urn:ngsi-ld:Meter:pyeongtaek:m-1","type":"Meter","power":{"type":"Property",'
    b'"value":1.5,"unitCode":"KWT","observedAt":"2025-03-01T00:00:00Z"}}'
)
# RFC 8428 §5.1.2, second example, with an absolute time of ours.
SENML = (
    b'[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1740787200,"bu":"A","bver":5,'
    b'"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2}]'
)
# OMA LwM2M Core §7.4.4: the device object's resources as TLV (Single Object Instance example).
TLV = bytes.fromhex(
    "C800144F70656E204D6F62696C6520416C6C69616E6365C801164C69676874776569676874204D324D20436C69656E74"
    "C80209333435303030313233C303312E30860641000141010588070842000ED842011388870841007D42010384"
    "C10964C10A0F830B410000C40D5182428FC60E2B30323A3030C11055"
)


def sparkplug(**more):
    payload = Payload()
    payload.timestamp, payload.seq = MS, 0
    one = payload.metrics.add(name="Power/kW", alias=7, timestamp=MS, datatype=10, double_value=1.5)
    one.properties.keys.append("engUnit")
    one.properties.values.add(type=12, string_value="kW")
    payload.metrics.add(name="Counter", alias=8, timestamp=MS, datatype=1, int_value=0xFE)
    payload.metrics.add(name="Properties/Firmware Version", datatype=12, string_value="2.0")
    payload.metrics.add(name="Door", alias=9, datatype=11, boolean_value=True)
    payload.metrics.add(name="bdSeq", datatype=4, long_value=3)
    return payload.SerializeToString()


def words(kind, *values):
    body = b"".join(struct.pack(f">{kind}", v) for v in values)
    return list(struct.unpack(f">{len(body) // 2}H", body))


REGISTERS = {
    "host": "meter.example",
    "register": [
        {"attribute": "power", "address": 0, "type": "int32", "scale": "0.1", "unit": "W"},
        {"attribute": "swapped", "address": 2, "type": "float32", "word_order": "little"},
        {"attribute": "away", "address": 4, "type": "int16", "nothing": [0x8000]},
        {"attribute": "relay", "address": 3, "table": "coil", "type": "bool"},
    ],
}
MODBUS = orjson.dumps({"blocks": [
    ["holding", 0, [*words("i", -15), *words("f", 21.5)[::-1], 0x8000]], ["coil", 0, [0, 0, 0, 1]],
]})  # fmt: skip
PULL = {
    "url": "https://api.example.org/v1",
    "mapping": {
        "items": "data.items[*]", "time": "at", "time_format": "%Y%m%d%H%M", "zone": "Asia/Seoul",
        "value": [{"path": "v['pm.25']", "attribute": "pm25", "unit": "microgram / m ** 3",
                   "where": {"kind": "A"}}],
    },
}  # fmt: skip
PAGE = orjson.dumps({"data": {"items": [
    {"at": "202503010900", "kind": "A", "v": {"pm.25": "17"}},
    {"at": "202503010900", "kind": "B", "v": {"pm.25": "18"}},
    {"at": "202503011000", "kind": "A", "v": {"pm.25": "-"}},
]}})  # fmt: skip
RECORDED = {
    "mqtt-json": (JSON, "", [Reading(METER, "power", T0, 1.5, "kW", NOW, "7"),
                             Status(87.0, "1.4.2")]),
    "http-batch": (JSON, "", [Reading(METER, "power", T0, 1.5, "kW", NOW, "7"),
                              Status(87.0, "1.4.2")]),
    "ngsi-ld": (NGSI_LD, "", [Reading(METER, "power", T0, 1.5, "KWT", NOW)]),
    "table": (
        b"t,v\n2025-03-01T00:00:00Z,1.5\n", "",
        [Reading(METER, "energy", T0, Decimal("1.5"), "kWh")],
    ),
    "senml": (SENML, "", [
        Reading(METER, "voltage", T0, 120.1, "V", NOW),
        Reading(METER, "current", T0.replace(day=28, month=2, hour=23, minute=59, second=55), 1.2,
                "A", NOW)]),
    "lwm2m": (TLV, "3/0", [Status(firmware="1.0"), Status(battery_percent=100.0)]),
    "sparkplug-b": (sparkplug(), "NBIRTH", [
        Reading(METER, "kW", T0, 1.5, "kW", NOW), Reading(METER, "Counter", T0, -2, "", NOW),
        Status(firmware="2.0")]),
    "modbus": (MODBUS, "", [
        Reading(METER, "power", NOW, Decimal("-1.5"), "W", NOW),
        Reading(METER, "swapped", NOW, 21.5, "", NOW), Reading(METER, "relay", NOW, 1, "", NOW)]),
    "rest-pull": (PAGE, "", [
        Reading(METER, "pm25", T0, Decimal(17), "microgram / m ** 3", NOW)]),
}  # fmt: skip
OPTIONS = {"table": {"mapping": MAPPING}, "modbus": REGISTERS, "rest-pull": PULL}


def frame(name, payload, attribute="", memory=None, **options):
    device = Device("m-1", (METER,), name, options=options or OPTIONS.get(name, {}),
                    city="pyeongtaek")  # fmt: skip
    return Frame(device, payload, NOW, attribute, "", memory or {})


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_kit(name):
    payload, attribute, expected = RECORDED[name]
    check_driver(drivers()[name], [(frame(name, payload, attribute), expected)])


def test_every_installed_driver_of_ours_has_a_recorded_frame():
    ours = {n for n, d in drivers().items() if type(d).__module__.startswith("onsil.")}
    assert ours == set(RECORDED)


@pytest.mark.parametrize("name", sorted(RECORDED))
@given(payload=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_make_readings_or_a_refusal_with_a_code(name, payload):
    for attribute in {"", RECORDED[name][1], "3303/0/5700", "DDATA"}:
        refused = refusal(name, frame(name, payload, attribute))
        assert refused is None or all((refused.code, refused.ko, refused.en))


def test_every_driver_of_ours_has_a_page():
    folder = Path(__file__).resolve().parents[2] / "docs" / "devices"
    assert {path.stem for path in folder.glob("*.md")} == set(RECORDED)


def refusal(name, one):
    try:
        drivers()[name].decode(one)
    except DecodeError as refused:
        return refused
    return None


JSONS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["n", "v", "u", "t", "bn", "bt", "vb", "s", "bver", "values", "readings",
                         "value", "at", "blocks", "data", "items", "type", "id"])
        | st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("name", ["mqtt-json", "senml", "lwm2m", "modbus", "rest-pull", "ngsi-ld"])
@given(body=JSONS)
def test_any_json_makes_readings_or_a_refusal(name, body):
    payload = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS) if _fits(body) else b"{}"
    refused = refusal(name, frame(name, payload))
    assert refused is None or refused.code


def _fits(body):
    try:
        orjson.dumps(body)
    except TypeError:
        return False
    return True


def test_a_topic_of_one_attribute_takes_a_bare_number():
    (reading,) = drivers()["mqtt-json"].decode(frame("mqtt-json", b"21.5", "temperature"))
    assert reading == Reading(METER, "temperature", NOW, 21.5, "", NOW)


def senml(pack, **options):
    return drivers()["senml"].decode(frame("senml", orjson.dumps(pack), **options))


def test_senml_times_below_2_to_the_28_are_from_now():
    """RFC 8428 §4.5.3."""
    made = senml([{"bn": "urn:dev:ow:1:temp", "u": "Cel", "t": -60, "v": 23.5}, {"v": 1}])
    assert [r.observed_at for r in made] == [NOW.replace(minute=4), NOW]
    assert [r.unit for r in made] == ["degC", ""]


def test_senml_base_values_and_sums():
    """RFC 8428 §4.6: base value and sum are added; a missing value is the base value."""
    made = senml([{"bn": "a:", "bv": 20, "bs": 100, "n": "x", "u": "W", "v": 1.5, "s": 5},
                  {"n": "y"}])  # fmt: skip
    assert [(r.attribute, r.value, r.unit) for r in made] == [
        ("x", 21.5, "W"), ("xSum", 105, "(W) * second"), ("y", 20, "")]  # fmt: skip


def test_senml_cbor_is_the_same_pack():
    """RFC 8428 §6: integer labels, decimal fractions."""
    pack = [{-2: "urn:dev:ow:1:", -3: 1740787200, 0: "temp", 1: "Cel", 2: Decimal("23.5")}]
    made = drivers()["senml"].decode(frame("senml", cbor2.dumps(pack)))
    assert made == [Reading(METER, "temp", T0, Decimal("23.5"), "degC", NOW)]


@pytest.mark.parametrize(
    "pack",
    [
        [{"n": "a", "v": 1, "must_": 1}],  # §4.4: a field that must be understood
        [{"bver": 11, "n": "a", "v": 1}],
        [{"bver": 5, "n": "a", "v": 1}, {"bver": 6, "n": "b", "v": 1}],
        [{"v": 1}],
        [{"n": "-a", "v": 1}],
        [{"n": "a b", "v": 1}],
        [{"n": "a", "v": "1"}],
        [{"n": "a", "vb": 1}],
        [{"n": "a", "v": 1, "t": 1e300}],
        [],
    ],
)
def test_senml_that_breaks_the_rules_is_refused(pack):
    with pytest.raises(DecodeError):
        senml(pack)


def test_senml_names_and_battery():
    made = senml(
        [{"n": "urn:dev:ow:1:b", "u": "%EL", "v": 81}, {"n": "urn:dev:ow:1:door", "vb": True}],
        names={"urn:dev:ow:1:door": {"attribute": "open", "unit": "count"}},
    )
    assert made == [Status(81.0), Reading(METER, "open", NOW, 1, "count", NOW)]


@pytest.mark.parametrize(
    ("path", "payload", "expected"),
    [
        ("3303/0/5700", b"21.5", ("temperature", 21.5, "degC")),
        ("3303/1/5700", b"21.5", ("temperature1", 21.5, "degC")),
        ("3303/0/5700", struct.pack(">f", 21.5), ("temperature", 21.5, "degC")),
        ("3303/0", b"\xe4\x16\x44" + struct.pack(">f", 21.5), ("temperature", 21.5, "degC")),
        ("3303", b"\x08\x00\x07\xe4\x16\x44" + struct.pack(">f", 21.5),
         ("temperature", 21.5, "degC")),
        ("3303/0", b"\xe4\x16\x44" + struct.pack(">f", 294.5) + b"\xe1\x16\x45K",
         ("temperature", 294.5, "K")),
        ("3306/0/5850", b"1", ("onOff", 1, "count")),
        ("", b'[{"bn":"/3303/0/","n":"5700","v":21.5}]', ("temperature", 21.5, "degC")),
        ("3303/0", cbor2.dumps([{-2: "/3303/0/", 0: "5700", 2: 21.5}]), None),
    ],
)  # fmt: skip
def test_lwm2m_forms(path, payload, expected):
    driver = drivers()["lwm2m"]
    if expected is None:  # CBOR must be named where a path would make it TLV
        made = driver.decode(frame("lwm2m", payload, path, format="senml-cbor"))
        expected = ("temperature", 21.5, "degC")
    else:
        made = driver.decode(frame("lwm2m", payload, path))
    assert [(r.attribute, r.value, r.unit) for r in made] == [expected]


@pytest.mark.parametrize(
    ("path", "payload"),
    [("3/0", TLV[:30]), ("3303/0", b"\xcf\x01"), ("3303/0/5700", b"abc"), ("", TLV),
     ("9/9/9/9/9", b"1"), ("3306/0/5850", b"\x02")],
)  # fmt: skip
def test_lwm2m_that_breaks_the_rules_is_refused(path, payload):
    with pytest.raises(DecodeError):
        drivers()["lwm2m"].decode(frame("lwm2m", payload, path))


def data(*metrics):
    payload = Payload()
    payload.timestamp, payload.seq = MS, 1
    for one in metrics:
        payload.metrics.add(**one)
    return payload


def test_sparkplug_aliases_come_from_the_birth_and_bad_quality_is_set_aside():
    memory = {"metrics": {"a:7": {"name": "Power/kW", "type": 9, "unit": "kW"}}}
    driver = drivers()["sparkplug-b"]
    payload = data({"alias": 7, "float_value": 0.1})
    (made,) = driver.decode(frame("sparkplug-b", payload.SerializeToString(), "DDATA", memory))
    assert (made.attribute, made.value, made.unit, made.observed_at) == ("kW", 0.1, "kW", T0)
    payload.metrics[0].properties.keys.append("Quality")
    payload.metrics[0].properties.values.add(type=3, int_value=500)
    (aside,) = driver.decode(frame("sparkplug-b", payload.SerializeToString(), "DDATA", memory))
    assert isinstance(aside, SetAside)
    assert aside.code == "bad-quality"
    with pytest.raises(DecodeError) as refused:
        driver.decode(frame("sparkplug-b", payload.SerializeToString(), "DDATA"))
    assert refused.value.code == "unknown-alias"


def test_a_workbook_is_a_table():
    book = openpyxl.Workbook()
    book.active.append(["t", "v"])
    book.active.append([datetime(2025, 3, 1, 9, 0), 1.5])  # noqa: DTZ001
    book.active.append([None, None])
    book.active.append([datetime(2025, 3, 1, 9, 15), "-"])  # noqa: DTZ001
    opened = io.BytesIO()
    book.save(opened)
    mapping = {**MAPPING, "time": {**MAPPING["time"], "zone": "Asia/Seoul"}}
    made = drivers()["table"].decode(frame("table", opened.getvalue(), mapping=mapping))
    assert made == [Reading(METER, "energy", T0, Decimal("1.5"), "kWh")]
    with pytest.raises(DecodeError):
        drivers()["table"].decode(frame("table", opened.getvalue()[:-40], mapping=mapping))
    with pytest.raises(DecodeError):
        drivers()["table"].decode(
            frame("table", opened.getvalue(), mapping={**mapping, "sheet": "none"})
        )
