"""A small book in memory for unit tests of the pure machine, and short ways to ask it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from onsil.ledger.book import AccountState, Book, Decision
from onsil.ledger.machine import decide
from onsil.ledger.terms import Leg, LotTerms, TransferRequest

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ASSET = "local:x"
# code: (minimum, maximum, keeps lots)
ACCOUNTS: dict[str, tuple[int | None, int | None, bool]] = {
    "issuer": (None, None, False),
    "fund": (0, None, False),
    "credit": (-50, 200, False),
    "minji": (0, 300, True),
    "seoyun": (0, None, True),
    "shop": (0, None, True),
}


def new_book() -> Book:
    accounts = {
        (code, ASSET): AccountState(n, code, ASSET, low, high, keeps, 0)
        for n, (code, (low, high, keeps)) in enumerate(ACCOUNTS.items(), 1)
    }
    return Book(accounts, codes=set(ACCOUNTS))


class Counter:
    """Ids 1, 2, 3 …"""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> UUID:
        self.last += 1
        return UUID(int=self.last)


class Desk:
    """A book with its clock and ids; remembers nothing else."""

    def __init__(self, *grants: tuple[str, int] | tuple[str, int, LotTerms]) -> None:
        self.book, self.ids, self.now = new_book(), Counter(), NOW
        for n, (code, amount, *terms) in enumerate(grants):
            lot = terms[0] if terms else None
            leg = Leg("issuer", code, ASSET, amount, lot=lot)
            assert self.ask(TransferRequest(f"grant-{n}", "grant", (leg,))).transfer_id

    def all(self, requests: Iterable[TransferRequest]) -> list[Decision]:
        """Decide, and see that every decision says whose it is."""
        marked = [(request, request.fingerprint()) for request in requests]
        decisions = decide(self.book, marked, self.now, self.ids)
        for (request, mark), decision in zip(marked, decisions, strict=True):
            assert (decision.key, decision.fingerprint) == (request.key, mark)
            applied, refusal = decision.applied, decision.refusal
            if applied is not None:
                assert (applied.request, applied.fingerprint) == (request, mark)
                assert (applied.id, applied.recorded_at) == (decision.transfer_id, self.now)
            if refusal is not None and "account" in refusal.facts:
                places = [(c, leg.asset) for leg in request.legs for c in leg[:2]]
                same = refusal.code == "same-account"
                assert same or (refusal.facts["account"], refusal.facts["asset"]) in places
        return decisions

    def ask(self, request: TransferRequest) -> Decision:
        (decision,) = self.all([request])
        return decision

    def account(self, code: str) -> AccountState:
        return self.book.accounts[code, ASSET]

    def state(self) -> dict[str, Any]:
        """All that a refused request has to leave as it was."""
        accounts = {code: self.account(code).snapshot() for code in ACCOUNTS}
        settled = {r.id: r.settled_by for r in self.book.reserved.values()}
        return {**accounts, "reversed": set(self.book.reversed), "reserved": settled}


def move(source: str, destination: str, amount: int, **more: Any) -> Leg:
    return Leg(source, destination, ASSET, amount, **more)


def request(key: str, *legs: Leg, **more: Any) -> TransferRequest:
    return TransferRequest(key, "test", legs, **more)


def code_of(decision: Decision) -> str:
    """The refusal's code, or the state."""
    answer = decision.answer
    return answer.refusal.code if answer.refusal is not None else answer.state
