"""Geo-queries: candidates by their boxes in the database, the exact test by shapely after it."""

import math
from dataclasses import dataclass
from typing import Any

from shapely import affinity
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from onsil.core.database import Connection, cursor
from onsil.hub.contexts import CORE
from onsil.hub.q import QueryError

EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180
_RELATIONS = ("within", "contains", "intersects", "equals", "overlaps")


@dataclass(frozen=True)
class GeoQuery:
    """Which entities by place: `relation` is `near`, with distances in metres, or topological.

    `geometry` is GeoJSON; `attribute` the GeoProperty looked at, as a name or IRI.
    """

    relation: str
    geometry: dict[str, Any]
    attribute: str = "location"
    max_m: float | None = None
    min_m: float | None = None


def read_geo(relation: str, geometry: dict[str, Any], attribute: str = "location") -> GeoQuery:
    """A GeoQuery from the `georel` text (`near;maxDistance==500`). Raises QueryError."""
    name, *modifiers = relation.split(";")
    distances: dict[str, float] = {}
    for modifier in modifiers:
        key, _, number = modifier.partition("==")
        if key not in ("maxDistance", "minDistance"):
            raise QueryError(f"georel: {modifier!r} is not maxDistance==… or minDistance==…")
        try:
            distances[key] = float(number)
        except ValueError:
            raise QueryError(f"georel: {number!r} is not a distance in metres") from None
        if not 0 <= distances[key] < 1e8:
            raise QueryError(f"georel: {number!r} is not a distance in metres")
    if name == "near" and not distances:
        raise QueryError("georel: near needs maxDistance or minDistance, in metres")
    if name not in ("near", *_RELATIONS):
        raise QueryError(f"georel: {name!r} is not one of near, {', '.join(_RELATIONS)}")
    try:
        if shape(geometry).is_empty:
            raise QueryError("the geometry is empty")
    except (ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise QueryError("the geometry and its coordinates are not GeoJSON") from error
    return GeoQuery(
        name, geometry, attribute, distances.get("maxDistance"), distances.get("minDistance")
    )


def entities_by_place(conn: Connection, city: str, query: GeoQuery) -> list[int]:
    """The numbers of the entities that the query finds, in order."""
    wanted = shape(query.geometry)
    iri = CORE.iri(query.attribute)
    with cursor(conn) as cur:
        cur.execute(
            "SELECT e.eid, e.doc -> %s -> 0 -> 'value' FROM hub_entity e WHERE e.city = %s"
            " AND e.eid IN (SELECT hub_entities_in_box(%s, t.term_id, %s::box) FROM hub_term t"
            " WHERE t.city = %s AND t.iri = %s) ORDER BY e.eid",
            (iri, city, city, _search_box(wanted, query), city, iri),
        )
        return [eid for eid, geometry in cur if _exact(shape(geometry), wanted, query)]


def _search_box(wanted: BaseGeometry, query: GeoQuery) -> str:
    west, south, east, north = wanted.bounds
    if query.relation == "near":
        if query.max_m is None:
            return "((180,90),(-180,-90))"
        tall = query.max_m / METRES_PER_DEGREE
        # One per cent more than the sphere says, for the ellipsoid.
        widest = max(math.cos(math.radians(min(89.9, max(abs(south), abs(north)) + tall))), 1e-3)
        south, north = south - tall * 1.01, north + tall * 1.01
        west, east = west - tall * 1.01 / widest, east + tall * 1.01 / widest
    return f"(({east},{north}),({west},{south}))"


def _exact(found: BaseGeometry, wanted: BaseGeometry, query: GeoQuery) -> bool:
    if query.relation != "near":
        return bool(getattr(found, query.relation)(wanted))
    metres = distance_m(found, wanted)
    return (query.max_m is None or metres <= query.max_m) and (
        query.min_m is None or metres >= query.min_m
    )


def distance_m(first: BaseGeometry, second: BaseGeometry) -> float:
    """Metres between two geometries in longitude and latitude.

    Points by the haversine formula on the mean Earth radius; other shapes on an equirectangular
    projection around the second, which is within 0.5 % over a city's distances.
    """
    if first.geom_type == second.geom_type == "Point":
        lon1, lat1, lon2, lat2 = map(
            math.radians,
            (first.x, first.y, second.x, second.y),  # pyright: ignore
        )
        h = math.sin((lat2 - lat1) / 2) ** 2
        h += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))
    middle = second.centroid
    scale = math.cos(math.radians(middle.y)) * METRES_PER_DEGREE
    flat = [
        affinity.scale(g, scale, METRES_PER_DEGREE, origin=(middle.x, middle.y))  # pyright: ignore
        for g in (first, second)
    ]
    return float(flat[0].distance(flat[1]))
