"""From a write to its receipt: notification latency with one dead endpoint among ten.

A broker of its own with durability on, served as in production. A load process writes an attribute
of an entity at a steady rate, with the time of sending in the value; another process is ten
endpoints, of which one takes connections and never answers. Latency is receipt minus sending, as
the wall clock of one machine tells both. The floor in the same run: the same writes with the
receivers called by the load process itself, after the write has been answered.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import orjson

from bench.database import installation
from bench.figure import Figure

ENDPOINTS, DEAD = 10, 0
WRITES, RATE_PER_S = 600, 40.0
WARM = 40
P99_GOAL_MS = 200.0
ENTITY = "urn:ngsi-ld:Sensor:s1"

SERVER = """
import sys
from granian import Granian
from granian.constants import Interfaces
Granian("bench.hub_notify:app", address="127.0.0.1", port=int(sys.argv[1]),
        interface=Interfaces.ASGI, websockets=False, log_enabled=False).serve()
"""
RECEIVERS = """
import asyncio, json, os, sys, time

async def serve(number, dead, reader, writer):
    while await reader.readline():
        length = 0
        while (line := (await reader.readline()).strip()):
            if line.lower().startswith(b"content-length"):
                length = int(line.partition(b":")[2])
        body = json.loads(await reader.readexactly(length))
        now = time.time()
        if dead:
            await asyncio.sleep(3600)
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
        for entity in body.get("data", ()):
            rows.append((number, entity["sent"]["value"], now))

async def main():
    ports = []
    for number in range(int(sys.argv[1])):
        dead = number == int(sys.argv[2])
        server = await asyncio.start_server(
            lambda r, w, n=number, d=dead: serve(n, d, r, w), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
    print(*ports, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for row in rows:
        print(*row)
    sys.stdout.flush()
    os._exit(0)

rows = []
asyncio.run(main())
"""


def __getattr__(name: str):
    """`app` is made when the server asks for it."""
    if name == "app":
        from onsil.hub.http.app import make_app

        return make_app(os.environ["ONSIL_BENCH_DSN"], "bench", open_writing=True)
    raise AttributeError(name)


@contextmanager
def _serving(dsn: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)], env=os.environ | {"ONSIL_BENCH_DSN": dsn}
    )
    base = f"http://127.0.0.1:{port}/ngsi-ld/v1"
    try:
        end = time.monotonic() + 30
        while True:
            try:
                if httpx.get(base + "/types").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
            assert time.monotonic() < end, "the broker did not start"
        yield base
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _receivers() -> Iterator[tuple[list[int], subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", RECEIVERS, str(ENDPOINTS), str(DEAD)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        yield [int(port) for port in process.stdout.readline().split()], process
    finally:
        process.kill()
        process.wait(10)


def _received(process: subprocess.Popen[str]) -> np.ndarray:
    """Rows of endpoint, sending time and receipt."""
    text, _ = process.communicate("\n", timeout=30)
    return np.array([[float(part) for part in line.split()] for line in text.splitlines()])


async def _write(base: str, writes: int, ports: list[int]) -> None:
    """Write at the rate; with `ports` also call the receivers, which is the floor."""
    begun = time.monotonic()
    async with httpx.AsyncClient(timeout=30) as client:
        for turn in range(writes):
            await asyncio.sleep(max(0.0, begun + turn / RATE_PER_S - time.monotonic()))
            value = {"sent": {"type": "Property", "value": time.time()}}
            answer = await client.patch(f"{base}/entities/{ENTITY}/attrs", json=value)
            assert answer.status_code == 204, answer.text
            body = orjson.dumps({"data": [value]})
            await asyncio.gather(
                *(client.post(f"http://127.0.0.1:{port}/", content=body) for port in ports)
            )


def measure() -> Iterator[Figure]:
    """Latency of notifications over ten endpoints of which one is dead."""
    with installation() as dsn, _serving(dsn) as base:
        entity = {"id": ENTITY, "type": "Sensor", "sent": {"type": "Property", "value": 0}}
        assert httpx.post(f"{base}/entities", json=entity).status_code == 201
        with _receivers() as (ports, process):
            asyncio.run(_write(base, 200, [p for n, p in enumerate(ports) if n != DEAD]))
            floor = _received(process)
        with _receivers() as (ports, process):
            for port in ports:
                made = httpx.post(f"{base}/subscriptions", json={
                    "type": "Subscription", "entities": [{"type": "Sensor"}],
                    "notification": {"endpoint": {"uri": f"http://127.0.0.1:{port}/"}},
                })  # fmt: skip
                assert made.status_code == 201, made.text
            asyncio.run(_write(base, WARM + WRITES, []))
            time.sleep(2)
            rows = _received(process)
    threshold = np.unique(rows[:, 1])[WARM]
    rows = rows[rows[:, 1] >= threshold]
    late = (rows[:, 2] - rows[:, 1]) * 1000
    there = (ENDPOINTS - 1) * WRITES
    assert len(np.unique(rows[:, :2], axis=0)) == there, f"{len(rows)} of {there} came"
    direct = (floor[:, 2] - floor[:, 1]) * 1000
    p99, floor_p99 = (float(np.percentile(one, 99)) for one in (late, direct))
    yield Figure("notify_p99_ms", p99, "ms", P99_GOAL_MS, 1.0, less_is_better=True)
    yield Figure("notify_p50_ms", float(np.median(late)), "ms", float(np.median(direct)))
    yield Figure("notify_floor_p99_ms", floor_p99, "ms")
