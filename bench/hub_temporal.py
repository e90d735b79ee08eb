"""The temporal interface over HTTP: hourly aggregation of 100,000 points, and a range.

The broker is a process of its own; the floor is the same answer's SQL on the same rows through
psycopg, in the same run: date_bin over the points for the aggregation, the range's rows.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import psycopg

from bench.database import installation
from bench.figure import Figure
from onsil import hub
from onsil.core.database import connect
from onsil.hub.arrays import microseconds
from onsil.hub.steps import run
from onsil.hub.storing import Block, Row, store

CITY = "pyeongtaek"
METER = "urn:ngsi-ld:Meter:pyeongtaek:m-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)
POINTS = 100_000
ROUNDS = 60
AGGREGATE_GOAL_MS = 25.0
HOURLY = {
    "options": "aggregatedValues", "aggrMethods": "avg,min,max", "aggrPeriodDuration": "PT1H",
    "timerel": "between", "timeAt": "2025-03-01T00:00:00Z", "endTimeAt": "2025-06-01T00:00:00Z",
    "attrs": "activePower",
}  # fmt: skip
RANGE = {
    "timerel": "between", "timeAt": "2025-03-10T00:00:00Z", "endTimeAt": "2025-03-11T00:00:00Z",
    "attrs": "activePower", "options": "temporalValues", "instanceLimit": "10000",
}  # fmt: skip
_FLOOR_AGGREGATE = """
SELECT date_bin('1 hour', ts, '2025-03-01Z'), avg(num), min(num), max(num) FROM hub_point
 WHERE city = %s AND series_id = %s AND ts >= '2025-03-01Z' AND ts < '2025-06-01Z'
 GROUP BY 1 ORDER BY 1
"""
_FLOOR_RANGE = """
SELECT num, ts FROM hub_point
 WHERE city = %s AND series_id = %s AND ts >= '2025-03-10Z' AND ts < '2025-03-11Z' ORDER BY ts
"""


def fill(dsn: str) -> int:
    """A series with a point a minute; its number."""
    with connect(dsn, CITY) as conn:
        made = hub.ensure_series(conn, CITY, [hub.SeriesSpec(METER, "activePower", "W", 60)])
        number = made[METER, "activePower"].id
        values = np.random.default_rng(7).normal(1000, 250, POINTS).round(2)
        rows = [
            Row(number, microseconds(T0 + timedelta(minutes=n)), n, float(value), 0, False)
            for n, value in enumerate(values)
        ]
        for first in range(0, POINTS, 10_000):
            run(conn, store(CITY, Block.of(rows[first : first + 10_000])))
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")
    return number


_SERVE = """
import sys
from granian.constants import Interfaces
from granian.server import Server
Server(sys.argv[1], address="127.0.0.1", port=int(sys.argv[2]), interface=Interfaces.ASGI,
       workers=1, log_enabled=False).serve()
"""
_APP = """
import os
from onsil.hub.http.app import make_app
app = make_app(os.environ["BENCH_DSN"], "pyeongtaek", open_writing=True)
"""


def serve(dsn: str, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The broker alone, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "bench_hub_app.py").write_text(_APP)
    path = os.pathsep.join([str(folder), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, "bench_hub_app:app", str(port)],
        env=os.environ | {"BENCH_DSN": dsn, "PYTHONPATH": path}, stdout=sys.stderr,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}/ngsi-ld/v1/temporal/entities/{METER}"
    for _ in range(200):
        try:
            if httpx.get(address, params=RANGE).status_code == 200:
                return process, address
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the broker does not answer")


def p50_ms(call: Callable[[], object]) -> float:
    """The median of many calls, one after another, in milliseconds."""
    for _ in range(5):
        call()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def measure() -> Iterator[Figure]:
    """Aggregation and range, each beside its SQL."""
    folder = Path(tempfile.mkdtemp(prefix="onsil-bench-"))
    try:
        with installation() as dsn:
            number = fill(dsn)
            process, address = serve(dsn, folder)
            try:
                with (
                    httpx.Client() as client,
                    psycopg.connect(dsn, autocommit=True) as conn,
                ):
                    hours = client.get(address, params=HOURLY).json()["activePower"]["avg"]
                    assert len(hours) == -(-POINTS // 60), len(hours)
                    told = p50_ms(lambda: client.get(address, params=HOURLY))
                    floor = p50_ms(
                        lambda: conn.execute(_FLOOR_AGGREGATE, (CITY, number)).fetchall()
                    )
                    goal = AGGREGATE_GOAL_MS / floor
                    yield Figure("aggregate_100k_p50_ms", told, "ms", floor, goal,
                                 less_is_better=True)  # fmt: skip
                    day = client.get(address, params=RANGE).json()["activePower"]["values"]
                    assert len(day) == 1440, len(day)
                    told = p50_ms(lambda: client.get(address, params=RANGE))
                    floor = p50_ms(lambda: conn.execute(_FLOOR_RANGE, (CITY, number)).fetchall())
                    yield Figure("temporal_range_1440_p50_ms", told, "ms", floor,
                                 less_is_better=True)  # fmt: skip
            finally:
                process.terminate()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
