"""Reading entities and attributes (GS CIM 009 V1.9.1 §4.5 to §4.8, §5.5.4)."""

import pytest

from onsil.hub.contexts import CORE, DEFAULT_VOCABULARY, NGSI_LD, compile_context
from onsil.hub.documents import NULL, DocumentError, parse_entity, parse_fragment, render

URI = "urn:ngsi-ld:Vehicle:v1"
D = DEFAULT_VOCABULARY


def entity(**attributes):
    return {"id": URI, "type": "Vehicle", **attributes}


def read(attribute, **how):
    """One attribute's instances."""
    return parse_entity(entity(a=attribute), **how).attrs[D + "a"]


@pytest.mark.parametrize(
    ("raw", "kind", "key", "inside"),
    [
        ({"type": "Property", "value": 5}, "Property", "value", 5),
        ({"value": 5}, "Property", "value", 5),
        (5, "Property", "value", 5),
        ("text", "Property", "value", "text"),
        (False, "Property", "value", False),
        ([1, "two"], "Property", "value", [1, "two"]),
        ({"street": "x"}, "Property", "value", {"street": "x"}),
        ({"type": "PostalAddress", "street": "x"}, "Property", "value",
         {"type": "PostalAddress", "street": "x"}),
        ({"type": "Relationship", "object": "urn:x:1"}, "Relationship", "object", "urn:x:1"),
        ({"object": ["urn:x:1", "urn:x:2"]}, "Relationship", "object", ["urn:x:1", "urn:x:2"]),
        ({"languageMap": {"en": "hi", "fr-CH": ["a", "b"], "@none": "x"}}, "LanguageProperty",
         "languageMap", {"en": "hi", "fr-CH": ["a", "b"], "@none": "x"}),
        ({"vocab": "Male"}, "VocabProperty", "vocab", D + "Male"),
        ({"vocab": ["a", "b"]}, "VocabProperty", "vocab", [D + "a", D + "b"]),
        ({"json": {"id": 1, "value": None}}, "JsonProperty", "json", {"id": 1, "value": None}),
        ({"json": [{"a": 1}]}, "JsonProperty", "json", [{"a": 1}]),
        ({"valueList": [1, [2, 3]]}, "ListProperty", "valueList", [1, [2, 3]]),
        ({"objectList": ["urn:x:1", {"object": "urn:x:2"}]}, "ListRelationship", "objectList",
         ["urn:x:1", "urn:x:2"]),
        ({"type": "Point", "coordinates": [1, 2]}, "GeoProperty", "value",
         {"type": "Point", "coordinates": [1, 2]}),
        ({"value": {"type": "Point", "coordinates": [1, 2]}}, "GeoProperty", "value",
         {"type": "Point", "coordinates": [1, 2]}),
        ({"type": "GeoProperty", "value": '{"type": "Point", "coordinates": [1, 2]}'},
         "GeoProperty", "value", {"type": "Point", "coordinates": [1, 2]}),
    ],
)  # fmt: skip
def test_4_5_every_kind_is_told_by_its_members(raw, kind, key, inside):
    [instance] = read(raw)
    assert instance == {"type": kind, key: inside}


def test_4_5_2_members_and_sub_attributes_to_any_depth():
    [instance] = read(
        {
            "type": "Property",
            "value": 1,
            "unitCode": "CEL",
            "observedAt": "2026-01-01T00:00:00Z",
            "datasetId": "urn:d:1",
            "expiresAt": "2030-01-01T00:00:00.5Z",
            "valueType": "xsd:double",
            "createdAt": "ignored",
            "instanceId": "urn:i:1",
            "accuracy": {"value": 0.1, "by": {"object": "urn:x:1"}},
        }
    )
    assert instance["unitCode"] == "CEL"
    assert instance["datasetId"] == "urn:d:1"
    assert instance["expiresAt"] == "2030-01-01T00:00:00.5Z"
    assert instance["valueType"] == "xsd:double"
    assert "createdAt" not in instance
    [accuracy] = instance["attrs"][D + "accuracy"]
    assert accuracy["attrs"][D + "by"] == [{"type": "Relationship", "object": "urn:x:1"}]


