"""EntityMaps over HTTP: GS CIM 009 V1.9.1 §5.5.9.3, §5.5.14, §5.14.1 to §5.14.3 at §6.32.

A map is the reader's, known by an id that nobody guesses: who knows it may end it, token or not.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.documents import DocumentError, is_uri, parse_time
from onsil.hub.entity_maps import (
    ENTITIES_MAX,
    HERE,
    EntityMap,
    expiry,
    held,
    keep,
    leave_out,
    narrowed,
    remove,
    set_expiry,
    within,
)
from onsil.hub.http.asking import Asked, answer, flag
from onsil.hub.http.distributing import Spread
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, not_found
from onsil.hub.http.gathering import Page
from onsil.hub.query.filters import Filter
from onsil.hub.query.finding import Found
from onsil.hub.temporal.durations import DurationError, parse_duration

HEADER = "NGSILD-EntityMap"
PATH = f"{PREFIX}/entityMaps"

# A page of a query: the filter, limit, offset, and whether a total is wanted.
Read = Callable[[Filter, int, int, bool], Awaitable[Page]]


def routes(door: Door) -> list[Route]:
    """The routes of a map; those that make one are beside the queries."""
    own = _EntityMaps(door)
    return [
        Route(f"{PATH}/{{id}}", own.retrieve, methods=["GET"]),
        Route(f"{PATH}/{{id}}", own.update, methods=["PATCH"]),
        Route(f"{PATH}/{{id}}", own.delete, methods=["DELETE"]),
    ]


def asks_for_map(request: Request) -> bool:
    """Whether the request wants a map or refers to one. Raises Problem."""
    return HEADER in request.headers or flag(request, "entityMap")


def place(one: EntityMap) -> str:
    """The path of a map."""
    return f"{PATH}/{quote(one.uri, safe=':')}"


def made_answer(one: EntityMap, form: Asked) -> Response:
    """The answer to a request for a map alone (§6.34.3.1)."""
    return answer(one.body(), form, 201, {HEADER: place(one)})


async def referenced(door: Door, request: Request, city: str) -> EntityMap | None:
    """The map that the request's header names, if it still counts."""
    named = unquote(request.headers.get(HEADER, "").rstrip("/").rsplit("/", 1)[-1])
    if not is_uri(named):
        return None
    return await door.db.read(city, held(city, named, door.clock.now()))


async def make(
    door: Door, request: Request, city: str, entities: Mapping[str, Sequence[str]]
) -> EntityMap:
    """A new map. Raises Problem."""
    if len(entities) > ENTITIES_MAX:
        raise Problem(
            403, "TooManyResults", "Too many entities for a map",
            f"An EntityMap holds at most {ENTITIES_MAX}; narrow the query down.",
        )  # fmt: skip
    lifetime = request.query_params.get("entityMapLifetime")
    try:
        wanted = parse_duration(lifetime) if lifetime is not None else None
    except DurationError as error:
        raise bad_data(str(error)) from None
    now = door.clock.now()
    return await door.db.write(city, lambda: keep(city, entities, now, expiry(now, wanted)))


async def refer(
    door: Door, request: Request, city: str, entities: Mapping[str, Sequence[str]],
    response: Response,
) -> Response:  # fmt: skip
    """The answer with the place of the map it belongs to; a new one where there is none."""
    one = await referenced(door, request, city) or await make(door, request, city, entities)
    response.headers[HEADER] = place(one)
    return response


async def map_query(door: Door, request: Request, city: str, read: Read, wanted: Filter,
                    spread: Spread | None) -> EntityMap:  # fmt: skip
    """A map of all that a query finds (§5.14.4). Raises Problem."""
    page = await read(wanted, ENTITIES_MAX + 1, 0, False)
    return await make(door, request, city, origins(page.found, spread))


async def page_of(
    door: Door, city: str, one: EntityMap, read: Read, wanted: Filter, limit: int, offset: int, *,
    counted: bool,
) -> Page:  # fmt: skip
    """A page of what is in a map and still fits; what does not is taken out (§5.5.9.3)."""
    uris = list(one.entities)
    found: list[Found] = []
    gone: list[str] = []
    at = offset
    while limit and len(found) <= limit and at < len(uris):
        some = uris[at : at + limit + 1]
        there = {
            hit.document.uri: hit
            for hit in (await read(narrowed(wanted, some), len(some), 0, False)).found
        }
        found += [there[uri] for uri in some if uri in there]
        gone += [uri for uri in some if uri not in there]
        at += len(some)
    total = None
    if counted:
        total = (await read(narrowed(wanted, uris), 0, 0, True)).total if uris else 0
    if gone:
        await door.db.write(city, lambda: leave_out(city, one, gone))
    return Page(found[:limit], total, len(found) > limit > 0)


def origins(found: Iterable[Found], spread: Spread | None = None) -> dict[str, list[str]]:
    """Where each entity came from: here, registered sources, or both."""
    told = spread.origins if spread is not None else {}
    made: dict[str, list[str]] = {}
    for one in found:
        there = told.get(one.document.uri, [])
        made[one.document.uri] = [*([HERE] if one.eid or not there else []), *there]
    return made


class _EntityMaps:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def retrieve(self, request: Request) -> Response:
        """GET /entityMaps/{id}."""
        form, uri = self.door.asked(request), _id(request)
        city = self.door.tenant(request)
        one = await self.door.db.read(city, held(city, uri, self.door.clock.now()))
        if one is None:
            raise not_found(uri)
        return answer(one.body(), form)

    async def update(self, request: Request) -> Response:
        """PATCH /entityMaps/{id}: another expiresAt; what is for output only is left alone."""
        uri, city = _id(request), self.door.tenant(request)
        body, _ = await self.door.body(request)
        now = self.door.clock.now()
        ends = _end(body)
        if ends is None:
            there = await self.door.db.read(city, held(city, uri, now)) is not None
        else:
            there = await self.door.db.write(
                city, lambda: set_expiry(city, uri, within(now, ends), now)
            )
        if not there:
            raise not_found(uri)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """DELETE /entityMaps/{id}."""
        uri, city = _id(request), self.door.tenant(request)
        now = self.door.clock.now()
        if not await self.door.db.write(city, lambda: remove(city, uri, now)):
            raise not_found(uri)
        return Response(status_code=204)


def _id(request: Request) -> str:
    uri = request.path_params["id"]
    if not is_uri(uri):
        raise bad_data(f"a map's id is a URI, not {uri[:80]!r}")
    return uri


def _end(body: Any) -> Any:
    if not isinstance(body, dict):
        raise bad_data("the body is an object, a fragment of an EntityMap")
    if "expiresAt" not in body:
        return None
    if not isinstance(body["expiresAt"], str):
        raise DocumentError("expiresAt is a time")
    return parse_time(body["expiresAt"])
