"""Entities provided one by one: GS CIM 009 V1.9.1 §5.6.1-6, §5.6.17-19, §5.6.21."""

import pytest

VOCABULARY = "https://uri.etsi.org/ngsi-ld/default-context/"
HOUSE = "urn:ngsi-ld:Building:h1"
NULL = "urn:ngsi-ld:null"
DATASET = "urn:ngsi-ld:Dataset:d1"


def prop(value, **more):
    return {"type": "Property", "value": value, **more}


def house(uri=HOUSE, **attrs):
    return {"id": uri, "type": "Building", **attrs}


def test_5_6_1_create_answers_201_with_the_place(broker, problem):
    made = broker.post("/entities/", house(name=prop("A")))
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["location"] == f"/ngsi-ld/v1/entities/{HOUSE}"
    assert "link" not in made.headers
    assert broker.entity(HOUSE) == house(name=prop("A"))
    assert problem(broker.post("/entities", house())) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    "body",
    [
        [], {}, {"type": "Building"}, {"id": HOUSE}, house("no uri"), house(name=None),
        house(name=prop(NULL)), house(name={"type": "Property"}),
        house(at={"type": "GeoProperty", "value": {"type": "Point"}}),
        house(of={"type": "Relationship", "object": "no uri"}),
        house(name=prop(1, observedAt="yesterday")),
    ],
)  # fmt: skip
def test_5_6_1_and_5_5_4_bad_data_are_refused(broker, problem, body):
    assert problem(broker.post("/entities", body)) == (400, "BadRequestData")


def test_5_6_2_update_replaces_attributes_whole(broker, problem):
    broker.make(house(heat=prop(25, unitCode="CEL"), name=prop("A")))
    path = f"/entities/{HOUSE}/attrs/"
    assert broker.call("PATCH", path, {"heat": prop(100)}).status_code == 204
    assert broker.entity(HOUSE)["heat"] == prop(100)
    assert broker.call("PATCH", path, {"name": prop(NULL)}).status_code == 204
    assert "name" not in broker.entity(HOUSE)
    assert broker.call("PATCH", path, {"heat": prop(30, datasetId=DATASET)}).status_code == 204
    assert sorted(i["value"] for i in broker.entity(HOUSE)["heat"]) == [30, 100]
    missing = broker.call("PATCH", "/entities/urn:ngsi-ld:Building:no/attrs", {"heat": prop(1)})
    assert problem(missing) == (404, "ResourceNotFound")
    no_uri = broker.call("PATCH", "/entities/nouri/attrs", {"heat": prop(1)})
    assert problem(no_uri) == (400, "BadRequestData")


def test_5_6_3_append_overwrites_unless_told_not_to(broker):
    broker.make(house(heat=prop(25)))
    path = f"/entities/{HOUSE}/attrs"
    assert broker.post(path, {"heat": prop(26), "name": prop("A")}).status_code == 204
    assert broker.entity(HOUSE, "?options=keyValues") == house(heat=26, name="A")
    partly = broker.post(f"{path}?options=noOverwrite", {"heat": prop(9), "floors": prop(3)})
    assert partly.status_code == 207
    body = partly.json()
    assert body["updated"] == [VOCABULARY + "floors"]  # full names: there is no context (§6.3.6)
    assert [one["attributeName"] for one in body["notUpdated"]] == [VOCABULARY + "heat"]
    assert broker.entity(HOUSE, "?options=keyValues")["heat"] == 26
    other = broker.post(f"{path}?options=noOverwrite", {"heat": prop(9, datasetId=DATASET)})
    assert other.status_code == 204


@pytest.mark.parametrize("uri", ["", "thisisaninvaliduri"])
def test_5_6_3_append_to_what_is_no_uri(broker, problem, uri):
    answer = broker.post(f"/entities/{uri}/attrs/", {"heat": prop(1)})
    assert problem(answer) == (400, "BadRequestData")


