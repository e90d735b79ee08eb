"""A year of a city's inventory: 300 lines on 500 meters of hourly readings, compiled and committed.

Every meter's year is read as exact decimals, cut into local days and hashed; the lines are
compiled, hashed, stored with their leaves and audit rows. The yardstick is the same readings
summed by one plain SQL GROUP BY over meter and local day.
"""

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bench.database import installation
from bench.figure import Figure
from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.periods import local_year
from onsil.footprint import inventory

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
YEAR = 2025
PERIOD = local_year(YEAR, SEOUL)
METERS, LINES, ROUNDS = 500, 300, 3
CLOCK = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
GRID = inventory.FactorUse(
    "authority", programme="inventory", factor_set="kr-grid-2021", commodity="electricity",
    boundary="consumption",
)  # fmt: skip


def _key(meter: int) -> str:
    return f"{hub.entity_uri('Building', CITY, f'bench-{meter}')}#electricity"


def _fill(conn: Connection) -> None:
    """A year of hours for every meter: the first by the front door, the others copied from it."""
    specs = [
        hub.SeriesSpec(_key(m).partition("#")[0], "electricity", "kWh", 3600, "interval")
        for m in range(METERS)
    ]
    hub.ensure_series(conn, CITY, specs)
    first = specs[0].entity
    readings = [
        hub.Reading(
            first, "electricity", PERIOD.start + timedelta(hours=h), Decimal(100 + h % 97) / 10
        )
        for h in range(int(PERIOD.length / timedelta(hours=1)))
    ]
    hub.record(conn, CITY, readings, CLOCK)
    one = hub.find_series(conn, CITY, entities=[first], attribute="electricity")[0]
    conn.execute(
        """INSERT INTO hub_point (ts, num, received_at, series_id, late, city)
        SELECT p.ts, p.num, p.received_at, s.series_id, false, p.city
          FROM hub_point p CROSS JOIN hub_series s
         WHERE p.city = %s AND p.series_id = %s AND s.city = p.city AND s.series_id <> p.series_id
         ORDER BY s.series_id, p.ts""",
        (CITY, one.id),
    )
    conn.commit()
    conn.autocommit = True
    conn.execute("ANALYZE")
    conn.autocommit = False


def _line(number: int) -> inventory.LineSpec:
    """Five lines in six rest on two meters; every sixth on a document."""
    refs = [row.ref for row in inventory.tree(inventory.CITY).rows.values() if row.scope == 2]
    if number % 6 == 5:
        activity = inventory.Activity("table", "MWh", Decimal(1000 + number), "bench")
    else:
        pair = (2 * number) % METERS
        activity = inventory.Activity("hub", "MWh", series=(_key(pair), _key(pair + 1)))
    return inventory.LineSpec(
        f"line-{number}", refs[number % len(refs)], f"line {number}", activity=activity,
        factor=GRID, tier=2, activity_quality="H", factor_quality="M", activity_pct=Decimal(3),
        factor_pct=Decimal(4), method="bench",
    )  # fmt: skip


def _open(conn: Connection, round_: int) -> inventory.Inventory:
    """A book of its own for each round, all of the same year's readings."""
    settings = inventory.Settings("AR5", "BASIC", "bench")
    made = inventory.open_inventory(
        conn, CITY, inventory.CITY, f"{CITY}-{round_}", "bench", YEAR, settings, "bench", CLOCK
    )
    assert isinstance(made, inventory.Inventory), made
    wrote = inventory.put_lines(
        conn, CITY, made.id, [_line(n) for n in range(LINES)], "activity", "", "bench", CLOCK
    )
    assert isinstance(wrote, list), wrote
    conn.commit()
    return made


def _compile_s(conn: Connection, book: inventory.Inventory) -> tuple[float, inventory.Version]:
    began = time.perf_counter()
    made = inventory.compile_version(conn, CITY, book.id, "bench", CLOCK)
    conn.commit()
    took_s = time.perf_counter() - began
    assert isinstance(made, inventory.Version), made
    return took_s, made


def _select_s(conn: Connection) -> float:
    """Seconds for the sums by meter and local day in SQL, with nothing kept."""
    began = time.perf_counter()
    found = conn.execute(
        """SELECT series_id, date_trunc('day', ts, %s) AS day, count(*), sum(num) FROM hub_point
        WHERE city = %s AND ts >= %s AND ts < %s GROUP BY 1, 2 ORDER BY 1, 2""",
        (SEOUL.key, CITY, PERIOD.start, PERIOD.end),
    ).fetchall()
    took_s = time.perf_counter() - began
    assert len(found) == METERS * 365
    return took_s


def measure() -> Iterator[Figure]:
    """The median of three compilations, beside the median of the plain sums before each."""
    with installation() as dsn, connect(dsn, CITY) as conn:
        _fill(conn)
        _select_s(conn)  # the pages come in once
        selects, compiles, again = [], [], []
        for round_ in range(ROUNDS):
            book = _open(conn, round_)
            selects.append(_select_s(conn))
            took_s, version = _compile_s(conn, book)
            compiles.append(took_s)
            began = time.perf_counter()
            check = inventory.recompute(conn, CITY, version.id)
            again.append(time.perf_counter() - began)
            assert isinstance(check, inventory.Check)
            assert check.identical
        base_s = statistics.median(selects)
        yield Figure(
            "inventory_year_s", statistics.median(compiles), "s", base_s, 4, less_is_better=True
        )
        yield Figure(
            "inventory_recompute_s", statistics.median(again), "s", base_s, 1, less_is_better=True
        )
