"""From readings in the database to a claim: one site-year of quarter-hours.

The loop: snapshot of 35,040 readings, the solar methodology in decimals, canonical inputs and
outputs hashed and stored with the readings, a claim, their leaves and audit rows, committed. The
yardstick is a plain SELECT of the same rows into Python, taken just before each loop. A fleet's
year from the lake is in `footprint_lake`, which also runs alone.
"""

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from bench import footprint_lake
from bench.database import installation
from bench.figure import Figure
from onsil import footprint, hub
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.periods import Period, local_year

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
YEAR = local_year(2025, SEOUL)
STEP = timedelta(minutes=15)
SITES = 5
CLOCK = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
AUTHORITY = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")
ATTRIBUTE = "power"


def _entity(site: int) -> str:
    return hub.entity_uri("Building", CITY, f"bench-{site}")


def _fill(conn: Connection, site: int) -> None:
    """A year of a plant's power in W, to a tenth, with the hours of a sunny place."""
    entity = _entity(site)
    hub.ensure_series(conn, CITY, [hub.SeriesSpec(entity, ATTRIBUTE, "W", 900)])
    random = np.random.Generator(np.random.PCG64(site))
    readings = []
    for index in range(int(YEAR.length / STEP)):
        hour = index % 96 / 4
        sun = max(0.0, 4000 * np.sin((hour - 6) * np.pi / 12)) * random.uniform(0.2, 1.0)
        readings.append(
            hub.Reading(entity, ATTRIBUTE, YEAR.start + index * STEP, Decimal(f"{sun:.1f}"))
        )
    hub.record(conn, CITY, readings, CLOCK)
    conn.commit()


def _select_s(conn: Connection, site: int) -> float:
    """Seconds to read the year's rows with one SELECT and nothing else."""
    series = hub.find_series(conn, CITY, entities=[_entity(site)], attribute=ATTRIBUTE)[0]
    began = time.perf_counter()
    rows = conn.execute(
        """SELECT ts, num FROM hub_point
        WHERE city = %s AND series_id = %s AND ts >= %s AND ts < %s ORDER BY ts""",
        (CITY, series.id, YEAR.start, YEAR.end),
    ).fetchall()
    took_s = time.perf_counter() - began
    assert len(rows) == YEAR.length / STEP
    return took_s


def _quantify(conn: Connection, site: int, period: Period) -> footprint.Run:
    made = footprint.quantify(
        conn, CITY, "solar-self-consumption", {"generation": (_entity(site), ATTRIBUTE)},
        {"capacity_kw": "5", "no_export": True}, period, AUTHORITY, "bench", CLOCK,
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    return made


def _loop_s(conn: Connection, site: int) -> tuple[float, footprint.Run]:
    began = time.perf_counter()
    run = _quantify(conn, site, YEAR)
    held = footprint.claim(conn, CITY, run.id, "kr-offset", actor="bench", clock=CLOCK)
    assert isinstance(held, footprint.Claim), held
    conn.commit()
    return time.perf_counter() - began, run


def _recompute_s(conn: Connection, run: footprint.Run) -> float:
    began = time.perf_counter()
    again = footprint.recompute(conn, CITY, run.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical
    return time.perf_counter() - began


def measure() -> Iterator[Figure]:
    """The median of five site-years, each beside its yardstick's median."""
    with installation() as dsn, connect(dsn, CITY) as conn:
        for site in range(SITES + 1):
            _fill(conn, site)
        _quantify(conn, SITES, Period(YEAR.start, YEAR.start + timedelta(days=1)))  # warms up
        conn.commit()
        selects, loops, again = [], [], []
        for site in range(SITES):
            selects.append(_select_s(conn, site))
            took_s, run = _loop_s(conn, site)
            loops.append(took_s)
            again.append(_recompute_s(conn, run))
        base_s = statistics.median(selects)
        yield Figure(
            "loop_site_year_s", statistics.median(loops), "s", base_s, 15, less_is_better=True
        )
        yield Figure(
            "recompute_site_year_s", statistics.median(again), "s", base_s, 6, less_is_better=True
        )
    yield from footprint_lake.measure()
