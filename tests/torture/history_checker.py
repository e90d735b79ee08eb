"""Was there one order in which everything happened, and does every answer follow from it?

The journal's ids give the order of commits. All of it is replayed through the pure machine: each
transfer has to come out as it was recorded, with its pieces and balances. Who was refused has to
have been refused at some moment between asking and being told. And what ended before something
else began has to come before it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from uuid import UUID

from workload import Operation

from onsil.core.refusal import Refusal
from onsil.ledger import AccountSpec, Transfer, TransferRequest
from onsil.ledger.book import AccountState, Applied, Book, Undo
from onsil.ledger.evidence import posted
from onsil.ledger.machine import _apply  # pyright: ignore[reportPrivateUsage]

Group = tuple[TransferRequest, ...]
_BY_ITSELF = ("key-reused", "malformed-request")


@dataclass
class Asked:
    """A request or a whole chain, from the first asking to the first answer."""

    group: Group
    began: int
    ended: int
    codes: tuple[str, ...]


class Replay:
    """The ledger as it was after each transfer of the journal."""

    def __init__(self, specs: Iterable[AccountSpec]) -> None:
        self.book = Book({})
        for n, spec in enumerate(specs, 1):
            self.book.accounts[spec.code, spec.asset] = AccountState(
                n, spec.code, spec.asset, spec.minimum, spec.maximum, spec.lots, 0
            )
            self.book.codes.add(spec.code)

    def again(self, request: TransferRequest, recorded: Transfer) -> str:
        """Decide what was applied once more; what is not as it was recorded, or nothing."""
        marked = request, request.fingerprint()
        done = _apply(self.book, marked, recorded.recorded_at, lambda: recorded.id, Undo())
        if isinstance(done, Refusal):
            return f"{recorded.key} is in the journal, but would have been refused: {done.code}"
        return self._differs(done, recorded)

    def _differs(self, done: Applied, recorded: Transfer) -> str:
        told = posted(done, self.book.terms)
        if _plain(told) != _plain(recorded):
            return f"{recorded.key} was recorded as {_plain(recorded)}, it should be {_plain(told)}"
        return ""

    def refuses(self, group: Group, now: datetime) -> tuple[str, ...]:
        """The codes with which a request or chain would be refused at this moment; none: it would
        be applied."""
        undo, blame, code = Undo(), -1, ""
        for n, request in enumerate(group):
            marked = request, request.fingerprint()
            done = _apply(self.book, marked, now, lambda: UUID(int=n), undo)  # noqa: B023
            if isinstance(done, Refusal):
                blame, code = n, done.code
                break
        undo.roll_back(self.book)
        if blame < 0:
            return ()
        return tuple(code if n == blame else "linked-failed" for n in range(len(group)))


def _plain(transfer: Transfer) -> tuple[object, ...]:
    """What has to be equal; the origin of issued value is the request's own affair."""
    legs = [
        (
            leg.source, leg.destination, leg.asset, leg.amount, leg.source_balance,
            leg.destination_balance, [(p.terms[:4], *p[1:]) for p in leg.pieces],
        )
        for leg in transfer.legs
    ]  # fmt: skip
    return transfer.key, transfer.phase, transfer.pending_id, transfer.reverses, legs


def grouped(operations: Sequence[Operation]) -> list[Asked]:
    """Operations of one client in the order of asking, chains put together; a group that was asked
    several times counts from its first asking to its first answer."""
    found: dict[tuple[str, ...], Asked] = {}
    chain: list[Operation] = []
    for operation in operations:
        chain.append(operation)
        if operation.request.linked:
            continue
        keys = tuple(one.request.key for one in chain)
        began, ended = min(o.began for o in chain), max(o.ended for o in chain)
        codes = tuple(one.code for one in chain)
        if any(one.state == "pending" for one in chain):
            codes, ended = ("pending",) * len(chain), 2**62
        known = found.get(keys)
        if known is None:
            found[keys] = Asked(tuple(one.request for one in chain), began, ended, codes)
        elif known.codes[0] == "pending":
            found[keys] = Asked(known.group, known.began, ended, codes)
        chain = []
    return list(found.values())


