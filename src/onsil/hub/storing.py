"""Points into the store: new ones with their roll-ups, others in place of what was there.

The caller has locked the series and holds them to the rules; here nothing is refused. A point of a
month that has left for the lake is stored beside it, and reading puts both together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from onsil.hub.arrays import Column, instant
from onsil.hub.lake.thawing import thaw, thaw_neighbours
from onsil.hub.steps import Ask, Steps

_STORE = """
WITH added AS (
  INSERT INTO hub_point (ts, num, received_at, series_id, late, city)
  SELECT t.ts, t.num, t.received_at, t.series_id, t.late, $1
    FROM unnest($2::int4[], $3::timestamptz[], $4::float8[], $5::timestamptz[], $6::bool[])
         AS t(series_id, ts, num, received_at, late)
  ON CONFLICT (city, series_id, ts) DO NOTHING
  RETURNING series_id, ts, num, received_at, late
), rolled AS (
  INSERT INTO hub_rollup (hour, total, minimum, maximum, count, on_time, series_id, city)
  SELECT date_trunc('hour', ts, 'UTC'), sum(num), min(num), max(num), count(*),
         count(*) FILTER (WHERE NOT late), series_id, $1
    FROM added GROUP BY series_id, date_trunc('hour', ts, 'UTC')
  ON CONFLICT (city, series_id, hour) DO UPDATE SET
    total = hub_rollup.total + EXCLUDED.total,
    minimum = least(hub_rollup.minimum, EXCLUDED.minimum),
    maximum = greatest(hub_rollup.maximum, EXCLUDED.maximum),
    count = hub_rollup.count + EXCLUDED.count,
    on_time = hub_rollup.on_time + EXCLUDED.on_time
), newest AS (
  UPDATE hub_latest l SET ts = a.ts, num = a.num, received_at = a.received_at
    FROM (SELECT DISTINCT ON (series_id) series_id, ts, num, received_at
            FROM added ORDER BY series_id, ts DESC) a
   WHERE l.city = $1 AND l.series_id = a.series_id AND (l.ts IS NULL OR l.ts < a.ts)
)
SELECT count(*), count(*) FILTER (WHERE late) FROM added
"""

_CHANGED = """
SELECT t.place, p.num, p.received_at
  FROM unnest($2::int4[], $3::timestamptz[], $4::float8[])
       WITH ORDINALITY AS t(series_id, ts, num, place)
  JOIN hub_point p ON p.city = $1 AND p.series_id = t.series_id AND p.ts = t.ts
 WHERE p.num <> t.num AND p.ts BETWEEN $5::timestamptz AND $6::timestamptz
 ORDER BY t.place
"""

_CORRECT = """
WITH new AS (
  SELECT * FROM unnest($2::int4[], $3::timestamptz[], $4::float8[], $5::timestamptz[])
             AS t(series_id, ts, num, received_at)
), changed AS (
  UPDATE hub_point p SET num = n.num, received_at = n.received_at FROM new n
   WHERE p.city = $1 AND p.series_id = n.series_id AND p.ts = n.ts
     AND p.ts BETWEEN $6::timestamptz AND $7::timestamptz
)
UPDATE hub_latest l SET num = n.num, received_at = n.received_at FROM new n
 WHERE l.city = $1 AND l.series_id = n.series_id AND l.ts = n.ts
"""

_REROLL = """
UPDATE hub_rollup r SET total = a.total, minimum = a.minimum, maximum = a.maximum
  FROM (SELECT h.series_id, h.hour, sum(p.num) total, min(p.num) minimum, max(p.num) maximum
          FROM (SELECT DISTINCT series_id, date_trunc('hour', ts, 'UTC') AS hour
                  FROM unnest($2::int4[], $3::timestamptz[]) AS t(series_id, ts)) h
          JOIN hub_point p ON p.city = $1 AND p.series_id = h.series_id
           AND p.ts >= h.hour AND p.ts < h.hour + interval '1 hour'
         WHERE p.ts >= $4::timestamptz - interval '1 hour'
           AND p.ts < $5::timestamptz + interval '1 hour'
         GROUP BY 1, 2) a
 WHERE r.city = $1 AND r.series_id = a.series_id AND r.hour = a.hour
"""


_AROUND = """
SELECT (SELECT num FROM hub_point p WHERE p.city = $1 AND p.series_id = t.series_id
           AND p.ts < t.ts ORDER BY p.ts DESC LIMIT 1),
       (SELECT num FROM hub_point p WHERE p.city = $1 AND p.series_id = t.series_id
           AND p.ts > t.ts ORDER BY p.ts LIMIT 1)
  FROM unnest($2::int4[], $3::timestamptz[]) WITH ORDINALITY AS t(series_id, ts, place)
 ORDER BY t.place
"""


class Row(NamedTuple):
    """One point; times as PostgreSQL counts them, `index` the caller's own."""

    series_id: int
    ts: int
    index: int
    num: float
    received: int
    late: bool


class Overwritten(NamedTuple):
    """What stands where a row would go: the row's place, that value and when it had come."""

    place: int
    num: float
    received_at: datetime


class Stored(NamedTuple):
    """What became of rows: those not counted were there already, value and all."""

    new: int
    late: int
    overwritten: list[Overwritten]


def store(city: str, rows: Sequence[Row], *, correct: bool = True) -> Steps[Stored]:
    """Write points with roll-ups and latest; where another value is, put this in its place.

    No two rows have the same series and time. Without `correct` the other values stay, and are
    only told.
    """
    series, ts, num, received, late = columns(rows)
    months = np.unique((ts.values + _TO_UNIX_US).astype("M8[us]").astype("M8[M]"))
    firsts = [f"{month}-01" for month in months]
    ((closed,),) = yield Ask("SELECT hub_open_months($1, $2::text[])", (city, firsts))
    if closed:
        yield from thaw(city, [(row.series_id, row.ts) for row in rows])
    ((new, new_late),) = yield Ask(_STORE, (city, series, ts, num, received, late))
    if new == len(rows):
        return Stored(new, new_late, [])
    first, last = instant(int(ts.values.min())), instant(int(ts.values.max()))
    found = yield Ask(_CHANGED, (city, series, ts, num, first, last))
    overwritten = [Overwritten(place - 1, old, at) for place, old, at in found]
    if overwritten and correct:
        series, ts, num, received, _ = columns([rows[one.place] for one in overwritten])
        yield Ask(_CORRECT, (city, series, ts, num, received, first, last))
        yield Ask(_REROLL, (city, series, ts, first, last))
    return Stored(new, new_late, overwritten)


def around(city: str, rows: Sequence[Row]) -> Steps[list[tuple[float | None, float | None]]]:
    """The stored values just before and just after each row's time."""
    yield from thaw_neighbours(city, [(row.series_id, row.ts) for row in rows])
    series, ts, *_ = columns(rows)
    found = yield Ask(_AROUND, (city, series, ts))
    return [(before, after) for before, after in found]


_TO_UNIX_US = 946_684_800_000_000


def columns(rows: Sequence[Row]) -> tuple[Column, Column, Column, Column, Column]:
    """Series, times, values, times of receipt and lateness."""
    return (
        Column(np.array([r.series_id for r in rows], np.int64), "int4"),
        Column(np.array([r.ts for r in rows], np.int64), "timestamptz"),
        Column(np.array([r.num for r in rows], np.float64), "float8"),
        Column(np.array([r.received for r in rows], np.int64), "timestamptz"),
        Column(np.array([r.late for r in rows], np.int8), "bool"),
    )
