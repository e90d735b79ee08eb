"""What the door knows of a city's data sets: whether any is closed, and how often they are called.

Known for `FRESH_S` at most, so that reading costs no look into the database; counted in memory and
written down every few seconds, by data set and day, never by who asked.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from starlette.requests import Request

from onsil.core.clock import Clock
from onsil.hub.datasets.access import EVERYTHING, KEY_MARK, NOTHING, opened_by
from onsil.hub.datasets.store import count_uses, datasets_of
from onsil.hub.http.database import Database, DatabaseAway
from onsil.hub.http.gate import Problem, bearer

FRESH_S = 3.0
FLUSH_S = 5.0
API = "api"
_log = logging.getLogger("onsil.hub")
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class _Known:
    """A city's data sets as they were at a moment: ids by the query that gives them."""

    at: float
    closed: bool = False
    queries: Mapping[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)


class Offered:
    """The door's view of data sets."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._cities: dict[str, _Known] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()

    async def view(self, city: str, request: Request) -> str:
        """What a request may read of closed entities. Raises Problem 401 for a key that opens
        nothing."""
        token = bearer(request)
        if token.startswith(KEY_MARK):
            id = await self._db.read(city, opened_by(city, token, self._clock.now()))
            if id is None:
                raise no_access()
            self._counts[city, id, API] += 1
            return id
        known = await self._known(city)
        if known.queries:
            asked = request.query_params
            named = (asked.get("type", ""), asked.get("q", ""), asked.get("scopeQ", ""))
            for id in known.queries.get(named, ()):
                self._counts[city, id, API] += 1
        return NOTHING if known.closed else EVERYTHING

    async def _known(self, city: str) -> _Known:
        known = self._cities.get(city)
        if known is None or time.monotonic() - known.at > FRESH_S:
            entries = await self._db.read(city, datasets_of(city))
            queries: dict[tuple[str, str, str], tuple[str, ...]] = {}
            for one in (entry.dataset for entry in entries):
                if one.open:
                    key = one.type, one.q, one.scope
                    queries[key] = (*queries.get(key, ()), one.id)
            closed = any(not entry.dataset.open for entry in entries)
            known = self._cities[city] = _Known(time.monotonic(), closed, queries)
        return known

    @asynccontextmanager
    async def running(self):
        """Counts written down as long as the door is open."""
        task = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.flush()

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write down what was counted; while the database is away it is kept."""
        counts, self._counts = self._counts, Counter()
        now = self._clock.now()
        by_city: dict[str, list[tuple[str, str, int]]] = {}
        for (city, id, form), number in counts.items():
            by_city.setdefault(city, []).append((id, form, number))
        for city, rows in by_city.items():
            try:
                await self._db.write(city, lambda c=city, r=rows: count_uses(c, r, now))
            except DatabaseAway:
                for id, form, number in rows:
                    self._counts[city, id, form] += number
            except Exception:
                _log.exception("uses of %s could not be counted", city)


def reads(method: str, path: bytes) -> bool:
    """Whether a request only reads: then it sees what its key opens, and no more."""
    return method in _READING or (method == "POST" and path.rstrip(b"/").endswith(b"/query"))


def no_access() -> Problem:
    return Problem(
        401, "Unauthorized", "The key opens nothing",
        "쓸 수 없는 열쇠입니다. 기간이 끝났거나 회수되었습니다. /"
        " The key is unknown, over or revoked.",
        WWW_Authenticate='Bearer realm="onsil"',
    )  # fmt: skip
