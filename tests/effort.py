"""How often something is tried: a fixed slice in every run, far more under `make torture`."""

import os

LONG = os.environ.get("ONSIL_TORTURE") == "long"


def tries(short: int, long: int) -> int:
    """So many in every run, and so many in a long one."""
    return long if LONG else short
