"""Live pages: server-sent events out of PostgreSQL's notifications, on a port of their own.

A page is handed an address with a ticket: the city, the topics and an expiry, signed with the
installation's key, so that nothing is looked up when a thousand pages come back at once. One
connection listens for all of them. Events are hints: a page that missed some shows the present.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from django.core import signing
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from onsil.configuration import configuration
from onsil.core.announce import CHANNEL

TICKET_LIFE = timedelta(hours=12)
KEEP_ALIVE_S = 20.0
QUEUE_MAX = 200  # a page that cannot keep up loses the oldest hints

_SALT = "onsil.live"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ticket:
    """Which city's events on which topics its bearer may hear."""

    city: str
    topics: frozenset[str]


def make_ticket(key: str, city: str, topics: Iterable[str]) -> str:
    """Sign a ticket for the topics of one city; it carries the time it was made."""
    signer = signing.TimestampSigner(key=key, salt=_SALT)
    return signer.sign_object({"c": city, "t": sorted(set(topics))})


def read_ticket(key: str, text: str, life: timedelta = TICKET_LIFE) -> Ticket | None:
    """The ticket, or None when it is forged or too old."""
    signer = signing.TimestampSigner(key=key, salt=_SALT)
    try:
        table = signer.unsign_object(text, max_age=life)
    except signing.BadSignature:
        return None
    return Ticket(table["c"], frozenset(table["t"]))


def parse_notification(payload: str) -> tuple[str, str, Mapping[str, Any]] | None:
    """(city, topic, message) of a notification; None when it is not one of ours.

    A room may also notify with `{"city", "room", …}`: the room is the topic, the rest the message.
    """
    try:
        table = json.loads(payload)
        city = table.pop("city")
        topic = table.pop("topic", None) or table.pop("room")
        return city, topic, table.pop("message", table)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


class Switchboard:
    """Who is listening to what, and the one database connection that hears for all."""

    def __init__(self, dsn: str) -> None:
        self.connected = False
        self._dsn = dsn
        self._listeners: dict[tuple[str, str], set[asyncio.Queue[bytes]]] = defaultdict(set)

    @asynccontextmanager
    async def listening(self, ticket: Ticket) -> AsyncIterator["asyncio.Queue[bytes]"]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        keys = [(ticket.city, topic) for topic in ticket.topics]
        for key in keys:
            self._listeners[key].add(queue)
        try:
            yield queue
        finally:
            for key in keys:
                self._listeners[key].discard(queue)
                if not self._listeners[key]:
                    del self._listeners[key]

    def deliver(self, payload: str) -> None:
        """Put one notification into the queues of those who may hear it."""
        parsed = parse_notification(payload)
        if parsed is None:
            logger.warning("a notification that is not ours: %.100s", payload)
            return
        city, topic, message = parsed
        event = f"event: {topic}\ndata: {json.dumps(message, ensure_ascii=False)}\n\n".encode()
        for queue in self._listeners.get((city, topic), ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    async def run(self) -> None:
        """Listen for ever; after a lost connection, listen again."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._dsn, autocommit=True, connect_timeout=5
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.connected = True
                    async for notification in connection.notifies():
                        self.deliver(notification.payload)
            except (psycopg.OperationalError, OSError) as error:
                logger.warning("lost the database: %s", str(error).strip().splitlines()[0])
            finally:
                self.connected = False
            await asyncio.sleep(0.5)


async def _stream(board: Switchboard, ticket: Ticket) -> AsyncIterator[bytes]:
    async with board.listening(ticket) as queue:
        yield b"retry: 2000\n: connected\n\n"
        while True:
            try:
                yield await asyncio.wait_for(queue.get(), KEEP_ALIVE_S)
            except TimeoutError:
                yield b": still here\n\n"


def make_app(dsn: str, key: str) -> Starlette:
    """`GET /events?ticket=…` streams; `GET /-/health` tells whether notifications are heard."""
    board = Switchboard(dsn)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(board.run())
        yield
        task.cancel()

    async def events(request: Request) -> Response:
        # The ticket is the whole permission, so pages of any of the installation's hosts may ask.
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        ticket = read_ticket(key, request.query_params.get("ticket", ""))
        if ticket is None:
            return PlainTextResponse("the ticket is not valid any more\n", 403, headers)
        return StreamingResponse(
            _stream(board, ticket), headers=headers, media_type="text/event-stream"
        )

    async def health(_: Request) -> PlainTextResponse:
        if board.connected:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the database does not answer\n", 503)

    return Starlette(
        routes=[Route("/events", events), Route("/-/health", health)], lifespan=lifespan
    )


def __getattr__(name: str) -> Starlette:
    """`app` is made when a server asks for it: importing this module needs no settings."""
    if name == "app":
        conf = configuration()
        return make_app(conf.dsn, conf.secret_key)
    raise AttributeError(name)
