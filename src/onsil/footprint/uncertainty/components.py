"""Approach 1: error propagation by named sources, in decimals.

2006 IPCC Guidelines, vol. 1, ch. 3, section 3.2.3.1 (approach 1), for sums whose terms may share an
input: what one source does to all terms is added first (fully correlated), and the sources are
combined by the root of the sum of squares (independent of each other).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from onsil.footprint.uncertainty.context import WHOLE
from onsil.footprint.uncertainty.normal import coverage_factor

DISTRIBUTIONS = ("normal", "uniform", "triangular", "lognormal")
_CENT = Decimal("0.01")
# A half range is this many standard uncertainties (JCGM 100:2008, GUM, 4.3.7 and 4.3.9), squared.
_HALF_RANGE_SQUARED = {"uniform": Decimal(3), "triangular": Decimal(6)}


@dataclass(frozen=True)
class Combined:
    """A sum with the half-width of its interval; `by_source` holds each source's own, signed.

    `relative_pct` is None where the sum is zero: a percentage of nothing says nothing.
    """

    amount: Decimal
    half_width: Decimal
    relative_pct: Decimal | None
    confidence_pct: Decimal
    by_source: Mapping[str, Decimal]
    unstated: int = 0


@dataclass(frozen=True)
class Term:
    """One term of a sum: an amount that is a product, each named input with its uncertainty in %.

    The percentages are half-widths at `confidence_pct`.
    """

    amount: Decimal
    relative_pct: Mapping[str, Decimal] = field(default_factory=dict)
    confidence_pct: Decimal = Decimal(95)


def component(
    source: str,
    amount_t: Decimal,
    relative_pct: Decimal,
    *,
    confidence_pct: Decimal | int = 95,
    distribution: str = "normal",
    ko: str = "",
    en: str = "",
) -> dict[str, Any]:
    """What one source does to an amount that is proportional to it; `relative_pct` is a half-width.

    A negative amount (an emission taken off) gives a negative half-width, so that a source that
    raises both sides of a difference cancels.
    """
    with localcontext(WHOLE):
        half_width = amount_t * relative_pct / 100
    return width(
        source, half_width, confidence_pct=confidence_pct, distribution=distribution, ko=ko, en=en
    )


def width(
    source: str,
    half_width_t: Decimal,
    *,
    confidence_pct: Decimal | int = 95,
    distribution: str = "normal",
    ko: str = "",
    en: str = "",
) -> dict[str, Any]:
    """A component whose half-width is known. A uniform or triangular one states half its range."""
    assert source
    assert distribution in DISTRIBUTIONS
    return {
        "source": source,
        "half_width_t": half_width_t,
        "confidence_pct": Decimal(confidence_pct),
        "distribution": distribution,
        "ko": ko,
        "en": en,
    }


def standard_uncertainty(one: Mapping[str, Any]) -> Decimal:
    """The component's standard uncertainty, with its sign; takes decimals as texts as well."""
    half_width = Decimal(one["half_width_t"])
    squared = _HALF_RANGE_SQUARED.get(one["distribution"])
    with localcontext(WHOLE):
        if squared is not None:
            return half_width / squared.sqrt()
        return half_width / coverage_factor(Decimal(one["confidence_pct"]))


def _at(one: Mapping[str, Any], confidence_pct: Decimal) -> Decimal:
    """The half-width at another confidence; untouched where it is stated at that one."""
    bounded = one["distribution"] in _HALF_RANGE_SQUARED
    if not bounded and Decimal(one["confidence_pct"]) == confidence_pct:
        return Decimal(one["half_width_t"])
    return standard_uncertainty(one) * coverage_factor(confidence_pct)


