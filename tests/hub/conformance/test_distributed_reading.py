"""Retrieving and querying across context sources, clause by clause (§4.3.6, §5.7, §6.3.17)."""

import pytest

from federating import source
from onsil.hub.sources import calling
from temporal_door import broker, problem

ONE = "urn:ngsi-ld:Vehicle:1"
ONLY = [{"type": "Vehicle", "id": ONE}]


@pytest.fixture
def hub(fresh_database):
    with broker(fresh_database) as made:
        yield made


@pytest.fixture
def there():
    with source() as made:
        yield made


def vehicle(uri=ONE, **values):
    return {"id": uri, "type": "Vehicle"} | {
        name: value if isinstance(value, dict) else {"type": "Property", "value": value}
        for name, value in values.items()
    }


def register(hub, body):
    answer = hub.call("POST", "/csourceRegistrations", body)
    assert answer.status_code == 201, answer.text


def make(hub, *entities):
    for entity in entities:
        answer = hub.call("POST", "/entities", entity, local="true")
        assert answer.status_code == 201, answer.text


def one(hub, uri=ONE, **params):
    answer = hub.get(f"/entities/{uri}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_5_7_1_an_entity_that_only_a_source_holds(hub, there):
    register(hub, there.registration())
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=5))
    assert one(hub)["speed"]["value"] == 5
    (asked,) = there.asked
    assert asked.headers["Accept"] == "application/json"
    assert "NGSILD-Warning" not in hub.get(f"/entities/{ONE}").headers


def test_5_7_1_what_several_hold_is_put_together_and_the_newest_observation_counts(hub, there):
    register(hub, there.registration())
    seen = {"type": "Property", "value": 1, "observedAt": "2026-01-01T00:00:00Z"}
    make(hub, vehicle(speed=seen, name="here", level=seen | {"observedAt": "2026-03-01T00:00:00Z"}))
    later = seen | {"value": 2, "observedAt": "2026-02-01T00:00:00Z"}
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=later, level=later, colour="red"))
    found = one(hub, options="keyValues")
    assert found == {
        "id": ONE, "type": "Vehicle", "speed": 2, "name": "here", "level": 1, "colour": "red",
    }  # fmt: skip


def test_4_3_6_2_auxiliary_sources_only_fill_gaps(hub, there):
    register(hub, there.registration(mode="auxiliary"))
    make(hub, vehicle(speed=1))
    seen = {"type": "Property", "value": 2, "observedAt": "2099-01-01T00:00:00Z"}
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=seen, colour="red"))
    found = one(hub, options="keyValues")
    assert (found["speed"], found["colour"]) == (1, "red")


def test_4_3_6_3_exclusive_attributes_are_the_sources_alone(hub, there):
    make(hub, vehicle(name="here"))
    register(hub, there.registration(mode="exclusive", entities=ONLY, attrs=["speed"]))
    make_more = hub.call(
        "POST", f"/entities/{ONE}/attrs", {"speed": {"type": "Property", "value": 1}}, local="true"
    )
    assert make_more.status_code == 204
    there.answer("GET", f"/entities/{ONE}?attrs=speed", 200, vehicle(speed=9, name="there"))
    found = one(hub, options="keyValues")
    assert (found["speed"], found["name"]) == (9, "here")
    assert one(hub, options="keyValues", local="true")["speed"] == 1


def test_4_3_6_1_a_retrieval_is_narrowed_to_what_is_registered(hub, there):
    register(hub, there.registration(attrs=["speed", "level"]))
    there.answer("GET", f"/entities/{ONE}?attrs=level,speed", 200, vehicle(speed=5, level=1))
    assert one(hub, options="keyValues")["speed"] == 5
    there.answer("GET", f"/entities/{ONE}?attrs=speed", 200, vehicle(speed=6))
    assert one(hub, attrs="speed,name", options="keyValues")["speed"] == 6


def test_4_3_6_4_a_registration_says_at_its_top_that_its_source_acts_alone(hub, there):
    register(hub, there.registration(localOnly=True))
    there.answer("GET", f"/entities/{ONE}?local=true", 200, vehicle(speed=5))
    assert one(hub)["speed"]["value"] == 5
    shown = hub.get("/csourceRegistrations/urn:x:source").json()
    assert shown["localOnly"] is True
    refused = hub.call("PATCH", "/csourceRegistrations/urn:x:source", {"localOnly": "yes"})
    assert problem(refused) == (400, "BadRequestData")


