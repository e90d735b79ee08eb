"""Approach 2: Monte Carlo with a recorded seed, in decimals, the same on every machine.

2006 IPCC Guidelines, vol. 1, ch. 3, section 3.2.3.2 (approach 2). docs/footprint/uncertainty.md
writes the algorithm down for whoever does it again in another language.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

from onsil.footprint.uncertainty.components import Term
from onsil.footprint.uncertainty.context import DRAWS, WHOLE
from onsil.footprint.uncertainty.generator import INCREMENT, Pcg64, seeded
from onsil.footprint.uncertainty.normal import coverage_factor, normal_quantile

ALGORITHM = "onsil-monte-carlo-1"
DRAWS_MAX = 1_000_000
_HALF = Decimal("0.5")


@dataclass(frozen=True)
class Distribution:
    """An input's distribution.

    `normal`: `low` and `high` bound the two-sided interval of `confidence_pct`; `lognormal` the
    same, of the logarithm (both above 0); `uniform`: the whole range; `triangular`: the whole
    range with its peak at `mode` (the middle where there is none).
    """

    kind: str
    low: Decimal
    high: Decimal
    confidence_pct: Decimal = Decimal(95)
    mode: Decimal | None = None

    def at(self, uniform: Decimal) -> Decimal:
        """The value below which a share `uniform` of the distribution lies."""
        with localcontext(DRAWS):
            match self.kind:
                case "normal":
                    return self._bell(self.low, self.high, uniform)
                case "lognormal":
                    return self._bell(self.low.ln(), self.high.ln(), uniform).exp()
                case "uniform":
                    return self.low + uniform * (self.high - self.low)
                case "triangular":
                    return self._triangle(uniform)
        raise ValueError(f"no such distribution: {self.kind}")

    def _bell(self, low: Decimal, high: Decimal, uniform: Decimal) -> Decimal:
        spread = (high - low) / 2 / coverage_factor(self.confidence_pct)
        return (low + high) / 2 + spread * normal_quantile(uniform)

    def _triangle(self, uniform: Decimal) -> Decimal:
        width = self.high - self.low
        if width == 0:
            return self.low
        mode = (self.low + self.high) / 2 if self.mode is None else self.mode
        if uniform * width < mode - self.low:
            return self.low + (uniform * width * (mode - self.low)).sqrt()
        return self.high - ((1 - uniform) * width * (self.high - mode)).sqrt()


@dataclass(frozen=True)
class Simulated:
    """What the draws came to: mean, and the percentiles of the interval of `confidence_pct`."""

    mean: Decimal
    low: Decimal
    high: Decimal
    confidence_pct: Decimal
    seed: int
    draws: int

    @property
    def half_width(self) -> Decimal:
        """Half of the interval, which need not lie evenly about the mean."""
        with localcontext(WHOLE):
            return (self.high - self.low) / 2

    @property
    def relative_pct(self) -> Decimal | None:
        """The half-width in per cent of the mean, to two digits."""
        if self.mean == 0:
            return None
        with localcontext(WHOLE):
            return (100 * self.half_width / abs(self.mean)).quantize(Decimal("0.01"))

    def document(self) -> dict[str, Any]:
        """What a run keeps of it, enough to do it again."""
        return {
            "algorithm": ALGORITHM,
            "seed": str(self.seed),
            "increment": str(INCREMENT),
            "draws": self.draws,
            "confidence_pct": self.confidence_pct,
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
        }


def simulate(
    model: Callable[[Mapping[str, Decimal]], Decimal],
    inputs: Mapping[str, Distribution],
    seed: int,
    draws: int = 10_000,
    confidence_pct: Decimal | int = 95,
) -> Simulated:
    """Draw the inputs, calculate the model, and take the percentiles of what came out.

    In every draw the inputs take one uniform each, in the order of their names. The model runs in
    34 digits. Percentiles are interpolated linearly between order statistics (Hyndman and Fan
    1996, type 7).
    """
    assert 0 < draws <= DRAWS_MAX
    generator, names = seeded(seed), sorted(inputs)
    found: list[Decimal] = []
    with localcontext(DRAWS):
        for _ in range(draws):
            found.append(model(_drawn(generator, names, inputs)))
    found.sort()
    confidence = Decimal(confidence_pct)
    with localcontext(WHOLE):
        tail = _HALF - confidence / 200
        return Simulated(
            sum(found, Decimal(0)) / draws, _percentile(found, tail),
            _percentile(found, 1 - tail), confidence, seed, draws,
        )  # fmt: skip


def _drawn(
    generator: Pcg64, names: Sequence[str], inputs: Mapping[str, Distribution]
) -> dict[str, Decimal]:
    return {name: inputs[name].at(generator.uniform()) for name in names}


def _percentile(ordered: Sequence[Decimal], share: Decimal) -> Decimal:
    place = share * (len(ordered) - 1)
    below = int(place.to_integral_value(ROUND_FLOOR))
    above = int(place.to_integral_value(ROUND_CEILING))
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def simulate_terms(
    terms: Sequence[Term], seed: int, draws: int = 10_000, confidence_pct: Decimal | int = 95
) -> Simulated:
    """Approach 2 of what `combine_terms` does by approach 1: Σ amount · Π (1 + deviation).

    A source that is named in several terms is drawn once for all of them.
    """
    inputs: dict[str, Distribution] = {}
    for term in terms:
        for source, relative in term.relative_pct.items():
            share = relative / 100
            made = Distribution("normal", 1 - share, 1 + share, term.confidence_pct)
            assert inputs.setdefault(source, made) == made, f"{source} has two uncertainties"

    def total(drawn: Mapping[str, Decimal]) -> Decimal:
        found = Decimal(0)
        for term in terms:
            amount = term.amount
            for source in sorted(term.relative_pct):
                amount *= drawn[source]
            found += amount
        return found

    return simulate(total, inputs, seed, draws, confidence_pct)
