"""Aggregated evolution out of the database: roll-ups inside, points at the edges (§4.5.19).

Hours that lie whole in one bucket are told by their roll-up; hours that a bucket's edge cuts are
read point by point. So the answer is exact whatever the period's phase, and a year costs no more
than its hours.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from onsil.core.periods import Period
from onsil.hub.arrays import Column, instant, microseconds, stamp_texts
from onsil.hub.documents import VALUE_KEYS
from onsil.hub.lake.spanning import vectors
from onsil.hub.steps import Ask, Steps
from onsil.hub.temporal.aggregation import (
    FROM_ROLLUPS,
    Answers,
    Parts,
    from_numbers,
    from_parts,
    from_values,
    parts_of,
    triples,
)
from onsil.hub.temporal.asking import Aggregation, TemporalQuery
from onsil.hub.temporal.durations import Buckets, buckets
from onsil.hub.temporal.finding import Hit
from onsil.hub.temporal.instances import RECORDED, SCOPE
from onsil.hub.temporal.reading import (
    Evolution,
    Range,
    Seen,
    SeriesOf,
    point_period,
    read_range,
    series_behind,
)

_HOUR_US = 3_600_000_000
_HOUR = timedelta(hours=1)
_ROLLED = """
SELECT series_id, array_send(array_agg(hour)), array_send(array_agg(count::float8)),
       array_send(array_agg(total)), array_send(array_agg(minimum)),
       array_send(array_agg(maximum))
  FROM hub_rollup WHERE city = $1 AND series_id = ANY($2::int4[]) AND hour >= $3 AND hour < $4
 GROUP BY series_id
"""
_EDGES = """
SELECT p.series_id, p.ts, p.num FROM unnest($3::timestamptz[]) AS h(hour)
  JOIN hub_point p ON p.city = $1 AND p.series_id = ANY($2::int4[])
   AND p.ts >= h.hour AND p.ts < h.hour + interval '1 hour' AND p.ts >= $4 AND p.ts < $5
"""
_HEADER = 20
_STAMP = np.dtype([("size", ">i4"), ("value", ">i8")])
_DOUBLE = np.dtype([("size", ">i4"), ("value", ">f8")])


def aggregate(
    city: str, hits: Sequence[Hit], query: TemporalQuery, wanted: Aggregation,
    attrs: Sequence[str] | None, datasets: frozenset[str] | None, zone: ZoneInfo | None = None,
) -> Steps[list[dict[str, Any]]]:  # fmt: skip
    """For each entity, its attributes' answers: {IRI: one object, or several with datasetId}.

    Attributes to which no method applies have an empty list. Raises DurationError when the range
    is cut into too many periods.
    """
    teids = [hit.known.teid for hit in hits]
    series = yield from series_behind(city, teids, attrs)
    if datasets is not None and "@none" not in datasets:
        series = []
    rows = yield from _rows(city, teids, query, attrs)
    for evolution in rows.values():
        for key, seen in evolution.items():  # what a registered series holds too counts there
            evolution[key] = [one for one in seen if not one.instance.get(RECORDED)]
    quick = FROM_ROLLUPS.issuperset(wanted.methods) and query.timeproperty == "observedAt"
    quick = quick and not any(hit.periods for hit in hits)
    rolled: dict[int, Rolled] = {}
    if quick:
        rolled = yield from _rolled(city, series, query)
        first, last = yield from _extent(city, series, query, wanted, rolled)
        points: dict[int, Any] = {}
    else:
        points = yield from _all_points(city, series, query)
        first = min((int(v[0].min()) for v in points.values()), default=None)
        last = max((int(v[0].max()) for v in points.values()), default=None)
    made = []
    for hit in hits:
        evolution = hit.narrowed(rows.get(hit.known.teid, {}), datasets)
        mine = [one for one in series if one.teid == hit.known.teid]
        times = [seen.at for group in evolution.values() for seen in group]
        if not quick:
            for one in mine:
                times += points[one.id][0].tolist() if one.id in points else []
        cut = _buckets(query, wanted, times, (first, last) if quick and mine else None, zone)
        if cut is None:
            made.append({})
            continue
        sums = (yield from _sums(city, mine, rolled, query, cut)) if quick else {}
        made.append(_answers(hit, evolution, mine, sums, points, wanted, cut))
    return made


def _buckets(
    query: TemporalQuery, wanted: Aggregation, times: Sequence[int],
    extent: tuple[int | None, int | None] | None, zone: ZoneInfo | None,
) -> Buckets | None:  # fmt: skip
    """The buckets from where the range begins, or its first instance, to its last one."""
    known = list(times)
    if extent is not None:
        known += [one for one in extent if one is not None]
    if not known:
        return None
    start = query.at if query.relation in ("after", "between") else instant(min(known))
    whole = wanted.duration.whole and query.relation in ("before", "between")
    end = query.end if whole else instant(max(known) + (0 if wanted.duration.whole else 1))
    return buckets(wanted.duration, start, end, zone)


def _rows(
    city: str, teids: Sequence[int], query: TemporalQuery, attrs: Sequence[str] | None
) -> Steps[dict[int, Evolution]]:
    """Instances that are rows of their own; points come by another way."""
    found = yield from read_range(city, teids, Range(query, attrs, points=False))
    return {
        teid: {key: series for key, series in evolution.items() if key[0] != SCOPE}
        for teid, evolution in found.items()
    }


class Rolled(NamedTuple):
    """A series' roll-ups that touch the range; hours in µs since 2000-01-01 UTC."""

    hours: np.ndarray
    count: np.ndarray
    total: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray


