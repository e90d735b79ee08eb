"""Reading the temporal evolution back: an entity's instances in a time range, wherever they are.

Instances come from rows, plain series, registered series and the lake's files; who reads cannot
tell. GS CIM 009 V1.9.1 §5.7.3.4, §5.7.4.4.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from onsil.core.periods import Period
from onsil.hub.arrays import microseconds, stamp_texts
from onsil.hub.documents import Instance, time_text
from onsil.hub.lake.spanning import Vector, ends, vectors
from onsil.hub.query.units import unit_code
from onsil.hub.steps import Ask, Steps
from onsil.hub.temporal.asking import TemporalQuery
from onsil.hub.temporal.instances import FIRST, LAST

INSTANCE_URN = "urn:ngsi-ld:Instance:"
# Column by time property; without any asked for, the time the instance is filed under.
_COLUMNS = {
    "": "ts", "observedAt": "observed_at", "createdAt": "created_at", "modifiedAt": "modified_at",
    "deletedAt": "deleted_at",
}  # fmt: skip
_ROWS = """
SELECT teid, iri, dataset_id, instance_id, at, observed_at, created_at, modified_at,
       deleted_at, body
  FROM (SELECT i.*, t.iri, i.{column} AS at, row_number() OVER (
                 PARTITION BY i.teid, i.attr_id, i.dataset_id ORDER BY i.{column} {order}) AS n
          FROM hub_instance i JOIN hub_term t ON t.city = $1 AND t.term_id = i.attr_id
         WHERE i.city = $1 AND i.teid = ANY($2::bigint[])
           AND ($3::text[] IS NULL OR t.iri = ANY($3))
           AND i.{column} >= $4 AND i.{column} < $5 {also}) w
 WHERE n <= $6 ORDER BY at
"""
_SERIES = """
SELECT p.teid, t.iri, p.series_id, p.unit, false
  FROM hub_plain_series p JOIN hub_term t ON t.city = $1 AND t.term_id = p.attr_id
 WHERE p.city = $1 AND p.teid = ANY($2::bigint[]) AND ($3::text[] IS NULL OR t.iri = ANY($3))
UNION ALL
SELECT te.teid, t.iri, s.series_id, s.unit, true
  FROM hub_temporal_entity te
  JOIN hub_entity e ON e.city = $1 AND e.uri = te.uri
  JOIN hub_series s ON s.city = $1 AND s.eid = e.eid
  JOIN hub_term t ON t.city = $1 AND t.term_id = s.attr_id
 WHERE te.city = $1 AND te.teid = ANY($2::bigint[]) AND ($3::text[] IS NULL OR t.iri = ANY($3))
"""
EVERYTHING = 10_000_000


class SeriesOf(NamedTuple):
    """A series of points behind an entity's attribute."""

    teid: int
    iri: str
    id: int
    unit: str
    governed: bool

    @property
    def code(self) -> str:
        """The unit as NGSI-LD tells it; nothing where the producer told none."""
        return unit_code(self.unit) if self.governed else self.unit


class Seen(NamedTuple):
    """One instance with the time it is ordered by (µs since 2000-01-01 UTC)."""

    at: int
    instance: Instance


# (attribute IRI, datasetId or "") → instances in order of time.
Evolution = dict[tuple[str, str], list[Seen]]


@dataclass
class Range:
    """What of an entity's instances is wanted: `count` of each attribute instance's, from an end.

    `attrs` None: all attributes. `points` False: rows alone. `brief`: of points, only the values
    and when they were observed.
    """

    query: TemporalQuery
    attrs: Sequence[str] | None = None
    count: int = EVERYTHING
    from_end: bool = False
    points: bool = True
    brief: bool = False
    period: Period = field(init=False)
    ever: Period = field(init=False, default=Period(FIRST, LAST))

    def __post_init__(self) -> None:
        self.period = self.query.period

    @property
    def column(self) -> str:
        free = not (self.query.asked or self.query.named)
        return _COLUMNS["" if free else self.query.timeproperty]


def series_behind(
    city: str, teids: Sequence[int], attrs: Sequence[str] | None
) -> Steps[list[SeriesOf]]:
    """The plain and registered series of these entities' attributes."""
    rows = yield Ask(_SERIES, (city, list(teids), None if attrs is None else list(attrs)))
    return [SeriesOf(*row) for row in rows]


def read_range(city: str, teids: Sequence[int], wanted: Range) -> Steps[dict[int, Evolution]]:
    """The evolution of each of these entities in the range; those without any have no entry."""
    made: dict[int, Evolution] = {}
    also = "AND i.observed_at IS NOT NULL" if wanted.column == "observed_at" else ""
    if also:  # filed under observedAt, so that months without are not looked into
        also += " AND i.ts >= $4 AND i.ts < $5"
    sql = _ROWS.format(column=wanted.column, order="DESC" if wanted.from_end else "ASC", also=also)
    rows = yield Ask(sql, (
        city, list(teids), None if wanted.attrs is None else list(wanted.attrs),
        wanted.period.start, wanted.period.end, wanted.count,
    ))  # fmt: skip
    for teid, iri, dataset, number, at, *times, body in rows:
        seen = Seen(microseconds(at), _instance(body, dataset, number, *times))
        made.setdefault(teid, {}).setdefault((iri, dataset), []).append(seen)
    series = (yield from series_behind(city, teids, wanted.attrs)) if wanted.points else []
    if series:
        found = yield from _points(city, [one.id for one in series], wanted)
        for one in series:
            vector = found.get(one.id)
            if vector is not None:
                _lay(made.setdefault(one.teid, {}), one, vector, wanted)
    return made


