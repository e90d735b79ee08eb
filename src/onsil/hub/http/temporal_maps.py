"""EntityMaps of the temporal interface: GS CIM 009 V1.9.1 §5.7.3.4, §5.7.4.4, §5.14.5 at §6.35."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from onsil.hub.entity_maps import ENTITIES_MAX, HERE, EntityMap, narrowed
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.entity_maps import HEADER, asks_for_map, make, place, referenced
from onsil.hub.steps import Steps
from onsil.hub.temporal.finding import Wanted, find

PATH = f"{PREFIX}/temporal/entityMaps"
Read = Callable[[Steps[Any]], Awaitable[Any]]


async def map_temporal(door: Door, request: Request, wanted: Wanted, read: Read) -> EntityMap:
    """A map of the entities that a temporal query finds. Raises Problem."""
    city = door.tenant(request)
    steps = find(city, wanted, door.clock.now(), ENTITIES_MAX + 1, 0, counted=False)
    hits, _ = await read(steps)
    return await make(door, request, city, {hit.known.uri: [HERE] for hit in hits})


async def within_map(
    door: Door, request: Request, wanted: Wanted, read: Read
) -> tuple[Wanted, dict[str, str], bool]:
    """What is wanted, of a map's entities where the request speaks of one; the header that tells
    of the map, and whether it was made just now."""
    if not asks_for_map(request):
        return wanted, {}, False
    found = await referenced(door, request, door.tenant(request))
    one = found or await map_temporal(door, request, wanted, read)
    narrower = replace(wanted, filter=narrowed(wanted.filter, list(one.entities)))
    return narrower, {HEADER: place(one)}, found is None