def _rolled(
    city: str, series: Sequence[SeriesOf], query: TemporalQuery
) -> Steps[dict[int, Rolled]]:
    period = point_period(query)
    if not series or period is None:
        return {}
    ids = [one.id for one in series]
    rows = yield Ask(_ROLLED, (city, ids, period.start - _HOUR, period.end))
    made = {}
    for number, hours, *rest in rows:
        columns = (np.frombuffer(c, _DOUBLE, offset=_HEADER)["value"].astype(float) for c in rest)
        stamps = np.frombuffer(hours, _STAMP, offset=_HEADER)["value"].astype(np.int64)
        made[number] = Rolled(stamps, *columns)
    return made


def _extent(
    city: str, series: Sequence[SeriesOf], query: TemporalQuery, wanted: Aggregation,
    rolled: Mapping[int, Rolled],
) -> Steps[tuple[int | None, int | None]]:  # fmt: skip
    """The first and last instants of these series' points in the range; by the hour where the
    buckets do not depend on them."""
    period = point_period(query)
    if not rolled or period is None:
        return None, None
    low = min(int(one.hours.min()) for one in rolled.values())
    high = max(int(one.hours.max()) for one in rolled.values())
    if query.relation in ("after", "between") and not wanted.duration.whole:
        return max(low, microseconds(period.start)), high + _HOUR_US - 1
    ids = [one.id for one in series]
    hours = [Period(instant(hour), instant(hour) + _HOUR) for hour in (low, high)]
    edges = []
    for hour in hours:
        edges.append((yield from vectors(city, ids, _overlap(hour, period))))
    if not all(any(len(v) for v in edge.values()) for edge in edges):
        # An edge hour's points lie outside of the range.
        edges = [(yield from vectors(city, ids, period))] * 2
    starts = [int(v.ts[0]) for v in edges[0].values() if len(v)]
    ends = [int(v.ts[-1]) for v in edges[1].values() if len(v)]
    return min(starts, default=None), max(ends, default=None)


def _overlap(first: Period, second: Period) -> Period:
    start, end = max(first.start, second.start), min(first.end, second.end)
    return Period(start, max(end, start + timedelta(microseconds=1)))


def _all_points(
    city: str, series: Sequence[SeriesOf], query: TemporalQuery
) -> Steps[dict[int, Any]]:
    """(times, values) of every point in the range, by the time property asked for."""
    period = point_period(query)
    if not series or query.timeproperty == "deletedAt":
        return {}
    ids = [one.id for one in series]
    if query.timeproperty == "observedAt":
        found = yield from vectors(city, ids, period) if period else _none()
        return {number: (v.ts, v.num) for number, v in found.items() if len(v)}
    wanted = Range(query)
    found = yield from vectors(city, ids, wanted.ever, received=True)
    first, last = microseconds(query.at), microseconds(query.end)
    made = {}
    for number, v in found.items():
        keep = (v.received >= first) & (v.received < last)
        if keep.any():
            made[number] = (v.received[keep], v.num[keep])
    return made


def _none() -> Steps[dict[int, Any]]:
    return {}
    yield  # a generator, like its alternative


def _sums(
    city: str, series: Sequence[SeriesOf], rolled: Mapping[int, Rolled], query: TemporalQuery,
    cut: Buckets,
) -> Steps[dict[int, list[Parts]]]:  # fmt: skip
    """Sums of each series by bucket: whole hours from roll-ups, the others from points."""
    period = point_period(query)
    if not series or period is None:
        return {}
    first, last = microseconds(period.start), microseconds(period.end)
    made: dict[int, list[Parts]] = {}
    partial: set[int] = set()
    for number in (one.id for one in series if one.id in rolled):
        hours = rolled[number].hours
        place = cut.place(hours)
        whole = (hours >= first) & (hours + _HOUR_US <= last)
        whole &= place == cut.place(hours + _HOUR_US - 1)
        partial.update(hours[~whole].tolist())
        count, total, minimum, maximum = (column[whole] for column in rolled[number][1:])
        parts = Parts(place[whole], count.astype(np.int64), total, minimum, maximum)
        made.setdefault(number, []).append(parts)
    if partial:
        ids = [one.id for one in series]
        for number, parts in (yield from _edges(city, ids, sorted(partial), period, cut)).items():
            made.setdefault(number, []).append(parts)
    return made


