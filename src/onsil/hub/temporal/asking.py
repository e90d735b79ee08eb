"""What is asked of the temporal evolution: the time range and how it is told (§4.11, §5.2.21).

Pure. Bounds are half-open: `after` takes its instant in, `before` and the end of `between` do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from onsil.core.periods import Period
from onsil.hub.documents import DocumentError, parse_time
from onsil.hub.temporal.aggregation import METHODS
from onsil.hub.temporal.durations import Duration, DurationError, parse_duration

TimeProperty = Literal["observedAt", "createdAt", "modifiedAt", "deletedAt"]
TIME_PROPERTIES = ("observedAt", "createdAt", "modifiedAt", "deletedAt")
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
END = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class TemporalQuery:
    """Which instances are wanted: those whose `timeproperty` lies in the range, the last N of each.

    `relation` is empty when no range was asked for; `named` says whether a time property was, so
    that without either every instance counts.
    """

    relation: str = ""
    at: datetime = BEGINNING
    end: datetime = END
    timeproperty: TimeProperty = "observedAt"
    named: bool = False
    last: int = 0

    @property
    def period(self) -> Period:
        return Period(self.at, self.end)

    @property
    def asked(self) -> bool:
        return bool(self.relation)


@dataclass(frozen=True)
class Aggregation:
    """Which methods, by which period."""

    methods: tuple[str, ...]
    duration: Duration


def parse_temporal(given: Mapping[str, Any]) -> TemporalQuery:
    """From query parameters or the `temporalQ` of a Query (§5.2.21). Raises DocumentError."""
    relation = given.get("timerel") or ""
    name = given.get("timeproperty") or "observedAt"
    if name not in TIME_PROPERTIES:
        raise DocumentError(f"timeproperty is one of {', '.join(TIME_PROPERTIES)}")
    if relation not in ("", "before", "after", "between"):
        raise DocumentError("timerel is before, after or between")
    at, end = BEGINNING, END
    if relation:
        if given.get("timeAt") is None:
            raise DocumentError("timerel goes with timeAt")
        moment = parse_time(given["timeAt"])
        if relation == "before":
            end = moment
        else:
            at = moment
    elif given.get("timeAt") is not None:
        raise DocumentError("timeAt goes with timerel")
    if relation == "between":
        if given.get("endTimeAt") is None:
            raise DocumentError("timerel=between goes with endTimeAt")
        end = parse_time(given["endTimeAt"])
    if end <= at:
        raise DocumentError("endTimeAt must be after timeAt")
    return TemporalQuery(
        relation, at, end, name, given.get("timeproperty") is not None, _last(given.get("lastN"))
    )


def _last(given: Any) -> int:
    if given is None:
        return 0
    text = str(given)
    if isinstance(given, bool) or not text.isascii() or not text.isdigit():
        raise DocumentError("lastN is a positive whole number")
    number = int(text[:12])
    if not number:
        raise DocumentError("lastN is a positive whole number")
    return number


def parse_aggregation(methods: Any, duration: Any) -> Aggregation:
    """`aggrMethods` as a list or a comma-separated text, `aggrPeriodDuration` (§5.2.44).

    Raises DocumentError.
    """
    names = methods.split(",") if isinstance(methods, str) else methods
    if not isinstance(names, Sequence) or not names or not all(n in METHODS for n in names):
        raise DocumentError(f"aggrMethods are some of {', '.join(METHODS)}")
    text = "PT0S" if duration is None else duration
    try:
        if not isinstance(text, str):
            raise DurationError(f"not an ISO 8601 duration: {text!r}")
        length = parse_duration(text)
    except DurationError as error:
        raise DocumentError(f"aggrPeriodDuration: {error}") from None
    return Aggregation(tuple(dict.fromkeys(names)), length)
