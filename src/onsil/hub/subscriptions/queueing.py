"""One endpoint's queue as pure decisions: what is sent when, in which order, and what comes of it.

- The notifications of one subscription about one entity go out in the order they came about; those
  about other entities need not wait for each other.
- A failure pauses the endpoint, longer each time; then one notification is tried before the others.
- Throttling counts from the last notification; what came meanwhile goes out together when the
  window ends, each entity in its latest state.
- Behind a slow endpoint entities are put together; behind one that fails, only the latest state of
  each entity is kept of a long row.

No clock in here: every call is told the time.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid5

from onsil.hub.subscriptions.terms import Subscription

Entry = dict[str, Any]
Result = Literal["sent", "refused", "failed"]  # taken; never will be; try again

CONCURRENCY = 8
LOOK_AHEAD = 32
GATHER_FROM = 16  # so many waiting: put several together
GATHERED_MAX = 100
COLLAPSE_FROM = 200
BACKOFF_FIRST = timedelta(seconds=1)
BACKOFF_MAX = timedelta(seconds=60)
KEEP = timedelta(hours=24)
_MERGED = UUID("6a9b1c1e-0b6e-5c0f-9d1a-3f1f6f5f7c11")


@dataclass
class Job:
    """A notification waiting. `rows` are the outbox rows that it does away with."""

    subscription: Subscription
    order: int
    notification_id: UUID
    at: datetime
    entries: list[Entry]
    rows: list[int] = field(default_factory=list)
    reason: str = ""
    attempts: int = 0

    @property
    def lane(self) -> tuple[str, int]:
        return self.subscription.city, self.subscription.number

    @property
    def entities(self) -> set[str]:
        return {str(one.get("uri", one.get("id"))) for one in self.entries}


class Taken(NamedTuple):
    """What is to be done now: send these, and forget those, which are too old or not wanted."""

    send: list[Job]
    dropped: list[Job]


def merged(jobs: Sequence[Job], *, latest: bool) -> Job:
    """Several waiting notifications of a subscription as one; `latest`: each entity's last state.

    Its id follows from theirs, so that the same set has the same id again after a crash.
    """
    if len(jobs) == 1:
        return jobs[0]
    entries = [entry for job in jobs for entry in job.entries]
    if latest:
        last = {str(entry.get("uri", entry.get("id"))): entry for entry in entries}
        entries = list(last.values())
    text = " ".join(str(job.notification_id) for job in jobs)
    return Job(
        jobs[-1].subscription, jobs[0].order, uuid5(_MERGED, text), jobs[-1].at, entries,
        [row for job in jobs for row in job.rows], jobs[-1].reason,
        max(job.attempts for job in jobs),
    )  # fmt: skip


class EndpointQueue:
    """What waits for one endpoint."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, int], deque[Job]] = {}
        self._busy: dict[tuple[str, int], set[str]] = {}
        self._last: dict[tuple[str, int], datetime] = {}
        self._collapsed: dict[tuple[str, int], int] = {}  # how long a lane was after collapsing
        self.in_flight = 0
        self.failures = 0
        self.paused_until: datetime | None = None

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def note_last(self, subscription: Subscription, last: datetime | None) -> None:
        """Tell when a subscription was notified last, as after a restart."""
        lane = (subscription.city, subscription.number)
        if last is not None and lane not in self._last:
            self._last[lane] = last

    def add(self, job: Job) -> list[int]:
        """Put a job at the end of its lane; the outbox rows that this made needless."""
        lane = self._lanes.setdefault(job.lane, deque())
        lane.append(job)
        if not self.failures or len(lane) < max(
            COLLAPSE_FROM, 2 * self._collapsed.get(job.lane, 0)
        ):
            return []
        needless = self._collapse(lane)
        self._collapsed[job.lane] = len(lane)
        return needless

    def replace(self, job: Job) -> None:
        """Put a periodic job in the place of the one before, if that is still waiting."""
        self._lanes[job.lane] = deque([job])

    def _collapse(self, lane: deque[Job]) -> list[int]:
        """Keep of each entity only what was last to be told."""
        seen: set[str] = set()
        kept: list[Job] = []
        gone: list[int] = []
        for job in reversed(lane):
            entries = [e for e in job.entries if str(e.get("uri", e.get("id"))) not in seen]
            seen |= job.entities
            if entries:
                job.entries = entries
                kept.append(job)
            else:
                gone += job.rows
        lane.clear()
        lane.extend(reversed(kept))
        return gone

    def refresh(self, subscription: Subscription | None, lane_of: tuple[str, int]) -> list[Job]:
        """Take note of a changed subscription (None: it is gone); the jobs that go with it."""
        lane = self._lanes.get(lane_of)
        if lane is None:
            return []
        if subscription is None:
            del self._lanes[lane_of]
            return list(lane)
        for job in lane:
            job.subscription = subscription
        return []

    def take(self, now: datetime) -> Taken:
        """What is to be sent at this moment."""
        taken = Taken([], [])
        if self.paused_until is not None and now < self.paused_until:
            return taken
        for lane_of in list(self._lanes):
            limit = 1 if self.failures else CONCURRENCY
            room = limit - self.in_flight
            if room <= 0:
                break
            self._take_lane(lane_of, now, room, taken)
            lane = self._lanes.get(lane_of)
            if not lane:
                self._lanes.pop(lane_of, None)
            elif lane_of in self._lanes:
                self._lanes[lane_of] = self._lanes.pop(lane_of)  # the others first next time
        return taken

    def _take_lane(
        self, lane_of: tuple[str, int], now: datetime, room: int, taken: Taken
    ) -> None:  # fmt: skip
        lane = self._lanes[lane_of]
        while lane and not self._wanted(lane[0], now):
            taken.dropped.append(lane.popleft())
        if not lane:
            return
        subscription = lane[0].subscription
        if subscription.throttling_s:
            if not self._busy.get(lane_of) and self._open_at(subscription, now) <= now:
                same = [job for job in lane if job.reason == lane[0].reason]
                for job in same:
                    lane.remove(job)
                self._start(merged(same, latest=True), now, taken)
            return
        blocked = set(self._busy.get(lane_of, ()))
        waiting: list[Job] = []
        looked = 0
        while lane and room > 0 and looked < LOOK_AHEAD:
            looked += 1
            job = lane.popleft()
            if job.entities & blocked:
                blocked |= job.entities
                waiting.append(job)
                continue
            if len(lane) >= GATHER_FROM and not job.attempts:
                job = self._gathered(job, lane)
            self._start(job, now, taken)
            blocked |= job.entities
            room -= 1
        lane.extendleft(reversed(waiting))

    def _gathered(self, first: Job, lane: deque[Job]) -> Job:
        jobs, there = [first], first.entities
        while lane and len(there) < GATHERED_MAX:
            job = lane[0]
            if job.attempts or job.reason != first.reason or job.entities & there:
                break
            there |= job.entities
            jobs.append(lane.popleft())
        return merged(jobs, latest=False)

    def _wanted(self, job: Job, now: datetime) -> bool:
        return now - job.at <= KEEP and job.subscription.status(now) == "active"

    def _open_at(self, subscription: Subscription, now: datetime) -> datetime:
        last = self._last.get((subscription.city, subscription.number))
        return now if last is None else last + timedelta(seconds=subscription.throttling_s)

    def _start(self, job: Job, now: datetime, taken: Taken) -> None:
        self._busy.setdefault(job.lane, set()).update(job.entities)
        self._last[job.lane] = now
        self.in_flight += 1
        job.attempts += 1
        taken.send.append(job)

    def done(self, job: Job, result: Result, now: datetime) -> None:
        """What came of a job that was taken. A failed one goes back to its place."""
        self.in_flight -= 1
        busy = self._busy.get(job.lane)
        if busy is not None:
            busy -= job.entities
            if not busy:
                del self._busy[job.lane]
        if result == "sent":
            self.failures, self.paused_until = 0, None
            self._collapsed.clear()
            return
        pause = timedelta(seconds=job.subscription.endpoint.cooldown_s)
        if result == "failed":
            # Those that were under way together fail together: that is one failure.
            if self.paused_until is None or self.paused_until <= now or not self.failures:
                self.failures += 1
            back_off = min(BACKOFF_FIRST * 2 ** min(self.failures - 1, 10), BACKOFF_MAX)
            pause = max(pause, back_off)
            self._last.pop(job.lane, None)  # the pause decides, not the throttling
            lane = self._lanes.setdefault(job.lane, deque())
            lane.append(job)
            ordered = sorted(lane, key=lambda one: one.order)
            lane.clear()
            lane.extend(ordered)
        else:
            self.failures = 0
        if pause:
            self.paused_until = max(self.paused_until or now, now + pause)

    def wake_at(self, now: datetime) -> datetime | None:
        """When something may be taken next without anything else happening; None: not by itself."""
        if not self._lanes or self.in_flight >= (1 if self.failures else CONCURRENCY):
            return None
        if self.paused_until is not None and now < self.paused_until:
            return self.paused_until
        times = [
            self._open_at(lane[0].subscription, now)
            for lane_of, lane in self._lanes.items()
            if lane and lane[0].subscription.throttling_s and not self._busy.get(lane_of)
        ]
        return min(times, default=None)
