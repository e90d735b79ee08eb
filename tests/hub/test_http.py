"""The NGSI-LD door: operations, representations, errors; open to read, a token to write."""

import pytest
from starlette.testclient import TestClient

from onsil import devices, hub
from onsil.core.database import connect
from onsil.devices import DeviceSpec
from onsil.devices.http import make_app as make_device_app
from onsil.hub.contexts import DEFAULT_VOCABULARY
from onsil.hub.http.app import make_app
from onsil.hub.http.gate import ERRORS

CITY = "pyeongtaek"
ROOM = "urn:ngsi-ld:Room:pyeongtaek:r1"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
API = "/ngsi-ld/v1"


class City:
    """A client of the door with the tokens of two senders."""

    def __init__(self, dsn):
        self.dsn = dsn
        with connect(dsn, CITY) as conn:
            hub.ensure_series(conn, CITY, [hub.SeriesSpec(METER, "activePower", "W", 60)])
            _, self.system = devices.register_device(
                conn, CITY, DeviceSpec("office", (ROOM,), options={"scope": "city"})
            )
            _, self.meter = devices.register_device(
                conn, CITY, DeviceSpec("m-1", (METER,), driver="http-batch")
            )
        cities = {CITY, "goyang"}
        self.client = TestClient(make_app(dsn, CITY, devices.writer_steps, cities=lambda: cities))
        self.devices = TestClient(make_device_app(dsn, CITY))

    def call(self, method, path, json=None, token=None, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.client.request(method, API + path, json=json, headers=headers)

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def send(self, body, token=None, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        headers["Authorization"] = f"Bearer {token or self.meter}"
        return self.devices.post("/devices/v1/readings", json=body, headers=headers)


@pytest.fixture
def city(fresh_database):
    made = City(fresh_database)
    with made.client, made.devices:
        yield made


def room(local="r1", **attrs):
    base = {
        "id": f"urn:ngsi-ld:Room:pyeongtaek:{local}", "type": "Room",
        "name": {"type": "Property", "value": "회의실"},
        "temperature": {"type": "Property", "value": 21.5, "unitCode": "CEL",
                        "observedAt": "2025-03-01T00:00:00Z"},
        "location": {"type": "GeoProperty", "value": {
            "type": "Point", "coordinates": [127.1127, 36.9921]}},
        "isPartOf": {"type": "Relationship", "object": "urn:ngsi-ld:Building:pyeongtaek:b1"},
    }  # fmt: skip
    return {**base, **attrs}


def problem(answer):
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].removeprefix(ERRORS)


def test_create_retrieve_and_delete(city):
    made = city.call("POST", "/entities", room(), city.system)
    assert made.status_code == 201
    assert made.headers["location"] == f"{API}/entities/{ROOM}"
    again = city.call("POST", "/entities", room(), city.system)
    assert problem(again) == (409, "AlreadyExists")
    got = city.get(f"/entities/{ROOM}")
    assert got.json() == room()
    assert "ngsi-ld-core-context" in got.headers["link"]
    # What was measured is kept.
    refused = city.call("DELETE", f"/entities/{METER}", token=city.system)
    assert problem(refused) == (422, "OperationNotSupported")
    plain = {"id": "urn:ngsi-ld:Room:pyeongtaek:r2", "type": "Room"}
    city.call("POST", "/entities", plain, city.system)
    path = f"/entities/{plain['id']}"
    assert city.call("DELETE", path, token=city.system).status_code == 204
    assert problem(city.get(path)) == (404, "ResourceNotFound")


def test_representations(city):
    city.call("POST", "/entities", room(), city.system)
    simple = city.get(f"/entities/{ROOM}?options=keyValues").json()
    assert simple["temperature"] == 21.5
    assert simple["isPartOf"] == "urn:ngsi-ld:Building:pyeongtaek:b1"
    concise = city.get(f"/entities/{ROOM}?format=concise").json()
    assert concise["name"] == "회의실"
    assert concise["isPartOf"] == {"object": "urn:ngsi-ld:Building:pyeongtaek:b1"}
    system = city.get(f"/entities/{ROOM}?options=sysAttrs").json()
    assert system["createdAt"]
    assert system["name"]["modifiedAt"]
    linked = city.get(f"/entities/{ROOM}", accept="application/ld+json")
    assert linked.json()["@context"]
    assert set(city.get(f"/entities/{ROOM}?attrs=name").json()) == {"id", "type", "name"}
    assert problem(city.get(f"/entities/{ROOM}", accept="text/html")) == (406, "InvalidRequest")


def test_a_users_context_gives_names_their_iris(city):
    body = {**room(), "@context": {"temperature": "https://example.org/vocab/temp"}}
    made = city.call("POST", "/entities", body, city.system, content_type="application/ld+json")
    assert made.status_code == 201
    assert "https://example.org/vocab/temp" in city.get(f"/entities/{ROOM}").json()
    remote = {**room("r9"), "@context": "https://example.org/context.jsonld"}
    answer = city.call("POST", "/entities", remote, city.system, content_type="application/ld+json")
    assert problem(answer) == (504, "LdContextNotAvailable")
    both = city.call("POST", "/entities", body, city.system)
    assert problem(both) == (400, "BadRequestData")


def test_patching(city):
    city.call("POST", "/entities", room(), city.system)
    change = {
        "name": {"type": "Property", "value": "강의실"},
        "isPartOf": {"type": "Relationship", "object": "urn:ngsi-ld:null"},
        "floor": 3,
    }
    assert city.call("PATCH", f"/entities/{ROOM}", change, city.system).status_code == 204
    got = city.get(f"/entities/{ROOM}?options=keyValues").json()
    assert (got["name"], got["floor"], "isPartOf" in got) == ("강의실", 3, False)
    several = city.call("PATCH", f"/entities/{ROOM}/attrs", {"floor": 4, "x": 1}, city.system)
    assert several.status_code == 204
    kept = city.call("POST", f"/entities/{ROOM}/attrs?options=noOverwrite", {"floor": 9, "y": 1},
                     city.system)  # fmt: skip
    assert (kept.status_code, kept.json()["updated"]) == (207, [DEFAULT_VOCABULARY + "y"])
    one = city.call("PATCH", f"/entities/{ROOM}/attrs/floor", {"value": 5}, city.system)
    assert one.status_code == 204
    gone = city.call("DELETE", f"/entities/{ROOM}/attrs/y", token=city.system)
    assert gone.status_code == 204
    got = city.get(f"/entities/{ROOM}?options=keyValues").json()
    assert (got["floor"], "y" in got) == (5, False)
    missing = city.call("PATCH", "/entities/urn:ngsi-ld:Room:pyeongtaek:no", change, city.system)
    assert problem(missing) == (404, "ResourceNotFound")


def test_batch_upsert_tells_each_items_fate(city):
    batch = [room("r1"), room("r2"), {"id": "nonsense", "type": "Room"},
             room(id="urn:ngsi-ld:Room:goyang:r1")]  # fmt: skip
    first = city.call("POST", "/entityOperations/upsert", batch[:2], city.system)
    assert (first.status_code, len(first.json())) == (201, 2)
    second = city.call("POST", "/entityOperations/upsert?options=update", batch[:3], city.system)
    assert second.status_code == 207
    assert second.json()["errors"][0]["entityId"] == "nonsense"
    assert second.json()["success"] == [batch[0]["id"], batch[1]["id"]]
    assert city.call("POST", "/entityOperations/upsert", batch[:1], city.system).status_code == 204
    foreign = city.call("POST", "/entityOperations/upsert", batch[3:], city.system)
    assert foreign.status_code == 207
    assert foreign.json()["errors"][0]["error"]["type"] == ERRORS + "BadRequestData"
    bad = city.call("POST", "/entityOperations/upsert", [None], city.system)
    assert problem(bad) == (400, "BadRequestData")


def test_queries_paging_and_counts(city):
    rooms = [room(f"r{i}", temperature={"type": "Property", "value": i}) for i in range(5)]
    city.call("POST", "/entityOperations/upsert", rooms, city.system)
    page = city.get("/entities?type=Room&q=temperature>=2&limit=2&count=true&options=keyValues")
    assert [e["temperature"] for e in page.json()] == [2, 3]
    assert page.headers["NGSILD-Results-Count"] == "3"
    assert 'rel="next"' in page.headers["link"]
    only = city.get("/entities?type=Room&limit=0&count=true")
    assert (only.json(), only.headers["NGSILD-Results-Count"]) == ([], "5")
    near = "georel=near;maxDistance==500&geometry=Point&coordinates=[127.11,36.99]"
    assert len(city.get(f"/entities?type=Room&{near}").json()) == 5
    assert city.get("/types").json()["typeList"] == ["Meter", "Room"]
    assert problem(city.get("/entities")) == (400, "BadRequestData")
    assert problem(city.get("/entities?type=Room&q=a==")) == (400, "BadRequestData")
    assert problem(city.get("/entities?type=Room&limit=-1")) == (400, "InvalidRequest")


def test_temporal_queries(city):
    readings = [
        {"attribute": "activePower", "value": i, "at": f"2025-03-01T00:0{i}:00Z"} for i in range(6)
    ]
    assert city.send({"readings": readings}).json()["stored"] == 6
    path = f"/temporal/entities/{METER}"
    between = "timerel=between&timeAt=2025-03-01T00:01:00Z&endTimeAt=2025-03-01T00:04:00Z"
    got = city.get(f"{path}?{between}").json()
    assert [i["value"] for i in got["activePower"]] == [1, 2, 3]
    first = got["activePower"][0]
    assert first.pop("instanceId").startswith("urn:ngsi-ld:Instance:")
    assert first == {
        "type": "Property", "value": 1.0, "unitCode": "WTT", "observedAt": "2025-03-01T00:01:00Z",
    }  # fmt: skip
    last = city.get(f"{path}?lastN=2&options=temporalValues").json()
    assert [v for v, _ in last["activePower"]["values"]] == [4, 5]
    before = city.get(
        "/temporal/entities?type=Meter&timerel=before&timeAt=2025-03-01T00:02:00Z"
        "&attrs=activePower&q=activePower>0"
    )
    assert len(before.json()[0]["activePower"]) == 2
    after = city.get("/temporal/entities?type=Meter&timerel=after&timeAt=2025-03-02T00:00:00Z")
    assert after.json() == []
    assert problem(city.get("/temporal/entities?type=Meter")) == (400, "BadRequestData")
    bad = city.get(f"{path}?timerel=after&timeAt=yesterday")
    assert problem(bad) == (400, "BadRequestData")


def test_writing_wants_the_right_token(city):
    assert problem(city.call("POST", "/entities", room())) == (401, "Unauthorized")
    assert problem(city.call("POST", "/entities", room(), "forged")) == (401, "Unauthorized")
    stranger = city.call("POST", "/entities", room(), city.meter)
    assert problem(stranger) == (403, "OperationNotSupported")
    other = city.call("POST", "/entities", room(), city.system, ngsild_tenant="goyang")
    assert problem(other) == (403, "OperationNotSupported")
    assert city.client.get(f"{API}/entities/{ROOM}").status_code == 404
    own = {"activePower": {"type": "Property", "value": 5, "observedAt": "2025-03-01T00:00:00Z"}}
    assert city.call("PATCH", f"/entities/{METER}", own, city.meter).status_code == 204


def test_another_tenant_sees_nothing(city):
    city.call("POST", "/entities", room(), city.system)
    there = city.get(f"/entities/{ROOM}", ngsild_tenant="goyang")
    assert problem(there) == (404, "ResourceNotFound")
    assert city.get("/entities?type=Room", ngsild_tenant="goyang").json() == []
    assert problem(city.get("/types", ngsild_tenant="*")) == (404, "NonexistentTenant")


def test_what_is_not_ngsi_ld_is_bad_data(city):
    for body in (
        [], {"type": "Room"}, {"id": "x y", "type": "Room"}, {"id": ROOM}, room(name=None),
        room(location={"type": "GeoProperty", "value": {"type": "Point"}}),
        room(isPartOf={"type": "Relationship", "object": "no uri"}),
        room(temperature={"type": "Property", "value": 1, "observedAt": "2025-03-01"}),
    ):  # fmt: skip
        answer = city.call("POST", "/entities", body, city.system)
        assert problem(answer) == (400, "BadRequestData"), body


def test_broken_json_and_unknown_paths(city):
    headers = {"Authorization": f"Bearer {city.system}", "Content-Type": "application/json"}
    broken = city.client.post(f"{API}/entities", content=b"{", headers=headers)
    assert problem(broken) == (400, "InvalidRequest")
    assert problem(city.get("/nothing")) == (404, "ResourceNotFound")
    assert problem(city.call("PUT", "/types")) == (405, "OperationNotSupported")


def test_http_batches_are_answered_reading_by_reading(city):
    body = {
        "id": "b-1", "at": "2025-03-01T00:00:00Z",
        "values": {"activePower": {"value": 1.5, "unit": "kW"}, "voltage": 230},
    }  # fmt: skip
    first = city.send(body)
    assert (first.status_code, first.json()["stored"]) == (207, 1)
    (refused,) = first.json()["refused"]
    assert (refused["attribute"], refused["code"]) == ("voltage", "unknown-series")
    again = city.send(body)
    assert again.json() == {**first.json(), "replayed": True}
    reused = city.send({**body, "values": {"activePower": 9}})
    assert problem(reused) == (409, "AlreadyExists")
    nothing = city.send({"values": {"voltage": 1}})
    assert nothing.status_code == 422
    assert problem(city.send(body, "forged")) == (401, "Unauthorized")


def test_the_door_says_503_and_recovers(postgres, city):
    import psycopg

    name = city.dsn.split("/")[3].split("?")[0]
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        answer = city.get("/types")
        assert problem(answer) == (503, "InternalError")
        assert answer.headers["retry-after"]
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    for _ in range(20):
        if city.get("/types").status_code == 200:
            return
    pytest.fail("the door did not recover")