def test_5_6_4_partial_update_leaves_the_rest(broker, problem):
    sent = prop(25, unitCode="CEL", observedAt="2022-03-14T01:59:26.535Z")
    broker.make(house(heat=sent))
    path = f"/entities/{HOUSE}/attrs/heat"
    new = {"type": "Property", "value": 100, "observedAt": "2022-03-14T13:00:00.000Z"}
    assert broker.call("PATCH", path, new).status_code == 204
    assert broker.entity(HOUSE)["heat"] == {**new, "unitCode": "CEL"}
    patched = broker.call("PATCH", path, new, content_type="application/merge-patch+json")
    assert patched.status_code == 204
    null_dataset = broker.call("PATCH", path, {"datasetId": NULL})
    assert problem(null_dataset) == (400, "BadRequestData")
    scope = broker.call("PATCH", f"/entities/{HOUSE}/attrs/scope", {"value": "/x"})
    assert problem(scope) == (400, "BadRequestData")
    for missing in (f"/entities/{HOUSE}/attrs/no", "/entities/urn:x:no/attrs/heat"):
        assert problem(broker.call("PATCH", missing, {"value": 1})) == (404, "ResourceNotFound")
    no_instance = broker.call("PATCH", path, {"value": 1, "datasetId": DATASET})
    assert problem(no_instance) == (404, "ResourceNotFound")


def test_5_6_5_delete_of_an_attribute(broker, problem):
    broker.make(
        house(
            heat=[prop(1), prop(2, datasetId=DATASET)], name=prop("A"), scope=["/a", "/b"],
            old=[prop(1), prop(2, datasetId=DATASET)],
        )
    )  # fmt: skip
    path = f"/entities/{HOUSE}/attrs"
    assert broker.call("DELETE", f"{path}/heat?datasetId={DATASET}").status_code == 204
    assert broker.entity(HOUSE)["heat"] == prop(1)
    gone = broker.call("DELETE", f"{path}/heat?datasetId={DATASET}")
    assert problem(gone) == (404, "ResourceNotFound")
    assert broker.call("DELETE", f"{path}/old?deleteAll=true").status_code == 204
    assert broker.call("DELETE", f"{path}/scope").status_code == 204
    assert set(broker.entity(HOUSE)) == {"id", "type", "heat", "name"}
    assert problem(broker.call("DELETE", f"{path}/no")) == (404, "ResourceNotFound")
    bad = broker.call("DELETE", f"{path}/heat?datasetId=nouri")
    assert problem(bad) == (400, "BadRequestData")


def test_5_6_6_delete_of_an_entity(broker, problem):
    broker.make(house())
    gone = broker.call("DELETE", f"/entities/{HOUSE}")
    assert (gone.status_code, "content-length" in gone.headers) == (204, False)
    assert problem(broker.call("DELETE", f"/entities/{HOUSE}")) == (404, "ResourceNotFound")
    assert problem(broker.call("DELETE", "/entities/nouri")) == (400, "BadRequestData")


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None), ("DELETE", "", None), ("PATCH", "", {"a": prop(2)}),
        ("PUT", "", {"type": "Building", "a": prop(2)}), ("POST", "/attrs", {"a": prop(2)}),
        ("PATCH", "/attrs", {"a": prop(2)}), ("PATCH", "/attrs/a", {"value": 2}),
        ("PUT", "/attrs/a", prop(2)), ("DELETE", "/attrs/a", None),
    ],
)  # fmt: skip
def test_4_17_a_type_selection_gates_every_operation(broker, problem, method, rest, body):
    broker.make(house(a=prop(1)))
    path = f"/entities/{HOUSE}{rest}"
    refused = broker.call(method, f"{path}?type=Vehicle", body)
    assert problem(refused) == (404, "ResourceNotFound")
    assert broker.entity(HOUSE)["a"] == prop(1)
    assert broker.call(method, f"{path}?type=Building", body).is_success


def test_5_6_17_merge(broker, problem):
    broker.make(
        house(
            heat=prop(25, unitCode="CEL", observedAt="2022-01-01T00:00:00Z"),
            address=prop({"street": "S", "no": 1}), name=prop("A"),
            words={"type": "LanguageProperty", "languageMap": {"en": "house", "fr": "maison"}},
        )
    )  # fmt: skip
    path = f"/entities/{HOUSE}"
    patch = {"heat": prop(26), "address": prop({"no": 2}), "name": prop(NULL), "floors": 3}
    assert broker.call("PATCH", path, patch).status_code == 204
    got = broker.entity(HOUSE)
    assert got["heat"] == prop(26, unitCode="CEL", observedAt="2022-01-01T00:00:00Z")
    assert got["address"] == prop({"street": "S", "no": 2})
    assert ("name" in got, got["floors"]) == (False, prop(3))
    at = "2023-01-01T00:00:00Z"
    timed = broker.call("PATCH", f"{path}?observedAt={at}", {"heat": prop(27)})
    assert timed.status_code == 204
    assert broker.entity(HOUSE)["heat"]["observedAt"] == at
    simple = broker.call("PATCH", f"{path}?options=keyValues&lang=en", {"words": "home"})
    assert simple.status_code == 204
    assert broker.entity(HOUSE)["words"]["languageMap"] == {"en": "home", "fr": "maison"}
    other = broker.call("PATCH", path, {"id": "urn:x:other", "floors": 4})
    assert problem(other) == (400, "BadRequestData")
    none = broker.call("PATCH", "/entities/urn:x:no", {"floors": 4})
    assert problem(none) == (404, "ResourceNotFound")


