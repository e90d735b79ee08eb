"""Geo-queries (GS CIM 009 §4.10) against shapely on every entity, and against the geodesic."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.affinity import translate
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box, mapping

from onsil import hub
from onsil.hub import QueryError
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.finding import count, find
from onsil.hub.query.geo import RELATIONS, read_geo
from onsil.hub.query.geodesy import distance_m, distances_m
from onsil.hub.query.ordering import read_ordering
from onsil.hub.steps import run

CITY = "pyeongtaek"
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"


def uri(number):
    return f"urn:ngsi-ld:Place:{CITY}:{number:03}"


def geojson(geometry):
    return json.loads(json.dumps(mapping(geometry)))


def put(conn, geometries):
    hub.upsert_entities(conn, CITY, [
        {"id": uri(n), "type": "Place",
         "location": {"type": "GeoProperty", "value": geojson(g)}}
        for n, g in enumerate(geometries)
    ])  # fmt: skip


def found(conn, query, **more):
    wanted = Filter((Selector(IRI + "Place"),), geo=query, **more)
    uris = [one.document.uri for one in run(conn, find(CITY, wanted, 1000))]
    assert run(conn, count(CITY, wanted)) == len(uris)
    return uris


degrees = st.integers(0, 40).map(lambda n: n / 4)


@st.composite
def shapes(draw):
    """Geometries on a coarse grid, where touching and coinciding are common."""
    x, y = draw(degrees), draw(degrees)
    kind = draw(st.sampled_from(["point", "line", "box", "holed", "points"]))
    w, h = draw(st.integers(1, 12)) / 2, draw(st.integers(1, 12)) / 2
    match kind:
        case "point":
            return Point(x, y)
        case "line":
            return LineString([(x, y), (x + w, y), (x + w, y + h)])
        case "box":
            return box(x, y, x + w, y + h)
        case "points":
            return MultiPoint([(x, y), (x + w, y + h)])
    inner = box(x + w / 4, y + h / 4, x + w * 3 / 4, y + h * 3 / 4)
    return Polygon(box(x, y, x + w, y + h).exterior.coords, [inner.exterior.coords])


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.lists(shapes(), min_size=1, max_size=8), st.lists(shapes(), min_size=3, max_size=3))
def test_relations_are_those_of_shapely(conn, stored, asked):
    with conn.transaction(force_rollback=True):
        put(conn, stored)
        for wanted in asked:
            for relation in RELATIONS:
                query = read_geo(relation, geojson(wanted))
                expected = [
                    uri(n) for n, one in enumerate(stored) if getattr(one, relation)(wanted)
                ]
                assert found(conn, query) == expected, (relation, wanted)


@settings(
    max_examples=30, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=12),
    st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    st.sampled_from([500.0, 50_000.0, 2_000_000.0, 15_000_000.0]),
)
def test_near_finds_all_points_within_the_distance(conn, stored, centre, metres):
    with conn.transaction(force_rollback=True):
        put(conn, [Point(p) for p in stored])
        away = [float(distances_m(*p, *centre)) for p in stored]
        point = {"type": "Point", "coordinates": list(centre)}
        near = found(conn, read_geo(f"near;maxDistance=={metres}", point))
        assert near == [uri(n) for n, d in enumerate(away) if d <= metres]
        far = found(conn, read_geo(f"near;minDistance=={metres}", point))
        assert far == [uri(n) for n, d in enumerate(away) if d >= metres]


@pytest.mark.parametrize(
    ("first", "second", "metres"),
    [
        # WGS 84 geodesics, as published for Vincenty's formulae and as quarter meridian, equator.
        ((144.42486788, -37.95103342), (143.92649552, -37.65282114), 54_972.271),
        ((0, 0), (1, 0), 111_319.491),
        ((0, 0), (0, 90), 10_001_965.729),
        ((127.0, 37.0), (127.0, 37.0), 0.0),
        ((179.5, 0), (-179.5, 0), 111_319.491),
    ],
)  # fmt: skip
def test_distances_follow_the_ellipsoid(first, second, metres):
    assert math.isclose(float(distances_m(*first, *second)), metres, rel_tol=2e-6, abs_tol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(0, 6.28), st.floats(10, 20_000))
def test_distance_to_a_line_is_that_to_its_nearest_point(lon, lat, turn, length):
    """Against the shortest of many points of the line."""
    scale = 111_320 * math.cos(math.radians(lat))
    start = (lon + 3000 * math.cos(turn) / scale, lat + 3000 * math.sin(turn) / 111_000)
    end = (start[0] + length * math.sin(turn) / scale, start[1] + length * math.cos(turn) / 111_000)
    steps = np.linspace(0, 1, 4001)
    lons = start[0] + steps * (end[0] - start[0])
    lats = start[1] + steps * (end[1] - start[1])
    shortest = float(distances_m(lon, lat, lons, lats).min())
    got = distance_m(Point(lon, lat), LineString([start, end]))
    assert math.isclose(got, shortest, rel_tol=2e-3, abs_tol=0.5)
    assert math.isclose(distance_m(LineString([start, end]), Point(lon, lat)), got)


def test_near_across_the_antimeridian(conn):
    put(conn, [Point(179.999, 10), Point(-179.999, 10), Point(0, 10), Point(179.9, 10)])
    query = read_geo("near;maxDistance==1000", {"type": "Point", "coordinates": [-179.9995, 10]})
    assert found(conn, query) == [uri(0), uri(1)]
    line = {"type": "LineString", "coordinates": [[-179.9999, 9], [-179.9999, 11]]}
    assert found(conn, read_geo("near;maxDistance==500", line)) == [uri(0), uri(1)]


def test_polygons_over_the_antimeridian(conn):
    put(conn, [Point(179, 0), Point(-179, 0), Point(0, 0), box(-179.5, -1, -178.5, 1)])
    over = geojson(translate(box(170, -10, 190, 10), 0))
    assert found(conn, read_geo("within", over)) == [uri(0), uri(1), uri(3)]
    assert found(conn, read_geo("disjoint", over)) == [uri(2)]
    assert found(conn, read_geo("intersects", geojson(box(-190, -5, -175, 5)))) == [
        uri(0), uri(1), uri(3)]  # fmt: skip


def test_near_at_the_pole(conn):
    put(conn, [Point(0, 89.9), Point(180, 89.9), Point(0, 85)])
    query = read_geo("near;maxDistance==30000", {"type": "Point", "coordinates": [90, 89.95]})
    assert found(conn, query) == [uri(0), uri(1)]


def test_pages_are_full_and_ordered_after_the_exact_test(conn):
    """Boxes let more through than the distance does; pages are cut after that."""
    rng = np.random.default_rng(7)
    points = [Point(127 + x, 37 + y) for x, y in rng.uniform(-0.01, 0.01, (150, 2))]
    put(conn, points)
    query = read_geo("near;maxDistance==800", {"type": "Point", "coordinates": [127, 37]})
    wanted = Filter((Selector(IRI + "Place"),), geo=query)
    everything = found(conn, query)
    away = [distance_m(p, Point(127, 37)) for p in points]
    assert everything == [uri(n) for n, d in enumerate(away) if d <= 800]
    pages = [run(conn, find(CITY, wanted, 7, o)) for o in range(0, len(everything), 7)]
    assert [one.document.uri for page in pages for one in page] == everything
    ordering = read_ordering(["location;dist-desc"], coordinates=[127, 37])
    ordered = Filter((Selector(IRI + "Place"),), geo=query, ordering=ordering)
    got = [int(one.document.uri[-3:]) for one in run(conn, find(CITY, ordered, 1000))]
    assert sorted(got, key=lambda n: -away[n]) == got
    assert len(got) == len(everything)


def test_only_that_geoproperty_counts_and_all_its_instances(conn):
    hub.upsert_entities(conn, CITY, [{
        "id": uri(0), "type": "Place",
        "location": [
            {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 1]}},
            {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [5, 5]},
             "datasetId": "urn:ngsi-ld:Dataset:gps"},
        ],
        "observationSpace": {"type": "GeoProperty",
                             "value": {"type": "Point", "coordinates": [9, 9]}},
    }])  # fmt: skip
    for place, attribute, near, apart in (
        ([5, 5], "location", 1, 1), ([9, 9], "location", 0, 1), ([9, 9], "observationSpace", 1, 0),
        ([9, 9], "operationSpace", 0, 0),
    ):  # fmt: skip
        point = {"type": "Point", "coordinates": place}
        query = read_geo("near;maxDistance==10", point, attribute)
        assert len(found(conn, query)) == near
        assert len(found(conn, read_geo("disjoint", point, attribute))) == apart


@pytest.mark.parametrize(
    "georel", ["", "near", "near;maxDistance==0", "near;maxDistance==-1", "near;maxDistance=5",
               "near;maxDistance==inf", "near;maxDistance==1e400", "near;maxDistance==nan",
               "near;maxDistance==1;minDistance==2", "touches", "within;maxDistance==5",
               "near;other==5", "NEAR;maxDistance==1"],
)  # fmt: skip
def test_relations_that_cannot_be_read(georel):
    with pytest.raises(QueryError):
        read_geo(georel, {"type": "Point", "coordinates": [8, 40]})


@pytest.mark.parametrize(
    "geometry",
    [{}, {"type": "Point"}, {"type": "Point", "coordinates": []},
     {"type": "Point", "coordinates": ["a", 1]}, {"type": "Point", "coordinates": [0, 95]},
     {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
     {"type": "Polygon", "coordinates": [[0, 0]]}, {"type": "Circle", "coordinates": [0, 0]},
     {"type": "GeometryCollection", "geometries": []}, "Point", None,
     {"type": "Point", "coordinates": [1e300, 0]}, {"type": "LineString", "coordinates": [[0, 0]]}],
)  # fmt: skip
def test_geometries_that_cannot_be_read(geometry):
    with pytest.raises(QueryError):
        read_geo("within", geometry)
