"""Whether what a verifier found misstated is material. Pure.

ISO 14064-3:2019 has the verifier judge errors, omissions and misstatements one by one and together
against a threshold agreed before (typically 5 % at reasonable assurance; to be confirmed by the
programme). Amounts are taken without their sign: an overstatement does not excuse an
understatement elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from onsil.footprint.engine import ARITHMETIC

THRESHOLD_PCT = Decimal(5)


@dataclass(frozen=True)
class Materiality:
    """`misstated_t` is the sum without signs, `net_t` with them; `share_pct` of what was reported.

    `share_pct` is None where nothing was reported.
    """

    reported_t: Decimal
    misstated_t: Decimal
    net_t: Decimal
    share_pct: Decimal | None
    threshold_pct: Decimal
    material: bool


def assess(
    reported_t: Decimal, misstatements_t: Sequence[Decimal], threshold_pct: Decimal = THRESHOLD_PCT
) -> Materiality:
    """Judge misstatements (reported minus right, in tonnes) against a threshold in per cent.

    At the threshold they are material; a misstatement of a report of nothing always is.
    """
    assert reported_t >= 0
    assert threshold_pct > 0
    with localcontext(ARITHMETIC):
        misstated = sum((abs(one) for one in misstatements_t), Decimal(0))
        net = sum(misstatements_t, Decimal(0))
        share = misstated * 100 / reported_t if reported_t else None
        material = misstated > 0 and misstated * 100 >= threshold_pct * reported_t
    return Materiality(reported_t, misstated, net, share, threshold_pct, material)
