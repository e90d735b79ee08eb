"""A whole city simulated from one seed: writers, clients, a network, clocks, and their failures.

The posting machine, the writer and its memory are the real ones. A seed decides who acts, which
message is lost, doubled, late or out of order, which writer dies where, whose clock is wrong; the
same seed gives the same run to the last id. After every step what is stored has to be sound, and
at the end one order has to explain every answer.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from history_checker import Asked, check
from invariants import Observation, Told, tripped
from simulated_storage import SimulatedConnection, Storage, hand_in, installed

from onsil.ledger import AccountSpec, Answer, Leg, LotFilter, LotTerms, TransferRequest, posting
from onsil.ledger.intake import heard, outcome, sift
from onsil.ledger.reversal import opposite
from onsil.ledger.terms import Account, Entry, Lot, Transfer
from onsil.ledger.writer import CityWriter

CITY, ASSET = "simulated", "local:simulated"
START = datetime(2026, 3, 1, tzinfo=UTC)
CLIENTS = 3
TERMS = (LotTerms("own"), LotTerms("aid", START + timedelta(hours=3), "market"),
         LotTerms("aid", START + timedelta(hours=6)), LotTerms("gift", None, "", True))  # fmt: skip
SPECS = (
    AccountSpec("issuer", ASSET, minimum=None),
    AccountSpec("fund", ASSET),
    *(AccountSpec(f"citizen:{n}", ASSET, maximum=400, lots=True) for n in range(CLIENTS)),
    AccountSpec("shared", ASSET, lots=True),
    AccountSpec("shop", ASSET, lots=True),
)


class Crash(BaseException):
    """A process dies here."""


@dataclass
class SkewedClock:
    """A process's own idea of the time."""

    city: "SimulatedCity"
    skew: timedelta

    def now(self) -> datetime:
        return self.city.now + self.skew


class Hands:
    """In place of the writer's second thread: a seed says whether it works at once or as late as
    it may. What it had taken on when its process died may still reach the database."""

    def __init__(self, city: "SimulatedCity") -> None:
        self.city = city
        self.waiting: list[Callable[[], None]] = []

    def submit(self, work: Callable[..., None], *given: Any) -> "Future[None]":
        future: Future[None] = Future()

        def run() -> None:
            if future.done():
                return
            try:
                future.set_result(work(*given))
            except Crash:
                raise
            except BaseException as error:
                future.set_exception(error)

        if self.city.chance.random() < 0.5:
            run()
            return future
        self.waiting.append(run)
        late = future.result

        def result(timeout: float | None = None) -> None:
            self.finish()
            return late(timeout)

        future.result = result  # pyright: ignore[reportAttributeAccessIssue]
        return future

    def finish(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@dataclass
class Client:
    """Asks, waits, gives up waiting, asks again; keeps what it was told."""

    number: int
    turn: int = 0
    open: dict[str, tuple[TransferRequest, ...]] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[Answer, int]] = field(default_factory=dict)
    groups: list[tuple[TransferRequest, ...]] = field(default_factory=list)


