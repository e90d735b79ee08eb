"""NGSI-LD over HTTP: `/ngsi-ld/v1` as one ASGI application of the resources' routes.

Reading is open, as the city's data are; writing takes a device's token, or nothing in the
stand-alone broker. The tenant (header `NGSILD-Tenant`) is the city.
"""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.types import Receive, Scope, Send

from onsil.core.clock import Clock, SystemClock
from onsil.hub.http import (
    attributes,
    batch,
    catalogue,
    contexts,
    discovery,
    entities,
    entity_maps,
    identity,
    openapi,
    purging,
    querying,
    sources,
    subscriptions,
    temporal,
    tenants,
)
from onsil.hub.http.database import Database
from onsil.hub.http.door import Authenticate, Door, House
from onsil.hub.http.routing import Router

RESOURCES = (
    entities, attributes, batch, purging, querying, entity_maps, discovery, contexts,
    subscriptions, temporal, tenants, sources, identity, openapi, catalogue,
)  # fmt: skip

_COLLECT_AFTER = (25_000, 20, 50)  # new containers; collections of the young; of the middle-aged


class Hub:
    """The door as an ASGI application; `running` opens and closes what it stands on."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._router = Router(door, [route for part in RESOURCES for route in part.routes(door)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The door open. It starts, and answers 503, while the database is away."""
        _settle()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.door.db.close)
            for work in self.door.beside:
                await stack.enter_async_context(work)
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await serve_lifespan(self.running, receive, send)
        else:
            await self._router(scope, receive, send)


_settled = False


def _settle() -> None:
    """Spare the collector of cycles what stays for the process's life: modules, vocabularies.

    Requests leave few cycles, and a large batch has so many objects that it would be looked through
    dozens of times while it is at work.
    """
    global _settled
    if not _settled:
        _settled = True
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)


def make_app(
    dsn: str,
    default_city: str = "pyeongtaek",
    authenticate: Authenticate | None = None,
    clock: Clock | None = None,
    **house: Any,
) -> Hub:
    """The application for one database; `house` as the fields of House."""
    found = House(default_city, authenticate, **house)
    return Hub(Door(Database(dsn), clock or SystemClock(), found))


async def serve_lifespan(
    running: Callable[[], AbstractAsyncContextManager[None]], receive: Receive, send: Send
) -> None:
    """The ASGI lifespan protocol round an asynchronous context."""
    await receive()
    try:
        async with running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        raise
    await send({"type": "lifespan.shutdown.complete"})
