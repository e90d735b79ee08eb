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
from onsil.hub.remembered import Remembered
from onsil.hub.steps import Ask, Steps

# Points beyond the newest of their series: none of them can be there already.
_APPEND = """
WITH added AS (
  INSERT INTO hub_point (ts, num, received_at, series_id, late, city)
  SELECT t.ts, t.num, t.received_at, t.series_id, t.late, $1
    FROM unnest($2::int4[], $3::timestamptz[], $4::float8[], $5::timestamptz[], $6::bool[])
         AS t(series_id, ts, num, received_at, late)
), rolled AS (
  INSERT INTO hub_rollup (hour, total, minimum, maximum, count, on_time, series_id, city)
  SELECT t.hour, t.total, t.minimum, t.maximum, t.count, t.on_time, t.series_id, $1
    FROM unnest($7::int4[], $8::timestamptz[], $9::float8[], $10::float8[], $11::float8[],
                $12::int4[], $13::int4[])
         AS t(series_id, hour, total, minimum, maximum, count, on_time)
  ON CONFLICT (city, series_id, hour) DO UPDATE SET
    total = hub_rollup.total + EXCLUDED.total,
    minimum = least(hub_rollup.minimum, EXCLUDED.minimum),
    maximum = greatest(hub_rollup.maximum, EXCLUDED.maximum),
    count = hub_rollup.count + EXCLUDED.count,
    on_time = hub_rollup.on_time + EXCLUDED.on_time
)
UPDATE hub_latest l SET ts = t.ts, num = t.num, received_at = t.received_at
  FROM unnest($14::int4[], $15::timestamptz[], $16::float8[], $17::timestamptz[])
       AS t(series_id, ts, num, received_at)
 WHERE l.city = $1 AND l.series_id = t.series_id
"""

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


class Block(NamedTuple):
    """Rows in order of series and time, a vector for each of their fields."""

    series: np.ndarray
    ts: np.ndarray
    index: np.ndarray
    num: np.ndarray
    received: np.ndarray
    late: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Block":
        """The same as vectors; the rows are in order."""
        kinds = (np.int64, np.int64, np.int64, np.float64, np.int64, np.int8)
        fields = zip(*rows, strict=True) if rows else ((),) * len(kinds)
        return cls(*(np.array(one, kind) for one, kind in zip(fields, kinds, strict=True)))

    def at(self, chosen: np.ndarray) -> "Block":
        """Some of the rows, by place or by mask."""
        return Block(*(vector[chosen] for vector in self))

    def rows(self) -> list[Row]:
        columns = [vector.tolist() for vector in self]
        return [
            Row(s, t, i, n, r, bool(late)) for s, t, i, n, r, late in zip(*columns, strict=True)
        ]

    def row(self, place: int) -> Row:
        return self.at(np.array([place])).rows()[0]

    def firsts(self) -> np.ndarray:
        """The place of each series' first row."""
        return _starts(self.series)

    def lasts(self) -> np.ndarray:
        """The place of each series' last row."""
        return np.append(self.firsts()[1:], len(self.series)) - 1

    def columns(self) -> tuple[Column, Column, Column, Column, Column]:
        """Series, times, values, times of receipt and lateness."""
        return (
            Column(self.series, "int4"),
            Column(self.ts, "timestamptz"),
            Column(self.num, "float8"),
            Column(self.received, "timestamptz"),
            Column(self.late, "bool"),
        )


