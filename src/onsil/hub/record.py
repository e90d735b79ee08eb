"""Recording readings: one batch, one transaction, one rule for each thing that can be odd.

The latest-point rows of a batch's series are locked in the order of their numbers before anything
is written. So writers of the same series stand in line, each sees what the one before has done, and
no two can wait for each other. Callers record one batch a transaction.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import orjson

from onsil.core.announce import CHANNEL, payload
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.hub.arrays import Column, instant, microseconds
from onsil.hub.remembered import Remembered, Ruled
from onsil.hub.rules import (
    CLOCK_TOLERANCE,
    Fault,
    counter_back,
    judge_time,
    judge_value,
    no_series,
)
from onsil.hub.steps import Ask, Steps, run
from onsil.hub.storing import Block, Row, around, store
from onsil.hub.subscriptions.outbox import enqueue_readings
from onsil.hub.subscriptions.terms import Stored
from onsil.hub.terms import Quarantined, Reading, RecordReport

LIVE_TOPIC = "readings"

# Locks in the order given; tells the series that may hold points as new as the batch's first.
_LOCK = """
SELECT t.series_id
  FROM unnest($2::int4[], $3::timestamptz[]) AS t(series_id, first)
  LEFT JOIN LATERAL (SELECT true AS there, ts FROM hub_latest
                      WHERE city = $1 AND series_id = t.series_id FOR UPDATE OFFSET 0) l ON true
 WHERE l.there IS NULL OR l.ts >= t.first
"""

_KEEP = """
INSERT INTO hub_point_revision (city, series_id, ts, old_num, old_received_at, new_num,
                                new_received_at, message_id)
SELECT $1, t.* FROM unnest($2::int4[], $3::timestamptz[], $4::float8[], $5::timestamptz[],
                           $6::float8[], $7::timestamptz[], $8::text[]) AS t
"""

_QUARANTINE = """
INSERT INTO hub_quarantine (city, received_at, mark, origin, code, ko, en, raw, message_id)
SELECT $1, $2, decode(mark, 'hex'), origin, code, ko, en, raw, message_id
  FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::text[])
       AS t(mark, origin, code, ko, en, raw, message_id)
ON CONFLICT (city, mark) DO NOTHING
"""


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
    origin: str | Callable[[int], str] = "",
    remembered: Remembered | None = None,
) -> RecordReport:
    """Store a batch of readings by the rules of `docs/hub.md`; what fails them is quarantined.

    `origin` says where the batch came from (a device, a file), or the reading at a place in it, for
    those who look at the quarantine. `remembered` is for who records batch after batch.
    Nothing is dropped: each reading is stored, duplicate, corrected or quarantined.
    """
    now = clock.now()
    return run(conn, record_steps(city, readings, now, origin, tell=True, remembered=remembered))


def record_steps(
    city: str,
    readings: Sequence[Reading],
    now: datetime,
    origin: str | Callable[[int], str] = "",
    *,
    tell: bool = False,
    remembered: Remembered | None = None,
) -> Steps[RecordReport]:
    """`record` without a driver. `tell`: subscriptions to the entities are told."""
    if not readings:
        return RecordReport()
    remembered = remembered or Remembered()
    known = yield from remembered.series(city, {reading[:2] for reading in readings})
    block, faults, counters = _judge(readings, known, city, now)
    behind = yield from _lock(city, block)
    within: list[_Change] = []
    repeated = 0
    if counters or _has_twins(block):
        kept, backwards = yield from _counters(city, block.rows(), counters)
        faults += backwards
        singles, within, repeated = _merge_batch(kept, readings)
        block = Block.of(singles)
    stored = late = 0
    changes: list[_Change] = []
    if len(block.series):
        done = yield from store(city, block, behind=behind, remembered=remembered)
        stored, late = done.new, done.late
        changes = [_change(block.row(o.place), o.num, o.received_at, readings)
                   for o in done.overwritten]  # fmt: skip
    # In the batch's own order, so that the history of a value reads as it happened.
    yield from _keep_revisions(city, [*changes, *within])
    refused = [Quarantined(i, f.code, f.ko, f.en, readings[i]) for i, f in sorted(faults)]
    yield from quarantine(
        city, now,
        [QuarantineDraft(origin if isinstance(origin, str) else origin(q.index), q.code, q.ko, q.en,
                         raw_reading(q.reading), q.reading.message_id) for q in refused],
    )  # fmt: skip
    corrected = len(changes) + len(within)
    duplicate = len(block.series) - stored - len(changes) + repeated
    if stored or corrected:
        told = payload(city, LIVE_TOPIC, {"stored": stored, "corrected": corrected})
        yield Ask("SELECT pg_notify($1, $2)", (CHANNEL, told))
        if tell:
            yield from enqueue_readings(city, now, lambda: _newest(block, readings))
    return RecordReport(stored, duplicate, corrected, late, refused)


def _lock(city: str, block: Block) -> Steps[list[int]]:
    """Put this writer in line; the series that are not surely behind the block's points."""
    if not len(block.series):
        return []
    firsts = block.firsts()
    series, ts = block.series[firsts], block.ts[firsts]
    rows = yield Ask(_LOCK, (city, Column(series, "int4"), Column(ts, "timestamptz")))
    return [row[0] for row in rows]


def _newest(block: Block, readings: Sequence[Reading]) -> list[Stored]:
    """The last of each series' points."""
    chosen = (readings[index] for index in block.index[block.lasts()].tolist())
    return [Stored(one.entity, one.attribute, one.observed_at) for one in chosen]


