"""Drivers: how a device's messages become readings. README.md says how to add one."""

from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from onsil.devices.terms import Frame
from onsil.hub import Reading

GROUP = "onsil.drivers"


@runtime_checkable
class Driver(Protocol):
    """Turns one message into readings; a plain object without state, safe in any thread.

    Raises DecodeError when nothing can be made of the message, and no other exception.
    """

    name: str
    title_ko: str
    title_en: str

    def decode(self, frame: Frame) -> list[Reading]: ...


@cache
def drivers() -> dict[str, Driver]:
    """Every installed driver by name."""
    found = (point.load()() for point in entry_points(group=GROUP))
    return {driver.name: driver for driver in sorted(found, key=lambda d: d.name)}
