"""The ASGI entry of the data hub: NGSI-LD and devices behind one port, and its health."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from onsil import devices
from onsil.configuration import Configuration, configuration
from onsil.devices.http import make_app as make_device_door
from onsil.hub.contexts import library
from onsil.hub.http.app import make_app as make_hub_door
from onsil.tenancy.cities import all_cities


class Doors:
    """Hands a request to the door whose path it asks for."""

    def __init__(self, devices: ASGIApp, hub: ASGIApp) -> None:
        self._devices = devices
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._devices if scope["path"].startswith("/devices") else self._hub
        await door(scope, receive, send)


def make_app(conf: Configuration) -> Starlette:
    """Both doors as one application, started and stopped together."""
    if conf.hub_contexts:
        library.add_folder(Path(conf.hub_contexts))
    hub = make_hub_door(
        conf.dsn, default_city=conf.default_city, authenticate=devices.writer_steps,
        cities=all_cities, context_hosts=conf.hub_context_hosts.split(","),
        source_hosts=conf.hub_source_hosts.split(","),
        notify_hosts=conf.hub_notify_hosts.split(","), alias=conf.hub_alias,
    )  # fmt: skip
    device_door = make_device_door(
        conf.dsn, default_city=conf.default_city, proxies=conf.device_proxies
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(hub.running())
            await stack.enter_async_context(device_door.router.lifespan_context(device_door))
            yield

    async def health(_: Request) -> PlainTextResponse:
        try:
            async with await psycopg.AsyncConnection.connect(conf.dsn, connect_timeout=3):
                pass
        except psycopg.OperationalError:
            return PlainTextResponse("the database does not answer\n", 503)
        return PlainTextResponse("ok\n")

    app = Starlette(routes=[Route("/-/health", health)], lifespan=lifespan)
    app.mount("/", Doors(device_door, hub))
    return app


app = make_app(configuration())
