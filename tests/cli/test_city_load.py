"""`onsil city load` tells a city of the factors that are in force for all cities."""

import pytest

from onsil.cli.main import run
from onsil.configuration import configuration
from onsil.core.clock import SystemClock
from onsil.core.database import ALL_CITIES
from onsil.footprint.factors.imports import (
    approve_common_import,
    confirm_import,
    submit_import,
)

CITY = "pyeongtaek"
SET = b"""[[set]]
id = "all-cities-grid"
publisher = "P"
document = "D"
edition = ""
article = ""
page = "3"
published = 2026-01-15
read = 2026-02-01
maturity = "secondary"
programmes = ["inventory"]
note = ""
[[set.factor]]
commodity = "electricity"
boundary = "consumption"
unit = "kg/MWh"
co2 = "400"
ch4 = "0.01"
n2o = "0.01"
"""


@pytest.fixture(autouse=True)
def beside(fresh_database, monkeypatch):
    monkeypatch.setenv("ONSIL_DATABASE_URL", fresh_database)
    monkeypatch.setenv("ONSIL_LANGUAGE", "en")
    configuration.cache_clear()
    yield
    configuration.cache_clear()


@pytest.mark.django_db
def test_a_city_of_later_is_told_once():
    from onsil.tenancy import transaction

    clock = SystemClock()
    with transaction(ALL_CITIES) as conn:
        drafts = submit_import(conn, ALL_CITIES, "x.toml", SET, "user:1", clock)
        assert isinstance(drafts, list)
        (made,) = drafts
        confirm_import(conn, ALL_CITIES, made.id, "", "user:1", clock)
        approve_common_import(conn, [], made.id, "user:2", clock)
    for _ in range(2):
        run(["city", "load", CITY])
        with transaction(CITY) as conn:
            told = conn.execute("SELECT city, set_id FROM footprint_common_factor").fetchall()
        assert told == [(CITY, "all-cities-grid")]
