"""Discovery, history and purging across context sources (§5.7.3 to §5.7.9, §5.6.21)."""

import pytest

from federating import source
from temporal_door import broker

ONE = "urn:ngsi-ld:Vehicle:1"
EVERYTHING = {"startAt": "2020-01-01T00:00:00Z"}


@pytest.fixture
def hub(fresh_database):
    with broker(fresh_database) as made:
        yield made


@pytest.fixture
def there():
    with source() as made:
        yield made


def register(hub, body):
    answer = hub.call("POST", "/csourceRegistrations", body)
    assert answer.status_code == 201, answer.text


def make(hub, uri=ONE, kind="Vehicle", **values):
    attrs = {n: {"type": "Property", "value": v} for n, v in values.items()}
    answer = hub.call("POST", "/entities", {"id": uri, "type": kind, **attrs}, local="true")
    assert answer.status_code == 201, answer.text


def test_5_7_5_to_5_7_9_types_and_attributes_of_all_sources(hub, there):
    register(hub, there.registration())
    make(hub, speed=1)
    there.answer("GET", "/types", 200, {"typeList": ["Ship", "Vehicle"]})
    listed = hub.get("/types").json()
    assert listed["typeList"] == ["Ship", "Vehicle"]
    detail = [{"id": "x", "type": "EntityType", "typeName": "Vehicle", "attributeNames": ["name"]}]
    there.answer("GET", "/types?details=true", 200, detail)
    (found,) = hub.get("/types", details="true").json()
    assert found["attributeNames"] == ["name", "speed"]
    there.answer("GET", "/attributes", 200, {"attributeList": ["name"]})
    assert hub.get("/attributes").json()["attributeList"] == ["name", "speed"]
    more = [{"id": "x", "type": "Attribute", "attributeName": "speed", "typeNames": ["Ship"]}]
    there.answer("GET", "/attributes?details=true", 200, more)
    (found,) = hub.get("/attributes", details="true").json()
    assert found["typeNames"] == ["Ship", "Vehicle"]


def test_5_7_7_a_type_that_sources_have_too(hub, there):
    register(hub, there.registration())
    assert hub.get("/types/Vehicle").status_code == 404
    make(hub, speed=1)
    theirs = [{"id": "x", "type": "Attribute", "attributeName": name, "attributeTypes": kinds}
              for name, kinds in (("speed", ["GeoProperty"]), ("name", ["Property"]))]  # fmt: skip
    body = {"id": "x", "type": "EntityTypeInfo", "typeName": "Vehicle", "entityCount": 2}
    there.answer("GET", "/types/Vehicle", 200, body | {"attributeDetails": theirs})
    found = hub.get("/types/Vehicle").json()
    assert found["entityCount"] == 3
    kinds = {one["attributeName"]: one["attributeTypes"] for one in found["attributeDetails"]}
    assert kinds == {"speed": ["GeoProperty", "Property"], "name": ["Property"]}
    assert hub.get("/types/Vehicle", local="true").json()["entityCount"] == 1


def test_5_7_10_an_attribute_that_sources_have_too(hub, there):
    register(hub, there.registration())
    body = {"id": "x", "type": "Attribute", "attributeName": "speed", "attributeCount": 2,
            "attributeTypes": ["Property"], "typeNames": ["Ship"]}  # fmt: skip
    there.answer("GET", "/attributes/speed", 200, body)
    found = hub.get("/attributes/speed").json()
    assert (found["attributeCount"], found["typeNames"]) == (2, ["Ship"])
    make(hub, speed=1)
    found = hub.get("/attributes/speed").json()
    assert (found["attributeCount"], found["typeNames"]) == (3, ["Ship", "Vehicle"])
    assert found["attributeTypes"] == ["Property"]
    there.answer("GET", "/attributes/speed", 403)
    warned = hub.get("/attributes/speed")
    assert warned.json()["attributeCount"] == 1
    assert warned.headers["NGSILD-Warning"].startswith("299 ")


def test_5_7_4_a_temporal_query_in_a_body_goes_on_in_a_body(hub, there):
    register(hub, there.registration(observationInterval=EVERYTHING, operations=["queryTemporal"]))
    seen = {"type": "Property", "value": 2, "observedAt": "2025-01-01T00:00:00Z"}
    theirs = {"id": ONE, "type": "Vehicle", "speed": [seen]}
    there.answer("POST", "/temporal/entityOperations/query", 200, [theirs])
    temporal = {"timerel": "after", "timeAt": "2024-01-01T00:00:00Z"}
    query = {"type": "Query", "entities": [{"type": "Vehicle"}], "temporalQ": temporal}
    answer = hub.call("POST", "/temporal/entityOperations/query", query)
    assert answer.json() == [theirs]
    assert there.asked[0].body == query
    assert there.asked[0].headers["Content-Type"] == "application/json"


def test_5_7_3_the_evolution_of_all_who_have_a_part_of_it(hub, there):
    operations = ["retrieveTemporal", "queryTemporal"]
    register(hub, there.registration(observationInterval=EVERYTHING, operations=operations))
    one = {"type": "Property", "value": 1, "observedAt": "2026-01-01T00:00:00Z"}
    two = one | {"value": 2, "observedAt": "2025-01-01T00:00:00Z"}
    body = {"id": ONE, "type": "Vehicle", "speed": [one]}
    assert hub.call("POST", "/temporal/entities", body).status_code == 201
    theirs = {"id": ONE, "type": "Vehicle", "speed": [two], "name": [two]}
    there.answer("GET", f"/temporal/entities/{ONE}", 200, theirs)
    found = hub.get(f"/temporal/entities/{ONE}").json()
    assert [i["value"] for i in found["speed"]] == [2, 1]
    assert [i["value"] for i in found["name"]] == [2]
    other = theirs | {"id": "urn:ngsi-ld:Vehicle:2"}
    params = {"type": "Vehicle", "timerel": "after", "timeAt": "2024-01-01T00:00:00Z"}
    query = "&".join(f"{n}={v}" for n, v in params.items())
    there.answer("GET", f"/temporal/entities?{query}", 200, [theirs, other])
    found = hub.get("/temporal/entities", **params).json()
    assert [len(e["speed"]) for e in found] == [2, 1]
    assert hub.get(f"/entities/{ONE}").status_code == 404


def test_5_6_21_purging_here_and_there(hub, there):
    register(hub, there.registration())
    make(hub, speed=1)
    there.answer("DELETE", "/entities?type=Vehicle", 204)
    assert hub.call("DELETE", "/entities", type="Vehicle").status_code == 204
    assert [(a.method, a.target) for a in there.asked] == [("DELETE", "/entities?type=Vehicle")]
    assert hub.get(f"/entities/{ONE}", local="true").status_code == 404
    there.answer("DELETE", "/entities?type=Vehicle", 403)
    assert hub.call("DELETE", "/entities", type="Vehicle").status_code == 207
