"""Percentages and shares of whole won: exact, and never more than there is."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

FLOOR, CEILING, HALF_UP = "floor", "ceiling", "half-up"
ROUNDINGS = (FLOOR, CEILING, HALF_UP)
_MODES = {FLOOR: ROUND_FLOOR, CEILING: ROUND_CEILING, HALF_UP: ROUND_HALF_UP}


def percent_of(amount: int, percent: Decimal, rounding: str = FLOOR) -> int:
    """So many percent of `amount` won, in whole won, rounded as the rule says."""
    exact = Decimal(amount) * percent / 100
    return int(exact.to_integral_value(_MODES[rounding]))


def reaches(part: int, whole: int, percent: Decimal) -> bool:
    """Whether `part` is at least so many percent of `whole`; exact."""
    return Decimal(part) * 100 >= Decimal(whole) * percent


def largest_remainder(total: int, weights: Sequence[Decimal | int]) -> tuple[int, ...]:
    """Split `total` by weight so that the parts add up to it (Hare quota, largest remainder).

    Equal remainders: who stands first gets the won. Without any weight nobody gets anything.
    """
    whole = sum(Decimal(w) for w in weights)
    if whole == 0:
        return tuple(0 for _ in weights)
    exact = [Decimal(total) * Decimal(w) for w in weights]
    parts = [int(e // whole) for e in exact]
    missing = total - sum(parts)
    order = sorted(range(len(exact)), key=lambda i: (-(exact[i] - parts[i] * whole), i))
    for i in order[:missing]:
        parts[i] += 1
    return tuple(parts)
