"""The broker as a process: races of many writers, kills, tokens, its own database."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from broker_process import BrokerProcess


@pytest.fixture
def broker(fresh_database, tmp_path):
    made = BrokerProcess(fresh_database, tmp_path / "data", "--workers", "2")
    made.start()
    yield made
    made.stop()


def prop(value):
    return {"type": "Property", "value": value}


def thing(number, **attrs):
    return {"id": f"urn:ngsi-ld:Thing:{number}", "type": "Thing", **attrs}


def deadlocks(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return row[0] if row else 0


def test_writers_of_the_same_entities_never_deadlock_lose_or_double(broker, fresh_database):
    def upsert(turn):
        numbers = random.Random(turn).sample(range(30), 20)
        numbers += numbers[:3]  # some ids twice in one batch
        batch = [thing(n, **{f"a{turn}": prop(turn), "last": prop(turn)}) for n in numbers]
        status, _ = broker.call("POST", "/entityOperations/upsert?options=update", batch)
        return turn, set(numbers), status

    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(upsert, range(48)))
    assert {status for _, _, status in done} <= {201, 204}
    for number in range(30):
        wanted = {f"a{turn}" for turn, numbers, _ in done if number in numbers}
        _, entity = broker.call("GET", f"/entities/{thing(number)['id']}?options=keyValues")
        assert set(entity) == wanted | {"id", "type", "last"}
    status, found = broker.call("GET", "/entities?type=Thing&limit=1000")
    assert (status, len(found)) == (200, 30)
    with psycopg.connect(fresh_database) as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT (eid, attr_id)) FROM hub_attr_num"
        )
        (total, distinct) = rows.fetchone() or (0, 1)
        assert total == distinct == sum(len(n) for _, n, _ in done) + 30
    assert deadlocks(fresh_database) == 0


def test_of_many_creators_one_wins(broker):
    def create(_turn):
        return broker.call("POST", "/entities", thing(1))[0]

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(create, range(30)))
    assert statuses == [201] + [409] * 29


def test_a_new_tenant_is_born_once_whoever_comes_first(broker, fresh_database):
    def create(turn):
        batch = [thing(f"{turn}-{n}", **{f"x{n % 7}": prop(n)}) for n in range(20)]
        return broker.call("POST", "/entityOperations/create", batch, tenant="fresh")[0]

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(create, range(20))) == {201}
    _, found = broker.call("GET", "/entities?type=Thing&limit=1000", tenant="fresh")
    assert len(found) == 400
    assert broker.call("GET", "/entities?type=Thing", tenant="other")[0] == 404
    assert deadlocks(fresh_database) == 0


def test_single_updates_of_one_entity_are_all_there(broker):
    broker.call("POST", "/entities", thing(1))

    def append(turn):
        return broker.call("POST", "/entities/urn:ngsi-ld:Thing:1/attrs", {f"a{turn}": prop(turn)})

    with ThreadPoolExecutor(16) as pool:
        assert {status for status, _ in pool.map(append, range(100))} == {204}
    _, entity = broker.call("GET", "/entities/urn:ngsi-ld:Thing:1?options=keyValues")
    assert len(entity) == 102


def test_a_refusal_is_nobody_elses_business(broker):
    def write(turn):
        body = thing(turn) if turn % 2 else thing(0)
        return turn, broker.call("POST", "/entities", body)[0]

    broker.call("POST", "/entities", thing(0))
    with ThreadPoolExecutor(16) as pool:
        for turn, status in pool.map(write, range(60)):
            assert status == (201 if turn % 2 else 409)


def test_what_was_acknowledged_survives_a_kill(broker):
    acknowledged, stop = [], threading.Event()

    def write(place):
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                status, _ = broker.call("POST", "/entities", thing(f"{place}-{turn}"))
            except OSError:
                return
            if status == 201:
                acknowledged.append(f"{place}-{turn}")

    threads = [threading.Thread(target=write, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 60:
        stop.wait(0.02)
    broker.kill()
    stop.set()
    for thread in threads:
        thread.join()
    broker.start()
    for mark in acknowledged:
        assert broker.call("GET", f"/entities/{thing(mark)['id']}")[0] == 200
        assert broker.call("GET", f"/temporal/entities/{thing(mark)['id']}")[0] in (200, 206)


def test_a_token_closes_writing(fresh_database, tmp_path):
    broker = BrokerProcess(fresh_database, tmp_path / "data", "--token", "s3cret")
    broker.start()
    try:
        assert broker.call("POST", "/entities", thing(1))[0] == 401
        assert broker.call("POST", "/entities", thing(1), token="wrong")[0] == 401
        assert broker.call("DELETE", "/entities?local=true")[0] == 401
        assert broker.call("POST", "/entities", thing(1), token="s3cret")[0] == 201
        assert broker.call("GET", "/entities?type=Thing")[0] == 200
    finally:
        broker.stop()


def test_it_brings_its_own_database_and_keeps_it(tmp_path):
    from onsil.configuration import embedded_home
    from onsil.supervisor.postgres import EmbeddedPostgres

    broker = BrokerProcess("", tmp_path / "data")
    server = EmbeddedPostgres.at(embedded_home((tmp_path / "data").resolve()))
    try:
        broker.start()
        assert broker.call("POST", "/entities", thing(1))[0] == 201
        assert broker.stop() == 0
        assert not server.running()
        broker.start()
        assert broker.call("GET", f"/entities/{thing(1)['id']}")[0] == 200
        assert broker.stop() == 0
    finally:
        server.remove()


def test_the_tables_are_those_of_migrate(postgres):
    """What the broker builds without Django, Django's `migrate` takes for its own."""
    import os
    import subprocess
    import sys

    from onsil.supervisor.tables import build_tables

    dsn = postgres.create_database("alone_tables")
    try:
        assert build_tables(dsn) > 10
        assert build_tables(dsn) == 0
        done = subprocess.run(
            [sys.executable, "-m", "django", "migrate", "-v0"], check=False, capture_output=True,
            env=os.environ | {"ONSIL_DATABASE_URL": dsn,
                              "DJANGO_SETTINGS_MODULE": "onsil.web.settings"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-500:]
    finally:
        postgres.drop_database("alone_tables")
