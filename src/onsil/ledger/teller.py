"""Asking the posting writer and waiting for its answer, from any number of threads.

One thread listens for all of them, so that a payment costs one woken thread and not one per
connection.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import orjson
import psycopg

from onsil.core.database import Connection, connect, cursor
from onsil.core.refusal import OperationError
from onsil.ledger.intake import ANSWERS_CHANNEL, answers, submit
from onsil.ledger.terms import Answer, TransferRequest

_LOOK_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


class Teller:
    """Hands requests in and waits for their answers; shared by the threads of a process.

    Keeps a listening connection and up to `connections` others open. Used as a context manager,
    or kept for the life of the process.
    """

    def __init__(self, dsn: str, city: str, connections: int = 8) -> None:
        self._dsn, self._city = dsn, city
        self._free: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(connections):
            self._free.put(None)
        self._waiting: dict[str, set[threading.Event]] = {}
        self._guard = threading.Lock()
        self._closed = threading.Event()
        first = self._listening()
        self._listener = threading.Thread(
            target=self._listen, args=(first,), name=f"teller-{city}", daemon=True
        )
        self._listener.start()

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
        self._listener.join(2)
        while not self._free.empty():
            held = self._free.get_nowait()
            if held is not None:
                held.close()

    def ask(self, requests: Iterable[TransferRequest], timeout_s: float = 5.0) -> dict[str, Answer]:
        """Hand requests in and wait until all are decided; `pending` after the time-out.

        What is `pending` may be lost when the database crashes within the next second, so ask again
        with the same request. Raises psycopg.OperationalError when the database is lost meanwhile.
        """
        wanted = {request.key: request for request in requests}
        news = self._expect(wanted)
        try:
            with self._connection() as conn, conn.transaction():
                given = submit(conn, self._city, wanted.values())
            pending = [wanted[key] for key, answer in given.items() if answer.state == "pending"]
            return given | self._await(pending, news, timeout_s, asked=True)
        finally:
            self._forget(wanted, news)

    def wait(
        self, wanted: Iterable[str | TransferRequest], timeout_s: float = 5.0
    ) -> dict[str, Answer]:
        """Wait until all are decided; what is not after the time-out is told as `pending`."""
        asked = list(wanted)
        keys = [w if isinstance(w, str) else w.key for w in asked]
        news = self._expect(keys)
        try:
            return self._await(asked, news, timeout_s, asked=False)
        finally:
            self._forget(keys, news)

    def _await(
        self, wanted: Iterable[str | TransferRequest], news: threading.Event, timeout_s: float,
        *, asked: bool,
    ) -> dict[str, Answer]:  # fmt: skip
        """`asked`: they were pending a moment ago, so there is nothing to see before the news."""
        left = {w if isinstance(w, str) else w.key: w for w in wanted}
        given = {key: Answer(key, "pending") for key in left}
        deadline = time.monotonic() + timeout_s
        while left:
            if asked:
                pause_s = min(deadline - time.monotonic(), _LOOK_AGAIN_S)
                news.wait(max(0.0, pause_s))
            asked = True
            news.clear()
            with self._connection() as conn:
                given |= answers(conn, self._city, left.values())
            left = {key: w for key, w in left.items() if given[key].state == "pending"}
            if time.monotonic() >= deadline:
                break
        return given

    def _expect(self, keys: Iterable[str]) -> threading.Event:
        news = threading.Event()
        with self._guard:
            for key in keys:
                self._waiting.setdefault(key, set()).add(news)
        return news

    def _forget(self, keys: Iterable[str], news: threading.Event) -> None:
        with self._guard:
            for key in keys:
                self._waiting[key].discard(news)
                if not self._waiting[key]:
                    del self._waiting[key]

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        held = self._free.get()
        try:
            if held is None or held.closed:
                held = connect(self._dsn, self._city, autocommit=True)
                # Handing in need not reach the disk by itself: the writer's commit, which does,
                # comes before the answer, and whoever gets none asks the same request again.
                with cursor(held) as run:
                    run.execute("SET synchronous_commit = off")
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
                    self._tell(None)  # whoever waited while nobody listened looks again
                    while not self._closed.is_set():
                        for notice in conn.notifies(timeout=0.2, stop_after=1):
                            city, decided = orjson.loads(notice.payload)
                            if city == self._city:
                                self._tell(decided)
                    return
            except psycopg.OperationalError as error:
                _log.warning("a teller lost the database, trying again: %s", error)
            while not self._closed.wait(0.2):
                try:
                    conn = self._listening()
                    break
                except psycopg.OperationalError:
                    continue

    def _tell(self, decided: list[str] | None) -> None:
        """Wake those who wait for one of the keys; all, when the keys were too many to tell."""
        with self._guard:
            for key in list(self._waiting) if decided is None else decided:
                for news in self._waiting.get(key, ()):
                    news.set()


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
