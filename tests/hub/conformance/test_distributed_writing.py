"""Writing across context sources, clause by clause (§4.3.6, §5.6, §6.3.17)."""

import pytest

from federating import source
from temporal_door import broker, problem

ONE = "urn:ngsi-ld:Vehicle:1"
TWO = "urn:ngsi-ld:Vehicle:2"
ONLY = [{"type": "Vehicle", "id": ONE}]
PATH = f"/entities/{ONE}"
BATCHES = ["createBatch", "upsertBatch", "updateBatch", "deleteBatch", "mergeBatch"]


@pytest.fixture
def hub(fresh_database):
    with broker(fresh_database) as made:
        yield made


@pytest.fixture
def there():
    with source() as made:
        yield made


def prop(value):
    return {"type": "Property", "value": value}


def vehicle(uri=ONE, **values):
    return {"id": uri, "type": "Vehicle"} | {n: prop(v) for n, v in values.items()}


def register(hub, body):
    answer = hub.call("POST", "/csourceRegistrations", body)
    assert answer.status_code == 201, answer.text


def make(hub, *entities):
    for entity in entities:
        answer = hub.call("POST", "/entities", entity, local="true")
        assert answer.status_code == 201, answer.text


def held(hub, uri=ONE):
    answer = hub.get(f"/entities/{uri}", local="true", options="keyValues")
    return answer.json() if answer.status_code == 200 else None


def requests(there):
    return [(asked.method, asked.target) for asked in there.asked]


def test_5_6_1_an_inclusive_source_gets_what_is_made_here_too(hub, there):
    register(hub, there.registration())
    there.answer("POST", "/entities", 201)
    answer = hub.call("POST", "/entities", vehicle(speed=1))
    assert answer.status_code == 201
    assert there.asked[0].body == vehicle(speed=1)
    assert held(hub) == {"id": ONE, "type": "Vehicle", "speed": 1}


def test_5_6_1_what_is_made_in_one_place_only_is_a_207(hub, there):
    register(hub, there.registration())
    make(hub, vehicle(speed=1))
    there.answer("POST", "/entities", 201)
    answer = hub.call("POST", "/entities", vehicle(speed=1))
    assert answer.status_code == 207
    assert answer.json()["success"] == [ONE]
    (error,) = answer.json()["errors"]
    assert (error["entityId"], error["error"]["status"]) == (ONE, 409)
    there.answer("POST", "/entities", 409)
    assert problem(hub.call("POST", "/entities", vehicle(speed=1))) == (409, "AlreadyExists")


def test_4_3_6_3_exclusive_attributes_go_to_their_source_and_the_rest_stays(hub, there):
    register(hub, there.registration(mode="exclusive", entities=ONLY, attrs=["speed"]))
    there.answer("POST", "/entities", 201)
    assert hub.call("POST", "/entities", vehicle(speed=1, name="x")).status_code == 201
    assert there.asked[0].body == vehicle(speed=1)
    assert held(hub) == {"id": ONE, "type": "Vehicle", "name": "x"}
    there.answer("PATCH", f"{PATH}/attrs/speed", 204)
    answer = hub.call("PATCH", f"{PATH}/attrs/speed", {"value": 3})
    assert answer.status_code == 204
    assert "speed" not in held(hub)
    there.answer("POST", f"{PATH}/attrs", 204)
    both = {"speed": prop(4), "name": prop("y")}
    assert hub.call("POST", f"{PATH}/attrs", both).status_code == 204
    assert there.asked[-1].body == {"speed": prop(4)}
    assert held(hub)["name"] == "y"


def test_4_3_6_3_a_redirected_entity_is_not_held_here(hub, there):
    register(hub, there.registration(mode="redirect"))
    there.answer("POST", "/entities", 201)
    answer = hub.call("POST", "/entities", vehicle(speed=1))
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/ngsi-ld/v1{PATH}"
    assert held(hub) is None
    there.answer("PUT", PATH, 204)
    there.answer("PATCH", PATH, 204)
    there.answer("DELETE", PATH, 204)
    assert hub.call("PUT", PATH, vehicle(speed=2)).status_code == 204
    assert hub.call("PATCH", PATH, {"speed": prop(2)}).status_code == 204
    assert hub.call("DELETE", PATH).status_code == 204
    assert requests(there)[1:] == [("PUT", PATH), ("PATCH", PATH), ("DELETE", PATH)]


