"""Measured savings: how well a baseline fits, what was saved, and how uncertain that is."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.regression import Column, Model, Seen, dot, fitted

# Limits of Guideline 14 by resolution, in per cent: CVRMSE and NMBE.
LIMITS = {"hourly": (Decimal(30), Decimal(10)), "monthly": (Decimal(15), Decimal(5))}
_UNCERTAINTY_LIMIT = Decimal(50)
_CONFIDENCE = 0.68


@dataclass(frozen=True)
class Fitness:
    intervals: int
    parameters: int
    r_squared: Decimal
    cvrmse: Decimal
    nmbe: Decimal
    error: float


@dataclass(frozen=True)
class Saving:
    """Wh are whole; `fits` where the limits hold; `finding` why nothing of it may be paid."""

    model: Model
    fitness: Fitness
    judged_at: str
    judged: Fitness
    expected_wh: Decimal
    used_wh: Decimal
    wh: Decimal
    percent: Decimal
    correlation: Decimal
    width_pct: Decimal | None
    width_wh: Decimal | None
    fits: bool
    finding: NotMeasurable | None


def places(value: float, digits: int) -> Decimal:
    """A double to so many places from its shortest spelling, without minus zero."""
    found = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    return found.copy_abs() if found.is_zero() else found


def _less(one: Column, other: Column) -> Column:
    return [a - b for a, b in zip(one, other, strict=True)]


def fitness(used: Column, modelled: Column, parameters: int) -> Fitness:
    """Guideline 14-2014 equations 4-4 and 4-5 with n - p degrees of freedom, and R²."""
    many = len(used)
    rest = _less(used, modelled)
    error, freedom = dot(rest, rest), max(many - parameters, 1)
    mean = math.fsum(used) / many
    if not mean > 0:
        raise Refused("no-use")
    around = [value - mean for value in used]
    variation = dot(around, around)
    return Fitness(
        many,
        parameters,
        places(1 - error / variation if variation > 0 else 0.0, 4),
        places(100 * math.sqrt(error / freedom) / mean, 2),
        places(100 * math.fsum(rest) / (freedom * mean), 2),
        error,
    )


def measured(
    kind: str, resolution: str, before: Seen, months: list[int], after: Seen, length: float
) -> Saving | NotMeasurable:
    """A baseline of a kind, judged, and applied to the weather of afterwards.

    `months` numbers each baseline interval's month, `length` is the reporting period in months.
    """
    if math.fsum(before.used) <= 0:
        return _not_yet(
            "기준 기간에 쓴 에너지가 없어 절감량을 잴 수 없습니다.",
            "Nothing was used in the baseline, so no savings can be measured.",
            {"intervals": len(before.used)},
        )
    model = fitted(kind, before)
    modelled = model.at(before)
    own = fitness(before.used, modelled, model.parameters)
    judged_at, judged = resolution, own
    if resolution == "daily":
        judged_at = "monthly"
        judged = fitness(
            _by_month(before.used, months), _by_month(modelled, months), min(own.parameters, 5)
        )
    expected = model.at(after)
    unknown = sum(map(math.isnan, expected))
    if unknown:
        return _not_yet(
            "보고 기간에 기준 기간에는 없던 요일·시간대가 있습니다.",
            "The reporting period has times of the week that the baseline never saw.",
            {"intervals": len(expected), "known": len(expected) - unknown},
        )
    expected_wh = sum((places(wh, 0) for wh in expected), Decimal(0))
    used_wh = sum((places(wh, 0) for wh in after.used), Decimal(0))
    wh = expected_wh - used_wh
    share = float(wh / expected_wh) if expected_wh > 0 else 0.0
    correlation = follows(_less(before.used, modelled))
    mean = math.fsum(before.used) / len(before.used)
    relative = _relative(resolution, own, mean, correlation, len(expected), length, share)
    width_pct = None if relative is None else places(100 * relative, 2)
    figures = {
        "cvrmse_pct": judged.cvrmse, "cvrmse_limit_pct": LIMITS[judged_at][0],
        "nmbe_pct": judged.nmbe, "nmbe_limit_pct": LIMITS[judged_at][1],
        "resolution": judged_at, "savings_wh": wh, "savings_pct": places(100 * share, 2),
        "uncertainty_pct": width_pct, "uncertainty_limit_pct": _UNCERTAINTY_LIMIT,
    }  # fmt: skip
    misfit = _misfit(figures)
    return Saving(
        model, own, judged_at, judged, expected_wh, used_wh, wh, places(100 * share, 2),
        places(correlation, 4), width_pct,
        None if relative is None else places(float(wh) * relative, 0),
        misfit is None, misfit or _unproven(figures),
    )  # fmt: skip


def _by_month(values: Column, months: list[int]) -> Column:
    return [
        math.fsum(value for value, one in zip(values, months, strict=True) if one == month)
        for month in sorted(set(months))
    ]


def follows(rest: Column) -> float:
    """Pearson's correlation of residuals with the next ones."""
    if len(rest) < 3:
        return 0.0
    one, other = rest[:-1], rest[1:]
    a, b = math.fsum(one) / len(one), math.fsum(other) / len(other)
    one, other = [x - a for x in one], [x - b for x in other]
    spread = dot(one, one) * dot(other, other)
    return dot(one, other) / math.sqrt(spread) if spread > 0 else 0.0


