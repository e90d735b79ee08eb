"""Where trees stand: within a city's box, and not within each other's reach.

Distances of a few metres on a sphere of 6,371,008.8 m (IUGG mean radius), flattened at the mean
latitude; sines and cosines are summed in decimals, so that every machine finds the same pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

_PI = Decimal("3.14159265358979323846264338327950288419716939937511")
_METRES_PER_DEGREE = Decimal("6371008.8") * _PI / 180


@dataclass(frozen=True)
class Area:
    """A box of degrees; a bound that was not stated does not bind."""

    south: Decimal | None
    west: Decimal | None
    north: Decimal | None
    east: Decimal | None

    @classmethod
    def stated(cls, parameters: Mapping[str, Any]) -> "Area":
        names = ("area_south", "area_west", "area_north", "area_east")
        return cls(*(parameters.get(name) for name in names))

    @property
    def binds(self) -> bool:
        return any(b is not None for b in (self.south, self.west, self.north, self.east))

    def __contains__(self, place: tuple[Decimal, Decimal]) -> bool:
        latitude, longitude = place
        return (
            (self.south is None or latitude >= self.south)
            and (self.north is None or latitude <= self.north)
            and (self.west is None or longitude >= self.west)
            and (self.east is None or longitude <= self.east)
        )


@cache
def _cosine(degrees: Decimal) -> Decimal:
    """Taylor's series to the last of the context's digits."""
    angle = degrees * _PI / 180
    square, term, total, n = angle * angle, Decimal(1), Decimal(1), 0
    while abs(term) > Decimal("1e-40"):
        n += 2
        term *= -square / (n * (n - 1))
        total += term
    return total


def metres_between(one: tuple[Decimal, Decimal], other: tuple[Decimal, Decimal]) -> Decimal:
    """Between two places of (latitude, longitude) in degrees, for short ways."""
    north = (one[0] - other[0]) * _METRES_PER_DEGREE
    # To a ten-thousandth of a degree, the cosine of neighbours is the same and found only once.
    middle = ((one[0] + other[0]) / 2).quantize(Decimal("0.0001"))
    east = (one[1] - other[1]) * _METRES_PER_DEGREE * _cosine(middle)
    return (north * north + east * east).sqrt()


def close_pairs(
    places: Sequence[tuple[str, tuple[Decimal, Decimal]]], metres: Decimal, most: int = 10
) -> list[tuple[str, str, Decimal]]:
    """Pairs that stand nearer than so many metres, up to `most` of them, from south to north."""
    ordered = sorted(places, key=lambda one: (one[1], one[0]))
    reach = metres / _METRES_PER_DEGREE
    found: list[tuple[str, str, Decimal]] = []
    for index, (name, place) in enumerate(ordered):
        for other, there in ordered[index + 1 :]:
            if there[0] - place[0] > reach:
                break
            apart = metres_between(place, there)
            if apart < metres:
                found.append((name, other, apart))
                if len(found) == most:
                    return found
    return found
