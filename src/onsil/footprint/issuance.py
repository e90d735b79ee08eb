"""How tonnes become units: floored once, the rest carried, the buffer's share rounded up. Pure."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, localcontext

_SCALE = 10_000
_EXACT = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True)
class IssuanceAmounts:
    """`tonnes` in all, of which `buffer_tonnes` are kept back; `carried_out_t` in [0, 1)."""

    tonnes: int
    buffer_tonnes: int
    carried_out_t: Decimal

    @property
    def project_tonnes(self) -> int:
        return self.tonnes - self.buffer_tonnes


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
