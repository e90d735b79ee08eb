"""Writing the temporal evolution, clause by clause (GS CIM 009 V1.9.1 §5.6.11 to §5.6.16)."""

import pytest

from temporal_door import FUEL, SPEED, TEMPORAL, VEHICLE, broker, problem, series


@pytest.fixture
def hub(fresh_database):
    with broker(fresh_database) as made:
        yield made


def values(body, name="speed"):
    return [one["value"] for one in body[name]]


def test_5_6_11_create_answers_201_with_its_location_and_no_current_entity(hub):
    answer = hub.call("POST", TEMPORAL, {"id": VEHICLE, "type": "Vehicle", "speed": SPEED})
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"{TEMPORAL}/{VEHICLE}")
    assert values(hub.one()) == [120, 80, 100]
    assert hub.get(f"/entities/{VEHICLE}").status_code == 404


def test_5_6_11_a_second_time_adds_instances_and_types_and_answers_204(hub):
    hub.create(speed=series((1, "2026-01-01T00:00:00Z")))
    more = series(("urn:ngsi-ld:null", "2026-01-02T00:00:00Z"))
    body = {"id": VEHICLE, "type": ["Vehicle", "Truck"], "speed": more}
    answer = hub.call("POST", TEMPORAL, body)
    assert (answer.status_code, answer.content) == (204, b"")
    found = hub.one(timerel="before", timeAt="2030-01-01T00:00:00Z")
    assert sorted(found["type"]) == ["Truck", "Vehicle"]
    assert values(found) == [1, "urn:ngsi-ld:null"]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Vehicle", "speed": SPEED},
        {"id": "invalidId", "type": "Vehicle", "speed": SPEED},
        {"id": VEHICLE, "type": "Vehicle", "speed": SPEED, "expiresAt": "urn:ngsi-ld:null"},
        {"id": VEHICLE, "type": "Vehicle", "speed": series((1, "2026-03-01T02:00:00+03:00"))},
        {"id": VEHICLE, "type": "Vehicle", "invalid(Name": SPEED},
        {"id": VEHICLE, "type": "Vehicle", "scope": [{"type": "Property"}]},
    ],
)
def test_5_6_11_what_is_no_entity_temporal_is_refused_and_leaves_nothing(hub, body):
    answer = hub.call("POST", TEMPORAL, body)
    assert problem(answer) == (400, "BadRequestData")
    assert hub.get(f"{TEMPORAL}/{VEHICLE}").status_code == 404


def test_5_6_12_attributes_are_added_to_an_entity_there_is(hub):
    hub.create(speed=SPEED)
    fragment = {"fuelLevel": FUEL, "speed": series((90, "2020-08-01T12:09:00Z"))}
    answer = hub.call("POST", f"{TEMPORAL}/{VEHICLE}/attrs", fragment)
    assert (answer.status_code, answer.content) == (204, b"")
    assert values(hub.one()) == [120, 80, 100, 90]
    assert values(hub.one(), "fuelLevel") == [67, 53, 40]


@pytest.mark.parametrize(
    ("uri", "status"), [("urn:ngsi-ld:Vehicle:none", 404), ("invalidId", 400), ("", 400)]
)
def test_5_6_12_adding_to_no_entity_is_an_error(hub, uri, status):
    assert hub.call("POST", f"{TEMPORAL}/{uri}/attrs", {"speed": SPEED}).status_code == status


def test_5_6_13_an_attribute_goes_by_dataset_or_with_all_of_them(hub):
    other = "urn:ngsi-ld:Dataset:fuel"
    fuel = [*FUEL, *series((1, "2020-08-01T12:00:00Z"), datasetId=other)]
    path = f"{TEMPORAL}/{VEHICLE}/attrs/fuelLevel"
    hub.create(speed=SPEED, fuelLevel=fuel)
    assert hub.call("DELETE", path, datasetId=other).status_code == 204
    assert values(hub.one(), "fuelLevel") == [67, 53, 40]
    assert hub.call("DELETE", path).status_code == 204
    assert "fuelLevel" not in hub.one()
    assert problem(hub.call("DELETE", path)) == (404, "ResourceNotFound")
    hub.call("POST", f"{TEMPORAL}/{VEHICLE}/attrs", {"fuelLevel": fuel})
    assert hub.call("DELETE", path, deleteAll="true").status_code == 204
    assert hub.one().keys() == {"id", "type", "speed"}


@pytest.mark.parametrize(
    ("uri", "name"),
    [("", "speed"), ("invalidId", "speed"), (VEHICLE, "invalid(Name"), (VEHICLE, "%2e%2e"),
     (VEHICLE, "%252e%252e"), (VEHICLE, "%2e")],
)  # fmt: skip
def test_5_6_13_names_and_ids_must_be_such(hub, uri, name):
    hub.create(speed=SPEED)
    answer = hub.call("DELETE", f"{TEMPORAL}/{uri}/attrs/{name}")
    assert problem(answer) == (400, "BadRequestData")
    assert values(hub.one()) == [120, 80, 100]


