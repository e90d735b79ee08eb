"""How tonnes become units: floored once, the rest carried, the buffer's share rounded up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, localcontext

_SCALE = 10_000
_EXACT = Context(prec=200, traps=[Inexact])


Steps = Sequence[tuple[int | None, int]]
"""(last of the step or None for no end, how much of the quantity one unit takes), ascending."""


@dataclass(frozen=True)
class IssuanceAmounts:
    """`tonnes` in all, of which `buffer_tonnes` are kept back; `carried_out_t` in [0, 1)."""

    tonnes: int
    buffer_tonnes: int
    carried_out_t: Decimal

    @property
    def project_tonnes(self) -> int:
        return self.tonnes - self.buffer_tonnes


def tiered(volume: Decimal, steps: Steps) -> Decimal:
    """What a year's volume comes to in units, exactly: each part by the step that it falls in.

    Water Benefit Certificates: 100,000 m3 give 46,000; 2,000,000 m3 give 173,000.
    """
    assert volume >= 0
    made, begun = Decimal(0), Decimal(0)
    with localcontext(_EXACT):
        for upto, per_unit in steps:
            end = volume if upto is None else min(volume, Decimal(upto))
            made += max(end - begun, Decimal(0)) / per_unit
            begun = max(begun, end)
    return made


def issuance_amounts(
    quantified_t: Decimal, carried_in_t: Decimal, buffer_bp: int
) -> IssuanceAmounts:
    """Split what was quantified, with what the last period left over, into whole tonnes.

    `buffer_bp` is in ten-thousandths. quantified + carried in = tonnes + carried out, exactly.
    """
    assert quantified_t >= 0
    assert 0 <= carried_in_t < 1
    assert 0 <= buffer_bp <= _SCALE
    with localcontext(_EXACT):
        available_t = quantified_t + carried_in_t
        tonnes = int(available_t.to_integral_value(ROUND_FLOOR))
        buffer_tonnes = -(-tonnes * buffer_bp // _SCALE)
        return IssuanceAmounts(tonnes, buffer_tonnes, available_t - tonnes)
