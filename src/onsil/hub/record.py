"""Recording readings: one batch, one transaction, one rule for each thing that can be odd.

The latest-point rows of a batch's series are locked in the order of their numbers before anything
is written. So writers of the same series stand in line, each sees what the one before has done, and
no two can wait for each other. Callers record one batch a transaction.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import orjson

from onsil.core.announce import announce
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.hub.arrays import POSTGRES_EPOCH, Column, array_cursor, microseconds
from onsil.hub.rules import (
    Fault,
    closes_after,
    counter_back,
    judge_time,
    judge_value,
    limits,
    no_series,
)
from onsil.hub.series import series_of
from onsil.hub.terms import Quarantined, Reading, RecordReport, Series

LIVE_TOPIC = "readings"

_STORE = """
WITH added AS (
  INSERT INTO hub_point (ts, num, received_at, series_id, late, city)
  SELECT t.ts, t.num, t.received_at, t.series_id, t.late, %(city)s
    FROM unnest(%(series)s, %(ts)s, %(num)s, %(received)s, %(late)s)
         AS t(series_id, ts, num, received_at, late)
  ON CONFLICT (city, series_id, ts) DO NOTHING
  RETURNING series_id, ts, num, received_at, late
), rolled AS (
  INSERT INTO hub_rollup (hour, total, minimum, maximum, count, on_time, series_id, city)
  SELECT date_trunc('hour', ts, 'UTC'), sum(num), min(num), max(num), count(*),
         count(*) FILTER (WHERE NOT late), series_id, %(city)s
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
   WHERE l.city = %(city)s AND l.series_id = a.series_id AND (l.ts IS NULL OR l.ts < a.ts)
)
SELECT count(*), count(*) FILTER (WHERE late) FROM added
"""

_CHANGED = """
SELECT t.place, p.num, p.received_at
  FROM unnest(%(place)s, %(series)s, %(ts)s, %(num)s) AS t(place, series_id, ts, num)
  JOIN hub_point p ON p.city = %(city)s AND p.series_id = t.series_id AND p.ts = t.ts
 WHERE p.num <> t.num AND p.ts BETWEEN %(first)s AND %(last)s
"""

_CORRECT = """
WITH new AS (
  SELECT * FROM unnest(%(series)s, %(ts)s, %(num)s, %(received)s)
             AS t(series_id, ts, num, received_at)
), changed AS (
  UPDATE hub_point p SET num = n.num, received_at = n.received_at FROM new n
   WHERE p.city = %(city)s AND p.series_id = n.series_id AND p.ts = n.ts
     AND p.ts BETWEEN %(first)s AND %(last)s
)
UPDATE hub_latest l SET num = n.num, received_at = n.received_at FROM new n
 WHERE l.city = %(city)s AND l.series_id = n.series_id AND l.ts = n.ts
"""

_REROLL = """
UPDATE hub_rollup r SET total = a.total, minimum = a.minimum, maximum = a.maximum
  FROM (SELECT h.series_id, h.hour, sum(p.num) total, min(p.num) minimum, max(p.num) maximum
          FROM (SELECT DISTINCT series_id, date_trunc('hour', ts, 'UTC') AS hour
                  FROM unnest(%(series)s, %(ts)s) AS t(series_id, ts)) h
          JOIN hub_point p ON p.city = %(city)s AND p.series_id = h.series_id
           AND p.ts >= h.hour AND p.ts < h.hour + interval '1 hour'
         WHERE p.ts >= %(first)s - interval '1 hour' AND p.ts < %(last)s + interval '1 hour'
         GROUP BY 1, 2) a
 WHERE r.city = %(city)s AND r.series_id = a.series_id AND r.hour = a.hour
"""


class _Kept(NamedTuple):
    """A reading that passed the rules for single readings."""

    series_id: int
    ts: int
    index: int
    num: float
    received: int
    late: bool


class _Change(NamedTuple):
    """One value that took another's place."""

    series_id: int
    observed_at: datetime
    old_num: float
    old_received_at: datetime
    new_num: float
    new_received_at: datetime
    message_id: str


