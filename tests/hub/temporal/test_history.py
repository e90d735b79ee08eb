"""What the core API leaves in the temporal evolution, and what it leaves alone."""

from datetime import UTC, datetime

import pytest

from onsil import hub as engine
from onsil.core.database import connect
from temporal_door import CITY, FUEL, SPEED, TEMPORAL, VEHICLE, broker, problem, series

METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
EVER = {"timerel": "after", "timeAt": "1970-01-01T00:00:00Z", "timeproperty": "createdAt"}


@pytest.fixture
def hub(fresh_database):
    with broker(fresh_database) as made:
        yield made


def put(hub, uri=VEHICLE, status=201, **members):
    answer = hub.call("POST", "/entities", {"id": uri, "type": uri.split(":")[2], **members})
    assert answer.status_code == status, answer.text


def prop(value, **more):
    return {"type": "Property", "value": value, **more}


def test_4_5_6_each_change_leaves_an_instance_and_scopes_their_own(hub):
    put(hub, scope="/Old", speed=prop(1, observedAt="2026-08-10T00:00:00Z"), name=prop("a"))
    patch = {"type": "Vehicle", "scope": "/New", "name": prop("b"),
             "speed": prop(2, observedAt="2026-08-10T00:01:00Z")}  # fmt: skip
    assert hub.call("PATCH", f"/entities/{VEHICLE}", patch).status_code == 204
    found = hub.one(options="sysAttrs")
    assert [one["value"] for one in found["speed"]] == [1, 2]
    assert [one["value"] for one in found["name"]] == ["a", "b"]
    new = next(one for one in found["scope"] if one["value"] in ("/New", ["/New"]))
    assert new["type"] == "Property"
    assert new["observedAt"] == new["modifiedAt"]
    assert new.keys() <= {"type", "value", "instanceId", "createdAt", "modifiedAt", "observedAt"}


@pytest.mark.parametrize(
    ("name", "instances", "null"),
    [
        ("fuelLevel", FUEL, {"value": "urn:ngsi-ld:null"}),
        ("isParkedIn", series(("urn:a:b", "2024-12-01T12:00:00Z"), kind="Relationship",
                              key="object"), {"object": "urn:ngsi-ld:null"}),
        ("name", series(({"fr": "a"}, "2024-12-01T12:00:00Z"), kind="LanguageProperty",
                        key="languageMap"), {"languageMap": {"@none": "urn:ngsi-ld:null"}}),
    ],
)  # fmt: skip
def test_4_5_7_a_deletion_is_an_instance_with_deleted_at(hub, name, instances, null):
    hub.create(**{name: instances}, speed=SPEED)
    assert hub.call("DELETE", f"/entities/{VEHICLE}/attrs/{name}").status_code == 204
    found = hub.one(timeproperty="deletedAt")
    assert found.keys() == {"id", "type", name}
    (gone,) = found[name]
    assert gone.pop("deletedAt").endswith("Z")
    assert gone.pop("instanceId")
    assert gone == {"type": instances[0]["type"], **null}
    simple = hub.one(timeproperty="deletedAt", options="temporalValues")[name]
    (pairs,) = (v for k, v in simple.items() if k != "type")
    assert pairs[0][1].endswith("Z")


def test_4_18_a_scope_that_is_deleted(hub):
    hub.create(scope=["/Madrid/Gardens"], fuelLevel=FUEL)
    assert hub.call("DELETE", f"/entities/{VEHICLE}/attrs/scope").status_code == 204
    (gone,) = hub.one(timeproperty="deletedAt")["scope"]
    assert (gone["type"], gone["value"]) == ("Property", [])
    assert gone["deletedAt"]


def test_a_deleted_entity_keeps_its_evolution_and_may_come_again(hub):
    put(hub, speed=prop(1, observedAt="2026-08-10T00:00:00Z"))
    assert hub.call("DELETE", f"/entities/{VEHICLE}").status_code == 204
    found = hub.one(options="sysAttrs")
    assert found["deletedAt"]
    assert found["speed"][0]["value"] == 1
    assert hub.one(timeproperty="deletedAt")["speed"][0]["deletedAt"]
    put(hub, speed=prop(3, observedAt="2026-08-10T00:02:00Z"))
    found = hub.one(options="sysAttrs")
    assert "deletedAt" not in found
    assert [one["value"] for one in found["speed"] if "observedAt" in one] == [1, 3]


def test_the_same_time_with_another_value_loses_neither(hub):
    at = "2026-08-10T00:00:00Z"
    put(hub, speed=prop(1, observedAt=at))
    for value in (2, 2, 1):
        patch = {"speed": prop(value, observedAt=at)}
        assert hub.call("PATCH", f"/entities/{VEHICLE}/attrs", patch).status_code == 204
    assert {one["value"] for one in hub.one()["speed"]} == {1, 2}


def test_a_registered_series_takes_numbers_by_its_rules(hub, fresh_database):
    with connect(fresh_database, CITY) as conn:
        spec = engine.SeriesSpec(METER, "activePower", "kW", 60, maximum=100)
        number = engine.ensure_series(conn, CITY, [spec])[METER, "activePower"].id
    for value, minute in ((2000, 0), (3000, 1), (900_000, 2)):
        power = prop(value, unitCode="WTT", observedAt=f"2026-08-10T00:0{minute}:00Z")
        answer = hub.call("POST", f"/entities/{METER}/attrs", {"activePower": power})
        assert answer.status_code == 204, answer.text
    told = [(one["value"], one["unitCode"]) for one in hub.one(METER)["activePower"]]
    assert told == [(2, "KWT"), (3, "KWT")]
    with connect(fresh_database, CITY) as conn:
        points = engine.last_points(conn, CITY, number, 10)
        assert [float(value) for value in points.values] == [2, 3]
        since = datetime(2026, 1, 1, tzinfo=UTC)
        assert engine.quarantine_counts(conn, CITY, since) == {"out-of-range": 1}
    assert hub.call("DELETE", f"{TEMPORAL}/{METER}").status_code in (409, 422)
    first = hub.one(METER)["activePower"][0]["instanceId"]
    path = f"{TEMPORAL}/{METER}/attrs/activePower"
    assert hub.call("DELETE", f"{path}/{first}").status_code in (409, 422)
    assert hub.call("DELETE", path).status_code in (409, 422)
    assert len(hub.one(METER)["activePower"]) == 2


def test_4_23_entities_are_ordered_by_what_they_said_last(hub):
    for n in (2, 1, 3):
        put(hub, f"urn:ngsi-ld:Building:b{n}", name=prop(f"n{n}", sub=prop(n)))

    def order(by):
        found = hub.get(type="Building", orderBy=by, **EVER)
        assert found.status_code == 200, found.text
        return [int(one["id"][-1]) for one in found.json()]

    assert order("name") == order("id") == order("name.sub") == order("type,name") == [1, 2, 3]
    assert order("name;desc") == order("type;asc,name.sub;desc,name;asc") == [3, 2, 1]
    assert order("createdAt") == order("name.createdAt") == [2, 1, 3]


def test_a_tenant_sees_its_own_evolution_only(hub):
    other = {"NGSILD-Tenant": "goyang"}
    body = {"id": VEHICLE, "type": "Vehicle", "speed": SPEED}
    assert hub.call("POST", TEMPORAL, body, headers=other).status_code == 201
    assert problem(hub.get(f"{TEMPORAL}/{VEHICLE}")) == (404, "ResourceNotFound")
    assert hub.get(f"{TEMPORAL}/{VEHICLE}", headers=other).status_code == 200
