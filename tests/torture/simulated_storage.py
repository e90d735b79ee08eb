"""A database in memory for the posting writer: transactions, one lock, and what a seed breaks.

It stands where PostgreSQL stands: the writer's and the memory's own code runs unchanged on top of
it, `installed` puts its functions in the place of those that speak SQL.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg

from onsil.ledger import memory, posting, writer
from onsil.ledger.book import AccountState, Book, Decision, HeldLeg, Reserved
from onsil.ledger.evidence import LeafWriter, posted
from onsil.ledger.journal import Overtaken
from onsil.ledger.loading import Head
from onsil.ledger.posting import Submission
from onsil.ledger.terms import LotTerms, Transfer, TransferRequest
from onsil.ledger.wire import Marked, decode, encode

Place = tuple[str, str]


@dataclass
class World:
    """Everything that is stored; values are never changed in place."""

    accounts: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    terms: dict[int, LotTerms] = field(default_factory=dict)
    keys: dict[str, Decision] = field(default_factory=dict)
    reversed: frozenset[UUID] = frozenset()
    reserved: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)
    journal: list[Transfer] = field(default_factory=list)
    leaves: list[tuple[UUID, bytes]] = field(default_factory=list)
    intake: dict[int, Submission] = field(default_factory=dict)
    last_intake: int = 0
    head: Head = field(default_factory=lambda: Head(1))

    def copy(self) -> "World":
        return replace(
            self, accounts=dict(self.accounts), terms=dict(self.terms), keys=dict(self.keys),
            reserved=dict(self.reserved), journal=list(self.journal), leaves=list(self.leaves),
            intake=dict(self.intake),
        )  # fmt: skip


class Storage:
    """The committed world. `meanwhile` is called where others could come in between."""

    def __init__(self, meanwhile: Callable[[str], None]) -> None:
        self.world, self.meanwhile = World(), meanwhile
        self.payloads: list[str] = []


class SimulatedConnection:
    """As much of a connection as the writer uses."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.view: World | None = None
        self.told: list[str] = []

    @property
    def world(self) -> World:
        return self.storage.world if self.view is None else self.view

    @contextmanager
    def transaction(self) -> Iterator[None]:
        outer = self.view
        self.view = (self.storage.world if outer is None else outer).copy()
        try:
            yield
            if outer is None:
                self.storage.meanwhile("before-commit")
                self.storage.world = self.view
                self.storage.payloads += self.told
        except BaseException:
            self.view = outer
            self.told = [] if outer is None else self.told
            raise
        if outer is None:
            self.view, self.told = None, []
            self.storage.meanwhile("after-commit")


@dataclass
class SimulatedPage:
    """What a batch writes; `add` is for the intake alone, the rest is laid out by `page_of`."""

    city: str
    before: Head = field(default_factory=Head)
    after: Head = field(default_factory=Head)
    moves_head: bool = False
    changes: list[Callable[[World], None]] = field(default_factory=list)
    removed: tuple[int, ...] = ()
    poisoned: bool = False

    def write(self, conn: SimulatedConnection) -> None:
        world = conn.world
        conn.storage.meanwhile("writing")
        if self.moves_head and conn.world.head.sequence != self.before.sequence:
            raise Overtaken
        if not set(self.removed) <= world.intake.keys():
            raise Overtaken
        if self.poisoned:
            raise psycopg.errors.CheckViolation("a constraint of the database")
        for change in self.changes:
            change(world)
        if self.moves_head:
            world.head = self.after
        for number in self.removed:
            del world.intake[number]


def _frozen(account: AccountState) -> tuple[Any, ...]:
    return (
        account.id, account.code, account.asset, account.minimum, account.maximum,
        account.keeps_lots, account.balance, account.held, account.coming, account.received,
        tuple(tuple(layer) for layer in account.purse), account.closed,
    )  # fmt: skip


def _account(row: tuple[Any, ...]) -> AccountState:
    account = AccountState(*row)
    account.purse = [list(layer) for layer in row[10]]
    return account


def fill(
    conn: SimulatedConnection, city: str, book: Book, requests: Sequence[TransferRequest]
) -> None:
    """As `loading.fill`: what the book does not hold yet is read."""
    conn.storage.meanwhile("reading" if conn.view is None else "reading-locked")
    world = conn.world
    by_id = {row[0]: (row[1], row[2]) for row in world.accounts.values()}

    def load(place: Place) -> None:
        if place in world.accounts and place not in book.accounts:
            book.accounts[place] = _account(world.accounts[place])

    for request in requests:
        for leg in request.legs:
            load((leg.source, leg.asset))
            load((leg.destination, leg.asset))
        if request.key not in book.keys and request.key in world.keys:
            book.keys[request.key] = world.keys[request.key]
        if request.reverses is not None and request.reverses in world.reversed:
            book.reversed.add(request.reverses)
        wanted = request.pending
        if wanted is not None and wanted not in book.reserved and wanted in world.reserved:
            timeout_at, legs, settled_by = world.reserved[wanted]
            for source, destination, *_ in legs:
                load(by_id[source])
                load(by_id[destination])
            book.reserved[wanted] = Reserved(
                wanted, timeout_at,
                [HeldLeg(book.accounts[by_id[source]], book.accounts[by_id[destination]], amount,
                         list(pieces), origin)
                 for source, destination, amount, pieces, origin in legs],
                settled_by,
            )  # fmt: skip
    book.codes |= {code for code, _ in world.accounts}
    for number, terms in world.terms.items():
        if number not in book.terms.terms:
            book.terms.learn(number, terms)


