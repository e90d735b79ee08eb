"""Fifteen things that always hold of a city's ledger, each said in a sentence and checked.

They are checked from outside, over what anybody may read: accounts, journal, statements, lots, the
answers that callers were given, and the verification of the log. For each there is a defect
(`mutants.py`) that trips it and no other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from naive_ledger import NEVER, Place, Terms, spendable, terms_of

from onsil import ledger
from onsil.core.database import Connection
from onsil.ledger.terms import (
    Account,
    Answer,
    Entry,
    Lot,
    LotFilter,
    PostedLeg,
    Transfer,
    TransferRequest,
)

MOVING = ("single", "post")


@dataclass(frozen=True)
class Told:
    """A request and the answer its caller was given."""

    request: TransferRequest
    answer: Answer


@dataclass
class Observation:
    """What is seen of a ledger; `told` in the order of asking, entries oldest first."""

    accounts: dict[Place, Account]
    transfers: list[Transfer]
    entries: dict[Place, list[Entry]]
    lots: dict[Place, list[Lot]]
    told: list[Told] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def requests(self) -> dict[str, TransferRequest]:
        """The request that each transfer's key was first used for."""
        found: dict[str, TransferRequest] = {}
        for one in self.told:
            found.setdefault(one.request.key, one.request)
        return found


def observe(
    conn: Connection, city: str, told: Iterable[Told], findings: Iterable[str] = ()
) -> Observation:
    """Read all of a (small) ledger through its public functions."""
    accounts = {(a.code, a.asset): a for a in ledger.accounts(conn, city)}
    ids = [identity for identity, _ in ledger.entry_source.entries(conn, city)]
    transfers = [t for i in ids if (t := ledger.transfer(conn, city, i)) is not None]
    return Observation(
        accounts,
        transfers,
        {p: list(reversed(ledger.statement(conn, city, *p, limit=10**6))) for p in accounts},
        {p: ledger.lots(conn, city, *p) for p, a in accounts.items() if a.keeps_lots},
        list(told),
        list(findings),
    )


def _value_conserved(seen: Observation) -> Iterator[str]:
    sums: dict[str, int] = defaultdict(int)
    for account in seen.accounts.values():
        sums[account.asset] += account.balance
    yield from (f"{asset} sums to {total}" for asset, total in sums.items() if total)


def _balance_is_its_entries(seen: Observation) -> Iterator[str]:
    for place, entries in seen.entries.items():
        balance = 0
        for entry in entries:
            balance += entry.amount
            if entry.balance != balance:
                yield f"{place}: {entry.balance} is told after {entry.transfer_id}, not {balance}"
                balance = entry.balance
        if seen.accounts[place].balance != sum(entry.amount for entry in entries):
            yield f"{place} holds {seen.accounts[place].balance}, its entries say otherwise"


def _within_limits(seen: Observation) -> Iterator[str]:
    for place, account in seen.accounts.items():
        low, high = account.minimum, account.maximum
        if low is not None and account.balance - account.held < low:
            yield f"{place} is overdrawn: {account.balance} less {account.held} held"
        if high is not None and account.balance + account.coming > high:
            yield f"{place} holds more than {high}"
        for entry in seen.entries[place]:
            if entry.amount < 0 and low is not None and entry.balance < low:
                yield f"{place} was overdrawn by {entry.transfer_id}"
            if entry.amount > 0 and high is not None and entry.balance > high:
                yield f"{place} was overfilled by {entry.transfer_id}"


def _replay_moves_nothing(seen: Observation) -> Iterator[str]:
    keys = [transfer.key for transfer in seen.transfers]
    yield from (f"{key} moved {keys.count(key)} times" for key in {k for k in keys} if
                keys.count(key) > 1)  # fmt: skip
    named: dict[tuple[str, bytes], set[UUID | None]] = defaultdict(set)
    for one in seen.told:
        if one.answer:
            named[one.request.key, one.request.fingerprint()].add(one.answer.transfer_id)
    yield from (f"{key} is told as {len(ids)} transfers" for (key, _), ids in named.items()
                if len(ids) > 1)  # fmt: skip


def _key_means_one_act(seen: Observation) -> Iterator[str]:
    first: dict[str, bytes] = {}
    for one in seen.told:
        key, mark = one.request.key, one.request.fingerprint()
        refusal = one.answer.refusal
        reused = refusal is not None and refusal.code == "key-reused"
        if not reused and first.setdefault(key, mark) != mark:
            yield f"{key} was accepted for another request"


