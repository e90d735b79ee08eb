"""Drivers: how a device's messages become readings. README.md says how to add one."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from onsil.devices.terms import Decoded, Frame

GROUP = "onsil.drivers"


@runtime_checkable
class Driver(Protocol):
    """Turns one message into readings; a plain object without state, safe in any thread.

    Raises DecodeError when nothing can be made of the message, and no other exception. A driver may
    have `check_options(options)`, which raises OperationError when a device is registered.
    """

    name: str
    title_ko: str
    title_en: str

    def decode(self, frame: Frame) -> Sequence[Decoded]: ...


@cache
def drivers() -> dict[str, Driver]:
    """Every installed driver by name."""
    found = (point.load()() for point in entry_points(group=GROUP))
    return {driver.name: driver for driver in sorted(found, key=lambda d: d.name)}
