"""One seeded defect for each invariant: it trips that one and no other.

A defect is a change to the real code while the scenario plays, or a change behind the ledger's back
by somebody who owns the database. Where PostgreSQL's own constraints would stop the defect, they
are taken away first: they are the second line, and not what is being tried here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from invariants import Observation, Told, observe

from onsil import ledger, proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.refusal import Refusal
from onsil.ledger import (
    AccountSpec,
    Answer,
    Leg,
    LotFilter,
    LotTerms,
    TransferRequest,
    machine,
    memory,
    pending,
    reversal,
)
from onsil.ledger import book as books
from onsil.ledger.lots import TermsBook

CITY = "pyeongtaek"
A, B = "local:torture", "point:torture"
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SOON, MARKET, PLAIN = LotTerms("f", START + 9 * DAY), LotTerms("f", None, "market"), LotTerms("f")


class Scenario:
    """A short day in a city in which every rule of the ledger is put to the test once."""

    def __init__(self, conn: Connection, folder: Path) -> None:
        self.conn, self.folder = conn, folder
        self.clock = FixedClock(START)
        self.told: list[Told] = []

    def ask(self, *requests: TransferRequest) -> list[Answer]:
        """Post and remember what was told, a request at a time but for chains."""
        given: list[Answer] = []
        group: list[TransferRequest] = []
        for request in requests:
            group.append(request)
            if not request.linked:
                answers = ledger.post(self.conn, CITY, group, self.clock)
                given += [answers[r.key] for r in group]
                self.told += [Told(r, answers[r.key]) for r in group]
                group = []
        return given

    def one(self, key: str, source: str, to: str, amount: int, **more: Any) -> Answer:
        leg = {name: more.pop(name) for name in ("lot", "only") if name in more}
        asset = more.pop("asset", A)
        request = TransferRequest(key, "act", (Leg(source, to, asset, amount, **leg),), **more)
        return self.ask(request)[0]

    def play(self) -> None:
        """The whole scenario; the last of it is signed into the log."""
        self._open()
        self._limits_and_keys()
        self._together()
        self._reservations()
        self._lots_and_reversals()
        self.clock.instant -= timedelta(hours=5)  # a clock is set back
        self.one("late", "issuer", "fund", 1)
        self.conn.commit()
        signer = proof.load_or_create_signer(self.folder / "keys", CITY)
        proof.sequence(self.conn, CITY, self.folder / "log", signer, FixedClock(START))
        self.conn.commit()

    def _open(self) -> None:
        plain = [
            ("issuer", A, None, None), ("fund", A, 0, None), ("credit", A, -50, 200),
            ("budget", A, 0, None), ("issuer", B, None, None), ("points", B, 0, None),
        ]  # fmt: skip
        kept = [("minji", 400), ("seoyun", None), ("shop", None), ("quiet", None)]
        specs = [AccountSpec(code, asset, "x", low, high) for code, asset, low, high in plain]
        specs += [AccountSpec(code, A, "x", 0, high, True) for code, high in kept]
        ledger.open_accounts(self.conn, CITY, specs)
        for n, (code, lot) in enumerate(
            [("minji", PLAIN), ("minji", SOON), ("minji", MARKET), ("seoyun", PLAIN)]
        ):
            self.one(f"grant-{n}", "issuer", code, 40, lot=lot)
        self.one("fund", "issuer", "fund", 100)
        self.one("points", "issuer", "points", 30, asset=B)

    def _limits_and_keys(self) -> None:
        self.one("overdraft", "budget", "fund", 7)  # there is nothing
        self.one("overfull", "issuer", "minji", 300)  # 120 are there, 400 may be
        self.one("other-asset", "fund", "points", 5)  # an account of that name has points only
        self.clock.advance(DAY)
        paid = TransferRequest("pay", "act", (Leg("minji", "shop", A, 5),))
        self.ask(paid, paid._replace(effective_at=START), paid._replace(memo="another"), paid)
        poor = TransferRequest("poor", "act", (Leg("budget", "fund", A, 9),))
        self.ask(poor)
        self.one("funded", "issuer", "budget", 20)
        self.ask(poor, poor._replace(memo="another"))

    def _together(self) -> None:
        self.ask(
            TransferRequest(
                "two", "act", (Leg("issuer", "fund", A, 3), Leg("fund", "budget", A, 1))
            )
        )
        half = (Leg("issuer", "fund", A, 3), Leg("budget", "fund", A, 10_000))
        self.ask(TransferRequest("half", "act", half))
        good, bad = Leg("issuer", "fund", A, 2), Leg("budget", "fund", A, 10_000)
        for name, legs in (("good", (good, good)), ("bad", (good, bad, good))):
            last = len(legs) - 1
            self.ask(*(TransferRequest(f"{name}-{n}", "chain", (leg,), linked=n < last)
                       for n, leg in enumerate(legs)))  # fmt: skip

    def _settle(self, key: str, held: Answer, phase: Any, *legs: Leg) -> Answer:
        return self.ask(
            TransferRequest(key, "end", legs, phase=phase, pending=held.transfer_id)
        )[0]  # fmt: skip

    def _reservations(self) -> None:
        whole = self.one("hold-1", "minji", "shop", 6, phase="pending")
        self._settle("post-1", whole, "post")
        self._settle("post-1-again", whole, "post")
        part = self.one("hold-2", "fund", "credit", 9, phase="pending")
        self._settle("post-2", part, "post", Leg("fund", "credit", A, 4))
        freed = self.one("hold-3", "seoyun", "shop", 6, phase="pending")
        self._settle("void-3", freed, "void")
        self._settle("void-3-again", freed, "void")
        self.one("hold-4", "minji", "quiet", 3, phase="pending")
        late = self.one("hold-5", "fund", "credit", 2, phase="pending",
                        timeout_at=self.clock.now() + DAY)  # fmt: skip
        self.clock.advance(2 * DAY)
        self._settle("post-5", late, "post")

    def _lots_and_reversals(self) -> None:
        self.one("spend", "minji", "shop", 60)
        self.one("spend-plain", "minji", "shop", 4, only=LotFilter(frozenset()))
        self.one("rest", "shop", "quiet", 8)
        undone = self.one("undone", "minji", "seoyun", 10)
        plain = self.one("undone-plain", "fund", "credit", 5)
        for key, first in (("undo", undone), ("undo-2", plain), ("undo-2-again", plain)):
            self._reverse(key, first)

    def _reverse(self, key: str, first: Answer) -> None:
        assert first.transfer_id is not None
        done = ledger.transfer(self.conn, CITY, first.transfer_id)
        assert done is not None
        told = ledger.reverse(self.conn, CITY, first.transfer_id, key, self.clock)
        assert not isinstance(told, Refusal)
        self.told.append(Told(reversal.opposite(done, key), told))

    def observation(self) -> Observation:
        report = proof.verify(
            self.conn, CITY, self.folder / "log", {"transfer": ledger.entry_source}
        )
        return observe(self.conn, CITY, self.told, [finding.en for finding in report.findings])


@dataclass(frozen=True)
class Mutant:
    """A defect: what it is, the invariant it breaks, the code while the scenario plays, and the
    statements of the database's owner before and after."""

    name: str
    breaks: str
    code: Callable[[], AbstractContextManager[Any]] = nullcontext
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def _account_of_another_asset() -> AbstractContextManager[Any]:
    """Where no account of the asset has the name, one of another asset is taken."""
    first = machine.parties

    def parties(book: books.Book, leg: Leg) -> Any:
        if leg.destination == "points" and leg.asset == A:
            return book.accounts["fund", A], book.accounts["points", B]
        return first(book, leg)

    fill = memory.fill

    def fill_more(conn: Any, city: str, book: books.Book, requests: Sequence[TransferRequest]):
        asked = [r for r in requests if r.key == "other-asset"]
        more = [r._replace(legs=(Leg("issuer", "points", B, 1),)) for r in asked]
        fill(conn, city, book, [*requests, *more])

    return _both(patch.object(machine, "parties", parties),
                 patch.object(memory, "fill", fill_more))  # fmt: skip


