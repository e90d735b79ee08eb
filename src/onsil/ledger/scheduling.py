"""Requests for later: kept until they are due, then handed to the posting writer once."""

from datetime import datetime

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.ledger import refusals, wire
from onsil.ledger.intake import known_keys, sift, submit, told
from onsil.ledger.terms import Answer, TransferRequest

_DUE_MAX = 1000


def schedule(conn: Connection, city: str, request: TransferRequest, due_at: datetime) -> Answer:
    """Keep a request until an instant; `run_due` then hands it in. Until then it is `pending`.

    The same request again changes nothing, not even its instant. Refused at once: a malformed or
    linked request (a chain goes in whole), a due time without a zone, and `key-reused`.
    """
    mark = request.fingerprint()
    refused, _ = sift([(request, mark)])
    if refused:
        return refused[request.key]
    if due_at.tzinfo is None:
        return Answer(request.key, "refused", None, refusals.malformed("due_at"))
    known = known_keys(conn, city, [request.key]).get(request.key)
    if known is not None:
        return told(known, mark)
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO ledger_scheduled (city, key, due_at, requests)
            VALUES (%s, %s, %s, %s)""",
            (city, request.key, due_at, wire.encode([(request, mark)]).decode()),
        )
    return Answer(request.key, "pending")


def unschedule(conn: Connection, city: str, key: str) -> bool:
    """Forget a request that is not due yet; False when there is none, or it was handed in."""
    with cursor(conn) as run:
        run.execute("DELETE FROM ledger_scheduled WHERE city = %s AND key = %s", (city, key))
        return run.rowcount == 1


def run_due(conn: Connection, city: str, clock: Clock) -> int:
    """Hand what is due to the posting writer, in the caller's transaction; how many requests.

    Each goes in once, for it leaves the schedule in the same transaction.
    """
    with cursor(conn) as run:
        rows = run.execute(
            """DELETE FROM ledger_scheduled s USING (
              SELECT key FROM ledger_scheduled WHERE city = %(city)s AND due_at <= %(now)s
              ORDER BY due_at, key LIMIT %(limit)s FOR UPDATE SKIP LOCKED) due
            WHERE s.city = %(city)s AND s.key = due.key RETURNING s.due_at, s.requests""",
            {"city": city, "now": clock.now(), "limit": _DUE_MAX},
        ).fetchall()
    due = [request for _, text in sorted(rows) for request, _ in wire.decode(text)]
    submit(conn, city, due)
    return len(due)
