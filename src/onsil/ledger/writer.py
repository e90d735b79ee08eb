"""The posting writer: takes submissions from the intake, has the machine decide them, writes them.

While PostgreSQL writes one batch, the next is decided on top of it in memory; answers leave only
with a commit. When a batch fails, the one after it was decided on sand: both are decided again.
"""

import gc
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import psycopg

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, Connection, connect, cursor, scope
from onsil.ledger import refusals
from onsil.ledger.book import Decision
from onsil.ledger.intake import REQUESTS_CHANNEL, announce, announcements, chains
from onsil.ledger.journal import Overtaken, Page, add_refusals
from onsil.ledger.lapsing import cities_with_timeouts, expire_pending
from onsil.ledger.loading import Head, lock_head, read_head
from onsil.ledger.memory import ACCOUNTS_MAX, Memory, at_full_speed
from onsil.ledger.posting import (
    BATCH_MAX,
    Submission,
    by_submission,
    decide_now,
    remove,
    take_in,
)
from onsil.ledger.wire import Marked

WINDOW_S = 0.003
TIMEOUTS_EVERY_S = 1.0
_RETRY_S_MAX = 2.0
_FREEZE_EVERY = 10_000
_AGAIN = (Overtaken, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
_UNRECORDABLE = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """A batch that was decided and is being written."""

    page: Page
    submissions: list[Submission]
    decisions: list[Decision]
    payloads: list[str]
    written: "Future[None] | None" = None


class CityWriter:
    """Posts what waits in one city. `reading` and `writing` are connections of their own: one
    reads what the next batch needs while the other writes the one before."""

    def __init__(
        self, city: str, reading: Connection, writing: Connection, hands: ThreadPoolExecutor,
        clock: Clock, limit: int = BATCH_MAX,
    ) -> None:  # fmt: skip
        self._city, self._reading, self._writing = city, reading, writing
        self._hands, self._clock, self.limit = hands, clock, limit
        self._memory: Memory | None = None
        self._frozen = 0

    def work_off(self, stop: threading.Event) -> int:
        """Decide all that waits, batch by batch; how many requests. Answers leave batch by batch.

        Raises psycopg.OperationalError when the database is lost.
        """
        with at_full_speed():
            done = self._work_off(stop)
        known = 0 if self._memory is None else len(self._memory.book.accounts)
        if known > self._frozen + _FREEZE_EVERY:
            gc.freeze()  # or collections would walk them all and make somebody wait
            self._frozen = known
        return done

    def _work_off(self, stop: threading.Event) -> int:
        done, before, careful = 0, None, False
        while True:
            try:
                if careful:
                    done += self._carefully()
                    careful = False
                batch = None if stop.is_set() else self._decide(before)
                if before is not None:
                    done += self._finish(before)
                elif batch is None:
                    return done
                if batch is not None:
                    batch.written = self._hands.submit(self._write, batch)
                before = batch
            except _AGAIN:
                before = self._forget(before)
            except _UNRECORDABLE as error:
                _log.error("a batch in %s could not be recorded: %s", self._city, error)
                before, careful = self._forget(before), True

    def _forget(self, before: _Batch | None) -> None:
        """Begin anew from the database, once nothing is being written any more."""
        self._memory = None
        if before is not None and before.written is not None:
            wait([before.written])

    def _decide(self, before: _Batch | None) -> _Batch | None:
        """The next batch, on top of the one being written; None when nothing waits."""
        memory = self._memory
        if memory is None or len(memory.book.accounts) > ACCOUNTS_MAX:
            if before is not None:
                return None  # read anew only when nothing is on its way
            memory = self._memory = Memory(self._city, _head(self._reading, self._city))
        on_its_way = [one.id for one in before.submissions] if before is not None else []
        found = take_in(self._reading, self._city, self.limit, on_its_way)
        if not found:
            return None
        requests = [marked for submission in found for marked in submission.requests]
        page, decisions = memory.decide(self._reading, requests, self._clock)
        payloads = announcements(self._city, by_submission(found, decisions))
        return _Batch(remove(page, found), found, decisions, payloads)

    def _write(self, batch: _Batch) -> None:
        with self._writing.transaction():
            scope(self._writing, self._city)
            batch.page.write(self._writing)
            announce(self._writing, batch.payloads)

    def _finish(self, batch: _Batch) -> int:
        """Wait for a batch's commit; raises what kept it from being written."""
        assert batch.written is not None
        batch.written.result()
        if self._memory is not None:
            self._memory.forget(batch.decisions)
        return len(batch.decisions)

    def _carefully(self) -> int:
        """Decide the oldest submission by itself, and refuse what the database will not record."""
        conn, city = self._writing, self._city
        with conn.transaction():
            scope(conn, city)
            lock_head(conn, city)
            oldest = take_in(conn, city, 1)
            if not oldest:
                return 0
            decisions = _apart(conn, city, chains(oldest[0].requests), self._clock)
            remove(Page(city), oldest).write(conn)
            announce(conn, announcements(city, [(oldest[0].token, decisions)]))
        return len(decisions)


def _head(conn: Connection, city: str) -> Head:
    """The city's head, made where there is none yet."""
    head = read_head(conn, city)
    if not head.sequence:
        with conn.transaction():
            head = lock_head(conn, city)
    return head


def _apart(
    conn: Connection, city: str, groups: Sequence[list[Marked]], clock: Clock
) -> list[Decision]:
    """Decide chains and single requests, halving them until the one to blame stands alone."""
    requests = [marked for group in groups for marked in group]
    try:
        with conn.transaction():
            return decide_now(conn, city, lock_head(conn, city), requests, clock)
    except _UNRECORDABLE:
        if len(groups) > 1:
            half = len(groups) // 2
            first = _apart(conn, city, groups[:half], clock)
            return first + _apart(conn, city, groups[half:], clock)
    refused = [
        Decision(request.key, mark, None, refusals.not_recordable(request.key), None, True)
        for request, mark in requests
    ]
    page = Page(city)
    add_refusals(page, refused, clock.now())
    page.write(conn)
    return refused


def writer_connection(dsn: str) -> Connection:
    """A connection for reading or writing batches, which finds everything by index.

    Left to itself the planner hashes the whole of the accounts for a few thousand of them, and
    reads the whole journal for each batch's keys while its statistics are those of a young table.
    """
    conn = connect(dsn, ALL_CITIES, autocommit=True)
    with cursor(conn) as run:
        for way in ("hashjoin", "mergejoin", "seqscan"):
            run.execute(f"SET enable_{way} = off")
    return conn


def run_writer(
    dsn: str, clock: Clock, stop: threading.Event, window_s: float = WINDOW_S,
    limit: int = BATCH_MAX,
) -> None:  # fmt: skip
    """The writer's role: decide what arrives, in batches gathered over `window_s`, until `stop`.

    Survives the loss of the database: it connects again and goes on, with growing pauses.
    """
    pause_s = 0.05
    while not stop.is_set():
        try:
            with (
                writer_connection(dsn) as reading,
                writer_connection(dsn) as writing,
                ThreadPoolExecutor(1, "ledger-write") as hands,
            ):
                with cursor(reading) as run:
                    run.execute(f"LISTEN {REQUESTS_CHANNEL}")
                _log.info("posting writer connected")
                pause_s = 0.05
                _serve(reading, writing, hands, clock, stop, window_s, limit)
        except psycopg.OperationalError as error:
            _log.warning("posting writer lost the database, trying again: %s", error)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, _RETRY_S_MAX)


