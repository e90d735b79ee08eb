"""Writing entities: every representation (GS CIM 009 V1.9.1 §4.5, §4.15, §4.21)."""

from datetime import UTC, datetime
from time import perf_counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.hub.contexts import CORE, DEFAULT_VOCABULARY, NGSI_LD, compile_context
from onsil.hub.documents import (
    NULL,
    DocumentError,
    Representation,
    create,
    feature_collection,
    parse_entity,
    parse_languages,
    parse_selection,
    render,
    render_feature,
    render_instances,
)

D = DEFAULT_VOCABULARY
URI = "urn:ngsi-ld:Vehicle:v1"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
POINT = {"type": "Point", "coordinates": [1.0, 2.0]}
EVERY = {
    "p": {
        "type": "Property",
        "value": 5,
        "unitCode": "CEL",
        "observedAt": "2026-01-01T00:00:00.000Z",
    },
    "plain": {"type": "Property", "value": "x"},
    "struct": {"type": "Property", "value": {"a": 1}},
    "structs": {"type": "Property", "value": [{"value": 1}]},
    "place": {"type": "GeoProperty", "value": POINT},
    "r": {"type": "Relationship", "object": "urn:x:1", "objectType": "Thing"},
    "rs": {"type": "Relationship", "object": ["urn:x:1", "urn:x:2"]},
    "l": {"type": "LanguageProperty", "languageMap": {"en": "hi", "fr": "salut"}},
    "v": {"type": "VocabProperty", "vocab": "non-commercial"},
    "vs": {"type": "VocabProperty", "vocab": ["a", "b"]},
    "j": {"type": "JsonProperty", "json": {"speed": 3, "type": "raw"}},
    "li": {"type": "ListProperty", "valueList": [1.2, 3.4]},
    "route": {
        "type": "ListRelationship",
        "objectList": [{"object": "urn:x:1"}, {"object": "urn:x:2"}],
    },
    "many": [
        {"type": "Property", "value": 55},
        {"type": "Property", "value": 11, "datasetId": "urn:d:gps"},
    ],
    "deep": {
        "type": "Property",
        "value": 1,
        "s": {"type": "Property", "value": 2, "t": {"type": "Relationship", "object": "urn:x:3"}},
    },
}


def made(**attributes):
    return create(parse_entity({"id": URI, "type": "Vehicle", **attributes}), T0).document


def shown(document, representation: Representation = "normalized", context=CORE, **how):
    found = render(document, context, representation, **how)
    return {k: v for k, v in found.items() if k not in ("id", "type")}


def test_4_5_1_normalized_is_what_was_sent():
    assert shown(made(**EVERY)) == EVERY


def test_4_5_concise():
    assert shown(made(**EVERY), "concise") == {
        "p": {"value": 5, "unitCode": "CEL", "observedAt": "2026-01-01T00:00:00.000Z"},
        "plain": "x",
        "struct": {"value": {"a": 1}},
        "structs": {"value": [{"value": 1}]},
        "place": POINT,
        "r": {"object": "urn:x:1", "objectType": "Thing"},
        "rs": {"object": ["urn:x:1", "urn:x:2"]},
        "l": {"languageMap": {"en": "hi", "fr": "salut"}},
        "v": {"vocab": "non-commercial"},
        "vs": {"vocab": ["a", "b"]},
        "j": {"json": {"speed": 3, "type": "raw"}},
        "li": {"valueList": [1.2, 3.4]},
        "route": {"objectList": ["urn:x:1", "urn:x:2"]},
        "many": [{"value": 55}, {"value": 11, "datasetId": "urn:d:gps"}],
        "deep": {"value": 1, "s": {"value": 2, "t": {"object": "urn:x:3"}}},
    }


def test_4_5_4_simplified():
    assert shown(made(**EVERY), "simplified") == {
        "p": 5, "plain": "x", "struct": {"a": 1}, "structs": [{"value": 1}], "place": POINT,
        "r": "urn:x:1", "rs": ["urn:x:1", "urn:x:2"],
        "l": {"languageMap": {"en": "hi", "fr": "salut"}}, "v": {"vocab": "non-commercial"},
        "vs": {"vocab": ["a", "b"]}, "j": {"json": {"speed": 3, "type": "raw"}},
        "li": [1.2, 3.4], "route": ["urn:x:1", "urn:x:2"],
        "many": {"dataset": {"@none": 55, "urn:d:gps": 11}}, "deep": 1,
    }  # fmt: skip


def test_types_and_scopes_are_texts_or_lists():
    document = parse_entity({"id": URI, "type": ["B", "A"], "scope": ["/a"]})
    assert render(document) == {"id": URI, "type": ["A", "B"], "scope": "/a"}
    document.scopes = ["/a", "/b"]
    assert render(document)["scope"] == ["/a", "/b"]


