"""Measuring a data set's quality on one day, from what the hub holds; kept and read by day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from onsil.core.periods import Period
from onsil.hub.datasets.content import ENTITIES_MAX, entities_of, series_of_dataset
from onsil.hub.datasets.quality import (
    Indicator,
    Part,
    expected_of,
    indicators,
    part,
    references,
    required_parts,
    unique_entities,
)
from onsil.hub.datasets.registry import Dataset
from onsil.hub.documents import Document
from onsil.hub.steps import Ask, Steps
from onsil.hub.terms import Series

# Whether the sensor behind (entity, attribute) may be trusted; who is not named is not watched.
Trust = Mapping[tuple[str, str], bool]
# Why a reading was set aside that speaks against its value; not who it was for.
INVALID = (
    "observed-in-future", "observed-too-early", "no-zone", "not-a-number", "out-of-range",
    "negative-energy", "counter-back", "unknown-unit", "wrong-dimension",
)  # fmt: skip
MEASURED_FOR = timedelta(days=400)  # a measurement older than this is not told any more
_RECEIVED = """
SELECT s.series_id,
       coalesce(sum(least(r.count, ceil(3600.0 / s.interval_s)))
                FILTER (WHERE r.count > 0), 0)::bigint,
       coalesce(sum(r.count), 0)::bigint,
       EXISTS (SELECT FROM hub_rollup b WHERE b.city = $1 AND b.series_id = s.series_id
                  AND b.hour < $4)
  FROM hub_series s LEFT JOIN hub_rollup r ON r.city = $1 AND r.series_id = s.series_id
   AND r.hour >= $3 AND r.hour < $4
 WHERE s.city = $1 AND s.series_id = ANY($2::int[]) GROUP BY s.series_id, s.interval_s
"""
_SET_ASIDE = """
SELECT count(*) FROM hub_quarantine q
 WHERE q.city = $1 AND q.received_at >= $2 AND q.received_at < $3 AND q.code = ANY($4::text[])
   AND (q.raw ->> 'entity', q.raw ->> 'attribute')
       IN (SELECT * FROM unnest($5::text[], $6::text[]))
"""
_CHECKED = """
SELECT count(*) FILTER (WHERE findings = '[]'::jsonb), count(*) FROM (
  SELECT DISTINCT ON (uri) findings FROM hub_verification
   WHERE city = $1 AND model = $2 AND uri = ANY($3::text[]) AND since < $4
   ORDER BY uri, since DESC) newest
"""
_CORRECTED = """
SELECT count(DISTINCT (series_id, ts)) FROM hub_point_revision
 WHERE city = $1 AND series_id = ANY($2::int[]) AND ts >= $3 AND ts < $4
"""
_THERE = "SELECT uri FROM hub_entity WHERE city = $1 AND uri = ANY($2::text[])"
_KEEP = """
INSERT INTO hub_dataset_quality
  (city, dataset_id, day, indicator, part, good, total, measured_at)
SELECT $1, $2, $3::date, t.indicator, t.part, t.good, t.total, $4
  FROM unnest($5::text[], $6::text[], $7::bigint[], $8::bigint[])
    AS t(indicator, part, good, total)
"""
_READ = """
SELECT dataset_id, day, indicator, part, good, total FROM hub_dataset_quality
 WHERE city = $1 AND day >= $2::date AND ($3 = '' OR dataset_id = $3) ORDER BY 1, 2, 3, 4
