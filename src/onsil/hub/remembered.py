"""What one session of writing need not ask the database for twice.

Whoever keeps one of these listens to CHANNEL on the very connection it writes with, and forgets
all when something comes: a notification is there before the first statement that could see the
change. Without listening one is good for a single transaction.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from onsil.hub.rules import closes_after, fast_limits, limits
from onsil.hub.series import series_by_key
from onsil.hub.steps import Steps
from onsil.hub.terms import Series

CHANNEL = "onsil_register"
SERIES_MAX = 200_000
_MICROSECOND = 1_000_000


class Ruled(NamedTuple):
    """A series with what its readings are held against.

    A number in the series' own unit between `low` and `high` passes at once; all others are
    judged by `limits`. A reading is late `closes_us` µs after its time.
    """

    series: Series
    id: int
    unit: str
    low: float
    high: float
    closes_us: int
    limits: tuple[float, float]


def ruled(series: Series) -> Ruled:
    closes = int(closes_after(series).total_seconds() * _MICROSECOND)
    return Ruled(series, series.id, series.unit, *fast_limits(series), closes, limits(series))


Key = tuple[str, str]


class Remembered:
    """Series by entity and attribute, and months that are open for points; of any city."""

    def __init__(self) -> None:
        self._series: dict[str, dict[Key, Ruled]] = {}
        self._open: set[Key] = set()

    def forget(self) -> None:
        self._series.clear()
        self._open.clear()

    def series(self, city: str, keys: Iterable[Key]) -> Steps[dict[Key, Ruled]]:
        """The series that there are, these among them. What there is not is asked for each time."""
        mine = self._series.setdefault(city, {})
        if len(mine) > SERIES_MAX:
            mine.clear()
        missing = [k for k in keys if k not in mine and "\0" not in k[0] + k[1]]
        if missing:
            found = yield from series_by_key(city, missing)
            mine.update((key, ruled(series)) for key, series in found.items())
        return mine

    def are_open(self, city: str, months: Sequence[str]) -> bool:
        """Whether these months have their place, and none of them has left for the lake."""
        return all((city, month) in self._open for month in months)

    def note_open(self, city: str, months: Sequence[str]) -> None:
        self._open.update((city, month) for month in months)