@pytest.mark.parametrize(
    "extra",
    [
        {"object": "urn:x:1"}, {"languageMap": {"en": "x"}}, {"json": {}}, {"vocab": "x"},
        {"valueList": [1]}, {"objectList": ["urn:x:1"]}, {"previousValue": 1}, {"entity": {}},
        {"entityList": []}, {"entityIdSealed": "x"}, {"entityTypeSealed": "x"},
        {"objectType": "X"}, {"@context": {}}, {"datasetId": "no uri"}, {"datasetId": NULL},
        {"observedAt": "yesterday"}, {"observedAt": "2026-01-01T00:00:00+09:00"},
        {"observedAt": "2026-01-01"}, {"observedAt": {"value": "2026-01-01T00:00:00Z"}},
        {"observedAt": "2026-13-01T00:00:00Z"}, {"unitCode": 5}, {"unitCode": ""},
        {"expiresAt": "never"}, {"valueType": 5}, {"sub": None}, {"sub": {"value": NULL}},
        {"my sub": 1}, {"observedAt": "2026-01-01T00:00:00.1234567Z"},
    ],
)  # fmt: skip
def test_4_5_2_2_what_a_property_never_has(extra):
    with pytest.raises(DocumentError):
        read({"type": "Property", "value": 1, **extra})


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "Property"}, {"type": "Relationship"}, {"type": "LanguageProperty"},
        {"type": "Property", "value": None}, None, NULL, {"value": NULL}, {"object": NULL},
        {"languageMap": {"@none": NULL}}, {"valueList": [NULL]}, {"objectList": [NULL]},
        {"vocab": NULL}, {"value": {"deep": {"er": NULL}}}, {"value": [None]},
        {"object": "not a uri"}, {"object": []}, {"object": 5}, {"object": {"id": "x"}},
        {"type": "Relationship", "object": "urn:x:1", "unitCode": "CEL"},
        {"type": "Relationship", "object": "urn:x:1", "value": 5},
        {"type": "Relationship", "object": "urn:x:1", "valueType": "x"},
        {"type": "Relationship", "object": "urn:x:1", "previousObject": "urn:x:0"},
        {"languageMap": {}}, {"languageMap": {"en": 5}}, {"languageMap": {"en": ["a", 5]}},
        {"languageMap": {"": "x"}}, {"languageMap": "x"}, {"languageMap": {"en": []}},
        {"languageMap": {"en": "x"}, "unitCode": "CEL"},
        {"languageMap": {"en": "x"}, "valueType": "xsd:string"},
        {"vocab": 5}, {"vocab": []}, {"vocab": "x", "unitCode": "CEL"},
        {"json": 5}, {"json": "x"}, {"json": {}, "value": 1}, {"json": {}, "unitCode": "MTR"},
        {"valueList": 5}, {"valueList": [1], "value": 3},
        {"objectList": ["not a uri"]}, {"objectList": "urn:x:1"},
        {"type": "Foo", "value": 5}, {"type": ["Property"], "value": 5},
        {"type": "GeoProperty", "value": 5}, {"type": "GeoProperty", "value": "not a geometry"},
        [{"value": 1}, {"value": 2}],
        [{"value": 1}, {"value": 2, "datasetId": "@none"}],
        [{"value": 1, "datasetId": "urn:d:1"}, {"value": 2, "datasetId": "urn:d:1"}],
        {"value": "nul\0"}, {"value": {"k\0": 1}}, {"json": {"a": "\0"}},
    ],
)  # fmt: skip
def test_5_5_4_what_is_bad_request_data(raw):
    with pytest.raises(DocumentError):
        read(raw)


@pytest.mark.parametrize(
    "name",
    [
        "my attr",
        "9a",
        "a-b",
        "a.b",
        "",
        "_a",
        "a(b)",
        "<a>",
        "datasetId",
        "instanceId",
        "observedAt",
        "unitCode",
        "value",
        "object",
        "languageMap",
        "previousValue",
        "@value",
        "a" * 5000,
    ],
)
def test_4_6_2_what_names_no_attribute(name):
    with pytest.raises(DocumentError):
        parse_entity(entity(**{name: {"type": "Property", "value": 1}}))


@pytest.mark.parametrize(
    "name", ["výška_1", "온도", "a1", "ex:name", "https://example.org/a#b-c", "urn:x:y", "status"]
)
def test_4_6_2_names_of_any_letters_prefixed_or_whole(name):
    document = parse_entity(entity(**{name: 7}))
    assert render(document, CORE, "simplified")[name] == 7


@pytest.mark.parametrize(
    "kind", ["9Vehicle", "a b", "", [], None, 5, [5], ["ok", "not ok"], "type", "id"]
)
def test_4_6_2_what_is_no_type(kind):
    with pytest.raises(DocumentError):
        parse_entity({"id": URI, "type": kind})


@pytest.mark.parametrize(
    "code",
    [0x202E, 0x200B, 0xFEFF, 0x2028, 0xA0, 0x3C, 0xFE0F, 0xE0100, 0xFDD0, 0xFFFE, 0x115F, 0x3164,
     0xFFA0, 0x2800, 0x20, 0x0, 0x7F, 0x5E],
)  # fmt: skip
def test_4_5_1_an_id_has_no_blank_or_invisible_character(code):
    with pytest.raises(DocumentError):
        parse_entity({"id": f"urn:ngsi-ld:Vehicle:A{chr(code)}B", "type": "Vehicle"})


@pytest.mark.parametrize("uri", ["", "vehicle", "1:2", "urn:", NULL, 5, None, "urn:" + "x" * 3000])
def test_4_5_1_what_is_no_entity_id(uri):
    with pytest.raises(DocumentError):
        parse_entity({"id": uri, "type": "Vehicle"})


def test_4_5_1_an_iri_is_an_id_too():
    assert parse_entity({"id": "urn:ngsi-ld:Ciudad:París", "type": "T"}).uri.endswith("París")


