"""A city's registrations in memory, as of a version.

A city that has none is asked about a few times a second at most; one that has some at every
request, by one number.
"""

import time
from collections import OrderedDict
from typing import NamedTuple

from onsil.hub.http.database import Database
from onsil.hub.sources.compiling import compiled
from onsil.hub.sources.store import list_registrations, version_of
from onsil.hub.sources.terms import Registration

FRESH_S = 0.25
_CITIES_MAX = 1000


class _Held(NamedTuple):
    key: tuple[str, int]
    looked: float
    registrations: tuple[Registration, ...]


class SourceIndex:
    """The registrations of every city this process has served lately."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def forget(self, city: str) -> None:
        """Look anew at the next request: a registration was changed here."""
        self._held.pop(city, None)

    async def of(self, city: str) -> tuple[Registration, ...]:
        """A city's registrations. Raises DatabaseAway."""
        held = self._held.get(city)
        now = time.monotonic()
        if held is not None and not held.registrations and now - held.looked < FRESH_S:
            return ()
        key = await self._db.read(city, version_of(city))
        if held is None or held.key != key:
            found = (await self._db.read(city, list_registrations(city))) if key[1] else []
            made = tuple(
                compiled(city, one.number, one.uri, one.doc, one.created_at, one.modified_at)
                for one in found
            )
        else:
            made = held.registrations
        self._held[city] = _Held(key, now, made)
        self._held.move_to_end(city)
        while len(self._held) > _CITIES_MAX:
            self._held.popitem(last=False)
        return made
