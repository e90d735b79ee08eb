"""Which award paid for which part of a purchase: whole amounts, first in, first out. Pure.

A lot of local currency that a conversion made may stem from several awards, and may be spent in
several payments. Sources fill it in the order in which they were taken, payments empty it in the
order in which they were made, so each won has exactly one source and all parts add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Stretch = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """So much of a stretch of a lot came from this source."""

    source: str
    amount: int


def parts_of(
    sources: Sequence[Part], total: int, start: int, end: int
) -> list[tuple[Part, Stretch]]:
    """The sources of the stretch [start, end) of a lot of `total`.

    The sources may be counted in another unit (points that became won): their bounds are carried
    over by rounding the running total down, as the conversion itself does. Returns each part with
    the stretch of its own source that it stands for, in the source's unit; the parts' amounts, in
    the lot's unit, add up to `end - start`.

    Raises ValueError for a stretch outside the lot or sources without any amount.
    """
    whole = sum(part.amount for part in sources)
    if not 0 <= start <= end <= total or whole <= 0:
        raise ValueError(f"[{start}, {end}) is no stretch of a lot of {total}")
    found = []
    before = 0
    for part in sources:
        low = before * total // whole
        high = (before + part.amount) * total // whole
        first, last = max(low, start), min(high, end)
        if first < last:
            own = _carried_back(first - low, last - low, high - low, part.amount)
            found.append((Part(part.source, last - first), own))
        before += part.amount
    return found


def _carried_back(first: int, last: int, width: int, amount: int) -> Stretch:
    """The stretch of a source that a stretch of the lot's share of it stands for."""
    return first * amount // width, last * amount // width


@dataclass(frozen=True)
class Taking:
    """A lot's value taken by a piece of a transfer; `undoes` names a transfer it gives back."""

    transfer: str
    piece: int
    amount: int
    undoes: str = ""


def stretches(total: int, takings: Sequence[Taking]) -> dict[tuple[str, int], list[Stretch]]:
    """Which stretch of a lot each taking has, in the order given, the lowest free part first.

    A reversal frees what its transfer had taken, so later takings have it again. Raises ValueError
    when more is taken than is free.
    """
    free: list[Stretch] = [(0, total)]
    taken: dict[tuple[str, int], list[Stretch]] = {}
    for taking in takings:
        if taking.undoes:
            back = [s for key, own in taken.items() if key[0] == taking.undoes for s in own]
            free = _joined(free + back)
            continue
        wanted, own, left = taking.amount, [], []
        for low, high in free:
            cut = min(high, low + wanted)
            if cut > low:
                own.append((low, cut))
                wanted -= cut - low
            if cut < high:
                left.append((cut, high))
        if wanted:
            raise ValueError(f"{taking} takes {wanted} more than the lot holds")
        taken[taking.transfer, taking.piece] = own
        free = left
    return taken


def _joined(parts: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for low, high in sorted(parts):
        if joined and joined[-1][1] == low:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def slice_of(own: Sequence[Stretch], start: int, end: int) -> list[Stretch]:
    """The stretches of the lot that [start, end) of a taking stands for."""
    found, before = [], 0
    for low, high in own:
        width = high - low
        first, last = max(start - before, 0), min(end - before, width)
        if first < last:
            found.append((low + first, low + last))
        before += width
    return found
