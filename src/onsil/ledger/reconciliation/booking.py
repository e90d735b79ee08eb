"""The books' side: the ledger's entries on the accounts that mirror a bank account, taken in as
lines once each; and running the rules over what is open."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.ledger.accounts import accounts
from onsil.ledger.queries import statement
from onsil.ledger.reconciliation import matching, store
from onsil.ledger.reconciliation.terms import BankAccount, Book, Line, Match, RuleSet
from onsil.ledger.terms import Entry

RULES = "rules"
"""Who made a match that no person made."""
_PAGE = 500


@dataclass(frozen=True)
class ReconcileReport:
    """What a run did: book lines taken in, matches made, lines still open."""

    taken_in: int
    matches: int
    open_bank: int
    open_book: int


def take_books_in(
    conn: Connection, city: str, account: BankAccount, clock: Clock, zone: ZoneInfo
) -> int:
    """Take in what the ledger recorded since the last time; how many lines are new."""
    new = []
    for book, known in _mirrors(conn, city, account):
        last = store.last_transfer(conn, city, account.code, book.account)
        for entry in _entries(conn, city, book, last):
            day = local_day(entry.at, zone)
            if day < account.starts:
                break
            if not known or entry.counterpart.startswith(known):
                new.append((f"{book.account}:{entry.transfer_id}:{entry.leg}",
                            _line(account.code, book, entry, day)))  # fmt: skip
    return store.add_lines(conn, city, new, clock.now())


def _mirrors(
    conn: Connection, city: str, account: BankAccount
) -> Iterator[tuple[Book, tuple[str, ...]]]:
    """Every single ledger account that mirrors the bank account, and whose entries count there."""
    for book in account.books:
        known = _counterparts(account, book)
        if not book.account.endswith(":"):
            yield book, known
            continue
        for one in accounts(conn, city, asset=book.asset, prefix=book.account):
            yield replace(book, account=one.code), known


def _counterparts(account: BankAccount, book: Book) -> tuple[str, ...]:
    """Whose entries count; those of the corrections do on the book that corrections go through."""
    if not book.counterparts or book != account.books[0]:
        return book.counterparts
    return (*book.counterparts, *(c.account for c in account.corrections))


def _entries(conn: Connection, city: str, book: Book, last: UUID | None) -> Iterator[Entry]:
    before = None
    while page := statement(conn, city, book.account, book.asset, _PAGE, before):
        for entry in page:
            if last is not None and entry.transfer_id <= last:
                return
            yield entry
        before = page[-1].transfer_id


def _line(code: str, book: Book, entry: Entry, day: date) -> Line:
    return Line(
        new_id(), "book", code, day, entry.at, book.sign * entry.amount, entry.memo, book.account,
        entry.counterpart, entry.kind, entry.origin_kind, entry.origin_id, entry.transfer_id,
        entry.reverses,
    )  # fmt: skip


def reconcile(
    conn: Connection, city: str, account: BankAccount, clock: Clock, zone: ZoneInfo
) -> ReconcileReport:
    """Take the books in and match what the rules explain, in the caller's transaction.

    Running it again changes nothing. What a person took apart is not put together again.
    """
    store.lock(conn, city, account.code)
    taken_in = take_books_in(conn, city, account, clock, zone)
    bank = store.open_lines(conn, city, account.code, "bank")
    book = store.open_lines(conn, city, account.code, "book")
    undone = store.undone_sets(conn, city, account.code)
    count = 0
    for rules, mine in _by_rules(account, bank):
        found = matching.match(mine, book, rules.rules)
        kept = [m for m in found.matches if _ids(m) not in undone]
        for one in kept:
            store.add_match(
                conn, city, new_id(), account.code, one, rules_from=rules.valid_from,
                correction=None, actor=RULES, at=clock.now(),
            )  # fmt: skip
        used = {line.id for m in kept for line in (*m.bank, *m.book)}
        book = [line for line in book if line.id not in used]
        bank = [line for line in bank if line.id not in used]
        count += len(kept)
    return ReconcileReport(taken_in, count, len(bank), len(book))


def _ids(made: Match) -> frozenset[UUID]:
    return frozenset(line.id for line in (*made.bank, *made.book))


def _by_rules(account: BankAccount, bank: list[Line]) -> list[tuple[RuleSet, list[Line]]]:
    """Bank lines under the rules of their own day."""
    sets = sorted(account.rule_sets, key=lambda one: one.valid_from)
    ends = [*(following.valid_from for _, following in pairwise(sets)), date.max]
    return [
        (rules, [line for line in bank if rules.valid_from <= line.day < end])
        for rules, end in zip(sets, ends, strict=True)
    ]
