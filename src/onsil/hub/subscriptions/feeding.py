"""What the sender knows: which rows of the outbox it has, and which subscriptions there are.

Numbers of rows are drawn before their transactions commit, so a lower one may come after a higher
one. Numbers left out are asked for again for a while, and a sweep finds what came later still.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from onsil.core.ids import new_id
from onsil.hub.steps import Steps
from onsil.hub.subscriptions.deliveries import (
    Active,
    Lane,
    Row,
    read_active,
    read_lane_rows,
    read_rows,
    read_versions,
)
from onsil.hub.subscriptions.queueing import Job
from onsil.hub.subscriptions.terms import Subscription

PAGE = 500
GAPS_MAX = 1000
GAP_S = 30.0


@dataclass
class _Spill:
    """Rows of an endpoint that were left in the database: from this number on."""

    first: int
    lanes: set[Lane] = field(default_factory=set)


class Feed:
    """The rows at hand."""

    QUEUE_MAX: ClassVar = 2000  # of one endpoint in memory; the others stay in the outbox

    def __init__(self) -> None:
        self.after = 0
        self.spilled: dict[str, _Spill] = {}
        self._known: set[int] = set()
        self._gaps: dict[int, float] = {}
        self._begun = False

    def next_rows(self) -> Steps[list[Row]]:
        gone = time.monotonic() - GAP_S
        for number in [n for n, since in self._gaps.items() if since < gone]:
            del self._gaps[number]
        return read_rows(self.after, sorted(self._gaps), PAGE)

    def full(self, rows: list[Row]) -> bool:
        """Whether there may be more rows at once."""
        return len(rows) >= PAGE

    def fresh(self, rows: Iterable[Row]) -> list[Row]:
        """Those rows that are new, in order; numbers left out are remembered."""
        made: list[Row] = []
        for row in rows:
            number = row.outbox_id
            if number > self.after:
                first = max(self.after + 1, number - GAPS_MAX)
                if self._begun and len(self._gaps) < GAPS_MAX:
                    now = time.monotonic()
                    self._gaps |= dict.fromkeys(range(first, number), now)
                self.after = number
            self._gaps.pop(number, None)
            if number not in self._known:
                self._known.add(number)
                made.append(row)
        self._begun = True
        return made

    def overlooked(self, numbers: Iterable[int]) -> None:
        """Ask again for rows that are there but not at hand."""
        spilled = min((one.first for one in self.spilled.values()), default=None)
        now = time.monotonic()
        for number in numbers:
            if number not in self._known and (spilled is None or number < spilled):
                self._gaps.setdefault(number, now)

    def struck(self, numbers: Iterable[int]) -> None:
        self._known.difference_update(numbers)

    def spills(self, key: str, waiting: int, lane: Lane, number: int) -> bool:
        """Whether a row has to stay in the outbox for now, as too many are waiting already."""
        spill = self.spilled.get(key)
        if spill is None and waiting < self.QUEUE_MAX:
            return False
        if spill is None:
            spill = self.spilled[key] = _Spill(number)
        spill.first = min(spill.first, number)
        spill.lanes.add(lane)
        self._known.discard(number)
        return True

    def spilled_rows(self, key: str) -> Steps[list[Row]]:
        spill = self.spilled[key]
        return read_lane_rows(spill.lanes, spill.first, self.QUEUE_MAX // 2)

    def again(self, key: str, rows: list[Row]) -> list[Row]:
        """Rows that had to stay, now taken. If there are more, the later ones stay still."""
        spill = self.spilled.pop(key)
        made = [row for row in rows if row.outbox_id not in self._known]
        self._known.update(row.outbox_id for row in made)
        if len(rows) >= self.QUEUE_MAX // 2:
            self.spilled[key] = _Spill(rows[-1].outbox_id + 1, spill.lanes)
        return made


class Roll:
    """The subscriptions of all cities, and when the periodic ones are due."""

    def __init__(self) -> None:
        self.active: dict[Lane, Active] = {}
        self._versions: dict[str, tuple[int, str]] = {}
        self._due: dict[Lane, datetime] = {}
        self._last: dict[Lane, datetime] = {}
        self._turn = 0

    async def refresh(
        self, store: Any, now: datetime
    ) -> list[tuple[Lane, Subscription | None]]:  # fmt: skip
        """Read what has changed; the lanes with their subscription, None for one that is gone."""
        versions = await store.read("*", read_versions())
        changed: list[tuple[Lane, Subscription | None]] = []
        for city in self._versions.keys() - versions.keys():  # the tenant was wiped
            changed += self._drop(city, {})
            del self._versions[city]
        for city, version in versions.items():
            if self._versions.get(city) == version:
                continue
            there = {(city, one.subscription.number): one
                     for one in await store.read(city, read_active(city))}  # fmt: skip
            changed += self._drop(city, there)
            for lane, one in there.items():
                self._take(lane, one, now)
                changed.append((lane, one.subscription))
            self._versions[city] = version
        return changed

    def _drop(self, city: str, there: Mapping[Lane, Active]) -> list[tuple[Lane, None]]:
        """Forget the subscriptions of a city that are not there any more."""
        gone = [lane for lane in self.active if lane[0] == city and lane not in there]
        for lane in gone:
            del self.active[lane]
            self._due.pop(lane, None)
            self._last.pop(lane, None)
        return [(lane, None) for lane in gone]

    def _take(self, lane: Lane, one: Active, now: datetime) -> None:
        before = self.active.get(lane)
        last = self._last.get(lane, one.last_notification)
        self.active[lane] = one._replace(last_notification=last)
        interval = one.subscription.interval_s
        if interval is None:
            self._due.pop(lane, None)
        elif before is None or before.subscription.interval_s != interval:
            since = last or one.subscription.created_at or now
            self._due[lane] = since + timedelta(seconds=interval)

    def notified(self, lane: Lane, at: datetime) -> None:
        """Remember when a subscription was notified last."""
        self._last[lane] = at
        if lane in self.active:
            self.active[lane] = self.active[lane]._replace(last_notification=at)

    def due(self, now: datetime) -> list[Subscription]:
        """The periodic subscriptions whose time has come; their next time is set."""
        found: list[Subscription] = []
        for lane, at in self._due.items():
            if at <= now:
                subscription = self.active[lane].subscription
                step = timedelta(seconds=subscription.interval_s or 1)
                # What was missed while nobody sent is not made up for.
                self._due[lane] = at + step if at + step > now else now + step
                if subscription.status(now) == "active":
                    found.append(subscription)
        return found

    def until_due(self, now: datetime) -> float:
        """Seconds until the next periodic notification."""
        return min(((at - now).total_seconds() for at in self._due.values()), default=3600.0)

    def periodic_job(
        self, subscription: Subscription, entries: list[dict[str, Any]], now: datetime
    ) -> Job:  # fmt: skip
        self._turn += 1
        reason = "newlyMatching" if subscription.kind == "sources" else ""
        return Job(subscription, self._turn, new_id(), now, entries, [], reason)
