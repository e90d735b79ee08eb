"""`onsil city`: the installation's cities, each a folder of data."""

import json
import re
import shutil
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from onsil.cli.frame import BadInput, existing_file, installation, out, show
from onsil.cli.words import language, text
from onsil.configuration import configuration

_CODE = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
_TABLE = """\
# {name_en}: everything the installation knows of this city is in this folder.
zone = "{zone}"
hosts = ["{code}.localhost"]

[name]
ko = {name_ko}
en = {name_en_quoted}

[currency]
ko = {currency_ko}
en = {currency_en}

# Won of local currency for one point of any programme.
[conversion]
krw_per_point = 1

[map]
centre = [{longitude:g}, {latitude:g}]
zoom = 10
"""

city_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@city_app.command("list", help=text("도시 목록", "list the cities"))
def list_cities() -> None:
    from onsil.tenancy.cities import all_cities

    chosen = language()
    show(
        [text("코드", "code"), text("이름", "name"), text("시간대", "zone"),
         text("주소", "hosts"), text("프로그램", "programmes")],
        [
            [profile.code, profile.name(chosen), profile.zone.key, ", ".join(profile.hosts),
             len(list((profile.folder / "programmes").glob("*.toml")))]
            for profile in all_cities().values()
        ],
    )  # fmt: skip


@city_app.command("add", help=text("도시를 더합니다", "add a city"))
def add(
    code: str = typer.Argument(help=text("코드 (소문자, 숫자, -)", "code (a-z, 0-9, -)")),
    name_ko: str = typer.Option(..., help=text("한국어 이름", "name in Korean")),
    name_en: str = typer.Option(..., help=text("영어 이름", "name in English")),
    zone: str = typer.Option("Asia/Seoul", help=text("시간대", "time zone")),
    currency_ko: str = typer.Option("", help=text("지역화폐 이름", "local currency, in Korean")),
    currency_en: str = typer.Option("", help=text("지역화폐 영어 이름", "the same, in English")),
    boundary: Path | None = typer.Option(
        None, help=text("경계 GeoJSON 파일", "GeoJSON file of its boundary")
    ),
) -> None:
    """Write `cities/<code>/`, then read it back as the running system will."""
    from onsil.ledger import rules
    from onsil.tenancy.cities import all_cities, read_city

    if not _CODE.fullmatch(code):
        raise BadInput(text(f"도시 코드로 쓸 수 없습니다: {code!r}", f"not a city code: {code!r}"))
    folder = configuration().cities_folder / code
    if folder.exists():
        raise BadInput(text(f"{folder}이(가) 이미 있습니다", f"{folder} exists already"))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(text(f"모르는 시간대: {zone}", f"unknown time zone: {zone}")) from None
    centre = _centre(boundary) if boundary else (127.0, 37.0)
    quoted = {
        "name_ko": name_ko, "name_en_quoted": name_en,
        "currency_ko": currency_ko or f"{name_ko} 지역화폐",
        "currency_en": currency_en or f"{name_en} local currency",
    }  # fmt: skip
    table = _TABLE.format(
        code=code, name_en=name_en.replace("\n", " "), zone=zone,
        longitude=centre[0], latitude=centre[1],
        **{key: json.dumps(value, ensure_ascii=False) for key, value in quoted.items()},
    )  # fmt: skip
    (folder / "programmes").mkdir(parents=True)
    (folder / "city.toml").write_text(table, "utf-8")
    shutil.copyfile(rules.USUAL, folder / rules.FILE)
    if boundary:
        shutil.copyfile(boundary, folder / "boundary.geojson")
    read_city(folder)
    all_cities.cache_clear()
    out.print(text(f"{folder}을(를) 만들었습니다. 프로그램은 programmes/*.toml에 적습니다.",
                   f"made {folder}; its programmes go into programmes/*.toml"))  # fmt: skip


def _centre(path: Path) -> tuple[float, float]:
    """The middle of the boundary's box. Raises BadInput for a file without polygons."""
    from shapely import GEOSException, box
    from shapely.geometry import shape

    try:
        table = json.loads(existing_file(path).read_text("utf-8"))
        parts = [shape(f["geometry"]) for f in table.get("features", [{"geometry": table}])]
        boxes = [box(*part.bounds) for part in parts if not part.is_empty]
        west, south = (min(b.bounds[i] for b in boxes) for i in (0, 1))
        east, north = (max(b.bounds[i] for b in boxes) for i in (2, 3))
    except (ValueError, KeyError, TypeError, AttributeError, GEOSException):
        raise BadInput(
            text(f"{path}: 경계를 담은 GeoJSON이 아닙니다", f"{path}: not GeoJSON with a boundary")
        ) from None
    return round((west + east) / 2, 4), round((south + north) / 2, 4)


@city_app.command("load", help=text("프로그램을 읽어들입니다", "load its programmes"))
def load(code: str = typer.Argument(help=text("도시 코드", "code of the city"))) -> None:
    with installation():
        from onsil import tenancy
        from onsil.core.clock import SystemClock
        from onsil.footprint.factors.imports import tell_cities
        from onsil.rewards import services as rewards
        from onsil.tenancy.cities import city

        report = rewards.load_programmes(city(code).code)
        with tenancy.transaction(code) as conn:  # a city of later is told of what is for all
            tell_cities(conn, [code], "operator", SystemClock())
        out.print(text("읽음", "loaded") + ": " + (", ".join(report.loaded) or "–"))
        out.print(text("그대로", "unchanged") + ": " + (", ".join(report.unchanged) or "–"))
        for problem in report.problems:
            out.print(problem.text(language()))
        if report.problems:
            raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    app.add_typer(city_app, name="city", help=text("도시", "cities"))
