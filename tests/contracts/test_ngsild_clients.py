"""Clients of NGSI-LD as they come from PyPI, against `onsil hub`.

They live in an environment of their own (`.clients`, by scripts/bootstrap.sh): their pins are old.
"""

import json
import subprocess
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from broker_process import BrokerProcess

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".clients" / "bin" / "python"
WALKS = Path(__file__).parent / "ngsild"


@pytest.fixture(scope="module")
def broker(postgres, tmp_path_factory):
    name = f"t_{uuid.uuid4().hex[:16]}"
    dsn = postgres.create_database(name, "onsil_template")
    made = BrokerProcess(dsn, tmp_path_factory.mktemp("hub"))
    made.start()
    yield made
    made.stop()
    postgres.drop_database(name)


@pytest.fixture
def receiver():
    """A receiver of notifications: its URL, and the bodies that came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/notify", came
    server.shutdown()
    server.server_close()


def walked(name, broker, receiver):
    """What a client found on its walk."""
    assert PYTHON.exists(), "the clients are not installed; `make test` installs them"
    done = subprocess.run(
        [PYTHON, "-W", "ignore", WALKS / f"walk_{name}.py", str(broker.port), receiver[0]],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def told(receiver, attribute):
    """Values of an attribute in the notifications, once there is one."""
    for _ in range(200):
        if receiver[1]:
            break
        time.sleep(0.05)
    return [one[attribute] for body in receiver[1] for one in body["data"]]


def test_ngsildclient_creates_queries_subscribes_and_looks_back(broker, receiver):
    found = walked("ngsildclient", broker, receiver)
    ids = [f"urn:ngsi-ld:AirQualityObserved:b{n}" for n in (1, 2, 3)]
    assert found["created"] is True
    assert "There is an entity with this id" in found["twice"]
    assert found["read"]["NO2"] == {
        "type": "Property", "value": 22, "unitCode": "GP", "observedAt": "2026-10-01T10:00:00Z",
    }  # fmt: skip
    assert found["read"]["refPlace"]["object"] == "urn:ngsi-ld:Place:square"
    assert found["exists"] == [True, False]
    assert (found["upserted"], found["updated"]) == (2, True)
    assert (found["all"], found["above"]) == (ids, [ids[0], ids[2]])
    assert (found["head"], found["count"]) == (2, 3)
    assert found["types"] == ["AirQualityObserved"]
    assert found["past"][:2] == [[22, "2026-10-01T10:00:00Z"], [30, "2026-10-01T11:00:00Z"]]
    assert [one["NO2"]["values"][0][0] for one in found["last"]] == [30, 5, 50]
    assert found["evolutions"] == 3
    assert found["subscribed"] == found["subscriptions"][0] == "urn:ngsi-ld:Subscription:s1"
    assert told(receiver, "NO2")[0]["value"] == 77
    assert (found["left"], found["deleted"], found["dropped"]) == (2, True, 0)


def test_filip_creates_queries_subscribes_and_writes_batches(broker, receiver):
    found = walked("filip", broker, receiver)
    assert found["place"].endswith("/entities/urn:ngsi-ld:Room:1")
    assert found["read"]["temperature"] == {"type": "Property", "value": 21.5, "unitCode": "CEL"}
    assert (found["plain"]["temperature"], found["plain"]["isIn"]) == (
        21.5, "urn:ngsi-ld:Building:1",
    )  # fmt: skip
    assert (found["changed"]["temperature"], found["changed"]["humidity"]) == (25, 40)
    assert (found["paged"], found["above"]) == (59, 9)
    assert found["subscribed"] == found["subscriptions"][0] == "urn:ngsi-ld:Subscription:f1"
    assert found["subscription"] == "temperature>50"
    assert told(receiver, "temperature") == [99]
    assert found["related"] is True
    assert "temperature" not in found["without"]
    assert (found["left"], found["gone"]) == (0, 404)
