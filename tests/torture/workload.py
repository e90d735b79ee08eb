"""What clients ask of a city's ledger under torture: payments, charges, chains, reservations.

A client keeps a journal of its own, a line when it asks and a line when it is answered, so that
what was promised to it can be held against what the database says after a crash.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from onsil import ledger
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.ledger import AccountSpec, Answer, Leg, LotFilter, LotTerms, TransferRequest, wire

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
SHOPS = 3
PLENTY = 10**12
FOREVER = datetime(2030, 1, 1, tzinfo=UTC)
MARKET = LotFilter(merchant_rules=frozenset({"market"}))


def accounts(clients: int) -> list[AccountSpec]:
    """The accounts of a city with one citizen a client, a purse all of them share, and shops."""
    return [
        AccountSpec("external:bank", "KRW", "external", minimum=None),
        AccountSpec("trust:local", "KRW", "trust"),
        AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
        AccountSpec("citizen:shared", LOCAL, "citizen", lots=True),
        *(AccountSpec(f"citizen:{n}", LOCAL, "citizen", lots=True) for n in range(clients)),
        *(AccountSpec(f"merchant:{n}", LOCAL, "merchant", lots=True) for n in range(SHOPS)),
    ]


def charge(key: str, code: str, amount: int, terms: LotTerms | None = None) -> TransferRequest:
    """Local currency for somebody, covered by the trust in the same transfer."""
    return TransferRequest(
        key,
        "charge",
        (
            Leg("issuer:local", code, LOCAL, amount, lot=terms or LotTerms("own")),
            Leg("external:bank", "trust:local", "KRW", amount),
        ),
    )


def pay(
    key: str, code: str, shop: int, amount: int, only: LotFilter | None = None
) -> TransferRequest:
    return TransferRequest(
        key, "payment", (Leg(code, f"merchant:{shop}", LOCAL, amount, only=only),)
    )


def grants(clients: int) -> list[TransferRequest]:
    """What is in the purses before the load begins, several kinds of value each."""
    given = []
    for n in range(clients):
        given += [
            charge(f"own-{n}", f"citizen:{n}", 5_000_000),
            charge(f"aid-{n}", f"citizen:{n}", 20_000, LotTerms("aid", FOREVER, "market")),
            charge(f"gift-{n}", f"citizen:{n}", 20_000, LotTerms("gift", FOREVER, "", True)),
        ]
    return [*given, charge("shared", "citizen:shared", 2_000)]


def open_books(conn: Connection, clients: int, clock: Clock) -> None:
    """Open the accounts and fill the purses; the caller commits."""
    ledger.open_accounts(conn, CITY, accounts(clients))
    assert all(ledger.post(conn, CITY, grants(clients), clock).values())


@dataclass
class Customer:
    """One client's stream of requests, a function of its seed and of the answers it got."""

    number: int
    seed: int
    turn: int = 0
    reserved: list[UUID] = field(default_factory=list)

    def batch(self, now: datetime) -> list[TransferRequest]:
        """The requests of the next turn."""
        self.turn += 1
        chance = random.Random(f"{self.seed}-{self.number}-{self.turn}")
        made: list[TransferRequest] = []
        for n in range(chance.randint(4, 16)):
            made += self._one(chance, f"c{self.number}-{self.turn}-{n}", now)
        return made

    def _one(self, chance: random.Random, key: str, now: datetime) -> list[TransferRequest]:
        mine, shop = f"citizen:{self.number}", chance.randrange(SHOPS)
        draw = chance.random()
        if draw < 0.5:
            only = chance.choice([None, MARKET, LotFilter(funds=frozenset({"own"}))])
            return [pay(key, mine, shop, chance.randint(1, 9), only)]
        if draw < 0.62:
            return [pay(key, "citizen:shared", shop, chance.randint(1, 40))]
        if draw < 0.7:
            return [charge(key, mine, chance.randint(1, 50))]
        if draw < 0.8:
            amounts = [chance.randint(1, 5) for _ in range(chance.randint(2, 3))]
            if chance.random() < 0.3:
                amounts[chance.randrange(len(amounts))] = PLENTY
            last = len(amounts) - 1
            return [
                TransferRequest(
                    f"{key}-{n}", "chain", (Leg(mine, f"merchant:{shop}", LOCAL, amount),),
                    linked=n < last,
                )
                for n, amount in enumerate(amounts)
            ]  # fmt: skip
        if draw < 0.9 or not self.reserved:
            lapse = now + timedelta(seconds=chance.choice([1, 3600]))
            leg = Leg(mine, f"merchant:{shop}", LOCAL, chance.randint(2, 9))
            return [TransferRequest(key, "hold", (leg,), phase="pending", timeout_at=lapse)]
        pending = self.reserved.pop(chance.randrange(len(self.reserved)))
        phase = chance.choice(["post", "post", "void"])
        return [TransferRequest(key, "settle", (), phase=phase, pending=pending)]

    def learn(self, requests: list[TransferRequest], given: dict[str, Answer]) -> None:
        """Remember which reservations there are to settle."""
        for request in requests:
            answer = given[request.key]
            if request.phase == "pending" and answer and answer.transfer_id is not None:
                self.reserved.append(answer.transfer_id)
        del self.reserved[:-50]


@dataclass(frozen=True)
class Operation:
    """A request and what its client was told; instants are of the machine's monotonic clock."""

    request: TransferRequest
    began: int
    ended: int
    state: str
    transfer_id: UUID | None
    code: str
    repeated: bool


def line_of_asking(number: int, began: int, requests: list[TransferRequest]) -> str:
    asked = wire.encode([(request, request.fingerprint()) for request in requests])
    return json.dumps({"n": number, "began": began, "asked": asked.decode()})


def line_of_answer(number: int, ended: int, given: dict[str, Answer]) -> str:
    told = [
        (a.key, a.state, str(a.transfer_id) if a.transfer_id else None,
         a.refusal.code if a.refusal is not None else "", a.repeated)
        for a in given.values()
    ]  # fmt: skip
    return json.dumps({"n": number, "ended": ended, "told": told})


def operations(journal: Path) -> Iterator[Operation]:
    """What a client was told, read from its journal; a line cut short at the end is left out."""
    asked: dict[int, tuple[int, dict[str, TransferRequest]]] = {}
    for raw in journal.read_text("utf-8").splitlines():
        try:
            line = json.loads(raw)
        except json.JSONDecodeError:
            continue
        if "asked" in line:
            requests = [request for request, _ in wire.decode(line["asked"])]
            asked[line["n"]] = line["began"], {r.key: r for r in requests}
            continue
        began, known = asked[line["n"]]
        for key, state, transfer_id, code, repeated in line["told"]:
            identity = UUID(transfer_id) if transfer_id else None
            yield Operation(known[key], began, line["ended"], state, identity, code, repeated)