def _relative(
    resolution: str,
    own: Fitness,
    mean: float,
    correlation: float,
    many: int,
    months: float,
    share: float,
) -> float | None:
    """Half-width as a share of the savings (Guideline 14 B-30; Sun and Baltazar's polynomial)."""
    independent: float = own.intervals
    if correlation > 0:
        independent = own.intervals * (1 - correlation) / (1 + correlation)
    freedom = independent - own.parameters
    if share <= 0 or freedom < 1:
        return None
    by = 1.26
    if resolution == "daily":
        by = -0.00024 * months**2 + 0.03535 * months + 1.00286
    spread = math.sqrt(own.error / freedom * (1 + 2 / independent) * many)
    return student(freedom) * by * spread / (many * mean * share)


def student(freedom: float) -> float:
    """The two-sided quantile at 68 % to four places: the density integrated, then halved."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    scale /= math.sqrt(freedom * math.pi)
    low, high = 0.0, 2.0  # 1.8190 of one degree of freedom is the most
    for _ in range(45):
        reach = (low + high) / 2
        low, high = (reach, high) if _inside(reach, freedom, scale) < _CONFIDENCE else (low, reach)
    return round((low + high) / 2, 4)


def _inside(reach: float, freedom: float, scale: float) -> float:
    """Twice the integral from 0, by Simpson's rule."""
    steps = 200
    heights = [
        (1 + (reach * nth / steps) ** 2 / freedom) ** (-(freedom + 1) / 2)
        for nth in range(steps + 1)
    ]
    weighted = heights[0] + heights[-1] + 4 * math.fsum(heights[1:-1:2])
    return 2 * scale * (weighted + 2 * math.fsum(heights[2:-1:2])) * reach / steps / 3


def _misfit(told: dict[str, Any]) -> NotMeasurable | None:
    cvrmse, most = told["cvrmse_pct"], told["cvrmse_limit_pct"]
    nmbe, band = told["nmbe_pct"], told["nmbe_limit_pct"]
    if cvrmse > most:
        return _not_yet(
            f"기준 모형의 CVRMSE가 {cvrmse}%로 한도 {most}%를 넘습니다.",
            f"The baseline's CVRMSE is {cvrmse} %, over the limit of {most} %.",
            told,
        )
    if not -band <= nmbe <= band:
        return _not_yet(
            f"기준 모형의 NMBE가 {nmbe}%로 한도 ±{band}%를 넘습니다.",
            f"The baseline's NMBE is {nmbe} %, outside ±{band} %.",
            told,
        )
    return None


def _unproven(told: dict[str, Any]) -> NotMeasurable | None:
    width = told["uncertainty_pct"]
    if told["savings_wh"] <= 0:
        return _not_yet(
            "기준 모형보다 적게 쓰지 않았습니다.", "No less was used than the baseline says.", told
        )
    if width is not None and width <= _UNCERTAINTY_LIMIT:
        return None
    shown = "∞" if width is None else width
    return _not_yet(
        f"절감량의 불확도가 {shown}%로 한도 {_UNCERTAINTY_LIMIT}%를 넘습니다.",
        f"The savings are uncertain by {shown} %, over the limit of {_UNCERTAINTY_LIMIT} %.",
        told,
    )


def _not_yet(ko: str, en: str, facts: dict[str, Any]) -> NotMeasurable:
    return NotMeasurable(
        f"아직 측정할 수 없습니다. {ko} 보상이나 크레딧은 지급되지 않습니다.",
        f"Not yet measurable. {en} Nothing is paid or credited.",
        facts,
    )
