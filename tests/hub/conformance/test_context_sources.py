"""Registering and finding context sources, clause by clause (GS CIM 009 V1.9.1 §5.9, §5.10)."""

import pytest

from temporal_door import broker, problem

PATH = "/csourceRegistrations"
ONE = "urn:ngsi-ld:ContextSourceRegistration:one"
VEHICLE = "urn:ngsi-ld:Vehicle:1"


@pytest.fixture
def hub(fresh_database):
    with broker(fresh_database) as made:
        yield made


def registration(uri=ONE, *, entities=({"type": "Vehicle"},), attrs=(), **more):
    info = {"entities": list(entities)} if entities else {}
    if attrs:
        info["propertyNames"] = list(attrs)
    return {
        "id": uri, "type": "ContextSourceRegistration", "information": [info],
        "endpoint": "http://127.0.0.1:1/source", **more,
    }  # fmt: skip


def register(hub, body=None, **more):
    return hub.call("POST", PATH, body or registration(**more))


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


def test_5_9_2_registering_answers_201_with_its_place_and_it_is_read_as_it_was_sent(hub):
    made = register(
        hub, attrs=["speed"], mode="redirect", operations=["redirectionOps"], tenant="other",
        contextSourceInfo=[{"key": "X-Key", "value": "k"}], scope=["/A"], refreshRate="PT5M",
        management={"timeout": 100, "localOnly": True}, colour={"type": "Property", "value": "red"},
        location={"type": "Point", "coordinates": [1, 2]}, expiresAt="2099-01-01T00:00:00Z",
    )  # fmt: skip
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["location"] == f"/ngsi-ld/v1{PATH}/{ONE}"
    shown = hub.get(f"{PATH}/{ONE}").json()
    assert shown["information"] == [{"entities": [{"type": "Vehicle"}], "propertyNames": ["speed"]}]
    assert shown["mode"] == "redirect"
    assert shown["tenant"] == "other"
    assert shown["colour"] == {"type": "Property", "value": "red"}
    assert "createdAt" not in shown
    assert "status" not in shown
    assert "createdAt" in hub.get(f"{PATH}/{ONE}", options="sysAttrs").json()


def test_5_9_2_an_id_is_given_where_none_is_sent_and_taken_only_once(hub):
    body = registration()
    del body["id"]
    place = register(hub, body).headers["location"]
    assert hub.client.get(place).status_code == 200
    assert register(hub).status_code == 201
    assert problem(register(hub)) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    "more",
    [
        {"type": "Registration"},
        {"information": []},
        {"information": [{}]},
        {"information": [{"entities": [{"id": VEHICLE}]}]},
        {"information": [{"entities": [{"type": "A", "idPattern": "(a+)+$"}]}]},
        {"information": [{"entities": [{"type": "A", "id": "no uri"}]}]},
        {"endpoint": "ftp://x"},
        {"endpoint": "not a url"},
        {"mode": "shared"},
        {"operations": ["everything"]},
        {"operations": []},
        {"mode": "auxiliary", "operations": ["updateEntity"]},
        {"mode": "exclusive"},
        {"contextSourceInfo": [{"key": "X", "value": 1}]},
        {"contextSourceInfo": [{"key": "X"}]},
        {"contextSourceInfo": [{"key": "X", "value": "a\r\nHost: b"}]},
        {"contextSourceInfo": [{"key": "accept", "value": "text/html"}]},
        {"management": "yes"},
        {"management": {"cacheDuration": "bogus"}},
        {"management": {"cooldown": 0}},
        {"management": {"timeout": -5}},
        {"management": {"localOnly": "yes"}},
        {"expiresAt": "2001-01-01T00:00:00Z"},
        {"expiresAt": "tomorrow"},
        {"location": {"type": "Point"}},
        {"observationInterval": {"endAt": "2020-01-01T00:00:00Z"}},
        {"contextSourceAlias": ""},
        {"registrationName": ""},
        {"datasetId": ["not a uri"]},
        {"id": "not a uri"},
    ],
)
def test_5_9_2_what_is_not_a_registration_is_bad_request_data(hub, more):
    assert problem(register(hub, registration() | more)) == (400, "BadRequestData")


def test_4_3_6_3_an_exclusive_registration_names_one_entity_and_attributes(hub):
    pattern = [{"type": "Vehicle", "idPattern": "urn:.*"}]
    for body in (
        registration(entities=pattern, attrs=["speed"], mode="exclusive"),
        registration(entities=[{"type": "Vehicle", "id": VEHICLE}], mode="exclusive"),
        registration(attrs=["speed"], mode="exclusive"),
    ):
        assert problem(register(hub, body)) == (400, "BadRequestData")


