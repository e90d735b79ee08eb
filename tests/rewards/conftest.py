"""A city with its programmes loaded, a clock that stands in spring 2026, and people to reward."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from onsil.core.clock import FixedClock
from onsil.rewards import services as rewards
from onsil.tenancy import cities

TODAY = datetime(2026, 3, 20, 3, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TODAY)


@pytest.fixture
def person() -> UUID:
    return UUID("01900000-0000-7000-8000-0000000000a1")


@pytest.fixture
def loaded(db: None, city: str, clock: FixedClock) -> str:
    """Pyeongtaek with its own programme files taken in."""
    report = rewards.load_programmes(city, clock=clock)
    assert not report.problems
    return city


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the city's folder whose programme files a test may change."""
    import shutil
    from dataclasses import replace

    original = cities.all_cities()
    shutil.copytree(original["pyeongtaek"].folder, tmp_path / "pyeongtaek")
    profile = replace(original["pyeongtaek"], folder=tmp_path / "pyeongtaek")
    changed = {**original, "pyeongtaek": profile}
    monkeypatch.setattr(cities, "all_cities", lambda: changed)
    return tmp_path / "pyeongtaek" / "programmes"


@pytest.fixture
def committed(fresh_database: str, django_db_blocker) -> Iterator[str]:
    """Django on a database of this test's own, where work is committed and threads may race.

    Gives the database's DSN; every thread opens its own connection and closes it with
    `close_connection`.
    """
    from django.db import connections

    from onsil.web.settings import _database

    table = _database(fresh_database)
    table["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore
    with django_db_blocker.unblock():
        settings = connections.settings["default"]
        before = dict(settings)
        connections["default"].close()
        del connections["default"]
        settings.update(table)
        try:
            yield fresh_database
        finally:
            connections["default"].close()
            del connections["default"]
            settings.clear()
            settings.update(before)
