"""Handing requests in and getting answers: the door between callers and the posting writer."""

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import orjson
import psycopg

from onsil.core.database import Connection, connect, cursor
from onsil.core.refusal import OperationError
from onsil.ledger import refusals, store
from onsil.ledger.machine import check_form, repeat
from onsil.ledger.terms import Answer, TransferRequest, encode_request

REQUESTS_CHANNEL = "onsil_ledger_requests"
ANSWERS_CHANNEL = "onsil_ledger_answers"
_PAYLOAD_MAX = 7_900


def submit(conn: Connection, city: str, requests: Iterable[TransferRequest]) -> dict[str, Answer]:
    """Hand requests to the posting writer, durable with the caller's transaction.

    Answers by key: mostly `pending`; at once `replayed` or `refused` for a key that was decided
    before, a malformed request, or another request under a key that is taken (`key-reused`).
    """
    given: dict[str, Answer] = {}
    fresh: dict[str, tuple[TransferRequest, bytes]] = {}
    for request in requests:
        refusal = check_form(request)
        if refusal is not None:
            given[request.key] = Answer(request.key, "refused", None, refusal)
            continue
        mark = request.fingerprint()
        if request.key in fresh and fresh[request.key][1] != mark:
            given[request.key] = Answer(
                request.key, "refused", None, refusals.key_reused(request.key)
            )
            continue
        fresh.setdefault(request.key, (request, mark))
    if not fresh:
        return given
    taken_in = _insert(conn, city, fresh)
    # Looked up after the insert, which waits for whoever is deciding the same key at this moment.
    decided = store.load_keys(conn, city, list(fresh))
    with cursor(conn) as run:
        again = sorted(set(decided) & taken_in)
        if again:
            run.execute(
                "DELETE FROM ledger_intake WHERE city = %s AND key = ANY(%s::text[])",
                (city, store.texts(again)),
            )
        waiting = _waiting(conn, city, sorted(set(fresh) - taken_in - set(decided)))
        run.execute("SELECT pg_notify(%s, %s)", (REQUESTS_CHANNEL, city))
    for key, (_, mark) in fresh.items():
        if key in decided:
            given.setdefault(key, repeat(key, decided[key], mark))
        elif waiting.get(key, mark) != mark:
            given.setdefault(key, Answer(key, "refused", None, refusals.key_reused(key)))
        else:
            given.setdefault(key, Answer(key, "pending"))
    return given


def _insert(
    conn: Connection, city: str, fresh: dict[str, tuple[TransferRequest, bytes]]
) -> set[str]:
    encoded = [encode_request(request).decode() for request, _ in fresh.values()]
    with cursor(conn) as run:
        rows = run.execute(
            """INSERT INTO ledger_intake (city, key, fingerprint, request)
            SELECT %s, * FROM unnest(%s::text[], %s::bytea[], %s::text[])
            ON CONFLICT (city, key) DO NOTHING RETURNING key""",
            (
                city, store.texts(fresh), store.hexes(mark for _, mark in fresh.values()),
                store.texts(encoded),
            ),
        ).fetchall()  # fmt: skip
    return {key for (key,) in rows}