def _serve(
    reading: Connection, writing: Connection, hands: ThreadPoolExecutor, clock: Clock,
    stop: threading.Event, window_s: float, limit: int,
) -> None:  # fmt: skip
    """Notices say in which cities requests arrived; a scan finds what no notice told."""
    writers: dict[str, CityWriter] = {}
    look_at = time.monotonic()
    waiting = _cities_waiting(reading)
    while not stop.is_set():
        for city in waiting:
            if city not in writers:
                writers[city] = CityWriter(city, reading, writing, hands, clock, limit)
            writers[city].work_off(stop)
        notices = list(reading.notifies(timeout=0.5, stop_after=1))
        if notices:
            time.sleep(window_s)
            notices += reading.notifies(timeout=0)
        waiting = {notice.payload for notice in notices} or _cities_waiting(reading)
        if time.monotonic() >= look_at:
            look_at = time.monotonic() + TIMEOUTS_EVERY_S
            _release(reading, writing, clock)


def _release(reading: Connection, writing: Connection, clock: Clock) -> None:
    """Release the pending transfers whose time is over, city by city."""
    for city in cities_with_timeouts(reading, clock):
        with writing.transaction():
            scope(writing, city)
            expire_pending(writing, city, clock)


def _cities_waiting(conn: Connection) -> set[str]:
    with cursor(conn) as run:
        rows = run.execute("SELECT DISTINCT city FROM ledger_intake").fetchall()
    return {city for (city,) in rows}