def test_5_6_1_a_proxied_source_that_does_not_take_it_is_a_conflict(hub, there):
    register(hub, there.registration(mode="redirect", operations=["retrieveOps"]))
    assert problem(hub.call("POST", "/entities", vehicle(speed=1))) == (409, "Conflict")
    assert there.asked == []
    assert held(hub) is None


def test_4_20_an_inclusive_source_that_does_not_take_it_is_left_out(hub, there):
    register(hub, there.registration(operations=["retrieveOps"]))
    assert hub.call("POST", "/entities", vehicle(speed=1)).status_code == 201
    assert there.asked == []


def test_4_3_6_2_auxiliary_sources_are_never_written_to(hub, there):
    register(hub, there.registration(mode="auxiliary"))
    assert hub.call("POST", "/entities", vehicle(speed=1)).status_code == 201
    assert hub.call("POST", f"{PATH}/attrs", {"name": prop("x")}).status_code == 204
    assert there.asked == []


def test_5_5_13_a_local_write_stays_here(hub, there):
    register(hub, there.registration())
    assert hub.call("POST", "/entities", vehicle(speed=1), local="true").status_code == 201
    assert hub.call("DELETE", PATH, local="true").status_code == 204
    assert there.asked == []


def test_5_6_6_deleting_in_one_place_only_is_a_207(hub, there):
    register(hub, there.registration())
    make(hub, vehicle(speed=1))
    answer = hub.call("DELETE", PATH)
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["error"]["status"] == 404
    assert held(hub) is None
    there.answer("DELETE", PATH, 204)
    assert hub.call("DELETE", PATH).status_code == 207


def test_5_6_3_an_update_result_names_what_was_not_done(hub, there):
    register(hub, there.registration(mode="exclusive", entities=ONLY, attrs=["speed"]))
    make(hub, vehicle(name="x"))
    answer = hub.call("POST", f"{PATH}/attrs", {"speed": prop(4), "name": prop("y")})
    assert answer.status_code == 207
    told = answer.json()
    assert told["updated"] == ["name"]
    (left,) = told["notUpdated"]
    assert (left["attributeName"], left["registrationId"]) == ("speed", "urn:x:source")
    assert held(hub)["name"] == "y"


def test_5_6_5_options_go_along(hub, there):
    register(hub, there.registration())
    make(hub, vehicle(speed=1))
    there.answer("DELETE", f"{PATH}/attrs/speed?deleteAll=true", 204)
    assert hub.call("DELETE", f"{PATH}/attrs/speed", deleteAll="true").status_code == 204
    there.answer("POST", f"{PATH}/attrs/?options=noOverwrite", 204)
    more = {"name": prop("x")}
    answer = hub.call("POST", f"{PATH}/attrs/", more, options="noOverwrite")
    assert answer.status_code == 204


def test_6_3_17_a_source_that_is_away_is_told_of(hub, there):
    away = there.registration(mode="redirect") | {"endpoint": "http://127.0.0.1:1"}
    register(hub, away)
    assert problem(hub.call("POST", "/entities", vehicle()))[0] == 502
    hub.call("PATCH", "/csourceRegistrations/urn:x:source", {"mode": "inclusive"})
    answer = hub.call("POST", "/entities", vehicle(TWO))
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["registrationId"] == "urn:x:source"
    assert held(hub, TWO) is not None


def test_6_3_17_a_write_that_has_been_here_is_a_loop(hub, there):
    register(hub, there.registration())
    there.answer("POST", "/entities", 201)
    hub.call("POST", "/entities", vehicle(speed=1))
    via = there.asked[0].headers["Via"]
    answer = hub.call("DELETE", PATH, headers={"Via": via})
    assert problem(answer) == (508, "LoopDetected")
    assert held(hub) is not None


