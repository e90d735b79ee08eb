"""The devices' screens: who may, what is shown, and that every change is made once and audited."""

import re
from datetime import timedelta

import pytest
from city_hall import user
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from onsil import devices, hub
from onsil.citizen.models import Role
from onsil.core.clock import FixedClock, SystemClock
from onsil.devices import DeviceSpec, Message, calibration, tokens
from onsil.devices.commands import commands
from onsil.hub import SeriesSpec
from onsil.tenancy import transaction

CITY = "pyeongtaek"
PUMP = "urn:ngsi-ld:Pump:pyeongtaek:pump-1"
ACTUATORS = {"valve": {"kind": "boolean", "safe": False}, "limit": {"minimum": 0, "maximum": 100}}


@pytest.fixture
def official(db, city, as_user):
    return as_user(user("devices-official", Role.OFFICIAL))


@pytest.fixture
def fleet(official):
    now = timezone.now()
    with transaction(CITY) as conn:
        clock = FixedClock(now - timedelta(hours=3))
        specs = [SeriesSpec(PUMP, "flow", "liter / s", 60), SeriesSpec(PUMP, "level", "m", 60)]
        hub.ensure_series(conn, CITY, specs, clock)
        spec = DeviceSpec("pump-1", (PUMP,), name="1호 펌프", simulated=True,
                          options={"actuators": ACTUATORS})  # fmt: skip
        devices.register_device(conn, CITY, spec, clock)
        body = b'{"values": {"flow": 3.5}, "device": {"battery": 12, "firmware": "1.2"}}'
        devices.ingest(conn, CITY, [Message("pump-1", body, clock.now())], clock)
        devices.register_device(conn, CITY, DeviceSpec("pump-2", (PUMP,)), clock)


def text(client, name, *args, status=200, **query):
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status
    return answer.content.decode()


def post(client, name, *args, data=None):
    return client.post(reverse(name, args=args), data or {}, follow=True)


def test_the_list_is_worst_first_and_can_be_narrowed(official, fleet):
    whole = text(official, "devices")
    assert whole.index("pump-1") < whole.index("pump-2")
    assert "침묵" in whole
    assert "모의" in whole
    assert "12%" in whole
    assert "pump-2" not in text(official, "devices", state="silent")
    assert "pump-1" not in text(official, "devices", state="new")
    assert "pump-2" not in text(official, "devices", q="1호")
    assert "조건에 맞는 기기가 없습니다" in text(official, "devices", driver="modbus")
    assert "pump-1" in text(official, "devices", format="csv")


def test_an_empty_city_is_told_the_first_step(official):
    assert "아직 등록된 기기가 없습니다" in text(official, "devices")
    assert "interval_s" in text(official, "devices-template")


def test_a_device_shows_its_evidence_values_and_label(official, fleet):
    shown = text(official, "device", "pump-1", span="month")
    for word in ("모의", "1호 펌프", "3.5", "전원과 통신", "펌웨어", "1.2", "valve"):
        assert word in shown, word
    text(official, "device", "nobody", status=404)


def test_in_english(official, fleet):
    official.cookies["django_language"] = "en"
    shown = text(official, "device", "pump-1")
    for word in ("Silent", "Calibration", "Tokens", "Check power and network", "Commands"):
        assert word in shown, word
    assert "Register by list" in text(official, "devices")


def test_a_list_is_registered_row_by_row(official, fleet):
    rows = (
        "id,type,interval_s,series,options\n"
        "new-1,SoilProbe,600,soilMoisture=percent; rain=mm:interval,\n"
        "pump-1,Pump,60,,\n"
        "bad id,Pump,60,,\n"
        "new-2,Pump,soon,,\n"
        "new-3,Pump,60,level=zorkmid,\n"
        'new-4,Pump,60,,"{""actuators"": {""valve"": {""kind"": ""boolean""}}}"\n'
        "new-1,Pump,60,,\n"
    )
    answer = post(official, "devices-upload",
                  data={"file": SimpleUploadedFile("list.csv", rows.encode())})  # fmt: skip
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert shown.count("등록 안 함") == 5
    (token, _) = re.findall(r'<code class="code">([\w-]{43})</code>', shown)
    with transaction(CITY) as conn:
        assert devices.authenticate(conn, token).id == "new-1"
        names = {d.id for d in devices.devices(conn, CITY)}
        series = hub.find_series(conn, CITY, entities=[hub.entity_uri("SoilProbe", CITY, "new-1")])
    assert names == {"pump-1", "pump-2", "new-1", "new-4"}
    assert {(s.attribute, s.unit, s.kind) for s in series} == {
        ("soilMoisture", "percent", "gauge"), ("rain", "mm", "interval")}  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00", b"", b"name,type\na,b\n", b"id,type,colour\na,b,c\n"]
)
def test_a_file_that_is_no_list_is_refused_with_the_reason(official, fleet, body):
    answer = post(official, "devices-upload", data={"file": SimpleUploadedFile("x.csv", body)})
    assert answer.status_code == 400


