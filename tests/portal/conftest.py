"""The scenario on a database of its own, for the room's tests."""

from collections.abc import Iterator

import pytest
from portal_world import World, served

from onsil.supervisor.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[World]:
    """The loop run once and sealed."""
    with served(postgres, django_db_blocker) as made:
        yield made
