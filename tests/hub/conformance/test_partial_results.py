"""Writes done in part, or not at all: GS CIM 009 V1.9.1 §5.5.6, §5.6.2, §5.6.9, §5.6.21."""

import pytest

CONTEXT = "https://contexts.invalid/none.jsonld"
LD = "application/ld+json"


def named(value):
    return {"name": {"type": "Property", "value": value}}


def test_5_6_2_4_a_scope_is_not_added_by_an_update(broker):
    broker.make({"id": "urn:x:1", "type": "T", **named("a")})
    answer = broker.call("PATCH", "/entities/urn:x:1/attrs/", {"scope": "/A", **named("b")})
    assert answer.status_code == 207
    assert [one["attributeName"] for one in answer.json()["notUpdated"]] == ["scope"]
    there = broker.entity("urn:x:1")
    assert "scope" not in there
    assert there["name"]["value"] == "b"


def test_5_6_2_4_a_scope_is_replaced_by_an_update(broker):
    broker.make({"id": "urn:x:1", "type": "T", "scope": "/A"})
    assert broker.call("PATCH", "/entities/urn:x:1/attrs/", {"scope": "/B"}).status_code == 204
    assert broker.entity("urn:x:1")["scope"] == "/B"


@pytest.mark.parametrize("more", [{}, {"age": {"type": "Property", "value": 1}}])
def test_5_6_9_4_attributes_that_are_left_are_told(broker, more):
    broker.make({"id": "urn:x:1", "type": "T", **named("a")}, {"id": "urn:x:2", "type": "T"})
    items = [{"id": f"urn:x:{n}", "type": "T", **named("b"), **more} for n in (1, 2)]
    answer = broker.post("/entityOperations/update?options=noOverwrite", items)
    assert answer.status_code == 207
    assert answer.json()["success"] == ["urn:x:2"]
    (error,) = answer.json()["errors"]
    assert error["entityId"] == "urn:x:1"
    assert error["error"]["type"].endswith("AlreadyExists")
    there = broker.entity("urn:x:1")
    assert there["name"]["value"] == "a"
    assert more.keys() <= there.keys()


@pytest.mark.parametrize("operation", ["create", "upsert", "update", "merge"])
def test_5_5_6_a_context_that_is_away_fails_its_items_only(broker, operation):
    broker.make({"id": "urn:x:1", "type": "T"})
    core = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
    items = [
        {"id": f"urn:x:{n}", "type": "T", **named("b"), "@context": url}
        for n, url in ((2, CONTEXT), (3, CONTEXT), (1, core), (4, core))
    ]
    answer = broker.post(f"/entityOperations/{operation}", items, Content_Type=LD)
    assert answer.status_code == 207
    lost = {one["entityId"]: one["error"] for one in answer.json()["errors"]}
    for uri in ("urn:x:2", "urn:x:3"):
        assert lost[uri]["type"].endswith("LdContextNotAvailable")
        assert lost[uri]["title"]


def test_5_5_6_a_context_that_is_away_is_a_504_otherwise(broker, problem):
    entity = {"id": "urn:x:1", "type": "T", "@context": CONTEXT}
    answer = broker.post("/entities", entity, Content_Type=LD)
    assert problem(answer) == (504, "LdContextNotAvailable")


def test_5_6_21_4_drop_does_not_go_with_keep(broker, problem):
    answer = broker.call("DELETE", "/entities?type=T&drop=a&keep=b")
    assert problem(answer) == (400, "BadRequestData")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_5_6_17_5_6_18_an_entity_s_id_must_be_there(broker, problem, method):
    answer = broker.call(method, "/entities/", {"type": "T"})
    assert problem(answer) == (400, "BadRequestData")
    answer = broker.call(method, "/entities", {"type": "T"})
    assert problem(answer) == (405, "OperationNotSupported")
    assert "POST" in answer.headers["Allow"]


def test_6_3_10_links_of_pages_are_the_resource_s(broker):
    broker.make(*[{"id": f"urn:x:{n}", "type": "T"} for n in range(3)])
    link = broker.get("/entities/?type=T&limit=1&offset=1&count=true").headers["Link"]
    first, second, *_ = link.split(", ")
    assert first.startswith("</ngsi-ld/v1/entities?count=true&limit=1&offset=0&type=T>")
    assert second.startswith("</ngsi-ld/v1/entities?count=true&limit=1&offset=2&type=T>")


@pytest.mark.parametrize("asked", ["options=none", "options=keyValues,none", "format=none"])
@pytest.mark.parametrize("path", ["/entities/urn:x:1", "/entities?type=T"])
def test_6_3_20_options_that_are_none_are_refused(broker, problem, path, asked):
    sign = "&" if "?" in path else "?"
    assert problem(broker.get(f"{path}{sign}{asked}")) == (400, "InvalidRequest")


def test_4_5_23_an_entity_without_linked_ones_comes_alone(broker):
    broker.make({"id": "urn:x:1", "type": "T",
                 "owner": {"type": "Relationship", "object": "urn:x:none"}})  # fmt: skip
    plain = broker.entity("urn:x:1")
    for join in ("flat", "inline"):
        assert broker.entity("urn:x:1", f"?join={join}&joinLevel=1") == plain