def test_4_3_6_3_nothing_proxied_overlaps_an_exclusive_registration(hub):
    one = [{"type": "Vehicle", "id": VEHICLE}]
    assert register(hub, entities=one, attrs=["speed"], mode="exclusive").status_code == 201
    for mode in ("exclusive", "redirect"):
        body = registration("urn:x:2", entities=one, attrs=["speed", "name"], mode=mode)
        assert problem(register(hub, body)) == (409, "Conflict")
    by_type = registration("urn:x:3", mode="redirect")
    assert problem(register(hub, by_type)) == (409, "Conflict")
    other = registration("urn:x:4", entities=one, attrs=["name"], mode="exclusive")
    assert register(hub, other).status_code == 201
    for uri, mode in (("urn:x:5", "inclusive"), ("urn:x:6", "auxiliary")):
        assert register(hub, uri=uri, entities=one, attrs=["speed"], mode=mode).status_code == 201


def test_4_3_6_3_redirections_may_overlap_each_other(hub):
    for uri in ("urn:x:1", "urn:x:2"):
        assert register(hub, uri=uri, mode="redirect").status_code == 201


def test_5_9_2_proxied_registrations_conflict_with_what_is_held_here(hub):
    speed = {"type": "Property", "value": 1}
    hub.call("POST", "/entities", {"id": VEHICLE, "type": "Vehicle", "speed": speed})
    one = [{"type": "Vehicle", "id": VEHICLE}]
    exclusive = registration(entities=one, attrs=["speed"], mode="exclusive")
    assert problem(register(hub, exclusive)) == (409, "Conflict")
    assert problem(register(hub, mode="redirect")) == (409, "Conflict")
    assert register(hub, entities=one, attrs=["name"], mode="exclusive").status_code == 201
    ships = registration("urn:x:2", entities=[{"type": "Ship"}], mode="redirect")
    assert register(hub, ships).status_code == 201


def test_5_9_3_updating_replaces_members_and_null_removes_them(hub):
    register(hub, expiresAt="2099-01-01T00:00:00Z", colour="red")
    answer = hub.call(
        "PATCH", f"{PATH}/{ONE}",
        {"id": ONE, "type": "ContextSourceRegistration", "endpoint": "http://new:1026",
         "expiresAt": None, "colour": "urn:ngsi-ld:null"},
    )  # fmt: skip
    assert (answer.status_code, answer.content) == (204, b"")
    shown = hub.get(f"{PATH}/{ONE}").json()
    assert shown["endpoint"] == "http://new:1026"
    assert "expiresAt" not in shown
    assert "colour" not in shown


def test_5_9_3_updating_refuses_what_is_wrong(hub):
    register(hub)
    one = f"{PATH}/{ONE}"
    assert problem(hub.call("PATCH", one, {"endpoint": None})) == (400, "BadRequestData")
    assert problem(hub.call("PATCH", one, {"id": "urn:x:9"})) == (400, "BadRequestData")
    assert problem(hub.call("PATCH", one, {"mode": "exclusive"})) == (400, "BadRequestData")
    assert problem(hub.call("PATCH", f"{PATH}/urn:x:none", {"mode": "redirect"})) == (
        404, "ResourceNotFound",
    )  # fmt: skip
    assert problem(hub.call("PATCH", f"{PATH}/nouri", {"mode": "redirect"})) == (
        400, "BadRequestData",
    )  # fmt: skip


def test_5_9_4_deleting(hub):
    register(hub)
    one = f"{PATH}/{ONE}"
    assert hub.call("DELETE", one).status_code == 204
    assert problem(hub.call("DELETE", one)) == (404, "ResourceNotFound")
    assert problem(hub.call("DELETE", f"{PATH}/nouri")) == (400, "BadRequestData")
    assert problem(hub.get(one)) == (404, "ResourceNotFound")
    assert problem(hub.get(f"{PATH}/nouri")) == (400, "BadRequestData")


def test_5_10_2_registrations_are_found_by_what_they_inform_of(hub):
    register(hub, uri="urn:x:1", entities=[{"type": "Vehicle"}], attrs=["speed"])
    register(hub, uri="urn:x:2", entities=[{"type": "Vehicle", "id": VEHICLE}])
    register(hub, uri="urn:x:3", entities=[{"type": "Ship", "idPattern": "urn:ship:.*"}])
    register(hub, uri="urn:x:4", entities=(), attrs=["name"])
    assert ids(hub.get(PATH, type="Vehicle")) == ["urn:x:1", "urn:x:2", "urn:x:4"]
    assert ids(hub.get(PATH, type="Vehicle", attrs="name")) == ["urn:x:2", "urn:x:4"]
    assert ids(hub.get(PATH, type="Vehicle", id="urn:ngsi-ld:Vehicle:9")) == ["urn:x:1", "urn:x:4"]
    assert ids(hub.get(PATH, type="Ship", id="urn:ship:1")) == ["urn:x:3", "urn:x:4"]
    assert ids(hub.get(PATH, type="Ship", idPattern="urn:ship:.*")) == ["urn:x:3", "urn:x:4"]
    assert ids(hub.get(PATH, type="Ship,Vehicle", q="speed>1")) == [
        "urn:x:1", "urn:x:2", "urn:x:3",
    ]  # fmt: skip


