"""Calibrations, tokens, certificates, and what is wrong with a device since when."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.core.database import transaction
from onsil.core.refusal import Refusal
from onsil.devices import DeviceSpec, Message, calibration, certificates, drift, tokens
from onsil.devices.commands import order
from onsil.devices.findings import assess_drift
from onsil.devices.http import make_app
from onsil.hub import SeriesSpec

CITY = "pyeongtaek"
T0 = datetime(2025, 3, 1, tzinfo=UTC)


def probe(n):
    return f"urn:ngsi-ld:SoilProbe:pyeongtaek:s-{n}"


@pytest.fixture
def clock():
    return FixedClock(T0)


def registered(conn, clock, n=1, **more):
    hub.ensure_series(conn, CITY, [SeriesSpec(probe(n), "temperature", "degC", 3600)], clock)
    spec = DeviceSpec(f"s-{n}", (probe(n),), interval_s=3600, **more)
    return devices.register_device(conn, CITY, spec, clock)


def say(conn, clock, value, n=1, **more):
    import orjson

    body = orjson.dumps({"values": {"temperature": value}, **more})
    return devices.ingest(conn, CITY, [Message(f"s-{n}", body, clock.now())], clock)


# ------------------------------------------------------------------ calibration


def test_a_calibration_corrects_what_comes_and_the_raw_value_stays(conn, clock):
    device, _ = registered(conn, clock)
    made = calibration.calibrate(
        conn, device, probe(1), "temperature", "degC", Decimal("1.02"), Decimal("-0.5"),
        T0, T0 + timedelta(hours=2), "kim", "KC-2025-17", clock,
    )  # fmt: skip
    for _ in range(3):
        say(conn, clock, 20.1)
        clock.advance(timedelta(hours=1))
    rows = conn.execute("SELECT num FROM hub_point ORDER BY ts").fetchall()
    assert rows == [(20.002,), (20.002,), (20.1,)]
    assert [r.raw for r in calibration.raw_readings(conn, CITY, made.id)] == [20.1, 20.1]


def test_calibrations_follow_each_other_and_never_overlap(conn, clock):
    device, _ = registered(conn, clock)

    def write(begin, end=None, scale="1"):
        return calibration.calibrate(
            conn, device, probe(1), "temperature", "degC", Decimal(scale), Decimal(0), begin, end,
            "kim", clock=clock,
        )  # fmt: skip

    write(T0)
    write(T0 + timedelta(days=30))
    newest, oldest = calibration.calibrations(conn, CITY)
    assert (newest.valid_until, oldest.valid_until) == (None, newest.valid_from)
    assert write(T0 + timedelta(days=1), T0 + timedelta(days=40)).code == "calibration-overlaps"
    assert write(T0, T0).code == "ends-before-it-begins"
    assert write(T0, None, "0").code == "scale-not-positive"


# ------------------------------------------------------------------ tokens and certificates


def test_a_rotated_token_has_its_grace_and_a_revoked_one_none(conn, clock):
    device, first = registered(conn, clock)
    second = tokens.issue_token(conn, CITY, device.id, clock, grace=timedelta(hours=1))
    for token in (first, second):
        assert devices.authenticate(conn, token, clock).id == device.id
    clock.advance(timedelta(hours=1))
    assert devices.authenticate(conn, first, clock) is None
    third = tokens.issue_token(conn, CITY, device.id, clock, valid_for=timedelta(days=1))
    assert devices.authenticate(conn, second, clock) is None
    clock.advance(timedelta(days=1))
    assert devices.authenticate(conn, third, clock) is None
    assert devices.broker_accounts(conn, CITY, clock) == []
    fourth = tokens.issue_token(conn, CITY, device.id, clock)
    assert len(devices.broker_accounts(conn, CITY, clock)) == 1
    assert tokens.revoke_tokens(conn, CITY, device.id, clock) == 1
    assert devices.authenticate(conn, fourth, clock) is None
    assert devices.broker_accounts(conn, CITY, clock) == []


def certificate(name):
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(7).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM).decode()


def header(pem):
    import base64

    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)
    return f":{base64.b64encode(der).decode()}:"


def test_a_certificate_opens_only_through_a_trusted_proxy(fresh_database):
    clock = FixedClock(T0)
    pem = certificate("pyeongtaek.s-1")
    with transaction(fresh_database, CITY) as conn:
        registered(conn, clock)
        registered(conn, clock, 2)
        known = certificates.of_pem(pem)
        assert certificates.assign_certificate(conn, CITY, "s-1", known) is None
        refused = certificates.assign_certificate(conn, CITY, "s-2", known)
        assert isinstance(refused, Refusal)
        tokens.revoke_tokens(conn, CITY, "s-1", clock)
        (account, _) = devices.broker_accounts(conn, CITY, clock)
        assert (account.username, account.password_line) == ("pyeongtaek.s-1", "")
    body = b'{"at": "2025-03-01T00:00:00Z", "values": {"temperature": 20}}'

    def post(app, peer, told):
        client = TestClient(app, client=(peer, 5000))
        with client:
            return client.post(
                "/devices/v1/readings", content=body, headers={"Client-Cert": told}
            ).status_code

    def app():
        return make_app(fresh_database, CITY, clock, proxies="10.9.0.0/16")

    assert post(app(), "10.9.0.1", header(pem)) == 200
    assert post(app(), "10.8.0.1", header(pem)) == 401
    assert post(app(), "10.9.0.1", header(certificate("pyeongtaek.other"))) == 401
    assert post(app(), "10.9.0.1", ":nonsense:") == 401


def test_commands_over_http(fresh_database):
    clock = FixedClock(T0)
    with transaction(fresh_database, CITY) as conn:
        options = {"actuators": {"valve": {"kind": "boolean"}}}
        hub.ensure_series(conn, CITY, [SeriesSpec(probe(1), "temperature", "degC", 3600)], clock)
        spec = DeviceSpec("s-1", (probe(1),), "http-batch", options=options)
        device, token = devices.register_device(conn, CITY, spec, clock)
        made = order(conn, device, "valve", True, "kim", clock)
    with TestClient(make_app(fresh_database, CITY, clock)) as client:
        auth = {"Authorization": f"Bearer {token}"}
        assert client.get("/devices/v1/commands").status_code == 401
        (told,) = client.get("/devices/v1/commands", headers=auth).json()["commands"]
        assert (told["command"], told["value"]) == (str(made.id), True)
        assert client.get("/devices/v1/commands", headers=auth).json() == {"commands": []}
        place = f"/devices/v1/commands/{made.id}/ack"
        assert client.post(place, json={"status": "hm"}, headers=auth).status_code == 400
        for _ in range(2):
            answer = client.post(place, json={"status": "done"}, headers=auth)
            assert answer.json()["state"] == "done"
        other = f"/devices/v1/commands/{device.id}/ack"
        assert client.post(other, json={"status": "done"}, headers=auth).status_code == 400


# ------------------------------------------------------------------ what is wrong, since when


def symptoms(conn, clock):
    (one,) = devices.device_health(conn, CITY, clock)
    return [(s.state, s.since) for s in one.symptoms]


def test_silence_and_stuckness_say_since_when(conn, clock):
    registered(conn, clock)
    say(conn, clock, 3)
    for _ in range(15):
        clock.advance(timedelta(hours=1))
        say(conn, clock, 7)
    assert symptoms(conn, clock) == [("stuck", T0 + timedelta(hours=1))]
    last = clock.now()
    clock.advance(timedelta(hours=4))
    assert symptoms(conn, clock)[0] == ("silent", last + timedelta(hours=1))


def test_impossible_values_come_with_their_codes(conn, clock):
    registered(conn, clock)
    say(conn, clock, "wet")
    (one,) = devices.device_health(conn, CITY, clock)
    assert one.state == "impossible"
    assert "not-a-number" in one.symptoms[0].evidence_en
    assert one.symptoms[0].since == T0


def test_what_a_device_says_of_itself_is_kept(conn, clock):
    registered(conn, clock)
    say(conn, clock, 3, device={"battery": 81, "firmware": "2.1"})
    say(conn, clock, 4)
    seen = devices.seen(conn, CITY)["s-1"]
    assert (seen.battery_percent, seen.firmware, seen.battery_at) == (81.0, "2.1", T0)


def test_a_sensor_that_leaves_its_neighbours_is_found_and_they_are_not(conn, clock):
    source = random.Random(3)
    for n in range(5):
        registered(conn, clock, n)
    hour_of = [T0 + timedelta(hours=h) for h in range(24 * 24)]
    for at in hour_of:
        clock.instant = at
        weather = 15 + 8 * source.random() + at.day / 3
        slow = max(0, (at - T0).days - 12) * 0.15
        for n in range(5):
            say(conn, clock, round(weather + source.gauss(0, 0.2) + (slow if n == 2 else 0), 2), n)
    found = assess_drift(conn, CITY, clock)
    assert [f.device_id for f in found] == ["s-2"]
    assert T0 + timedelta(days=10) <= found[0].since <= T0 + timedelta(days=16)
    assert found[0].evidence["shift"] > 1
    health = {h.device.id: h.state for h in devices.device_health(conn, CITY, clock)}
    assert health == {"s-0": "ok", "s-1": "ok", "s-2": "drifting", "s-3": "ok", "s-4": "ok"}


DAY = date(2025, 3, 1)


@given(st.integers(14, 28), st.floats(-50, 50), st.floats(0.01, 5))
def test_a_steady_sensor_does_not_drift_wherever_it_lies(count, level, noise):
    values = [level + (noise if i % 2 else -noise) for i in range(count)]
    days = drift.Days({DAY + timedelta(days=i): v for i, v in enumerate(values)}, 0.0)
    assert drift.find_drift(days, against="neighbours", neighbours=3) is None


@given(st.integers(10, 24), st.floats(2, 20), st.sampled_from([-1, 1]))
def test_a_step_is_found_with_its_day(day, size, sign):
    values = [20 + (0.1 if i % 2 else -0.1) + (sign * size if i >= day else 0) for i in range(28)]
    days = drift.Days({DAY + timedelta(days=i): v for i, v in enumerate(values)}, 0.0)
    found = drift.find_drift(days, against="neighbours", neighbours=3)
    assert found is not None
    assert abs(found.since - DAY - timedelta(days=day)) <= timedelta(days=1)
    assert abs(found.shift - sign * size) < 0.5