def _starts(*keys: np.ndarray) -> np.ndarray:
    """Where another run of equal keys begins."""
    size = len(keys[0])
    begins = np.ones(size, bool)
    if size > 1:
        begins[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return np.flatnonzero(begins)


def store(
    city: str,
    block: Block,
    *,
    correct: bool = True,
    behind: Sequence[int] | None = None,
    remembered: Remembered | None = None,
) -> Steps[Stored]:
    """Write points with roll-ups and latest; where another value is, put this in its place.

    No two rows have the same series and time. Without `correct` the other values stay, and are
    only told. `behind`: the caller has locked the series and knows that only these may hold points
    as new as the block's; without it all of them may.
    """
    yield from _open_months(city, block, remembered or Remembered())
    places = np.arange(len(block.series))
    appended = late = 0
    if behind is not None:
        beyond = ~np.isin(block.series, behind) if behind else np.ones(len(places), bool)
        if beyond.any():
            fresh = block if beyond.all() else block.at(beyond)
            yield from _append(city, fresh)
            appended, late = len(fresh.series), int(fresh.late.sum())
            places = places[~beyond]
    if not len(places):
        return Stored(appended, late, [])
    rest = block if not appended else block.at(places)
    done = yield from _merge(city, rest, correct=correct)
    overwritten = [one._replace(place=int(places[one.place])) for one in done.overwritten]
    return Stored(appended + done.new, late + done.late, overwritten)


def _open_months(city: str, block: Block, remembered: Remembered) -> Steps[None]:
    """See to the partitions; points next to those of a closed month come back from the lake."""
    months = (block.ts + _TO_UNIX_US).view("M8[us]").astype("M8[M]")
    low, high = months.min(), months.max()
    wanted = [str(month) for month in ([low] if low == high else np.unique(months))]
    if remembered.are_open(city, wanted):
        return
    firsts = [f"{month}-01" for month in wanted]
    ((closed,),) = yield Ask("SELECT hub_open_months($1, $2::text[])", (city, firsts))
    if closed:
        yield from thaw(city, zip(block.series.tolist(), block.ts.tolist(), strict=True))
    else:
        remembered.note_open(city, wanted)


def _append(city: str, block: Block) -> Steps[None]:
    hour = block.ts // _HOUR_US * _HOUR_US
    starts, last = _starts(block.series, hour), block.at(block.lasts())
    sizes = np.diff(np.append(starts, len(hour)))
    groups = np.repeat(np.arange(len(starts)), sizes)
    rolled = (
        Column(block.series[starts], "int4"),
        Column(hour[starts], "timestamptz"),
        # In the order of the rows, as PostgreSQL adds them up.
        Column(np.bincount(groups, block.num), "float8"),
        Column(np.minimum.reduceat(block.num, starts), "float8"),
        Column(np.maximum.reduceat(block.num, starts), "float8"),
        Column(sizes, "int4"),
        Column(sizes - np.bincount(groups, block.late).astype(np.int64), "int4"),
    )
    yield Ask(_APPEND, (city, *block.columns(), *rolled, *last.columns()[:4]))


def _merge(city: str, block: Block, *, correct: bool) -> Steps[Stored]:
    """Write points of which some may be there already."""
    ((new, late),) = yield Ask(_STORE, (city, *block.columns()))
    if new == len(block.series):
        return Stored(new, late, [])
    series, ts, num, *_ = block.columns()
    first, last = instant(int(block.ts.min())), instant(int(block.ts.max()))
    found = yield Ask(_CHANGED, (city, series, ts, num, first, last))
    overwritten = [Overwritten(place - 1, old, at) for place, old, at in found]
    if overwritten and correct:
        others = block.at(np.array([one.place for one in overwritten]))
        series, ts, num, received, _ = others.columns()
        yield Ask(_CORRECT, (city, series, ts, num, received, first, last))
        yield Ask(_REROLL, (city, series, ts, first, last))
    return Stored(new, late, overwritten)


def around(city: str, rows: Sequence[Row]) -> Steps[list[tuple[float | None, float | None]]]:
    """The stored values just before and just after each row's time; rows in order."""
    yield from thaw_neighbours(city, [(row.series_id, row.ts) for row in rows])
    series, ts, *_ = Block.of(rows).columns()
    found = yield Ask(_AROUND, (city, series, ts))
    return [(before, after) for before, after in found]


_TO_UNIX_US = 946_684_800_000_000
_HOUR_US = 3_600_000_000
