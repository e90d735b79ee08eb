"""What the ingest remembers between its batches: devices, their calibrations, who was heard.

It belongs to one connection, which listens to `CHANNEL`; triggers tell of every change of the
register, and then all is forgotten. Without listening a roster is good for a single transaction.
Unknown devices are asked for each time, so that one registered a moment ago is known.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from onsil.core.database import Connection
from onsil.devices.calibration import Calibration, calibrations
from onsil.devices.register import devices, note_seen
from onsil.devices.terms import Device
from onsil.hub.contexts import CORE
from onsil.hub.remembered import CHANNEL, Remembered

__all__ = ["CHANNEL", "Heard", "Roster"]

DEVICES_MAX = 200_000
Heard = tuple[datetime, int, int]  # last time, messages, refused readings
Lines = dict[tuple[str, str], list[Calibration]]  # by entity and attribute's IRI
_Key = tuple[str, str]


class Roster:
    """Devices, calibrations and series as last read."""

    def __init__(self) -> None:
        self.remembered = Remembered()
        self._devices: dict[_Key, Device] = {}
        self._lines: dict[_Key, Lines] = {}
        self._heard: dict[str, dict[str, Heard]] = {}

    def forget(self) -> None:
        """Read all anew; who was heard is kept."""
        self.remembered.forget()
        self._devices.clear()
        self._lines.clear()

    def devices(self, conn: Connection, city: str, ids: Iterable[str]) -> dict[str, Device]:
        """Those of these devices that are registered."""
        known, found = self._devices, {}
        missing = []
        for number in set(ids):
            device = known.get((city, number))
            if device is None:
                missing.append(number)
            else:
                found[number] = device
        if missing:
            if len(known) > DEVICES_MAX:
                known.clear()
            for device in devices(conn, city, ids=missing):
                known[city, device.id] = found[device.id] = device
        return found

    def calibrations(self, conn: Connection, city: str, ids: Iterable[str]) -> dict[str, Lines]:
        """The calibrations of those of these devices that have any."""
        given, known = list(ids), self._lines
        missing = [number for number in given if (city, number) not in known]
        if missing:
            if len(known) > DEVICES_MAX:
                known.clear()
                missing = given
            known.update(((city, number), {}) for number in missing)
            for one in calibrations(conn, city, missing):
                key = (one.entity, CORE.iri(one.attribute))
                known[city, one.device_id].setdefault(key, []).append(one)
        return {number: lines for number in given if (lines := known[city, number])}

    def hear(self, city: str, heard: Mapping[str, Heard]) -> None:
        """Count who was heard in a batch that is committed."""
        mine = self._heard.setdefault(city, {})
        for number, (at, messages, refused) in heard.items():
            last, some, more = mine.get(number, (at, 0, 0))
            mine[number] = (max(last, at), some + messages, more + refused)

    @property
    def cities_heard(self) -> list[str]:
        """Cities with devices that were heard and are not written down yet."""
        return sorted(self._heard)

    def write_down(self, conn: Connection, city: str) -> None:
        """Write down who was heard; the caller commits and then says so with `written`."""
        note_seen(conn, city, self._heard[city])

    def written(self, city: str) -> None:
        self._heard.pop(city, None)
