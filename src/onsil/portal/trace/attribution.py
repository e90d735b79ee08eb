"""Which source paid for which part of newly issued value: whole amounts, in order. Pure.

The ledger's positions say which unit went where. Where value is given up and other value issued
for it (points that become won), the sources fill what was issued in the order in which they were
taken, so each won has exactly one source and all parts add up.
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
