"""What goes in and comes out, clause by clause (GS CIM 009 V1.9.1 §4, §5.5, Annex C)."""

import uuid

import pytest
from starlette.testclient import TestClient

from onsil.hub.contexts import DEFAULT_VOCABULARY, NGSI_LD
from onsil.hub.http.app import make_app

API = "/ngsi-ld/v1"
SUITE = (
    "https://forge.etsi.org/rep/cim/ngsi-ld-test-suite/-/raw/develop/resources/jsonld-contexts/"
    "ngsi-ld-test-suite-compound.jsonld"
)
LINK = {
    "Link": f'<{SUITE}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
}
LD = {"Content-Type": "application/ld+json"}
NULL = "urn:ngsi-ld:null"
POINT = {"type": "Point", "coordinates": [1.0, 2.0]}


@pytest.fixture(scope="module")
def database(postgres):
    name = f"t_{uuid.uuid4().hex[:16]}"
    yield postgres.create_database(name, "onsil_template")
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def hub(database):
    with TestClient(make_app(database, open_writing=True)) as client:
        yield client


@pytest.fixture
def uri():
    return f"urn:ngsi-ld:Vehicle:{uuid.uuid4().hex}"


def create(hub, uri, context=SUITE, **attributes):
    body = {"id": uri, "type": "Vehicle", **attributes, "@context": [context]}
    return hub.post(f"{API}/entities", json=body, headers=LD)


def get(hub, uri, params=None, **headers):
    return hub.get(f"{API}/entities/{uri}", params=params, headers={**LINK, **headers})


def shown(hub, uri, params=None, **headers):
    answer = get(hub, uri, params, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer, kind="BadRequestData"):
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == f"{NGSI_LD}errors/{kind}"
    assert answer.json()["title"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"speed": {"type": "Property"}},
        {"speed": {"type": "Property", "value": None}},
        {"speed": {"type": "Property", "value": 1, "object": "urn:x:1"}},
        {"speed": {"type": "Property", "value": 1, "previousValue": 0}},
        {"speed": {"type": "Property", "value": 1, "entityIdSealed": "x"}},
        {"isParked": {"type": "Relationship", "object": "urn:x:1", "unitCode": "MTR"}},
        {"isParked": {"type": "Relationship"}},
        {"l": {"type": "LanguageProperty"}},
        {"l": {"type": "LanguageProperty", "languageMap": {"en": 5}}},
        {"l": {"type": "LanguageProperty", "languageMap": {"@none": NULL}}},
        {"j": {"type": "JsonProperty", "json": 5}},
        {"li": {"valueList": [1], "value": 3}},
        {"route": {"type": "ListRelationship", "objectList": ["not a uri"]}},
        {"location": {"type": "Property", "value": 7}},
        {"location": {"type": "GeoProperty", "value": "not a geometry"}},
        {
            "location": {
                "type": "GeoProperty",
                "value": {"type": "GeometryCollection", "geometries": []},
            }
        },
        {"my attr": {"type": "Property", "value": 1}},
        {"datasetId": {"type": "Property", "value": 1}},
        {"observedAt": {"type": "Property", "value": "2026-01-01T00:00:00Z"}},
        {"speed": {"type": "Property", "value": 1, "@context": {"speed": "https://e/s"}}},
        {"speed": {"type": "Property", "value": 3, "observedAt": "2026-08-10T12:00:00+02:00"}},
        {"speed": [{"value": 55}, {"value": 11, "datasetId": "@none"}]},
        {"address": {"type": "Property", "value": {"geo": {"country": NULL}}}},
        {"scope": NULL},
        {"scope": "/a//b"},
        {"speed": NULL},
        {"ngsildproof": {"type": "Property", "value": "not-a-proof-object"}},
    ],
)
def test_5_5_4_bad_data_is_refused_and_nothing_created(hub, uri, attributes):
    refused(create(hub, uri, **attributes))
    assert get(hub, uri).status_code == 404


@pytest.mark.parametrize("kind", ["9Vehicle", "type", "a b"])
def test_4_6_2_bad_types_are_refused(hub, uri, kind):
    refused(hub.post(f"{API}/entities", json={"id": uri, "type": kind}))