def _judge(
    readings: Sequence[Reading], known: Mapping[tuple[str, str], Ruled], city: str, now: datetime
) -> tuple[Block, list[tuple[int, Fault]], dict[int, Ruled]]:
    """What passes, in order of series and time; what does not; the counters among the series."""
    series: list[int] = []
    stamps: list[int] = []
    places: list[int] = []
    nums: list[float] = []
    arrivals: list[int] = []
    closes: list[int] = []
    faults: list[tuple[int, Fault]] = []
    counters: dict[int, Ruled] = {}
    latest, now_us = microseconds(now + CLOCK_TOLERANCE), microseconds(now)
    # The readings of a message share their times: each is counted once.
    at: datetime | None = None
    arrived, at_us, arrived_us = now, 0, now_us
    for place, reading in enumerate(readings):
        entity, attribute, observed, value, unit, received, _ = reading
        one = known.get((entity, attribute))
        if one is None:
            faults.append((place, no_series(reading, city)))
            continue
        if observed is not at:
            at, at_us = observed, -1 if observed.tzinfo is None else microseconds(observed)
        if not 0 <= at_us <= latest:
            fault = judge_time(observed, now)
            assert fault is not None
            faults.append((place, fault))
            continue
        plain = (type(value) is float or type(value) is int) and (not unit or unit == one.unit)
        if not (plain and one.low <= value <= one.high):
            judged = judge_value(reading, one.series, *one.limits)
            if isinstance(judged, Fault):
                faults.append((place, judged))
                continue
            value = judged
        if received is not arrived:
            received = received or now
            arrived, arrived_us = received, microseconds(received)
        if one.series.kind == "counter":
            counters[one.id] = one
        series.append(one.id)
        stamps.append(at_us)
        places.append(place)
        nums.append(value)  # pyright: ignore[reportArgumentType]
        arrivals.append(arrived_us)
        closes.append(one.closes_us)
    ts = np.array(stamps, np.int64)
    arrival = np.array(arrivals, np.int64)
    late = arrival > ts + np.array(closes, np.int64)
    block = Block(
        np.array(series, np.int64), ts, np.array(places, np.int64), np.array(nums, np.float64),
        arrival, late.astype(np.int8),
    )  # fmt: skip
    return block.at(np.lexsort((block.index, ts, block.series))), faults, counters


def _has_twins(block: Block) -> bool:
    """Whether two rows have the same series and time."""
    return bool(np.any(
        (block.series[1:] == block.series[:-1]) & (block.ts[1:] == block.ts[:-1])
    ))  # fmt: skip


def _counters(
    city: str, kept: list[Row], counters: Mapping[int, Ruled]
) -> Steps[tuple[list[Row], list[tuple[int, Fault]]]]:
    """Set aside totals below the one before them or above the one after them."""
    if not counters:
        return kept, []
    mine = sorted(k for k in kept if k.series_id in counters)
    neighbours = yield from around(city, mine)
    faults: list[tuple[int, Fault]] = []
    running: dict[int, float] = {}
    for one, (before, after) in zip(mine, neighbours, strict=True):
        floor = max((v for v in (before, running.get(one.series_id)) if v is not None), default=0.0)
        unit = counters[one.series_id].unit
        if one.num < floor:
            faults.append((one.index, counter_back(one.num, floor, unit)))
        elif after is not None and one.num > after:
            faults.append((one.index, counter_back(after, one.num, unit)))
        else:
            running[one.series_id] = one.num
    gone = {index for index, _ in faults}
    return [k for k in kept if k.index not in gone], faults


def _merge_batch(
    kept: list[Row], readings: Sequence[Reading]
) -> tuple[list[Row], list[_Change], int]:
    """One row for each series and time: the batch's last word, the words before it as revisions."""
    singles: list[Row] = []
    within: list[_Change] = []
    repeated = 0
    for one in kept:
        last = singles[-1] if singles else None
        if last is None or (one.series_id, one.ts) != (last.series_id, last.ts):
            singles.append(one)
        elif one.num == last.num:
            repeated += 1
        else:
            within.append(_change(one, last.num, instant(last.received), readings))
            singles[-1] = one._replace(late=last.late)
    return singles, within, repeated


def _change(
    row: Row, old_num: float, old_received: datetime, readings: Sequence[Reading]
) -> _Change:
    return _Change(
        row.series_id, instant(row.ts), old_num, old_received, row.num,
        instant(row.received), readings[row.index].message_id,
    )  # fmt: skip


def _keep_revisions(city: str, changes: list[_Change]) -> Steps[None]:
    if changes:
        yield Ask(_KEEP, (city, *(list(column) for column in zip(*changes, strict=True))))


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
    run(conn, quarantine(city, now, drafts))


def quarantine(city: str, now: datetime, drafts: Sequence[QuarantineDraft]) -> Steps[None]:
    """`quarantine_raw` without a driver."""
    rows = []
    for draft in drafts:
        body = orjson.dumps(
            [draft.origin, draft.code, draft.message_id, draft.raw], option=orjson.OPT_SORT_KEYS
        )
        # PostgreSQL's texts cannot hold NUL, which JSON can.
        raw = orjson.dumps(draft.raw).decode().replace("\\u0000", "\\ufffd")
        texts = (t.replace("\0", "\ufffd") for t in (*draft[:4], draft.message_id))
        origin, code, ko, en, message_id = texts
        mark = hashlib.sha256(body).hexdigest()
        rows.append((mark, origin, code, ko, en, raw, message_id))
    if rows:
        rows.sort()
        yield Ask(_QUARANTINE, (city, now, *(list(column) for column in zip(*rows, strict=True))))
