"""The sender: takes notifications from the outbox to their endpoints (§5.8.6).

Of all processes that run one, the one that holds the database's lock is at work. It is woken by the
writers' transactions and looks by itself, too. What a receiver has taken is struck from the outbox
a moment later; after a crash in between it is sent again, under the same id.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, APP_ROLE
from onsil.hub.documents import Document
from onsil.hub.subscriptions.addresses import Reach
from onsil.hub.subscriptions.by_http import HttpSender
from onsil.hub.subscriptions.deliveries import Lane, Row, Tally, read_numbers, write_down
from onsil.hub.subscriptions.feeding import Feed, Roll
from onsil.hub.subscriptions.linked import fetch_linked
from onsil.hub.subscriptions.outbox import CHANNEL, told_lately
from onsil.hub.subscriptions.periodic import entries_of
from onsil.hub.subscriptions.queueing import EndpointQueue, Job, Result
from onsil.hub.subscriptions.rendering import (
    Message,
    Wording,
    documents_of,
    entity_message,
    source_message,
)
from onsil.hub.subscriptions.sources import shown_registrations
from onsil.hub.subscriptions.terms import Endpoint, Subscription

if TYPE_CHECKING:
    from onsil.hub.subscriptions.by_mqtt import MqttSender

log = logging.getLogger(__name__)

LOCK = "SELECT pg_try_advisory_lock(hashtext('onsil hub notifications'))"
AWAKE_S = 1.0  # looks often for so long after it was woken
OFTEN_S = 0.02
SELDOM_S = 0.5
REFRESH_S = 0.25  # so soon a subscription's pause or end is heeded, even if nothing else happens
STANDBY_S = 1.0
WRITE_DOWN_S = 0.05
SWEEP_S = 15.0
SETTLE_S = 0.1
URN = "urn:ngsi-ld:Notification:"


class Store(Protocol):
    """What the sender needs of the door's database."""

    dsn: str

    async def read(self, city: str, steps: Any) -> Any: ...
    async def write(self, city: str, make: Any) -> Any: ...


class Binding(Protocol):
    """One way of sending."""

    async def send(self, endpoint: Endpoint, message: Message) -> tuple[Result, str]: ...


Words = Callable[[Subscription], Awaitable[Wording]]