def _refused_stays_refused(seen: Observation) -> Iterator[str]:
    refused: dict[tuple[str, bytes], str] = {}
    for one in seen.told:
        act, refusal = (one.request.key, one.request.fingerprint()), one.answer.refusal
        code = refusal.code if refusal is not None else one.answer.state
        if act in refused and code != refused[act]:
            yield f"{act[0]} had been refused ({refused[act]}) and was then {code}"
        if refusal is not None and code != "key-reused":
            refused.setdefault(act, code)
    applied = {transfer.key for transfer in seen.transfers}
    marks = {one.request.key: one.request.fingerprint() for one in seen.told if one.answer}
    for key, mark in refused:
        if key in applied and marks.get(key, mark) == mark:
            yield f"{key} was refused and is in the journal"


def _asked(request: TransferRequest) -> list[tuple[str, str, str, int]]:
    return [(leg.source, leg.destination, leg.asset, leg.amount) for leg in request.legs]


def _moved(transfer: Transfer) -> list[tuple[str, str, str, int]]:
    return [(leg.source, leg.destination, leg.asset, leg.amount) for leg in transfer.legs]


def _whole_or_nothing(seen: Observation) -> Iterator[str]:
    asked: dict[str, list[TransferRequest]] = defaultdict(list)
    for one in seen.told:
        asked[one.request.key].append(one.request)
    for transfer in seen.transfers:
        if transfer.key in asked and transfer.phase in ("single", "pending"):
            wanted = [_asked(request) for request in asked[transfer.key]]
            if _moved(transfer) not in wanted:
                yield f"{transfer.key} was asked for {wanted[0]} and is {_moved(transfer)}"


def _chain_stands_together(seen: Observation) -> Iterator[str]:
    applied = {transfer.key for transfer in seen.transfers}
    chain: list[str] = []
    for one in seen.told:
        linked = one.request.linked
        if linked or chain:
            chain.append(one.request.key)
        if not linked and chain:
            if 0 < len(applied & set(chain)) < len(set(chain)):
                yield f"of the chain {chain} only {sorted(applied & set(chain))} was applied"
            chain = []


def _pending_settled_once(seen: Observation) -> Iterator[str]:
    by_id = {transfer.id: transfer for transfer in seen.transfers}
    settled: set[UUID] = set()
    for transfer in seen.transfers:
        if transfer.phase not in ("post", "void"):
            continue
        assert transfer.pending_id is not None
        pending = by_id.get(transfer.pending_id)
        if pending is None or pending.phase != "pending" or pending.id >= transfer.id:
            yield f"{transfer.key} settles what was not pending"
        elif pending.id in settled:
            yield f"{pending.key} was settled twice, at last by {transfer.key}"
        elif transfer.phase == "post":
            yield from _wrongly_posted(pending, transfer)
        settled.add(transfer.pending_id)


def _wrongly_posted(pending: Transfer, post: Transfer) -> Iterator[str]:
    if pending.timeout_at is not None and post.recorded_at >= pending.timeout_at:
        yield f"{pending.key} had lapsed when {post.key} posted it"
    for reserved, leg in zip(pending.legs, post.legs, strict=False):
        if leg.amount > reserved.amount:
            yield f"{post.key} posts {leg.amount} of {reserved.amount}"


def _held_is_open_reservations(seen: Observation) -> Iterator[str]:
    settled = {transfer.pending_id for transfer in seen.transfers}
    held: dict[Place, int] = defaultdict(int)
    coming: dict[Place, int] = defaultdict(int)
    for transfer in seen.transfers:
        if transfer.phase == "pending" and transfer.id not in settled:
            for leg in transfer.legs:
                held[leg.source, leg.asset] += leg.amount
                coming[leg.destination, leg.asset] += leg.amount
    for place, account in seen.accounts.items():
        if (account.held, account.coming) != (held[place], coming[place]):
            yield (
                f"{place}: {account.held} held and {account.coming} coming, reservations are "
                f"{held[place]} and {coming[place]}"
            )


