"""Batches: GS CIM 009 V1.9.1 §5.6.7-10, §5.6.20, §5.5.11, §4.6.6."""

import pytest

OPERATIONS = ("create", "upsert", "update", "merge")
NULL = "urn:ngsi-ld:null"


def prop(value):
    return {"type": "Property", "value": value}


def house(number, **attrs):
    return {"id": f"urn:ngsi-ld:Building:b{number}", "type": "Building", **attrs}


def send(broker, operation, items, query="", **headers):
    return broker.post(f"/entityOperations/{operation}{query}", items, **headers)


def fate(answer):
    """(ids that went well, ids that did not) of a 207."""
    assert answer.status_code == 207
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    for one in body["errors"]:
        assert one["error"]["title"]
        assert one["error"]["status"]
    return sorted(body["success"]), sorted(one["entityId"] for one in body["errors"])


@pytest.mark.parametrize("operation", [*OPERATIONS, "delete"])
@pytest.mark.parametrize("body", [[], {}, "text"])
def test_5_6_7_and_others_an_empty_batch_is_bad_data(broker, problem, operation, body):
    assert problem(send(broker, operation, body)) == (400, "BadRequestData")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_null_item_fails_the_whole_batch(broker, problem, operation):
    answer = send(broker, operation, [house(1), None])
    assert problem(answer) == (400, "BadRequestData")
    assert broker.get(f"/entities/{house(1)['id']}").status_code == 404


@pytest.mark.parametrize("operation", OPERATIONS)
def test_broken_json_is_an_invalid_request(broker, problem, operation):
    answer = broker.http.post(
        f"/ngsi-ld/v1/entityOperations/{operation}", content=b"[{",
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert problem(answer) == (400, "InvalidRequest")


def test_5_6_7_create(broker):
    made = send(broker, "create", [house(1), house(2)])
    assert (made.status_code, made.json()) == (201, [house(1)["id"], house(2)["id"]])
    again = send(broker, "create", [house(2), house(3), {"id": "nouri", "type": "Building"}])
    assert fate(again) == ([house(3)["id"]], ["nouri", house(2)["id"]])


def test_5_5_11_the_same_id_twice(broker):
    created = send(broker, "create", [house(1), house(2), house(1)])
    assert fate(created) == ([house(1)["id"], house(2)["id"]], [house(1)["id"]])
    upserted = send(broker, "upsert", [house(3, a=prop(1), old=prop(1)), house(3, a=prop(2))])
    assert upserted.status_code in (201, 204)
    assert broker.entity(house(3)["id"]) == house(3, a=prop(2))
    updated = send(broker, "update", [house(3, a=prop(3), b=prop(3)), house(3, a=prop(4))])
    assert updated.status_code == 204
    assert broker.entity(house(3)["id"]) == house(3, a=prop(4), b=prop(3))
    deleted = send(broker, "delete", [house(3)["id"], house(3)["id"]])
    assert fate(deleted) == ([house(3)["id"]], [house(3)["id"]])


def test_5_6_8_upsert_replaces_or_updates(broker):
    first = send(broker, "upsert", [house(1, a=prop(1)), house(2, a=prop(1))])
    assert (first.status_code, len(first.json())) == (201, 2)
    mixed = send(broker, "upsert", [house(1, b=prop(2)), house(3)])
    assert (mixed.status_code, mixed.json()) == (201, [house(3)["id"]])
    assert broker.entity(house(1)["id"]) == house(1, b=prop(2))
    updated = send(broker, "upsert", [house(2, b=prop(2))], "?options=update")
    assert (updated.status_code, updated.content) == (204, b"")
    assert broker.entity(house(2)["id"]) == house(2, a=prop(1), b=prop(2))
    bad = send(broker, "upsert", [house(4), {"id": "urn:x:y"}])
    assert fate(bad) == ([house(4)["id"]], ["urn:x:y"])


def test_5_6_9_update_appends_and_may_not_overwrite(broker):
    broker.make(house(1, a=prop(1)))
    done = send(broker, "update", [house(1, a=prop(2), b=prop(2)), house(2)])
    assert fate(done) == ([house(1)["id"]], [house(2)["id"]])
    assert broker.entity(house(1)["id"]) == house(1, a=prop(2), b=prop(2))
    kept = send(broker, "update", [house(1, a=prop(3), c=prop(3))], "?options=noOverwrite")
    assert fate(kept) == ([], [house(1)["id"]])
    assert broker.entity(house(1)["id"]) == house(1, a=prop(2), b=prop(2), c=prop(3))


def test_5_6_10_delete(broker):
    broker.make(house(1), house(2))
    partly = send(broker, "delete", [house(1)["id"], house(9)["id"], "nouri"])
    assert fate(partly) == ([house(1)["id"]], ["nouri", house(9)["id"]])
    assert send(broker, "delete", [house(2)["id"]], content_type="application/ld+json").is_success
    assert broker.get("/entities?local=true").json() == []


def test_5_6_20_merge(broker):
    broker.make(house(1, a=prop(1), b=prop({"x": 1, "y": 2})))
    done = send(broker, "merge", [house(1, a=NULL, b=prop({"y": 3}), c=prop(1))])
    assert (done.status_code, done.content) == (204, b"")
    assert broker.entity(house(1)["id"]) == house(1, b=prop({"x": 1, "y": 3}), c=prop(1))
    partly = send(broker, "merge", [house(1, c=prop(2)), house(5, c=prop(2))])
    assert fate(partly) == ([house(1)["id"]], [house(5)["id"]])


def test_each_item_has_its_own_context(broker):
    ld = "application/ld+json"
    items = [
        house(1, a=1) | {"@context": {"a": "https://example.org/one#a"}},
        house(2, a=1) | {"@context": {"a": "https://example.org/two#a"}},
    ]
    assert send(broker, "create", items, content_type=ld).status_code == 201
    assert "https://example.org/one#a" in broker.entity(house(1)["id"])
    assert "https://example.org/two#a" in broker.entity(house(2)["id"])
    without = send(broker, "create", [house(3)], content_type=ld)
    assert fate(without) == ([], [house(3)["id"]])


def test_a_batch_has_a_limit(broker):
    answer = send(broker, "create", [house(n) for n in range(1001)])
    assert answer.status_code == 413