def test_a_token_is_rotated_shown_once_and_all_can_be_ended(official, fleet):
    answer = post(official, "device-rotate", "pump-1", data={"grace_hours": "24"})
    (token,) = re.findall(r'<code class="code">([\w-]{43})</code>', answer.content.decode())
    assert token not in text(official, "device", "pump-1")
    with transaction(CITY) as conn:
        assert devices.authenticate(conn, token).id == "pump-1"
        now = timezone.now()
        assert sum(t.opens(now) for t in tokens.tokens(conn, CITY, "pump-1")) == 2
    post(official, "device-revoke", "pump-1")
    with transaction(CITY) as conn:
        assert devices.authenticate(conn, token) is None


def test_a_calibration_is_written_down(official, fleet):
    data = {"series": f"{PUMP} flow", "scale": "1.02", "shift": "-0.1", "valid_from": "2025-01-01",
            "valid_until": "2025-12-31", "certificate": "KC-1"}  # fmt: skip
    assert "KC-1" in post(official, "device-calibrate", "pump-1", data=data).content.decode()
    with transaction(CITY) as conn:
        (made,) = calibration.calibrations(conn, CITY, ["pump-1"])
    assert (str(made.scale.normalize()), made.unit) == ("1.02", "liter / s")
    again = post(official, "device-calibrate", "pump-1", data=data).content.decode()
    assert "이미 다른 교정값" in again
    wrong = official.post(reverse("device-calibrate", args=["pump-1"]), {"scale": "x"})
    assert wrong.status_code == 400


def test_a_command_is_queued_once_shown_and_taken_back(official, fleet):
    form_id = "5b0a1a52-1f3a-4d1c-9a41-0d7c5e0d8a11"
    data = {"form_id": form_id, "actuator": "limit", "value": "40", "minutes": "10"}
    for _ in range(2):
        assert (
            "명령을 넣었습니다"
            in post(official, "device-order", "pump-1", data=data).content.decode()
        )
    with transaction(CITY) as conn:
        mine = [c for c in commands(conn, CITY, "pump-1") if not c.safe]
    assert [(c.actuator, c.value, c.state) for c in mine] == [("limit", 40, "queued")]
    other = {**data, "form_id": "5b0a1a52-1f3a-4d1c-9a41-0d7c5e0d8a12", "value": "400"}
    refused = post(official, "device-order", "pump-1", data=other)
    assert "보낼 수 없는 값" in refused.content.decode()
    post(official, "device-cancel", "pump-1", mine[0].id)
    with transaction(CITY) as conn:
        assert "cancelled" in {c.state for c in commands(conn, CITY, "pump-1")}
        assert SystemClock().now()


@pytest.mark.parametrize("role", [Role.VERIFIER, Role.CITIZEN])
def test_others_are_kept_out(db, city, as_user, role):
    client = as_user(user(f"devices-{role}", role))
    assert client.get(reverse("devices")).status_code == 403
    assert client.post(reverse("devices-upload")).status_code == 403


def test_an_approver_looks_but_does_not_change(official, fleet, as_user):
    client = as_user(user("devices-approver", Role.APPROVER))
    assert "pump-1" in text(client, "devices")
    for name in ("device-rotate", "device-revoke", "device-order", "device-calibrate"):
        assert client.post(reverse(name, args=["pump-1"])).status_code == 403
