"""The stateful model: any sequence of operations, on a real ledger and on the naive one at once.

`Door` is how the model speaks to a real ledger; there is one over the pure machine and one over
PostgreSQL. Whatever differs, in an answer, a balance, a position or a line, is a failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from naive_ledger import NaiveLedger, Place, Step, Terms, terms_of

from onsil.ledger.terms import (
    Answer,
    Leg,
    LotFilter,
    LotTerms,
    Piece,
    PostedLeg,
    Transfer,
    TransferRequest,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
LOCAL, POINT = "local:model", "point:model"
# (code, asset): (minimum, maximum, keeps lots)
ACCOUNTS: dict[Place, tuple[int | None, int | None, bool]] = {
    ("issuer", LOCAL): (None, None, False),
    ("issuer", POINT): (None, None, False),
    ("fund", LOCAL): (0, None, False),
    ("credit", LOCAL): (-50, 200, False),
    ("minji", LOCAL): (0, 300, True),
    ("minji", POINT): (0, None, True),
    ("seoyun", LOCAL): (0, None, True),
    ("shop", LOCAL): (0, None, True),
    ("shop", POINT): (0, 400, True),
}
LATER: dict[Place, tuple[int | None, int | None, bool]] = {
    ("fund", POINT): (0, None, False),
    ("seoyun", POINT): (0, 150, True),
    ("newcomer", LOCAL): (0, None, True),
}
CODES = sorted({code for code, _ in (*ACCOUNTS, *LATER)})

terms = st.builds(
    LotTerms,
    fund=st.sampled_from(["city", "state"]),
    expires_at=st.sampled_from([None, START + timedelta(days=1), START + timedelta(days=3)]),
    merchant_rule=st.sampled_from(["", "market", "cafe"]),
    refundable=st.booleans(),
    origin_kind=st.just(""),
    origin_id=st.just(""),
)
filters = st.builds(
    LotFilter,
    merchant_rules=st.sampled_from([None, frozenset(), frozenset({"market"})]),
    funds=st.sampled_from([None, None, frozenset({"city"})]),
    refundable=st.sampled_from([None, None, True, False]),
    expired=st.sampled_from([False, False, True]),
)
wild = st.builds(
    lambda pair, asset, amount, lot, only: Leg(pair[0], pair[1], asset, amount, lot, only),
    st.permutations(CODES),
    st.sampled_from([LOCAL, LOCAL, POINT]),
    st.integers(1, 90),
    st.none() | terms,
    st.none() | filters,
)
grants = st.builds(
    lambda code, asset, amount, lot: Leg("issuer", code, asset, amount, lot),
    st.sampled_from(["minji", "seoyun", "shop", "minji"]),
    st.just(LOCAL),
    st.integers(1, 60),
    terms,
)
payments = st.builds(
    lambda pair, amount, only: Leg(pair[0], pair[1], LOCAL, amount, None, only),
    st.permutations(["minji", "seoyun", "shop", "fund"]),
    st.integers(1, 40),
    st.none() | filters,
)
movements = st.one_of(
    grants.map(lambda leg: (leg,)),
    payments.map(lambda leg: (leg,)),
    st.lists(payments | grants, min_size=1, max_size=3).map(tuple),
    st.lists(payments | grants | wild, min_size=1, max_size=3).map(tuple),
)


@dataclass(frozen=True)
class Standing:
    """What a real ledger says of an account."""

    balance: int
    held: int
    coming: int
    closed: bool
    lots: dict[Terms, set[int]]


class Door(Protocol):
    """A real ledger, as the model uses it."""

    def open(self, place: Place, minimum: int | None, maximum: int | None, lots: bool) -> None: ...
    def close(self, place: Place) -> str: ...
    def limit(self, place: Place, minimum: int | None, maximum: int | None) -> str: ...
    def decide(self, requests: Sequence[TransferRequest], now: datetime) -> list[Answer]: ...
    def lapse(self, due: dict[str, UUID], now: datetime) -> None: ...
    def expire(self, requests: Sequence[TransferRequest], now: datetime) -> list[Answer]: ...
    def schedule(self, request: TransferRequest, due_at: datetime, now: datetime) -> None: ...
    def unschedule(self, key: str) -> None: ...
    def run_due(self, due: Sequence[TransferRequest], now: datetime) -> list[Answer]: ...
    def traced(self, identity: UUID) -> set[UUID]: ...
    def transfer(self, identity: UUID) -> Transfer: ...
    def standing(self) -> dict[Place, Standing]: ...
    def entries(self, place: Place) -> list[tuple[UUID, int, int]]: ...
    def balance_at(self, place: Place, instant: datetime, axis: str) -> int: ...
    def end(self) -> None: ...


def steps_of(pieces: Sequence[Piece]) -> list[Step]:
    """A leg's pieces, unit by unit."""
    return [
        Step(
            terms_of(piece.terms),
            None if piece.taken is None else piece.taken + n,
            None if piece.made is None else piece.made + n,
        )
        for piece in pieces
        for n in range(piece.amount)
    ]