def record(
    conn: Connection,
    city: str,
    readings: Sequence[Reading],
    clock: Clock,
    origin: str | Sequence[str] = "",
) -> RecordReport:
    """Store a batch of readings by the rules of `docs/hub.md`; what fails them is quarantined.

    `origin` says where the batch came from (a device, a file), or each of its readings, for those
    who look at the quarantine.
    Nothing is dropped: each reading is stored, duplicate, corrected or quarantined.
    """
    if not readings:
        return RecordReport()
    keys = {(r.entity, r.attribute) for r in readings}
    known = series_of(conn, city, {k for k in keys if "\0" not in k[0] + k[1]})
    _lock(conn, city, sorted(s.id for s in known.values()))
    kept, faults = _judge(readings, known, city, clock.now())
    kept, backwards = _counters(conn, city, kept, {s.id: s for s in known.values()})
    kept.sort()
    faults += backwards
    singles, within, repeated = _merge_batch(kept, readings)
    stored, late, changes = _store(conn, city, singles, readings) if singles else (0, 0, [])
    # In the batch's own order, so that the history of a value reads as it happened.
    _keep_revisions(conn, city, [*changes, *within])
    refused = [Quarantined(i, f.code, f.ko, f.en, readings[i]) for i, f in sorted(faults)]
    quarantine_raw(
        conn, city, clock.now(),
        [QuarantineDraft(origin if isinstance(origin, str) else origin[q.index], q.code, q.ko, q.en,
                         raw_reading(q.reading), q.reading.message_id) for q in refused],
    )  # fmt: skip
    corrected = len(changes) + len(within)
    duplicate = len(singles) - stored - len(changes) + repeated
    if stored or corrected:
        announce(conn, city, LIVE_TOPIC, {"stored": stored, "corrected": corrected})
    return RecordReport(stored, duplicate, corrected, late, refused)


def _lock(conn: Connection, city: str, ids: list[int]) -> None:
    with cursor(conn) as cur:
        cur.execute(
            "SELECT count(*) FROM (SELECT FROM hub_latest WHERE city = %s AND series_id = ANY(%s)"
            " ORDER BY series_id FOR UPDATE) locked",
            (city, ids),
        )