@dataclass
class _Positions:
    """The live positions of every account, as the journal's pieces tell them."""

    live: dict[tuple[Place, Terms], set[int]] = field(default_factory=lambda: defaultdict(set))
    gone: dict[tuple[Place, Terms], set[int]] = field(default_factory=lambda: defaultdict(set))

    def take(self, place: Place, terms: Terms, start: int, amount: int) -> bool:
        wanted = set(range(start, start + amount))
        there = wanted <= self.live[place, terms]
        self.live[place, terms] -= wanted
        self.gone[place, terms] |= wanted
        return there

    def give(self, place: Place, terms: Terms, start: int, amount: int, back: bool) -> bool:
        wanted = set(range(start, start + amount))
        known = self.gone[place, terms]
        fits = wanted.isdisjoint(self.live[place, terms]) and (back or wanted.isdisjoint(known))
        known -= wanted
        self.live[place, terms] |= wanted
        return fits

    def apply(self, transfer: Transfer, leg: PostedLeg) -> Iterator[str]:
        for piece in leg.pieces:
            terms, back = terms_of(piece.terms), transfer.reverses is not None
            source, destination = (leg.source, leg.asset), (leg.destination, leg.asset)
            if piece.taken is not None and not self.take(source, terms, piece.taken, piece.amount):
                yield f"{transfer.key} took from {source} what was not there"
            if piece.made is not None and not self.give(
                destination, terms, piece.made, piece.amount, back
            ):
                yield f"{transfer.key} gave {destination} positions that had been given before"


def _lots_follow_pieces(seen: Observation) -> Iterator[str]:
    positions = _Positions()
    for transfer in seen.transfers:
        for leg in transfer.legs if transfer.phase in MOVING else ():
            yield from positions.apply(transfer, leg)
    settled = {transfer.pending_id for transfer in seen.transfers}
    for transfer in seen.transfers:  # what open reservations hold stands in nobody's purse
        for leg in transfer.legs if transfer.phase == "pending" else ():
            if transfer.id not in settled:
                for piece in leg.pieces:
                    if piece.taken is not None:
                        positions.take(
                            (leg.source, leg.asset), terms_of(piece.terms), piece.taken,
                            piece.amount,
                        )  # fmt: skip
    for place, lots in seen.lots.items():
        yield from _purse_is(seen, place, lots, positions)


def _purse_is(
    seen: Observation, place: Place, lots: list[Lot], positions: _Positions
) -> Iterator[str]:
    total = 0
    for lot in lots:
        found = [position for start, end in lot.spans for position in range(start, end)]
        total += len(found)
        if len(found) != len(set(found)) or len(found) != lot.amount:
            yield f"{place}: a lot of {lot.amount} stands at {lot.spans}"
        if set(found) != positions.live[place, terms_of(lot.terms)]:
            yield f"{place}: what stands in {lot.terms} is not what pieces brought"
    known = {terms_of(lot.terms) for lot in lots}
    for (other, terms), live in positions.live.items():
        if other == place and live and terms not in known:
            yield f"{place}: {len(live)} of {terms} are gone"
    if total + seen.accounts[place].held != seen.accounts[place].balance:
        yield f"{place} holds {seen.accounts[place].balance}, its lots {total}"


def _rank(terms: Terms) -> tuple[bool, object]:
    return terms[2] == "", terms[1] or NEVER


def _spending_order(seen: Observation) -> Iterator[str]:
    """Reservations take when they are made, so a post takes nothing of its own choice."""
    positions, requests = _Positions(), seen.requests
    holding: dict[UUID, list[tuple[Place, Terms, int, int]]] = defaultdict(list)
    for transfer in seen.transfers:
        if transfer.pending_id is not None:
            for place, terms, start, amount in holding.pop(transfer.pending_id, ()):
                positions.give(place, terms, start, amount, back=True)
        request = requests.get(transfer.key)
        chooses = transfer.phase in ("single", "pending") and transfer.reverses is None
        for number, leg in enumerate(transfer.legs if transfer.phase != "void" else ()):
            if chooses and request is not None and number < len(request.legs):
                only = request.legs[number].only or LotFilter()
                yield from _wrong_choice(positions, transfer, leg, only)
            if transfer.phase in MOVING:
                list(positions.apply(transfer, leg))
                continue
            for piece in leg.pieces:
                if piece.taken is not None:
                    held = (leg.source, leg.asset), terms_of(piece.terms), piece.taken, piece.amount
                    positions.take(*held)
                    holding[transfer.id].append(held)