def test_4_23_1_a_query_of_sources_is_never_ordered(hub, there):
    register(hub, there.registration())
    make(hub, vehicle(name="a"))
    there.answer("GET", "/entities?type=Vehicle", 200, [])
    asked = {"type": "Vehicle", "orderBy": "name"}
    assert problem(hub.get("/entities", **asked)) == (400, "BadRequestData")
    assert hub.get("/entities", **asked, local="true").status_code == 200
    assert hub.get("/entities", type="Bus", orderBy="name").status_code == 200
    assert hub.get("/entities", type="Vehicle").status_code == 200


def test_6_3_17_an_answer_that_is_too_long_is_none(hub, there, monkeypatch):
    monkeypatch.setattr(calling, "ANSWER_MAX", 1000)
    register(hub, there.registration())
    there.answer("GET", "/entities?type=Vehicle", 200, [vehicle(name="x" * 2000)])
    answer = hub.get("/entities", type="Vehicle")
    assert answer.json() == []
    assert answer.headers["NGSILD-Warning"].startswith("111 urn:x:source ")


def test_5_5_13_local_asks_nobody(hub, there):
    register(hub, there.registration())
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=5))
    assert hub.get(f"/entities/{ONE}", local="true").status_code == 404
    assert hub.get("/entities", type="Vehicle", local="true").json() == []
    assert there.asked == []


def test_6_3_17_what_sources_do_wrong_is_told_in_warnings(hub, there):
    register(hub, there.registration())
    for status, body, code in (
        (403, None, "299"),
        (200, b"no json", "111"),
        (200, {"a": 1}, "111"),
    ):
        there.answer("GET", f"/entities/{ONE}", status, body)
        answer = hub.get(f"/entities/{ONE}")
        assert problem(answer) == (404, "ResourceNotFound")
        assert answer.headers["NGSILD-Warning"].startswith(f"{code} urn:x:source ")
    there.answer("GET", f"/entities/{ONE}", 404)
    assert "NGSILD-Warning" not in hub.get(f"/entities/{ONE}").headers


def test_5_2_34_a_slow_source_is_given_its_time_and_then_a_rest(hub, there):
    register(hub, there.registration(management={"timeout": 100, "cooldown": 60_000}))
    make(hub, vehicle(speed=1))
    there.delay_s = 1.0
    for _ in range(2):
        answer = hub.get(f"/entities/{ONE}")
        assert answer.json()["speed"]["value"] == 1
        assert answer.headers["NGSILD-Warning"].startswith("199 ")
    assert len(there.asked) == 1
    status = hub.get("/csourceRegistrations/urn:x:source").json()
    assert (status["timesSent"], status["timesFailed"], status["status"]) == (1, 1, "failed")
    assert "lastFailure" in status


def test_5_2_34_an_answer_is_kept_for_the_cache_duration(hub, there):
    register(hub, there.registration(management={"cacheDuration": "PT1H", "localOnly": True}))
    there.answer("GET", f"/entities/{ONE}?local=true", 200, vehicle(speed=5))
    assert [one(hub)["speed"]["value"] for _ in range(3)] == [5, 5, 5]
    assert len(there.asked) == 1


def test_5_2_9_the_status_counts_what_was_sent(hub, there):
    register(hub, there.registration())
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=5))
    one(hub)
    status = hub.get("/csourceRegistrations/urn:x:source").json()
    assert (status["timesSent"], status["timesFailed"], status["status"]) == (1, 0, "ok")
    assert "lastSuccess" in status


def test_4_3_6_5_context_source_info_goes_along_as_headers(hub, there):
    told = {
        "Authorization": "Bearer x",
        "user": "urn:ngsi-ld:request",
        "NGSILD-Tenant": "bad",
        "Via": "1.1 evil",
        "accept": "application/ld+json",
        "ngsildConformance": "1.6",
    }
    info = [{"key": k, "value": v} for k, v in told.items()]
    register(hub, there.registration(contextSourceInfo=info, tenant="theirs"))
    hub.get(f"/entities/{ONE}", headers={"user": "abcd", "Via": "1.1 before"})
    hub.get(f"/entities/{ONE}")
    first, second = (asked.headers for asked in there.asked)
    alias = hub.get("/info/sourceIdentity").json()["contextSourceAlias"]
    assert (first["Authorization"], first["user"]) == ("Bearer x", "abcd")
    assert (first["NGSILD-Tenant"], first["Accept"]) == ("theirs", "application/ld+json")
    assert first["Via"] == f"1.1 before, 1.1 {alias}"
    assert first["Prefer"] == "ngsi-ld=1.6"
    assert "user" not in second


