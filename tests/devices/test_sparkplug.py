"""Sparkplug sessions: births, deaths, lost messages, rebirths, and what survives a restart."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.devices import DecodeError, DeviceSpec
from onsil.devices.commands import commands, order, take_due
from onsil.devices.commands.sending import downward
from onsil.devices.drivers.sparkplug import parse
from onsil.devices.drivers.sparkplug_proto import Payload
from onsil.devices.sparkplug.hosting import EdgeMessage, ingest_sparkplug
from onsil.devices.sparkplug.session import Edge, Topic, hear, parse_topic
from onsil.hub import SeriesSpec

CITY = "pyeongtaek"
PUMP = "urn:ngsi-ld:Pump:pyeongtaek:p-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)


def payload(seq, *metrics, at=T0):
    made = Payload()
    made.timestamp = int(at.timestamp() * 1000)
    if seq is not None:
        made.seq = seq
    for one in metrics:
        made.metrics.add(**one)
    return made.SerializeToString()


def born(seq=0, number=1):
    return payload(seq, {"name": "bdSeq", "datatype": 4, "long_value": number})


def pump_born(seq=1):
    return payload(
        seq,
        {"name": "flow", "alias": 1, "datatype": 9, "float_value": 1.5},
        {"name": "limit", "alias": 2, "datatype": 10, "double_value": 100.0},
    )


def flow(seq, value, alias=1, at=T0):
    return payload(seq, {"alias": alias, "float_value": value}, at=at)


@pytest.fixture
def clock():
    return FixedClock(T0 + timedelta(minutes=1))


@pytest.fixture
def pump(conn, clock):
    hub.ensure_series(conn, CITY, [SeriesSpec(PUMP, "flow", "liter / s", 60)], clock)
    spec = DeviceSpec(
        "gw1.p1", (PUMP,), "sparkplug-b",
        options={"actuators": {"limit": {"minimum": 0, "maximum": 100, "safe": 0}},
                 "metrics": {"flow": {"attribute": "flow", "unit": "liter / s"}}},
    )  # fmt: skip
    return devices.register_device(conn, CITY, spec, clock)[0]


def take(conn, clock, *messages):
    made = [EdgeMessage(parse_topic(f"spBv1.0/{CITY}/{topic}"), raw, clock.now())
            for topic, raw in messages]  # fmt: skip
    return ingest_sparkplug(conn, CITY, made, clock)


def stored(conn):
    return [row[0] for row in conn.execute("SELECT num FROM hub_point ORDER BY ts").fetchall()]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("spBv1.0/c/NBIRTH/e", Topic("c", "NBIRTH", "e", "")),
        ("spBv1.0/c/DDATA/e/d", Topic("c", "DDATA", "e", "d")),
        ("spBv1.0/c/DDATA/e", None),
        ("spBv1.0/c/NDATA/e/d", None),
        ("spBv1.0/c/NCMD/e", None),
        ("spBv1.0/c/NBIRTH/e.f", None),
        ("spBv1.0/STATE/x", None),
    ],
)
def test_topics(text, made):
    assert parse_topic(text) == made


def test_births_data_and_deaths(conn, pump, clock):
    _, sending = take(
        conn, clock, ("NBIRTH/gw1", born()), ("DBIRTH/gw1/p1", pump_born()),
        ("DDATA/gw1/p1", flow(2, 2.5, at=T0 + timedelta(seconds=1))),
    )  # fmt: skip
    assert sending == []
    assert stored(conn) == [1.5, 2.5]
    assert devices.seen(conn, CITY)["gw1.p1"].online is True
    take(conn, clock, ("DDEATH/gw1/p1", payload(3)))
    health = devices.device_health(conn, CITY, clock)[0]
    assert (health.state, health.symptoms[0].since) == ("silent", clock.now())
    _, sending = take(conn, clock, ("DDATA/gw1/p1", flow(4, 9.0)))
    assert [s.topic for s in sending] == [f"spBv1.0/{CITY}/NCMD/gw1"]
    (metric,) = parse(sending[0].payload).metrics
    assert (metric.name, metric.boolean_value) == ("Node Control/Rebirth", True)
    assert 9.0 not in stored(conn)


def test_the_nodes_death_takes_its_devices_along_but_an_old_will_nobody(conn, pump, clock):
    take(conn, clock, ("NBIRTH/gw1", born(0, 5)), ("DBIRTH/gw1/p1", pump_born()))
    take(conn, clock, ("NDEATH/gw1", born(None, 4)))
    assert devices.seen(conn, CITY)["gw1.p1"].online is True
    take(conn, clock, ("NDEATH/gw1", born(None, 5)))
    assert devices.seen(conn, CITY)["gw1.p1"].online is False


def test_a_lost_message_asks_for_a_rebirth_and_aliases_are_not_believed(conn, pump, clock):
    take(conn, clock, ("NBIRTH/gw1", born()), ("DBIRTH/gw1/p1", pump_born()))
    report, sending = take(conn, clock, ("DDATA/gw1/p1", flow(3, 7.0)))
    assert [r.code for r in report.refused] == ["sequence-gap"]
    assert len(sending) == 1
    _, sending = take(conn, clock, ("DDATA/gw1/p1", flow(4, 7.1)))
    assert sending == []  # asked a moment ago
    named = payload(5, {"name": "flow", "datatype": 9, "float_value": 8.0},
                    at=T0 + timedelta(seconds=5))  # fmt: skip
    take(conn, clock, ("DDATA/gw1/p1", named))  # it says its name itself
    take(conn, clock, ("NBIRTH/gw1", born(0, 2)), ("DBIRTH/gw1/p1", pump_born()),
         ("DDATA/gw1/p1", flow(2, 9.0, at=T0 + timedelta(seconds=9))))  # fmt: skip
    assert stored(conn) == [1.5, 8.0, 9.0]


def test_an_unknown_alias_asks_for_a_rebirth(conn, pump, clock):
    take(conn, clock, ("NBIRTH/gw1", born()), ("DBIRTH/gw1/p1", pump_born()))
    report, sending = take(conn, clock, ("DDATA/gw1/p1", flow(2, 1.0, alias=99)))
    assert [r.code for r in report.refused] == ["unknown-alias"]
    assert len(sending) == 1


def test_strangers_leave_no_memory(conn, pump, clock):
    report, _ = take(conn, clock, ("NBIRTH/gw9", born()))
    assert [r.code for r in report.refused] == ["unknown-device"]
    assert conn.execute("SELECT count(*) FROM devices_memory").fetchone() == (0,)


def test_a_command_is_a_dcmd_and_the_reported_value_its_answer(conn, pump, clock):
    take(conn, clock, ("NBIRTH/gw1", born()), ("DBIRTH/gw1/p1", pump_born()))
    for _, sent in take_due(conn, CITY, clock, channels=("sparkplug",)):
        assert sent.safe  # it was just born
    take(conn, clock, ("DDATA/gw1/p1", payload(2, {"alias": 2, "double_value": 0.0})))
    assert [c.state for c in commands(conn, CITY)] == ["done"]
    order(conn, pump, "limit", 40, "kim", clock)
    ((device, sent),) = take_due(conn, CITY, clock, channels=("sparkplug",))
    message = downward(device, sent, clock.now())
    assert message.topic == f"spBv1.0/{CITY}/DCMD/gw1/p1"
    (metric,) = parse(message.payload).metrics
    assert (metric.name, metric.long_value) == ("limit", 40)
    take(conn, clock, ("DDATA/gw1/p1", payload(3, {"alias": 2, "double_value": 40.0})))
    assert {c.state for c in commands(conn, CITY)} == {"done"}


@given(st.lists(st.sampled_from(["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "lost"]),
                max_size=30))  # fmt: skip
def test_any_order_of_messages_keeps_the_session_sane(kinds):
    """Whoever counts without a gap and was born is decoded; nobody else by alias."""
    edge, seq = Edge(), 0
    for kind in kinds:
        if kind == "lost":
            seq = (seq + 1) % 256
            continue
        device = "d" if kind[0] == "D" else ""
        if kind == "NBIRTH":
            raw, seq = born(0), 0
        elif kind == "NDEATH":
            raw = born(None)
        else:
            seq = (seq + 1) % 256
            raw = pump_born(seq) if kind == "DBIRTH" else flow(seq, 1.0)
        before = edge
        heard = hear(edge, Topic("c", kind, "e", device), raw, T0)
        edge = Edge.of_json(heard.edge.as_json())
        assert edge == heard.edge
        if heard.decode:
            assert edge.online
            assert kind in ("NBIRTH", "DBIRTH", "NDATA", "DDATA")
        if kind == "DDATA" and heard.decode:
            assert "d" in before.alive
        if not edge.online:
            assert not edge.alive


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_refusal(raw):
    for kind, device in (("NBIRTH", ""), ("DDATA", "d")):
        try:
            hear(Edge(True, 1, 0, alive=frozenset("d")), Topic("c", kind, "e", device), raw, T0)
        except DecodeError as refused:
            text = refused.code
        else:
            text = "heard"
        assert text