@contextmanager
def _both(*patches: AbstractContextManager[Any]) -> Iterator[None]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield


def _balance_before_instead_of_after() -> AbstractContextManager[Any]:
    first = machine._apply_leg

    def apply_leg(book: Any, request: TransferRequest, *rest: Any) -> Any:
        done = first(book, request, *rest)
        if request.key == "funded" and not isinstance(done, Refusal):
            return done._replace(destination_balance=done.destination_balance - done.amount)
        return done

    return patch.object(machine, "_apply_leg", apply_leg)


def _limit_forgotten(name: str, key: str) -> AbstractContextManager[Any]:
    """The limit is not looked at for one request."""
    first = machine._apply_leg

    def apply_leg(book: books.Book, request: TransferRequest, leg: Leg, *rest: Any) -> Any:
        if request.key != key:
            return first(book, request, leg, *rest)
        code = leg.source if name == "minimum" else leg.destination
        account = book.accounts[code, leg.asset]
        kept = getattr(account, name)
        setattr(account, name, None)
        try:
            return first(book, request, leg, *rest)
        finally:
            setattr(account, name, kept)

    return patch.object(machine, "_apply_leg", apply_leg)


def _applied_again() -> AbstractContextManager[Any]:
    """A key that was applied is applied once more when the same request comes again."""
    first = machine._decide_alone

    def decide_alone(book: books.Book, marked: Any, *rest: Any) -> Any:
        known = book.keys.get(marked[0].key)
        if known is not None and known.transfer_id and known.fingerprint == marked[1]:
            del book.keys[marked[0].key]
        return first(book, marked, *rest)

    return patch.object(machine, "_decide_alone", decide_alone)


