"""Tenants for the operator, beside the standard's API: listed, and wiped for a clean state."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.database import ALL_CITIES
from onsil.hub.documents import time_text
from onsil.hub.expiring import due
from onsil.hub.http.asking import JSON
from onsil.hub.http.database import DatabaseAway
from onsil.hub.http.door import Door, no_tenant
from onsil.hub.http.gate import Problem
from onsil.hub.tenants import expired, sweep, sweep_attributes, tenants, wipe

PATH = "/ngsi-ld/ex/v1/tenants"
SWEEP_S = 5.0
SWEEP_MAX = 500
_log = logging.getLogger("onsil.hub")


def routes(door: Door) -> list[Route]:
    """The routes of tenants; it also sees to it that entities go when their time is over."""
    own = _Tenants(door)
    door.alongside(_sweeping(door))
    return [
        Route(PATH, own.listing, methods=["GET"]),
        Route(f"{PATH}/{{tenant}}", own.wipe, methods=["DELETE"]),
    ]


class _Tenants:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def listing(self, request: Request) -> Response:
        """GET: the tenants' names, with when they came into being."""
        self._operator(request)
        found = await self.door.db.read(ALL_CITIES, tenants())
        body = [{"tenant": one.name, "createdAt": time_text(one.created_at)} for one in found]
        return Response(orjson.dumps(body), media_type=JSON)

    async def wipe(self, request: Request) -> Response:
        """DELETE …/{tenant}: all that it holds; 422 where measured series are kept."""
        self._operator(request)
        name = request.path_params["tenant"]
        visit = await self.door.visit(name)
        if not visit.known:
            raise no_tenant(name)
        await self.door.db.write(name, lambda: wipe(name))
        self.door.tenants.forget(name)
        return Response(status_code=204)

    def _operator(self, request: Request) -> None:
        if not (self.door.open_writing or self.door.operator(request)):
            raise Problem(403, "OperationNotSupported", "This is for the operator alone")


@asynccontextmanager
async def _sweeping(door: Door) -> AsyncIterator[None]:
    task = asyncio.create_task(_sweep(door))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(door: Door) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            now = door.clock.now()
            found = await door.db.read(ALL_CITIES, expired(now, SWEEP_MAX))
            for city, uris in found.items():
                await door.db.write(city, lambda c=city, u=uris, n=now: sweep(c, u, n))
            found = await door.db.read(ALL_CITIES, due(now, SWEEP_MAX))
            for city, uris in found.items():
                await door.db.write(city, lambda c=city, u=uris, n=now: sweep_attributes(c, u, n))
        except DatabaseAway:
            continue
        except Exception:
            _log.exception("expired entities stay for now")