@pytest.mark.parametrize("observed", ["2020-08-01T12:03:00Z", "2021-01-01T00:00:00Z"])
def test_5_6_14_an_instance_is_replaced_under_its_id(hub, observed):
    hub.create(speed=SPEED, name=series(("a", "2020-08-01T12:03:00Z")))
    for name, value in (("speed", 7), ("name", "b")):
        before = hub.one(options="sysAttrs")[name][0]
        path = f"{TEMPORAL}/{VEHICLE}/attrs/{name}/{before['instanceId']}"
        fragment = {name: series((value, observed))}
        answer = hub.call("PATCH", path, fragment)
        assert (answer.status_code, answer.content) == (204, b"")
        (after,) = (one for one in hub.one(options="sysAttrs")[name]
                    if one["instanceId"] == before["instanceId"])  # fmt: skip
        assert (after["value"], after["observedAt"]) == (value, observed)
        assert after["createdAt"] == before["createdAt"]
        assert after["modifiedAt"] > before["modifiedAt"]
    assert len(hub.one()["speed"]) == 3


def instance_of(hub):
    return hub.one()["speed"][0]["instanceId"]


@pytest.mark.parametrize(
    ("method", "uri", "name", "number", "status"),
    [
        ("PATCH", "invalidId", "speed", "", 400),
        ("PATCH", "", "speed", "", 400),
        ("PATCH", VEHICLE, "speed", "invalidId", 400),
        ("PATCH", VEHICLE, "invalid(Id", "", 400),
        ("PATCH", VEHICLE, "", "", 405),
        ("PATCH", "urn:ngsi-ld:Vehicle:none", "speed", "", 404),
        ("PATCH", VEHICLE, "speed2", "", 404),
        ("PATCH", VEHICLE, "speed", "urn:ngsi-ld:01234567890123456789", 404),
        ("DELETE", "invalidId", "speed", "", 400),
        ("DELETE", VEHICLE, "", "", 400),
        ("DELETE", VEHICLE, "speed", "invalidId", 400),
        ("DELETE", VEHICLE, "speed2", "", 404),
        ("DELETE", VEHICLE, "speed", "urn:ngsi-ld:Instance:9-9", 404),
    ],
)
def test_5_6_14_and_15_wrong_ids_and_names(hub, method, uri, name, number, status):
    hub.create(speed=SPEED)
    path = f"{TEMPORAL}/{uri}/attrs/{name}/{number or instance_of(hub)}"
    body = {name or "speed": series((1, "2020-08-01T12:03:00Z"))} if method == "PATCH" else None
    assert hub.call(method, path, body).status_code == status


def test_5_6_15_an_instance_is_removed(hub):
    hub.create(
        speed=SPEED, name=series(("a", "2020-08-01T12:03:00Z"), ("b", SPEED[1]["observedAt"]))
    )
    for name in ("speed", "name"):
        number = hub.one()[name][0]["instanceId"]
        path = f"{TEMPORAL}/{VEHICLE}/attrs/{name}/{number}"
        assert hub.call("DELETE", path).status_code == 204
        assert number not in [one["instanceId"] for one in hub.one()[name]]
        assert hub.call("DELETE", path).status_code == 404


def test_5_6_16_an_evolution_is_removed_whole(hub):
    hub.create(speed=SPEED, name=series(("a", "2020-08-01T12:03:00Z")))
    assert hub.call("DELETE", f"{TEMPORAL}/{VEHICLE}").status_code == 204
    assert problem(hub.get(f"{TEMPORAL}/{VEHICLE}")) == (404, "ResourceNotFound")
    assert problem(hub.call("DELETE", f"{TEMPORAL}/{VEHICLE}")) == (404, "ResourceNotFound")
    assert problem(hub.call("DELETE", f"{TEMPORAL}/invalidId")) == (400, "BadRequestData")
    assert hub.call("DELETE", f"{TEMPORAL}/").status_code == 405


def test_4_18_a_scope_given_as_it_is_holds_from_now_on(hub):
    hub.create(speed=SPEED, scope=["/Madrid/Gardens", "/CompanyA"])
    (scope,) = hub.one()["scope"]
    assert scope["value"] == ["/Madrid/Gardens", "/CompanyA"]
    assert scope["type"] == "Property"


def test_two_values_for_one_time_stand_beside_each_other(hub):
    at = "2026-01-01T00:00:00Z"
    hub.create(speed=series((1, at), (2, at)))
    more = {"speed": series((1, at), (3, at))}
    assert hub.call("POST", f"{TEMPORAL}/{VEHICLE}/attrs", more).status_code == 204
    assert sorted(values(hub.one())) == [1, 2, 3]
