"""A receiver of notifications on a real socket, and a broker with its sender in the test's loop."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from onsil.core.clock import SystemClock
from onsil.hub.changes import Change
from onsil.hub.contexts import CORE
from onsil.hub.documents import parse_entity
from onsil.hub.http.app import make_app
from onsil.hub.http.database import Database
from onsil.hub.subscriptions.outbox import enqueue_changes

CITY = "pyeongtaek"


@dataclass
class Received:
    """One request that came in."""

    at: float
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Receiver:
    """An HTTP server that answers what it is told to."""

    status: int = 200
    delay_s: float = 0.0
    received: list[Received] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify"

    async def start(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                path = line.split()[1].decode()
                headers: dict[str, str] = {}
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name] = value.strip()
                length = int(headers.get("Content-Length", "0"))
                body = json.loads(await reader.readexactly(length) or b"{}")
                self.received.append(Received(time.time(), path, headers, body))
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % self.status)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def wait(self, count: int = 1, timeout: float = 5.0) -> list[dict[str, Any]]:
        """The bodies, once so many have come."""
        end = time.monotonic() + timeout
        while len(self.received) < count:
            assert time.monotonic() < end, f"{len(self.received)} of {count} came"
            await asyncio.sleep(0.01)
        return [one.body for one in self.received]

    async def silent(self, seconds: float = 0.4) -> None:
        """Nothing more comes."""
        before = len(self.received)
        await asyncio.sleep(seconds)
        assert len(self.received) == before, self.received[before:]


@asynccontextmanager
async def broker(dsn: str, clock: Any = None, **house: Any):
    """An HTTP client of an open broker whose sender is at work."""
    hub = make_app(dsn, CITY, clock=clock or SystemClock(), **{"open_writing": True, **house})
    async with hub.running():
        transport = httpx.ASGITransport(hub)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://broker.example/ngsi-ld/v1", timeout=10
        ) as client:
            yield client
    await _close_databases()


@asynccontextmanager
async def receiver(**how: Any):
    made = await Receiver(**how).start()
    try:
        yield made
    finally:
        await made.stop()


def subscription(url: str, **members: Any) -> dict[str, Any]:
    """A subscription to all buildings."""
    notification = {"endpoint": {"uri": url}, **members.pop("notification", {})}
    return {
        "type": "Subscription", "entities": [{"type": "Building"}], "notification": notification,
        **members,
    }  # fmt: skip


def prop(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **more}


async def until(happens: Callable[[], Any], timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not happens():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.01)


_databases: dict[tuple[str, int], Database] = {}


async def told(dsn: str, *changes: Change, city: str = CITY) -> None:
    """Commit one transaction that made these changes, as far as subscriptions are concerned."""
    key = (dsn, id(asyncio.get_running_loop()))
    if key not in _databases:
        _databases[key] = Database(dsn, size=1)
    await _databases[key].write(city, lambda: enqueue_changes(city, changes))


async def _close_databases() -> None:
    for key in [k for k in _databases if k[1] == id(asyncio.get_running_loop())]:
        await _databases.pop(key).close()


def created(name: str = "b1", type: str = "Building", /, **attrs: Any) -> Change:
    """A new entity."""
    raw = {"id": f"urn:ngsi-ld:{type}:{name}", "type": type, **attrs}
    return Change(1, raw["id"], None, parse_entity(raw), datetime.now(UTC), {})


def updated(before: Change, /, **attrs: Any) -> Change:
    """That entity with other attributes."""
    assert before.after
    raw = {"id": before.uri, "type": CORE.term(before.after.types[0]), **attrs}
    after = parse_entity(raw)
    keys = {(iri, one.get("datasetId", "")) for d in (before.after, after)
            for iri, many in d.attrs.items() for one in many}  # fmt: skip
    now = datetime.now(UTC)
    return Change(1, before.uri, before.after, after, now, dict.fromkeys(keys, "updated"))


async def subscribed(client: httpx.AsyncClient, raw: dict[str, Any], path: str = "/subscriptions"):
    """Subscribe: the subscription's own path."""
    made = await client.post(path, json=raw)
    assert made.status_code == 201, made.text
    return made.headers["Location"].removeprefix("/ngsi-ld/v1")
