"""Entities for clients of earlier versions: GS CIM 009 V1.9.1 §4.3.6.8, §6.3.6."""

import pytest

from onsil.hub.documents.conforming import conform

URI = "urn:ngsi-ld:Building:1"
ENTITY = {
    "id": URI,
    "type": ["Building", "Tower"],
    "scope": "/A",
    "kind": {"type": "VocabProperty", "vocab": "commercial"},
    "label": {"type": "LanguageProperty", "languageMap": {"en": "tower"}},
    "raw": {"type": "JsonProperty", "json": {"type": "VocabProperty", "vocab": 1}},
    "sizes": {"type": "ListProperty", "valueList": [1, 2]},
    "near": {"type": "ListRelationship", "objectList": [{"object": "urn:x:1"}]},
    "owner": {"type": "Relationship", "object": "urn:x:2", "objectType": "Person"},
    "height": [
        {"type": "Property", "value": 1, "datasetId": "urn:x:d"},
        {"type": "Property", "value": 2, "unitCode": "MTR", "valueType": "xsd:double",
         "by": {"type": "VocabProperty", "vocab": "hand"}},
    ],
}  # fmt: skip


@pytest.fixture
def building(broker):
    broker.make(ENTITY)
    return broker


@pytest.mark.parametrize("path", [f"/entities/{URI}", "/entities?type=Building"])
def test_what_a_version_did_not_know_is_told_as_before(building, path):
    answer = building.get(path, Prefer="ngsi-ld=1.5")
    assert answer.status_code == 203
    assert answer.headers["Preference-Applied"] == "ngsi-ld=1.5"
    body = answer.json()
    entity = body[0] if isinstance(body, list) else body
    assert entity["kind"] == {"type": "Property", "value": "commercial"}
    assert entity["label"] == ENTITY["label"]
    assert entity["raw"] == {"type": "Property", "value": ENTITY["raw"]["json"]}
    assert entity["sizes"] == {"type": "Property", "value": [1, 2]}
    assert entity["near"] == {"type": "Relationship", "object": ["urn:x:1"]}
    assert entity["owner"] == {"type": "Relationship", "object": "urn:x:2"}
    assert "valueType" not in str(entity["height"])


@pytest.mark.parametrize("version", ["1.9", "2.0", "nonsense"])
def test_what_conforms_is_left_alone(building, version):
    answer = building.get(f"/entities/{URI}", Prefer=f"ngsi-ld={version}")
    assert answer.status_code == 200
    assert answer.json() == building.entity(URI)


def test_the_first_version_knew_one_type_and_one_instance():
    made, altered = conform(ENTITY, (1, 0))
    assert altered
    assert made["type"] == "Building"
    assert "scope" not in made
    assert made["height"] == {"type": "Property", "value": 2,
                              "by": {"type": "Property", "value": "hand"}}  # fmt: skip
    assert made["label"] == {"type": "Property", "value": {"en": "tower"}}


def test_simplified_forms_and_features_are_amended_too():
    simple = {"id": URI, "type": "B", "kind": {"vocab": "x"}, "raw": {"json": {"a": 1}}}
    made, altered = conform(simple, (1, 7))
    assert altered
    assert made == {"id": URI, "type": "B", "kind": "x", "raw": {"a": 1}}
    feature = {"id": URI, "type": "Feature", "geometry": None, "properties": simple}
    found, _ = conform({"type": "FeatureCollection", "features": [feature]}, (1, 7))
    assert found["features"][0]["properties"]["kind"] == "x"
