"""Entities: documents with their typed rows, the query language, places, races."""

import contextlib
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil import hub
from onsil.core.clock import SystemClock
from onsil.core.refusal import OperationError
from onsil.hub import DocumentError, QueryError, SeriesSpec
from onsil.hub.contexts import CORE
from onsil.hub.documents import parse_entity, render
from onsil.hub.query.q import parse_q

CITY = "pyeongtaek"


def uri(local, kind="Tree"):
    return hub.entity_uri(kind, CITY, local)


@pytest.fixture
def trees(conn):
    hub.upsert_entities(
        conn,
        CITY,
        [
            {
                "id": uri(f"t{i}"), "type": "Tree", "species": "maple" if i % 2 else "pine",
                "height": {"type": "Property", "value": i * 1.5, "unitCode": "MTR",
                           "accuracy": {"type": "Property", "value": i / 10}},
                "planted": f"202{i}-04-05T00:00:00Z",
                "address": {"type": "Property", "value": {"street": f"s{i}", "no": i}},
                "inPark": {"type": "Relationship", "object": uri("p1", "Park")},
                "healthy": i != 3,
                "location": {"type": "Point", "coordinates": [127.1 + i / 1000, 37.0]},
            }
            for i in range(5)
        ],
    )  # fmt: skip
    return conn


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("height>3", [3, 4]),
        ("height>=3;height<6", [2, 3]),
        ("height==1.5..4.5", [1, 2, 3]),
        ("height==0,6", [0, 4]),
        ('species=="maple"', [1, 3]),
        ('species!="maple"', [0, 2, 4]),
        ('species~="^p"', [0, 2, 4]),
        ('species=="maple";height>2|height==0', [0, 3]),
        ('(species=="maple"|height==0);height<2', [0, 1]),
        ("planted>2022-12-31T00:00:00Z", [3, 4]),
        ("healthy==false", [3]),
        ("height.accuracy>0.25", [3, 4]),
        ('height.unitCode=="MTR";height<2', [0, 1]),
        ('address[street]=="s2"', [2]),
        ("address[no]>=3", [3, 4]),
        (f"inPark=={hub.entity_uri('Park', CITY, 'p1')};height>5", [4]),
        ("crown", []),
        ("species", [0, 1, 2, 3, 4]),
    ],
)
def test_queries(trees, q, expected):
    found = hub.query_entities(trees, CITY, "Tree", q)
    assert [e["id"] for e in found] == [uri(f"t{i}") for i in expected]
    assert hub.count_entities(trees, CITY, "Tree", q) == len(expected)


@pytest.mark.parametrize(
    "q", [";", "a==", "a==1;", "(a==1", "a==1)", "==1", "a[b==1", "a..b", "a>1..2", "a~=5",
          'a=="x"..5', "a~=(x+)+y", "a~=[", "x" * 5000, "(" * 40 + "a" + ")" * 40, 'a=="open'],
)  # fmt: skip
def test_queries_that_cannot_be_read_say_so(trees, q):
    with pytest.raises(QueryError):
        hub.query_entities(trees, CITY, "Tree", q)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='ab.[]();|=<>!~," 01-', max_size=30))
def test_no_text_breaks_the_parser(text):
    with contextlib.suppress(QueryError):
        parse_q(text, CORE)


def test_live_values_are_what_queries_and_entities_show(trees):
    hub.ensure_series(trees, CITY, [SeriesSpec(uri("t0"), "height", "m", 60)])
    at = datetime(2025, 3, 1, tzinfo=UTC)
    hub.record(trees, CITY, [hub.Reading(uri("t0"), "height", at, 99)], SystemClock())
    found = hub.query_entities(trees, CITY, "Tree", "height>50")
    assert [e["id"] for e in found] == [uri("t0")]
    assert found[0]["height"]["value"] == 99
    assert found[0]["height"]["observedAt"] == "2025-03-01T00:00:00Z"
    assert hub.query_entities(trees, CITY, "Tree", "height==0") == []