def test_5_5_7_a_scoped_context_is_refused(hub, uri):
    inner = {"speed": "https://example.org/hidden"}
    own = {"Vehicle": {"@id": "https://example.org/Vehicle", "@context": inner}}
    refused(create(hub, uri, own))


def test_5_5_7_names_are_those_of_each_request(hub, uri):
    assert create(hub, uri).status_code == 201
    assert (
        hub.get(f"{API}/entities/{uri}").json()["type"]
        == "https://ngsi-ld-test-suite/context#Vehicle"
    )
    query = {"type": "Vehicle", "id": uri}
    assert [e["id"] for e in hub.get(f"{API}/entities", params=query, headers=LINK).json()] == [uri]
    assert hub.get(f"{API}/entities", params=query).json() == []


def test_5_5_5_without_a_context_the_core_one_holds(hub, uri):
    body = {"id": uri, "type": "Vehicle", "temperature": {"type": "Property", "value": 21},
            "location": {"type": "GeoProperty", "value": POINT}}  # fmt: skip
    assert hub.post(f"{API}/entities", json=body).status_code == 201
    answer = hub.get(f"{API}/entities/{uri}", headers={"Accept": "application/ld+json"})
    assert "ngsi-ld-core-context" in str(answer.json()["@context"])
    assert answer.json()["temperature"]["value"] == 21
    assert answer.json()["location"]["type"] == "GeoProperty"
    assert "default-context" not in answer.text


def test_4_4_keywords_in_and_core_terms_unmoved(hub, uri):
    body = {"@id": uri, "@type": "Vehicle", "speed": {"type": "Property", "value": 42},
            "@context": [{"Property": "https://evil.example/Property"}, SUITE]}  # fmt: skip
    assert hub.post(f"{API}/entities", json=body, headers=LD).status_code == 201
    found = shown(hub, uri)
    assert found["id"] == uri
    assert "@id" not in found
    assert found["speed"]["type"] == "Property"


def test_4_5_2_3_concise_goes_in_and_normalized_comes_out(hub, uri):
    created = create(
        hub, uri, speed=55, location=POINT, area={"value": POINT},
        brandName={"value": "Volvo", "observedAt": "2026-01-01T00:00:00Z"},
        isParked={"object": "urn:ngsi-ld:OffStreetParking:1"},
    )  # fmt: skip
    assert created.status_code == 201
    found = shown(hub, uri)
    kinds = {name: a["type"] for name, a in found.items() if isinstance(a, dict)}
    assert kinds == {
        "speed": "Property", "location": "GeoProperty", "area": "GeoProperty",
        "brandName": "Property", "isParked": "Relationship",
    }  # fmt: skip
    assert found["brandName"]["observedAt"] == "2026-01-01T00:00:00Z"
    concise = shown(hub, uri, {"options": "concise"})
    assert concise["speed"] == 55
    assert concise["location"] == POINT


EVERY = {
    "speed": [
        {"type": "Property", "value": 55},
        {"type": "Property", "value": 11, "datasetId": "urn:ngsi-ld:Dataset:gps"},
    ],
    "brandName": {"type": "LanguageProperty", "languageMap": {"en": "hi", "sk": ["a", "b"]}},
    "street": {"type": "JsonProperty", "json": {"a": 1, "speed": 3, "type": "raw"}},
    "category": {"type": "VocabProperty", "vocab": "non-commercial"},
    "tyreTreadDepths": {"type": "ListProperty", "valueList": [1.2, 3.4]},
    "isParked": {"type": "Relationship", "object": "urn:ngsi-ld:OffStreetParking:1"},
    "route": {
        "type": "ListRelationship",
        "objectList": [{"object": "urn:r:1"}, {"object": "urn:r:2"}],
    },
    "note": {"type": "Property", "value": "<script>alert('x')</script> \"q\" = ; ( ) žltý €"},
}


def test_4_5_every_kind_comes_back_as_it_went_in(hub, uri):
    assert create(hub, uri, **EVERY).status_code == 201
    found = shown(hub, uri)
    assert {k: v for k, v in found.items() if k not in ("id", "type")} == EVERY