def test_5_10_2_only_the_information_that_matches_is_shown(hub):
    body = registration() | {
        "information": [{"entities": [{"type": "Vehicle"}]}, {"entities": [{"type": "Ship"}]}]
    }
    register(hub, body)
    (found,) = hub.get(PATH, type="Ship").json()
    assert found["information"] == [{"entities": [{"type": "Ship"}]}]


def test_5_10_2_a_query_that_is_too_wide_is_refused(hub):
    assert problem(hub.get(PATH)) == (400, "BadRequestData")
    assert problem(hub.get(PATH, type="A", id="no uri")) == (400, "BadRequestData")
    assert problem(hub.get(PATH, q="a==")) == (400, "BadRequestData")
    assert problem(hub.get(PATH, type="A", timerel="before")) == (400, "BadRequestData")


def test_5_10_2_csf_scope_and_place_look_at_the_registration_itself(hub):
    place = {"type": "Point", "coordinates": [8.68, 49.41]}
    register(hub, uri="urn:x:1", scope="/Madrid/Centro", location=place, colour="red")
    register(hub, uri="urn:x:2", scope="/Berlin", endpoint="http://b.example")
    assert ids(hub.get(PATH, type="Vehicle", csf='endpoint=="http://b.example"')) == ["urn:x:2"]
    assert ids(hub.get(PATH, type="Vehicle", scopeQ="/Madrid/#")) == ["urn:x:1"]
    assert ids(hub.get(PATH, q='colour=="red"')) == ["urn:x:1"]
    near = {"georel": "near;maxDistance==2000", "geometry": "Point", "coordinates": "[8.68,49.41]"}
    assert ids(hub.get(PATH, type="Vehicle", **near)) == ["urn:x:1"]
    assert ids(hub.get(PATH, id="urn:x:2,urn:x:1")) == ["urn:x:1", "urn:x:2"]


def test_5_10_2_history_is_for_those_with_an_interval(hub):
    past = {"startAt": "2020-08-01T22:07:00Z", "endAt": "2021-08-02T21:07:00Z"}
    register(hub, uri="urn:x:1", observationInterval=past)
    register(hub, uri="urn:x:2", managementInterval=past)
    register(hub, uri="urn:x:3")
    when = {"type": "Vehicle", "timerel": "before", "timeAt": "2021-08-01T22:00:00Z"}
    assert ids(hub.get(PATH, type="Vehicle")) == ["urn:x:3"]
    assert ids(hub.get(PATH, **when)) == ["urn:x:1"]
    assert ids(hub.get(PATH, **when, timeproperty="modifiedAt")) == ["urn:x:2"]
    assert ids(hub.get(PATH, **when | {"timerel": "after", "timeAt": "2022-01-01T00:00:00Z"})) == []


def test_5_10_2_pages_have_links_and_a_count(hub):
    for n in range(3):
        register(hub, uri=f"urn:x:{n}")
    page = hub.get(PATH, type="Vehicle", limit=1, offset=1, count="true")
    assert ids(page) == ["urn:x:1"]
    assert page.headers["ngsild-results-count"] == "3"
    base = f"</ngsi-ld/v1{PATH}?type=Vehicle&limit=1&offset="
    kind = 'type="application/ld+json"'
    assert f'{base}0>;rel="prev";{kind},{base}2>;rel="next";{kind}' in page.headers["link"]
    assert ids(hub.get(PATH, type="Vehicle", limit=0, count="true")) == []
    assert problem(hub.get(PATH, type="Vehicle", limit=0)) == (400, "BadRequestData")


def test_6_3_5_names_are_those_of_the_readers_context(hub):
    register(hub, attrs=["speed"])
    context = {"@context": {"Auto": "https://uri.etsi.org/ngsi-ld/default-context/Vehicle"}}
    made = hub.call("POST", "/jsonldContexts", context)
    url = "http://testserver" + made.headers["location"]
    link = f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    shown = hub.get(f"{PATH}/{ONE}", headers={"Link": link}).json()
    assert shown["information"][0]["entities"] == [{"type": "Auto"}]
    assert ids(hub.get(PATH, headers={"Link": link}, type="Auto")) == [ONE]


def test_5_15_1_a_tenant_is_told_by_its_alias(hub):
    first = hub.get("/info/sourceIdentity").json()
    assert first["type"] == "ContextSourceIdentity"
    assert first["id"].startswith("urn:")
    assert first["contextSourceUptime"].startswith("PT")
    assert first["contextSourceTimeAt"].endswith("Z")
    other = hub.get("/info/sourceIdentity", headers={"NGSILD-Tenant": "a"}).json()
    assert other["contextSourceAlias"] != first["contextSourceAlias"]
    again = hub.get("/info/sourceIdentity").json()
    assert again["contextSourceAlias"] == first["contextSourceAlias"]
