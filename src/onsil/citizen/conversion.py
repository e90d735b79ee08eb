"""Turning points into local currency: the city's rate, and which points go first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from onsil.citizen import refusals
from onsil.core.refusal import Refusal

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rate:
    """The city's terms: `points` become `won`; no conversion below `minimum` points.

    `validity_years` is how long the local currency then holds (by law five years, unless the
    city's by-law says otherwise).
    """

    points: int = 1
    won: int = 1
    minimum: int = 100
    validity_years: int = 5

    def __post_init__(self) -> None:
        if min(self.points, self.won, self.minimum, self.validity_years) < 1:
            raise ValueError(f"a conversion rate's terms are positive whole numbers: {self}")

    def worth(self, points: int) -> int:
        """Won for so many points, rounded down."""
        return points * self.won // self.points


@dataclass(frozen=True)
class Pocket:
    """Points of one programme that came from one fund, hold alike and expire together."""

    asset: str
    fund: str
    amount: int
    expires_at: datetime | None = None
    merchant_rule: str = ""


@dataclass(frozen=True)
class Part:
    """What a conversion takes from like points of one programme, and what it gives for them."""

    asset: str
    fund: str
    points: int
    won: int
    merchant_rule: str = ""


def spendable(pockets: Iterable[Pocket], now: datetime) -> list[Pocket]:
    """The pockets that still hold, those that expire first in front."""
    alive = [p for p in pockets if p.amount > 0 and (p.expires_at is None or p.expires_at > now)]
    return sorted(alive, key=lambda p: (p.expires_at or _NEVER, p.asset, p.fund))


def plan(
    pockets: Sequence[Pocket], points: int, rate: Rate, now: datetime
) -> tuple[Part, ...] | Refusal:
    """Split a conversion over the pockets, earliest expiry first.

    The parts' points add up to `points`, their won to `rate.worth(points)` exactly: the rounding
    is done on the running total, so that no part loses a won of its own.

    Refusals: `conversion-too-small`, `conversion-uneven` (not a multiple of the rate),
    `not-enough-points`.
    """
    if points < rate.minimum:
        return refusals.conversion_too_small(rate.minimum)
    if points % rate.points:
        return refusals.conversion_uneven(rate.points)
    alive = spendable(pockets, now)
    have = sum(p.amount for p in alive)
    if have < points:
        return refusals.not_enough_points(have, points)
    taken: dict[tuple[str, str, str], int] = {}
    left = points
    for pocket in alive:
        take = min(left, pocket.amount)
        if take:
            place = (pocket.asset, pocket.fund, pocket.merchant_rule)
            taken[place] = taken.get(place, 0) + take
            left -= take
    parts, before = [], 0
    for (asset, fund, rule), amount in taken.items():
        won = rate.worth(before + amount) - rate.worth(before)
        parts.append(Part(asset, fund, amount, won, rule))
        before += amount
    return tuple(parts)


def years_later(instant: datetime, years: int) -> datetime:
    """The same day so many years on; 29 February becomes 1 March."""
    try:
        return instant.replace(year=instant.year + years)
    except ValueError:
        return instant.replace(year=instant.year + years, month=3, day=1)
