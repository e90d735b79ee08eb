"""Connections of httpcore that lead to checked addresses only."""

from collections.abc import Iterable
from typing import Any

import httpcore

from onsil.hub.subscriptions.addresses import Reach, Unreachable, checked_addresses


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
