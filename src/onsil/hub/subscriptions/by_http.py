"""Notifications by HTTP and HTTPS (§6.3): one POST each, on connections that are kept.

Redirects are not followed, proxies of the environment not used, and only checked addresses reached.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpcore

from onsil.hub.subscriptions.addresses import Reach, Unreachable, checked_addresses
from onsil.hub.subscriptions.queueing import Result
from onsil.hub.subscriptions.rendering import Message
from onsil.hub.subscriptions.terms import Endpoint

CONNECTIONS_MAX = 256
_KEEP_IDLE_S = 30.0
_ANSWER_MAX = 64 * 1024
# Refusals that another try may turn into an acceptance.
_TRY_AGAIN = frozenset((408, 421, 423, 425, 429))
_FAILURES = (
    httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
    httpcore.UnsupportedProtocol, ssl.SSLError, OSError, TimeoutError,
)  # fmt: skip


class Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that may be used."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await checked_addresses(host, port, self._reach, timeout)
        for place, address in enumerate(addresses):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError:
                if place == len(addresses) - 1:
                    raise
        raise Unreachable(host)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class HttpSender:
    """Posts notifications."""

    def __init__(self, reach: Reach) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=CONNECTIONS_MAX // 2,
            keepalive_expiry=_KEEP_IDLE_S,
            network_backend=Checked(reach),
        )

    async def send(self, endpoint: Endpoint, message: Message) -> tuple[Result, str]:
        """Send one notification: what came of it, and why not."""
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                try:
                    status = await self._post(endpoint, message)
                except httpcore.RemoteProtocolError:
                    # The receiver hung up on a connection kept from the time before.
                    status = await self._post(endpoint, message)
        except _FAILURES as error:
            return "failed", str(error) or type(error).__name__
        if 200 <= status < 300:
            return "sent", ""
        again = status >= 500 or status in _TRY_AGAIN
        return ("failed" if again else "refused"), f"answered {status}"

    async def _post(self, endpoint: Endpoint, message: Message) -> int:
        content = message.content
        headers = {"User-Agent": "onsil", "Accept": "*/*", **message.headers}
        wait = endpoint.timeout_s
        async with self._pool.stream(
            "POST",
            quote(endpoint.uri, safe="%/:=&?~#+!$,;'@()*[]"),
            headers=[(k.encode(), v.encode()) for k, v in headers.items()],
            content=content,
            extensions={"timeout": {"connect": wait, "read": wait, "write": wait, "pool": wait}},
        ) as response:
            read = 0
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > _ANSWER_MAX:
                    break
            return response.status

    async def close(self) -> None:
        await self._pool.aclose()