def _waiting(conn: Connection, city: str, keys: Sequence[str]) -> dict[str, bytes]:
    if not keys:
        return {}
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT key, fingerprint FROM ledger_intake
            WHERE city = %s AND key = ANY(%s::text[])""",
            (city, store.texts(keys)),
        ).fetchall()
    return {key: bytes(mark) for key, mark in rows}


def answers(
    conn: Connection, city: str, wanted: Iterable[str | TransferRequest]
) -> dict[str, Answer]:
    """What became of requests, by key; keys nobody has handed in are left out.

    Asked with the request itself rather than its key, another request's decision under that key
    is told as `key-reused`.
    """
    marks = {
        (w if isinstance(w, str) else w.key): (None if isinstance(w, str) else w.fingerprint())
        for w in wanted
    }
    decided = store.load_keys(conn, city, list(marks))
    given: dict[str, Answer] = {}
    for key, known in decided.items():
        mark = marks[key]
        if mark is not None and mark != known.fingerprint:
            given[key] = Answer(key, "refused", None, refusals.key_reused(key))
        elif known.refusal is not None:
            given[key] = Answer(key, "refused", None, known.refusal)
        else:
            given[key] = Answer(key, "applied", known.transfer_id)
    for key, waiting in _waiting(conn, city, sorted(set(marks) - set(given))).items():
        if marks[key] not in (None, waiting):
            given[key] = Answer(key, "refused", None, refusals.key_reused(key))
        else:
            given[key] = Answer(key, "pending")
    return given


def announce(conn: Connection, city: str, keys: Sequence[str]) -> None:
    """Tell those who wait, at the commit, which keys were decided."""
    payload = orjson.dumps([city, list(keys)]).decode() if len(keys) <= 200 else ""
    if not payload or len(payload.encode()) > _PAYLOAD_MAX:
        payload = orjson.dumps([city, None]).decode()
    with cursor(conn) as run:
        run.execute("SELECT pg_notify(%s, %s)", (ANSWERS_CHANNEL, payload))


class Teller:
    """A connection that hands in requests and waits for their answers. Not for several threads.

    Used as a context manager; kept open, it saves an interactive payment the time of connecting.
    """

    def __init__(self, dsn: str, city: str) -> None:
        self._city = city
        self._conn = connect(dsn, city, autocommit=True)
        with cursor(self._conn) as run:
            run.execute(f"LISTEN {ANSWERS_CHANNEL}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._conn.close()

    def ask(self, requests: Iterable[TransferRequest], timeout_s: float = 5.0) -> dict[str, Answer]:
        """Hand requests in and wait until all are decided, or `pending` after the time-out."""
        wanted = list(requests)
        with self._conn.transaction():
            given = submit(self._conn, self._city, wanted)
        pending = [r for r in wanted if given[r.key].state == "pending"]
        return given | self.wait(pending, timeout_s)

    def wait(
        self, wanted: Iterable[str | TransferRequest], timeout_s: float = 5.0
    ) -> dict[str, Answer]:
        """Wait until all are decided; what is not after the time-out is told as `pending`."""
        open_ = {w if isinstance(w, str) else w.key: w for w in wanted}
        given: dict[str, Answer] = {}
        deadline = time.monotonic() + timeout_s
        while open_:
            found = answers(self._conn, self._city, open_.values())
            given |= found
            for key, answer in found.items():
                if answer.state != "pending":
                    del open_[key]
            if not open_ or not self._woken(set(open_), deadline):
                break
        for key in open_:
            given.setdefault(key, Answer(key, "pending"))
        return given

    def _woken(self, keys: set[str], deadline: float) -> bool:
        """Wait for news about one of the keys; False when the time is over."""
        while (left := deadline - time.monotonic()) > 0:
            for notice in self._conn.notifies(timeout=min(left, 1.0), stop_after=1):
                city, decided = orjson.loads(notice.payload)
                if city == self._city and (decided is None or not keys.isdisjoint(decided)):
                    return True
            if time.monotonic() < deadline and left > 1.0:
                return True  # look again, in case a notice was lost with a connection
        return False


def wait(
    dsn: str, city: str, keys: Iterable[str | TransferRequest], timeout_s: float = 5.0
) -> dict[str, Answer]:
    """Wait, on a connection of its own, until the keys are decided or the time is over.

    Raises OperationError when the database cannot be reached.
    """
    try:
        with Teller(dsn, city) as teller:
            return teller.wait(keys, timeout_s)
    except psycopg.OperationalError as error:
        raise OperationError(f"the ledger cannot be reached: {error}", retry=True) from error


def ask(
    dsn: str, city: str, requests: Iterable[TransferRequest], timeout_s: float = 5.0
) -> dict[str, Answer]:
    """Hand requests in on a connection of its own and wait for their answers.

    Raises OperationError when the database cannot be reached; the same requests may then be handed
    in again, since their keys let them be applied once only.
    """
    try:
        with Teller(dsn, city) as teller:
            return teller.ask(requests, timeout_s)
    except psycopg.OperationalError as error:
        raise OperationError(f"the ledger cannot be reached: {error}", retry=True) from error