def page_of(
    city: str, book: Book, decisions: Sequence[Decision], head: Head, now: datetime,
    leaf_writer: LeafWriter,
) -> tuple[SimulatedPage, Head]:  # fmt: skip
    """As `journal.page_of`: a copy of what has changed, to be written later."""
    page = SimulatedPage(city)
    fresh = [decision for decision in decisions if decision.fresh]
    if not fresh:
        return page, head
    applied = [d.applied for d in fresh if d.applied is not None]
    after = Head(head.sequence + 1, applied[-1].id if applied else head.last_id, now)
    page.before, page.after, page.moves_head = head, after, True
    page.poisoned = any(one.request.memo == "poison" for one in applied)
    parties = {a.id: a for one in applied for leg in one.legs for a in leg[:2]}
    accounts = [_frozen(account) for account in parties.values()]
    numbers, book.terms.fresh = book.terms.fresh, []
    terms = {number: book.terms.terms[number] for number in numbers}
    journal = [posted(one, book.terms) for one in applied]
    leaves = [leaf_writer.encoded(one) for one in applied]
    keys = {d.key: d._replace(applied=None, fresh=False) for d in fresh}
    made = {
        one.id: (
            one.request.timeout_at,
            tuple((g.source.id, g.destination.id, g.amount, tuple(g.pieces), g.origin)
                  for g in book.reserved[one.id].legs),
            None,
        )
        for one in applied
        if one.request.phase == "pending"
    }  # fmt: skip
    settled = {one.request.pending: one.id for one in applied if one.request.pending}
    undone = {one.request.reverses for one in applied if one.request.reverses}

    def change(world: World) -> None:
        assert world.terms.keys().isdisjoint(terms), "terms are numbered once"
        assert world.keys.keys().isdisjoint(keys), "a key is decided once"
        world.accounts.update({(row[1], row[2]): row for row in accounts})
        world.terms.update(terms)
        world.keys.update(keys)
        world.journal += journal
        world.leaves += leaves
        world.reserved.update(made)
        for pending, by in settled.items():
            timeout_at, legs, before = world.reserved[pending]
            if before is not None:
                raise psycopg.errors.UniqueViolation("ledger_leg_settled_once")
            world.reserved[pending] = timeout_at, legs, by
        if not undone.isdisjoint(world.reversed):
            raise psycopg.errors.UniqueViolation("ledger_leg_reversed_once")
        world.reversed |= undone

    page.changes.append(change)
    return page, after


def _add_refusals(page: SimulatedPage, refused: Sequence[Decision], now: datetime) -> None:
    keys = {d.key: d._replace(fresh=False) for d in refused}
    page.changes.append(lambda world: world.keys.update(keys))


def _remove(page: SimulatedPage, done: Sequence[Submission]) -> SimulatedPage:
    page.removed += tuple(one.id for one in done)
    return page


def _take_in(
    conn: SimulatedConnection, city: str, limit: int = 20, but: Sequence[int] = ()
) -> list[Submission]:
    conn.storage.meanwhile("taking-in" if conn.view is None else "reading-locked")
    found, size = [], 0
    for number in sorted(conn.world.intake.keys() - set(but)):
        if size < limit:
            submission = conn.world.intake[number]
            found.append(replace(submission, requests=decode(encode(submission.requests))))
            size += len(submission.requests)
    return found


def hand_in(conn: SimulatedConnection, requests: Sequence[Marked], token: UUID | None) -> None:
    """As `intake.hand_in`."""
    world = conn.world
    world.last_intake += 1
    world.intake[world.last_intake] = Submission(world.last_intake, token, list(requests))


def _announce(conn: SimulatedConnection, payloads: Sequence[str]) -> None:
    conn.told += payloads


@contextmanager
def installed(bits: Callable[[int], Callable[[int], int]]) -> Iterator[None]:
    """The writer on simulated storage, with ids from a seed, until the end of the block."""

    def head(conn: SimulatedConnection, city: str) -> Head:
        return conn.world.head

    def finish(futures: Sequence[Any]) -> None:
        for future in futures:
            with suppress(Exception):
                future.result()

    fakes = (
        (memory, "fill", fill), (memory, "page_of", page_of), (memory, "_random_bits", bits),
        (posting, "lock_head", head), (posting, "announce", _announce),
        (writer, "_head", head), (writer, "lock_head", head), (writer, "take_in", _take_in),
        (writer, "remove", _remove), (writer, "Page", SimulatedPage), (writer, "wait", finish),
        (writer, "add_refusals", _add_refusals), (writer, "announce", _announce),
        (writer, "scope", lambda conn, city: None),
    )  # fmt: skip
    with ExitStack() as stack:
        for module, name, fake in fakes:
            stack.enter_context(patch.object(module, name, fake))
        yield
