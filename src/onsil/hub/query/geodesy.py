"""Metres between geometries in longitude and latitude (WGS 84)."""

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

EQUATOR_RADIUS_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
# The shortest degree: of latitude, at the equator.
METRES_PER_DEGREE = 110_574.0
Floats = NDArray[np.float64]


def distances_m(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Floats:
    """Metres between points in degrees, element by element, by Lambert's formula.

    It follows the ellipsoid's geodesic to some ten metres over thousands of kilometres, and much
    closer within a city.
    """
    reduced1 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat1)))
    reduced2 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat2)))
    turn = np.radians(np.subtract(lon2, lon1))
    h = np.sin((reduced2 - reduced1) / 2) ** 2
    h = h + np.cos(reduced1) * np.cos(reduced2) * np.sin(turn / 2) ** 2
    angle = 2 * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
    middle, half = (reduced1 + reduced2) / 2, (reduced2 - reduced1) / 2
    # Neither of the two terms below is defined for points that coincide or lie opposite.
    near, far = np.sin(angle / 2) ** 2, np.cos(angle / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (angle - np.sin(angle)) * np.sin(middle) ** 2 * np.cos(half) ** 2 / far
        y = (angle + np.sin(angle)) * np.cos(middle) ** 2 * np.sin(half) ** 2 / near
    x, y = (np.where(np.isfinite(v), v, 0.0) for v in (x, y))
    return EQUATOR_RADIUS_M * (angle - FLATTENING / 2 * (x + y))


def distance_m(first: BaseGeometry, second: BaseGeometry) -> float:
    """Metres between the nearest points of two geometries.

    The nearest points are sought on a plane of equal degrees round where they are, in a few
    steps; 0 where the geometries meet.
    """
    if isinstance(first, Point) and isinstance(second, Point):
        return float(distances_m(first.x, first.y, second.x, second.y))
    here = first if isinstance(first, Point) else second
    middle = here if isinstance(here, Point) else here.centroid
    lon, lat = middle.x, middle.y
    best = math.inf
    for _ in range(1 if isinstance(here, Point) else 4):
        scale = max(math.cos(math.radians(lat)), 1e-6)
        one, other = (_flat(g, lon, lat, scale) for g in (first, second))
        line = shapely.shortest_line(one, other)
        if shapely.is_missing(line):
            return math.inf
        (x1, y1), (x2, y2) = shapely.get_coordinates(line)
        ends = lon + x1 / scale, lat + y1, lon + x2 / scale, lat + y2
        found = float(distances_m(*ends))
        if found >= best * (1 - 1e-9):
            break
        best = found
        lon, lat = (ends[0] + ends[2]) / 2, (ends[1] + ends[3]) / 2
    return best


def _flat(geometry: BaseGeometry, lon: float, lat: float, scale: float) -> BaseGeometry:
    """Degrees from a middle, those of longitude as long as those of latitude there.

    What lies more than half round the earth away is taken from the other side.
    """

    def moved(points: Floats) -> Floats:
        away = points[:, 0] - lon
        turns = np.round(away.mean() / 360) if len(away) else 0.0
        return np.column_stack([(away - 360 * turns) * scale, points[:, 1] - lat])

    return shapely.transform(geometry, moved)
