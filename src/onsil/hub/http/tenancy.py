"""Which tenants there are in the stand-alone broker: each came into being with its first write."""

import time

from onsil.hub.http.database import Database
from onsil.hub.steps import Ask, Steps

_FRESH_S = 1.0


def _there(city: str) -> Steps[bool]:
    rows = yield Ask("SELECT 1 FROM hub_tenant WHERE city = $1", (city,))
    return bool(rows)


class Tenants:
    """Asked of the database, and remembered for a second: another process may delete one."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen: dict[str, float] = {}

    def fresh(self, city: str) -> bool:
        """Whether the tenant was there a moment ago."""
        return time.monotonic() - self._seen.get(city, -_FRESH_S) < _FRESH_S

    def note(self, city: str) -> None:
        self._seen[city] = time.monotonic()

    def forget(self, city: str) -> None:
        self._seen.pop(city, None)

    async def known(self, city: str) -> bool:
        """Whether there is such a tenant. Raises DatabaseAway."""
        if self.fresh(city):
            return True
        there = await self._db.read(city, _there(city))
        if there:
            self.note(city)
        return there

    def bear(self, city: str) -> Steps[None]:
        """Write the tenant down within a write's transaction, where it may be new."""
        if not self.fresh(city):
            yield Ask("INSERT INTO hub_tenant (city) VALUES ($1) ON CONFLICT DO NOTHING", (city,))