def test_4_3_6_4_who_has_been_asked_is_not_asked_again(hub, there):
    register(hub, there.registration(contextSourceAlias="b2"))
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=5))
    assert hub.get(f"/entities/{ONE}", headers={"Via": "1.1 b1, 1.1 b2"}).status_code == 404
    alias = hub.get("/info/sourceIdentity").json()["contextSourceAlias"]
    assert hub.get(f"/entities/{ONE}", headers={"Via": f"1.1 {alias}"}).status_code == 404
    assert there.asked == []


def test_4_20_a_source_is_asked_what_it_offers(hub, there):
    register(hub, there.registration(operations=["queryEntity"]))
    there.answer("GET", f"/entities/{ONE}", 200, vehicle(speed=5))
    there.answer("GET", "/entities?type=Vehicle", 200, [vehicle(speed=5)])
    assert hub.get(f"/entities/{ONE}").status_code == 404
    assert [e["id"] for e in hub.get("/entities", type="Vehicle").json()] == [ONE]


def found(answer):
    assert answer.status_code == 200, answer.text
    return {e["id"].removeprefix("urn:ngsi-ld:Vehicle:"): e for e in answer.json()}


def test_5_7_2_a_query_finds_what_is_here_and_there(hub, there):
    register(hub, there.registration())
    make(hub, vehicle(name="here"), vehicle("urn:ngsi-ld:Vehicle:2", name="two"))
    there.answer(
        "GET", "/entities?type=Vehicle", 200,
        [vehicle(speed=5), vehicle("urn:ngsi-ld:Vehicle:3", speed=7)],
    )  # fmt: skip
    answer = hub.get("/entities", type="Vehicle", options="keyValues", count="true")
    entities = found(answer)
    assert list(entities) == ["1", "2", "3"]
    assert (entities["1"]["name"], entities["1"]["speed"]) == ("here", 5)
    assert answer.headers["ngsild-results-count"] == "3"
    pages = [hub.get("/entities", type="Vehicle", limit=1, offset=n) for n in range(4)]
    assert [list(found(page)) for page in pages] == [["1"], ["2"], ["3"], []]
    assert ['rel="next"' in p.headers["link"] for p in pages] == [True, True, False, False]


def test_5_7_2_by_attribute_the_request_goes_on_as_it_came(hub, there):
    register(hub, there.registration())
    make(hub, vehicle(name="here"))
    there.answer(
        "GET",
        "/entities?attrs=speed&type=Vehicle",
        200,
        [vehicle("urn:ngsi-ld:Vehicle:3", speed=7)],
    )
    assert list(found(hub.get("/entities", attrs="speed", type="Vehicle"))) == ["3"]


def test_5_7_2_a_query_is_narrowed_to_what_is_registered(hub, there):
    make(hub, vehicle(name="here"))
    register(hub, there.registration(mode="exclusive", entities=ONLY, attrs=["speed"]))
    there.answer("GET", f"/entities?type=Vehicle&id={ONE}&attrs=speed", 200, [vehicle(speed=9)])
    entities = found(hub.get("/entities", type="Vehicle", options="keyValues"))
    assert entities["1"] == {"id": ONE, "type": "Vehicle", "name": "here", "speed": 9}
    assert list(found(hub.get("/entities", type="Vehicle", q="speed==9"))) == ["1"]
    assert found(hub.get("/entities", type="Vehicle", q="speed==8")) == {}


def test_5_7_2_filters_go_only_to_who_can_hold_the_whole_entity(hub, there):
    register(hub, there.registration())
    hub.get("/entities", type="Vehicle", q="speed>20", scopeQ="/A")
    hub.get("/entities", type="Vehicle", q="speed>20", scopeQ="/A", splitEntities="true")
    whole, split = (asked.target for asked in there.asked)
    assert "q=speed" in whole
    assert "scopeQ=/A" in whole
    assert split == "/entities?type=Vehicle"


