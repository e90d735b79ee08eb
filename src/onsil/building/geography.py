"""The city's outline and legal districts, read from its folder; which district a place lies in."""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from onsil.core.refusal import OperationError
from onsil.tenancy.cities import city as city_profile


@dataclass(frozen=True)
class District:
    """A legal district (법정동) by its eight-digit code."""

    code: str
    name_ko: str
    name_en: str
    shape: BaseGeometry

    def name(self, language: str = "ko") -> str:
        return self.name_en if language.startswith("en") else self.name_ko


@cache
def boundary_geojson(city: str) -> dict[str, Any]:
    """The outline as a GeoJSON FeatureCollection with its attribution."""
    return _read(city, "boundary")


@cache
def districts_geojson(city: str) -> dict[str, Any]:
    """The districts as a GeoJSON FeatureCollection with its attribution."""
    return _read(city, "districts")


@cache
def districts(city: str) -> tuple[District, ...]:
    """The districts in order of their codes."""
    found = []
    for feature in districts_geojson(city)["features"]:
        names = feature["properties"]
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        found.append(District(names["code"], names["name_ko"], names["name_en"], shape))
    return tuple(found)


def district(city: str, code: str) -> District | None:
    """A district by code."""
    return next((one for one in districts(city) if one.code == code), None)


def district_at(city: str, lon: Decimal, lat: Decimal) -> District | None:
    """The district that holds a place; None outside the city (or in a gap between districts)."""
    place = shapely.Point(float(lon), float(lat))
    return next((one for one in districts(city) if one.shape.covers(place)), None)


def inside(city: str, lon: Decimal, lat: Decimal) -> bool:
    """Whether a place lies within the city's outline."""
    return _outline(city).covers(shapely.Point(float(lon), float(lat)))


@cache
def _outline(city: str) -> BaseGeometry:
    features = boundary_geojson(city)["features"]
    return shapely.union_all(
        [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features]
    )


def _read(city: str, name: str) -> dict[str, Any]:
    path = city_profile(city).folder / f"{name}.geojson"
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise OperationError(f"{path}: {error}", retry=False) from error