def _judge(
    readings: Sequence[Reading], known: dict[tuple[str, str], Series], city: str, now: datetime
) -> tuple[list[_Kept], list[tuple[int, Fault]]]:
    kept: list[_Kept] = []
    faults: list[tuple[int, Fault]] = []
    bounds = {
        one.id: (*limits(one), closes_after(one) // timedelta(microseconds=1))
        for one in known.values()
    }
    arrived, arrived_us = now, microseconds(now)
    for index, reading in enumerate(readings):
        series = known.get((reading.entity, reading.attribute))
        if series is None:
            faults.append((index, no_series(reading, city)))
            continue
        fault = judge_time(reading.observed_at, now)
        if fault:
            faults.append((index, fault))
            continue
        low, high, closes_us = bounds[series.id]
        num = judge_value(reading, series, low, high)
        if isinstance(num, Fault):
            faults.append((index, num))
            continue
        received = reading.received_at or now
        if received is not arrived:  # the readings of a message share one arrival
            arrived, arrived_us = received, microseconds(received)
        ts = microseconds(reading.observed_at)
        late = arrived_us > ts + closes_us
        kept.append(_Kept(series.id, ts, index, num, arrived_us, late))
    return kept, faults


def _counters(
    conn: Connection, city: str, kept: list[_Kept], series: dict[int, Series]
) -> tuple[list[_Kept], list[tuple[int, Fault]]]:
    """Set aside totals below the one before them or above the one after them."""
    counters = {s.id for s in series.values() if s.kind == "counter"}
    if not counters:
        return kept, []
    mine = sorted(k for k in kept if k.series_id in counters)
    neighbours = _neighbours(conn, city, mine)
    faults: list[tuple[int, Fault]] = []
    running: dict[int, float] = {}
    for one, (before, after) in zip(mine, neighbours, strict=True):
        floor = max((v for v in (before, running.get(one.series_id)) if v is not None), default=0.0)
        unit = series[one.series_id].unit
        if one.num < floor:
            faults.append((one.index, counter_back(one.num, floor, unit)))
        elif after is not None and one.num > after:
            faults.append((one.index, counter_back(after, one.num, unit)))
        else:
            running[one.series_id] = one.num
    gone = {index for index, _ in faults}
    return [k for k in kept if k.index not in gone], faults


def _neighbours(
    conn: Connection, city: str, rows: list[_Kept]
) -> list[tuple[float | None, float | None]]:
    """The stored values just before and just after each reading's time."""
    with array_cursor(conn) as cur:
        cur.execute(
            "SELECT (SELECT num FROM hub_point p WHERE p.city = %(city)s"
            "  AND p.series_id = t.series_id AND p.ts < t.ts ORDER BY p.ts DESC LIMIT 1),"
            " (SELECT num FROM hub_point p WHERE p.city = %(city)s"
            "  AND p.series_id = t.series_id AND p.ts > t.ts ORDER BY p.ts LIMIT 1)"
            " FROM unnest(%(series)s, %(ts)s) WITH ORDINALITY AS t(series_id, ts, place)"
            " ORDER BY t.place",
            {"city": city, **_columns(rows)},
        )
        return cur.fetchall()


def _merge_batch(
    kept: list[_Kept], readings: Sequence[Reading]
) -> tuple[list[_Kept], list[_Change], int]:
    """One row for each series and time: the batch's last word, the words before it as revisions."""
    singles: list[_Kept] = []
    within: list[_Change] = []
    repeated = 0
    for one in kept:
        last = singles[-1] if singles else None
        if last is None or (one.series_id, one.ts) != (last.series_id, last.ts):
            singles.append(one)
        elif one.num == last.num:
            repeated += 1
        else:
            within.append(_change(one, last.num, _instant(last.received), readings))
            singles[-1] = one._replace(late=last.late)
    return singles, within, repeated


def _store(
    conn: Connection, city: str, rows: list[_Kept], readings: Sequence[Reading]
) -> tuple[int, int, list[_Change]]:
    """Write new points with roll-ups and latest; where a point is there already, correct it."""
    columns = _columns(rows)
    stamps = columns["ts"].values
    months = np.unique((stamps + _TO_UNIX_US).astype("M8[us]").astype("M8[M]"))
    span = {"first": _instant(int(stamps.min())), "last": _instant(int(stamps.max()))}
    with array_cursor(conn) as cur:
        cur.execute("SELECT hub_ensure_months(%s::date[])", ([f"{m}-01" for m in months],))
        cur.execute(_STORE, {"city": city, **columns})
        stored, late = cur.fetchone() or (0, 0)
        if stored == len(rows):
            return stored, late, []
        places = Column(np.arange(len(rows)), "int4")
        cur.execute(_CHANGED, {"city": city, "place": places, **columns, **span})
        changes = [_change(rows[place], num, at, readings) for place, num, at in sorted(cur)]
        chosen = {(c.series_id, c.observed_at) for c in changes}
        if changes:
            wrong = [r for r in rows if (r.series_id, _instant(r.ts)) in chosen]
            parameters = {"city": city, **_columns(wrong), **span}
            cur.execute(_CORRECT, parameters)
            cur.execute(_REROLL, parameters)
    return stored, late, changes


def _change(
    row: _Kept, old_num: float, old_received: datetime, readings: Sequence[Reading]
) -> _Change:
    return _Change(
        row.series_id, _instant(row.ts), old_num, old_received, row.num,
        _instant(row.received), readings[row.index].message_id,
    )  # fmt: skip


def _keep_revisions(conn: Connection, city: str, changes: list[_Change]) -> None:
    if not changes:
        return
    with cursor(conn) as cur:
        cur.executemany(
            "INSERT INTO hub_point_revision (city, series_id, ts, old_num, old_received_at,"
            " new_num, new_received_at, message_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(city, *change) for change in changes],
        )


_TO_UNIX_US = 946_684_800_000_000


def _columns(rows: list[_Kept]) -> dict[str, Column]:
    return {
        "series": Column(np.array([r.series_id for r in rows], np.int64), "int4"),
        "ts": Column(np.array([r.ts for r in rows], np.int64), "timestamptz"),
        "num": Column(np.array([r.num for r in rows], np.float64), "float8"),
        "received": Column(np.array([r.received for r in rows], np.int64), "timestamptz"),
        "late": Column(np.array([r.late for r in rows], np.int8), "bool"),
    }


def _instant(stamp: int) -> datetime:
    return POSTGRES_EPOCH + timedelta(microseconds=stamp)


def raw_reading(reading: Reading) -> dict[str, Any]:
    """A reading as JSON that keeps what was sent, odd numbers as text."""
    value: Any = reading.value
    odd = isinstance(value, Decimal) or value != value or value in (np.inf, -np.inf)
    if odd or (isinstance(value, int) and abs(value) >= 2**53):
        value = str(value)
    return {
        "entity": reading.entity,
        "attribute": reading.attribute,
        "observedAt": reading.observed_at.isoformat(),
        "value": value,
        "unit": reading.unit,
    }


class QuarantineDraft(NamedTuple):
    """Something to be set aside: `raw` is any JSON value."""

    origin: str
    code: str
    ko: str
    en: str
    raw: Any
    message_id: str = ""


def quarantine_raw(
    conn: Connection, city: str, now: datetime, drafts: Sequence[QuarantineDraft]
) -> None:
    """Keep raw messages with the reason; the same one sent again is kept once."""
    rows = []
    for draft in drafts:
        body = orjson.dumps(
            [draft.origin, draft.code, draft.message_id, draft.raw], option=orjson.OPT_SORT_KEYS
        )
        # PostgreSQL's texts cannot hold NUL, which JSON can.
        raw = orjson.dumps(draft.raw).decode().replace("\\u0000", "\\ufffd")
        texts = (t.replace("\0", "\ufffd") for t in (*draft[:4], draft.message_id))
        origin, code, ko, en, message_id = texts
        mark = hashlib.sha256(body).digest()
        rows.append((mark, city, now, origin, code, ko, en, raw, message_id))
    if not rows:
        return
    rows.sort()
    columns = [list(column) for column in zip(*rows, strict=True)]
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO hub_quarantine"
            " (mark, city, received_at, origin, code, ko, en, raw, message_id)"
            " SELECT * FROM unnest(%s::bytea[], %s::text[], %s::timestamptz[], %s::text[],"
            " %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::text[])"
            " ON CONFLICT (city, mark) DO NOTHING",
            columns,
        )
