"""A city whose data sets have something in them: two soil probes, a solar plant, a few readings."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run

CITY = "pyeongtaek"
FILE = Path(__file__).parents[1] / "cities" / CITY / "datasets.toml"
NOW = datetime(2026, 2, 10, 3, tzinfo=UTC)
PROBES = [f"urn:ngsi-ld:SoilProbe:{CITY}:sim-soil-{n}" for n in (1, 2)]
DEGREES = ["12.10", "-3.25", "0.1"]


def fill(conn) -> None:
    """Two simulated probes; the first has three temperatures and one moisture."""
    hub.upsert_entities(conn, CITY, [
        {"id": uri, "type": "SoilProbe", "name": f"모의 토양 센서 {number}", "simulated": True,
         "location": {"type": "Point", "coordinates": [127.028, 37.03 + number / 100]}}
        for number, uri in enumerate(PROBES, 1)
    ], clock=FixedClock(NOW))  # fmt: skip
    hub.ensure_series(conn, CITY, [
        hub.SeriesSpec(uri, name, unit, 30, "gauge", source="simulated")
        for uri in PROBES
        for name, unit in (("soilTemperature", "degC"), ("soilMoisture", "percent"))
    ])  # fmt: skip
    readings = [
        hub.Reading(PROBES[0], "soilTemperature", NOW - timedelta(minutes=9 - n), Decimal(text))
        for n, text in enumerate(DEGREES)
    ]
    readings.append(
        hub.Reading(PROBES[0], "soilMoisture", NOW - timedelta(minutes=9), Decimal("31.5"))
    )
    assert hub.record(conn, CITY, readings, FixedClock(NOW)).stored == 4


def offer(dsn: str) -> None:
    """The demonstration's data sets on this database, filled."""
    catalogue, datasets = read_datasets(FILE)
    with connect(dsn, CITY) as conn:
        run(conn, put_datasets(CITY, catalogue, datasets, NOW))
        fill(conn)
        conn.commit()
