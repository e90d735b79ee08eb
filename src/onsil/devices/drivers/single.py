"""Single-precision floats: what a device with 32-bit numbers meant to say."""

import numpy as np


def from_single(value: float) -> float:
    """A 32-bit float as the double with the same shortest digits: 0.1, not 0.10000000149011612."""
    return float(str(np.float32(value)))
