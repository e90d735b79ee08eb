"""Half-open periods, cut in the city's own zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Period:
    """The instants from `start` up to but not including `end`; both aware, kept in UTC.

    Raises ValueError when a bound has no zone or the period is empty.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period's bounds must carry a zone")
        if self.end <= self.start:
            raise ValueError(f"empty period {self.start} – {self.end}")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def overlaps(self, other: "Period") -> bool:
        return self.start < other.end and other.start < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_days(first: date, last_exclusive: date, zone: ZoneInfo) -> Period:
    """The period from one local midnight to another."""
    return Period(midnight(first, zone), midnight(last_exclusive, zone))


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day an instant falls on in the city."""
    return instant.astimezone(zone).date()


def local_year(year: int, zone: ZoneInfo) -> Period:
    return local_days(date(year, 1, 1), date(year + 1, 1, 1), zone)


def local_month(year: int, month: int, zone: ZoneInfo) -> Period:
    following = date(year + month // 12, month % 12 + 1, 1)
    return local_days(date(year, month, 1), following, zone)


def iso_week(year: int, week: int, zone: ZoneInfo) -> Period:
    """An ISO 8601 week, Monday to Sunday."""
    monday = date.fromisocalendar(year, week, 1)
    return local_days(monday, monday + timedelta(days=7), zone)


def days_of(period: Period, zone: ZoneInfo) -> Iterator[date]:
    """Every local day that a period touches, in order."""
    day = local_day(period.start, zone)
    while midnight(day, zone) < period.end:
        yield day
        day += timedelta(days=1)