def _by_source(
    components: Iterable[Mapping[str, Any]], confidence_pct: Decimal
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for one in components:
        held = found.get(one["source"], Decimal(0))
        found[one["source"]] = held + _at(one, confidence_pct)
    return dict(sorted(found.items()))


def _root(by_source: Mapping[str, Decimal]) -> Decimal:
    return sum((part * part for part in by_source.values()), Decimal(0)).sqrt()


def _relative_pct(half_width: Decimal, amount: Decimal) -> Decimal | None:
    return (100 * half_width / abs(amount)).quantize(_CENT) if amount else None


def stated(
    co2e_t: Decimal,
    components: Sequence[Mapping[str, Any]],
    *,
    confidence_pct: Decimal | int = 95,
    note: str = "",
) -> dict[str, Any]:
    """What a run states of its uncertainty: the whole, and every component behind it.

    Keys: `confidence_pct`, `half_width_t`, `relative_pct` (two digits, None of zero tonnes),
    `components` (see `component`), `sources` (their English names), `note`.
    """
    confidence = Decimal(confidence_pct)
    with localcontext(WHOLE):
        half_width = _root(_by_source(components, confidence))
        return {
            "confidence_pct": confidence,
            "half_width_t": half_width,
            "relative_pct": _relative_pct(half_width, co2e_t),
            "components": [dict(one) for one in components],
            "sources": [one["en"] or one["source"] for one in components],
            "note": note,
        }


def combine(
    runs: Iterable[tuple[Decimal, Mapping[str, Any] | None]],
    confidence_pct: Decimal | int = 95,
) -> Combined:
    """The uncertainty of a sum of runs: of a monitoring period, a bundle of sites, an inventory.

    Each run is its tonnes (negative where taken off) and what it states of its uncertainty. A
    component's sign is that of its effect on its own run; a run taken off turns it round. A run of
    older form that states a half-width without components counts as a source of its own; one that
    states nothing is counted in `unstated`: its uncertainty is not known, and not zero.
    """
    confidence = Decimal(confidence_pct)
    amount, unstated = Decimal(0), 0
    components: list[Mapping[str, Any]] = []
    with localcontext(WHOLE):
        for index, (tonnes, document) in enumerate(runs):
            amount += tonnes
            found = _components_of(document, tonnes, index)
            if found is None:
                unstated += 1
                continue
            turned = -1 if tonnes < 0 else 1
            components += [
                {**one, "half_width_t": Decimal(one["half_width_t"]) * turned} for one in found
            ]
        by_source = _by_source(components, confidence)
        half_width = _root(by_source)
        return Combined(
            amount, half_width, _relative_pct(half_width, amount), confidence, by_source, unstated
        )


def _components_of(
    document: Mapping[str, Any] | None, tonnes: Decimal, index: int
) -> Sequence[Mapping[str, Any]] | None:
    if not document:
        return None
    if "components" in document:
        return document["components"]
    confidence = Decimal(document.get("confidence_pct") or 95)
    if document.get("half_width_t") is not None:
        half_width = Decimal(document["half_width_t"])
    elif document.get("relative_pct") is not None:
        half_width = abs(tonnes) * Decimal(document["relative_pct"]) / 100
    else:
        return None
    return [width(f"run:{index}", half_width, confidence_pct=confidence)]


def combine_terms(terms: Iterable[Term], confidence_pct: Decimal | int = 95) -> Combined:
    """The uncertainty of a sum of products, such as activity × factor, line by line.

    Ten equal buildings with 5 % meters and one 2 % factor: 2.55 %, not 1.70 %.
    """
    kept = list(terms)
    components = [
        component(source, one.amount, relative, confidence_pct=one.confidence_pct)
        for one in kept
        for source, relative in one.relative_pct.items()
    ]
    confidence = Decimal(confidence_pct)
    with localcontext(WHOLE):
        amount = sum((one.amount for one in kept), Decimal(0))
        by_source = _by_source(components, confidence)
        half_width = _root(by_source)
        return Combined(
            amount, half_width, _relative_pct(half_width, amount), confidence, by_source,
            sum(1 for one in kept if not one.relative_pct),
        )  # fmt: skip
