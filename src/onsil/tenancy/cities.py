"""A city as data: the folder `cities/<code>/` read into a CityProfile.

`city.toml` holds names, zone, hosts, currency and targets; beside it lie `boundary.geojson`,
`districts.geojson`, `programmes/*.toml` and what the rooms read for themselves.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from onsil.configuration import configuration
from onsil.core.refusal import OperationError


@dataclass(frozen=True)
class CityProfile:
    """What is fixed of a city: its names, zone, currency, and the rest of its table in `data`."""

    code: str
    name_ko: str
    name_en: str
    zone: ZoneInfo
    hosts: tuple[str, ...]
    folder: Path
    currency_ko: str
    currency_en: str
    data: dict[str, Any] = field(hash=False, default_factory=dict)

    def name(self, language: str = "ko") -> str:
        return self.name_en if language.startswith("en") else self.name_ko

    def currency(self, language: str = "ko") -> str:
        return self.currency_en if language.startswith("en") else self.currency_ko


def read_city(folder: Path) -> CityProfile:
    """Read one city's folder. Raises OperationError naming the file and the field at fault."""
    path = folder / "city.toml"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return CityProfile(
            code=folder.name,
            name_ko=table["name"]["ko"],
            name_en=table["name"]["en"],
            zone=ZoneInfo(table["zone"]),
            hosts=tuple(table.get("hosts", ())),
            folder=folder,
            currency_ko=table["currency"]["ko"],
            currency_en=table["currency"]["en"],
            data=table,
        )
    except FileNotFoundError as error:
        raise OperationError(f"{path}: no such file", retry=False) from error
    except tomllib.TOMLDecodeError as error:
        raise OperationError(f"{path}: {error}", retry=False) from error
    except KeyError as error:
        raise OperationError(f"{path}: field {error} is missing", retry=False) from error


@cache
def all_cities() -> dict[str, CityProfile]:
    """Every city of the installation by code."""
    root = configuration().cities_folder
    folders = sorted(p.parent for p in root.glob("*/city.toml"))
    return {profile.code: profile for profile in map(read_city, folders)}


def city(code: str) -> CityProfile:
    """A city by code. Raises OperationError for an unknown one."""
    try:
        return all_cities()[code]
    except KeyError:
        raise OperationError(f"unknown city {code!r}", retry=False) from None


def city_of_host(host: str) -> CityProfile:
    """The city whose `hosts` list the request's host (port ignored), else the default city."""
    name = host.rsplit(":", 1)[0].lower()
    for profile in all_cities().values():
        if name in profile.hosts:
            return profile
    return city(configuration().default_city)
