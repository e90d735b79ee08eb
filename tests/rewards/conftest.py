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
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the city's folder whose programme files a test may change."""
    import shutil
    from dataclasses import replace

    original = cities.all_cities()
    shutil.copytree(original["pyeongtaek"].folder, tmp_path / "pyeongtaek")
    profile = replace(original["pyeongtaek"], folder=tmp_path / "pyeongtaek")
    changed = {**original, "pyeongtaek": profile}
    monkeypatch.setattr(cities, "all_cities", lambda: changed)
    yield tmp_path / "pyeongtaek" / "programmes"