def check(
    specs: Iterable[AccountSpec], transfers: Sequence[Transfer], asked: Sequence[Asked],
    given: Iterable[TransferRequest], until: datetime,
) -> list[str]:  # fmt: skip
    """What contradicts one order of everything; `given` are requests made before the clients came.

    `transfers` is the whole journal by ascending id. When a refusal was decided is not known, only
    that it was between the recorded times of the transfers around it, and not after `until`.
    """
    requests = {request.key: request for request in given}
    spans: dict[str, tuple[int, int]] = {}
    for one in asked:
        for request in one.group:
            requests[request.key] = request
            spans[request.key] = one.began, one.ended
    found = list(_real_time(transfers, spans))
    replay, windows = Replay(specs), _windows(transfers, spans, asked)
    open_windows: list[tuple[int, Asked]] = []
    for place in range(len(transfers) + 1):
        now = [t.recorded_at for t in transfers[max(place - 1, 0) : place + 1]]
        now += [until] if place == len(transfers) else []
        open_windows += windows.get(place, [])
        open_windows = [
            (last, one)
            for last, one in open_windows
            if not any(replay.refuses(one.group, at) == one.codes for at in now)
        ]
        found += [f"{[r.key for r in one.group]} was told {one.codes}, at no moment was that so"
                  for last, one in open_windows if last <= place]  # fmt: skip
        open_windows = [(last, one) for last, one in open_windows if last > place]
        if place < len(transfers):
            recorded = transfers[place]
            request = requests.get(recorded.key) or _lapse(recorded)
            if request is None:
                found.append(f"{recorded.key} was never asked for")
                continue
            wrong = replay.again(request, recorded)
            found += [wrong] if wrong else []
    return found


def _lapse(recorded: Transfer) -> TransferRequest | None:
    """The ledger itself releases reservations whose time is over."""
    if recorded.phase != "void":
        return None
    return TransferRequest(
        recorded.key, recorded.kind, (), None, recorded.memo, recorded.origin_kind,
        recorded.origin_id, None, "void", recorded.pending_id,
    )  # fmt: skip


def _real_time(transfers: Sequence[Transfer], spans: dict[str, tuple[int, int]]) -> Iterator[str]:
    latest, whose = -1, ""
    for transfer in transfers:
        if transfer.key not in spans:
            continue
        began, ended = spans[transfer.key]
        if ended < latest:
            yield f"{transfer.key} had ended before {whose} began, and comes after it"
        if began > latest:
            latest, whose = began, transfer.key


def _windows(
    transfers: Sequence[Transfer], spans: dict[str, tuple[int, int]], asked: Sequence[Asked]
) -> dict[int, list[tuple[int, Asked]]]:
    """By its first possible place in the order: (last possible place, who was refused)."""
    found: dict[int, list[tuple[int, Asked]]] = defaultdict(list)
    placed = [(*spans[t.key], n) for n, t in enumerate(transfers) if t.key in spans]
    ends = sorted((ended, n + 1) for _, ended, n in placed)
    begins = sorted(((began, n) for began, _, n in placed), reverse=True)
    ended_at, begun_at = [at for at, _ in ends], [-at for at, _ in begins]
    # How many transfers had surely been applied by an instant, and which not before another.
    surely = [0, *accumulate((n for _, n in ends), max)]
    not_yet = [len(transfers), *accumulate((n for _, n in begins), min)]
    for one in asked:
        if not any(one.codes) or "pending" in one.codes:
            continue
        if any(code in _BY_ITSELF for code in one.codes):
            continue
        first = surely[bisect_left(ended_at, one.began)]
        last = min(not_yet[bisect_left(begun_at, -one.ended)], len(transfers))
        found[first].append((max(first, last), one))
    return found
