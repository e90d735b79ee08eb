"""Types and attributes in use, clause by clause (GS CIM 009 V1.9.1 §5.7.5-5.7.10)."""

import pytest

from temporal_door import broker, problem

VOCABULARY = "https://uri.etsi.org/ngsi-ld/default-context/"


@pytest.fixture
def door(fresh_database):
    with broker(fresh_database) as made:
        for entity in (
            {"id": "urn:ngsi-ld:Building:1", "type": "Building",
             "almostFull": {"type": "Property", "value": False},
             "locatedIn": {"type": "Relationship", "object": "urn:x:1"}},
            {"id": "urn:ngsi-ld:Building:2", "type": "Building",
             "almostFull": {"type": "Property", "value": True},
             "locatedIn": {"type": "Property", "value": "there"}},
            {"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle",
             "brandName": {"type": "Property", "value": "x"},
             "almostFull": {"type": "Property", "value": True}},
            {"id": "urn:ngsi-ld:Empty:1", "type": "Empty"},
        ):  # fmt: skip
            assert made.call("POST", "/entities", entity).status_code == 201
        yield made


def test_5_7_5_entity_type_list(door):
    body = door.get("/types").json()
    assert body["type"] == "EntityTypeList"
    assert body["id"].startswith("urn:ngsi-ld:EntityTypeList:")
    assert body["typeList"] == ["Building", "Empty", "Vehicle"]


def test_5_7_6_entity_types_in_detail(door):
    body = door.get("/types", details="true").json()
    assert body[0] == {
        "id": VOCABULARY + "Building", "type": "EntityType", "typeName": "Building",
        "attributeNames": ["almostFull", "locatedIn"],
    }  # fmt: skip
    assert [one["attributeNames"] for one in body[1:]] == [[], ["almostFull", "brandName"]]


def test_5_7_7_entity_type_information(door):
    body = door.get("/types/Building").json()
    assert body == {
        "id": VOCABULARY + "Building", "type": "EntityTypeInfo", "typeName": "Building",
        "entityCount": 2,
        "attributeDetails": [
            {"id": VOCABULARY + "almostFull", "type": "Attribute", "attributeName": "almostFull",
             "attributeTypes": ["Property"]},
            {"id": VOCABULARY + "locatedIn", "type": "Attribute", "attributeName": "locatedIn",
             "attributeTypes": ["Property", "Relationship"]},
        ],
    }  # fmt: skip
    assert problem(door.get("/types/Nothing")) == (404, "ResourceNotFound")


def test_5_7_8_attribute_list(door):
    body = door.get("/attributes").json()
    assert body["type"] == "AttributeList"
    assert body["attributeList"] == ["almostFull", "brandName", "locatedIn"]


def test_5_7_9_attributes_in_detail(door):
    body = door.get("/attributes", details="true").json()
    assert body[0] == {
        "id": VOCABULARY + "almostFull", "type": "Attribute", "attributeName": "almostFull",
        "typeNames": ["Building", "Vehicle"],
    }  # fmt: skip


def test_5_7_10_attribute_information(door):
    body = door.get("/attributes/almostFull").json()
    assert body == {
        "id": VOCABULARY + "almostFull", "type": "Attribute", "attributeName": "almostFull",
        "attributeTypes": ["Property"], "typeNames": ["Building", "Vehicle"], "attributeCount": 3,
    }  # fmt: skip
    for name in ("noSuch", "id", "type", "scope", "createdAt", "modifiedAt"):
        assert problem(door.get(f"/attributes/{name}")) == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    "path", ["/types/Building?details=true", "/attributes?limit=5",
             "/attributes/almostFull?details=true", "/types?limit=5"],
)  # fmt: skip
def test_6_3_20_parameters_of_other_operations(door, path):
    assert problem(door.get(path)) == (400, "InvalidRequest")


def test_5_7_11_a_deleted_entity_leaves_no_trace(door):
    assert door.call("DELETE", "/entities/urn:ngsi-ld:Empty:1").status_code == 204
    assert door.get("/types").json()["typeList"] == ["Building", "Vehicle"]