def test_4_5_4_simplified(hub, uri):
    create(hub, uri, **EVERY)
    found = shown(hub, uri, {"options": "keyValues"})
    assert found["speed"] == {"dataset": {"@none": 55, "urn:ngsi-ld:Dataset:gps": 11}}
    assert found["brandName"] == {"languageMap": {"en": "hi", "sk": ["a", "b"]}}
    assert found["street"] == {"json": {"a": 1, "speed": 3, "type": "raw"}}
    assert found["category"] == {"vocab": "non-commercial"}
    assert found["tyreTreadDepths"] == [1.2, 3.4]
    assert found["isParked"] == "urn:ngsi-ld:OffStreetParking:1"
    assert found["route"] == ["urn:r:1", "urn:r:2"]


def test_4_5_16_and_4_5_17_geojson(hub, uri):
    places = [{"type": "GeoProperty", "value": {"type": "Point", "coordinates": [9.0, 9.0]},
               "datasetId": "urn:d:gps"}, {"type": "GeoProperty", "value": POINT}]  # fmt: skip
    create(hub, uri, location=places, speed={"value": 5})
    geo = {"Accept": "application/geo+json"}
    feature = shown(hub, uri, **geo)
    assert (feature["type"], feature["id"], feature["geometry"]) == ("Feature", uri, POINT)
    assert feature["properties"]["type"] == "Vehicle"
    assert "id" not in feature["properties"]
    assert shown(hub, uri, {"geometryProperty": "speed"}, **geo)["geometry"] is None
    simple = shown(hub, uri, {"options": "keyValues"}, **geo)
    assert simple["properties"]["speed"] == 5
    assert set(simple["properties"]["location"]["dataset"]) == {"@none", "urn:d:gps"}
    found = hub.get(
        f"{API}/entities", params={"type": "Vehicle", "id": uri}, headers={**LINK, **geo}
    )
    assert found.json()["type"] == "FeatureCollection"
    assert [f["type"] for f in found.json()["features"]] == ["Feature"]
    refused(get(hub, uri, {"geometryProperty": "location"}))


@pytest.mark.parametrize(
    ("lang", "tag"), [("fr;q=0.2,nl;q=0.9", "nl"), ("FR", "fr"), ("nl-BE", "nl"), ("*", "fr")]
)
def test_4_15_languages(hub, uri, lang, tag):
    tags = {"fr": "Grand Place", "nl": "Grote Markt"}
    create(hub, uri, street={"type": "LanguageProperty", "languageMap": tags})
    expected = {"type": "Property", "value": tags[tag], "lang": tag}
    assert shown(hub, uri, {"lang": lang})["street"] == expected


def test_4_21_pick_and_omit(hub, uri):
    create(hub, uri, speed={"value": 1}, brandName={"value": "x"}, fuelLevel={"value": 2})
    comma = shown(hub, uri, {"pick": "id,speed,brandName"})
    assert set(comma) == {"id", "speed", "brandName"}
    assert shown(hub, uri, {"pick": "id|speed|brandName"}) == comma
    assert set(shown(hub, uri, {"omit": "type,speed"})) == {"id", "brandName", "fuelLevel"}
    refused(get(hub, uri, {"pick": "speed||brandName"}))
    refused(get(hub, uri, {"pick": "owner{name}"}))


def test_6_3_11_system_attributes_only_when_asked(hub, uri):
    create(hub, uri, speed={"value": 1, "expiresAt": "2100-01-01T00:00:00Z"},
           expiresAt="2100-01-01T00:00:00Z")  # fmt: skip
    assert "At" not in get(hub, uri).text.replace("@", "")
    found = shown(hub, uri, {"options": "sysAttrs"})
    for one in (found, found["speed"]):
        assert one["createdAt"]
        assert one["modifiedAt"]
        assert one["expiresAt"] == "2100-01-01T00:00:00Z"


TEMPERATURE = {
    "type": "Property", "value": 25, "unitCode": "CEL", "observedAt": "2022-03-14T01:59:26.535Z",
}  # fmt: skip
LATER = {"type": "Property", "value": 100, "observedAt": "2022-03-14T13:00:00.000Z"}


