"""Asking the posting writer and waiting for its answer, from any number of threads.

What a process asks within a few milliseconds goes in as one submission, and one thread listens for
all: the answer comes inside the writer's notice, so that a payment costs no query after its own.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import psycopg

from onsil.core.database import Connection, connect, cursor
from onsil.core.ids import new_id
from onsil.core.refusal import OperationError
from onsil.ledger.book import Decision
from onsil.ledger.intake import (
    ANSWERS_CHANNEL,
    SUBMISSION_MAX,
    answers_to,
    hand_in,
    heard,
    outcome,
    sift,
)
from onsil.ledger.terms import Answer, TransferRequest
from onsil.ledger.wire import Marked

GATHER_S = 0.002
_LOOK_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


class _Waiting:
    """Requests or keys somebody waits for, with what is known of them so far."""

    __slots__ = ("failure", "given", "marks", "news", "over")

    def __init__(self, marks: dict[str, bytes | None]) -> None:
        self.marks = marks
        self.given: dict[str, Answer] = {}
        self.news = threading.Event()
        self.failure: BaseException | None = None
        self.over = False

    def hear(self, decisions: Iterable[Decision]) -> None:
        """Take in what was decided; the first decision under a key is the answer."""
        for decision in decisions:
            if decision.key in self.marks and decision.key not in self.given:
                self.given[decision.key] = outcome(decision, self.marks[decision.key])
        if len(self.given) == len(self.marks):
            self.news.set()

    @property
    def missing(self) -> list[str]:
        return [key for key in self.marks if key not in self.given]


_Asked = tuple[_Waiting, Sequence[Marked]]


class Teller:
    """Hands requests in and waits for their answers; shared by the threads of a process.

    Keeps a listening connection, one for handing in, and up to `connections` others open. Used as a
    context manager, or kept for the life of the process.
    """

    def __init__(self, dsn: str, city: str, connections: int = 8) -> None:
        self._dsn, self._city = dsn, city
        self._free: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(connections):
            self._free.put(None)
        self._by_key: dict[str, set[_Waiting]] = {}
        self._by_token: dict[str, list[_Asked]] = {}
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        first = self._listening()
        self._threads = [
            threading.Thread(target=work, args=given, name=f"teller-{city}", daemon=True)
            for work, given in ((self._listen, (first,)), (self._hand_in, ()))
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Close every connection; nothing may be asked afterwards."""
        self._closed.set()
        self._asked.put(None)
        for thread in self._threads:
            thread.join(2)
        while not self._free.empty():
            held = self._free.get_nowait()
            if held is not None:
                held.close()

    def ask(self, requests: Iterable[TransferRequest], timeout_s: float = 5.0) -> dict[str, Answer]:
        """Hand requests in and wait until all are decided; `pending` after the time-out.

        What is `pending` may be lost when the database crashes within the next second, so ask again
        with the same request. Raises psycopg.OperationalError when the database is lost meanwhile.
        """
        marked = [(request, request.fingerprint()) for request in requests]
        refused, groups = sift(marked)
        if not groups:
            return refused
        good = [one for group in groups for one in group]
        waiting = _Waiting({request.key: mark for request, mark in good})
        self._asked.put((waiting, good))
        try:
            return refused | self._await(waiting, timeout_s, asked=True)
        finally:
            waiting.over = True

    def wait(
        self, wanted: Iterable[str | TransferRequest], timeout_s: float = 5.0
    ) -> dict[str, Answer]:
        """Wait until all are decided; what is not after the time-out is told as `pending`."""
        waiting = _Waiting({
            (w if isinstance(w, str) else w.key): None if isinstance(w, str) else w.fingerprint()
            for w in wanted
        })  # fmt: skip
        with self._guard:
            for key in waiting.marks:
                self._by_key.setdefault(key, set()).add(waiting)
        try:
            return self._await(waiting, timeout_s, asked=False)
        finally:
            with self._guard:
                for key in waiting.marks:
                    self._by_key[key].discard(waiting)
                    if not self._by_key[key]:
                        del self._by_key[key]

    def _await(self, waiting: _Waiting, timeout_s: float, *, asked: bool) -> dict[str, Answer]:
        """`asked`: they are on their way, so there is nothing to see before the news."""
        deadline = time.monotonic() + timeout_s
        while waiting.missing:
            if asked:
                waiting.news.wait(max(0.0, min(deadline - time.monotonic(), _LOOK_AGAIN_S)))
            if waiting.failure is not None:
                raise waiting.failure
            asked = True
            waiting.news.clear()
            if not waiting.missing:
                break
            self._look(waiting)
            if time.monotonic() >= deadline:
                break
        pending = {key: Answer(key, "pending") for key in waiting.missing}
        return dict(waiting.given) | pending

    def _look(self, waiting: _Waiting) -> None:
        """See in the database for oneself."""
        with self._connection() as conn:
            marks = {key: waiting.marks[key] for key in waiting.missing}
            for key, answer in answers_to(conn, self._city, marks).items():
                if answer.state != "pending":
                    waiting.given.setdefault(key, answer)

    def _hand_in(self) -> None:
        """What was asked within the window goes in as one submission."""
        conn: Connection | None = None
        while True:
            first = self._asked.get()
            if first is None:
                break
            time.sleep(GATHER_S)
            gathered = [first]
            size = len(first[1])
            closing = False
            while size < SUBMISSION_MAX:
                try:
                    more = self._asked.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    closing = True
                    break
                gathered.append(more)
                size += len(more[1])
            conn = self._send(conn, gathered)
            if closing:
                break
        if conn is not None:
            conn.close()

    def _send(self, conn: Connection | None, gathered: list[_Asked]) -> Connection | None:
        token = new_id()
        with self._guard:
            given_up = [t for t, asked in self._by_token.items() if all(w.over for w, _ in asked)]
            for old in given_up:
                del self._by_token[old]
            self._by_token[str(token)] = gathered
        try:
            if conn is None or conn.closed:
                conn = self._opened()
            requests = [marked for _, asked in gathered for marked in asked]
            hand_in(conn, self._city, requests, token)
        except Exception as error:
            with self._guard:
                self._by_token.pop(str(token), None)
            for waiting, _ in gathered:
                waiting.failure = error
                waiting.news.set()
            if conn is not None:
                conn.close()
            return None
        return conn

    def _opened(self) -> Connection:
        conn = connect(self._dsn, self._city, autocommit=True)
        # Handing in need not reach the disk by itself: the writer's commit, which does, comes
        # before the answer, and whoever gets none asks the same request again.
        with cursor(conn) as run:
            run.execute("SET synchronous_commit = off")
        return conn

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        held = self._free.get()
        try:
            if held is None or held.closed:
                held = self._opened()
            yield held
        finally:
            self._free.put(held)

    def _listening(self) -> Connection:
        conn = connect(self._dsn, self._city, autocommit=True)
        with cursor(conn) as run:
            run.execute(f"LISTEN {ANSWERS_CHANNEL}")
        return conn

    def _listen(self, conn: Connection) -> None:
        while not self._closed.is_set():
            try:
                with conn:
                    self._wake_all()  # whoever waited while nobody listened looks again
                    while not self._closed.is_set():
                        for notice in conn.notifies(timeout=0.2, stop_after=1):
                            self._tell(notice.payload)
                    return
            except psycopg.OperationalError as error:
                _log.warning("a teller lost the database, trying again: %s", error)
            while not self._closed.wait(0.2):
                try:
                    conn = self._listening()
                    break
                except psycopg.OperationalError:
                    continue

    def _tell(self, payload: str) -> None:
        """Pass a notice on: to the submission's askers in order, and to who waits for a key."""
        city, token, decisions = heard(payload)
        if city != self._city:
            return
        if decisions is None:
            self._wake_all()
            return
        with self._guard:
            asked = self._by_token.pop(token, []) if token is not None else []
            start = 0
            for waiting, requests in asked:
                waiting.hear(decisions[start : start + len(requests)])
                start += len(requests)
            for decision in decisions:
                for waiting in self._by_key.get(decision.key, ()):
                    waiting.hear([decision])

    def _wake_all(self) -> None:
        """Let everybody look in the database."""
        with self._guard:
            for asked in self._by_token.values():
                for waiting, _ in asked:
                    waiting.news.set()
            for waitings in self._by_key.values():
                for waiting in waitings:
                    waiting.news.set()


def wait(
    dsn: str, city: str, keys: Iterable[str | TransferRequest], timeout_s: float = 5.0
) -> dict[str, Answer]:
    """Wait, on connections of its own, until the keys are decided or the time is over.

    Raises OperationError when the database cannot be reached.
    """
    try:
        with Teller(dsn, city, connections=1) as teller:
            return teller.wait(keys, timeout_s)
    except psycopg.OperationalError as error:
        raise OperationError(f"the ledger cannot be reached: {error}", retry=True) from error


def ask(
    dsn: str, city: str, requests: Iterable[TransferRequest], timeout_s: float = 5.0
) -> dict[str, Answer]:
    """Hand requests in on connections of its own and wait for their answers.

    Raises OperationError when the database cannot be reached; the same requests may then be handed
    in again, since their keys let them be applied once only.
    """
    try:
        with Teller(dsn, city, connections=1) as teller:
            return teller.ask(requests, timeout_s)
    except psycopg.OperationalError as error:
        raise OperationError(f"the ledger cannot be reached: {error}", retry=True) from error
