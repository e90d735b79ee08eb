"""The scenario on a database of its own, built once for the room's tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from portal_world import CITY, World

from onsil.configuration import configuration
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from onsil.web.settings import _database


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[World]:
    """The loop run once and sealed; tests only read, or roll back what they change."""
    name = f"portal_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name, "onsil_template")
    table = connections["default"].settings_dict
    before = {key: table[key] for key in ("NAME", "HOST", "USER", "OPTIONS")}
    log = Path(configuration().log_folder) / CITY
    shutil.rmtree(log, ignore_errors=True)
    with django_db_blocker.unblock():
        connections["default"].close()
        table.update(_database(dsn))
        table["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore
        with city_scope(CITY):
            yield World(dsn).run()
        connections["default"].close()
    table.update(before)
    postgres.drop_database(name)
    shutil.rmtree(log, ignore_errors=True)
