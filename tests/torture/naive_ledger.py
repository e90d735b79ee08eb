"""What the ledger means, in the plainest words: every single unit of value is a thing of its own.

A unit in an account that keeps lots has a position and a story (where it stood before, and since
which transfer). Nothing is clever here: choosing is filtering and sorting all units, undoing is
going back to a copy. The real ledger, which knows layers, intervals and holds, is compared with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from onsil.ledger.terms import Leg, LotFilter, LotTerms, TransferRequest

NEVER = datetime.max.replace(tzinfo=UTC)
Place = tuple[str, str]  # an account: (code, asset)
Terms = tuple[str, datetime | None, str, bool]


def terms_of(terms: LotTerms) -> Terms:
    """What makes lots equal; the origin is not part of it."""
    return terms.fund, terms.expires_at, terms.merchant_rule, terms.refundable


def _act(request: TransferRequest) -> TransferRequest:
    """What a key stands for: a retry a second later is still the same act."""
    return request._replace(effective_at=None, timeout_at=None)


class Stop(NamedTuple):
    """A unit entered this account at this position by this transfer (and leg)."""

    place: Place
    position: int
    transfer: str
    leg: int


class Unit(NamedTuple):
    """One unit of value in an account that keeps lots."""

    serial: int
    terms: Terms
    position: int
    story: tuple[Stop, ...]


class Step(NamedTuple):
    """One unit's way through one leg; None where the account keeps no lots."""

    terms: Terms | None
    taken: int | None
    made: int | None


@dataclass
class Box:
    """An account. `ages` are the lowest positions its lots have held since they were last empty,
    `ends` the positions their next units get; a lot that is empty begins anew at `received`."""

    minimum: int | None
    maximum: int | None
    lots: bool
    plain: int = 0
    closed: bool = False
    received: int = 0
    units: list[Unit] = field(default_factory=list)
    ages: dict[Terms, int] = field(default_factory=dict)
    ends: dict[Terms, int] = field(default_factory=dict)
    held: dict[str, list[list[Unit]]] = field(default_factory=dict)
    held_plain: dict[str, int] = field(default_factory=dict)
    coming: dict[str, int] = field(default_factory=dict)
    gone: dict[tuple[Terms, int], Unit] = field(default_factory=dict)

    def copy(self) -> "Box":
        return replace(
            self,
            units=list(self.units),
            ages=dict(self.ages),
            ends=dict(self.ends),
            held={k: [list(units) for units in legs] for k, legs in self.held.items()},
            held_plain=dict(self.held_plain),
            coming=dict(self.coming),
            gone=dict(self.gone),
        )

    def next_position(self, terms: Terms) -> int:
        """Where the next unit of these terms will stand; it is counted as received."""
        position = self.ends[terms] if terms in self.ages else self.received
        self.ages.setdefault(terms, position)
        self.ends[terms] = position + 1
        return position

    def leave(self, unit: Unit) -> None:
        """Take a unit out; a lot that is empty then forgets its age."""
        self.units.remove(unit)
        if not any(other.terms == unit.terms for other in self.units):
            del self.ages[unit.terms]

    def back(self, unit: Unit) -> None:
        """Put a unit back where it had stood."""
        if unit.terms not in self.ages:
            self.ends[unit.terms] = self.received
        self.ages[unit.terms] = min(self.ages.get(unit.terms, unit.position), unit.position)
        self.units.append(unit)

    @property
    def held_sum(self) -> int:
        kept = sum(len(units) for legs in self.held.values() for units in legs)
        return kept + sum(self.held_plain.values())

    @property
    def balance(self) -> int:
        return len(self.units) + self.held_sum if self.lots else self.plain

    @property
    def coming_sum(self) -> int:
        return sum(self.coming.values())


@dataclass
class Done:
    """A transfer that was applied; `steps` are the units' ways, leg by leg."""

    key: str
    request: TransferRequest
    recorded_at: datetime
    effective_at: datetime
    legs: tuple[Leg, ...]
    steps: list[list[Step]]
    balances: list[tuple[int, int]]


@dataclass
class Reserved:
    """A pending transfer: how much of each leg is still reserved, and when it lapses."""

    request: TransferRequest
    open: bool = True
    settled_by: str = ""


