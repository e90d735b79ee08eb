"""The block in which a run states its uncertainty: named sources, combined by approach 1."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

FACTOR_NOTE = "The factors' publishers state no uncertainty; none is added for them."
_DRAWS = Context(prec=34, rounding=ROUND_HALF_EVEN)
# Half of the range in standard uncertainties, squared (GUM 4.3.7, 4.3.9).
_RANGE = {"uniform": 3, "triangular": 6}

# Wichura's AS 241, routine PPND16: numerator and denominator, highest power first.
_A = (
    ("2.5090809287301226727e3", "5.2264952788528545610e3"),
    ("3.3430575583588128105e4", "2.8729085735721942674e4"),
    ("6.7265770927008700853e4", "3.9307895800092710610e4"),
    ("4.5921953931549871457e4", "2.1213794301586595867e4"),
    ("1.3731693765509461125e4", "5.3941960214247511077e3"),
    ("1.9715909503065514427e3", "6.8718700749205790830e2"),
    ("1.3314166789178437745e2", "4.2313330701600911252e1"),
    ("3.3871328727963666080e0", "1"),
)
_C = (
    ("7.74545014278341407640e-4", "1.05075007164441684324e-9"),
    ("2.27238449892691845833e-2", "5.47593808499534494600e-4"),
    ("2.41780725177450611770e-1", "1.51986665636164571966e-2"),
    ("1.27045825245236838258e0", "1.48103976427480074590e-1"),
    ("3.64784832476320460504e0", "6.89767334985100004550e-1"),
    ("5.76949722146069140550e0", "1.67638483018380384940e0"),
    ("4.63033784615654529590e0", "2.05319162663775882187e0"),
    ("1.42343711074968357734e0", "1"),
)
_E = (
    ("2.01033439929228813265e-7", "2.04426310338993978564e-15"),
    ("2.71155556874348757815e-5", "1.42151175831644588870e-7"),
    ("1.24266094738807843860e-3", "1.84631831751005468180e-5"),
    ("2.65321895265761230930e-2", "7.86869131145613259100e-4"),
    ("2.96560571828504891230e-1", "1.48753612908506148525e-2"),
    ("1.78482653991729133580e0", "1.36929880922735805310e-1"),
    ("5.46378491116411436990e0", "5.99832206555887937690e-1"),
    ("6.65790464350110377720e0", "1"),
)


def component(
    source: str,
    amount_t: Decimal,
    relative_pct: Decimal,
    *,
    confidence_pct: int = 95,
    distribution: str = "normal",
    ko: str = "",
    en: str = "",
) -> dict[str, Any]:
    """A source that moves an amount by some per cent."""
    return width(
        source, amount_t * relative_pct / 100, confidence_pct=confidence_pct,
        distribution=distribution, ko=ko, en=en,
    )  # fmt: skip


def width(
    source: str,
    half_width_t: Decimal,
    *,
    confidence_pct: int = 95,
    distribution: str = "normal",
    ko: str = "",
    en: str = "",
) -> dict[str, Any]:
    """A source whose half-width in tonnes is known, with its sign."""
    return {
        "source": source, "half_width_t": half_width_t,
        "confidence_pct": Decimal(confidence_pct), "distribution": distribution,
        "ko": ko, "en": en,
    }  # fmt: skip


def stated(
    tonnes: Decimal,
    components: Sequence[dict[str, Any]],
    *,
    confidence_pct: int = 95,
    note: str = "",
) -> dict[str, Any]:
    """A run's whole block; its relative width is None of nothing."""
    half = half_width(components, Decimal(confidence_pct))
    relative = None
    if not tonnes.is_zero():
        relative = (100 * half / tonnes.copy_abs()).quantize(Decimal("0.01"))
    return {
        "confidence_pct": Decimal(confidence_pct),
        "half_width_t": half,
        "relative_pct": relative,
        "components": list(components),
        "sources": [one["en"] if one["en"] else one["source"] for one in components],
        "note": note,
    }


def half_width(components: Iterable[dict[str, Any]], confidence_pct: Decimal) -> Decimal:
    """Widths of one source are added, sources are combined by the root of squares."""
    sums: dict[str, Decimal] = {}
    for one in components:
        sums[one["source"]] = sums.get(one["source"], Decimal(0)) + _brought_to(one, confidence_pct)
    squares = Decimal(0)
    for name in sorted(sums):
        squares += sums[name] * sums[name]
    return squares.sqrt()


def _brought_to(one: dict[str, Any], confidence_pct: Decimal) -> Decimal:
    ranged = _RANGE.get(one["distribution"])
    if ranged is None and one["confidence_pct"] == confidence_pct:
        return one["half_width_t"]
    by = Decimal(ranged).sqrt() if ranged else reach(one["confidence_pct"])
    return one["half_width_t"] / by * reach(confidence_pct)


def reach(confidence_pct: Decimal) -> Decimal:
    """How many standard uncertainties a two-sided interval reaches out."""
    return normal_quantile(Decimal("0.5") + confidence_pct / 200)


def normal_quantile(share: Decimal) -> Decimal:
    """AS 241 in thirty-four digits, as the page on uncertainty writes it down."""
    with localcontext(_DRAWS):
        q = share - Decimal("0.5")
        if abs(q) <= Decimal("0.425"):
            return q * _fraction(_A, Decimal("0.180625") - q * q)
        r = (-min(share, 1 - share).ln()).sqrt()
        far = _fraction(_C, r - Decimal("1.6")) if r <= 5 else _fraction(_E, r - 5)
        return far if q > 0 else -far


def _fraction(powers: Sequence[tuple[str, str]], x: Decimal) -> Decimal:
    top = bottom = Decimal(0)
    for upper, lower in powers:
        top = top * x + Decimal(upper)
        bottom = bottom * x + Decimal(lower)
    return top / bottom


def surveyed(
    source: str, tonnes: Decimal, share: Decimal, sample: Decimal, ko: str, en: str
) -> dict[str, Any]:
    """What sampling a share does to tonnes proportional to it: the normal approximation."""
    spread = Decimal("1.959963984540054") * (share * (1 - share) / sample).sqrt()
    return width(source, tonnes * spread / share, ko=ko, en=en)


def ar_tool14(amount: Decimal, half_width_90: Decimal) -> tuple[Decimal, Decimal, Decimal, bool]:
    """What is left, taken off, the width in %, and whether an estimate so uncertain is accepted."""
    relative = 100 * half_width_90 / amount
    taken, accepted = half_width_90, False
    for most, share in ((30, 75), (20, 50), (15, 25), (10, 0)):
        if relative <= most:
            taken, accepted = half_width_90 * share / 100, True
    return max(amount - taken, Decimal(0)), taken, relative, accepted


def vm0047(amount: Decimal, half_width_90: Decimal) -> tuple[Decimal, Decimal, Decimal, bool]:
    """The same by Verra's rule: what exceeds a tenth; nothing is credited above a hundred %."""
    relative = 100 * half_width_90 / amount
    if relative > 100:
        return Decimal(0), amount, relative, False
    taken = max(half_width_90 - amount * 10 / 100, Decimal(0))
    return max(amount - taken, Decimal(0)), taken, relative, True
