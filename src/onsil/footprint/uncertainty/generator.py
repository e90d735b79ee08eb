"""PCG64, the permuted congruential generator: 128 bits of state, 64 bits a draw.

M. E. O'Neill, "PCG: A family of simple fast space-efficient statistically good algorithms for
random number generation", Harvey Mudd College HMC-CS-2014-0905: the variant XSL RR 128/64, which
NumPy's `PCG64` also draws. Whole numbers only, so that any language gives the same.
"""

from dataclasses import dataclass
from decimal import Decimal

from onsil.footprint.uncertainty.context import DRAWS

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
INCREMENT = 0x5851F42D4C957F2D14057B7EF767814F
_BITS_128, _BITS_64 = (1 << 128) - 1, (1 << 64) - 1
_HALVES = Decimal(1 << 54)


@dataclass
class Pcg64:
    """The generator: its state before the next draw, and its odd increment."""

    state: int
    increment: int = INCREMENT

    def draw(self) -> int:
        """The next 64 bits: the state moves on first, and then gives its output."""
        self.state = (self.state * MULTIPLIER + self.increment) & _BITS_128
        folded = (self.state >> 64) ^ (self.state & _BITS_64)
        turn = self.state >> 122
        return ((folded >> turn) | (folded << (64 - turn))) & _BITS_64

    def uniform(self) -> Decimal:
        """A decimal strictly between 0 and 1: (2k + 1) / 2^54, k being the draw's upper 53 bits.

        Rounded to 34 digits, half to even.
        """
        return DRAWS.divide(Decimal(2 * (self.draw() >> 11) + 1), _HALVES)


def seeded(seed: int) -> Pcg64:
    """A generator from a recorded seed: state = (seed + increment)·multiplier + increment.

    This is the reference implementation's seeding with `INCREMENT` as it stands: state 0, one
    step, the seed added, one step. `seed` is 0 or more and below 2^128.
    """
    assert 0 <= seed <= _BITS_128
    made = Pcg64((INCREMENT + seed) & _BITS_128)
    made.state = (made.state * MULTIPLIER + made.increment) & _BITS_128
    return made