def test_5_6_18_replace_of_an_entity(broker, problem):
    broker.make(house(a=prop(1), b=prop(2)))
    created = broker.entity(HOUSE, "?options=sysAttrs")["createdAt"]
    assert broker.call("PUT", f"/entities/{HOUSE}", house(c=prop(3))).status_code == 204
    assert broker.entity(HOUSE) == house(c=prop(3))
    assert broker.entity(HOUSE, "?options=sysAttrs")["createdAt"] == created
    missing = broker.call("PUT", "/entities/urn:x:no", house("urn:x:no"))
    assert problem(missing) == (404, "ResourceNotFound")


def test_5_6_19_replace_of_an_attribute(broker, problem):
    broker.make(house(heat=prop(25, unitCode="CEL")))
    path = f"/entities/{HOUSE}/attrs"
    assert broker.call("PUT", f"{path}/heat", prop(1)).status_code == 204
    assert broker.entity(HOUSE)["heat"] == prop(1)
    assert problem(broker.call("PUT", f"{path}/no", prop(1))) == (404, "ResourceNotFound")


def test_5_6_21_purge_by_type_and_id(broker):
    broker.make(house(), house("urn:x:h2"), {"id": "urn:x:v", "type": "Vehicle"})
    gone = broker.call("DELETE", f"/entities?type=Building&id={HOUSE}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert broker.call("DELETE", "/entities?q=none>1").status_code == 204
    assert [e["id"] for e in broker.get("/entities?local=true").json()] == ["urn:x:h2", "urn:x:v"]
    assert broker.call("DELETE", "/entities?local=true").status_code == 204
    assert broker.get("/entities?local=true").json() == []


@pytest.mark.parametrize(
    ("how", "left"), [("drop=a", {"b", "c"}), ("drop=a,b", {"c"}), ("keep=a", {"a"})]
)
def test_5_6_21_purge_of_some_attributes(broker, how, left):
    broker.make(house(a=prop(1), b=prop(2), c=prop(3)), house("urn:x:h2", c=prop(1)))
    assert broker.call("DELETE", f"/entities?id={HOUSE}&{how}").status_code == 204
    assert set(broker.entity(HOUSE)) - {"id", "type"} == left
    assert broker.entity("urn:x:h2") == house("urn:x:h2", c=prop(1))


@pytest.mark.parametrize(
    "query",
    [
        "", "id=" + HOUSE, "idPattern=.*", "attrs=createdAt", 'q=modifiedAt>"2020-01-01T00:00:00Z"',
        "type=Building&q=owner{name}==%22x%22", "type=Building&attrs=owner{name}",
    ],
)  # fmt: skip
def test_5_6_21_purge_refuses_what_is_too_wide_or_linked(broker, problem, query):
    broker.make(house())
    assert problem(broker.call("DELETE", f"/entities?{query}")) == (400, "BadRequestData")
    assert broker.entity(HOUSE) == house()


def test_4_22_an_entity_goes_when_its_time_is_over(broker, problem):
    past, future = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    broker.make(house(expiresAt=future, a=prop(1)))
    assert broker.entity(HOUSE, "?options=sysAttrs")["expiresAt"] == future
    assert broker.call("PATCH", f"/entities/{HOUSE}", {"expiresAt": past}).status_code in (204, 400)


def test_5_7_1_attributes_asked_for_and_not_there(broker, problem):
    broker.make(house(a=prop(1)))
    assert set(broker.entity(HOUSE, "?attrs=a")) == {"id", "type", "a"}
    assert set(broker.entity(HOUSE, "?pick=id,a")) == {"id", "a"}
    missing = broker.get(f"/entities/{HOUSE}?attrs=no")
    assert problem(missing) == (404, "ResourceNotFound")
    assert problem(broker.get("/entities/nouri")) == (400, "BadRequestData")
