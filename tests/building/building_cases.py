"""A home in Pyeongtaek: the terms under which the tests register and measure it."""

from datetime import date
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import footprint, hub
from onsil.building import services as building
from onsil.core.periods import local_days

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
PERSON = UUID("01900000-0000-7000-8000-0000000000b2")
SECOND_HALF = local_days(date(2025, 7, 1), date(2026, 1, 1), SEOUL)
ELECTRICITY = footprint.FactorAuthority(
    "citizen-reward", "kr-grid-2024", "consumption", "AR5", commodity="electricity"
)


def home_spec(code: str = "home-1", **changes: object) -> building.SiteSpec:
    terms: dict[str, object] = {
        "kind": "household",
        "name_ko": "데모 가정 1",
        "name_en": "Demo home 1",
        "lon": Decimal("127.10"),
        "lat": Decimal("36.99"),
        "person": PERSON,
        "replayed": True,
        "attribution_ko": "실측 자료를 옮겨 재생함",
        "attribution_en": "Measured data, replayed",
    }
    return building.SiteSpec(code, **(terms | changes))  # pyright: ignore[reportArgumentType]


def home_meters(code: str = "home-1") -> list[building.MeterSpec]:
    entity = hub.entity_uri("Building", CITY, code)
    return [
        building.MeterSpec("power", entity, "electricity", "electricity", "kWh", "consumed"),
        building.MeterSpec("weather", entity, "temperature", "temperature", "degC", "ambient"),
    ]
