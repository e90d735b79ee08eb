"""The model's door to the real thing: every operation through the ledger's public functions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ledger_model import LOCAL, Standing
from naive_ledger import Place, terms_of

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import AccountSpec, Answer, Transfer, TransferRequest


class DatabaseDoor:
    """One city in one transaction, which is rolled back when the model has played.

    Requests go in turn by `post` and through the queue that the writer drains.
    """

    def __init__(self, conn: Connection, city: str) -> None:
        self.conn, self.city = conn, city
        self.clock = FixedClock()
        self.turn = 0

    def open(self, place: Place, minimum: int | None, maximum: int | None, lots: bool) -> None:
        spec = AccountSpec(*place, "model", minimum, maximum, lots)
        ledger.open_accounts(self.conn, self.city, [spec])

    def close(self, place: Place) -> str:
        done = ledger.close_account(self.conn, self.city, *place, self.clock)
        return done.code if isinstance(done, Refusal) else ""

    def limit(self, place: Place, minimum: int | None, maximum: int | None) -> str:
        done = ledger.set_limits(self.conn, self.city, *place, minimum, maximum)
        return done.code if isinstance(done, Refusal) else ""

    def decide(self, requests: Sequence[TransferRequest], now: datetime) -> list[Answer]:
        self.clock.instant = now
        self.turn += 1
        keys = [request.key for request in requests]
        if self.turn % 2 or len(set(keys)) < len(keys):
            given = ledger.post(self.conn, self.city, requests, self.clock)
            return [given[key] for key in keys]
        given = ledger.submit(self.conn, self.city, requests)
        pending = [r for r in requests if given[r.key].state == "pending"]
        while ledger.drain(self.conn, self.city, self.clock):
            continue
        given |= ledger.answers(self.conn, self.city, pending)
        return [given[key] for key in keys]

    def lapse(self, due: dict[str, UUID], now: datetime) -> None:
        self.clock.instant = now
        assert ledger.expire_pending(self.conn, self.city, self.clock) == len(due)

    def expire(self, requests: Sequence[TransferRequest], now: datetime) -> list[Answer]:
        self.clock.instant = now
        given = ledger.expire(
            self.conn, self.city, self.clock, LOCAL, day=f"{self.turn}", kinds=("model",)
        )
        return list(given.values())

    def schedule(self, request: TransferRequest, due_at: datetime, now: datetime) -> None:
        told = ledger.schedule(self.conn, self.city, request, due_at)
        assert told.state == "pending"

    def unschedule(self, key: str) -> None:
        assert ledger.unschedule(self.conn, self.city, key)
        assert not ledger.unschedule(self.conn, self.city, key)

    def run_due(self, due: Sequence[TransferRequest], now: datetime) -> list[Answer]:
        self.clock.instant = now
        assert ledger.run_due(self.conn, self.city, self.clock) == len(due)
        while ledger.drain(self.conn, self.city, self.clock):
            continue
        given = ledger.answers(self.conn, self.city, due)
        return [given[request.key] for request in due]

    def traced(self, identity: UUID) -> set[UUID]:
        return {step.transfer_id for step in ledger.trace_back(self.conn, self.city, identity)}

    def transfer(self, identity: UUID) -> Transfer:
        found = ledger.transfer(self.conn, self.city, identity)
        assert found is not None
        return found

    def standing(self) -> dict[Place, Standing]:
        return {
            (a.code, a.asset): Standing(
                a.balance, a.held, a.coming, a.closed_at is not None,
                {
                    terms_of(lot.terms): {p for low, high in lot.spans for p in range(low, high)}
                    for lot in ledger.lots(self.conn, self.city, a.code, a.asset)
                } if a.keeps_lots else {},
            )
            for a in ledger.accounts(self.conn, self.city)
        }  # fmt: skip

    def entries(self, place: Place) -> list[tuple[UUID, int, int]]:
        lines, page = [], ledger.statement(self.conn, self.city, *place, limit=7)
        while page:
            lines += page
            page = ledger.statement(
                self.conn, self.city, *place, limit=7, before=page[-1].transfer_id
            )
        return [(e.transfer_id, e.amount, e.balance) for e in reversed(lines)]

    def balance_at(self, place: Place, instant: datetime, axis: str) -> int:
        return ledger.balance_at(self.conn, self.city, *place, instant, axis=axis)  # pyright: ignore

    def end(self) -> None:
        assert ledger.conservation(self.conn, self.city) == []
        self.conn.rollback()
