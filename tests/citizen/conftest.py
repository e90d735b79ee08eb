"""A small city on a database of its own, where Django commits for real and a writer may run."""

from collections.abc import Iterator

import pytest
from small_town import CITY, Town

from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from own_database import own_database


@pytest.fixture(scope="module")
def quiet_town(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[Town]:
    """The city without a writer: what is asked of the ledger stays pending."""
    with own_database(postgres, django_db_blocker) as dsn, city_scope(CITY):
        yield Town(dsn)


@pytest.fixture(scope="module")
def town(quiet_town: Town) -> Iterator[Town]:
    """The city with its posting writer running."""
    with quiet_town.writer():
        yield quiet_town