def test_places(trees):
    point = {"type": "Point", "coordinates": [127.1, 37.0]}
    near = hub.query_entities(trees, CITY, geo=hub.read_geo("near;maxDistance==100", point))
    assert [e["id"] for e in near] == [uri("t0"), uri("t1")]  # 0.001° is 88.8 m at 37° N
    far = hub.query_entities(trees, CITY, geo=hub.read_geo("near;minDistance==300", point))
    assert [e["id"] for e in far] == [uri("t4")]
    square = {
        "type": "Polygon",
        "coordinates": [
            [
                [127.0995, 36.9],
                [127.1025, 36.9],
                [127.1025, 37.1],
                [127.0995, 37.1],
                [127.0995, 36.9],
            ]
        ],
    }
    inside = hub.query_entities(trees, CITY, geo=hub.read_geo("within", square))
    assert len(inside) == 3
    for bad in ("near", "near;maxDistance==x", "beside", "near;maxDistance==-1"):
        with pytest.raises(QueryError):
            hub.read_geo(bad, point)
    with pytest.raises(QueryError):
        hub.read_geo("within", {"type": "Point"})


def test_upserts_merge_or_replace(trees):
    (result,) = hub.upsert_entities(trees, CITY, [{"id": uri("t0"), "type": "Tree", "age": 3}])
    assert not result.created
    assert "species" in hub.entity(trees, CITY, uri("t0"))
    hub.upsert_entities(trees, CITY, [{"id": uri("t0"), "type": "Tree", "age": 4}], replace=True)
    assert set(hub.entity(trees, CITY, uri("t0"))) == {"id", "type", "age"}
    assert hub.query_entities(trees, CITY, "Tree", "height==0") == []
    twice = [{"id": uri("n"), "type": "Tree", "a": 1}, {"id": uri("n"), "type": "Tree", "b": 2}]
    assert [r.created for r in hub.upsert_entities(trees, CITY, twice)] == [True, True]
    assert {"a", "b"} <= hub.entity(trees, CITY, uri("n")).keys()
    with pytest.raises(DocumentError, match="goyang"):
        hub.upsert_entities(trees, CITY, [{"id": "urn:ngsi-ld:Tree:goyang:1", "type": "Tree"}])


def test_what_was_measured_is_not_deleted(trees):
    hub.ensure_series(trees, CITY, [SeriesSpec(uri("t1"), "girth", "cm", 60)])
    with pytest.raises(OperationError, match="kept"):
        hub.delete_entity(trees, CITY, uri("t1"))
    assert hub.delete_entity(trees, CITY, uri("t2"))
    assert not hub.delete_entity(trees, CITY, uri("t2"))
    assert hub.entity(trees, CITY, uri("t2")) is None


def test_several_datasets_of_one_attribute(trees):
    speed = [{"type": "Property", "value": 1},
             {"type": "Property", "value": 2, "datasetId": "urn:ngsi-ld:Dataset:gps"}]  # fmt: skip
    hub.upsert_entities(trees, CITY, [{"id": uri("t0"), "type": "Tree", "speed": speed}])
    assert hub.entity(trees, CITY, uri("t0"))["speed"] == speed
    removed = {"type": "Property", "value": "urn:ngsi-ld:null"}
    hub.upsert_entities(trees, CITY, [{"id": uri("t0"), "type": "Tree", "speed": removed}])
    assert hub.entity(trees, CITY, uri("t0"))["speed"] == speed[1]


def test_upserts_race_without_loss_or_deadlock(connector):
    """New ids and a new vocabulary at once, in opposite orders."""
    faults = []

    def write(writer):
        conn = connector()
        ids = [uri(f"r{i}") for i in range(20)]
        try:
            for _ in range(3):
                ordered = ids if writer % 2 else ids[::-1]
                entities = [{"id": one, "type": "Tree", f"by{writer}": 1} for one in ordered]
                hub.upsert_entities(conn, CITY, entities)
                conn.commit()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    found = hub.query_entities(connector(), CITY, "Tree")
    assert len(found) == 20
    assert all({f"by{n}" for n in range(6)} <= e.keys() for e in found)


json_values = st.recursive(
    st.booleans() | st.integers(-1000, 1000) | st.text("abc", min_size=1, max_size=5),
    lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=8), json_values, max_size=6))
def test_documents_come_out_as_they_went_in(values):
    names = {name: {"type": "Property", "value": value} for name, value in values.items()}
    whole = {"id": uri("x"), "type": "Tree", **names}
    for form in ("normalized", "concise", "simplified"):
        shown = render(parse_entity(whole), CORE, form)
        assert render(parse_entity(shown)) == whole
