"""Two brokers on sockets and databases of their own: federated, away, and in a loop."""

import os
import socket
import subprocess
import sys
import time

import httpx
import psycopg
import pytest

ONE = "urn:ngsi-ld:Vehicle:1"
_SERVE = """
import sys
from granian.constants import Interfaces
from onsil.hub.http.app import make_app
app = make_app(sys.argv[2], "default", open_writing=True)
if __name__ == "__main__":
    from granian.server.embed import Server
    import asyncio
    asyncio.run(Server(app, port=int(sys.argv[1]), interface=Interfaces.ASGI).serve())
"""


class Process:
    """One broker in a process of its own."""

    def __init__(self, dsn, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        script = folder / f"broker{self.port}.py"
        script.write_text(_SERVE)
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(self.port), dsn], env=os.environ
        )
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=f"{self.url}/ngsi-ld/v1", timeout=30)
        self.alias = self._started()

    def _started(self):
        until = time.monotonic() + 90
        while True:
            try:
                return self.http.get("/info/sourceIdentity").json()["contextSourceAlias"]
            except (httpx.HTTPError, KeyError):
                assert time.monotonic() < until
                assert self.process.poll() is None
                time.sleep(0.2)

    def register(self, other, **more):
        body = {
            "id": f"urn:x:{other.port}", "type": "ContextSourceRegistration",
            "information": [{"entities": [{"type": "Vehicle"}]}], "endpoint": other.url,
            "operations": ["redirectionOps", "federationOps"], **more,
        }  # fmt: skip
        answer = self.http.post("/csourceRegistrations", json=body)
        assert answer.status_code == 201, answer.text

    def stop(self):
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def brokers(fresh_database, postgres, tmp_path):
    second = f"onsil_second_{os.getpid()}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {second} TEMPLATE onsil_template")
    made = [Process(fresh_database, tmp_path), Process(postgres.dsn(second), tmp_path)]
    yield made
    for one in made:
        one.stop()
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {second} WITH (FORCE)")


def vehicle(**values):
    attrs = {n: {"type": "Property", "value": v} for n, v in values.items()}
    return {"id": ONE, "type": "Vehicle", **attrs}


def test_one_broker_serves_what_another_holds_until_that_is_gone_and_loops_end(brokers):
    here, there = brokers
    assert here.alias != there.alias
    here.register(there, management={"timeout": 15000})
    there.register(here, management={"timeout": 15000})  # a loop: each asks the other

    made = here.http.post("/entities", json=vehicle(speed=1))
    assert made.status_code == 201, made.text
    for one in brokers:
        assert one.http.get(f"/entities/{ONE}", params={"local": "true"}).status_code == 200

    more = there.http.post(
        f"/entities/{ONE}/attrs", params={"local": "true"},
        json={"name": {"type": "Property", "value": "there"}},
    )  # fmt: skip
    assert more.status_code == 204
    found = here.http.get(f"/entities/{ONE}", params={"options": "keyValues"}).json()
    assert found == {"id": ONE, "type": "Vehicle", "speed": 1, "name": "there"}
    changed = here.http.patch(f"/entities/{ONE}/attrs/speed", json={"value": 5})
    assert changed.status_code == 204, changed.text
    assert (
        there.http.get(f"/entities/{ONE}", params={"local": "true", "options": "keyValues"}).json()[
            "speed"
        ]
        == 5
    )
    query = {"type": "Vehicle", "q": 'name=="there"', "count": "true"}
    answer = here.http.get("/entities", params=query)
    assert [e["id"] for e in answer.json()] == [ONE]

    there.stop()
    begun = time.monotonic()
    answer = here.http.get(f"/entities/{ONE}", params={"options": "keyValues"})
    assert time.monotonic() - begun < 5
    assert answer.json()["speed"] == 5
    assert answer.headers["NGSILD-Warning"].startswith(f"199 urn:x:{there.port}")
    changed = here.http.patch(f"/entities/{ONE}/attrs/speed", json={"value": 6})
    assert changed.status_code == 207
    assert changed.json()["notUpdated"][0]["registrationId"] == f"urn:x:{there.port}"
