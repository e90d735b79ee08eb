"""From one compilation to another: the change by cause, and whether the base year holds.

The parts add up to the change exactly: each line walks from its old state to its new one in a
fixed order (boundary, activity, factor, GWP set), and every step's difference goes to its cause.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import FactorError
from onsil.footprint.inventory.compiling import emitted
from onsil.footprint.inventory.terms import CAUSES, RecalculationPolicy
from onsil.footprint.inventory.tree import tree

_DECLARED = ("error", "method", "boundary")  # what a person says outweighs what figures show
_ZERO = Decimal(0)
_MARKET = "2.M"
Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class LineChange:
    """One line's part of the change, by cause, in kg CO2e."""

    code: str
    ref: str
    causes: Mapping[str, Decimal]

    @property
    def total_kg(self) -> Decimal:
        return sum(self.causes.values(), _ZERO)


@dataclass(frozen=True)
class Waterfall:
    """Old total, the causes' parts, new total. A total that nothing was counted in is None."""

    old_kg: Decimal | None
    new_kg: Decimal | None
    causes: Mapping[str, Decimal]
    lines: tuple[LineChange, ...]

    @property
    def change_kg(self) -> Decimal:
        return (self.new_kg or _ZERO) - (self.old_kg or _ZERO)

    @property
    def whole(self) -> bool:
        """Whether the causes add up to the change, to the last digit."""
        return sum(self.causes.values(), _ZERO) == self.change_kg


@dataclass(frozen=True)
class Recalculation:
    """Whether the base year must be done again: `share_bp` of its total, against the threshold."""

    needed: bool
    share_bp: Decimal | None
    causes: Mapping[str, Decimal]


def explain(old: Inputs, new: Inputs) -> Waterfall:
    """The change of the total at each compilation's own level, taken apart by cause."""
    with localcontext(ARITHMETIC):
        before, after = _counted(old), _counted(new)
        lines = [
            _line(code, before.get(code), after.get(code), old, new)
            for code in sorted({*before, *after})
        ]
        causes = {
            cause: sum((one.causes.get(cause, _ZERO) for one in lines), _ZERO) for cause in CAUSES
        }
        return Waterfall(
            _total(before, old), _total(after, new), causes,
            tuple(one for one in lines if any(one.causes.values())),
        )  # fmt: skip


def _counted(inputs: Inputs) -> dict[str, Inputs]:
    grown, level = tree(inputs["kind"]), inputs["settings"]["level"]
    return {
        one["code"]: one
        for one in inputs["lines"]
        if (one["activity"] or one["calculator"])
        and grown.rows[one["ref"]].counts_in(level)
        and one["ref"] != _MARKET
    }


def _kg(line: Inputs, inputs: Inputs, gwp: str) -> Decimal:
    return emitted(line, inputs["coefficients"], gwp)["co2e_kg"]


def _total(lines: Mapping[str, Inputs], inputs: Inputs) -> Decimal | None:
    gwp = inputs["settings"]["gwp_set"]
    return sum((_kg(one, inputs, gwp) for one in lines.values()), _ZERO) if lines else None


def _line(
    code: str, before: Inputs | None, after: Inputs | None, old: Inputs, new: Inputs
) -> LineChange:
    first, last = old["settings"]["gwp_set"], new["settings"]["gwp_set"]
    if before is None:
        assert after is not None
        stated = _declared(after["history"], 0) or "boundary"
        return LineChange(code, after["ref"], {stated: _kg(after, new, last)})
    if after is None:
        stated = new["removed"].get(code, "boundary")
        return LineChange(code, before["ref"], {stated: -_kg(before, old, first)})
    whole = _kg(after, new, last) - _kg(before, old, first)
    stated = _declared(after["history"], before["revision"])
    if stated is None and before["calculator"] != after["calculator"]:
        stated = "method"
    if stated is not None:
        return LineChange(code, after["ref"], {stated: whole})
    try:
        return LineChange(code, after["ref"], _steps(before, after, old, new))
    except FactorError:
        # the old factor cannot take the new amount: another way of counting, not another amount
        return LineChange(code, after["ref"], {"method": whole})


def _declared(history: Iterable[Any], since: int) -> str | None:
    """The heaviest cause that was declared for a revision after `since`."""
    said = {cause for revision, cause in history if revision > since}
    return next((cause for cause in _DECLARED if cause in said), None)


def _steps(before: Inputs, after: Inputs, old: Inputs, new: Inputs) -> dict[str, Decimal]:
    first, last = old["settings"]["gwp_set"], new["settings"]["gwp_set"]
    shared = {**before, "share_bp": after["share_bp"]}
    amounts = {**shared, "activity": after["activity"]}
    if before["calculator"]:
        same_table = {**after["parameters"], "set": before["parameters"]["set"]}
        amounts = {**shared, "parameters": same_table}
    states = [
        ("boundary", _kg(shared, old, first)),
        ("activity", _kg(amounts, old, first)),
        ("factor", _kg(after, new, first)),
        ("gwp", _kg(after, new, last)),
    ]
    made: dict[str, Decimal] = {}
    at = _kg(before, old, first)
    for cause, state in states:
        made[cause], at = state - at, state
    return made


def must_recalculate(
    policy: RecalculationPolicy, changes: Waterfall, base_kg: Decimal | None
) -> Recalculation:
    """Whether the policy asks for the base year again, given what changed in a year's inventory.

    Growth or decline of the activity itself never does (Corporate Standard ch. 5; GPC ch. 11).
    Every line's part is counted without its sign, so that two errors that cancel do not hide.
    """
    counted = {cause: _size(changes, cause) for cause in policy.causes if _size(changes, cause)}
    if not base_kg:
        return Recalculation(False, None, counted)
    with localcontext(ARITHMETIC):
        size = sum(counted.values(), _ZERO)
        share = size / abs(base_kg) * 10_000
        return Recalculation(share >= policy.threshold_bp, share.quantize(Decimal("0.01")), counted)


def _size(changes: Waterfall, cause: str) -> Decimal:
    return sum((abs(line.causes.get(cause, _ZERO)) for line in changes.lines), _ZERO)
