"""Periods of aggregation: ISO 8601 durations and the buckets they cut (GS CIM 009 V1.9.1 §4.5.19).

Pure. Years and months are the calendar's in a zone, weeks, days and shorter ones fixed lengths.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from onsil.hub.arrays import microseconds

_FORM = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,6})W)?"
    r"(?:(?P<days>\d{1,7})D)?(?:T(?=\d)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,10}(?:\.\d{1,6})?)S)?)?"
)
BUCKETS_MAX = 200_000


class DurationError(ValueError):
    """A duration that cannot be read, or that cuts a time range into too many pieces."""


@dataclass(frozen=True)
class Duration:
    """`months` of the calendar and a fixed length in µs; both zero: the whole time range."""

    months: int = 0
    length_us: int = 0

    @property
    def whole(self) -> bool:
        return not (self.months or self.length_us)


def parse_duration(text: str) -> Duration:
    """`P3Y6M4DT12H30M5S`, `P2W`, `PT0S`. Raises DurationError."""
    match = _FORM.fullmatch(text)
    if not match:
        raise DurationError(f"not an ISO 8601 duration: {text[:40]!r}")
    part = {name: value or "0" for name, value in match.groupdict().items()}
    if int(part["weeks"]) and sum(value is not None for value in match.groups()) > 1:
        raise DurationError(f"weeks stand alone in a duration: {text[:40]!r}")
    length = timedelta(
        days=int(part["days"]), weeks=int(part["weeks"]), hours=int(part["hours"]),
        minutes=int(part["minutes"]),
    ) / timedelta(microseconds=1)  # fmt: skip
    seconds, _, fraction = part["seconds"].partition(".")
    us = int(length) + int(seconds) * 1_000_000 + int(fraction.ljust(6, "0") or 0)
    return Duration(int(part["years"]) * 12 + int(part["months"]), us)


class Buckets(NamedTuple):
    """Half-open buckets `edges[i] … edges[i + 1]`, µs since 2000-01-01 UTC.

    `last` is the end of the time range, which may lie inside the last bucket.
    """

    edges: np.ndarray
    last: int

    def place(self, stamps: np.ndarray) -> np.ndarray:
        """Which bucket each instant falls into; the last one's end is in it."""
        place = np.searchsorted(self.edges, stamps, side="right") - 1
        return np.minimum(place, len(self.edges) - 2)


def buckets(
    duration: Duration, start: datetime, end: datetime, zone: ZoneInfo | None = None
) -> Buckets:
    """The buckets from `start` that are needed to reach `end`. Raises DurationError."""
    first, last = microseconds(start), microseconds(end)
    if duration.whole or last <= first:
        return Buckets(np.array([first, max(first, last)], np.int64), last)
    if not duration.months:
        pieces = -(-(last - first) // duration.length_us)
        if pieces > BUCKETS_MAX:
            raise DurationError(f"aggrPeriodDuration cuts the time range into {pieces} periods")
        edges = first + duration.length_us * np.arange(pieces + 1, dtype=np.int64)
        return Buckets(edges, last)
    local = start.astimezone(zone or UTC)
    made = list(takewhile(lambda us: us < last, (_after(local, duration, n) for n in count())))
    made.append(_after(local, duration, len(made)))
    return Buckets(np.array(made, np.int64), last)


def _after(local: datetime, duration: Duration, times: int) -> int:
    """The instant `times` durations after a local time; a day that is not there is the last one."""
    months = local.year * 12 + local.month - 1 + duration.months * times
    year, month = divmod(months, 12)
    if year > 9998:
        raise DurationError("aggrPeriodDuration leaves the calendar")
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    moved = local.replace(year=year, month=month + 1, day=day)
    return microseconds(moved.astimezone(UTC)) + duration.length_us * times
