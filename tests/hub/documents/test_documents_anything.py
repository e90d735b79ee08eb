"""Any JSON is read or refused, and what was read can be changed, written and read again."""

from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.hub.contexts import CORE
from onsil.hub.documents import (
    NULL,
    AttributeMissing,
    DocumentError,
    append,
    create,
    merge_entity,
    parse_entity,
    parse_fragment,
    parse_languages,
    parse_selection,
    render,
    render_feature,
    update,
    update_attribute,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
URI = "urn:ngsi-ld:T:1"
WORDS = [
    "id",
    "type",
    "@id",
    "@type",
    "@context",
    "scope",
    "value",
    "object",
    "languageMap",
    "vocab",
    "json",
    "valueList",
    "objectList",
    "unitCode",
    "observedAt",
    "datasetId",
    "expiresAt",
    "objectType",
    "valueType",
    "coordinates",
    "dataset",
    "a",
    "b",
    "location",
    "ngsildproof",
    "lang",
    "createdAt",
]
TEXTS = [
    "Property", "Relationship", "LanguageProperty", "GeoProperty", "VocabProperty", "JsonProperty",
    "ListProperty", "ListRelationship", "Point", "Polygon", NULL, "urn:x:1", "en", "@none", "@json",
    "2026-01-01T00:00:00Z", "text", "", "langString", "/a/b",
]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=14,
)
# Attributes that often are right, with members that often are not.
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(TEXTS[:8]),
        "value": ANYTHING,
        "object": st.just("urn:x:1") | ANYTHING,
        "languageMap": st.dictionaries(st.sampled_from(["en", "@none"]), st.sampled_from(TEXTS)),
        "vocab": st.sampled_from(TEXTS),
        "json": ANYTHING,
        "valueList": st.lists(ANYTHING, max_size=2),
        "observedAt": st.just("2026-01-01T00:00:00Z"),
        "unitCode": st.just("CEL") | ANYTHING,
        "datasetId": st.sampled_from(["urn:d:1", "@none", NULL]),
        "s": ANYTHING,
    },
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["a", "b", "location"]),
    NEARLY | ANYTHING | st.lists(NEARLY, max_size=2),
    max_size=3,
)


@settings(max_examples=300)
@given(ANYTHING)
def test_any_json_is_an_entity_or_refused(raw):
    for how in ({}, {"partial": True, "nulls": True}, {"partial": True, "merging": True}):
        with suppress(DocumentError):
            parse_entity(raw, CORE, **how)
    with suppress(DocumentError):
        parse_fragment("a", raw)


@settings(max_examples=300)
@given(ATTRIBUTES, ATTRIBUTES, st.booleans())
def test_what_is_read_can_be_changed_written_and_read_again(there, patch, simplified):
    try:
        old = create(
            parse_entity({"id": URI, "type": "T", **there}, simplified=simplified), T0
        ).document
    except DocumentError:
        old = create(
            parse_entity({"id": URI, "type": "T", "a": 1, "b": {"object": URI}}), T0
        ).document
    made = [old]
    with suppress(DocumentError):
        merging = parse_entity(patch, CORE, partial=True, merging=True, simplified=simplified)
        made.append(merge_entity(old, merging, T0, lang="en").document)
    with suppress(DocumentError):
        fragment = parse_entity(patch, CORE, partial=True, nulls=True)
        made += [update(old, fragment, T0).document, append(old, fragment, T0).document]
    for name, raw in patch.items():
        with suppress(DocumentError, AttributeMissing):
            made.append(update_attribute(old, *parse_fragment(name, raw), T0).document)
    for document in made:
        assert "bare" not in str(document.attrs)
        for representation in ("normalized", "concise", "simplified"):
            render(document, CORE, representation, languages=("en",), system=True)
        render_feature(document, CORE.iri("location"))
        assert parse_entity(render(document)).attrs.keys() == document.attrs.keys()


@given(st.text("ab,|{} id", max_size=20), st.text("en-;q=.,* 19", max_size=20))
def test_any_projection_and_language_is_read_or_refused(projection, languages):
    with suppress(DocumentError):
        parse_selection(projection, projection, CORE)
    with suppress(DocumentError):
        parse_languages(languages)