def test_6_3_17_where_a_write_has_been_before_is_no_failure(hub, there):
    register(hub, there.registration())
    there.answer("POST", "/entities", 508)
    assert hub.call("POST", "/entities", vehicle(speed=1)).status_code == 201


@pytest.mark.parametrize("mode", ["inclusive", "redirect"])
def test_5_6_7_to_5_6_20_batches_go_to_sources_at_once(hub, there, mode):
    register(hub, there.registration(mode=mode, operations=BATCHES))
    for name in ("create", "upsert", "update", "merge", "delete"):
        there.answer("POST", f"/entityOperations/{name}", 201 if name == "create" else 204)
    both = [vehicle(speed=1), vehicle(TWO, speed=2)]
    made = hub.call("POST", "/entityOperations/create", both)
    assert (made.status_code, sorted(made.json())) == (201, [ONE, TWO])
    assert there.asked[0].body == both
    for name in ("upsert", "update", "merge"):
        assert hub.call("POST", f"/entityOperations/{name}", both).status_code == 204
    assert (held(hub) is None) == (mode == "redirect")
    assert hub.call("POST", "/entityOperations/delete", [ONE, TWO]).status_code == 204
    assert there.asked[-1].body == [ONE, TWO]
    assert len(there.asked) == 5


def test_5_6_7_what_a_source_refuses_of_a_batch_is_a_207(hub, there):
    register(hub, there.registration(operations=BATCHES))
    there.answer("POST", "/entityOperations/create", 400)
    answer = hub.call("POST", "/entityOperations/create", [vehicle(speed=1)])
    assert answer.status_code == 207
    assert answer.json()["success"] == [ONE]
    assert answer.json()["errors"][0]["registrationId"] == "urn:x:source"


def test_5_2_17_of_a_batch_that_a_source_did_in_part_only_the_rest_failed(hub, there):
    register(hub, there.registration(mode="redirect", operations=BATCHES))
    error = {"entityId": TWO, "error": {"type": "x", "title": "no", "status": 409}}
    there.answer(
        "POST", "/entityOperations/create", 207, {"success": [ONE], "errors": [error]}
    )  # fmt: skip
    answer = hub.call("POST", "/entityOperations/create", [vehicle(speed=1), vehicle(TWO)])
    assert answer.status_code == 207
    assert answer.json() == {
        "success": [ONE], "errors": [error | {"registrationId": "urn:x:source"}],
    }  # fmt: skip
    there.answer("POST", "/entityOperations/create", 207)
    answer = hub.call("POST", "/entityOperations/create", [vehicle(speed=1)])
    assert (answer.status_code, answer.json()["success"]) == (207, [])


def test_5_2_18_of_attributes_that_a_source_did_in_part_only_the_rest_failed(hub, there):
    register(hub, there.registration(mode="redirect"))
    left = [{"attributeName": "name", "reason": "taken"}]
    told = {"updated": ["speed"], "notUpdated": left}
    there.answer("POST", f"{PATH}/attrs", 207, told)
    answer = hub.call("POST", f"{PATH}/attrs", {"speed": prop(1), "name": prop("x")})
    assert answer.status_code == 207
    assert answer.json() == {
        "updated": ["speed"], "notUpdated": [left[0] | {"registrationId": "urn:x:source"}],
    }  # fmt: skip


