"""The city in which the loop has run once, as the portal's tests have it."""

from collections.abc import Iterator

import pytest
from portal_world import World, served

from onsil.supervisor.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[World]:
    """The loop run once and sealed, on a copy that the tests may change."""
    with served(postgres, django_db_blocker) as made:
        yield made
