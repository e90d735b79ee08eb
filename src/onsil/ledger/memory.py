"""What the posting writer keeps of one city between batches, and deciding a batch on top of it."""

import gc
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.ledger.book import Book, Decision
from onsil.ledger.evidence import LeafWriter
from onsil.ledger.ids import AscendingIds
from onsil.ledger.journal import Page, page_of
from onsil.ledger.loading import Head, fill
from onsil.ledger.machine import decide
from onsil.ledger.wire import Marked

ACCOUNTS_MAX = 200_000
"""Accounts kept in memory between batches; beyond, all are read anew."""
_TURN_S = 0.0002


class Memory:
    """A city's book with the batch that is decided and not yet committed, on which the next one
    builds. Valid as long as nobody else posts, which the head's sequence tells when it is written.
    """

    def __init__(self, city: str, head: Head) -> None:
        self.city, self.head = city, head
        self.book = Book({})
        self._leaves = LeafWriter(city, self.book.terms)

    def decide(
        self, conn: Connection, requests: Sequence[Marked], clock: Clock
    ) -> tuple[Page, list[Decision]]:
        """Decide requests and lay out what to write. The head moves on with it."""
        with at_full_speed():
            fill(conn, self.city, self.book, [request for request, _ in requests])
            # Recorded time never goes back, whatever the clock does; history relies on it.
            last = self.head.recorded_at
            now = clock.now() if last is None else max(clock.now(), last)
            ids = AscendingIds(
                self.head.last_id, int(now.timestamp() * 1000), _random_bits(len(requests))
            )
            new_id = iter(ids.many(len(requests))).__next__  # a request takes one at most
            decisions = decide(self.book, requests, now, new_id)
            page, self.head = page_of(self.city, self.book, decisions, self.head, now, self._leaves)
        return page, decisions

    def forget(self, decisions: Sequence[Decision]) -> None:
        """Let go of what a committed batch was needed for: the database tells it from now on."""
        book = self.book
        for decision in decisions:
            book.keys.pop(decision.key, None)
            applied = decision.applied
            if applied is None:
                continue
            request = applied.request
            if request.reverses is not None:
                book.reversed.discard(request.reverses)
            if request.pending is not None:
                book.reserved.pop(request.pending, None)
            if request.phase == "pending" and book.reserved[applied.id].settled_by is None:
                del book.reserved[applied.id]  # else a batch on its way has settled it


def _random_bits(requests: int) -> Callable[[int], int]:
    """The source of randomness for a batch's ids; simulations put their own in its place."""
    return secrets.randbits


@contextmanager
def at_full_speed() -> Iterator[None]:
    """While batches are worked off: no garbage collection, which would walk all that is kept in
    memory and find nothing, and quick turns, since the thread that talks to PostgreSQL has next
    to nothing to do in Python and would wait 5 ms for each turn."""
    collecting, interval = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collecting:
            gc.enable()
