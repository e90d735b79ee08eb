"""A small city on a database of its own, where Django commits for real and a writer may run."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import connections
from small_town import CITY, Town

from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from onsil.web.settings import _database


@pytest.fixture(scope="module")
def quiet_town(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[Town]:
    """The city without a writer: what is asked of the ledger stays pending."""
    name = f"town_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name, "onsil_template")
    table = connections["default"].settings_dict
    before = {key: table[key] for key in ("NAME", "HOST", "USER", "OPTIONS")}
    with django_db_blocker.unblock():
        connections["default"].close()
        table.update(_database(dsn))
        table["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore
        with city_scope(CITY):
            yield Town(dsn)
        connections["default"].close()
    table.update(before)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def town(quiet_town: Town) -> Iterator[Town]:
    """The city with its posting writer running."""
    with quiet_town.writer():
        yield quiet_town