def test_5_7_2_filters_hold_for_what_is_put_together(hub, there):
    register(hub, there.registration(attrs=["speed"]))
    make(hub, vehicle(name="a"), vehicle("urn:ngsi-ld:Vehicle:2", name="b", speed=50))
    seen = {"type": "Property", "value": 30, "observedAt": "2026-01-01T00:00:00Z"}
    slow = seen | {"value": 3}
    there.answer(
        "GET", "/entities?type=Vehicle&attrs=speed", 200,
        [vehicle(speed=seen), vehicle("urn:ngsi-ld:Vehicle:2", speed=slow)],
    )  # fmt: skip
    answer = hub.get("/entities", type="Vehicle", q="speed>20", count="true")
    assert list(found(answer)) == ["1"]
    assert answer.headers["ngsild-results-count"] == "1"


def test_4_9_csf_says_which_sources_are_asked(hub, there):
    register(hub, there.registration(kind={"type": "Property", "value": "sensor"}))
    there.answer("GET", "/entities?type=Vehicle", 200, [vehicle(speed=5)])
    assert list(found(hub.get("/entities", type="Vehicle", csf='kind=="sensor"'))) == ["1"]
    assert found(hub.get("/entities", type="Vehicle", csf='kind=="archive"')) == {}


def test_5_7_2_a_query_in_a_body_goes_on_in_a_body_where_that_is_offered(hub, there):
    register(hub, there.registration())
    there.answer("POST", "/entityOperations/query", 200, [vehicle(speed=5)])
    body = {"type": "Query", "entities": [{"type": "Vehicle", "id": ONE}], "q": "speed>1"}
    answer = hub.call("POST", "/entityOperations/query", body)
    assert list(found(answer)) == ["1"]
    (asked,) = there.asked
    assert asked.body == body


@pytest.mark.parametrize("operation", ["queryEntity", "queryBatch"])
def test_5_7_2_a_query_goes_on_as_the_source_takes_it(hub, there, operation):
    register(hub, there.registration(operations=[operation]))
    there.answer("POST", "/entityOperations/query", 200, [vehicle(speed=5)])
    there.answer("GET", f"/entities?id={ONE}&type=Vehicle", 200, [vehicle(speed=5)])
    body = {"type": "Query", "entities": [{"type": "Vehicle", "id": ONE}]}
    assert list(found(hub.call("POST", "/entityOperations/query", body))) == ["1"]
    assert list(found(hub.get("/entities", id=ONE, type="Vehicle"))) == ["1"]


def test_5_7_2_all_pages_of_a_source_are_read(hub, there):
    register(hub, there.registration())
    there.headers["Link"] = '<x>;rel="next";type="application/json"'
    there.answer("GET", "/entities?type=Vehicle", 200, [vehicle()])
    rest = [vehicle(f"urn:ngsi-ld:Vehicle:{n}") for n in (2, 3)]
    there.answer("GET", "/entities?type=Vehicle&limit=1000&offset=1", 200, rest)
    assert list(found(hub.get("/entities", type="Vehicle"))) == ["1", "2", "3"]


def test_4_3_6_6_a_source_is_spoken_to_in_its_own_context(hub, there):
    theirs = {
        "@context": {
            "Wagen": "https://uri.etsi.org/ngsi-ld/default-context/Vehicle",
            "tempo": "https://uri.etsi.org/ngsi-ld/default-context/speed",
        }
    }
    place = hub.call("POST", "/jsonldContexts", theirs).headers["location"]
    url = f"http://testserver{place}"
    info = [{"key": "jsonldContext", "value": url}]
    register(hub, there.registration(contextSourceInfo=info))
    entity = {"id": ONE, "type": "Wagen", "tempo": {"type": "Property", "value": 5}}
    there.answer("GET", f"/entities/{ONE}", 200, entity)
    there.answer("GET", "/entities?type=Wagen", 200, [entity])
    assert one(hub)["speed"]["value"] == 5
    assert list(found(hub.get("/entities", type="Vehicle"))) == ["1"]
    assert url in there.asked[0].headers["Link"]
