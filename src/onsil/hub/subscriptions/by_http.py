"""Notifications by HTTP and HTTPS: one POST each, on connections that are kept (§5.8.6).

Redirects are not followed, proxies of the environment not used, and only addresses reached that
were checked. Of an answer only its status matters; the rest is read to keep the connection.
"""

import asyncio
import base64
import re
import ssl
import time
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from onsil.hub.subscriptions.addresses import Reach, Unreachable, checked_addresses
from onsil.hub.subscriptions.queueing import Result
from onsil.hub.subscriptions.rendering import Message
from onsil.hub.subscriptions.terms import Endpoint

IDLE_S = 30.0
_ANSWER_MAX = 64 * 1024
# RFC 9110 §5.1, §5.5: what may stand in a header; RFC 9112 §4, §6, §7: how an answer is framed.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?|")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})[ \r]")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(
    rb"^(content-length|transfer-encoding|connection):[ \t]*([^\r\n]*)", re.M | re.I
)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\n")
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


class HttpFault(Exception):
    """What came back is no answer, or what should go out no request."""


@lru_cache(maxsize=4096)
def _head(target: Target, headers: tuple[tuple[str, str], ...]) -> bytes:
    """A request up to its length. Raises HttpFault for headers that HTTP does not have."""
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}"]
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HttpFault(f"{name[:40]!r} cannot be sent as a header")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "Content-Length: "]).encode("ascii")


class _Answer:
    """An answer as it comes in: `feed` until it is whole."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._begins: int | None = None  # where the body does
        self._chunked = False
        self._length: int | None = None
        self.status = 0
        self.keeps = False  # the connection is good for another request

    def feed(self, data: bytes) -> bool:
        """Whether the answer is whole. Raises HttpFault."""
        self._data += data
        while self._begins is None:
            if not self._read_head():
                return False
        if self._chunked:
            return self._read_chunks() or self._gives_up()
        if self._length is None:
            return self._gives_up()  # it goes on to the connection's end
        read = len(self._data) - self._begins
        self.keeps = self.keeps and read <= self._length
        return read >= self._length or self._gives_up()

    @property
    def ends_with_connection(self) -> bool:
        return self._begins is not None and not self._chunked and self._length is None

    def _gives_up(self) -> bool:
        """A long answer is not read to its end: its status is known."""
        if len(self._data) <= _ANSWER_MAX:
            return False
        self.keeps = False
        return True

    def _read_head(self) -> bool:
        end = _HEAD_END.search(self._data)
        if end is None:
            if len(self._data) > _ANSWER_MAX:
                raise HttpFault("an answer without end to its headers")
            return False
        head = bytes(self._data[: end.start()])
        first = _STATUS.match(head + b"\r")
        if first is None:
            raise HttpFault("not an HTTP answer")
        self.status = int(first[2])
        if 100 <= self.status < 200:
            del self._data[: end.end()]
            return True  # the answer itself follows
        self._begins = end.end()
        fields: dict[bytes, set[bytes]] = {}
        for name, value in _FIELD.findall(head):
            words = (word.strip().lower() for word in value.split(b","))
            fields.setdefault(name.lower(), set()).update(words)
        self._frame(fields)
        self.keeps = first[1] == b"1" and b"close" not in fields.get(b"connection", ())
        return True

    def _frame(self, fields: dict[bytes, set[bytes]]) -> None:
        if self.status in (204, 304):
            self._length = 0
        elif b"transfer-encoding" in fields:
            self._chunked = b"chunked" in fields[b"transfer-encoding"]
        elif b"content-length" in fields:
            lengths = fields[b"content-length"]
            (length,) = lengths if len(lengths) == 1 else (b"",)
            if not length.isdigit() or len(length) > 18:
                raise HttpFault("an answer of no clear length")
            self._length = int(length)

    def _read_chunks(self) -> bool:
        """Drop the chunks that are whole; True after the last."""
        assert self._begins is not None
        while (size := _CHUNK.match(self._data, self._begins)) is not None:
            length = int(size[1], 16)
            if length == 0:
                trailer = re.compile(rb"\r?\n|.*\r?\n\r?\n", re.S).match(self._data, size.end())
                return trailer is not None
            if len(self._data) < size.end() + length + 2:
                return False
            del self._data[self._begins : size.end() + length]
            del self._data[self._begins : self._data.index(b"\n", self._begins) + 1]
        return False


class _Connection(asyncio.Protocol):
    """One connection, for one request after another."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[int] | None = None
        self._answer = _Answer()
        self._lost = False
        self.used = time.monotonic()
        self.answered = False

    @property
    def usable(self) -> bool:
        """Whether another request may go out on it."""
        fresh = time.monotonic() - self.used < IDLE_S
        return fresh and not self._lost and self._answer.keeps

    async def post(self, head: bytes, content: bytes) -> int:
        """Send one request: the answer's status. Raises OSError or HttpFault."""
        if self._lost or self._transport is None:
            raise ConnectionResetError("the receiver hung up")
        self._answer, self.answered = _Answer(), False
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(b"%b%d\r\n\r\n%b" % (head, len(content), content))
        try:
            return await self._waiting
        finally:
            self._waiting = None
            self.used = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            self.close()  # nothing was asked
            return
        self.answered = True
        try:
            if self._answer.feed(data):
                waiting.set_result(self._answer.status)
        except HttpFault as fault:
            waiting.set_exception(fault)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if exc is None and self._answer.ends_with_connection:
            waiting.set_result(self._answer.status)
        else:
            waiting.set_exception(exc or ConnectionResetError("the receiver hung up"))

    def close(self) -> None:
        self._lost = True
        if self._transport is not None:
            self._transport.close()


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
            head = _head(target, tuple(headers.items()))
        except HttpFault as fault:
            return "refused", str(fault)
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                status = await self._post(target.place, head, message.content)
        except TimeoutError:
            return "failed", f"no answer within {endpoint.timeout_s:g} s"
        except (OSError, HttpFault) as error:
            return "failed", str(error) or type(error).__name__
        if 200 <= status < 300:
            return "sent", ""
        again = status >= 500 or status in _TRY_AGAIN
        return ("failed" if again else "refused"), f"answered {status}"

    async def _post(self, place: Place, head: bytes, content: bytes) -> int:
        idle = self._idle[place]
        while idle:
            kept = idle.pop()
            if not kept.usable:
                kept.close()
                continue
            try:
                return await self._on(kept, place, head, content)
            except OSError:
                if kept.answered:
                    raise
                # The receiver hung up on a connection kept from the time before.
        return await self._on(await self._open(place), place, head, content)

    async def _on(self, connection: _Connection, place: Place, head: bytes, content: bytes) -> int:
        try:
            status = await connection.post(head, content)
        except BaseException:
            connection.close()
            raise
        if connection.usable:
            self._idle[place].append(connection)
        else:
            connection.close()
        return status

    async def _open(self, place: Place) -> _Connection:
        addresses = await checked_addresses(place.host, place.port, self._reach)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection, address, place.port, ssl=self._tls if place.secure else None,
                    server_hostname=place.host if place.secure else None,
                )  # fmt: skip
                return connection
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