def test_5_6_7_to_5_6_20_a_source_without_batches_gets_single_operations(hub, there):
    register(hub, there.registration(mode="redirect"))
    for uri in (ONE, TWO):
        there.answer("PATCH", f"/entities/{uri}", 204)
        there.answer("DELETE", f"/entities/{uri}", 204)
        there.answer("POST", f"/entities/{uri}/attrs", 204)
    both = [vehicle(speed=1), vehicle(TWO, speed=2)]
    there.answer("POST", "/entities", 201)
    made = hub.call("POST", "/entityOperations/create", both)
    assert (made.status_code, sorted(made.json())) == (201, [ONE, TWO])
    assert [asked.body for asked in there.asked] == both
    for name in ("merge", "update"):
        assert hub.call("POST", f"/entityOperations/{name}", both).status_code == 204
    assert hub.call("POST", "/entityOperations/delete", [ONE, TWO]).status_code == 204
    assert requests(there)[2:] == [
        (method, f"/entities/{uri}{rest}")
        for method, rest in (("PATCH", ""), ("POST", "/attrs"), ("DELETE", ""))
        for uri in (ONE, TWO)
    ]
    assert held(hub) is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, ("PUT", PATH)), ({"options": "update"}, ("POST", f"{PATH}/attrs"))],
)
def test_5_6_8_an_upsert_by_single_operations(hub, there, options, expected):
    register(hub, there.registration(mode="redirect"))
    there.answer("POST", "/entities", 409)
    there.answer(*expected, 204)
    answer = hub.call("POST", "/entityOperations/upsert", [vehicle(speed=1)], **options)
    assert answer.status_code == 204
    assert requests(there) == [("POST", "/entities"), expected]


def test_5_6_11_to_5_6_16_the_history_is_written_where_it_is_registered(hub, there):
    operations = ["upsertTemporal", "appendAttrsTemporal", "deleteAttrsTemporal", "deleteTemporal"]
    interval = {"startAt": "2020-01-01T00:00:00Z"}
    register(hub, there.registration(
        mode="redirect", attrs=["speed"], operations=operations, observationInterval=interval,
    ))  # fmt: skip
    path = f"/temporal/entities/{ONE}"
    there.answer("POST", "/temporal/entities", 201)
    there.answer("POST", f"{path}/attrs", 204)
    there.answer("DELETE", f"{path}/attrs/speed", 204)
    there.answer("DELETE", path, 204)
    seen = {"type": "Property", "value": 1, "observedAt": "2026-01-01T00:00:00Z"}
    whole = {"id": ONE, "type": "Vehicle", "speed": [seen], "name": [seen]}
    assert hub.call("POST", "/temporal/entities", whole).status_code == 201
    assert there.asked[0].body == {k: v for k, v in whole.items() if k != "name"}
    kept = hub.get(path, local="true").json()
    assert ("speed" in kept, "name" in kept) == (False, True)
    assert hub.call("POST", f"{path}/attrs", {"speed": [seen]}).status_code == 204
    assert hub.call("DELETE", f"{path}/attrs/speed").status_code == 204
    assert hub.call("DELETE", path).status_code == 204
    assert requests(there)[1:] == [
        ("POST", f"{path}/attrs"), ("DELETE", f"{path}/attrs/speed"), ("DELETE", path),
    ]  # fmt: skip
    assert hub.call("POST", "/entities", vehicle(speed=1)).status_code == 201
    assert len(there.asked) == 4


@pytest.mark.parametrize("told", ["contentType", "jsonldContext"])
def test_4_3_6_6_a_source_is_written_to_as_it_wants(hub, there, told):
    theirs = {"@context": {"tempo": "https://uri.etsi.org/ngsi-ld/default-context/speed"}}
    place = hub.call("POST", "/jsonldContexts", theirs).headers["location"]
    url = f"http://testserver{place}"
    value = url if told == "jsonldContext" else "application/ld+json"
    info = [{"key": told, "value": value}]
    register(hub, there.registration(contextSourceInfo=info))
    there.answer("POST", "/entities", 201)
    assert hub.call("POST", "/entities", vehicle(speed=1)).status_code == 201
    (asked,) = there.asked
    if told == "jsonldContext":
        assert asked.body["tempo"]["value"] == 1
        assert "@context" not in asked.body
        assert (asked.headers["Content-Type"], url in asked.headers["Link"]) == (
            "application/json",
            True,
        )
    else:
        assert asked.headers["Content-Type"] == "application/ld+json"
        assert "@context" in asked.body
