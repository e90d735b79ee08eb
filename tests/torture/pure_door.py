"""The model's door to the pure posting machine, with everything kept in memory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ledger_model import Standing, steps_of
from naive_ledger import Place, Terms, terms_of

from onsil.ledger.book import AccountState, Applied, Book
from onsil.ledger.ids import AscendingIds
from onsil.ledger.lots import SPANS, TERMS
from onsil.ledger.machine import decide
from onsil.ledger.terms import Answer, LotTerms, Piece, PostedLeg, Transfer, TransferRequest

# A unit's place in an account: code, asset, terms and position.
Stood = tuple[str, str, Terms | None, int]


def posted(applied: Applied, book: Book) -> Transfer:
    """A transfer as it would be read again from the database."""
    request = applied.request
    legs = tuple(
        PostedLeg(
            leg.source.code, leg.destination.code, leg.source.asset, leg.amount,
            leg.source_balance, leg.destination_balance,
            tuple(
                Piece(book.terms.terms[n], taken, made, amount)
                for n, taken, made, amount in leg.pieces
            ),
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
        """Back along the positions: who brought what a transfer took, and who brought them that.

        Followed are the positions and not the transfers: of a transfer that brought value from
        several hands, only the part that was moved on counts.
        """
        found = {identity}
        waiting = [
            (leg.source, leg.asset, step.terms, step.taken)
            for leg in self.journal[identity].legs
            for step in steps_of(leg.pieces)
            if step.taken is not None
        ]
        brought = self._brought()
        while waiting:
            giver, earlier = brought[waiting.pop()]
            found.add(giver)
            if earlier is not None:
                waiting.append(earlier)
        return found

    def _brought(self) -> dict[Stood, tuple[UUID, Stood | None]]:
        """Every position that ever came in: who brought it, and where it had stood before. What
        was given back by a reversal was brought by whoever brought it first."""
        return {
            (leg.destination, leg.asset, step.terms, step.made): (
                done.id,
                None if step.taken is None else (leg.source, leg.asset, step.terms, step.taken),
            )
            for done in self.journal.values()
            if done.phase in ("single", "post") and done.reverses is None
            for leg in done.legs
            for step in steps_of(leg.pieces)
            if step.made is not None
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
