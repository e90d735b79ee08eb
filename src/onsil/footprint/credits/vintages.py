"""Which year a quantity belongs to: periods divided by claimed days, or by the calendar. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, days_of, local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits.rules import Rule
from onsil.footprint.terms import RunLine

EXACT = Context(prec=200, traps=[Inexact])
"""Sums and differences of quantities, which lose nothing or fail."""
_SHARING = Context(prec=120, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-24")


def years_of(period: Period, zone: ZoneInfo) -> tuple[int, ...]:
    """The local years that a period touches, in order."""
    first = local_day(period.start, zone).year
    last = local_day(period.end - timedelta(microseconds=1), zone).year
    return tuple(range(first, last + 1))


def by_calendar(period: Period, zone: ZoneInfo) -> dict[int, Decimal]:
    """How many local days of a period lie in each year."""
    made: dict[int, Decimal] = {}
    for day in days_of(period, zone):
        made[day.year] = made.get(day.year, Decimal(0)) + 1
    return made


def by_quantity(
    lines: Iterable[RunLine], period: Period, zone: ZoneInfo
) -> dict[int, Decimal] | None:
    """What of a run's quantity within a period lies in each year; None where it cannot be told:
    a line without its parts, or lines of different quantities, which cannot be added."""
    first = local_day(period.start, zone).isoformat()
    last = local_day(period.end - timedelta(microseconds=1), zone).isoformat()
    made: dict[int, Decimal] = {}
    kinds: set[tuple[str, str]] = set()
    for line in lines:
        if line.parts is None:
            return None
        kinds.add((line.quantity, line.unit))
        with localcontext(EXACT):
            for key, amount in line.parts.items():
                if first[: len(key)] <= key <= last[: len(key)]:
                    year = int(key[:4])
                    made[year] = made.get(year, Decimal(0)) + amount
    return made if len(kinds) == 1 and sum(made.values()) > 0 else None


def shared(amount: Decimal, weights: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """An amount divided by weights, to 24 places, the last year taking what is left: the parts add
    up to the amount exactly. Years without a weight are left out."""
    years = sorted(year for year, weight in weights.items() if weight > 0)
    assert years, "nothing to share by"
    made: dict[int, Decimal] = {}
    with localcontext(_SHARING):
        total = sum(weights[year] for year in years)
        for year in years[:-1]:
            made[year] = (amount * weights[year] / total).quantize(_PLACES)
    with localcontext(EXACT):
        made[years[-1]] = amount - sum(made.values())
    return made


def added(parts: Sequence[Mapping[int, Decimal]]) -> dict[int, Decimal]:
    """Quantities by year of several claims, added exactly; years with nothing left out."""
    made: dict[int, Decimal] = {}
    with localcontext(EXACT):
        for part in parts:
            for year, amount in part.items():
                made[year] = made.get(year, Decimal(0)) + amount
    return {year: made[year] for year in sorted(made) if made[year] > 0}


def gate(rule: Rule | None, methodologies: Iterable[str], vintage: int) -> Refusal | None:
    """Whether a vintage may be issued under methodologies (id@version): vintages from the rule's
    day on want aligned ones (Gold Standard, Paris alignment). Refused: vintage-gated."""
    if rule is None or vintage < rule["from"].year:
        return None
    behind = sorted(set(methodologies) - set(rule["aligned"]))
    if not behind:
        return None
    return Refusal(
        "vintage-gated",
        f"{rule['from'].year}년부터의 발생분은 파리협정에 맞춘 방법론만 발행할 수 있습니다"
        f" ({', '.join(behind)}은(는) 아닙니다).",
        f"Vintages from {rule['from'].year} want a Paris-aligned methodology, which"
        f" {', '.join(behind)} is not.",
        {"vintage": vintage, "methodologies": behind, "source": rule.source,
         "maturity": rule.maturity},
    )  # fmt: skip
