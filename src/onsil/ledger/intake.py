"""Handing requests in and getting answers: the door between callers and the posting writer."""

from collections.abc import Iterable, Sequence

import orjson

from onsil.core.database import Connection, cursor
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
