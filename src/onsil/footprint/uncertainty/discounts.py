"""What uncertainty takes off a credited quantity, and where it leaves nothing to credit."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from onsil.footprint.uncertainty.context import WHOLE

RULES = ("ar-tool14", "vm0047")

# Uncertainty up to (%), share of the half-width to be taken off (%).
_AR_TOOL14 = (
    (Decimal(10), Decimal(0)),
    (Decimal(15), Decimal(25)),
    (Decimal(20), Decimal(50)),
    (Decimal(30), Decimal(75)),
)
_VM0047_FREE, _VM0047_MOST = Decimal(10), Decimal(100)


@dataclass(frozen=True)
class Discounted:
    """What is left of an amount. `accepted` is False beyond the rule's cut-off: measure again."""

    amount: Decimal
    deducted: Decimal
    relative_pct: Decimal
    rule: str
    accepted: bool


def discount(amount: Decimal, half_width: Decimal, rule: str, side: str = "project") -> Discounted:
    """Take the rule's deduction off a project quantity, or add it to a baseline one.

    `ar-tool14`: UNFCCC A/R methodological tool 14, appendix 2, half-width at 90 %: up to 10 %
    nothing, to 15 % a quarter of the half-width, to 20 % a half, to 30 % three quarters; above 30 %
    all of it, and the estimate is not accepted without further sampling (60 ± 9 gives 57.75, as
    baseline 62.25). `vm0047`: Verra VM0047, half-width at 90 %: what exceeds 10 % of the amount is
    deducted; above 100 % nothing is credited. Both as recalled, to be confirmed in the documents.
    """
    assert rule in RULES
    assert side in ("project", "baseline")
    assert amount > 0
    assert half_width >= 0
    with localcontext(WHOLE):
        relative = 100 * half_width / amount
        if rule == "vm0047":
            accepted = relative <= _VM0047_MOST
            taken = max(half_width - amount * _VM0047_FREE / 100, Decimal(0))
            taken = taken if accepted else amount
        else:
            share = next((part for most, part in _AR_TOOL14 if relative <= most), None)
            accepted = share is not None
            taken = half_width if share is None else half_width * share / 100
        left = amount - taken if side == "project" else amount + taken
        return Discounted(max(left, Decimal(0)), taken, relative, rule, accepted)