def _parameters_not_compared() -> AbstractContextManager[Any]:
    first = books.Decision.repeat
    return patch.object(books.Decision, "repeat", lambda self, _: first(self, self.fingerprint))


def _refusal_forgotten() -> AbstractContextManager[Any]:
    first = machine._refused

    def refused(book: books.Book, key: str, mark: bytes, refusal: Refusal) -> Any:
        decision = first(book, key, mark, refusal)
        book.keys.pop(key, None)
        return decision._replace(fresh=False)

    return patch.object(machine, "_refused", refused)


def _half_a_transfer() -> AbstractContextManager[Any]:
    """What was applied before a leg is refused stays."""
    first = machine._apply

    def apply(book: books.Book, marked: Any, now: datetime, new_id: Any, undo: Any) -> Any:
        request, mark = marked
        done = first(book, marked, now, new_id, undo)
        if isinstance(done, Refusal) and len(request.legs) > 1:
            undo.roll_back(book)
            return first(book, (request._replace(legs=request.legs[:1]), mark), now, new_id, undo)
        return done

    return patch.object(machine, "_apply", apply)


def _chain_taken_apart() -> AbstractContextManager[Any]:
    def each(book: books.Book, chain: Iterable[Any], now: datetime, new_id: Any) -> list[Any]:
        return [machine._decide_alone(book, marked, now, new_id) for marked in chain]

    return patch.object(machine, "_decide_chain", each)


def _released_twice() -> AbstractContextManager[Any]:
    """A second release of the same reservation is taken for the first."""
    first = machine.settle

    def settle(book: books.Book, request: TransferRequest, *rest: Any) -> Any:
        if request.key == "void-3-again":
            reserved = book.reserved[request.pending or UUID(int=0)]
            return reserved, pending.reserved_legs(reserved)
        return first(book, request, *rest)

    return patch.object(machine, "settle", settle)


def _lapsed_is_posted() -> AbstractContextManager[Any]:
    first = machine.settle

    def settle(book: books.Book, request: TransferRequest, now: datetime, undo: Any) -> Any:
        return first(book, request, START, undo)

    return patch.object(machine, "settle", settle)


def _rest_stays_held() -> AbstractContextManager[Any]:
    """Posting a part does not free what is left of the reservation."""
    first = machine.settle

    def settle(book: books.Book, request: TransferRequest, *rest: Any) -> Any:
        done = first(book, request, *rest)
        if not isinstance(done, Refusal) and request.legs:
            reserved, legs = done
            for held, leg in zip(reserved.legs, legs, strict=True):
                held.source.held += held.amount - leg.amount
        return done

    return patch.object(machine, "settle", settle)


def _terms_lost_on_the_way() -> AbstractContextManager[Any]:
    """What reaches one account stands there without its terms."""
    first = machine.give

    def give(purse: Any, book: TermsBook, terms: int, amount: int, received: int) -> int:
        return first(purse, book, book.number(LotTerms("lost")), amount, received)

    receive = machine._receive

    def receive_so(book: Any, account: books.AccountState, *rest: Any) -> None:
        with patch.object(machine, "give", give if account.code == "quiet" else first):
            receive(book, account, *rest)

    return patch.object(machine, "_receive", receive_so)


def _latest_expiry_first() -> AbstractContextManager[Any]:
    first = machine.choose

    def choose(purse: Any, *rest: Any) -> Any:
        return first(list(reversed(purse)), *rest)

    return _both(patch.object(machine, "choose", choose), patch.object(pending, "choose", choose))


def _reversed_into_new_positions() -> AbstractContextManager[Any]:
    first = reversal.opposite

    def opposite(done: Any, key: str, memo: str = "") -> TransferRequest:
        request = first(done, key, memo)
        return request._replace(legs=tuple(leg._replace(pieces=None) for leg in request.legs))

    return patch.object(reversal, "opposite", opposite)


