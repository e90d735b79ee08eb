"""What PostgreSQL finds is what evaluating each document says: random documents, random queries."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onsil import hub
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.finding import count, find
from onsil.hub.query.geo import WORLD  # noqa: F401  (the package as a whole imports)
from onsil.hub.query.matching import matches
from onsil.hub.query.q import Comparison, Junction, Link, Path, Span, parse_q
from onsil.hub.steps import run

CITY = "pyeongtaek"
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = ["a", "b", "c"]
TEXTS = ["x", "y", "xy", "true", "5", "2025-01-01T00:00:00Z", "2025-01-01T09:00:00+09:00", "é",
         "2025-06-01", "10:30:00", ""]  # fmt: skip
NUMBERS = [0, 1, -1, 5, 5.5, 1e10]
URIS = ["urn:ngsi-ld:T:pyeongtaek:0", "urn:ngsi-ld:T:pyeongtaek:1", "urn:x:gone"]
INSTANTS = [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)]

scalars = st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.booleans()
structured = st.fixed_dictionaries({}, optional={"m": scalars, "n": st.lists(scalars, max_size=2),
                                                 "en": st.sampled_from(TEXTS)})  # fmt: skip
values = scalars | st.lists(scalars, min_size=1, max_size=3) | structured.filter(bool)


@st.composite
def instances(draw, depth=1):
    kind = draw(st.sampled_from(["Property"] * 4 + ["Relationship", "LanguageProperty",
                                 "VocabProperty", "JsonProperty", "ListProperty",
                                 "ListRelationship"]))  # fmt: skip
    made = {"type": kind}
    match kind:
        case "Property":
            made["value"] = draw(values)
        case "Relationship":
            made["object"] = draw(st.sampled_from(URIS))
        case "LanguageProperty":
            made["languageMap"] = draw(
                st.dictionaries(
                    st.sampled_from(["en", "ko"]), st.sampled_from(["x", "y", "xy"]), min_size=1
                )
            )
        case "VocabProperty":
            made["vocab"] = draw(st.sampled_from(["x", "y"]))
        case "JsonProperty":
            made["json"] = draw(structured | st.lists(scalars, min_size=1, max_size=2))
        case "ListProperty":
            made["valueList"] = draw(st.lists(scalars, min_size=1, max_size=3))
        case "ListRelationship":
            made["objectList"] = draw(st.lists(st.sampled_from(URIS), min_size=1, max_size=2))
    if draw(st.booleans()):
        made["observedAt"] = draw(
            st.sampled_from(["2025-01-01T00:00:00Z", "2025-06-01T00:00:00.5Z"])
        )
    if draw(st.integers(0, 5)) == 0:
        made["expiresAt"] = draw(st.sampled_from(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]))
    if kind == "Property" and draw(st.booleans()):
        made["unitCode"] = draw(st.sampled_from(["CEL", "KWH"]))
    if depth and draw(st.integers(0, 2)) == 0:
        made[draw(st.sampled_from(NAMES))] = draw(instances(depth=depth - 1))
    return made


@st.composite
def attributes(draw):
    first = draw(instances())
    if draw(st.integers(0, 3)):
        return first
    return [first, draw(instances()) | {"datasetId": "urn:ngsi-ld:Dataset:d"}]


documents = st.lists(
    st.dictionaries(st.sampled_from(NAMES), attributes(), max_size=3), min_size=1, max_size=5
)


@st.composite
def paths(draw, hops=1):
    inner = tuple(IRI + n for n in draw(st.lists(st.sampled_from(NAMES), max_size=1)))
    shape = draw(st.sampled_from(["plain"] * 4 + ["member", "meta"] + ["link"] * hops))
    if shape == "meta":
        inner += (draw(st.sampled_from(["observedAt", "unitCode", "datasetId", "expiresAt"])),)
    member = ()
    if shape == "member":
        member = draw(st.sampled_from([("m",), ("n",), ("en",), ("*",), ("m", "n")]))
    link = None
    if shape == "link":
        link = Link(draw(paths(hops=0)), draw(st.sampled_from([(), (IRI + "T",), (IRI + "U",)])))
    return Path(IRI + draw(st.sampled_from(NAMES)), inner, member, link)


def kinds():
    return [
        st.sampled_from([*TEXTS, *URIS, "CEL", IRI + "x"]), st.sampled_from(NUMBERS).map(float),
        st.sampled_from(INSTANTS), st.sampled_from(INSTANTS).map(lambda i: i.date()),
    ]  # fmt: skip


@st.composite
def terms(draw):
    path = draw(paths())
    operator = draw(st.sampled_from(["", "==", "==", "!=", "<", ">", "<=", ">=", "~=", "!~="]))
    if operator == "":
        chosen = ()
    elif operator in ("~=", "!~="):
        chosen = (draw(st.sampled_from(["x", "^x$", "^[a-y]", r"\d", "CEL", ".*y"])),)
    elif operator in ("==", "!="):
        spans = st.one_of(*(st.tuples(k, k).map(lambda p: Span(*p)) for k in kinds()))
        chosen = tuple(draw(st.lists(st.one_of(*kinds(), st.booleans(), spans), min_size=1,
                                     max_size=2)))  # fmt: skip
    else:
        chosen = (draw(st.one_of(*kinds())),)
    return Comparison(path, operator, chosen)


@st.composite
def junctions(draw, inner):
    word = draw(st.sampled_from(["and", "or"]))
    return Junction(word, tuple(draw(st.lists(inner, min_size=2, max_size=3))))


trees = st.recursive(terms(), junctions, max_leaves=4)


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(documents, st.lists(trees, min_size=8, max_size=8))
def test_the_database_finds_what_evaluation_finds(conn, attrs, queries):
    with conn.transaction(force_rollback=True):
        hub.upsert_entities(conn, CITY, [
            {"id": f"urn:ngsi-ld:T:{CITY}:{n}", "type": "T", **one} for n, one in enumerate(attrs)
        ])  # fmt: skip
        everything = run(conn, find(CITY, Filter(), now=NOW))
        held = {one.document.uri: one.document for one in everything}
        assert len(held) == len(attrs)
        for tree in queries:
            wanted = Filter((Selector(IRI + "T"),), tree)
            found = [one.document.uri for one in run(conn, find(CITY, wanted, now=NOW))]
            expected = [
                uri for uri, document in held.items()
                if matches(tree, document, resolve=held.get, now=NOW)
            ]  # fmt: skip
            assert found == expected, tree
            assert run(conn, count(CITY, wanted, now=NOW)) == len(expected)


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_pages_of_wide_terms_hold_each_entity_once(conn, limit, monkeypatch):
    """All ways of finding a page give the same pages."""
    hub.upsert_entities(conn, CITY, [
        {"id": f"urn:ngsi-ld:T:{CITY}:{n:03}", "type": "T", "a": n % 7, "b": f"t{n % 3}"}
        for n in range(120)
    ])  # fmt: skip
    wanted = Filter((Selector(IRI + "T"),), parse_q('a>2;b=="t1"'))
    expected = [f"{n:03}" for n in range(120) if n % 7 > 2 and n % 3 == 1]
    for few, through in ((1000, 1500), (0, 1500), (0, 10), (0, 0)):
        monkeypatch.setattr("onsil.hub.query.finding.FEW", few)
        monkeypatch.setattr("onsil.hub.query.finding._LOOK_THROUGH", through)
        got = []
        while True:
            page = run(conn, find(CITY, wanted, limit, len(got)))
            got += [one.document.uri.rsplit(":", 1)[1] for one in page]
            if len(page) < limit:
                break
        assert got == expected
    assert run(conn, count(CITY, wanted)) == len(expected)
