"""Requests to context sources: on checked addresses, in their time, with a rest after a failure.

What comes of them is added up for the registrations' status members.
"""

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import httpcore

from onsil.core.clock import Clock
from onsil.hub.sources.store import Outcome
from onsil.hub.sources.terms import Registration
from onsil.hub.subscriptions.addresses import Reach
from onsil.hub.subscriptions.reaching import Checked

CONNECTIONS_MAX = 128
ANSWER_MAX = 16 * 1024 * 1024
_KEEP_IDLE_S = 30.0
_CACHED_MAX = 256
_FAILURES = (
    httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
    httpcore.UnsupportedProtocol, ssl.SSLError, OSError, TimeoutError,
)  # fmt: skip


class Unanswered(Exception):
    """The source gave no answer; `late`: not in time, or it rests after a failure; `useless`: it
    gave one that is too long to be read."""

    def __init__(self, text: str, *, late: bool = False, useless: bool = False) -> None:
        super().__init__(text)
        self.late, self.useless = late, useless


class _TooLong(Exception):
    """More than ANSWER_MAX bytes."""


class Call(NamedTuple):
    """One request to a source: `target` is the path and query behind the endpoint."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answered:
    """A source's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Caller:
    """Calls sources for all requests of this process."""

    def __init__(self, reach: Reach, clock: Clock) -> None:
        self._clock = clock
        self.reach = reach
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=CONNECTIONS_MAX,
            keepalive_expiry=_KEEP_IDLE_S,
            network_backend=Checked(reach),
        )
        self._rest: dict[tuple[str, int], float] = {}
        self._cached: OrderedDict[tuple[object, ...], tuple[float, Answered]] = OrderedDict()
        self._outcomes: dict[tuple[str, int], Outcome] = {}

    async def call(self, registration: Registration, call: Call) -> Answered:
        """Send a request. Raises Unanswered."""
        key = (registration.city, registration.number)
        cached = (*key, call.method, call.target, tuple(sorted(call.headers.items())))
        held = self._cached.get(cached)
        if held is not None and held[0] > time.monotonic() and call.method == "GET":
            return held[1]
        if self._rest.get(key, 0.0) > time.monotonic():
            raise Unanswered("it rests after a failure", late=True)
        try:
            async with asyncio.timeout(registration.timeout_s):
                try:
                    answered = await self._send(registration, call)
                except httpcore.RemoteProtocolError:
                    if call.method not in ("GET", "PUT", "DELETE"):
                        raise
                    # It hung up on a connection kept from the time before.
                    answered = await self._send(registration, call)
        except _TooLong as error:
            self._note(key, failed=True)
            raise Unanswered("its answer is too long", useless=True) from error
        except _FAILURES as error:
            self._note(key, failed=True)
            self._rest[key] = time.monotonic() + registration.cooldown_s
            late = isinstance(error, TimeoutError | httpcore.TimeoutException)
            within = f"no answer within {registration.timeout_s:g} s"
            raise Unanswered(within if late else type(error).__name__, late=late) from error
        self._note(key, failed=answered.status >= 400 and answered.status != 404)
        if registration.cache_s and call.method == "GET" and answered.status == 200:
            self._cached[cached] = (time.monotonic() + registration.cache_s, answered)
            while len(self._cached) > _CACHED_MAX:
                self._cached.popitem(last=False)
        return answered

    async def _send(self, registration: Registration, call: Call) -> Answered:
        wait = registration.timeout_s
        headers = {"User-Agent": "onsil", **call.headers}
        if call.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(call.body))
        async with self._pool.stream(
            call.method,
            registration.endpoint + call.target,
            headers=[(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
            content=call.body or None,
            extensions={"timeout": {"connect": wait, "read": wait, "write": wait, "pool": wait}},
        ) as response:
            chunks, size = [], 0
            async for chunk in response.aiter_stream():
                size += len(chunk)
                if size > ANSWER_MAX:
                    raise _TooLong
                chunks.append(chunk)
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            return Answered(response.status, found, b"".join(chunks))

    def _note(self, key: tuple[str, int], *, failed: bool) -> None:
        now = self._clock.now()
        before = self._outcomes.get(key) or Outcome(key[1], 0, 0, None, None)
        self._outcomes[key] = before._replace(
            sent=before.sent + 1,
            failed=before.failed + failed,
            last_success=before.last_success if failed else now,
            last_failure=now if failed else before.last_failure,
        )

    def outcomes(self, city: str) -> Sequence[Outcome]:
        """What came of the requests to a city's sources since this was asked last."""
        keys = [key for key in self._outcomes if key[0] == city]
        return [self._outcomes.pop(key) for key in keys]

    @property
    def cities(self) -> set[str]:
        """The cities for whose sources there are outcomes."""
        return {city for city, _ in self._outcomes}

    async def close(self) -> None:
        await self._pool.aclose()
