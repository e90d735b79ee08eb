"""What is asked of the lake, written once in Ibis for every engine.

Whole numbers only: no floats, whose sums differ from run to run; no time zones, on which engines
differ. Local days and months come as bounds in quarter-hours since 1970 UTC, worked out in Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import pyarrow as pa

from onsil.core.periods import Period
from onsil.footprint.aggregates.engines import Engine
from onsil.hub.lake.place import LakeFile
from onsil.hub.lake.place import span as span_of

SLOT_S = 900
_POINTS = ("series_id", "slot", "after_us")


@dataclass(frozen=True)
class Span:
    """A period cut into parts: `bounds[i]` to `bounds[i + 1]`, in slots of 900 s since 1970 UTC."""

    bounds: tuple[int, ...]

    @property
    def first(self) -> int:
        return self.bounds[0]

    @property
    def last(self) -> int:
        return self.bounds[-1]


@dataclass(frozen=True)
class Measure:
    """The column that is added up and how many of its units make one of the series' own.

    `milli` is whole thousandths; `value` a decimal of twelve places, slower, for finer readings.
    """

    column: str
    scale: int


MILLI, VALUE = Measure("milli", 1000), Measure("value", 1)


def slots_of(period: Period) -> tuple[int, int]:
    """A period's first slot and the one after its last. It begins and ends at quarter-hours."""
    first, rest = divmod(int(period.start.timestamp()), SLOT_S)
    after, beyond = divmod(int(period.end.timestamp()), SLOT_S)
    assert not rest
    assert not beyond
    return first, after


def per_meter_and_part(
    engine: Engine, files: Sequence[LakeFile], meters: pa.Table, span: Span, measure: Measure
) -> Any:
    """One row a meter and part of the period that has any reading.

    `meters` has `series_id` and `ceiling`, the most an interval may hold, in the measure's units.
    Columns: `series_id`, `part` (the place in `span`), `readings`, `on_time` (those at the start of
    an interval), and of these `unread` (no exact value), `negative`, `above`; `total` is the sum of
    the rest in the measure's units.
    """
    points = _points(engine, files, span, measure)
    judged = points.join(ibis.memtable(meters), "series_id")
    amount, zero = judged[measure.column], ibis.literal(0).cast(judged[measure.column].type())
    on_time = judged.after_us == 0
    negative, above = on_time & (amount < zero), on_time & (amount > judged.ceiling)
    used = on_time & (amount >= zero) & (amount <= judged.ceiling)
    return judged.group_by("series_id", "part").agg(
        readings=judged.count(),
        on_time=_count(on_time),
        unread=_count(on_time & amount.isnull()),
        negative=_count(negative),
        above=_count(above),
        total=ibis.ifelse(used, amount, zero).sum(),
    )


def _count(condition: Any) -> Any:
    return ibis.ifelse(condition, 1, 0).sum()


def _points(engine: Engine, files: Sequence[LakeFile], span: Span, measure: Measure) -> Any:
    """The points in the span, each month's under the revisions that came on top of it."""
    months: dict[Any, list[LakeFile]] = {}
    for file in files:
        months.setdefault(file.month, []).append(file)
    tables = [_month(engine, revisions, span, measure) for revisions in months.values()]
    return reduce(lambda left, right: left.union(right), tables)


def _month(engine: Engine, revisions: list[LakeFile], span: Span, measure: Measure) -> Any:
    columns = (*_POINTS, measure.column)
    tables = [engine.read([file.place]).select(*columns) for file in revisions]
    whole = tables[0]
    for later in tables[1:]:
        # What a later revision says of an instant stands in the place of what was said before.
        whole = whole.anti_join(later, list(_POINTS)).union(later)
    first, after = slots_of(span_of(revisions[0].month))
    if first < span.first:
        whole = whole.filter(whole.slot >= span.first)
    if after > span.last:
        whole = whole.filter(whole.slot < span.last)
    return whole.select(
        "series_id", "after_us", measure.column, part=_part(whole.slot, span, first, after)
    )


def _part(slot: Any, span: Span, first: int, after: int) -> Any:
    """The part a slot belongs to, by halving; only parts that meet [first, after) are asked for."""
    meeting = [
        part
        for part, (begins, ends) in enumerate(zip(span.bounds, span.bounds[1:], strict=False))
        if begins < after and ends > first
    ]

    def among(parts: list[int]) -> Any:
        if len(parts) == 1:
            return ibis.literal(parts[0], "int32")
        middle = len(parts) // 2
        return ibis.ifelse(
            slot < span.bounds[parts[middle]], among(parts[:middle]), among(parts[middle:])
        )

    return among(meeting)
