"""The cities' boundaries: whole, valid, attributed, and in agreement with each other."""

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
import shapely

from onsil.building import geography
from onsil.tenancy.cities import all_cities

CITIES = Path(__file__).parents[2] / "cities"
EXPECTED = {"pyeongtaek": (36, 453.5), "goyang": (53, 268.3)}  # districts, km²


def km2(shape: shapely.Geometry) -> float:
    latitude = shape.centroid.y
    return shape.area * 111.32 * 110.95 * math.cos(math.radians(latitude))


@pytest.mark.parametrize("city", sorted(EXPECTED))
def test_districts_are_whole_valid_and_named_in_both_languages(city):
    count, area = EXPECTED[city]
    found = geography.districts(city)
    assert len(found) == count
    assert len({one.code for one in found}) == count
    assert all(one.shape.is_valid for one in found)
    assert all(one.name_ko and one.name_en.isascii() for one in found)
    outline = shapely.from_geojson(_text(city))
    assert outline.is_valid
    assert km2(outline) == pytest.approx(area, rel=0.01)
    union = shapely.union_all([one.shape for one in found])
    assert km2(outline.symmetric_difference(union)) < 1.0  # slivers closed in the outline


def _text(city: str) -> str:
    (feature,) = geography.boundary_geojson(city)["features"]
    return json.dumps(feature["geometry"])


@pytest.mark.parametrize("city", sorted(EXPECTED))
def test_the_files_are_small_attributed_and_rounded(city):
    for name in ("boundary", "districts"):
        path = CITIES / city / f"{name}.geojson"
        assert path.stat().st_size < 200_000
    for table in (geography.boundary_geojson(city), geography.districts_geojson(city)):
        assert "국토지리정보원" in table["attribution"]["ko"]
        assert "National Geographic Information Institute" in table["attribution"]["en"]
        for feature in table["features"]:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            for x, y in shapely.get_coordinates(shape):
                assert round(float(x), 5) == float(x)
                assert round(float(y), 5) == float(y)


@pytest.mark.parametrize(
    ("city", "lon", "lat", "district"),
    [
        ("pyeongtaek", "127.0856", "36.9908", "평택동"),
        ("pyeongtaek", "126.8430", "36.9700", "포승읍"),
        ("goyang", "126.7680", "37.6570", "장항동"),
        ("pyeongtaek", "126.9780", "37.5665", None),
    ],
)
def test_places_lie_in_the_districts_they_should(city, lon, lat, district):
    found = geography.district_at(city, Decimal(lon), Decimal(lat))
    assert (found.name_ko if found else None) == district
    assert geography.inside(city, Decimal(lon), Decimal(lat)) == (district is not None)


@pytest.mark.parametrize("city", sorted(EXPECTED))
def test_a_city_says_what_screens_and_kpis_need(city):
    data = all_cities()[city].data
    assert data["conversion"]["krw_per_point"] == 1
    assert data["population"][0]["people"] > 500_000
    assert data["population"][0]["source"]
    for kpi in data["kpi"]:
        assert {"measure", "green", "ko", "en", "target", "unit", "direction"} <= set(kpi)


def test_pyeongtaeks_targets_are_the_plans():
    targets = {kpi["measure"]: kpi["target"] for kpi in all_cities()["pyeongtaek"].data["kpi"]}
    assert targets == {
        "buildings-managed": 30, "linkage-rate": 90, "water-certificate": 1, "forest-credits": 1,
        "pet-recovery": 70, "pet-co2": 70, "landfill": 80, "app-installs": 5, "app-use": 50,
        "implementation-report": 50, "external-project": 1, "data-links": 20, "data-sets": 10,
        "ideas-found": 5, "ideas-piloted": 1, "reduction": 12_540,
    }  # fmt: skip