class NaiveLedger:
    """One city's ledger. Transfers are named by their keys; `names` maps real ids to keys."""

    def __init__(self) -> None:
        self.boxes: dict[Place, Box] = {}
        self.codes: set[str] = set()
        self.decided: dict[str, tuple[TransferRequest, str]] = {}
        self.journal: list[Done] = []
        self.reserved: dict[str, Reserved] = {}
        self.reversed: set[str] = set()
        self.names: dict[UUID, str] = {}
        self.serial = 0

    # Accounts

    def open(self, place: Place, minimum: int | None, maximum: int | None, lots: bool) -> None:
        if place not in self.boxes:
            self.boxes[place] = Box(minimum, maximum, lots)
            self.codes.add(place[0])

    def close(self, place: Place) -> str:
        box = self.boxes[place]
        if box.balance or box.held_sum or box.coming_sum:
            return "account-not-empty" if not box.closed else ""
        box.closed = True
        return ""

    def limit(self, place: Place, minimum: int | None, maximum: int | None) -> str:
        box = self.boxes[place]
        low = minimum is not None and box.balance - box.held_sum < minimum
        high = maximum is not None and box.balance + box.coming_sum > maximum
        if low or high:
            return "limits-not-met"
        box.minimum, box.maximum = minimum, maximum
        return ""

    # Deciding

    def decide(self, requests: Sequence[TransferRequest], now: datetime) -> list[tuple[str, str]]:
        """(state, refusal code) of each request, chains taken as wholes."""
        given: list[tuple[str, str]] = []
        chain: list[TransferRequest] = []
        for request in requests:
            chain.append(request)
            if not request.linked:
                given += self._chain(chain, now)
                chain = []
        return given + (self._chain(chain, now, left_open=True) if chain else [])

    def _known(self, request: TransferRequest) -> tuple[str, str] | None:
        known = self.decided.get(request.key)
        if known is None:
            return None
        first, code = known
        if _act(first) != _act(request):
            return "refused", "key-reused"
        return ("refused", code) if code else ("replayed", "")

    def _refuse(self, request: TransferRequest, code: str) -> tuple[str, str]:
        self.decided[request.key] = request, code
        return "refused", code

    def _chain(
        self, chain: list[TransferRequest], now: datetime, *, left_open: bool = False
    ) -> list[tuple[str, str]]:
        """All or none; the one to blame has its own code, the others `linked-failed`."""
        if len(chain) == 1 and not left_open:
            return [self._known(chain[0]) or self._alone(chain[0], now)]
        keys = {request.key for request in chain}
        if len(keys) < len(chain) or not keys.isdisjoint(self.decided):
            return [self._known(r) or self._refuse(r, "linked-failed") for r in chain]
        kept = self._copy()
        for n, request in enumerate(chain):
            code = self._apply(request, now) if not left_open else ""
            if left_open and n == len(chain) - 1:
                code = "malformed-request"
            if code:
                self._restore(kept)
                return [
                    self._refuse(r, code if m == n else "linked-failed")
                    for m, r in enumerate(chain)
                ]
        for request in chain:
            self.decided[request.key] = request, ""
        return [("applied", "")] * len(chain)

    def _alone(self, request: TransferRequest, now: datetime) -> tuple[str, str]:
        kept = self._copy()
        code = self._apply(request, now)
        if code:
            self._restore(kept)
            return self._refuse(request, code)
        self.decided[request.key] = request, ""
        return "applied", ""

    def _copy(self):
        boxes = {place: box.copy() for place, box in self.boxes.items()}
        reserved = {key: replace(r) for key, r in self.reserved.items()}
        return boxes, reserved, list(self.journal), set(self.reversed)

    def _restore(self, kept) -> None:
        self.boxes, self.reserved, self.journal, self.reversed = kept

    def _apply(self, request: TransferRequest, now: datetime) -> str:
        if request.phase == "pending":
            return self._reserve(request, now)
        if request.phase in ("post", "void"):
            return self._settle(request, now)
        origin = self.names.get(request.reverses) if request.reverses is not None else None
        if origin in self.reversed:
            return "already-reversed"
        done = Done(request.key, request, now, request.effective_at or now, request.legs, [], [])
        for number, leg in enumerate(request.legs):
            outcome = self._leg(request, number, leg, now)
            if isinstance(outcome, str):
                return outcome
            self._note(done, leg, outcome)
        if origin is not None:
            self.reversed.add(origin)
        self.journal.append(done)
        return ""

    def _note(self, done: Done, leg: Leg, steps: list[Step]) -> None:
        source = self.boxes[leg.source, leg.asset]
        destination = self.boxes[leg.destination, leg.asset]
        done.steps.append(steps)
        done.balances.append((source.balance, destination.balance))

    def _usable(self, leg: Leg) -> str:
        for code in (leg.source, leg.destination):
            box = self.boxes.get((code, leg.asset))
            if box is None:
                return "asset-mismatch" if code in self.codes else "unknown-account"
            if box.closed:
                return "account-closed"
        source = self.boxes[leg.source, leg.asset]
        destination = self.boxes[leg.destination, leg.asset]
        low, high = source.minimum, destination.maximum
        if low is not None and source.balance - source.held_sum - leg.amount < low:
            return "insufficient-balance"
        if high is not None and destination.balance + destination.coming_sum + leg.amount > high:
            return "account-limit"
        return ""

    def _leg(
        self, request: TransferRequest, number: int, leg: Leg, now: datetime
    ) -> list[Step] | str:
        code = self._usable(leg)
        if code:
            return code
        if leg.pieces is not None:
            return self._exactly(leg)
        units = self._take(leg, now)
        if isinstance(units, str):
            return units
        return self._move(request.key, number, leg, units)

    def _take(self, leg: Leg, now: datetime) -> list[Unit] | str | None:
        """The units that pay a leg, taken out of their account; None when it keeps no lots."""
        source = self.boxes[leg.source, leg.asset]
        if not source.lots:
            return None
        if leg.lot is not None:
            return "lot-terms-fixed"
        usable = [u for u in source.units if spendable(u.terms, leg.only or LotFilter(), now)]
        if len(usable) < leg.amount:
            return "lot-rule"
        usable.sort(
            key=lambda u: (u.terms[2] == "", u.terms[1] or NEVER, source.ages[u.terms], u.position)
        )
        chosen = usable[: leg.amount]
        for unit in chosen:
            source.leave(unit)
        return chosen

    def _move(self, key: str, number: int, leg: Leg, units: list[Unit] | None) -> list[Step]:
        """Units already taken (or plain value) enter the destination."""
        source = self.boxes[leg.source, leg.asset]
        place = leg.destination, leg.asset
        destination = self.boxes[place]
        if not source.lots:
            source.plain -= leg.amount
        else:
            source.gone.update(((unit.terms, unit.position), unit) for unit in units or ())
        if not destination.lots:
            destination.plain += leg.amount
            return [Step(u.terms, u.position, None) for u in units or ()]
        return [
            self._enter(place, key, number, leg, units[n] if units is not None else None)
            for n in range(leg.amount)
        ]

    def _enter(self, place: Place, key: str, number: int, leg: Leg, was: Unit | None) -> Step:
        """One unit enters an account that keeps lots; `was` None: it comes into being."""
        box = self.boxes[place]
        terms = was.terms if was is not None else terms_of(leg.lot or LotTerms())
        position = box.next_position(terms)
        box.received += 1
        stop = Stop(place, position, key, number)
        if was is None:
            self.serial += 1
            box.units.append(Unit(self.serial, terms, position, (stop,)))
            return Step(terms, None, position)
        box.units.append(Unit(was.serial, terms, position, (*was.story, stop)))
        return Step(terms, was.position, position)

    def _exactly(self, leg: Leg) -> list[Step] | str:
        """A reversal's leg: these very units go back to where each of them stood."""
        source = self.boxes[leg.source, leg.asset]
        destination = self.boxes[leg.destination, leg.asset]
        steps = []
        for piece in leg.pieces or ():
            terms = terms_of(piece.terms)
            for n in range(piece.amount):
                taken = None if piece.taken is None else piece.taken + n
                made = None if piece.made is None else piece.made + n
                if taken is not None:
                    unit = next((u for u in source.units if (u.terms, u.position)
                                 == (terms, taken)), None)  # fmt: skip
                    if unit is None:
                        return "lot-rule"
                    source.leave(unit)
                    source.gone[terms, taken] = unit
                if made is not None:
                    destination.back(destination.gone.pop((terms, made)))
                steps.append(Step(terms, taken, made))
        source.plain -= 0 if source.lots else leg.amount
        destination.plain += 0 if destination.lots else leg.amount
        return steps

    # Pending transfers

    def _reserve(self, request: TransferRequest, now: datetime) -> str:
        key = request.key
        for leg in request.legs:
            code = self._usable(leg)
            if code:
                return code
            units = self._take(leg, now)
            if isinstance(units, str):
                return units
            source = self.boxes[leg.source, leg.asset]
            if units is None:
                source.held_plain[key] = source.held_plain.get(key, 0) + leg.amount
            else:
                source.held.setdefault(key, []).append(units)
            destination = self.boxes[leg.destination, leg.asset]
            destination.coming[key] = destination.coming.get(key, 0) + leg.amount
        self.reserved[key] = Reserved(request)
        self.journal.append(Done(key, request, now, request.effective_at or now, (), [], []))
        return ""

    def _settle(self, request: TransferRequest, now: datetime) -> str:
        key = self.names.get(request.pending) if request.pending is not None else None
        held = self.reserved.get(key or "")
        if key is None or held is None:
            return "pending-unknown"
        if not held.open:
            return "pending-settled"
        lapse = held.request.timeout_at
        if request.phase == "post" and lapse is not None and lapse <= now:
            return "pending-expired"
        legs = held.request.legs
        if request.phase == "void":
            legs = ()
        elif request.legs:
            legs = request.legs
        done = Done(request.key, request, now, request.effective_at or now, legs, [], [])
        code = self._release(key, held.request, legs, done)
        if code:
            return code
        self.reserved[key] = replace(held, open=False, settled_by=request.key)
        self.journal.append(done)
        return ""

    def _release(
        self, key: str, pending: TransferRequest, legs: tuple[Leg, ...], done: Done
    ) -> str:
        """Give all reservations back, moving what is posted of them."""
        if legs and [(g.source, g.destination, g.asset) for g in legs] != [
            (g.source, g.destination, g.asset) for g in pending.legs
        ]:
            return "malformed-request"
        for number, leg in enumerate(pending.legs):
            posted = legs[number].amount if legs else 0
            if posted > leg.amount:
                return "malformed-request"
            source = self.boxes[leg.source, leg.asset]
            self.boxes[leg.destination, leg.asset].coming[key] -= leg.amount
            units = None
            if source.lots:
                units = source.held[key].pop(0)
            else:
                source.held_plain[key] -= leg.amount
            moved = leg._replace(amount=posted)
            steps = self._move(done.key, number, moved, None if units is None else units[:posted])
            for unit in (units or [])[posted:]:
                source.back(unit)
            if posted:
                self._note(done, moved, steps)
        return ""

    def lapsed(self, now: datetime) -> list[str]:
        """The pending transfers that are due to lapse."""
        return [
            key
            for key, held in self.reserved.items()
            if held.open and held.request.timeout_at is not None and held.request.timeout_at <= now
        ]

    # Reading

    def lots(self, place: Place) -> dict[Terms, set[int]]:
        """The positions in an account that nobody holds, by terms."""
        found: dict[Terms, set[int]] = {}
        for unit in self.boxes[place].units:
            found.setdefault(unit.terms, set()).add(unit.position)
        return found

    def entries(self, place: Place) -> list[tuple[str, int, int]]:
        """An account's lines, oldest first: (key, signed amount, balance right after)."""
        lines = []
        for done in self.journal:
            for leg, balances in zip(done.legs, done.balances, strict=True):
                if (leg.source, leg.asset) == place:
                    lines.append((done.key, -leg.amount, balances[0]))
                if (leg.destination, leg.asset) == place:
                    lines.append((done.key, leg.amount, balances[1]))
        return lines

    def balance_at(self, place: Place, instant: datetime, axis: str) -> int:
        """The balance by what was recorded, or had become effective, until then."""
        total = 0
        for done in self.journal:
            at = done.recorded_at if axis == "recorded" else done.effective_at
            if at <= instant:
                total += sum(
                    leg.amount
                    * (((leg.destination, leg.asset) == place) - ((leg.source, leg.asset) == place))
                    for leg in done.legs
                )
        return total

    def story_of(self, key: str) -> set[str]:
        """The transfers through which the value moved by `key` had come, itself among them."""
        done = next(d for d in self.journal if d.key == key)
        found = {key}
        for leg, steps in zip(done.legs, done.steps, strict=True):
            box = self.boxes[leg.source, leg.asset]
            for step in steps:
                if step.terms is None or step.taken is None:
                    continue
                mark = step.terms, step.taken
                unit = box.gone.get(mark) or next(
                    u for u in self.standing(box) if (u.terms, u.position) == mark
                )
                found.update(stop.transfer for stop in unit.story)
        return found

    def standing(self, box: Box) -> Iterable[Unit]:
        """The units in an account, held or not."""
        yield from box.units
        yield from (unit for legs in box.held.values() for units in legs for unit in units)

    def all_units(self) -> Iterable[tuple[Place, Unit]]:
        """Every unit that exists, with its account."""
        for place, box in self.boxes.items():
            yield from ((place, unit) for unit in self.standing(box))


def spendable(terms: Terms, only: LotFilter, now: datetime) -> bool:
    """Whether a unit of these terms may pay where the filter says."""
    fund, expires_at, rule, refundable = terms
    if (expires_at is not None and expires_at <= now) != only.expired:
        return False
    if only.merchant_rules is not None and rule and rule not in only.merchant_rules:
        return False
    if only.funds is not None and fund not in only.funds:
        return False
    return only.refundable is None or refundable == only.refundable