class SimulatedCity:
    """One run. `steps` acts, each chosen by the seed."""

    def __init__(self, seed: int, steps: int = 60) -> None:
        self.seed, self.steps, self.step = seed, steps, 0
        self.chance = random.Random(seed)
        self.now = START
        self.storage = Storage(self._meanwhile)
        self.clients = [Client(n) for n in range(CLIENTS)]
        self.network: list[Callable[[], None]] = []
        self.writers: list[CityWriter | None] = [None, None]
        self.hands: list[Hands] = [Hands(self), Hands(self)]
        self.depth, self.faults = 0, False
        self.transfers_known: dict[str, Transfer] = {}
        self.counted: dict[str, int] = {}
        self.grants: list[TransferRequest] = []

    # The run

    def run(self) -> str:
        """Play; the fingerprint of all that was stored. Raises AssertionError with the seed."""
        with installed(self._bits):
            self._open()
            self.faults = True
            acts = [self._ask, self._ask, self._ask, self._deliver, self._deliver, self._write,
                    self._write, self._post, self._again, self._lapse, self._pass_time]  # fmt: skip
            for step in range(self.steps):
                self.step = step
                self.chance.choice(acts)()
                self._sound()
            self.faults = False
            self._settle_down()
        problems = self._explained()
        assert not problems, f"seed {self.seed}: {problems[:3]}"
        world = self.storage.world
        return sha256(repr((world.leaves, sorted(world.accounts.items()))).encode()).hexdigest()

    def _count(self, what: str) -> None:
        self.counted[what] = self.counted.get(what, 0) + 1

    def _bits(self, words: int) -> Callable[[int], int]:
        return self.chance.getrandbits

    def _open(self) -> None:
        world = self.storage.world
        for n, spec in enumerate(SPECS, 1):
            world.accounts[spec.code, spec.asset] = (
                n, spec.code, spec.asset, spec.minimum, spec.maximum, spec.lots, 0, 0, 0, 0, (),
                False,
            )  # fmt: skip
        for n, code in enumerate([*(f"citizen:{n}" for n in range(CLIENTS)), "shared"]):
            for m, terms in enumerate(TERMS[: 1 if code == "shared" else 4]):
                leg = Leg("issuer", code, ASSET, 40, lot=terms)
                self.grants.append(TransferRequest(f"grant-{n}-{m}", "grant", (leg,)))
        conn = SimulatedConnection(self.storage)
        with conn.transaction():
            posting.post(conn, CITY, self.grants, SkewedClock(self, timedelta(0)))  # pyright: ignore

    # Faults

    def _meanwhile(self, where: str) -> None:
        """A place where the world may go on, or a process may end."""
        if not self.faults or self.depth > 1:
            return
        draw = self.chance.random()
        if draw < 0.03:
            self._count(f"crash {where}")
            raise Crash(where)
        if draw < 0.05:
            self._count(f"connection lost {where}")
            raise psycopg.OperationalError("the connection is lost")
        if draw < 0.07 and where in ("before-commit", "writing"):
            self._count("serialization failure")
            raise psycopg.errors.SerializationFailure("try again")
        if draw < 0.17 and where in ("reading", "taking-in"):
            self.depth += 1
            try:
                self.chance.choice([self._post, self._write, self._deliver])()
            except Crash:
                pass  # it was the other one that died
            finally:
                self.depth -= 1

    # Acts

    def _request(self, client: Client) -> tuple[TransferRequest, ...]:
        client.turn += 1
        key, chance = f"c{client.number}-{client.turn}", self.chance
        mine = f"citizen:{client.number}"
        draw = chance.random()
        if draw < 0.15:
            return (TransferRequest(key, "spend", (Leg("shared", "shop", ASSET, 9),)),)
        if draw < 0.3:
            return self._chain(key, mine)
        if draw < 0.45:
            lapse = self.now + timedelta(hours=chance.choice([1, 50]))
            leg = Leg(mine, chance.choice(["shop", "fund"]), ASSET, chance.randint(1, 30))
            return (TransferRequest(key, "hold", (leg,), phase="pending", timeout_at=lapse),)
        if draw < 0.6:
            return self._about_earlier(key, client)
        if draw < 0.65:
            leg = Leg("issuer", mine, ASSET, 5)
            return (TransferRequest(key, "act", (leg,), memo=chance.choice(["poison", ""])),)
        only = chance.choice(
            [None, None, LotFilter(frozenset()), LotFilter(funds=frozenset("own"))]
        )
        pay = Leg(mine, chance.choice(["shop", "fund", "shared"]), ASSET, chance.randint(1, 60),
                  only=only)  # fmt: skip
        give = Leg("issuer", mine, ASSET, chance.randint(1, 90), lot=chance.choice(TERMS))
        return (TransferRequest(key, "act", chance.choice([(pay,), (pay,), (give,), (give, pay)])),)

    def _chain(self, key: str, mine: str) -> tuple[TransferRequest, ...]:
        amounts = [self.chance.choice([1, 5, 10, 500]) for _ in range(self.chance.randint(2, 3))]
        last = len(amounts) - 1
        return tuple(
            TransferRequest(f"{key}-{n}", "chain", (Leg(mine, "shop", ASSET, amount),),
                            linked=n < last)
            for n, amount in enumerate(amounts)
        )  # fmt: skip

    def _about_earlier(self, key: str, client: Client) -> tuple[TransferRequest, ...]:
        """Settle a reservation or reverse a transfer that the client knows of."""
        known = [t for t in self.storage.world.journal if t.key.startswith(f"c{client.number}-")]
        if not known:
            return (TransferRequest(key, "act", (Leg("fund", "shop", ASSET, 1),)),)
        earlier = self.chance.choice(known[-8:])
        if earlier.phase == "pending":
            phase = self.chance.choice(["post", "void"])
            return (TransferRequest(key, "end", (), phase=phase, pending=earlier.id),)
        if earlier.reverses is not None or earlier.phase == "void":
            return (TransferRequest(key, "act", (Leg("fund", "shop", ASSET, 2),)),)
        return (opposite(earlier, key),)

    def _ask(self) -> None:
        client = self.chance.choice(self.clients)
        group = self._request(client)
        name = group[-1].key
        client.open[name], client.began[name] = group, self.step
        client.groups.append(group)
        self._send(client, name)

    def _again(self) -> None:
        """No answer has come, or it is not believed: the same request once more."""
        client = self.chance.choice(self.clients)
        names = [*client.open, *(g[-1].key for g in client.groups[-3:])]
        if names:
            self._send(client, self.chance.choice(names))

    def _send(self, client: Client, name: str) -> None:
        """Onto the network: it may be lost, doubled, late, and overtaken by others."""
        group = next(g for g in client.groups if g[-1].key == name)
        marked = [(request, request.fingerprint()) for request in group]
        refused, good = sift(marked)
        for request in group:
            if request.key in refused:
                client.answers.setdefault(request.key, (refused[request.key], self.step))
                client.open.pop(name, None)
        if not good:
            return
        token = UUID(int=self.chance.getrandbits(128))

        def arrive() -> None:
            conn = SimulatedConnection(self.storage)
            with conn.transaction():
                hand_in(conn, marked, token)

        copies = self.chance.choice([0, 1, 1, 1, 1, 2]) if self.faults else 1
        self._count(["message lost", "message sent", "message doubled"][copies])
        self.network += [arrive] * copies

    def _deliver(self) -> None:
        """One message arrives, whichever; or an announcement, which may also be lost."""
        if self.network:
            message = self.network.pop(self.chance.randrange(len(self.network)))
            try:
                message()
            except (psycopg.Error, Crash):
                self._count("submission cut off")
        if self.storage.payloads:
            chosen = self.chance.randrange(len(self.storage.payloads))
            payload = self.storage.payloads.pop(chosen)
            if self.chance.random() < 0.8:
                _, _, decisions = heard(payload)
                for decision in decisions or ():
                    self._tell(decision.key, decision.answer)
            else:
                self._count("answer lost")

    def _tell(self, key: str, answer: Answer) -> None:
        if not key.startswith("c"):
            return
        client = self.clients[int(key[1 : key.index("-")])]
        known = client.answers.setdefault(key, (answer, self.step))[0]
        same = (known.transfer_id, known.refusal) == (answer.transfer_id, answer.refusal)
        reused = answer.refusal is not None and answer.refusal.code == "key-reused"
        assert same or reused, f"seed {self.seed}: {key} was told as {known} and as {answer}"
        for name, group in list(client.open.items()):
            if all(request.key in client.answers for request in group):
                del client.open[name]

    def _write(self) -> None:
        """A writer works off what waits; it may die on the way, and another takes its place."""
        n = self.chance.randrange(2)
        mine = self.writers[n]
        if mine is None:
            reading, writing = SimulatedConnection(self.storage), SimulatedConnection(self.storage)
            skew = timedelta(minutes=self.chance.randint(-90, 90))
            self.hands[n] = Hands(self)
            mine = CityWriter(
                CITY, reading, writing, self.hands[n],  # pyright: ignore
                SkewedClock(self, skew), limit=self.chance.choice([1, 5, 30]),
            )  # fmt: skip
        self.writers[n] = None  # nobody else is this process meanwhile
        try:
            mine.work_off(threading.Event())
            self.writers[n] = mine
        except (Crash, psycopg.OperationalError):
            self._left_behind(self.hands[n])

    def _left_behind(self, hands: Hands) -> None:
        """A commit that was on its way when the process died may still go through."""
        if hands.waiting and self.chance.random() < 0.5:
            faults, self.faults = self.faults, False
            try:
                hands.waiting.pop(0)()
                self._count("commit after death")
            finally:
                self.faults = faults

    def _post(self) -> None:
        """Another process posts in a transaction of its own."""
        client = self.chance.choice(self.clients)
        group = self._request(client)
        client.groups.append(group)
        client.open[group[-1].key], client.began[group[-1].key] = group, self.step
        conn, clock = SimulatedConnection(self.storage), SkewedClock(self, timedelta(0))
        try:
            with conn.transaction():
                given = posting.post(conn, CITY, group, clock)  # pyright: ignore
        except (Crash, psycopg.Error):
            return
        for key, answer in given.items():
            self._tell(key, answer)

    def _lapse(self) -> None:
        """Reservations whose time is over are released."""
        world = self.storage.world
        due = [i for i, (at, _, by) in world.reserved.items()
               if by is None and at is not None and at <= self.now]  # fmt: skip
        requests = [
            TransferRequest(f"lapse:{i}", "lapse", (), phase="void", pending=i) for i in due
        ]
        conn, clock = SimulatedConnection(self.storage), SkewedClock(self, timedelta(0))
        try:
            with conn.transaction():
                posting.post(conn, CITY, requests, clock)  # pyright: ignore
        except (Crash, psycopg.Error):
            return

    def _pass_time(self) -> None:
        self.now += timedelta(minutes=self.chance.randint(-30, 120))

    # Checks

    def _sound(self) -> None:
        """What has to be true of what is stored after every single step."""
        world = self.storage.world
        total = 0
        for place, row in world.accounts.items():
            _, _, _, low, high, lots, balance, held, coming, received, purse, _ = row
            total += balance
            assert low is None or balance - held >= low, (self.seed, place)
            assert high is None or balance + coming <= high, (self.seed, place)
            live = sum(sum(layer[4::2]) - sum(layer[3::2]) for layer in purse)
            assert not lots or (live == balance - held and received >= balance), (self.seed, place)
        assert total == 0, self.seed
        broken = tripped(self._observation()) if self.step % 10 == 9 else {}
        assert not broken, f"seed {self.seed}: {broken}"

    def _settle_down(self) -> None:
        """No more faults: every client asks until it has its answer."""
        for _ in range(40):
            for client in self.clients:
                for name in list(client.open):
                    self._send(client, name)
            while self.network:
                self._deliver()
            for n in range(2):
                self.hands[n].finish()
            self.writers = [None, None]
            self._write()
            while self.storage.payloads:
                self._deliver()
            for client in self.clients:
                for group in list(client.open.values()):
                    for request in group:
                        known = self.storage.world.keys.get(request.key)
                        if known is not None:
                            self._tell(request.key, outcome(known, request.fingerprint()))
            if not any(client.open for client in self.clients) and not self.storage.world.intake:
                break
        assert not any(client.open for client in self.clients), f"seed {self.seed}: no answer"
        self.step = self.steps
        broken = tripped(self._observation())
        assert not broken, f"seed {self.seed}: {broken}"

    def _observation(self) -> Observation:
        world = self.storage.world
        accounts = {
            place: Account(row[0], *place, "", row[3], row[4], row[5], row[6], None, row[7], row[8])
            for place, row in world.accounts.items()
        }
        told = [
            Told(request, client.answers[request.key][0])
            for client in self.clients
            for group in client.groups
            if all(request.key in client.answers for request in group)
            for request in group
        ]
        lots = {
            place: [Lot(world.terms[layer[0]], sum(layer[4::2]) - sum(layer[3::2]),
                        tuple(zip(layer[3::2], layer[4::2], strict=True))) for layer in row[10]]
            for place, row in world.accounts.items()
            if row[5]
        }  # fmt: skip
        logged = [] if [i for i, _ in world.leaves] == [t.id for t in world.journal] else ["leaves"]
        return Observation(accounts, world.journal, self._entries(), lots, told, logged)

    def _entries(self) -> dict[tuple[str, str], list[Entry]]:
        found: dict[tuple[str, str], list[Entry]] = {p: [] for p in self.storage.world.accounts}
        for done in self.storage.world.journal:
            for n, leg in enumerate(done.legs if done.phase in ("single", "post") else ()):
                for code, amount, balance in (
                    (leg.source, -leg.amount, leg.source_balance),
                    (leg.destination, leg.amount, leg.destination_balance),
                ):
                    found[code, leg.asset].append(
                        Entry(done.id, n, done.kind, amount, balance, done.recorded_at,
                              done.effective_at, "", "", "", "", None)
                    )  # fmt: skip
        return found

    def _explained(self) -> list[str]:
        """One order explains every answer."""
        asked = []
        for client in self.clients:
            for group in client.groups:
                told = [client.answers[request.key] for request in group]
                codes = tuple(a.refusal.code if a.refusal is not None else "" for a, _ in told)
                asked.append(
                    Asked(group, client.began[group[-1].key], max(at for _, at in told), codes)
                )
        poisoned = [one for one in asked if one.codes == ("not-recordable",)]
        return check(SPECS, self.storage.world.journal,
                     [one for one in asked if one not in poisoned], self.grants,
                     self.now + timedelta(minutes=90))  # fmt: skip