def opposite_leg(leg: PostedLeg) -> Leg:
    pieces = tuple(Piece(p.terms, p.made, p.taken, p.amount) for p in reversed(leg.pieces))
    return Leg(leg.destination, leg.source, leg.asset, leg.amount, pieces=pieces or None)


class LedgerModel(RuleBasedStateMachine):
    """Every sequence of operations gives what the naive ledger gives."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self.door, self.naive, self.now = door, NaiveLedger(), START
        self.number = 0
        self.requests: dict[str, TransferRequest] = {}
        self.ids: dict[str, UUID] = {}
        self.instants = [START]
        self.scheduled: dict[str, tuple[datetime, TransferRequest]] = {}
        for place, limits in ACCOUNTS.items():
            self.naive.open(place, *limits)
            self.door.open(place, *limits)

    def key(self) -> str:
        self.number += 1
        return f"k{self.number}"

    def ask(self, requests: Sequence[TransferRequest]) -> list[Answer]:
        """Both ledgers decide; their answers, ids, pieces and balances have to agree."""
        return self.judge(requests, self.door.decide(requests, self.now))

    def judge(self, requests: Sequence[TransferRequest], given: list[Answer]) -> list[Answer]:
        """What a real ledger answered, against what the naive one does now."""
        expected = self.naive.decide(requests, self.now)
        for request, answer, (state, code) in zip(requests, given, expected, strict=True):
            refusal = answer.refusal
            told = answer.state, refusal.code if refusal is not None else ""
            assert told == (state, code), (request, told, (state, code))
            if code == "key-reused":
                continue
            self.requests.setdefault(request.key, request)
            if state == "applied":
                assert answer.transfer_id is not None
                self.ids[request.key] = answer.transfer_id
                self.naive.names[answer.transfer_id] = request.key
                self.compare(request.key, self.door.transfer(answer.transfer_id))
            elif state == "replayed":
                assert answer.repeated
                assert answer.transfer_id == self.ids[request.key]
        return given

    def compare(self, key: str, told: Transfer) -> None:
        """A transfer as read again against what the naive ledger noted of it."""
        done = next(d for d in reversed(self.naive.journal) if d.key == key)
        assert told.phase == done.request.phase
        assert (told.recorded_at, told.effective_at) == (done.recorded_at, done.effective_at)
        if told.phase in ("pending", "void"):
            return
        assert len(told.legs) == len(done.legs)
        for leg, asked, steps, balances in zip(
            told.legs, done.legs, done.steps, done.balances, strict=True
        ):
            assert (leg.source, leg.destination, leg.asset) == asked[:3]
            assert leg.amount == asked.amount
            assert (leg.source_balance, leg.destination_balance) == balances
            assert steps_of(leg.pieces) == steps

    # Operations

    @initialize(given=st.lists(grants, min_size=2, max_size=6))
    def fill(self, given: list[Leg]) -> None:
        self.ask([TransferRequest(self.key(), "grant", (leg,)) for leg in given])

    @rule(batch=st.lists(movements, min_size=1, max_size=4), days=st.none() | st.integers(-3, 3))
    def transfer(self, batch: list[tuple[Leg, ...]], days: int | None) -> None:
        at = None if days is None else self.now + timedelta(days=days)
        self.ask([TransferRequest(self.key(), "test", moved, effective_at=at) for moved in batch])

    @rule(batch=st.lists(movements, min_size=2, max_size=4), closed=st.sampled_from([1, 1, 1, 0]))
    def chain(self, batch: list[tuple[Leg, ...]], closed: int) -> None:
        """Linked requests, between two that are not; now and then the end is missing."""
        last = len(batch) - closed
        linked = [
            TransferRequest(self.key(), "chain", moved, linked=n < last)
            for n, moved in enumerate(batch)
        ]
        self.ask([TransferRequest(self.key(), "before", batch[0]), *linked])

    @rule(moved=movements, hours=st.none() | st.integers(1, 60))
    def reserve(self, moved: tuple[Leg, ...], hours: int | None) -> None:
        lapse = None if hours is None else self.now + timedelta(hours=hours)
        self.ask([TransferRequest(self.key(), "hold", moved, phase="pending", timeout_at=lapse)])

    @precondition(lambda self: self.naive.reserved)
    @rule(data=st.data(), phase=st.sampled_from(["post", "post", "void"]))
    def settle(self, data: st.DataObject, phase: Any) -> None:
        """Open ones mostly, and now and then one that is settled or lapsed."""
        key = data.draw(st.sampled_from(sorted(self.naive.reserved)))
        some: tuple[Leg, ...] = ()
        if phase == "post" and data.draw(st.booleans()):
            some = tuple(
                leg._replace(amount=data.draw(st.integers(1, leg.amount + 1)))
                for leg in self.requests[key].legs
            )
        self.ask([TransferRequest(self.key(), "end", some, phase=phase, pending=self.ids[key])])

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        """Recent ones often, so that their value has not moved on yet."""
        recent = sorted(self.ids, key=lambda key: int(key[1:]))[-6:]
        done = self.door.transfer(self.ids[data.draw(st.sampled_from(recent))])
        if done.phase in ("pending", "void") or done.reverses is not None:
            return
        undone = tuple(opposite_leg(leg) for leg in reversed(done.legs))
        self.ask([TransferRequest(self.key(), "reversal", undone, reverses=done.id)])

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.requests)))
        again = self.requests[key]
        self.ask([again, again] if again.linked else [again._replace(effective_at=self.now)])

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.requests)))
        other = self.requests[key]._replace(memo="another", linked=False)
        (answer,) = self.ask([other])
        assert answer.refusal is not None
        assert answer.refusal.code == "key-reused"

    @rule(hours=st.integers(-5, 40))
    def let_time_pass(self, hours: int) -> None:
        """The clock may go back; recorded time does not."""
        self.now = max(self.now, self.now + timedelta(hours=hours))
        self.instants.append(self.now)

    @rule()
    def let_pending_lapse(self) -> None:
        due = {key: self.ids[key] for key in self.naive.lapsed(self.now)}
        self.door.lapse(due, self.now)
        for key, identity in due.items():
            request = TransferRequest(f"lapse-{key}", "x", (), phase="void", pending=identity)
            assert self.naive.decide([request], self.now) == [("applied", "")]

    @rule()
    def let_lots_expire(self) -> None:
        """Expired value leaves every purse for the account of its fund, an account a transfer."""
        requests, funds = [], set()
        for place, box in list(self.naive.boxes.items()):
            expired: dict[str, int] = {}
            for unit in box.units:
                if unit.terms[1] is not None and unit.terms[1] <= self.now:
                    expired[unit.terms[0]] = expired.get(unit.terms[0], 0) + 1
            if place[1] != LOCAL or box.closed or not expired:
                continue
            funds |= expired.keys()
            only = [LotFilter(funds=frozenset({fund}), expired=True) for fund in sorted(expired)]
            legs = [Leg(place[0], f"breakage:{fund}", LOCAL, expired[fund], only=one)
                    for fund, one in zip(sorted(expired), only, strict=True)]  # fmt: skip
            requests.append(TransferRequest(self.key(), "expiry", tuple(legs)))
        for fund in sorted(funds):
            self.naive.open((f"breakage:{fund}", LOCAL), 0, None, False)
            self.door.open((f"breakage:{fund}", LOCAL), 0, None, False)
        self.judge(requests, self.door.expire(requests, self.now))

    @rule(moved=movements, hours=st.integers(-2, 30))
    def schedule(self, moved: tuple[Leg, ...], hours: int) -> None:
        request = TransferRequest(self.key(), "later", moved)
        due_at = self.now + timedelta(hours=hours, microseconds=self.number)
        self.scheduled[request.key] = due_at, request
        self.door.schedule(request, due_at, self.now)
        self.door.schedule(request, due_at + timedelta(days=9), self.now)  # changes nothing

    @precondition(lambda self: self.scheduled)
    @rule(data=st.data())
    def unschedule(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.scheduled)))
        del self.scheduled[key]
        self.door.unschedule(key)

    @rule()
    def run_what_is_due(self) -> None:
        due = sorted(pair for pair in self.scheduled.values() if pair[0] <= self.now)
        requests = [request for _, request in due]
        for request in requests:
            del self.scheduled[request.key]
        self.judge(requests, self.door.run_due(requests, self.now))

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def trace(self, data: st.DataObject) -> None:
        """The value of a payment is followed back through every hand it went through."""
        key = data.draw(st.sampled_from(sorted(self.ids)))
        done = next(d for d in self.naive.journal if d.key == key)
        if done.request.reverses is not None or done.request.phase in ("pending", "void"):
            return
        if not any(step.taken is not None for steps in done.steps for step in steps):
            return
        told = {self.naive.names[i] for i in self.door.traced(self.ids[key])}
        assert told == self.naive.story_of(key)

    @precondition(lambda self: len(self.naive.boxes) < len(ACCOUNTS) + len(LATER))
    @rule(data=st.data())
    def open_account(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(LATER)))
        self.naive.open(place, *LATER[place])
        self.door.open(place, *LATER[place])

    @rule(data=st.data())
    def close_account(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(self.naive.boxes)))
        if place[0] != "issuer":
            assert self.door.close(place) == self.naive.close(place)

    @rule(
        data=st.data(), low=st.none() | st.integers(-60, 20), high=st.none() | st.integers(0, 400)
    )
    def set_limits(self, data: st.DataObject, low: int | None, high: int | None) -> None:
        place = data.draw(st.sampled_from(sorted(self.naive.boxes)))
        if self.naive.boxes[place].lots and low is not None:
            low = max(low, 0)
        if place[0] != "issuer" and (low is None or high is None or low <= high):
            assert self.door.limit(place, low, high) == self.naive.limit(place, low, high)

    # What always holds

    @invariant()
    def accounts_agree(self) -> None:
        told = self.door.standing()
        assert set(told) == set(self.naive.boxes)
        for place, box in self.naive.boxes.items():
            found = told[place]
            assert found.balance == box.balance, place
            assert (found.held, found.coming) == (box.held_sum, box.coming_sum), place
            assert found.closed == box.closed
            assert found.lots == self.naive.lots(place), place

    @invariant()
    def nothing_was_made_and_no_unit_stands_twice(self) -> None:
        sums: dict[str, int] = {}
        for (_, asset), box in self.naive.boxes.items():
            sums[asset] = sums.get(asset, 0) + box.balance
        assert not any(sums.values())
        standing = [(place, unit.terms, unit.position) for place, unit in self.naive.all_units()]
        assert len(standing) == len(set(standing))
        serials = [unit.serial for _, unit in self.naive.all_units()]
        assert len(serials) == len(set(serials))

    @rule(data=st.data(), axis=st.sampled_from(["recorded", "effective"]))
    def look_back(self, data: st.DataObject, axis: str) -> None:
        place = data.draw(st.sampled_from(sorted(self.naive.boxes)))
        instant = data.draw(st.sampled_from(self.instants))
        told = self.door.balance_at(place, instant, axis)
        assert told == self.naive.balance_at(place, instant, axis)

    @rule(data=st.data())
    def read_a_statement(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(self.naive.boxes)))
        told = [(self.naive.names[i], *rest) for i, *rest in self.door.entries(place)]
        assert told == self.naive.entries(place)

    def teardown(self) -> None:
        self.door.end()
