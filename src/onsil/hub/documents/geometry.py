"""GeoJSON geometries as values (GS CIM 009 V1.9.1 §4.7, RFC 7946)."""

import math
from typing import Any

import orjson

from onsil.hub.documents.terms import DocumentError

# Geometry → how deep its positions are nested, and the fewest positions of a line or ring.
_SHAPES = {
    "Point": (0, 0), "MultiPoint": (1, 1), "LineString": (1, 2), "MultiLineString": (2, 2),
    "Polygon": (2, 4), "MultiPolygon": (3, 4),
}  # fmt: skip
GEOMETRIES = frozenset(_SHAPES)


def looks_like_geometry(value: Any) -> bool:
    """Whether a value is meant as a geometry: of a geometry's type, with coordinates."""
    if not isinstance(value, dict) or "coordinates" not in value:
        return False
    kind = value.get("type")
    return isinstance(kind, str) and kind in _SHAPES


def read_geometry(name: str, value: Any) -> dict[str, Any]:
    """A geometry, also as JSON in a text (§4.7.2). Raises DocumentError."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise DocumentError(f"{name}: not a GeoJSON geometry: {value[:80]!r}") from None
    if not isinstance(value, dict):
        raise DocumentError(f"{name}: a GeoProperty's value is a GeoJSON geometry")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _SHAPES:
        raise DocumentError(f"{name}: a geometry is one of {', '.join(_SHAPES)}, not {kind!r}")
    depth, fewest = _SHAPES[kind]
    if not _positions(value.get("coordinates"), depth, fewest, ring="Polygon" in kind):
        raise DocumentError(f"{name}: these are not a {kind}'s coordinates (longitude, latitude)")
    return value


def _positions(value: Any, depth: int, fewest: int, *, ring: bool) -> bool:
    if depth == 0:
        return _position(value)
    if not isinstance(value, list) or not value:
        return False
    if depth == 1:
        if len(value) < fewest or (ring and value[0] != value[-1]):
            return False
        return all(_position(p) for p in value)
    return all(_positions(inner, depth - 1, fewest, ring=ring) for inner in value)


def _position(value: Any) -> bool:
    if not isinstance(value, list) or not 2 <= len(value) <= 4:
        return False
    for number in value:
        if not isinstance(number, int | float) or isinstance(number, bool):
            return False
        if not math.isfinite(number):
            return False
    return -180 <= value[0] <= 180 and -90 <= value[1] <= 90
