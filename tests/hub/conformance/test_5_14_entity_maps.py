"""EntityMaps: GS CIM 009 V1.9.1 §4.5.25, §5.5.9.3, §5.5.14, §5.14 at §6.32, §6.34, §6.35."""

from datetime import UTC, datetime, timedelta

import pytest

URI = "urn:ngsi-ld:Vehicle:{}"
HEADER = "NGSILD-EntityMap"
SINCE = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt"


@pytest.fixture
def vehicles(broker):
    broker.make(*[
        {"id": URI.format(n), "type": "Vehicle", "speed": {"type": "Property", "value": 10 * n}}
        for n in range(5)
    ])  # fmt: skip
    return broker


def made(broker, query="type=Vehicle"):
    answer = broker.get(f"/entityMaps?{query}")
    assert answer.status_code == 201, answer.text
    return answer.headers[HEADER], answer.json()


def identifier(place: str) -> str:
    return place.rsplit("/", 1)[1]


def test_5_14_4_a_query_s_entities_become_a_map(vehicles):
    place, body = made(vehicles, "type=Vehicle&q=speed>25")
    assert body["type"] == "EntityMap"
    assert body["entityMap"] == {URI.format(n): ["@none"] for n in (3, 4)}
    assert place == f"/ngsi-ld/v1/entityMaps/{body['id']}"
    ends = datetime.fromisoformat(body["expiresAt"])
    assert datetime.now(UTC) < ends <= datetime.now(UTC) + timedelta(hours=24)


def test_6_34_3_2_a_query_in_a_body_becomes_a_map(vehicles):
    answer = vehicles.post("/entityMaps", {"type": "Query", "entities": [{"type": "Vehicle"}]})
    assert answer.status_code == 201
    assert len(answer.json()["entityMap"]) == 5


@pytest.mark.parametrize("query", ["id=urn:x:1", "type=Vehicle&entityMapLifetime=1hour"])
def test_5_14_4_what_is_too_wide_or_no_duration_is_refused(vehicles, problem, query):
    assert problem(vehicles.get(f"/entityMaps?{query}")) == (400, "BadRequestData")


def test_6_4_3_2_the_broker_bounds_a_map_s_life(vehicles):
    for lifetime in ("P3650D", "P10Y", "PT1S"):
        _, body = made(vehicles, f"type=Vehicle&entityMapLifetime={lifetime}")
        ends = datetime.fromisoformat(body["expiresAt"])
        assert ends <= datetime.now(UTC) + timedelta(hours=24)


def test_5_14_1_a_map_is_retrieved(vehicles, problem):
    place, body = made(vehicles)
    assert vehicles.get(f"/entityMaps/{identifier(place)}").json() == body
    assert problem(vehicles.get("/entityMaps/not%20a%20uri")) == (400, "BadRequestData")
    assert problem(vehicles.get("/entityMaps/urn:no:map")) == (404, "ResourceNotFound")


def test_4_14_a_map_is_its_tenant_s(vehicles):
    place, _ = made(vehicles)
    there = f"/entityMaps/{identifier(place)}"
    vehicles.post("/entities", {"id": "urn:x:1", "type": "T"}, NGSILD_Tenant="other")
    for method in ("GET", "DELETE"):
        assert vehicles.call(method, there, NGSILD_Tenant="other").status_code == 404
    patched = vehicles.call(
        "PATCH", there, {"expiresAt": "2000-01-01T00:00:00Z"}, NGSILD_Tenant="other"
    )
    assert patched.status_code == 404
    assert vehicles.get(there).status_code == 200


def test_5_14_2_only_the_end_of_a_map_is_updated(vehicles, problem):
    place, body = made(vehicles)
    there = f"/entityMaps/{identifier(place)}"
    fragment = {"expiresAt": "2099-01-01T00:00:00Z", "entityMap": {"urn:x:in": ["@none"]}}
    assert vehicles.call("PATCH", there, fragment).status_code == 204
    after = vehicles.get(there).json()
    assert after["expiresAt"] < "2099"
    assert after["entityMap"] == body["entityMap"]
    assert problem(vehicles.call("PATCH", there, {"expiresAt": "tomorrow"}))[0] == 400
    gone = vehicles.call("PATCH", "/entityMaps/urn:no:map", fragment)
    assert problem(gone) == (404, "ResourceNotFound")


def test_5_5_14_an_expired_map_cannot_be_accessed(vehicles, problem):
    place, _ = made(vehicles)
    there = f"/entityMaps/{identifier(place)}"
    ended = vehicles.call("PATCH", there, {"expiresAt": "2000-01-01T00:00:00Z"})
    assert ended.status_code == 204
    assert problem(vehicles.get(there)) == (404, "ResourceNotFound")


