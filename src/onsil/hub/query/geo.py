"""Geo-queries (GS CIM 009 V1.9.1 §4.10): read, given boxes for the index, decided by shapely."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson
import shapely
from shapely.affinity import translate
from shapely.errors import ShapelyError
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from onsil.hub.contexts import CORE
from onsil.hub.documents import Document
from onsil.hub.query.geodesy import METRES_PER_DEGREE, distance_m, distances_m
from onsil.hub.query.scanner import QueryError

RELATIONS = ("within", "contains", "intersects", "equals", "disjoint", "overlaps")
GEOMETRIES = (
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
)  # fmt: skip
VERTICES_MAX = 10_000
_DISTANCE = re.compile(r"\+?\d+(\.\d+)?([eE][+-]?\d+)?$")
_GEOMETRY_FAULTS = (
    ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError,
)  # fmt: skip
Box = tuple[float, float, float, float]
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


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

    @property
    def iri(self) -> str:
        return CORE.iri(self.attribute)

    @property
    def shape(self) -> BaseGeometry:
        """The query's own geometry, cut at the antimeridian."""
        return _shape(orjson.dumps(self.geometry))


def read_geo(relation: str, geometry: dict[str, Any], attribute: str = "location") -> GeoQuery:
    """A GeoQuery from the `georel` text (`near;maxDistance==500`). Raises QueryError."""
    name, *modifiers = relation.split(";")
    if name not in ("near", *RELATIONS):
        raise QueryError(f"georel: {name!r} is not one of near, {', '.join(RELATIONS)}")
    if name == "near" and len(modifiers) != 1:
        raise QueryError("georel: near needs maxDistance== or minDistance== in metres, one of them")
    if name != "near" and modifiers:
        raise QueryError(f"georel: {name} has no modifiers")
    query = GeoQuery(name, geometry, attribute)
    for modifier in modifiers:
        key, _, number = modifier.partition("==")
        if key not in ("maxDistance", "minDistance"):
            raise QueryError(f"georel: {modifier!r} is not maxDistance==… or minDistance==…")
        metres = float(number) if _DISTANCE.match(number) else 0.0
        if not 0 < metres < math.inf:
            raise QueryError(f"georel: {number!r} is not a distance in metres above zero")
        at_most = key == "maxDistance"
        query = GeoQuery(
            name, geometry, attribute, metres if at_most else None, None if at_most else metres
        )
    read_geometry(geometry)
    return query


def read_geometry(geometry: Any) -> BaseGeometry:
    """A query's geometry as a shape. Raises QueryError."""
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
        raise QueryError(f"the geometry is one of {', '.join(GEOMETRIES)}")
    try:
        return _shape(orjson.dumps(geometry))
    except (*_GEOMETRY_FAULTS, orjson.JSONEncodeError) as error:
        raise QueryError("the geometry and its coordinates are not GeoJSON") from error


@lru_cache(maxsize=256)
def _shape(geojson: bytes) -> BaseGeometry:
    made = shape(orjson.loads(geojson))
    if made.is_empty:
        raise QueryError("the geometry is empty")
    points = shapely.get_coordinates(made)
    if len(points) > VERTICES_MAX:
        raise QueryError(f"the geometry has over {VERTICES_MAX} points")
    if (
        not np.isfinite(points).all()
        or abs(points[:, 1]).max() > 90
        or abs(points[:, 0]).max() > 540
    ):
        raise QueryError("coordinates are longitude, latitude in degrees")
    if not shapely.is_valid(made):
        raise QueryError(f"the geometry is not valid: {shapely.is_valid_reason(made)}")
    made = _cut(made)
    shapely.prepare(made)
    return made


def _cut(geometry: BaseGeometry) -> BaseGeometry:
    """A geometry over the antimeridian as its parts on either side, within ±180 degrees."""
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    parts = []
    for turn in range(-1, 2):
        part = geometry.intersection(box(-180 + 360 * turn, -90, 180 + 360 * turn, 90))
        if not part.is_empty:
            parts.append(translate(part, xoff=-360 * turn))
    return shapely.union_all(parts)


