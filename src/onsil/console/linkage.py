"""How much of what was expected came on time, over the last seven days that count.

For a live series these are the seven days before now, from its first reading on; for a replayed
one the seven days before its newest reading, as its devices stopped long ago.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from onsil import hub
from onsil.core.database import Connection
from onsil.core.periods import Period

DAYS = 7
_HOUR = timedelta(hours=1)


def window_of(
    conn: Connection,
    city: str,
    series: hub.Series,
    newest: datetime | None,
    now: datetime,
    zone: ZoneInfo,
) -> Period | None:
    """The days over which a series is judged; None when nothing of it ever came."""
    if newest is None:
        return None
    end = newest + timedelta(seconds=series.interval_s) if series.source == "replayed" else now
    span = Period(end - timedelta(days=DAYS), end)
    days = hub.rollups(conn, city, series.id, span, "day", zone)
    if not days:
        return span
    first = days[0].start
    if first <= span.start:
        return span
    hours = hub.rollups(conn, city, series.id, Period(first, first + timedelta(days=1)), "hour")
    start = hours[0].start if hours else first
    return Period(start, end) if start < end else None


def linkage_of(
    conn: Connection, city: str, series: Iterable[hub.Series], now: datetime, zone: ZoneInfo
) -> dict[int, hub.Linkage]:
    """Each series' expected and on-time readings in its own window."""
    every = list(series)
    newest = hub.latest(conn, city, [s.id for s in every])
    windows: dict[Period, list[int]] = {}
    for one in every:
        point = newest.get(one.id)
        window = window_of(conn, city, one, point.observed_at if point else None, now, zone)
        whole = _whole_hours(window) if window is not None else None
        if whole is not None:
            windows.setdefault(whole, []).append(one.id)
    found: dict[int, hub.Linkage] = {}
    for window, ids in windows.items():
        found.update(hub.linkage_by_series(conn, city, ids, window))
    return found


def together(parts: Iterable[hub.Linkage]) -> Decimal | None:
    """Several series' rate as one; None where nothing was expected."""
    every = list(parts)
    return hub.Linkage(sum(p.expected for p in every), sum(p.on_time for p in every)).rate


def daily(
    conn: Connection, city: str, series: Sequence[hub.Series], period: Period, zone: ZoneInfo
) -> Mapping[str, Decimal | None]:
    """The rate of each local day of a period, by ISO date; None for a day with nothing at all."""
    expected = sum(86_400 // s.interval_s for s in series)
    came: dict[str, int] = {}
    for one in series:
        for day in hub.rollups(conn, city, one.id, period, "day", zone):
            key = day.start.astimezone(zone).date().isoformat()
            came[key] = came.get(key, 0) + min(day.on_time, 86_400 // one.interval_s)
    rates: dict[str, Decimal | None] = {}
    at = period.start.astimezone(zone).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(zone).date()
    while at <= last:
        key = at.isoformat()
        rates[key] = Decimal(came[key]) / expected if key in came and expected else None
        at += timedelta(days=1)
    return rates


def _whole_hours(window: Period) -> Period | None:
    """The complete clock hours within a window: an hour under way expects nothing yet."""

    def floor(instant: datetime) -> datetime:
        return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

    start, end = floor(window.start + _HOUR - timedelta(microseconds=1)), floor(window.end)
    return Period(start, end) if start < end else None
