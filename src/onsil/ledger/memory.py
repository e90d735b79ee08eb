"""What the posting writer keeps of one city between batches, and deciding a batch on top of it."""

import gc
import os
import secrets
from array import array
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
        with no_collection():
            fill(conn, self.city, self.book, [request for request, _ in requests])
            # Recorded time never goes back, whatever the clock does; history relies on it.
            last = self.head.recorded_at
            now = clock.now() if last is None else max(clock.now(), last)
            ids = AscendingIds(
                self.head.last_id, int(now.timestamp() * 1000), _random_bits(4 * len(requests))
            )
            decisions = decide(self.book, requests, now, ids)
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


def _random_bits(words: int) -> Callable[[int], int]:
    """Randomness by the bit, `words` times 32 bits of it fetched at once."""
    held = array("I", os.urandom(4 * words))

    def draw(bits: int) -> int:
        return held.pop() & ((1 << bits) - 1) if bits <= 32 and held else secrets.randbits(bits)

    return draw


@contextmanager
def no_collection() -> Iterator[None]:
    """No garbage collection while a batch is in memory: it would walk all of it, for nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