def test_5_5_7_names_are_those_of_the_answers_context():
    own = compile_context({"Vehicle": "https://e.org/Vehicle", "speed": "https://e.org/speed"})
    document = parse_entity({"id": URI, "type": "Vehicle", "speed": {"vocab": "Vehicle"}}, own)
    assert render(document, own, "simplified")["speed"] == {"vocab": "Vehicle"}
    plain = render(document, CORE, "simplified")
    assert plain["type"] == "https://e.org/Vehicle"
    assert plain["https://e.org/speed"] == {"vocab": "https://e.org/Vehicle"}


def test_6_3_11_system_attributes():
    document = made(a={"value": 1, "expiresAt": "2030-01-01T00:00:00Z"},
                    expiresAt="2031-01-01T00:00:00Z")  # fmt: skip
    assert "expiresAt" not in str(render(document))
    assert "createdAt" not in str(render(document))
    found = render(document, system=True)
    assert found["expiresAt"] == "2031-01-01T00:00:00Z"
    assert found["createdAt"] == found["modifiedAt"] == "2026-01-01T00:00:00Z"
    assert found["a"]["createdAt"] == "2026-01-01T00:00:00Z"
    assert found["a"]["expiresAt"] == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("fr;q=0.2,nl;q=0.9", "nl"), ("FR", "fr"), ("nl-BE", "nl"), ("en", "en-US"), ("*", "@none"),
        ("pt", "@none"), ("fr-CH,fr;q=0.9,en;q=0.8,*;q=0.5", "fr"), ("pt,*;q=0.1", "@none"),
        ("en-US", "en-US"), ("fr;q=0,nl;q=0.1", "nl"),
    ],
)  # fmt: skip
def test_4_15_the_best_language_becomes_a_property(asked, tag):
    tags = {"fr": "Grand Place", "nl": "Grote Markt", "en-US": "Main Square", "@none": "place"}
    document = made(street={"languageMap": tags, "s": 1})
    languages = parse_languages(asked)
    assert shown(document, languages=languages)["street"] == {
        "type": "Property", "value": tags[tag], "lang": tag, "s": {"type": "Property", "value": 1}
    }  # fmt: skip
    assert shown(document, "simplified", languages=languages)["street"] == tags[tag]
    assert shown(document, "concise", languages=languages)["street"] == {
        "value": tags[tag], "lang": tag, "s": 1
    }  # fmt: skip


def test_4_15_without_a_match_any_language_serves():
    document = made(street={"languageMap": {"fr": "x"}})
    assert shown(document, languages=parse_languages("pt"))["street"]["lang"] == "fr"
    with pytest.raises(DocumentError):
        parse_languages("en;q=high")


def test_4_5_16_geojson():
    document = made(
        location=[{"type": "GeoProperty", "value": {"type": "Point", "coordinates": [9, 9]},
                   "datasetId": "urn:d:gps"}, {"value": POINT}],
        speed=5,
    )  # fmt: skip
    feature = render_feature(document, NGSI_LD + "location")
    assert feature["id"] == URI
    assert feature["type"] == "Feature"
    assert feature["geometry"] == POINT
    assert feature["properties"]["type"] == "Vehicle"
    assert "id" not in feature["properties"]
    assert feature["properties"]["speed"] == {"type": "Property", "value": 5}
    other = render_feature(document, NGSI_LD + "location", dataset_id="urn:d:gps")
    assert other["geometry"]["coordinates"] == [9, 9]
    for name in ("speed", "nothing"):
        assert render_feature(document, D + name)["geometry"] is None
    assert feature_collection([feature]) == {"type": "FeatureCollection", "features": [feature]}


def test_4_5_17_simplified_geojson():
    feature = render_feature(made(**EVERY), D + "place", CORE, "simplified")
    assert feature["geometry"] == feature["properties"]["place"] == POINT
    assert feature["properties"]["many"] == {"dataset": {"@none": 55, "urn:d:gps": 11}}


def test_4_5_5_only_instances_of_the_datasets_asked_for():
    document = made(**EVERY)
    assert shown(document, "simplified", datasets=frozenset({"urn:d:gps"})) == {"many": 11}
    assert shown(document, "simplified", datasets=frozenset({"@none"}))["many"] == 55


@pytest.mark.parametrize(
    ("pick", "omit", "keys"),
    [
        ("a", None, {"a"}),
        ("id,a|b", None, {"id", "a", "b"}),
        (None, "type,a", {"id", "b", "scope"}),
        ("id,type", None, {"id", "type"}),
        ("a,b", "b", {"a"}),
        ("id, scope", None, {"id", "scope"}),
        ("r{id,name}", None, set()),
        (None, "a{x}", {"id", "type", "scope", "a", "b"}),
        ("zzz", None, set()),
        (None, "id", {"type", "scope", "a", "b"}),
    ],
)
def test_4_21_pick_and_omit(pick, omit, keys):
    document = made(a=1, b=2, scope="/x")
    assert set(render(document, selection=parse_selection(pick, omit, CORE))) == keys