def test_4_4_keywords_may_stand_for_id_and_type():
    document = parse_entity({"@id": URI, "@type": "Vehicle"})
    assert (document.uri, document.types) == (URI, [D + "Vehicle"])
    own = compile_context({"identifier": "@id", "kind": "@type"})
    assert parse_entity({"identifier": URI, "kind": "Vehicle"}, own) == document


@pytest.mark.parametrize("scope", ["/a", "a", "/Madrid/Gardens/ParqueNorte", ["/a", "/b_1"]])
def test_4_18_scopes(scope):
    wanted = [scope] if isinstance(scope, str) else scope
    assert parse_entity(entity(scope=scope)).scopes == wanted


@pytest.mark.parametrize(
    "scope", ["9bad", "/a//b", "a-b", NULL, ["/ok", "9bad"], "", "/", 5, "/a/"]
)
def test_4_18_what_is_no_scope(scope):
    with pytest.raises(DocumentError):
        parse_entity(entity(scope=scope))


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Point", [1.5, 2]), ("Point", [1, 2, 3]), ("MultiPoint", [[1, 2]]),
        ("LineString", [[1, 2], [3, 4]]), ("MultiLineString", [[[1, 2], [3, 4]]]),
        ("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 0]]]),
        ("MultiPolygon", [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]),
    ],
)  # fmt: skip
def test_4_7_1_geometries(kind, coordinates):
    geometry = {"type": kind, "coordinates": coordinates}
    document = parse_entity(entity(location={"type": "GeoProperty", "value": geometry}))
    assert document.attrs[NGSI_LD + "location"] == [{"type": "GeoProperty", "value": geometry}]


@pytest.mark.parametrize(
    "value",
    [
        {"type": "GeometryCollection", "geometries": []}, {"type": "Point"}, {"type": "Circle"},
        {"type": "Point", "coordinates": []}, {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": ["1", "2"]}, {"type": "Point", "coordinates": [True, 2]},
        {"type": "Point", "coordinates": [181, 0]}, {"type": "Point", "coordinates": [0, 91]},
        {"type": "LineString", "coordinates": [[1, 2]]}, {"type": "MultiPoint", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
        {"type": ["Point"], "coordinates": [1, 2]}, 7, None, [],
    ],
)  # fmt: skip
def test_4_7_1_what_is_no_geometry(value):
    for raw in ({"type": "GeoProperty", "value": value}, {"type": "Property", "value": 7}):
        with pytest.raises(DocumentError):
            parse_entity(entity(location=raw))


def test_4_5_2_2_a_proof_keeps_what_it_seals():
    own = compile_context({"Vehicle": "https://example.org/Vehicle"})
    proof = {
        "type": "Property", "entityIdSealed": URI, "entityTypeSealed": "Vehicle",
        "value": {"type": "DataIntegrityProof", "proofValue": "z"},
    }  # fmt: skip
    document = parse_entity(entity(ngsildproof=proof), own)
    assert render(document, own)["ngsildproof"] == proof
    for bad in ({"value": "text"}, {"entityTypeSealed": 42}, {"type": "Relationship"}):
        with pytest.raises(DocumentError):
            parse_entity(entity(ngsildproof=proof | bad), own)


def test_4_5_5_none_is_the_default_instance():
    instances = read([{"value": 1, "datasetId": "@none"}, {"value": 2, "datasetId": "urn:d:1"}])
    assert [i.get("datasetId") for i in instances] == [None, "urn:d:1"]


def test_4_5_4_the_simplified_dataset_form_is_read_back():
    instances = read({"dataset": {"@none": 5, "urn:d:1": 6}})
    assert instances == [
        {"type": "Property", "value": 5}, {"type": "Property", "value": 6, "datasetId": "urn:d:1"}
    ]  # fmt: skip


def test_4_5_4_simplified_values_look_like_anything():
    [instance] = read({"value": 12, "currency": "EUR"}, simplified=True)
    assert instance["value"] == {"value": 12, "currency": "EUR"}


def test_4_6_3_a_comma_parts_seconds_too_and_comes_back_as_a_point():
    [instance] = read({"value": 1, "observedAt": "2026-01-01T00:00:00,500Z"})
    assert instance["observedAt"] == "2026-01-01T00:00:00.500Z"


def test_limits_on_depth():
    deep: object = 1
    for _ in range(50):
        deep = [deep]
    with pytest.raises(DocumentError):
        read({"value": deep})
    nested: dict = {"value": 1}
    for _ in range(12):
        nested = {"value": 1, "sub": nested}
    with pytest.raises(DocumentError):
        read(nested)


def test_5_6_4_fragments_may_lack_type_and_value():
    assert parse_fragment("a", {"unitCode": "CEL"})[1] == [{"unitCode": "CEL"}]
    assert parse_fragment("a", {"value": 5})[1] == [{"type": "Property", "value": 5}]
    assert parse_fragment("a", {"sub": NULL})[1][0]["attrs"][D + "sub"][0]["value"] == NULL
    for bad in ({}, {"datasetId": "urn:d:1"}, {"datasetId": NULL}, {"value": {"x": NULL}}, None):
        with pytest.raises(DocumentError):
            parse_fragment("a", bad)
    with pytest.raises(DocumentError):
        parse_fragment("scope", {"value": "/a"})
