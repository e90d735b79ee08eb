"""Compiled contexts against PyLD, the reference for JSON-LD (GS CIM 009 V1.9.1 §4.4, §5.5.7)."""

from time import perf_counter
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyld import jsonld

from onsil.hub.contexts import (
    CORE,
    CORE_CONTEXT,
    DEFAULT_VOCABULARY,
    NGSI_LD,
    ContextError,
    Library,
    compile_context,
    library,
)
from onsil.hub.contexts.core import CORE_TERMS
from onsil.hub.documents import parse_entity, render

D = DEFAULT_VOCABULARY
URI = "urn:ngsi-ld:T:1"
VERSIONS = ["", "-v1.3", "-v1.6", "-v1.7", "-v1.8", "-v1.9"]


def load(url: str, _options: Any = None) -> dict[str, Any]:
    """PyLD's document loader, from what the library holds."""
    return {
        "contentType": "application/ld+json", "contextUrl": None, "documentUrl": url,
        "document": library.document(url),
    }  # fmt: skip


LOADED: Any = {"documentLoader": load}


def by_pyld(document: dict[str, Any], context: Any) -> dict[str, Any]:
    found: Any = jsonld.expand({**document, "@context": context}, LOADED)
    return found[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_annex_b_every_core_context_is_json_ld(version):
    url = f"{NGSI_LD}v1/ngsi-ld-core-context{version}.jsonld"
    found = by_pyld({"id": URI, "type": "T", "a": {"type": "Property", "value": 1}}, url)
    assert found["@type"] == [D + "T"]
    assert found[D + "a"][0][NGSI_LD + "hasValue"] == [{"@value": 1}]
    assert compile_context(url) is CORE


def test_annex_b_core_terms_expand_as_in_pyld():
    names = [n for n in CORE_TERMS if n not in ("ngsi-ld", "geojson", "ngsildproof")]
    for name in names:
        assert CORE.iri(name) == CORE_TERMS[name]
    found = by_pyld({"id": URI, "location": 1, "status": 2, "title": 3, "name": 4}, CORE_CONTEXT)
    assert set(found) - {"@id"} == {CORE.iri(n) for n in ("location", "status", "title", "name")}


def test_a_proof_is_json_ld_too():
    proof = {
        "type": "Property", "entityIdSealed": URI, "entityTypeSealed": "T",
        "value": {"type": "DataIntegrityProof", "proofValue": "z"},
    }  # fmt: skip
    found = by_pyld({"id": URI, "type": "T", "ngsildproof": proof}, CORE_CONTEXT)
    [sealed] = found[NGSI_LD + "ngsildproof"]
    assert sealed[NGSI_LD + "entityTypeSealed"] == [{"@id": D + "T"}]


NAMES = st.sampled_from(["a", "b", "temp", "Vehicle", "name", "Ünder_1", "location", "Property"])
PREFIXES = st.sampled_from(["ex", "other"])
BASES = st.sampled_from(["https://ex.org/", "https://ex.org/v#", "urn:ex:", "https://o.org/x/"])
IRIS = st.builds(lambda base, rest: base + rest, BASES, st.sampled_from(["a", "b", "long/er"]))


@st.composite
def local_contexts(draw):
    """A local context: prefixes, simple and detailed terms, perhaps a vocabulary."""
    made: dict[str, Any] = {}
    for prefix in draw(st.sets(PREFIXES)):
        made[prefix] = draw(BASES)
    if draw(st.booleans()):
        made["@vocab"] = draw(BASES)
    prefixes = [p for p in made if not p.startswith("@")]
    for name in draw(st.sets(NAMES)):
        targets = [IRIS]
        if prefixes:
            targets.append(st.sampled_from(prefixes).map(lambda p: p + ":thing"))
        if "@vocab" in made:
            targets.append(st.just("relative"))
        target = draw(st.one_of(targets))
        made[name] = draw(
            st.sampled_from(
                [target, {"@id": target}, {"@id": target, "@type": "@id"},
                 {"@id": target, "@type": "https://ex.org/double"}]
            )
        )  # fmt: skip
    return made


USED = st.one_of(NAMES, st.sampled_from(["unknown", "ex:thing", "other:x", "https://ex.org/a"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(local_contexts(), max_size=3), st.sets(USED, min_size=1, max_size=5), USED)
def test_5_5_7_names_expand_as_in_pyld(contexts, names, kind):
    compiled = compile_context(contexts)
    document = {"id": URI, "type": kind} | {
        name: {"type": "VocabProperty", "vocab": kind} for name in names if name != "location"
    }
    assume(len({compiled.iri(n) for n in document}) == len(document))  # no two names of one IRI
    expected = by_pyld(document, [*contexts, CORE_CONTEXT])
    found = parse_entity(document, compiled)
    assert found.types == expected["@type"]
    assert set(found.attrs) == {k for k in expected if not k.startswith("@")}
    for iri, [instance] in found.attrs.items():
        assert expected[iri][0][NGSI_LD + "hasVocab"] == [{"@id": instance["vocab"]}]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(local_contexts(), max_size=3), st.lists(local_contexts(), max_size=2),
    st.sets(USED, min_size=1, max_size=5),
)  # fmt: skip
def test_5_5_7_what_one_context_wrote_another_reads(writing, reading, names):
    """Compaction by any context, expanded again by PyLD, is the same entity."""
    document = {"id": URI, "type": "Vehicle"} | {n: {"vocab": n} for n in names if n != "location"}
    writer = compile_context(writing)
    assume(len({writer.iri(n) for n in document}) == len(document))
    stored = parse_entity(document, writer)
    # What has a prefix nobody defined is an IRI of that scheme; a reader's prefix may take it.
    assume(not any(iri.startswith(("ex:", "other:")) for iri in stored.attrs))
    shown = render(stored, compile_context(reading))
    expected = by_pyld(shown, [*reading, CORE_CONTEXT])
    assert expected["@type"] == stored.types
    assert set(stored.attrs) == {k for k in expected if not k.startswith("@")}
    assert parse_entity(shown, compile_context(reading)) == stored


@settings(max_examples=100, deadline=None)
@given(local_contexts(), st.sets(IRIS, min_size=1))
def test_5_5_7_compaction_agrees_with_pyld_on_simple_terms(context, iris):
    context = {k: v if isinstance(v, str) else v["@id"] for k, v in context.items()}
    context = {k: v for k, v in context.items() if k != "@vocab" and v != "relative"}
    compiled = compile_context([context])
    node = {"@id": URI, "@type": sorted(iris)}
    shown: Any = jsonld.compact(node, [context, CORE_CONTEXT], LOADED)
    expected = shown["type"] if isinstance(shown["type"], list) else [shown["type"]]
    assert [compiled.term(iri) for iri in sorted(iris)] == expected


def test_4_4_core_terms_hold_wherever_the_core_context_stands():
    own = {
        "location": "https://ex.org/location",
        "Property": "https://ex.org/P",
        "a": "https://e/a",
    }
    for source in ([own, CORE_CONTEXT], [CORE_CONTEXT, own], own):
        compiled = compile_context(source)
        assert compiled.iri("location") == NGSI_LD + "location"
        assert compiled.term("https://ex.org/location") == "https://ex.org/location"
        assert compiled.iri("a") == "https://e/a"


def test_4_4_keywords_are_not_moved_either():
    compiled = compile_context({"type": "https://e/kind", "id": "https://e/id", "x": "https://e/x"})
    document = parse_entity({"id": URI, "type": "T", "x": 1}, compiled)
    assert (document.uri, document.types) == (URI, [D + "T"])


def test_later_contexts_come_over_earlier_ones():
    compiled = compile_context([{"a": "https://e/1"}, [{"a": "https://e/2"}, None]])
    assert compiled.iri("a") == "https://e/2"
    assert compile_context([{"a": "https://e/1"}, {"a": None}]).iri("a") == D + "a"


def test_5_5_7_a_name_that_means_something_else_does_not_stand_for_the_default():
    compiled = compile_context({"name": "https://e/name"})
    assert compiled.term(D + "name") == D + "name"
    assert compiled.iri("ngsi-ld:default-context/name") == D + "name"


@pytest.mark.parametrize(
    "source",
    [
        42, True, [42], [[42]], {"a": 42}, {"a": [1]}, {"a": {"@id": 5}}, {"a": {"@reverse": "x"}},
        {"a": "b", "b": "a"}, {"a": "b:x", "b": "a:y"}, {"@vocab": 5}, {"@version": 1.0},
        {"@import": "https://e.org"}, {"": "https://e.org/"},
        {"a": {"@id": "https://e/a", "@context": {"b": "https://e/b"}}},
    ],
)  # fmt: skip
def test_5_5_4_what_is_no_context(source):
    with pytest.raises(ContextError) as caught:
        compile_context(source)
    assert not caught.value.unavailable


def test_nothing_unknown_is_fetched():
    for source in ("https://example.org/context.jsonld", ["https://example.org/context.jsonld"]):
        with pytest.raises(ContextError) as caught:
            compile_context(source)
        assert caught.value.unavailable
    with pytest.raises(ContextError):
        compile_context(f"{NGSI_LD}v1/ngsi-ld-core-context-vX.jsonld")


def test_limits_on_depth_size_and_references():
    deep: Any = {"a": "https://e/a"}
    for _ in range(20):
        deep = [deep]
    with pytest.raises(ContextError):
        compile_context(deep)
    with pytest.raises(ContextError):
        compile_context({f"t{i}": "https://e/" + "x" * 100 for i in range(10_000)})
    with pytest.raises(ContextError):
        compile_context([{f"t{j}_{i}": "e:1" for i in range(18_000)} for j in range(3)])
    chain = {f"t{i}": f"t{i + 1}" for i in range(5_000)}
    with pytest.raises(ContextError):
        compile_context(chain)
    held = Library()
    for i in range(50):
        held.add(f"https://e/{i}", {"@context": [f"https://e/{i + 1}"]})
    with pytest.raises(ContextError):
        held.compile("https://e/0")
    held.add("https://e/x", {"@context": ["https://e/y"]})
    held.add("https://e/y", {"@context": ["https://e/x"]})
    with pytest.raises(ContextError):
        held.compile("https://e/x")


def test_an_operators_folder_gives_urls_their_files(tmp_path):
    (tmp_path / "city.jsonld").write_text('{"@context": {"tree": "https://city.example/tree"}}')
    (tmp_path / "contexts.toml").write_text(
        '[contexts]\n"https://city.example/context" = "city.jsonld"\n'
    )
    held = Library()
    held.add_folder(tmp_path)
    assert held.compile(["https://city.example/context"]).iri("tree") == "https://city.example/tree"
    held.forget("https://city.example/context")
    assert held.knows("https://city.example/context")
    (tmp_path / "contexts.toml").write_text('[contexts]\n"https://e/x" = "gone.jsonld"\n')
    with pytest.raises(ContextError):
        held.add_folder(tmp_path)
    with pytest.raises(ContextError):
        held.add_folder(tmp_path / "nowhere")


def test_references_are_relative_to_their_document():
    held = Library()
    held.add("https://e/dir/a.jsonld", {"@context": ["b.jsonld", {"x": "https://e/x"}]})
    held.add("https://e/dir/b.jsonld", {"@context": {"y": "https://e/y"}})
    compiled = held.compile("https://e/dir/a.jsonld")
    assert (compiled.iri("x"), compiled.iri("y")) == ("https://e/x", "https://e/y")
    assert compiled.urls == ("https://e/dir/a.jsonld", "https://e/dir/b.jsonld")
    held.add("https://e/dir/b.jsonld", {"@context": {"y": "https://e/z"}})
    assert held.compile("https://e/dir/a.jsonld").iri("y") == "https://e/z"


def test_compiled_contexts_are_bounded_in_number_and_size():
    held = Library()
    for n in range(300):
        held.compile({"a": f"https://e/{n}"})
    assert len(held._compiled) <= 256
    for n in range(60):
        held.compile({f"t{n}_{i}": "e:1" for i in range(10_000)})
    assert sum(len(c.terms) for c in held._compiled.values()) <= 500_000
    context = held.compile({"a": "https://e/1"})
    for n in range(5_000):
        context.term(context.iri(f"name{n}"))
        context.iri("x" * 100_000 + str(n))
    assert len(context._iris) <= 2048


def test_a_compiled_context_is_found_within_microseconds():
    source = [{f"t{i}": f"https://e/{i}" for i in range(50)}, CORE_CONTEXT]
    compile_context(source)
    start = perf_counter()
    for _ in range(200):
        compile_context(source)
    assert (perf_counter() - start) / 200 < 100e-6
