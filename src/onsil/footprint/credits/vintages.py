"""Which year a quantity belongs to, and whether it may be issued: divided by claimed days, else by
the calendar. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, days_of, local_day
from onsil.footprint.terms import RunLine

EXACT = Context(prec=200, traps=[Inexact])
"""Sums and differences of quantities, which lose nothing or fail."""
_SHARING = Context(prec=120, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-24")

Part = tuple[int, bool]
"""A vintage, and whether its days are behind a gate (`projects.vintages`)."""
Weights = dict[Part, Decimal]
Blocks = Callable[[date], bool]


def by_calendar(period: Period, zone: ZoneInfo, blocks: Blocks) -> Weights:
    """How many local days of a period lie in each part."""
    made: Weights = {}
    for day in days_of(period, zone):
        part = (day.year, blocks(day))
        made[part] = made.get(part, Decimal(0)) + 1
    return made


def by_quantity(
    lines: Iterable[RunLine], period: Period, zone: ZoneInfo, blocks: Blocks
) -> Weights | None:
    """What of a run's quantity within a period lies in each part; None where it cannot be told:
    a line without its days or months, or lines of different quantities, which cannot be added."""
    first = local_day(period.start, zone).isoformat()
    last = local_day(period.end - timedelta(microseconds=1), zone).isoformat()
    made: Weights = {}
    kinds: set[tuple[str, str]] = set()
    for line in lines:
        if line.parts is None:
            return None
        kinds.add((line.quantity, line.unit))
        with localcontext(EXACT):
            for key, amount in line.parts.items():
                if not first[: len(key)] <= key <= last[: len(key)]:
                    continue
                day = date.fromisoformat(key if len(key) > 7 else f"{key}-01")
                part = (day.year, blocks(day))
                made[part] = made.get(part, Decimal(0)) + amount
    return made if len(kinds) == 1 and sum(made.values()) > 0 else None


def shared(amount: Decimal, weights: Mapping[Part, Decimal]) -> Weights:
    """An amount divided by weights, to 24 places, the last part taking what is left: the parts add
    up to the amount exactly. Parts without a weight are left out."""
    parts = sorted(part for part, weight in weights.items() if weight > 0)
    assert parts, "nothing to share by"
    made: Weights = {}
    with localcontext(_SHARING):
        total = sum(weights[part] for part in parts)
        for part in parts[:-1]:
            made[part] = (amount * weights[part] / total).quantize(_PLACES)
    with localcontext(EXACT):
        made[parts[-1]] = amount - sum(made.values())
    return made


def added(parts: Sequence[Mapping[Part, Decimal]]) -> Weights:
    """Quantities of several claims, added exactly, in order; parts with nothing left out."""
    made: Weights = {}
    with localcontext(EXACT):
        for one in parts:
            for part, amount in one.items():
                made[part] = made.get(part, Decimal(0)) + amount
    return {part: made[part] for part in sorted(made) if made[part] > 0}
