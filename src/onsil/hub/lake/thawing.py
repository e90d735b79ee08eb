"""Corrections of closed months: the hours they touch come back beside the new points.

A file is never changed. What arrives late for a closed month is stored in the database again, and
so that duplicates, corrections and roll-ups come out right, the whole hour of its series is laid
beside it first. Reading lets these points stand on top of the file's; the next export of the month
writes them as its next revision.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from onsil.core.periods import Period
from onsil.hub.arrays import Column, instant, microseconds
from onsil.hub.lake.cold import Cold, read
from onsil.hub.lake.place import files
from onsil.hub.steps import Ask, Steps, work

_HOUR_US = 3_600_000_000
_HOUR = timedelta(hours=1)
_EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 2, 1, tzinfo=UTC))
_LAY = """
INSERT INTO hub_point (ts, num, received_at, series_id, late, city)
SELECT t.ts, t.num, t.received_at, t.series_id, t.late, $1
  FROM unnest($2::int4[], $3::timestamptz[], $4::float8[], $5::timestamptz[], $6::bool[])
       AS t(series_id, ts, num, received_at, late)
ON CONFLICT (city, series_id, ts) DO NOTHING
"""


def thaw(city: str, points: Iterable[tuple[int, int]]) -> Steps[None]:
    """Lay the hours of these (series, time) from the files into the database."""
    hours = sorted({(series, ts // _HOUR_US * _HOUR_US) for series, ts in points})
    first, last = min(h for _, h in hours), max(h for _, h in hours)
    period = Period(instant(first), instant(last) + _HOUR)
    known = yield from files(city, period)
    if not known:
        return

    def fetch() -> Cold:
        found = read(known, (series for series, _ in hours), period)
        keys = set(hours)
        places = zip(found.series.tolist(), (found.ts // _HOUR_US * _HOUR_US).tolist(), strict=True)
        return found.at(np.array([place in keys for place in places], bool))

    cold = yield from work(fetch)
    if len(cold):
        yield Ask(_LAY, (city, *as_columns(cold)))


def as_columns(cold: Cold) -> tuple[Column, ...]:
    kinds = ("int4", "timestamptz", "float8", "timestamptz", "bool")
    return tuple(Column(values, kind) for values, kind in zip(cold, kinds, strict=True))


_NEAR_CLOSED = """
SELECT DISTINCT t.series_id, t.ts
  FROM unnest($2::int4[], $3::timestamptz[]) AS t(series_id, ts)
  JOIN hub_lake_file f ON f.city = $1 AND f.kind = 'points'
 WHERE t.ts < f.month::timestamp AT TIME ZONE 'UTC' + interval '1 month'
    OR NOT EXISTS (SELECT FROM hub_point p WHERE p.city = $1 AND p.series_id = t.series_id
                      AND p.ts < t.ts)
"""


def thaw_neighbours(city: str, points: Iterable[tuple[int, int]]) -> Steps[None]:
    """Lay the points next to these (series, time) where the files hold nearer ones.

    A live reading has its predecessor in the database, so that this costs one look.
    """
    given = list(points)
    series = Column(np.array([s for s, _ in given], np.int64), "int4")
    stamps = Column(np.array([t for _, t in given], np.int64), "timestamptz")
    near = yield Ask(_NEAR_CLOSED, (city, series, stamps))
    if not near:
        return
    known = yield from files(city)

    def fetch() -> Cold:
        found = read(known, {number for number, _ in near}, _EVER)
        keep = np.zeros(len(found), bool)
        for number, at in near:
            mine = np.flatnonzero(found.series == number)
            place = np.searchsorted(found.ts[mine], microseconds(at))
            keep[mine[max(0, place - 1) : place + 2]] = True
        return found.at(keep)

    cold = yield from work(fetch)
    yield from _lay_hours(city, cold)


def _lay_hours(city: str, cold: Cold) -> Steps[None]:
    """Whole hours, so that roll-ups put together anew from them are right."""
    pairs = list(zip(cold.series.tolist(), cold.ts.tolist(), strict=True))
    if pairs:
        months = sorted({f"{instant(ts):%Y-%m}-01" for _, ts in pairs})
        yield Ask("SELECT hub_open_months($1, $2::text[])", (city, months))
        yield from thaw(city, pairs)