def test_5_5_8_partial_update_and_update_attributes(hub, uri):
    create(hub, uri, temperature=TEMPERATURE)
    one = f"{API}/entities/{uri}/attrs"
    assert hub.patch(f"{one}/temperature", json=LATER).status_code == 204
    assert shown(hub, uri)["temperature"] == {**TEMPERATURE, **LATER}
    refused(hub.patch(f"{one}/temperature", json={"datasetId": NULL}))
    refused(hub.patch(f"{one}/temperature", json={"object": "urn:x:1"}))
    refused(hub.patch(f"{one}/temperature", json={}))
    refused(hub.patch(f"{one}/scope", json={"value": "/a"}))
    assert hub.patch(one, json={"temperature": LATER}).status_code == 204
    assert "unitCode" not in shown(hub, uri)["temperature"]
    extra = {**LATER, "datasetId": "urn:ngsi-ld:Dataset:extra"}
    assert hub.patch(one, json={"temperature": extra}).status_code == 204
    assert len(shown(hub, uri)["temperature"]) == 2
    assert (
        hub.patch(one, json={"temperature": {"type": "Property", "value": NULL}}).status_code == 204
    )
    assert shown(hub, uri)["temperature"] == extra
    assert hub.patch(f"{one}/temperature", json={"value": 1}).status_code == 404


def test_5_5_12_merge_goes_into_values(hub, uri):
    create(hub, uri, address={"value": {"street": "Straße des 17. Juni", "city": "Berlin", "x": 1}},
           street={"languageMap": {"en": "a", "fr": "b"}}, speed=TEMPERATURE)  # fmt: skip
    merge = {
        "address": {"type": "Property", "value": {"street": "Pariser Platz", "x": NULL}},
        "street": {"type": "LanguageProperty", "languageMap": {"fr": NULL, "de": "c"}},
        "speed": {"type": "Property", "value": 1}, "@context": [SUITE],
    }  # fmt: skip
    assert hub.patch(f"{API}/entities/{uri}", json=merge, headers=LD).status_code == 204
    answer = get(hub, uri)
    assert answer.json()["address"]["value"] == {"street": "Pariser Platz", "city": "Berlin"}
    assert answer.json()["street"]["languageMap"] == {"en": "a", "de": "c"}
    assert answer.json()["speed"] == {**TEMPERATURE, "value": 1}
    assert NULL not in answer.text
    partial = {"value": {"city": NULL}, "@context": [SUITE]}
    refused(hub.patch(f"{API}/entities/{uri}/attrs/address", json=partial, headers=LD))


def test_5_6_17_merging_simplified_with_a_language_and_a_time(hub, uri):
    create(hub, uri, isParked={"object": "urn:p:1"}, street={"languageMap": {"en": "a", "fr": "b"}},
           speed=TEMPERATURE)  # fmt: skip
    answer = hub.patch(
        f"{API}/entities/{uri}",
        params={"options": "keyValues", "lang": "en", "observedAt": "2026-05-05T05:05:05Z"},
        json={"isParked": "urn:p:2", "street": "z", "speed": 7, "@context": SUITE}, headers=LD,
    )  # fmt: skip
    assert answer.status_code == 204
    found = shown(hub, uri)
    assert found["isParked"] == {"type": "Relationship", "object": "urn:p:2"}
    assert found["street"]["languageMap"] == {"en": "z", "fr": "b"}
    assert found["speed"] == {**TEMPERATURE, "value": 7, "observedAt": "2026-05-05T05:05:05Z"}


def test_4_5_2_2_a_proof_keeps_its_sealed_type_short(hub, uri):
    proof = {"type": "Property", "entityIdSealed": uri, "entityTypeSealed": "Vehicle",
             "value": {"type": "DataIntegrityProof", "proofValue": "zQeV"}}  # fmt: skip
    assert create(hub, uri, ngsildproof=proof).status_code == 201
    assert shown(hub, uri)["ngsildproof"] == proof


def test_4_6_2_and_4_6_1_names_and_values_in_any_script(hub, uri):
    body = {"id": uri, "type": "Škola", "výška_1": {"type": "Property", "value": "나무 — 100 €"}}
    assert hub.post(f"{API}/entities", json=body).status_code == 201
    assert hub.get(f"{API}/entities/{uri}").json() == body
    assert DEFAULT_VOCABULARY not in hub.get(f"{API}/entities/{uri}").text
