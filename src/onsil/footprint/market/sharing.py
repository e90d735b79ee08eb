"""Who gets what of a sale's won: floors by share, the remainder to the first. Pure, and exact."""

from collections.abc import Sequence
from dataclasses import dataclass

WHOLE_BP = 10_000
INCENTIVE_FUND = "fund:incentive"


@dataclass(frozen=True)
class RevenueShare:
    """An account's share in ten-thousandths."""

    account: str
    bp: int


EVERYTHING = (RevenueShare(INCENTIVE_FUND, WHOLE_BP),)


def split(amount_krw: int, shares: Sequence[RevenueShare]) -> dict[str, int]:
    """Won by account; they add up to the amount. What the floors leave goes to the first share."""
    assert amount_krw >= 0
    assert sum(one.bp for one in shares) == WHOLE_BP
    parts = {one.account: amount_krw * one.bp // WHOLE_BP for one in shares}
    parts[shares[0].account] += amount_krw - sum(parts.values())
    return parts
