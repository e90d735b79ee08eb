"""The way to a goal year: what may be emitted when, what was, and what the measures take off. Pure.

Between two goals the allowance falls on a straight line: the law names a base year and goal years
(탄소중립·녹색성장 기본법 제8조, to be confirmed) and prescribes no shape between them.
A year whose inventory is not there has no emission here; it is never drawn as zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.targets.terms import Goal


@dataclass(frozen=True)
class Point:
    """A year of the pathway, in tCO2e; None where it is not known.

    `allowed_pct` is the share of the base year's emission still allowed, known without inventory.
    `planned_t` is the reference emission less what the measures shall take off; `gap_t` is how far
    that lies above (positive) or below what is allowed.
    """

    year: int
    allowed_pct: Decimal | None
    allowed_t: Decimal | None
    emitted_t: Decimal | None
    planned_t: Decimal | None
    gap_t: Decimal | None


def allowed_pct(
    base_year: int, goals: Iterable[Goal], base_t: Decimal | None
) -> dict[int, Decimal]:
    """Per cent of the base year's emission that each year's goals allow, goal years alone.

    A goal in tonnes counts only once the base year's emission is known.
    """
    known = {base_year: Decimal(100)}
    for goal in goals:
        if goal.kind == "reduction-pct":
            known[goal.year] = 100 - goal.value
        elif goal.kind == "emission-t" and base_t:
            known[goal.year] = goal.value * 100 / base_t
    return known


def between(known: Mapping[int, Decimal], year: int) -> Decimal | None:
    """The value on the straight line between the goals on either side; None outside of them."""
    if year in known:
        return known[year]
    before = max((y for y in known if y < year), default=None)
    after = min((y for y in known if y > year), default=None)
    if before is None or after is None:
        return None
    step = (known[after] - known[before]) / (after - before)
    return known[before] + step * (year - before)


def reference_t(emitted: Mapping[int, Decimal], year: int, growth_pct: Decimal) -> Decimal | None:
    """Emission without the measures: the newest inventory up to `year`, grown yearly from there."""
    last = max((y for y in emitted if y <= year), default=None)
    if last is None:
        return None
    return emitted[last] * (1 + growth_pct / 100) ** (year - last)


def pathway(
    base_year: int,
    goals: Iterable[Goal],
    emitted: Mapping[int, Decimal],
    reductions: Mapping[int, Decimal],
    until: int = 2050,
    growth_pct: Decimal = Decimal(0),
) -> list[Point]:
    """Every year from the base year to `until`.

    `emitted` holds inventory totals in tCO2e by year, `reductions` what the measures shall take
    off in each year, beyond what the reference already has. `growth_pct` is the yearly growth of
    the reference, a stated assumption.
    """
    with localcontext(ARITHMETIC):
        base_t = emitted.get(base_year)
        known = allowed_pct(base_year, goals, base_t)
        made = []
        for year in range(base_year, until + 1):
            percent = between(known, year)
            allowed_t = None if percent is None or base_t is None else base_t * percent / 100
            reference = reference_t(emitted, year, growth_pct)
            planned_t = None
            if reference is not None and year in reductions:
                planned_t = reference - reductions[year]
            gap_t = None if planned_t is None or allowed_t is None else planned_t - allowed_t
            made.append(Point(year, percent, allowed_t, emitted.get(year), planned_t, gap_t))
        return made