def test_5_14_3_a_map_is_deleted(vehicles, problem):
    place, _ = made(vehicles)
    there = f"/entityMaps/{identifier(place)}"
    answer = vehicles.call("DELETE", there)
    assert (answer.status_code, answer.text) == (204, "")
    assert problem(vehicles.call("DELETE", there)) == (404, "ResourceNotFound")


def test_5_7_2_4_a_query_makes_a_map_and_goes_by_it(vehicles):
    answer = vehicles.get("/entities?type=Vehicle&entityMap=true")
    assert answer.status_code == 201
    place = answer.headers[HEADER]
    vehicles.make({"id": URI.format(9), "type": "Vehicle"})
    again = vehicles.get("/entities?type=Vehicle", NGSILD_EntityMap=place)
    assert again.status_code == 200
    assert again.headers[HEADER] == place
    assert again.json() == answer.json()
    lost = vehicles.get("/entities?type=Vehicle", NGSILD_EntityMap="urn:no:map")
    assert lost.status_code == 201
    assert lost.headers[HEADER] not in (place, "urn:no:map")
    assert len(lost.json()) == 6


def test_5_5_9_3_pages_of_a_map_are_full_and_what_is_gone_leaves_it(vehicles):
    place = vehicles.get("/entities?type=Vehicle&entityMap=true").headers[HEADER]

    def page(query):
        return vehicles.get(f"/entities?type=Vehicle&{query}", NGSILD_EntityMap=place)

    first = page("limit=2")
    assert len(first.json()) == 2
    assert 'rel="next"' in first.headers["Link"]
    assert "offset=2" in first.headers["Link"]
    assert "urn:" not in first.headers["Link"].split(",")[0]
    last = page("limit=2&offset=4")
    assert len(last.json()) == 1
    assert 'rel="prev"' in last.headers["Link"]
    assert 'rel="next"' not in last.headers["Link"]
    vehicles.call("DELETE", f"/entities/{URI.format(1)}")
    full = page("limit=3")
    assert [one["id"] for one in full.json()] == [URI.format(n) for n in (0, 2, 3)]
    left = vehicles.get(f"/entityMaps/{identifier(place)}").json()["entityMap"]
    assert URI.format(1) not in left
    assert URI.format(0) in left
    counted = page("limit=2&count=true")
    assert counted.headers["NGSILD-Results-Count"] == "4"
    assert len(counted.json()) == 2


def test_5_5_9_3_a_map_keeps_the_order_of_its_query(vehicles):
    query = "type=Vehicle&orderBy=speed;desc"
    place = vehicles.get(f"/entities?{query}&entityMap=true&limit=1").headers[HEADER]
    found = vehicles.get(f"/entities?{query}&limit=2&offset=1", NGSILD_EntityMap=place).json()
    assert [one["id"] for one in found] == [URI.format(n) for n in (3, 2)]


@pytest.mark.parametrize("path", ["/entities/{}?", "/temporal/entities/{}?" + SINCE + "&"])
def test_5_7_1_4_5_7_3_4_a_retrieval_has_a_map_of_one(vehicles, path):
    path = path.format(URI.format(3))
    answer = vehicles.get(f"{path}entityMap=true")
    assert answer.status_code == 200
    assert answer.json()["id"] == URI.format(3)
    place = answer.headers[HEADER]
    kept = vehicles.get(f"/entityMaps/{identifier(place)}").json()["entityMap"]
    assert kept == {URI.format(3): ["@none"]}
    assert vehicles.get(path, NGSILD_EntityMap=place).headers[HEADER] == place
    lost = vehicles.get(path, NGSILD_EntityMap="urn:no:map")
    assert lost.status_code == 200
    assert lost.headers[HEADER] != "urn:no:map"


def test_5_14_5_a_temporal_query_s_entities_become_a_map(vehicles, problem):
    path = "/temporal/entityMaps?type=Vehicle"
    assert problem(vehicles.get(path)) == (400, "BadRequestData")
    answer = vehicles.get(f"{path}&{SINCE}")
    assert answer.status_code == 201
    assert len(answer.json()["entityMap"]) == 5
    before = vehicles.get(f"{path}&{SINCE.replace('after', 'before')}")
    assert before.status_code == 201
    assert before.json()["entityMap"] == {}


def test_5_7_4_4_a_map_fixes_what_a_temporal_query_finds(vehicles):
    path = f"/temporal/entities?type=Vehicle&{SINCE}"
    answer = vehicles.get(f"{path}&id={URI.format(1)}&entityMap=true")
    assert answer.status_code == 201
    place = answer.headers[HEADER]
    again = vehicles.get(path, NGSILD_EntityMap=place)
    assert again.status_code == 200
    assert again.headers[HEADER] == place
    assert [one["id"] for one in again.json()] == [URI.format(1)]
    lost = vehicles.get(path, NGSILD_EntityMap="urn:no:map")
    assert lost.status_code == 201
    assert len(lost.json()) == 5
