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

from onsil.core.announce import CHANNEL, payload
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.hub.arrays import instant, microseconds
from onsil.hub.rules import (
    Fault,
    closes_after,
    counter_back,
    judge_time,
    judge_value,
    limits,
    no_series,
)
from onsil.hub.series import series_by_key
from onsil.hub.steps import Ask, Steps, run
from onsil.hub.storing import Row, around, store
from onsil.hub.subscriptions.outbox import enqueue_readings
from onsil.hub.subscriptions.terms import Stored
from onsil.hub.terms import Quarantined, Reading, RecordReport, Series

LIVE_TOPIC = "readings"

_LOCK = """
SELECT count(*) FROM (SELECT FROM hub_latest WHERE city = $1 AND series_id = ANY($2::int4[])
                       ORDER BY series_id FOR UPDATE) locked
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
    origin: str | Sequence[str] = "",
) -> RecordReport:
    """Store a batch of readings by the rules of `docs/hub.md`; what fails them is quarantined.

    `origin` says where the batch came from (a device, a file), or each of its readings, for those
    who look at the quarantine.
    Nothing is dropped: each reading is stored, duplicate, corrected or quarantined.
    """
    return run(conn, record_steps(city, readings, clock.now(), origin, tell=True))


def record_steps(
    city: str,
    readings: Sequence[Reading],
    now: datetime,
    origin: str | Sequence[str] = "",
    *,
    tell: bool = False,
) -> Steps[RecordReport]:
    """`record` without a driver. `tell`: subscriptions to the entities are told."""
    if not readings:
        return RecordReport()
    keys = {(r.entity, r.attribute) for r in readings}
    known = yield from series_by_key(city, {k for k in keys if "\0" not in k[0] + k[1]})
    yield Ask(_LOCK, (city, sorted(s.id for s in known.values())))
    kept, faults = _judge(readings, known, city, now)
    kept, backwards = yield from _counters(city, kept, {s.id: s for s in known.values()})
    kept.sort()
    faults += backwards
    singles, within, repeated = _merge_batch(kept, readings)
    stored = late = 0
    changes: list[_Change] = []
    if singles:
        done = yield from store(city, singles)
        stored, late = done.new, done.late
        changes = [_change(singles[o.place], o.num, o.received_at, readings)
                   for o in done.overwritten]  # fmt: skip
    # In the batch's own order, so that the history of a value reads as it happened.
    yield from _keep_revisions(city, [*changes, *within])
    refused = [Quarantined(i, f.code, f.ko, f.en, readings[i]) for i, f in sorted(faults)]
    yield from quarantine(
        city, now,
        [QuarantineDraft(origin if isinstance(origin, str) else origin[q.index], q.code, q.ko, q.en,
                         raw_reading(q.reading), q.reading.message_id) for q in refused],
    )  # fmt: skip
    corrected = len(changes) + len(within)
    duplicate = len(singles) - stored - len(changes) + repeated
    if stored or corrected:
        told = payload(city, LIVE_TOPIC, {"stored": stored, "corrected": corrected})
        yield Ask("SELECT pg_notify($1, $2)", (CHANNEL, told))
        if tell:
            yield from enqueue_readings(city, now, lambda: _newest(singles, readings))
    return RecordReport(stored, duplicate, corrected, late, refused)


def _newest(rows: Sequence[Row], readings: Sequence[Reading]) -> list[Stored]:
    """The last of each series' points; rows come by series and time."""
    last = {row.series_id: row.index for row in rows}
    return [
        Stored(one.entity, one.attribute, one.observed_at)
        for one in (readings[index] for index in last.values())
    ]


def _judge(
    readings: Sequence[Reading], known: dict[tuple[str, str], Series], city: str, now: datetime
) -> tuple[list[Row], list[tuple[int, Fault]]]:
    kept: list[Row] = []
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
        kept.append(Row(series.id, ts, index, num, arrived_us, late))
    return kept, faults


def _counters(
    city: str, kept: list[Row], series: dict[int, Series]
) -> Steps[tuple[list[Row], list[tuple[int, Fault]]]]:
    """Set aside totals below the one before them or above the one after them."""
    counters = {s.id for s in series.values() if s.kind == "counter"}
    if not counters:
        return kept, []
    mine = sorted(k for k in kept if k.series_id in counters)
    neighbours = yield from around(city, mine)
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
