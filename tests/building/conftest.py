"""A home whose meters show a fifth saved in the second half of 2025, and who lives there."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from building_cases import CITY, ELECTRICITY, PERSON, SECOND_HALF, SEOUL, home_meters, home_spec

from onsil import footprint, hub
from onsil.building import services as building
from onsil.core.clock import FixedClock
from onsil.core.periods import midnight
from onsil.rewards import services as rewards
from onsil.tenancy import transaction


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def home(db: None, city: str) -> building.Site:
    made = building.register_site(CITY, home_spec(), home_meters())
    assert isinstance(made, building.Site), made
    return made


@pytest.fixture
def claim(home: building.Site, clock: FixedClock) -> footprint.Claim:
    """The home's readings of two years, quantified and claimed for the household programme."""
    entity = home.entity
    first = date(2024, 7, 1)
    days = (date(2026, 1, 1) - first).days
    felt = [-5 + day % 33 for day in range(days)]
    used = [
        Decimal(10 + max(15 - t, 0)) * (Decimal("0.8") if n >= 365 else 1)
        for n, t in enumerate(felt)
    ]
    starts = [midnight(first + timedelta(days=n), SEOUL) for n in range(days)]
    with transaction(CITY) as tx:
        hub.ensure_series(
            tx,
            CITY,
            [
                hub.SeriesSpec(entity, "electricity", "kWh", 86_400, "interval"),
                hub.SeriesSpec(entity, "temperature", "degC", 86_400, "gauge"),
            ],
        )
        readings = [
            hub.Reading(entity, name, at, value)
            for name, values in (("electricity", used), ("temperature", felt))
            for at, value in zip(starts, values, strict=True)
        ]
        assert not hub.record(tx, CITY, readings, clock).quarantined
        run = footprint.quantify(
            tx,
            CITY,
            "building-energy-savings",
            {"electricity": f"{entity}#electricity", "temperature": f"{entity}#temperature"},
            {"baseline_start": "2024-07-01", "baseline_end": "2025-07-01"},
            SECOND_HALF,
            ELECTRICITY,
            "analyst",
            clock,
        )
        assert isinstance(run, footprint.Run), run
        made = footprint.claim(tx, CITY, run.id, "household-saving", clock=clock)
        assert isinstance(made, footprint.Claim), made
        return made


@pytest.fixture
def programme(city: str, db: None, clock: FixedClock) -> str:
    """The household programme loaded, and the person taking part since 2025."""
    assert not rewards.load_programmes(CITY, clock=clock).problems
    since = datetime(2025, 1, 1, tzinfo=SEOUL)
    assert rewards.enrol(CITY, PERSON, "household-saving", since=since, clock=clock)
    return "household-saving"
