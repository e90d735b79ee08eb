"""The load: a process of its own with a few raw keep-alive connections, as light as can be.

    python -m bench._load PORT SCENARIO CONNECTIONS SECONDS FIRST

It prints one JSON line: how many requests were answered with 2xx, and their latencies' percentiles.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator

from bench import _requests


class Connection(asyncio.Protocol):
    """One connection: the next request goes out when the last is answered."""

    def __init__(self, requests: Iterator[bytes], until: float, done: asyncio.Future[None]) -> None:
        self._requests, self._until, self._done = requests, until, done
        self._got = b""
        self.latencies: list[float] = []
        self.failed: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        if self._sent > self._until:
            self._transport.close()
            return
        self._transport.write(next(self._requests))  # pyright: ignore

    def data_received(self, data: bytes) -> None:
        got = self._got = self._got + data if self._got else data
        end = got.find(b"\r\n\r\n")
        if end < 0:
            return
        at = got.find(b"content-length: ", 0, end)
        length = int(got[at + 16 : got.find(b"\r", at)]) if at > 0 else 0
        if len(got) < end + 4 + length:
            return
        if got[9:10] == b"2":
            self.latencies.append(time.perf_counter() - self._sent)
        elif len(self.failed) < 3:
            self.failed.append(got[:500])
        self._got = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def load(port: int, requests: Callable[[int], Iterator[bytes]], count: int, seconds: float):
    """Run `count` connections for so long; all of them afterwards."""
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    ends, connections = [], []
    for number in range(count):
        done = loop.create_future()
        ends.append(done)
        _, connection = await loop.create_connection(
            lambda n=number, d=done: Connection(requests(n), until, d), "127.0.0.1", port
        )
        connections.append(connection)
    await asyncio.gather(*ends)
    return connections


def main() -> None:
    port, scenario, count, seconds, first = sys.argv[1:]
    make = getattr(_requests, scenario)
    started = time.perf_counter()
    connections = asyncio.run(
        load(int(port), lambda n: make(n, int(count), int(first)), int(count), float(seconds))
    )
    took = time.perf_counter() - started
    latencies = sorted(latency for one in connections for latency in one.latencies)
    failed = [text.decode(errors="replace") for one in connections for text in one.failed]
    print(json.dumps({
        "answered": len(latencies), "seconds": took, "failed": failed[:3],
        "p50_ms": 1000 * latencies[len(latencies) // 2] if latencies else None,
        "p99_ms": 1000 * latencies[len(latencies) * 99 // 100] if latencies else None,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
