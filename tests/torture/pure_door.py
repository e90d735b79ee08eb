"""The model's door to the pure posting machine, with everything kept in memory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ledger_model import Standing
from naive_ledger import Place, terms_of

from onsil.ledger.book import AccountState, Applied, Book
from onsil.ledger.ids import AscendingIds
from onsil.ledger.lots import SPANS, TERMS
from onsil.ledger.machine import decide
from onsil.ledger.terms import Answer, LotTerms, Piece, PostedLeg, Transfer, TransferRequest


def posted(applied: Applied, book: Book) -> Transfer:
    """A transfer as it would be read again from the database."""
    request = applied.request
    legs = tuple(
        PostedLeg(
            leg.source.code, leg.destination.code, leg.source.asset, leg.amount,
            leg.source_balance, leg.destination_balance,
            tuple(Piece(book.terms.terms[n], *rest) for n, *rest in leg.pieces),
        )
        for leg in applied.legs
    )  # fmt: skip
    return Transfer(
        applied.id, request.key, request.kind, applied.effective_at, applied.recorded_at,
        request.memo, request.origin_kind, request.origin_id, request.reverses, legs,
        phase=request.phase, pending_id=request.pending, timeout_at=request.timeout_at,
    )  # fmt: skip


class PureDoor:
    """Accounts and journal in memory; deciding is the machine's own `decide`."""

    def __init__(self) -> None:
        self.book = Book({})
        self.journal: dict[UUID, Transfer] = {}
        self.ids = AscendingIds(None, 1, lambda bits: 0)

    def open(self, place: Place, minimum: int | None, maximum: int | None, lots: bool) -> None:
        if place not in self.book.accounts:
            number = len(self.book.accounts) + 1
            self.book.accounts[place] = AccountState(number, *place, minimum, maximum, lots, 0)
            self.book.codes.add(place[0])

    def close(self, place: Place) -> str:
        account = self.book.accounts[place]
        if account.balance or account.held or account.coming:
            return "" if account.closed else "account-not-empty"
        account.closed = True
        return ""

    def limit(self, place: Place, minimum: int | None, maximum: int | None) -> str:
        account = self.book.accounts[place]
        low = minimum is not None and account.balance - account.held < minimum
        high = maximum is not None and account.balance + account.coming > maximum
        if low or high:
            return "limits-not-met"
        account.minimum, account.maximum = minimum, maximum
        return ""

    def decide(self, requests: Sequence[TransferRequest], now: datetime) -> list[Answer]:
        marked = [(request, request.fingerprint()) for request in requests]
        decisions = decide(self.book, marked, now, self.ids)
        for decision in decisions:
            if decision.applied is not None and decision.fresh:
                self.journal[decision.applied.id] = posted(decision.applied, self.book)
        return [decision.answer for decision in decisions]

    def lapse(self, due: dict[str, UUID], now: datetime) -> None:
        for key, identity in due.items():
            request = TransferRequest(f"lapse-{key}", "x", (), phase="void", pending=identity)
            assert all(self.decide([request], now))

    def expire(self, requests: Sequence[TransferRequest], now: datetime) -> list[Answer]:
        return self.decide(requests, now)

    def schedule(self, request: TransferRequest, due_at: datetime, now: datetime) -> None:
        """The schedule is the model's own here."""

    def unschedule(self, key: str) -> None:
        """The schedule is the model's own here."""

    def run_due(self, due: Sequence[TransferRequest], now: datetime) -> list[Answer]:
        return self.decide(due, now)

    def traced(self, identity: UUID) -> set[UUID]:
        """Back along the pieces: who gave what a transfer took, and who gave them that."""
        found, waiting = {identity}, [identity]
        while waiting:
            for earlier in self._givers(self.journal[waiting.pop()]):
                if earlier not in found:
                    found.add(earlier)
                    waiting.append(earlier)
        return found

    def _givers(self, done: Transfer) -> set[UUID]:
        taken = {
            (leg.source, leg.asset, terms_of(piece.terms), piece.taken + n)
            for leg in done.legs
            for piece in leg.pieces
            if piece.taken is not None
            for n in range(piece.amount)
        }
        return {
            other.id
            for other in self.journal.values()
            if other.phase in ("single", "post") and other.reverses is None and other.id <= done.id
            for leg in other.legs
            for piece in leg.pieces
            if piece.made is not None
            and any(
                (leg.destination, leg.asset, terms_of(piece.terms), piece.made + n) in taken
                for n in range(piece.amount)
            )
        }

    def transfer(self, identity: UUID) -> Transfer:
        return self.journal[identity]

    def standing(self) -> dict[Place, Standing]:
        return {place: self._standing(a) for place, a in self.book.accounts.items()}

    def _standing(self, account: AccountState) -> Standing:
        lots = {
            terms_of(self._terms(layer[TERMS])): {
                position
                for start, stop in zip(layer[SPANS::2], layer[SPANS + 1 :: 2], strict=True)
                for position in range(start, stop)
            }
            for layer in account.purse
        }
        return Standing(account.balance, account.held, account.coming, account.closed, lots)

    def _terms(self, number: int) -> LotTerms:
        return self.book.terms.terms[number]

    def entries(self, place: Place) -> list[tuple[UUID, int, int]]:
        found = []
        for identity, done in sorted(self.journal.items()):
            for leg in done.legs if done.phase in ("single", "post") else ():
                if (leg.source, leg.asset) == place:
                    found.append((identity, -leg.amount, leg.source_balance))
                if (leg.destination, leg.asset) == place:
                    found.append((identity, leg.amount, leg.destination_balance))
        return found

    def balance_at(self, place: Place, instant: datetime, axis: str) -> int:
        total = 0
        for identity, amount, _ in self.entries(place):
            done = self.journal[identity]
            if (done.recorded_at if axis == "recorded" else done.effective_at) <= instant:
                total += amount
        return total

    def end(self) -> None:
        """Nothing is left behind."""