def test_4_21_braces_are_for_linked_entities():
    selection = parse_selection("id,r{id,name,in{id}}", "r{type}", CORE)
    assert selection.linked
    assert selection.attrs == {D + "r"}
    inner = selection.inner(D + "r")
    assert set(inner.pick or ()) == {"id", D + "name", D + "in"}
    assert not inner.shows("type")
    assert set(inner.inner(D + "in").pick or ()) == {"id"}
    assert not parse_selection("id,type", None, CORE).linked
    assert parse_selection("id,type", None, CORE).attrs is None


@pytest.mark.parametrize(
    "text", ["", "a||b", "a,", ",a", "a{", "a{}", "a}", "a{b", "a{b}}", "a b", "a{b}c", "9a", "{a}"]
)
def test_4_21_what_is_no_projection(text):
    for pick, omit in ((text, None), (None, text)):
        with pytest.raises(DocumentError):
            parse_selection(pick, omit, CORE)


def test_5_2_14_1_show_changes():
    before = made(a=1, l={"languageMap": {"en": "x"}}, o={"objectList": ["urn:x:1"]}, same=1)
    after = made(a=2, l={"languageMap": {"en": "y"}}, o={"objectList": ["urn:x:2"]}, same=1, new=1)
    found = shown(after, before=before)
    assert found["a"] == {"type": "Property", "value": 2, "previousValue": 1}
    assert found["l"]["previousLanguageMap"] == {"en": "x"}
    assert found["o"]["previousObjectList"] == [{"object": "urn:x:1"}]
    assert "previousValue" not in found["same"]
    assert "previousValue" not in found["new"]
    assert shown(after, "concise", before=before)["a"] == {"value": 2, "previousValue": 1}


def test_4_5_0_deleted_attributes_are_nulls_of_their_kind():
    def one(kind, key, representation: Representation = "normalized"):
        return render_instances([{"type": kind, key: NULL}], CORE, representation)

    assert one("Property", "value") == {"type": "Property", "value": NULL}
    assert one("LanguageProperty", "languageMap")["languageMap"] == {"@none": NULL}
    assert one("ListProperty", "valueList")["valueList"] == [NULL]
    assert one("ListRelationship", "objectList")["objectList"] == [NULL]
    assert one("VocabProperty", "vocab")["vocab"] == NULL
    assert one("Property", "value", "concise") == NULL


SCALARS = st.one_of(
    st.integers(-99, 99), st.text(max_size=5).filter(lambda t: "\0" not in t), st.booleans()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["value", "type", "x", "object"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
URIS = st.sampled_from(["urn:x:1", "urn:x:2", "https://e.org/3"])
KINDS = st.one_of(
    st.builds(lambda v: {"type": "Property", "value": v}, VALUES),
    st.builds(lambda o: {"type": "Relationship", "object": o}, URIS | st.lists(URIS, min_size=1)),
    st.builds(
        lambda m: {"type": "LanguageProperty", "languageMap": m},
        st.dictionaries(
            st.sampled_from(["en", "fr-CH", "@none"]), st.text("ab", max_size=3), min_size=1
        ),
    ),
    st.builds(
        lambda v: {"type": "VocabProperty", "vocab": v}, st.sampled_from(["a", "b-c", ["x", "y"]])
    ),
    st.builds(
        lambda v: {"type": "JsonProperty", "json": v}, st.dictionaries(st.text("ab"), VALUES)
    ),
    st.builds(lambda v: {"type": "ListProperty", "valueList": v}, st.lists(VALUES, max_size=3)),
    st.builds(
        lambda v: {"type": "ListRelationship", "objectList": [{"object": u} for u in v]},
        st.lists(URIS, max_size=3),
    ),
    st.just({"type": "GeoProperty", "value": POINT}),
)
ATTRIBUTES = st.recursive(
    KINDS,
    lambda inner: st.builds(
        lambda a, s: {**a, **s}, KINDS, st.dictionaries(st.sampled_from(["s", "t"]), inner)
    ),
    max_leaves=4,
)


SEVERAL = st.lists(ATTRIBUTES, min_size=2, max_size=3).map(
    lambda found: [a if n == 0 else {**a, "datasetId": f"urn:d:{n}"} for n, a in enumerate(found)]
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), ATTRIBUTES | SEVERAL))
def test_normalized_and_concise_are_read_back_as_they_were(attributes):
    document = parse_entity({"id": URI, "type": "T", **attributes})
    assert shown(document) == attributes
    for representation in get_args(Representation)[:2]:
        assert parse_entity(render(document, CORE, representation)) == document


def test_an_entity_of_ten_attributes_is_written_within_30_us():
    document = made(**{f"a{i}": {"value": i, "unitCode": "KWH"} for i in range(10)})
    fastest = min(_seconds(document) for _ in range(30))
    assert fastest / 100 < 30e-6 * 4, "four times the aim, for a busy machine"


def _seconds(document):
    start = perf_counter()
    for _ in range(100):
        render(document)
    return perf_counter() - start
