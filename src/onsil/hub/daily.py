"""A year of many meters by local day: exact sums and counts, from the database and the lake.

Points are doubles that stand for the shortest decimal they were sent as. Where one power of ten
turns all of a series' points into whole numbers and back to the very same doubles, those whole
numbers are the decimals, and sums of integers are exact; a series that no power of ten fits is
summed decimal by decimal.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from onsil.core.database import Connection
from onsil.core.periods import Period, days_of, midnight
from onsil.core.quantities import shortest_decimal
from onsil.hub.lake.spanning import NOTHING, Vector, vectors
from onsil.hub.steps import run

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACES = 9
_WHOLE = 10**14  # doubles are exact below it, and a day of seconds still fits 64 bits
_CHUNK = 100


class DayTotal(NamedTuple):
    """One local day of one series: how many points it has and their exact sum."""

    day: date
    count: int
    total: Decimal


def daily_totals(
    conn: Connection, city: str, series_ids: Iterable[int], period: Period, zone: ZoneInfo
) -> dict[int, list[DayTotal]]:
    """Counts and exact sums by local day for each series; a day without points is left out.

    Every series asked for has an entry, an empty one where nothing was measured.
    """
    wanted = list(series_ids)
    days = list(days_of(period, zone))
    edges = np.array([(midnight(day, zone) - _EPOCH) // _MICROSECOND for day in days], np.int64)
    made: dict[int, list[DayTotal]] = {}
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        found = run(conn, vectors(city, part, period))
        for series_id in part:
            made[series_id] = _by_day(found.get(series_id, NOTHING), days, edges)
    return made


def _by_day(vector: Vector, days: list[date], edges: np.ndarray) -> list[DayTotal]:
    if not len(vector):
        return []
    places = np.searchsorted(edges, vector.ts, side="right") - 1
    first = np.flatnonzero(np.diff(places, prepend=-1))
    counts = np.diff(np.append(first, len(places)))
    whole = _whole_numbers(vector.num)
    if whole is None:
        ends = [*first[1:].tolist(), len(places)]
        sums = [
            sum((shortest_decimal(x) for x in vector.num[a:b].tolist()), Decimal(0))
            for a, b in zip(first.tolist(), ends, strict=True)
        ]
    else:
        numbers, power = whole
        sums = [Decimal(total).scaleb(-power) for total in np.add.reduceat(numbers, first).tolist()]
    rows = zip(places[first].tolist(), counts.tolist(), sums, strict=True)
    return [DayTotal(days[place], count, total) for place, count, total in rows]


def _whole_numbers(values: np.ndarray) -> tuple[np.ndarray, int] | None:
    """The points times a power of ten as integers, where that loses nothing."""
    for power in range(_PLACES + 1):
        scaled = np.rint(values * 10**power)
        if np.abs(scaled).max(initial=0) >= _WHOLE:
            return None
        if np.array_equal(scaled / 10**power, values):
            return scaled.astype(np.int64), power
    return None
