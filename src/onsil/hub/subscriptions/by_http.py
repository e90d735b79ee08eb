"""Notifications by HTTP and HTTPS: one POST each, on connections that are kept (§5.8.6).

HTTP itself is h11's; around it is what notifications need and no more: redirects are not followed,
proxies of the environment not used, and only addresses reached that were checked.
"""

import asyncio
import base64
import ssl
import time
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

import h11

from onsil.hub.subscriptions.addresses import Reach, Unreachable, checked_addresses
from onsil.hub.subscriptions.queueing import Result
from onsil.hub.subscriptions.rendering import Message
from onsil.hub.subscriptions.terms import Endpoint

IDLE_S = 30.0
_ANSWER_MAX = 64 * 1024
_CHUNK = 16 * 1024
# Refusals that another try may turn into an acceptance.
_TRY_AGAIN = frozenset((408, 421, 423, 425, 429))


class Place(NamedTuple):
    """Where connections lead."""

    secure: bool
    host: str
    port: int


class Target(NamedTuple):
    """An endpoint's address in the parts that a request needs."""

    place: Place
    authority: str
    path: str
    credentials: str


@lru_cache(maxsize=1024)
def target_of(uri: str) -> Target:
    """The parts of an http or https address; a login in it is for Basic authentication."""
    parts = urlsplit(uri)
    secure = parts.scheme == "https"
    host = (parts.hostname or "").encode("idna").decode()
    port = parts.port or (443 if secure else 80)
    shown = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe="%/:=&~+!$,;'@()*")
    if parts.query:
        path += "?" + quote(parts.query, safe="%/:=&?~+!$,;'@()*[]")
    login = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = "Basic " + base64.b64encode(pair.encode()).decode()
    authority = shown if parts.port is None else f"{shown}:{port}"
    return Target(Place(secure, host, port), authority, path, login)


class _Connection:
    """One connection, for one request after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)
        self.used = time.monotonic()
        self.answered = False

    @property
    def usable(self) -> bool:
        """Whether another request may go out on it."""
        fresh = time.monotonic() - self.used < IDLE_S
        idle = self._http.our_state is h11.IDLE
        return fresh and idle and not (self._reader.at_eof() or self._writer.is_closing())

    async def post(self, target: Target, headers: dict[str, str], content: bytes) -> int:
        """Send one request: the answer's status. Raises OSError or h11.ProtocolError."""
        self.answered = False
        request = h11.Request(
            method="POST", target=target.path,
            headers=[("Host", target.authority), *headers.items(),
                     ("Content-Length", str(len(content)))],
        )  # fmt: skip
        parts = (request, h11.Data(data=content), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(part) or b"" for part in parts))
        await self._writer.drain()
        status = await self._status()
        self.used = time.monotonic()
        return status

    async def _status(self) -> int:
        status, read = 0, 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                chunk = await self._reader.read(_CHUNK)
                self.answered = self.answered or bool(chunk)
                self._http.receive_data(chunk)
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                read += len(event.data)
                if read > _ANSWER_MAX:
                    return status  # not read to its end, so not usable again
            elif isinstance(event, h11.EndOfMessage):
                if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
                    self._http.start_next_cycle()
                return status
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the receiver hung up")

    def close(self) -> None:
        self._writer.close()


class HttpSender:
    """Posts notifications."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._tls = ssl.create_default_context()
        self._idle: dict[Place, list[_Connection]] = defaultdict(list)

    async def send(self, endpoint: Endpoint, message: Message) -> tuple[Result, str]:
        """Send one notification: what came of it, and why not."""
        target = target_of(endpoint.uri)
        headers = {"User-Agent": "onsil", "Accept": "*/*", **message.headers}
        if target.credentials and "authorization" not in {name.lower() for name in headers}:
            headers["Authorization"] = target.credentials
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                status = await self._post(target, headers, message.content)
        except h11.LocalProtocolError as error:
            return "refused", str(error)
        except TimeoutError:
            return "failed", f"no answer within {endpoint.timeout_s:g} s"
        except (OSError, h11.RemoteProtocolError) as error:
            return "failed", str(error) or type(error).__name__
        if 200 <= status < 300:
            return "sent", ""
        again = status >= 500 or status in _TRY_AGAIN
        return ("failed" if again else "refused"), f"answered {status}"

    async def _post(self, target: Target, headers: dict[str, str], content: bytes) -> int:
        idle = self._idle[target.place]
        while idle:
            kept = idle.pop()
            if not kept.usable:
                kept.close()
                continue
            try:
                return await self._on(kept, target, headers, content)
            except (OSError, h11.RemoteProtocolError):
                if kept.answered:
                    raise
                # The receiver hung up on a connection kept from the time before.
        return await self._on(await self._open(target.place), target, headers, content)

    async def _on(
        self, connection: _Connection, target: Target, headers: dict[str, str], content: bytes
    ) -> int:
        try:
            status = await connection.post(target, headers, content)
        except BaseException:
            connection.close()
            raise
        if connection.usable:
            self._idle[target.place].append(connection)
        else:
            connection.close()
        return status

    async def _open(self, place: Place) -> _Connection:
        addresses = await checked_addresses(place.host, place.port, self._reach)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return _Connection(*await asyncio.open_connection(
                    address, place.port, ssl=self._tls if place.secure else None,
                    server_hostname=place.host if place.secure else None,
                ))  # fmt: skip
            except OSError:
                if last == 0:
                    raise
        raise Unreachable(place.host)

    def close_idle(self) -> None:
        """Close connections that have not been used for a while."""
        for place, idle in list(self._idle.items()):
            for one in [one for one in idle if not one.usable]:
                idle.remove(one)
                one.close()
            if not idle:
                del self._idle[place]

    async def close(self) -> None:
        for idle in self._idle.values():
            for one in idle:
                one.close()
        self._idle.clear()
