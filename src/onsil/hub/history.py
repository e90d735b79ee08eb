"""Reading series back: points, the latest, roll-ups, what came on time, what was set aside."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from onsil.core.database import Connection, cursor
from onsil.core.periods import Period
from onsil.core.quantities import shortest_decimal
from onsil.hub.arrays import instant
from onsil.hub.lake.spanning import NOTHING, Vector, ends, vectors
from onsil.hub.steps import run
from onsil.hub.terms import (
    LatestPoint,
    Linkage,
    Points,
    QuarantineEntry,
    Revision,
    Rollup,
)

SEOUL = ZoneInfo("Asia/Seoul")
_HOUR = timedelta(hours=1)
_EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 2, 1, tzinfo=UTC))


def points(conn: Connection, city: str, series_id: int, period: Period) -> Points:
    """A series' points in the period, in order of time, from the database and the lake."""
    found = run(conn, vectors(city, [series_id], period))
    return _points(found.get(series_id, NOTHING))


def _points(vector: Vector) -> Points:
    return Points(
        [instant(stamp) for stamp in vector.ts.tolist()],
        [shortest_decimal(value) for value in vector.num.tolist()],
    )


def latest(conn: Connection, city: str, series_ids: Iterable[int]) -> dict[int, LatestPoint]:
    """The newest point of each series that has one."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT series_id, ts, num, received_at FROM hub_latest"
            " WHERE city = %s AND series_id = ANY(%s) AND ts IS NOT NULL",
            (city, list(series_ids)),
        )
        return {s: LatestPoint(ts, shortest_decimal(num), got) for s, ts, num, got in cur}


def last_points(
    conn: Connection, city: str, series_id: int, count: int, period: Period | None = None
) -> Points:
    """The last `count` points, of the period or of all, in order of time."""
    found = run(conn, ends(city, [series_id], period or _EVER, count, last=True))
    return _points(found.get(series_id, NOTHING))


def rollups(
    conn: Connection,
    city: str,
    series_id: int,
    period: Period,
    step: str = "hour",
    zone: ZoneInfo = SEOUL,
) -> list[Rollup]:
    """Counts, sums and extremes by `hour`, local `day` or local `month`; empty ones left out.

    Hours are kept on write; days and months are put together from them, so that every city's days
    are its own. The period is widened to whole hours. Raises ValueError for another step.
    """
    if step not in ("hour", "day", "month"):
        raise ValueError(f"no such step: {step}")
    with cursor(conn) as cur:
        cur.execute(
            "SELECT date_trunc(%s, hour, %s), sum(count)::int, sum(on_time)::int, sum(total),"
            " min(minimum), max(maximum) FROM hub_rollup WHERE city = %s AND series_id = %s"
            " AND hour >= date_trunc('hour', %s::timestamptz, 'UTC') AND hour < %s"
            " GROUP BY 1 ORDER BY 1",
            (step, zone.key, city, series_id, period.start, period.end),
        )
        return [Rollup(*row) for row in cur]


def linkage_by_series(
    conn: Connection, city: str, series_ids: Iterable[int], period: Period
) -> dict[int, Linkage]:
    """For each series: readings expected in the period's whole hours, and those come on time.

    An hour counts no more than it expects, so that a talkative hour does not hide a silent one.
    """
    start = _ceil_hour(period.start)
    hours = (period.end - start) // _HOUR
    if hours <= 0:
        return dict.fromkeys(series_ids, Linkage(0, 0))
    with cursor(conn) as cur:
        cur.execute(
            "SELECT s.series_id, s.interval_s,"
            " coalesce(sum(least(r.on_time, ceil(3600.0 / s.interval_s))), 0)::bigint"
            " FROM hub_series s LEFT JOIN hub_rollup r ON r.city = %s"
            " AND r.series_id = s.series_id AND r.hour >= %s AND r.hour < %s"
            " WHERE s.city = %s AND s.series_id = ANY(%s) GROUP BY 1, 2",
            (city, start, start + hours * _HOUR, city, list(series_ids)),
        )
        rows = cur.fetchall()
    made: dict[int, Linkage] = {}
    for series_id, interval_s, on_time in rows:
        expected = hours * 3600 // interval_s
        made[series_id] = Linkage(expected, min(on_time, expected))
    return made


def linkage(conn: Connection, city: str, series_ids: Iterable[int], period: Period) -> Linkage:
    """The series' linkage put together, as for a site."""
    each = linkage_by_series(conn, city, series_ids, period).values()
    return Linkage(sum(one.expected for one in each), sum(one.on_time for one in each))


def linkage_rate(
    conn: Connection, city: str, series_ids: Iterable[int], period: Period
) -> Decimal | None:
    """Readings received on time ÷ expected, as a Decimal of four places; None when none were."""
    return linkage(conn, city, series_ids, period).rate


def _ceil_hour(instant: datetime) -> datetime:
    floor = instant.replace(minute=0, second=0, microsecond=0)
    return floor if floor == instant else floor + _HOUR


def revisions(conn: Connection, city: str, series_id: int, period: Period) -> list[Revision]:
    """What was corrected in the period, in order of time and then of correction."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT ts, old_num, old_received_at, new_num, new_received_at, message_id"
            " FROM hub_point_revision WHERE city = %s AND series_id = %s AND ts >= %s AND ts < %s"
            " ORDER BY ts, revision_id",
            (city, series_id, period.start, period.end),
        )
        return [
            Revision(ts, shortest_decimal(old), old_at, shortest_decimal(new), new_at, message)
            for ts, old, old_at, new, new_at, message in cur
        ]


def quarantine_list(
    conn: Connection, city: str, limit: int = 100, origin: str | None = None
) -> list[QuarantineEntry]:
    """What was set aside, newest first."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT quarantine_id, received_at, origin, code, ko, en, raw, message_id"
            " FROM hub_quarantine WHERE city = %s AND (%s::text IS NULL OR origin = %s)"
            " ORDER BY quarantine_id DESC LIMIT %s",
            (city, origin, origin, limit),
        )
        return [QuarantineEntry(*row) for row in cur]


def quarantine_counts(conn: Connection, city: str, since: datetime) -> dict[str, int]:
    """How many were set aside by reason since an instant."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT code, count(*) FROM hub_quarantine WHERE city = %s AND received_at >= %s"
            " GROUP BY 1 ORDER BY 1",
            (city, since),
        )
        return dict(cur.fetchall())