def _instance(
    body: Instance, dataset: str, number: str, observed: datetime | None, created: datetime,
    modified: datetime, deleted: datetime | None,
) -> Instance:  # fmt: skip
    made = {**body, "instanceId": INSTANCE_URN + number}
    if dataset:
        made["datasetId"] = dataset
    if observed is not None:
        made["observedAt"] = time_text(observed)
    made["createdAt"], made["modifiedAt"] = time_text(created), time_text(modified)
    if deleted is not None:
        made["deletedAt"] = time_text(deleted)
    return made


def point_period(query: TemporalQuery) -> Period | None:
    """The part of a query's range that points can lie in, by observedAt."""
    start, end = max(query.at, FIRST), min(query.end, LAST)
    return Period(start, end) if start < end else None


def _points(city: str, series: Sequence[int], wanted: Range) -> Steps[dict[int, Vector]]:
    """Points of the range, by the time property that is asked for."""
    query = wanted.query
    if query.timeproperty == "deletedAt":
        return {}
    if query.timeproperty == "observedAt":
        period = point_period(query)
        if period is None:
            return {}
        if wanted.count >= EVERYTHING:
            return (yield from vectors(city, series, period, received=True))
        return (yield from ends(city, series, period, wanted.count, last=wanted.from_end))
    # When we were told is both createdAt and modifiedAt of a point, and no index knows it.
    found = yield from vectors(city, series, wanted.ever, received=True)
    first, last = microseconds(query.at), microseconds(query.end)
    made = {}
    for number, vector in found.items():
        chosen = vector.at((vector.received >= first) & (vector.received < last))
        chosen = chosen.at(np.argsort(chosen.received, kind="stable"))
        if len(chosen):
            made[number] = chosen.at(
                slice(-wanted.count, None) if wanted.from_end else slice(0, wanted.count)
            )
    return made


def _lay(evolution: Evolution, series: SeriesOf, vector: Vector, wanted: Range) -> None:
    """Points as instances among an attribute's others; what one of these says is said once."""
    there = evolution.setdefault((series.iri, ""), [])
    told = {
        (seen.instance.get("observedAt"), seen.instance["value"]) for seen in there
        if isinstance(seen.instance.get("value"), int | float)
    }  # fmt: skip
    points = _brief(vector) if wanted.brief else _points_seen(series, vector, wanted)
    if told:
        points = [
            seen for seen in points
            if (seen.instance["observedAt"], seen.instance["value"]) not in told
        ]  # fmt: skip
    others = bool(there)
    there += points
    if others:
        there.sort(key=lambda seen: seen.at)
    if wanted.count < len(there):
        evolution[series.iri, ""] = (
            there[-wanted.count :] if wanted.from_end else there[: wanted.count]
        )


def _brief(vector: Vector) -> list[Seen]:
    return [
        Seen(ts, {"type": "Property", "value": num, "observedAt": observed})
        for ts, num, observed in zip(
            vector.ts.tolist(), vector.num.tolist(), stamp_texts(vector.ts), strict=True
        )
    ]


def _points_seen(series: SeriesOf, vector: Vector, wanted: Range) -> list[Seen]:
    by_receipt = wanted.query.timeproperty in ("createdAt", "modifiedAt")
    unit = {"unitCode": series.code} if series.code else {}
    columns = zip(
        vector.ts.tolist(), vector.num.tolist(), vector.received.tolist(),
        stamp_texts(vector.ts), stamp_texts(vector.received), strict=True,
    )  # fmt: skip
    return [
        Seen(received if by_receipt else ts, {
            "type": "Property", "value": whole(num), **unit, "observedAt": observed,
            "instanceId": point_urn(series.id, ts), "createdAt": got, "modifiedAt": got,
        })
        for ts, num, received, observed, got in columns
    ]  # fmt: skip


def whole(num: float) -> float | int:
    """A double as JSON tells it: without a fraction where there is none."""
    return int(num) if num == int(num) and abs(num) < 2**53 else num


def point_urn(series_id: int, ts: int) -> str:
    """The instanceId of a point: its series and time."""
    return f"{INSTANCE_URN}{series_id}-{ts}"


def point_of_urn(urn: str) -> tuple[int, int] | None:
    """(series, time) where an instanceId is a point's."""
    series, dash, ts = urn.removeprefix(INSTANCE_URN).partition("-")
    if not dash or not series.isascii() or not series.isdigit():
        return None
    if not ts.removeprefix("-").isdigit() or not ts.isascii() or max(len(series), len(ts)) > 18:
        return None
    return int(series), int(ts)


class Known(NamedTuple):
    """An entity of the history."""

    teid: int
    uri: str
    types: list[str]
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None
    expires_at: datetime | None


KNOWN = """
SELECT te.teid, te.uri, ARRAY(SELECT t.iri FROM unnest(te.type_ids) n
         JOIN hub_term t ON t.city = $1 AND t.term_id = n ORDER BY t.iri),
       te.created_at, te.modified_at, te.deleted_at, te.expires_at
  FROM hub_temporal_entity te
 WHERE te.city = $1 AND (te.expires_at IS NULL OR te.expires_at > $2)
"""


def find_known(city: str, uris: Iterable[str], now: datetime) -> Steps[list[Known]]:
    """The entities with these ids that the history knows and that have not expired."""
    rows: Any = yield Ask(KNOWN + " AND te.uri = ANY($3::text[]) ORDER BY te.uri",
                          (city, now, sorted(set(uris))))  # fmt: skip
    return [Known(*row) for row in rows]
