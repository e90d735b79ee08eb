"""The city in which the loop has run once, as the portal's tests have it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onsil.supervisor.postgres import EmbeddedPostgres

sys.path.append(str(Path(__file__).parents[2] / "portal"))

from portal_world import World, served


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[World]:
    """The loop run once and sealed, on a copy that the tests may change."""
    with served(postgres, django_db_blocker) as made:
        yield made