def _wrong_choice(
    positions: _Positions, transfer: Transfer, leg: PostedLeg, only: LotFilter
) -> Iterator[str]:
    place = leg.source, leg.asset
    taken: dict[Terms, set[int]] = defaultdict(set)
    for piece in leg.pieces:
        if piece.taken is not None:
            taken[terms_of(piece.terms)].update(range(piece.taken, piece.taken + piece.amount))
    if not taken:
        return
    for terms in taken:
        if not spendable(terms, only, transfer.recorded_at):
            yield f"{transfer.key} took {terms}, which could not be spent so"
    last = max(_rank(terms) for terms in taken)
    for (other, terms), live in positions.live.items():
        left = live - taken[terms] if terms in taken else live
        if other != place or not left or not spendable(terms, only, transfer.recorded_at):
            continue
        if _rank(terms) < last:
            yield f"{transfer.key} left {terms} lie and took what comes later"
        if terms in taken and min(left) < max(taken[terms]):
            yield f"{transfer.key} took younger value of {terms} before older"


def _reversal_restores(seen: Observation) -> Iterator[str]:
    by_id = {transfer.id: transfer for transfer in seen.transfers}
    undone: set[UUID] = set()
    for transfer in seen.transfers:
        if transfer.reverses is None:
            continue
        first = by_id.get(transfer.reverses)
        if first is None or transfer.reverses in undone:
            yield f"{transfer.key} undoes {transfer.reverses} once too often"
            continue
        undone.add(transfer.reverses)
        if [_opposite(leg) for leg in reversed(first.legs)] != [_side(g) for g in transfer.legs]:
            yield f"{transfer.key} does not give back what {first.key} took"


def _side(leg: PostedLeg) -> tuple[object, ...]:
    pieces = [(terms_of(p.terms), p.taken, p.made, p.amount) for p in leg.pieces]
    return leg.source, leg.destination, leg.asset, leg.amount, pieces


def _opposite(leg: PostedLeg) -> tuple[object, ...]:
    pieces = [(terms_of(p.terms), p.made, p.taken, p.amount) for p in reversed(leg.pieces)]
    return leg.destination, leg.source, leg.asset, leg.amount, pieces


def _history_is_as_logged(seen: Observation) -> Iterator[str]:
    yield from seen.findings


def _time_ascends(seen: Observation) -> Iterator[str]:
    for before, after in pairwise(seen.transfers):
        if after.id <= before.id or after.recorded_at < before.recorded_at:
            yield f"{after.key} was recorded before {before.key}, which it follows"


Check = Callable[[Observation], Iterator[str]]
INVARIANTS: dict[str, tuple[str, Check]] = {
    "value-conserved": (
        "The balances of an asset sum to nothing: value only ever moves.", _value_conserved),
    "balance-is-its-entries": (
        "An account's balance is the sum of its entries, and each entry tells the balance that the "
        "one before it left and its own amount make.", _balance_is_its_entries),
    "within-limits": (
        "No account was or is below its minimum or above its maximum, what is reserved counted.",
        _within_limits),
    "replay-moves-nothing": (
        "A key stands for at most one transfer, and asking again names that same one.",
        _replay_moves_nothing),
    "key-means-one-act": (
        "A key that was used is refused to any other request.", _key_means_one_act),
    "refused-stays-refused": (
        "What was refused is refused again in the same words, whatever has come in meanwhile.",
        _refused_stays_refused),
    "whole-or-nothing": (
        "A transfer has all the legs that were asked for, with their amounts.", _whole_or_nothing),
    "chain-stands-together": (
        "Of linked requests all are applied or none.", _chain_stands_together),
    "pending-settled-once": (
        "A reservation is posted or released once, in time, and for no more than was reserved.",
        _pending_settled_once),
    "held-is-open-reservations": (
        "What an account holds back and awaits is what its open reservations say.",
        _held_is_open_reservations),
    "lots-follow-pieces": (
        "The positions in a purse are those that pieces brought and did not take, each of them "
        "once, and they make up the balance.", _lots_follow_pieces),
    "spending-order": (
        "Value was taken as the rules say: what fits only, bound first, then what expires first, "
        "then the oldest.", _spending_order),
    "reversal-restores": (
        "A reversal is its transfer backwards, position for position, and happens once.",
        _reversal_restores),
    "history-is-as-logged": (
        "Every transfer is in the log as it stands in the journal, and none is missing.",
        _history_is_as_logged),
    "time-ascends": (
        "Ids and recorded times ascend in the order of decision, whatever clocks did.",
        _time_ascends),
}  # fmt: skip


def tripped(seen: Observation) -> dict[str, list[str]]:
    """The invariants that do not hold, each with what was found."""
    found = {name: list(check(seen)) for name, (_, check) in INVARIANTS.items()}
    return {name: words for name, words in found.items() if words}
