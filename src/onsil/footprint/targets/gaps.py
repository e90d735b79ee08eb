"""What is still missing, in tonnes: the goal's reduction less what the measures bring. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.targets.pathway import Point
from onsil.footprint.targets.terms import Evidence, Measure


@dataclass(frozen=True)
class Gap:
    """A year in tCO2e; None where it is not known.

    `needed_t` is what the base year's emission must fall by for the goal. `expected` and `shown`
    hold the measures' tonnes by their codes: of the year's targets, and of evidence in force
    (runs, claims, papers); a measure without tonnes is absent and never zero. `over_t` is how far
    the year's sealed inventory lies above what is allowed (negative: below).
    """

    year: int
    needed_t: Decimal | None
    allowed_t: Decimal | None
    emitted_t: Decimal | None
    expected: Mapping[str, Decimal] = field(default_factory=dict)
    shown: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def expected_t(self) -> Decimal | None:
        return _sum(self.expected.values())

    @property
    def shown_t(self) -> Decimal | None:
        return _sum(self.shown.values())

    @property
    def over_t(self) -> Decimal | None:
        if self.emitted_t is None or self.allowed_t is None:
            return None
        return self.emitted_t - self.allowed_t

    @property
    def behind_t(self) -> Decimal | None:
        """How far what was shown lies behind what was expected; None without expectation."""
        if self.expected_t is None:
            return None
        return self.expected_t - (self.shown_t or Decimal(0))

    def left(self, achieved: bool) -> Decimal | None:
        """What measures do not bring of what is needed: by what was shown, or by what is planned.

        Nothing shown leaves all of it.
        """
        if self.needed_t is None:
            return None
        found = self.shown_t if achieved else self.expected_t
        return self.needed_t - (found or Decimal(0))


def gaps(
    points: Sequence[Point], measures: Iterable[Measure], evidence: Iterable[Evidence]
) -> list[Gap]:
    """Every year of a pathway with the measures' effects; the first point is the base year."""
    held = list(measures)
    codes = {one.id: one.code for one in held}
    shown: dict[int, dict[str, Decimal]] = {}
    with localcontext(ARITHMETIC):
        for one in evidence:
            if one.withdrawn or one.co2e_t is None or one.measure_id not in codes:
                continue
            year = shown.setdefault(one.year, {})
            code = codes[one.measure_id]
            year[code] = year.get(code, Decimal(0)) + one.co2e_t
        base_t = points[0].allowed_t if points else None
        made = []
        for point in points:
            needed = None if base_t is None or point.allowed_t is None else base_t - point.allowed_t
            expected = {
                one.code: target.co2e_t
                for one in held
                if (target := one.targets.get(point.year)) and target.co2e_t is not None
            }
            made.append(
                Gap(point.year, needed, point.allowed_t, point.emitted_t, expected,
                    shown.get(point.year, {}))
            )  # fmt: skip
    return made


def _sum(values: Iterable[Decimal]) -> Decimal | None:
    found = list(values)
    return sum(found, Decimal(0)) if found else None