def _reversed_twice() -> AbstractContextManager[Any]:
    first = machine._apply

    def apply(book: books.Book, marked: Any, *rest: Any) -> Any:
        book.reversed.discard(marked[0].reverses)
        return first(book, marked, *rest)

    return patch.object(machine, "_apply", apply)


def _clock_believed() -> AbstractContextManager[Any]:
    """Recorded time is what the clock says, even when it has been set back."""
    first = memory.Memory.decide

    def decide(self: memory.Memory, *rest: Any) -> Any:
        self.head = replace(self.head, recorded_at=None)
        return first(self, *rest)

    return patch.object(memory.Memory, "decide", decide)


_NO_LIMITS = (
    "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_not_below_minimum, "
    "DROP CONSTRAINT ledger_account_not_above_maximum",
)

MUTANTS = (
    Mutant("a leg goes to an account of another asset", "value-conserved",
           _account_of_another_asset),
    Mutant("a leg tells the balance before it", "balance-is-its-entries",
           _balance_before_instead_of_after),
    Mutant("two balances are changed by SQL, their sum is kept", "balance-is-its-entries",
           after=("UPDATE ledger_account SET balance = balance + CASE code WHEN 'fund' THEN 3 "
                  "ELSE -3 END WHERE code IN ('fund', 'budget') AND asset = 'local:torture'",)),
    Mutant("the minimum is not looked at", "within-limits",
           lambda: _limit_forgotten("minimum", "overdraft"), _NO_LIMITS),
    Mutant("the maximum is not looked at", "within-limits",
           lambda: _limit_forgotten("maximum", "overfull"), _NO_LIMITS),
    Mutant("a request that comes again is applied again", "replay-moves-nothing", _applied_again,
           ("DROP INDEX ledger_leg_key",)),
    Mutant("the parameters under a key are not compared", "key-means-one-act",
           _parameters_not_compared),
    Mutant("a refusal is not remembered", "refused-stays-refused", _refusal_forgotten),
    Mutant("the legs before a refused one stay", "whole-or-nothing", _half_a_transfer),
    Mutant("a chain is decided one by one", "chain-stands-together", _chain_taken_apart),
    Mutant("a reservation is released twice", "pending-settled-once", _released_twice,
           ("DROP INDEX ledger_leg_settled_once",
            """CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF EXISTS (SELECT FROM ledger_leg WHERE transfer_id = NEW.settled_by AND phase = 3)
              THEN NEW.settled_by := NULL; END IF; RETURN NEW; END $$""",
            "CREATE TRIGGER forget BEFORE UPDATE ON ledger_pending FOR EACH ROW "
            "EXECUTE FUNCTION forget()")),
    Mutant("a reservation is posted after its time", "pending-settled-once", _lapsed_is_posted),
    Mutant("a part is posted and the rest stays held", "held-is-open-reservations",
           _rest_stays_held),
    Mutant("value loses its terms on the way", "lots-follow-pieces", _terms_lost_on_the_way),
    Mutant("a purse is changed by SQL", "lots-follow-pieces",
           after=("UPDATE ledger_account SET purse = regexp_replace(purse, '(\\d+)\\]\\]$', "
                  "'99]]') WHERE code = 'quiet'",)),
    Mutant("what expires last is spent first", "spending-order", _latest_expiry_first),
    Mutant("a reversal pays out of whatever is there", "reversal-restores",
           _reversed_into_new_positions),
    Mutant("a transfer is reversed twice", "reversal-restores", _reversed_twice,
           ("DROP INDEX ledger_leg_reversed_once",)),
    Mutant("a memo is changed by SQL", "history-is-as-logged",
           after=("UPDATE ledger_leg SET memo = 'x' WHERE key = 'pay'",)),
    Mutant("a clock that was set back is believed", "time-ascends", _clock_believed),
)  # fmt: skip


def seen_with(mutant: Mutant | None, dsn: str, folder: Path) -> Observation:
    """Play the scenario, with a defect or without, on a fresh database; what is then seen."""
    mutant = mutant or Mutant("none", "")
    _as_owner(dsn, mutant.before)
    with connect(dsn, CITY) as conn:
        scenario = Scenario(conn, folder)
        with mutant.code():
            scenario.play()
        _as_owner(dsn, mutant.after)
        return scenario.observation()


def _as_owner(dsn: str, statements: Iterable[str]) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
