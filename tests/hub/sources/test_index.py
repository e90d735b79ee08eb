"""What every process knows of a tenant's context sources, and when."""

import asyncio

from asynchronous import in_a_loop
from federating import source
from onsil.hub.http.database import Database
from onsil.hub.sources.index import SourceIndex
from temporal_door import CITY, broker


def known(dsn, between):
    """What another process knows before and right after, when it has just looked before."""

    async def look():
        db = Database(dsn, size=1)
        index = SourceIndex(db)
        before = await index.of(CITY)
        await asyncio.to_thread(between)
        after = await index.of(CITY)
        await db.close()
        return [[one.uri for one in found] for found in (before, after)]

    return in_a_loop(look())


def test_a_first_registration_counts_in_every_process_from_when_it_is_answered(fresh_database):
    with broker(fresh_database) as hub, source() as there:

        def register():
            made = hub.call("POST", "/csourceRegistrations", there.registration())
            assert made.status_code == 201

        assert known(fresh_database, register) == [[], ["urn:x:source"]]


def test_a_registration_that_goes_counts_no_more(fresh_database):
    with broker(fresh_database) as hub, source() as there:
        hub.call("POST", "/csourceRegistrations", there.registration())

        def unregister():
            hub.call("DELETE", "/csourceRegistrations/urn:x:source")

        assert known(fresh_database, unregister) == [["urn:x:source"], []]