class Sender:
    """One sender. `run` works until it is cancelled."""

    def __init__(
        self, store: Store, clock: Clock, words: Words, reach: Reach, default_tenant: str = ""
    ) -> None:
        self._store, self._clock, self._words = store, clock, words
        self._reach, self._default_tenant = reach, default_tenant
        self.at_work = False
        self._reset()

    def _reset(self) -> None:
        self._feed, self._roll = Feed(), Roll()
        self._queues: dict[str, EndpointQueue] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._flying: dict[Lane, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[tuple[str, int]] = []
        self._tallies: dict[Lane, Tally] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._mqtt: MqttSender | None = None
        self._results = asyncio.Event()

    def look(self) -> None:
        """Look at once, if a transaction that is now committed may have told something."""
        if self.at_work and told_lately():
            self._wake.set()

    async def run(self) -> None:
        """Send, or stand by while another process does; for ever."""
        while True:
            try:
                await self._hold_and_serve()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("notifications wait for the database: %s", str(error).split("\n")[0])
            except Exception as error:
                if type(error).__name__ != "DatabaseAway":
                    log.exception("the sender of notifications starts anew")
            await asyncio.sleep(STANDBY_S)

    async def _hold_and_serve(self) -> None:
        conn = await asyncpg.connect(self._store.dsn, timeout=5)
        try:
            await conn.execute(f"SET ROLE {APP_ROLE}")
            if not await conn.fetchval(LOCK):
                return
            self._reset()
            lost = asyncio.Event()
            conn.add_termination_listener(lambda _: lost.set())
            await conn.add_listener(CHANNEL, lambda *_: self._wake.set())
            async with self._working():
                await lost.wait()
        finally:
            with suppress(Exception):
                await conn.close(timeout=2)

    @asynccontextmanager
    async def _working(self):
        self._http = HttpSender(self._reach)
        loops = [
            asyncio.create_task(part())
            for part in (self._feeding, self._writing_down, self._ticking, self._sweeping)
        ]
        self.at_work = True
        stopped = asyncio.gather(*loops)
        try:
            yield
        finally:
            self.at_work = False
            for task in (*loops, *self._tasks):
                task.cancel()
            for timer in self._timers.values():
                timer.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await stopped
            with suppress(Exception):
                await self._write_down()
            await self._http.close()
            if self._mqtt is not None:
                await self._mqtt.close()

    # From the outbox into the queues.

    async def _feeding(self) -> None:
        awake_until = refresh_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            rows = await self._store.read(ALL_CITIES, self._feed.next_rows())
            if rows or loop.time() >= refresh_at:
                await self._refresh()
                refresh_at = loop.time() + REFRESH_S
            for row in self._feed.fresh(rows):
                self._accept(row)
            await self._unspill()
            if rows or self._wake.is_set():
                awake_until = loop.time() + AWAKE_S
            self._wake.clear()
            if self._feed.full(rows):
                continue
            pause = OFTEN_S if loop.time() < awake_until else SELDOM_S
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _refresh(self) -> None:
        """Take note of subscriptions that were made, changed or removed."""
        for lane, subscription in await self._roll.refresh(self._store, self._clock.now()):
            for key, queue in self._queues.items():
                for job in queue.refresh(subscription, lane):
                    self._forget(job)
                self._pump(key)

    def _accept(self, row: Row, *, again: bool = False) -> None:
        active = self._roll.active.get((row.city, row.number))
        if active is None:
            self._strike(row.city, [row.outbox_id])
            return
        subscription, last = active
        key = subscription.endpoint.uri
        queue = self._queues.setdefault(key, EndpointQueue())
        lane = row.city, row.number
        if not again and self._feed.spills(key, len(queue), lane, row.outbox_id):
            return
        queue.note_last(subscription, last)
        needless = queue.add(Job(
            subscription, row.outbox_id, row.notification_id, row.at, row.entries,
            [row.outbox_id], row.reason,
        ))  # fmt: skip
        for number in needless:
            self._strike(row.city, [number])
        self._pump(key)

    async def _unspill(self) -> None:
        for key in list(self._feed.spilled):
            if len(self._queues.get(key, ())) < Feed.QUEUE_MAX // 2:
                rows = await self._store.read(ALL_CITIES, self._feed.spilled_rows(key))
                for row in self._feed.again(key, rows):
                    self._accept(row, again=True)

    async def _sweeping(self) -> None:
        """See to it that no row was overlooked, and close what is not used."""
        while True:
            await asyncio.sleep(SWEEP_S)
            numbers = await self._store.read(ALL_CITIES, read_numbers(self._feed.after))
            self._feed.overlooked(numbers)
            self._http.close_idle()
            if self._mqtt is not None:
                await self._mqtt.close_idle()

    async def _ticking(self) -> None:
        """Periodic notifications."""
        while True:
            now = self._clock.now()
            for subscription in self._roll.due(now):
                self._start(self._fire(subscription))
            wait = min(self._roll.until_due(now), SELDOM_S)
            await asyncio.sleep(max(wait, 0.005))

    async def _fire(self, subscription: Subscription) -> None:
        entries = await self._store.read(subscription.city, entries_of(subscription))
        if not entries:
            return
        job = self._roll.periodic_job(subscription, entries, self._clock.now())
        self._queues.setdefault(subscription.endpoint.uri, EndpointQueue()).replace(job)
        self._pump(subscription.endpoint.uri)

    # From the queues to the endpoints.

    def _pump(self, key: str) -> None:
        queue = self._queues[key]
        now = self._clock.now()
        taken = queue.take(now)
        for job in taken.dropped:
            self._forget(job)
        for job in taken.send:
            self._flying[job.lane] += 1
            self._start(self._deliver(key, job))
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        wake = queue.wake_at(now)
        if wake is not None:
            delay = max((wake - now).total_seconds(), 0.001)
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(delay, self._pump, key)
        elif not len(queue) and not queue.in_flight and not queue.failures:
            del self._queues[key]

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a notification could not be dealt with", exc_info=task.exception())

    async def _deliver(self, key: str, job: Job) -> None:
        begun = self._clock.now()
        result: Result = "refused"
        why = ""
        try:
            message = await self._message(job)
            endpoint = job.subscription.endpoint
            result, why = await self._binding(endpoint).send(endpoint, message)
        except Exception as error:
            if type(error).__name__ == "DatabaseAway":
                result, why = "failed", "the database is away"
            else:
                log.exception("a notification of %s cannot be made", job.subscription.uri)
                why = "cannot be made"
        finally:
            self._flying[job.lane] -= 1
            if not self._flying[job.lane]:
                del self._flying[job.lane]
        now = self._clock.now()
        queue = self._queues[key]
        queue.done(job, result, now)
        tally = self._tallies.setdefault(job.lane, Tally())
        tally.sent += job.attempts == 1
        tally.last_notification = begun
        tally.failing, tally.reason = result != "sent", why
        if result == "sent":
            tally.last_success = now
        else:
            tally.failed += 1
            tally.last_failure = now
        self._results.set()
        self._roll.notified(job.lane, begun)
        if result != "failed":
            self._strike(job.subscription.city, job.rows)
        self._pump(key)

    def _binding(self, endpoint: Endpoint) -> Binding:
        if not endpoint.uri.startswith("mqtt"):
            return self._http
        if self._mqtt is None:  # loaded once it is needed
            from onsil.hub.subscriptions.by_mqtt import MqttSender

            self._mqtt = MqttSender(self._reach)
        return self._mqtt

    async def _message(self, job: Job) -> Message:
        subscription = job.subscription
        words = await self._words(subscription)
        now = self._clock.now()
        city = subscription.city
        tenant = "" if city == self._default_tenant else city
        uri = URN + str(job.notification_id)
        if subscription.kind == "sources":
            shown = shown_registrations(job.entries, words.context)
            return source_message(subscription, uri, shown, job.reason, words, now, tenant)
        linked: dict[str, Document] = {}
        form = subscription.form
        if form.join != "@none":
            documents = [documents_of(entry, False)[0] for entry in job.entries]
            linked = await self._store.read(
                city, fetch_linked(city, documents, form.join_level, form.attributes)
            )
        return entity_message(subscription, uri, job.entries, words, now, linked, tenant)

    # What has been done.

    def _forget(self, job: Job) -> None:
        self._strike(job.subscription.city, job.rows)

    def _strike(self, city: str, rows: Iterable[int]) -> None:
        self._done += [(city, row) for row in rows]
        self._results.set()

    async def _writing_down(self) -> None:
        while True:
            await self._results.wait()
            await asyncio.sleep(WRITE_DOWN_S)
            self._results.clear()
            await self._write_down()

    async def _write_down(self) -> None:
        async with self._writing:
            done, tallies = self._done, self._tallies
            if not done and not tallies:
                return
            self._done, self._tallies = [], {}
            try:
                await self._store.write(ALL_CITIES, lambda: write_down(done, tallies))
            except BaseException:
                self._done += done
                for lane, tally in tallies.items():
                    later = self._tallies.get(lane)
                    self._tallies[lane] = tally if later is None else tally.then(later)
                raise
            self._feed.struck(number for _, number in done)

    async def settle(self, city: str, number: int) -> None:
        """Wait a moment for what is under way of a subscription, so that its state can be read."""
        if not self.at_work:
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + SETTLE_S
        while (city, number) in self._flying and loop.time() < end:
            await asyncio.sleep(0.002)
        with suppress(Exception):
            await self._write_down()
