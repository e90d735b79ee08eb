"""The stand-alone broker over HTTP: create, partial update, get, batch upsert, with all of it on.

The broker runs as a user runs it, with a PostgreSQL of its own, durable, keeping the history and
matching a subscription. A process of its own sends the load over keep-alive connections. Beside
each figure stands its floor, taken in the same run: the least SQL that does the same with the
entities' tables, by pgbench with as many clients, or raw COPY of as many values.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg

from bench import _requests
from bench.figure import Figure
from onsil.configuration import embedded_home
from onsil.supervisor.postgres import EmbeddedPostgres, program

CONNECTIONS = 16
SECONDS = 5.0
GOALS = {"update": 800.0, "get": 2000.0, "batch": 20_000.0}
_SCRIPTS = {
    "create": """
\\set n random(1, 1000000000)
BEGIN;
INSERT INTO hub_entity (city, uri, type_ids, doc, created_at, modified_at)
SELECT 'floor', 'floor-' || (:n)::text || random()::text, '{1}', doc, now(), now()
  FROM floor_entity WHERE k = 1 RETURNING eid \\gset
INSERT INTO hub_entity_type (city, type_id, eid) VALUES ('floor', 1, :eid);
INSERT INTO hub_attr_num (city, attr_id, value, eid)
SELECT 'floor', a, a, :eid::bigint FROM generate_series(1, 6) a;
INSERT INTO hub_attr_str (city, attr_id, value, eid)
SELECT 'floor', a, 'x', :eid::bigint FROM generate_series(1, 2) a;
INSERT INTO hub_attr_rel (city, attr_id, value, eid) VALUES ('floor', 1, 'x', :eid);
INSERT INTO hub_attr_geo (city, attr_id, bounds, eid)
VALUES ('floor', 1, box '((1,1),(1,1))', :eid);
COMMIT;
""",
    "update": """
\\set k random(1, 2000)
BEGIN;
SELECT eid FROM floor_entity WHERE k = :k \\gset
SELECT 1 FROM hub_entity WHERE city = 'default' AND eid = :eid FOR NO KEY UPDATE;
UPDATE hub_entity SET doc = floor_entity.doc, modified_at = now() FROM floor_entity
 WHERE k = :k AND city = 'default' AND hub_entity.eid = floor_entity.eid;
DELETE FROM hub_attr_num WHERE city = 'default' AND eid = :eid AND attr_id = 0;
INSERT INTO hub_attr_num (city, attr_id, value, eid) VALUES ('default', 0, random(), :eid);
COMMIT;
""",
    "get": """
\\set k random(1, 2000)
SELECT e.* FROM hub_entity e WHERE city = 'default'
   AND uri = (SELECT uri FROM floor_entity WHERE k = :k);
""",
}
_PREPARE = """
CREATE TABLE floor_entity AS
SELECT row_number() OVER () AS k, eid, uri, doc FROM hub_entity WHERE city = 'default' LIMIT 2000;
ALTER TABLE floor_entity ADD PRIMARY KEY (k);
ANALYZE;
"""


@contextmanager
def broker() -> Iterator[tuple[int, EmbeddedPostgres]]:
    """A broker's port and its database server, both gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="onsil-bench-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = EmbeddedPostgres.at(embedded_home(folder.resolve()))
    process = subprocess.Popen(
        [sys.executable, "-m", "onsil.cli", "hub", "--port", str(port), "--data", str(folder)],
        stdout=sys.stderr,
    )
    try:
        _wait(port)
        yield port, server
    finally:
        process.terminate()
        process.wait()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if _call(port, "GET", "/types")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("the broker did not start")


def _call(port: int, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    content = None if body is None else json.dumps(body)
    connection.request(method, f"/ngsi-ld/v1{path}", content, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def fill(port: int) -> None:
    """The entities that are read and updated, and a subscription that looks at every write."""
    for start in range(0, _requests.HELD, 500):
        body = [_requests.entity(n) for n in range(start, start + 500)]
        assert _call(port, "POST", "/entityOperations/create", body)[0] == 201
    for place in range(CONNECTIONS):
        _, _, body = next(_requests.batch(place, CONNECTIONS, 0)).partition(b"\r\n\r\n")
        assert _call(port, "POST", "/entityOperations/upsert", json.loads(body))[0] == 201
    status, answer = _call(port, "POST", "/subscriptions", {
        "type": "Subscription", "entities": [{"type": "BeeHive"}], "q": "temperature>1000",
        "watchedAttributes": ["temperature"],
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/nobody"}},
    })  # fmt: skip
    assert status == 201, answer


def load(port: int, scenario: str, connections: int = CONNECTIONS) -> dict[str, Any]:
    """What the load's process measured."""
    first = str(int(time.time() * 1000) % 10**9)
    done = subprocess.run(
        [sys.executable, "-m", "bench._load", str(port), scenario, str(connections), str(SECONDS),
         first],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert not found["failed"], found["failed"]
    return found


def floor(server: EmbeddedPostgres, scenario: str) -> float:
    """Transactions a second of the same by pgbench."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_SCRIPTS[scenario])
        script.flush()
        done = subprocess.run(
            [str(program("pgbench")), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1",
             "-T", str(int(SECONDS)), "-f", script.name, server.dsn()],
            check=False, capture_output=True, text=True,
            env=os.environ | {"PGOPTIONS": "-c onsil.city=*"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    line = next(text for text in done.stdout.splitlines() if text.startswith("tps"))
    return float(line.split()[2])


def copied(server: EmbeddedPostgres) -> float:
    """Values a second of raw COPY into the numbers' table, a commit for each batch's many."""
    size = _requests.BATCH * _requests.VALUES
    with psycopg.connect(server.dsn()) as connection:
        started, done = time.monotonic(), 0
        while time.monotonic() - started < SECONDS / 2:
            with connection.cursor().copy(
                "COPY hub_attr_num (city, attr_id, value, eid) FROM STDIN"
            ) as copy:
                for number in range(size):
                    copy.write_row(("floor", number % 10, float(done + number), number))
            connection.commit()
            done += size
        return done / (time.monotonic() - started)


def measure() -> Iterator[Figure]:
    """Requests and values a second, each beside its floor."""
    with broker() as (port, server):
        fill(port)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(_PREPARE)
        for scenario in ("get", "update", "create"):
            found = load(port, scenario)
            rate = found["answered"] / found["seconds"]
            yardstick = floor(server, scenario)
            goal = GOALS[scenario] / yardstick if scenario in GOALS else None
            yield Figure(f"{scenario}_per_s", rate, "requests/s", yardstick, goal)
        found = load(port, "batch", 4)
        values = found["answered"] * _requests.BATCH * _requests.VALUES / found["seconds"]
        yardstick = copied(server)
        yield Figure(
            "batch_values_per_s", values, "values/s", yardstick, GOALS["batch"] / yardstick
        )


if __name__ == "__main__":
    for one in measure():
        print(json.dumps(one.row("hub")), flush=True)
