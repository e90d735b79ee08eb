"""Posting: at once in the caller's own transaction, or a batch of what was handed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.ledger import wire
from onsil.ledger.arrays import numbers
from onsil.ledger.book import Decision
from onsil.ledger.intake import announce, announcements
from onsil.ledger.journal import Page
from onsil.ledger.loading import Head, lock_head
from onsil.ledger.memory import Memory
from onsil.ledger.terms import Answer, TransferRequest
from onsil.ledger.wire import Marked

BATCH_MAX = 8192


@dataclass(frozen=True, slots=True)
class Submission:
    """A row of the intake."""

    id: int
    token: UUID | None
    requests: list[Marked]


def post(
    conn: Connection, city: str, requests: Iterable[TransferRequest], clock: Clock
) -> dict[str, Answer]:
    """Decide requests at once, in the caller's transaction; the answers by key.

    The same machine and lock as the writer's. From here to the end of the transaction nobody else
    posts in this city, so call it last and keep the transaction short.
    """
    marked = [(request, request.fingerprint()) for request in requests]
    decisions = decide_now(conn, city, lock_head(conn, city), marked, clock)
    announce(conn, announcements(city, [(None, decisions)]))
    given: dict[str, Answer] = {}
    for decision in decisions:
        given.setdefault(decision.key, decision.answer)
    return given


def decide_now(
    conn: Connection, city: str, head: Head, requests: Sequence[Marked], clock: Clock
) -> list[Decision]:
    """Decide and write in the caller's transaction, which holds the head."""
    page, decisions = Memory(city, head).decide(conn, requests, clock)
    page.write(conn)
    return decisions


def drain(conn: Connection, city: str, clock: Clock, limit: int = BATCH_MAX) -> int:
    """Decide one batch of what was handed in, in the caller's transaction; how many requests.

    Commit right afterwards. Submissions are taken whole and in the order of their arrival.
    """
    head = lock_head(conn, city)
    found = take_in(conn, city, limit)
    if not found:
        return 0
    requests = [marked for submission in found for marked in submission.requests]
    decisions = decide_now(conn, city, head, requests, clock)
    remove(Page(city), found).write(conn)
    announce(conn, announcements(city, by_submission(found, decisions)))
    return len(requests)


def take_in(
    conn: Connection, city: str, limit: int = BATCH_MAX, but: Sequence[int] = ()
) -> list[Submission]:
    """The oldest submissions that wait, but for some, until they hold `limit` requests."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT i.id, i.token, i.requests
            FROM (SELECT id, sum(size) OVER (ORDER BY id) - size AS before
                  FROM (SELECT id, size FROM ledger_intake
                        WHERE city = %(city)s AND id <> ALL(%(but)s::bigint[])
                        ORDER BY id LIMIT %(limit)s) oldest) o
            JOIN ledger_intake i ON i.city = %(city)s AND i.id = o.id
            WHERE o.before < %(limit)s ORDER BY i.id""",
            {"city": city, "limit": limit, "but": numbers(but)},
        ).fetchall()
    return [Submission(number, token, wire.decode(text)) for number, token, text in rows]


def remove(page: Page, done: Sequence[Submission]) -> Page:
    """Decided submissions leave the intake. Raises Overtaken where another has decided them."""
    page.add(
        len(done),
        "DELETE FROM ledger_intake WHERE city = %(city)s AND id = ANY(%(ids)s::bigint[])",
        {"ids": numbers(one.id for one in done)},
        contended=True,
    )
    return page


def by_submission(
    submissions: Sequence[Submission], decisions: Sequence[Decision]
) -> list[tuple[UUID | None, Sequence[Decision]]]:
    found, start = [], 0
    for submission in submissions:
        end = start + len(submission.requests)
        found.append((submission.token, decisions[start:end]))
        start = end
    return found
