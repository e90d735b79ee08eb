"""The posting writer: takes batches from the intake, has the machine decide them, writes them."""

import gc
import logging
import os
import secrets
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, Connection, connect, cursor, scope
from onsil.ledger import refusals, store
from onsil.ledger.evidence import KIND, encoded
from onsil.ledger.ids import AscendingIds
from onsil.ledger.intake import REQUESTS_CHANNEL, announce
from onsil.ledger.machine import Decision, decide
from onsil.ledger.terms import Answer, TransferRequest, decode_request
from onsil.proof import append_encoded

BATCH_MAX = 8192
WINDOW_S = 0.005
_RETRY_S_MAX = 2.0
_log = logging.getLogger(__name__)


def post(
    conn: Connection, city: str, requests: Iterable[TransferRequest], clock: Clock
) -> dict[str, Answer]:
    """Decide requests at once, in the caller's transaction; the answers by key.

    The same machine and locks as the writer's. From here to the end of the transaction nobody else
    posts in this city, so call it last and keep the transaction short.
    """
    pairs = [(request, request.fingerprint()) for request in requests]
    given: dict[str, Answer] = {}
    for decision in _decide(conn, city, pairs, clock, ()):
        given.setdefault(decision.answer.key, decision.answer)
    announce(conn, city, list(given))
    return given


def _decide(
    conn: Connection, city: str, pairs: Sequence[tuple[TransferRequest, bytes]], clock: Clock,
    intake_ids: Sequence[int],
) -> list[Decision]:  # fmt: skip
    store.lock_city(conn, city)
    last_id, last_recorded = store.last_decided(conn, city)
    # Recorded time never goes back, whatever the clock does; history at an instant relies on it.
    now = clock.now() if last_recorded is None else max(clock.now(), last_recorded)
    ids = AscendingIds(last_id, int(now.timestamp() * 1000), _random_bits(4 * len(pairs)))
    with _no_collection():
        book = store.load_book(conn, city, [request for request, _ in pairs])
        decisions = decide(book, pairs, now, ids)
        with store.Writing(conn, city).open() as writing:
            writing.batch(book, decisions, now)
            if intake_ids:
                writing.remove(intake_ids)
            leaves = [encoded(city, d.applied) for d in decisions if d.applied is not None]
        append_encoded(conn, city, KIND, leaves)
    return decisions


def _random_bits(words: int) -> Callable[[int], int]:
    """Randomness by the bit, `words` times 32 bits of it fetched at once."""
    held = array("I", os.urandom(4 * words))

    def draw(bits: int) -> int:
        return held.pop() & ((1 << bits) - 1) if bits <= 32 and held else secrets.randbits(bits)

    return draw


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection while a batch is in memory: it would walk all of it, for nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def drain(conn: Connection, city: str, clock: Clock, limit: int = BATCH_MAX) -> int:
    """Decide one batch of what was handed in, in the caller's transaction; how many requests.

    Commit right afterwards. Requests are taken in the order of their arrival.
    """
    store.lock_city(conn, city)
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, key, fingerprint, request FROM ledger_intake WHERE city = %s
            ORDER BY id LIMIT %s""",
            (city, limit),
        ).fetchall()
    if not rows:
        return 0
    pairs = [(decode_request(row[3]), bytes(row[2])) for row in rows]
    _decide(conn, city, pairs, clock, [row[0] for row in rows])
    announce(conn, city, [row[1] for row in rows])
    return len(rows)


def refuse_first(conn: Connection, city: str, clock: Clock) -> None:
    """Refuse the oldest request, which the database would not record, so that others may pass."""
    store.lock_city(conn, city)
    with cursor(conn) as run:
        row = run.execute(
            """SELECT id, key, fingerprint FROM ledger_intake WHERE city = %s
            ORDER BY id LIMIT 1""",
            (city,),
        ).fetchone()
    if row is None:
        return
    answer = Answer(row[1], "refused", None, refusals.not_recordable(row[1]))
    with store.Writing(conn, city).open() as writing:
        writing.refusals([Decision(answer, None, bytes(row[2]))], clock.now())
        writing.remove([row[0]])
    announce(conn, city, [row[1]])


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
            with connect(dsn, ALL_CITIES, autocommit=True) as conn:
                with cursor(conn) as run:
                    run.execute(f"LISTEN {REQUESTS_CHANNEL}")
                _log.info("posting writer connected")
                pause_s = 0.05
                _serve(conn, clock, stop, window_s, limit)
        except psycopg.OperationalError as error:
            _log.warning("posting writer lost the database, trying again: %s", error)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, _RETRY_S_MAX)


def _serve(
    conn: Connection, clock: Clock, stop: threading.Event, window_s: float, limit: int
) -> None:
    """Notices say in which cities requests arrived; a scan finds what no notice told."""
    waiting = _cities_waiting(conn)
    while not stop.is_set():
        waiting = {city for city in waiting if _drain_safely(conn, city, clock, limit) >= limit}
        if waiting:
            continue
        notices = list(conn.notifies(timeout=0.5, stop_after=1))
        if notices:
            time.sleep(window_s)
            notices += conn.notifies(timeout=0)
        waiting = {notice.payload for notice in notices} or _cities_waiting(conn)


def _cities_waiting(conn: Connection) -> set[str]:
    with cursor(conn) as run:
        rows = run.execute("SELECT DISTINCT city FROM ledger_intake").fetchall()
    return {city for (city,) in rows}


def _drain_safely(conn: Connection, city: str, clock: Clock, limit: int) -> int:
    """Drain one batch; when the database will not record it, find the request to blame."""
    while True:
        try:
            with conn.transaction():
                scope(conn, city)
                return drain(conn, city, clock, limit)
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
            continue
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            _log.error("a batch of at most %s requests in %s failed: %s", limit, city, error)
            if limit > 1:
                limit = max(1, limit // 8)
                continue
            with conn.transaction():
                scope(conn, city)
                refuse_first(conn, city, clock)
            return 1
