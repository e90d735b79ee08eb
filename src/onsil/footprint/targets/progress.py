"""How far a measure came in a year, from its target and what shows it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from onsil.footprint.targets.terms import Evidence, Measure, ReviewLine, YearTarget

_TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Progress:
    """A measure in a year. `co2e_t` is None without evidence that has tonnes; so is `quantity`.

    `share_pct` compares tonnes with the target's, or quantities where there are no tonnes to
    compare; None when the target or the evidence is missing. `measured` is False as soon as one
    of the figures rests on a paper instead of a run.
    """

    measure: Measure
    year: int
    target: YearTarget | None
    quantity: Decimal | None
    co2e_t: Decimal | None
    share_pct: Decimal | None
    measured: bool
    evidence: tuple[Evidence, ...]
    line: ReviewLine | None = None

    @property
    def status(self) -> str:
        """reached, under-way, no-evidence, no-target or not-yet (before its first year)."""
        if not self.measure.terms.first_year <= self.year <= self.measure.terms.last_year:
            return "not-yet" if self.year < self.measure.terms.first_year else "ended"
        if not self.evidence:
            return "no-evidence"
        if self.share_pct is None:
            return "no-target"
        return "reached" if self.share_pct >= 100 else "under-way"


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    if part is None or not whole:
        return None
    return (part * 100 / whole).quantize(_TENTH, ROUND_HALF_EVEN)


def progress(
    measure: Measure, year: int, evidence: Iterable[Evidence], line: ReviewLine | None = None
) -> Progress:
    """Set a year's evidence (withdrawn ones left out) against the year's target."""
    kept = tuple(
        one
        for one in evidence
        if one.measure_id == measure.id and one.year == year and not one.withdrawn
    )
    target = measure.targets.get(year)
    quantity, co2e_t = _sum(e.quantity for e in kept), _sum(e.co2e_t for e in kept)
    share = _share(co2e_t, target.co2e_t if target else None)
    if share is None:
        share = _share(quantity, target.quantity if target else None)
    return Progress(
        measure, year, target, quantity, co2e_t, share,
        bool(kept) and all(one.measured for one in kept), kept, line,
    )  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """How much of the plan a year's review covers: `covered` measures of those in force."""

    in_force: int
    with_evidence: int
    judged: int
    covered: int

    @property
    def covered_pct(self) -> Decimal | None:
        return _share(Decimal(self.covered), Decimal(self.in_force))


def coverage(found: Iterable[Progress]) -> Coverage:
    """A measure is covered when it was judged and has evidence, or was judged not to have begun."""
    in_force = [p for p in found if p.status not in ("not-yet", "ended")]
    judged = [p for p in in_force if p.line is not None]
    covered = [
        p
        for p in judged
        if p.evidence or (p.line is not None and p.line.verdict in ("not-started", "stopped"))
    ]
    return Coverage(len(in_force), sum(bool(p.evidence) for p in in_force), len(judged),
                    len(covered))  # fmt: skip