_MANY = 500


def _edges(
    city: str, ids: Sequence[int], hours: list[int], period: Period, cut: Buckets
) -> Steps[dict[int, Parts]]:
    """Points of hours that an edge cuts, one part each."""
    span = _overlap(Period(instant(hours[0]), instant(hours[-1]) + _HOUR), period)
    dense = len(hours) > _MANY or (hours[-1] - hours[0]) // _HOUR_US < 2 * len(hours)
    cold = yield Ask("SELECT EXISTS (SELECT FROM hub_lake_file WHERE city = $1)", (city,))
    if dense or cold[0][0]:
        found = yield from vectors(city, ids, span)
        keep = np.array(hours, np.int64)
        made = {}
        for number, v in found.items():
            chosen = v.at(np.isin(v.ts // _HOUR_US * _HOUR_US, keep))
            made[number] = parts_of(cut.place(chosen.ts), chosen.num)
        return made
    column = Column(np.array(hours, np.int64), "timestamptz")
    rows = yield Ask(_EDGES, (city, list(ids), column, period.start, period.end))
    by_series: dict[int, list[tuple[int, float]]] = {}
    for number, ts, num in rows:
        by_series.setdefault(number, []).append((microseconds(ts), num))
    return {
        number: parts_of(
            cut.place(np.array([ts for ts, _ in found], np.int64)),
            np.array([num for _, num in found], np.float64),
        )
        for number, found in by_series.items()
    }


def _answers(
    hit: Hit, evolution: Evolution, mine: Sequence[SeriesOf], sums: Mapping[int, list[Parts]],
    points: Mapping[int, Any], wanted: Aggregation, cut: Buckets,
) -> dict[str, Any]:  # fmt: skip
    """One entity's attributes, aggregated."""
    edges = stamp_texts(cut.edges)
    keys = {*evolution, *((one.iri, "") for one in mine)}
    made: dict[str, list[dict[str, Any]]] = {}
    for iri, dataset in sorted(keys):
        behind = [] if dataset else [one for one in mine if one.iri == iri]
        seen = evolution.get((iri, dataset), [])
        parts = [part for one in behind for part in sums.get(one.id, [])]
        vectors_ = [points[one.id] for one in behind if one.id in points]
        if hit.periods is not None:
            vectors_ = [_inside(hit.periods, *vector) for vector in vectors_]
        kind, answers = _attribute(seen, parts, vectors_, wanted, cut)
        answers = {method: by_bucket for method, by_bucket in answers.items() if by_bucket}
        found = made.setdefault(iri, [])
        if not answers:
            continue
        one: dict[str, Any] = {"type": kind}
        if dataset:
            one["datasetId"] = dataset
        found.append(one | triples(answers, edges))
    return {iri: found[0] if len(found) == 1 else found for iri, found in made.items()}


def _inside(periods: Sequence[tuple[int, int]], ts: np.ndarray, num: np.ndarray) -> Any:
    keep = np.zeros(len(ts), bool)
    for start, end in periods:
        keep |= (ts >= start) & (ts < end)
    return ts[keep], num[keep]


def _attribute(
    seen: Sequence[Seen], parts: list[Parts], found: list[Any], wanted: Aggregation, cut: Buckets
) -> tuple[str, dict[str, Answers]]:
    """One attribute instance's answers by method."""
    kind = seen[0].instance["type"] if seen else "Property"
    values = [s.instance.get(VALUE_KEYS[s.instance["type"]]) for s in seen]
    place = cut.place(np.array([s.at for s in seen], np.int64)) if seen else np.empty(0, np.int64)
    numeric = kind == "Property" and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values
    )
    if not numeric:
        for ts, num in found:
            place = np.concatenate([place, cut.place(ts)])
            values += num.tolist()
        return kind, from_values(wanted.methods, kind, place.tolist(), values)
    numbers = np.array(values, np.float64)
    if parts or not found:
        every = [*parts, parts_of(place, numbers)] if len(numbers) else parts
        if FROM_ROLLUPS.issuperset(wanted.methods):
            return kind, from_parts(wanted.methods, every) if every else {}
    for ts, num in found:
        place = np.concatenate([place, cut.place(ts)])
        numbers = np.concatenate([numbers, num])
    return kind, from_numbers(wanted.methods, place, numbers) if len(numbers) else {}
