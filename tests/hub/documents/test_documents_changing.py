"""What operations make of an entity (GS CIM 009 V1.9.1 §5.5.8, §5.5.12, §5.6)."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.hub.contexts import CORE, DEFAULT_VOCABULARY, NGSI_LD
from onsil.hub.documents import (
    NULL,
    AttributeMissing,
    DocumentError,
    append,
    create,
    delete_attribute,
    live,
    merge_entity,
    parse_attribute,
    parse_entity,
    parse_fragment,
    render,
    replace_attribute,
    replace_entity,
    update,
    update_attribute,
)

D = DEFAULT_VOCABULARY
A = D + "a"
URI = "urn:ngsi-ld:Vehicle:v1"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
T1 = T0 + timedelta(hours=1)
TEMPERATURE = {
    "type": "Property", "value": 25, "unitCode": "CEL", "observedAt": "2022-03-14T01:59:26.535Z",
}  # fmt: skip


def made(**attributes):
    return create(parse_entity({"id": URI, "type": "Vehicle", **attributes}), T0).document


def fragment(**attributes):
    return parse_entity(attributes, partial=True, nulls=True)


def patch(**attributes):
    return parse_entity(attributes, partial=True, merging=True)


def simple(document):
    return {
        k: v for k, v in render(document, CORE, "simplified").items() if k not in ("id", "type")
    }


def test_5_6_1_create_stamps_and_names_each_instance():
    done = create(
        parse_entity(
            {"id": URI, "type": "T", "a": [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]}
        ),
        T0,
    )
    assert done.attributes == {(A, ""): "created", (A, "urn:d:1"): "created"}
    assert done.document.created_at == done.document.modified_at == "2026-01-01T00:00:00Z"
    assert all(i["createdAt"] == i["modifiedAt"] == "2026-01-01T00:00:00Z"
               for i in done.document.attrs[A])  # fmt: skip


def test_5_6_3_append_overwrites_or_leaves():
    old = made(a=1, b=2)
    done = append(old, fragment(a=5, c=6), T1)
    assert simple(done.document) == {"a": 5, "b": 2, "c": 6}
    assert done.attributes == {(A, ""): "updated", (D + "c", ""): "created"}
    assert done.document.attrs[A][0]["createdAt"] == "2026-01-01T00:00:00Z"
    assert done.document.attrs[A][0]["modifiedAt"] == "2026-01-01T01:00:00Z"
    left = append(old, fragment(a=5, c=6), T1, overwrite=False)
    assert simple(left.document) == {"a": 1, "b": 2, "c": 6}
    assert left.not_updated == [A]
    assert left.attributes == {(D + "c", ""): "created"}


def test_5_6_3_append_adds_types_and_scopes():
    old = made(scope="/a")
    new = parse_entity({"type": ["Car", "Vehicle"], "scope": ["/b"]}, partial=True)
    assert append(old, new, T1).document.scopes == ["/b"]
    done = append(old, new, T1, overwrite=False).document
    assert done.scopes == ["/a", "/b"]
    assert done.types == [D + "Car", D + "Vehicle"]


def test_5_5_8_example_2_update_replaces_the_whole_attribute():
    done = update(made(a=TEMPERATURE), fragment(a={"type": "Property", "value": 100}), T1)
    [instance] = done.document.attrs[A]
    assert "unitCode" not in instance
    assert instance["value"] == 100


@pytest.mark.parametrize(
    "null", [NULL, {"value": NULL}, {"type": "Property", "value": NULL}, {"object": NULL},
             {"languageMap": {"@none": NULL}}, {"valueList": [NULL]}],
)  # fmt: skip
def test_5_5_8_example_3_null_removes_the_attribute(null):
    old = made(a=TEMPERATURE, b=1)
    for done in (update(old, fragment(a=null), T1), merge_entity(old, patch(a=null), T1)):
        assert simple(done.document) == {"b": 1}
        assert done.attributes == {(A, ""): "deleted"}


def test_5_5_8_null_removes_only_its_dataset():
    old = made(a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}])
    done = update(old, fragment(a={"value": NULL, "datasetId": "urn:d:1"}), T1)
    assert simple(done.document) == {"a": 1}
    assert done.attributes == {(A, "urn:d:1"): "deleted"}
    assert update(old, fragment(zzz=NULL), T1).attributes == {}


def test_5_6_2_update_adds_what_is_not_there_and_takes_scope_only_over_one():
    done = update(made(a=1), fragment(b=2, scope="/x"), T1)
    assert simple(done.document) == {"a": 1, "b": 2}
    assert update(made(scope="/a"), fragment(scope="/x"), T1).document.scopes == ["/x"]
    assert update(made(scope="/a"), fragment(scope=NULL), T1).document.scopes == []


def test_5_5_8_example_1_partial_update_keeps_what_is_not_named():
    new = {"type": "Property", "value": 100, "observedAt": "2022-03-14T13:00:00.000Z"}
    done = update_attribute(made(a=TEMPERATURE), *parse_fragment("a", new), T1)
    [instance] = done.document.attrs[A]
    assert instance["unitCode"] == "CEL"
    assert instance["value"] == 100
    assert instance["observedAt"] == "2022-03-14T13:00:00.000Z"
    assert done.attributes == {(A, ""): "updated"}


def test_5_6_4_partial_update_removes_members_and_sub_attributes():
    old = made(a={"value": 1, "unitCode": "CEL", "s": 1, "t": {"value": 2, "u": 3}})
    done = update_attribute(old, *parse_fragment("a", {"unitCode": NULL, "s": NULL, "v": 4}), T1)
    assert render(done.document)["a"] == {
        "type": "Property", "value": 1,
        "t": {"type": "Property", "value": 2, "u": {"type": "Property", "value": 3}},
        "v": {"type": "Property", "value": 4},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("there", "bad"),
    [(1, {"object": "urn:x:1"}), (1, {"type": "Relationship", "object": "urn:x:1"}),
     ({"object": "urn:x:1"}, {"value": 1}),
     ({"type": "Point", "coordinates": [1, 2]}, {"value": 5})],
)  # fmt: skip
def test_5_6_4_partial_update_changes_no_kind(there, bad):
    with pytest.raises(DocumentError):
        update_attribute(made(a=there), *parse_fragment("a", bad), T1)


@pytest.mark.parametrize(
    ("there", "null"),
    [(1, {"type": "Property", "value": NULL}), ({"object": "urn:x:1"}, {"object": NULL}),
     ({"type": "Point", "coordinates": [1, 2]}, {"type": "GeoProperty", "value": NULL}),
     ({"languageMap": {"en": "x"}}, {"languageMap": {"@none": NULL}})],
)  # fmt: skip
def test_5_6_4_a_null_value_removes_the_instance(there, null):
    done = update_attribute(made(a=there, b=1), *parse_fragment("a", null), T1)
    assert done.attributes == {(A, ""): "deleted"}
    assert simple(done.document) == {"b": 1}


def test_5_6_4_partial_update_needs_the_instance():
    old = made(a={"value": 1, "datasetId": "urn:d:1"})
    for bad in ({"value": 2}, {"value": 2, "datasetId": "urn:d:2"}):
        with pytest.raises(AttributeMissing):
            update_attribute(old, *parse_fragment("a", bad), T1)
    done = update_attribute(old, *parse_fragment("a", {"value": 2, "datasetId": "urn:d:1"}), T1)
    assert done.attributes == {(A, "urn:d:1"): "updated"}


def test_5_6_19_replace_attribute_replaces_only_its_instance():
    old = made(a=[TEMPERATURE, {"value": 2, "datasetId": "urn:d:1"}])
    done = replace_attribute(old, *parse_attribute("a", {"value": 7}), T1)
    assert [i["value"] for i in done.document.attrs[A]] == [7, 2]
    assert "unitCode" not in done.document.attrs[A][0]
    assert done.document.attrs[A][0]["createdAt"] == "2026-01-01T00:00:00Z"
    with pytest.raises(AttributeMissing):
        replace_attribute(old, *parse_attribute("b", 1), T1)


def test_5_6_18_replace_entity_keeps_when_it_was_created():
    old = made(a=1, b=2, scope="/x", expiresAt="2030-01-01T00:00:00Z")
    new = parse_entity({"id": URI, "type": "Car", "a": 5, "c": 6})
    done = replace_entity(old, new, T1)
    assert simple(done.document) == {"a": 5, "c": 6}
    assert done.document.types == [D + "Car"]
    assert (done.document.scopes, done.document.expires_at) == ([], None)
    assert done.document.created_at == "2026-01-01T00:00:00Z"
    assert done.document.modified_at == "2026-01-01T01:00:00Z"
    assert done.attributes == {
        (A, ""): "updated", (D + "b", ""): "deleted", (D + "c", ""): "created"
    }  # fmt: skip


def test_5_5_12_example_1_merge_keeps_the_unit():
    new = {"type": "Property", "value": 100, "observedAt": "2022-03-14T13:00:00.000Z"}
    [instance] = merge_entity(made(a=TEMPERATURE), patch(a=new), T1).document.attrs[A]
    assert (instance["value"], instance["unitCode"]) == (100, "CEL")


def test_5_5_12_example_2_merge_goes_into_values():
    old = made(
        a={"value": {"street": "Straße des 17. Juni", "city": "Berlin", "country": "Germany"}}
    )
    new = {"type": "Property", "value": {"street": "Pariser Platz", "country": NULL}}
    done = merge_entity(old, patch(a=new), T1)
    assert simple(done.document) == {"a": {"street": "Pariser Platz", "city": "Berlin"}}


def test_5_5_12_merge_goes_into_languages_and_json_and_sub_attributes():
    old = made(
        l={"languageMap": {"en": "yes", "fr": "oui"}, "s": {"value": {"x": 1, "y": 2}, "t": 1}},
        j={"json": {"a": {"b": 1, "c": 2}}},
    )
    done = merge_entity(
        old,
        patch(
            l={"languageMap": {"fr": NULL, "de": "ja"}, "s": {"value": {"x": NULL}, "u": 5}},
            j={"json": {"a": {"b": NULL, "d": [1]}}},
        ),
        T1,
    )
    shown = render(done.document, CORE, "concise")
    assert shown["l"] == {
        "languageMap": {"en": "yes", "de": "ja"}, "s": {"value": {"y": 2}, "t": 1, "u": 5}
    }  # fmt: skip
    assert shown["j"] == {"json": {"a": {"c": 2, "d": [1]}}}


def test_5_6_17_the_last_language_takes_the_attribute_with_it():
    done = merge_entity(
        made(l={"languageMap": {"en": "x"}}), patch(l={"languageMap": {"en": NULL}}), T1
    )
    assert done.attributes == {(D + "l", ""): "deleted"}


def test_5_6_17_a_plain_value_keeps_the_kind_it_comes_upon():
    old = made(
        r={"object": "urn:x:1"}, l={"languageMap": {"en": "yes", "fr": "oui"}},
        v={"valueList": [1, 2]}, o={"objectList": ["urn:x:1"]}, p=1,
    )  # fmt: skip
    new = patch(r="urn:x:2", l="no", v=[3], o=["urn:x:3"], p={"value": 2})
    shown = render(merge_entity(old, new, T1, lang="en").document, CORE, "concise")
    assert shown["r"] == {"object": "urn:x:2"}
    assert shown["l"] == {"languageMap": {"en": "no", "fr": "oui"}}
    assert shown["v"] == {"valueList": [3]}
    assert shown["o"] == {"objectList": ["urn:x:3"]}
    assert shown["p"] == 2


def test_5_6_17_a_common_time_for_what_had_one():
    old = made(a=TEMPERATURE, b=1, c=TEMPERATURE)
    new = patch(a={"value": 1}, b=2, c={"value": 3, "observedAt": "2025-01-01T00:00:00Z"}, d=4)
    done = merge_entity(old, new, T1, observed_at="2026-05-05T05:05:05Z").document
    assert done.attrs[A][0]["observedAt"] == "2026-05-05T05:05:05Z"
    assert "observedAt" not in done.attrs[D + "b"][0]
    assert done.attrs[D + "c"][0]["observedAt"] == "2025-01-01T00:00:00Z"
    assert "observedAt" not in done.attrs[D + "d"][0]


def test_5_6_17_merge_adds_types_takes_scope_and_expiry():
    old = made(a=1, scope="/a")
    new = parse_entity(
        {"id": URI, "type": "Car", "scope": ["/b"], "expiresAt": "2030-01-01T00:00:00Z"},
        partial=True, merging=True,
    )  # fmt: skip
    done = merge_entity(old, new, T1).document
    assert done.types == [D + "Car", D + "Vehicle"]
    assert done.scopes == ["/b"]
    assert done.expires_at == "2030-01-01T00:00:00Z"
    durable = merge_entity(done, patch(expiresAt=NULL, scope=NULL), T1).document
    assert (durable.scopes, durable.expires_at) == ([], None)


def test_5_6_17_a_new_attribute_needs_a_value_and_stores_no_null():
    with pytest.raises(DocumentError):
        merge_entity(made(a=1), patch(b={"unitCode": "CEL"}), T1)
    done = merge_entity(made(), patch(b={"value": {"x": 1, "y": NULL}, "s": NULL}), T1)
    assert simple(done.document) == {"b": {"x": 1}}
    assert NULL not in str(done.document)
    assert "bare" not in str(merge_entity(made(), patch(b=5), T1).document)


def test_5_6_5_delete_default_dataset_or_all():
    old = made(a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}], scope="/x")
    assert simple(delete_attribute(old, A, T1).document) == {"a": 2, "scope": "/x"}
    done = delete_attribute(old, A, T1, dataset_id="urn:d:1")
    assert done.attributes == {(A, "urn:d:1"): "deleted"}
    done = delete_attribute(old, A, T1, every=True)
    assert done.attributes == {(A, ""): "deleted", (A, "urn:d:1"): "deleted"}
    assert delete_attribute(old, NGSI_LD + "scope", T1).document.scopes == []
    hows: list[tuple[str, dict[str, Any]]] = [
        (D + "b", {}), (A, {"dataset_id": "urn:d:9"}), (D + "b", {"every": True})
    ]  # fmt: skip
    for iri, how in hows:
        with pytest.raises(AttributeMissing):
            delete_attribute(old, iri, T1, **how)
    with pytest.raises(AttributeMissing):
        delete_attribute(made(a={"value": 1, "datasetId": "urn:d:1"}), A, T1)


def test_4_22_expired_instances_are_not_there():
    old = made(a={"value": 1, "expiresAt": "2026-01-01T00:30:00Z"}, b=2)
    assert simple(live(old, T1)) == {"b": 2}
    assert live(old, T0) is old


VALUES = st.recursive(
    st.one_of(st.integers(-9, 9), st.text("xyz", max_size=3), st.booleans()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqr"), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(["a", "b", "c"])
DATASETS = st.sampled_from([None, "urn:d:1", "urn:d:2"])


@st.composite
def attributes(draw):
    """Attributes with some instances of different datasetIds."""
    found = {}
    for name in draw(st.sets(NAMES)):
        datasets = draw(st.sets(DATASETS, min_size=1))
        found[name] = [
            {"type": "Property", "value": draw(VALUES)} | ({"datasetId": d} if d else {})
            for d in datasets
        ]
    return found


@given(attributes(), attributes(), st.sampled_from([append, update, merge_entity, replace_entity]))
def test_changes_are_pure_and_tell_what_they_did(there, new, operation):
    old = made(**there)
    before = deepcopy(old)
    done = operation(old, parse_entity({"id": URI, "type": "T", **new}), T1)
    assert old == before
    keys = {(iri, i.get("datasetId", "")) for iri, found in old.attrs.items() for i in found}
    after = {
        (iri, i.get("datasetId", "")) for iri, found in done.document.attrs.items() for i in found
    }
    assert {k for k, v in done.attributes.items() if v == "created"} == after - keys
    assert {k for k, v in done.attributes.items() if v == "deleted"} == keys - after
    assert {k for k, v in done.attributes.items() if v == "updated"} <= keys & after


@given(attributes(), attributes())
def test_merging_twice_is_merging_once(there, new):
    change = parse_entity(new, partial=True, merging=True)
    once = merge_entity(made(**there), change, T1).document
    assert merge_entity(once, change, T1).document == once


@given(attributes())
def test_merging_into_nothing_is_creating(new):
    change = parse_entity(new, partial=True, merging=True)
    assert simple(merge_entity(made(), change, T1).document) == simple(made(**new))


@given(VALUES, VALUES)
def test_merged_values_are_json_merge_patches(old, new):
    """RFC 7396, for patches without null."""

    def expected(there, change):
        if not isinstance(change, dict):
            return change
        there = dict(there) if isinstance(there, dict) else {}
        return {**there, **{k: expected(there.get(k), v) for k, v in change.items()}}

    done = merge_entity(made(a={"value": old}), patch(a={"value": new}), T1)
    assert done.document.attrs[A][0]["value"] == expected(old, new)


@pytest.mark.parametrize("said", [{"unitCode": "CEL"}, {"valueType": "Boolean"}])
def test_5_5_12_a_fragment_says_nothing_that_the_kind_does_not_have(said):
    there = made(a={"object": "urn:ngsi-ld:Vehicle:v2"})
    with pytest.raises(DocumentError, match=f"no such {next(iter(said))}"):
        merge_entity(there, patch(a=said), T1)


def test_5_5_12_what_belongs_to_a_kind_goes_with_it():
    there = made(a={"value": 1, "unitCode": "CEL"})
    relationship = patch(a={"type": "Relationship", "object": URI})
    [instance] = merge_entity(there, relationship, T1).document.attrs[A]
    assert (instance["type"], instance["object"]) == ("Relationship", URI)
    assert "unitCode" not in instance
