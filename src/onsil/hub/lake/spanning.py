"""Points wherever they are: the database's and the files', as vectors, in order of time.

Where both hold a series' time, the database's word counts: it is a correction of a closed month.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from onsil.core.periods import Period
from onsil.hub.arrays import instant
from onsil.hub.lake.cold import read
from onsil.hub.lake.place import LakeFile, files, span
from onsil.hub.steps import Ask, Steps, work

# Two arrays a series in PostgreSQL's binary form: a hundred thousand points are two values then.
_HOT = """
SELECT series_id, array_send(array_agg(ts)), array_send(array_agg(num)),
       array_send(array_agg(received_at))
  FROM (SELECT series_id, ts, num, received_at FROM hub_point
         WHERE city = $1 AND series_id = ANY($2::int4[]) AND ts >= $3 AND ts < $4
         ORDER BY series_id, ts) p GROUP BY series_id
"""
_VALUES = """
SELECT series_id, array_send(array_agg(ts)), array_send(array_agg(num))
  FROM (SELECT series_id, ts, num FROM hub_point
         WHERE city = $1 AND series_id = ANY($2::int4[]) AND ts >= $3 AND ts < $4
         ORDER BY series_id, ts) p GROUP BY series_id
"""
_ENDS = """
SELECT n.id, p.* FROM unnest($2::int4[]) AS n(id)
 CROSS JOIN LATERAL (
  SELECT array_send(array_agg(ts)) AS ts, array_send(array_agg(num)),
         array_send(array_agg(received_at))
    FROM (SELECT ts, num, received_at FROM hub_point
           WHERE city = $1 AND series_id = n.id AND ts >= $3 AND ts < $4
           ORDER BY ts {order} LIMIT $5) q) p
 WHERE p.ts IS NOT NULL
"""
_FIRST, _LAST = _ENDS.format(order="ASC"), _ENDS.format(order="DESC")
_HEADER = 20
_ITEM = {"ts": np.dtype([("size", ">i4"), ("value", ">i8")]),
         "num": np.dtype([("size", ">i4"), ("value", ">f8")])}  # fmt: skip


class Vector(NamedTuple):
    """One series' points; µs since 2000-01-01 UTC, values as doubles, when we were told."""

    ts: np.ndarray
    num: np.ndarray
    received: np.ndarray

    def __len__(self) -> int:
        return len(self.ts)

    def at(self, keep: Any) -> "Vector":
        return Vector(self.ts[keep], self.num[keep], self.received[keep])


NOTHING = Vector(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))


def vectors(
    city: str, series: Sequence[int], period: Period, *, received: bool = False
) -> Steps[dict[int, Vector]]:
    """All points of these series in the period; a series without any has no entry.

    Times of receipt are only there when asked for: without them an index alone answers.
    """
    known = yield from files(city, period)
    ask = _HOT if received else _VALUES
    rows = yield Ask(ask, (city, list(series), period.start, period.end))
    found = {row[0]: _vector(row[1:]) for row in rows}
    if known:
        cold = yield from _cold(known, series, period)
        found = _together(found, cold)
    return found


def ends(
    city: str, series: Sequence[int], period: Period, count: int, *, last: bool
) -> Steps[dict[int, Vector]]:
    """The first or last `count` points of each of these series in the period."""
    rows = yield Ask(_LAST if last else _FIRST, (
        city, list(series), period.start, period.end, count,
    ))  # fmt: skip
    forward = slice(None, None, -1 if last else 1)
    found = {row[0]: _vector(row[1:]).at(forward) for row in rows}
    known = yield from files(city, period)
    known = _reaching(known, found, series, count, last=last)
    if known:
        cold = yield from _cold(known, series, period)
        found = _together(found, cold)
    keep = slice(-count, None) if last else slice(0, count)
    return {number: vector.at(keep) for number, vector in found.items()}


def _reaching(
    known: list[LakeFile],
    found: dict[int, Vector],
    series: Sequence[int],
    count: int,
    *,
    last: bool,
) -> list[LakeFile]:  # fmt: skip
    """The files that can hold a point among the wanted ones of some series."""
    if any(len(found.get(number, NOTHING)) < count for number in series):
        return known
    bounds = [instant(int(v.ts.min() if last else v.ts.max())) for v in found.values()]
    if last:
        return [file for file in known if span(file.month).end > min(bounds)]
    return [file for file in known if span(file.month).start <= max(bounds)]


def _cold(
    known: Sequence[LakeFile], series: Iterable[int], period: Period
) -> Steps[dict[int, Vector]]:
    cold = yield from work(lambda: read(known, series, period))
    cuts = np.flatnonzero(np.diff(cold.series)) + 1
    firsts = [0, *cuts.tolist()] if len(cold) else []
    lasts = [*cuts.tolist(), len(cold)]
    whole = Vector(cold.ts, cold.num, cold.received)
    return {
        int(cold.series[first]): whole.at(slice(first, last))
        for first, last in zip(firsts, lasts, strict=False)
    }


def _together(hot: dict[int, Vector], cold: dict[int, Vector]) -> dict[int, Vector]:
    made = dict(hot)
    for number, old in cold.items():
        new = hot.get(number)
        if new is None:
            made[number] = old
            continue
        old = old.at(~np.isin(old.ts, new.ts))
        both = Vector(*(np.concatenate(pair) for pair in zip(old, new, strict=True)))
        made[number] = both.at(np.argsort(both.ts, kind="stable"))
    return made


def _vector(columns: Sequence[bytes]) -> Vector:
    ts, num = _array(columns[0], "ts"), _array(columns[1], "num")
    received = _array(columns[2], "ts") if len(columns) > 2 else ts
    return Vector(ts.astype(np.int64), num.astype(np.float64), received.astype(np.int64))


def _array(sent: bytes, kind: str) -> np.ndarray:
    return np.frombuffer(sent, _ITEM[kind], offset=_HEADER)["value"]