"""


def measure(
    city: str, dataset: Dataset, day: Period, now: datetime, trust: Trust | None = None
) -> Steps[list[Part]]:
    """The parts of every indicator that can be measured of a data set on a day."""
    documents = yield from entities_of(city, dataset, ENTITIES_MAX, now)
    series = yield from series_of_dataset(city, dataset, documents)
    received = yield from _received(city, series, day)
    stored = sum(count for _, count in received.values())
    found = yield from _readings(city, series, day, received, stored)
    model = dataset.data_model
    required = [one.iri for one in model.attributes if one.required]
    found += part("completeness", "attributes", *required_parts(documents, required))
    uris = [one.uri for one in documents]
    ((fit, checked),) = yield Ask(_CHECKED, (city, dataset.model, uris, day.end))
    found += part("validity", "entities", fit, checked)
    watched = [
        (trust or {})[one.entity, one.attribute] for one in series
        if received.get(one.id, (0, 0))[1] and (one.entity, one.attribute) in (trust or {})
    ]  # fmt: skip
    found += part("accuracy", "sensors", sum(watched), len(watched))
    found += part("uniqueness", "entities", *unique_entities(documents))
    found += part("consistency", "references", *(yield from _references(city, documents)))
    return found


def _readings(
    city: str, series: Sequence[Series], day: Period, received: Mapping[int, tuple[int, int]],
    stored: int,
) -> Steps[list[Part]]:  # fmt: skip
    """What the readings of the day say."""
    if not received:
        return []
    hours = (day.end - day.start) // timedelta(hours=1)
    known = [one for one in series if one.id in received]
    wanted = {one.id: expected_of(one.interval_s, hours) for one in known}
    there = sum(min(received[one.id][0], wanted[one.id]) for one in known)
    found = part("completeness", "readings", there, sum(wanted.values()))
    entities, attributes = [one.entity for one in known], [one.attribute for one in known]
    ((aside,),) = yield Ask(
        _SET_ASIDE, (city, day.start, day.end, list(INVALID), entities, attributes)
    )
    found += part("validity", "readings", stored, stored + aside)
    ids = [one.id for one in known]
    ((corrected,),) = yield Ask(_CORRECTED, (city, ids, day.start, day.end))
    found += part("consistency", "readings", max(0, stored - corrected), stored)
    return found


def _received(
    city: str, series: Sequence[Series], day: Period
) -> Steps[dict[int, tuple[int, int]]]:
    """Of each series that had a value by the day's end: values that were expected, and all."""
    if not series:
        return {}
    rows = yield Ask(_RECEIVED, (city, [one.id for one in series], day.start, day.end))
    slow = {one.id for one in series if one.interval_s > 3600}
    return {
        id: (every if id in slow else capped, every) for id, capped, every, begun in rows if begun
    }


def _references(city: str, documents: Sequence[Document]) -> Steps[tuple[int, int]]:
    named = references(documents)
    if not named:
        return 0, 0
    rows = yield Ask(_THERE, (city, sorted(set(named))))
    there = {uri for (uri,) in rows}
    return sum(uri in there for uri in named), len(named)


def keep_quality(
    city: str, id: str, day: date, parts: Sequence[Part], now: datetime
) -> Steps[None]:
    """Keep what was measured of a day, in place of what was measured of it before."""
    yield Ask("DELETE FROM hub_dataset_quality WHERE city = $1 AND dataset_id = $2"
              " AND day = $3::date", (city, id, day))  # fmt: skip
    columns: list[list[Any]] = [
        [one.indicator for one in parts], [one.name for one in parts],
        [one.good for one in parts], [one.total for one in parts],
    ]  # fmt: skip
    if parts:
        yield Ask(_KEEP, (city, id, day, now, *columns))


def quality_by_day(
    city: str, since: date, id: str = ""
) -> Steps[dict[str, dict[date, list[Indicator]]]]:
    """The five indicators of data sets (or just one) by day, for the days that were measured."""
    rows = yield Ask(_READ, (city, since, id))
    parts: dict[str, dict[date, list[Part]]] = {}
    for dataset, day, indicator, name, good, total in rows:
        made = Part(indicator, name, good, total)
        parts.setdefault(dataset, {}).setdefault(day, []).append(made)
    return {
        dataset: {day: indicators(found) for day, found in days.items()}
        for dataset, days in parts.items()
    }


def last_measured(city: str, id: str) -> Steps[date | None]:
    """The newest day of a data set that was measured."""
    rows = yield Ask(
        "SELECT max(day) FROM hub_dataset_quality WHERE city = $1 AND dataset_id = $2", (city, id)
    )
    return rows[0][0]


def newest_value(city: str, dataset: Dataset, now: datetime) -> Steps[datetime | None]:
    """When the newest value of a data set's series was measured; None without any."""
    documents = yield from entities_of(city, dataset, ENTITIES_MAX, now)
    series = yield from series_of_dataset(city, dataset, documents)
    rows = yield Ask(
        "SELECT max(ts) FROM hub_latest WHERE city = $1 AND series_id = ANY($2::int[])",
        (city, [one.id for one in series]),
    )
    return rows[0][0]