def search_boxes(query: GeoQuery) -> list[Box]:
    """West, south, east, north of where entities that a query finds can be; all of it for what no
    index helps with. A box over the antimeridian comes as two."""
    if query.relation == "disjoint" or (query.relation == "near" and query.max_m is None):
        return [WORLD]
    parts = list(shapely.get_parts(query.shape)) if _wraps(query.shape) else [query.shape]
    if query.relation != "near":
        return [part.bounds for part in parts]
    assert query.max_m is not None
    return [b for part in parts for b in _widened(part.bounds, query.max_m)]


def _wraps(geometry: BaseGeometry) -> bool:
    west, _, east, _ = geometry.bounds
    return west <= -180 and east >= 180


def _widened(bounds: Box, metres: float) -> Iterator[Box]:
    west, south, east, north = bounds
    tall = metres / METRES_PER_DEGREE * 1.01
    south, north = south - tall, north + tall
    if south <= -90 or north >= 90:
        yield (-180.0, max(south, -90.0), 180.0, min(north, 90.0))
        return
    # A circle's widest meridians lie nearer the pole than its middle.
    tallest = math.cos(math.radians(max(abs(south), abs(north))))
    wide = tall / tallest
    west, east = west - wide, east + wide
    if east - west >= 360:
        yield (-180.0, south, 180.0, north)
        return
    if west < -180:
        yield (west + 360, south, 180.0, north)
        west = -180.0
    if east > 180:
        yield (-180.0, south, east - 360, north)
        east = 180.0
    yield (west, south, east, north)


class Placed(NamedTuple):
    """An entity with the geometries of one of its GeoProperties, as GeoJSON."""

    eid: int
    geometries: Sequence[dict[str, Any]]


def place_filter(query: GeoQuery, candidates: Sequence[Placed]) -> list[int]:
    """The numbers of those candidates that a query finds, in their order."""
    if query.relation == "near" and query.geometry["type"] == "Point":
        return _near_point(query, candidates)
    return [one.eid for one in candidates if any(_meets(query, g) for g in one.geometries)]


def _near_point(query: GeoQuery, candidates: Sequence[Placed]) -> list[int]:
    """Points near a point, all at once; other shapes one by one."""
    lon, lat = query.geometry["coordinates"][:2]
    points = [
        (place, g["coordinates"][0], g["coordinates"][1])
        for place, one in enumerate(candidates)
        for g in one.geometries
        if g.get("type") == "Point"
    ]
    found: set[int] = set()
    if points:
        places, lons, lats = (np.array(column) for column in zip(*points, strict=True))
        metres = distances_m(lon, lat, lons, lats)
        fits = _within_m(metres, query)
        found.update(places[fits].tolist())
    for place, one in enumerate(candidates):
        others = [g for g in one.geometries if g.get("type") != "Point"]
        if place not in found and any(_meets(query, g) for g in others):
            found.add(place)
    return [candidates[place].eid for place in sorted(found)]


def _within_m(metres: Any, query: GeoQuery) -> Any:
    return metres <= query.max_m if query.max_m is not None else metres >= query.min_m


def _meets(query: GeoQuery, geojson: dict[str, Any]) -> bool:
    try:
        found = shape(geojson)
        if query.relation == "near":
            return bool(_within_m(distance_m(found, query.shape), query))
        return _related(query.relation, found, query.shape)
    except _GEOMETRY_FAULTS:
        return False


def _related(relation: str, found: BaseGeometry, wanted: BaseGeometry) -> bool:
    """A stored geometry against a query's, which is the prepared one."""
    match relation:
        case "within":
            return bool(wanted.contains(found))
        case "contains":
            return bool(wanted.within(found))
        case "equals":
            return bool(shapely.equals(found, wanted))
    return bool(getattr(wanted, relation)(found))


def geometries_of(instances: Any) -> list[dict[str, Any]]:
    """The geometries of an attribute's instances."""
    return [i["value"] for i in instances or () if i.get("type") == "GeoProperty"]


def place_matches(query: GeoQuery, document: Document) -> bool:
    """Whether an entity in memory is where a query asks; not without that GeoProperty."""
    found = geometries_of(document.attrs.get(query.iri))
    return bool(place_filter(query, [Placed(0, found)]))


def distance_to(reference: BaseGeometry, instances: Any) -> float:
    """Metres from an entity's nearest geometry to a reference; infinite without one."""
    metres = math.inf
    for geojson in geometries_of(instances):
        try:
            metres = min(metres, distance_m(shape(geojson), reference))
        except _GEOMETRY_FAULTS:
            continue
    return metres
