"""A door open to writing, on a database of the test's own."""

from contextlib import contextmanager

from starlette.testclient import TestClient

from onsil.hub.http.app import make_app
from onsil.hub.http.gate import ERRORS

API = "/ngsi-ld/v1"
TEMPORAL = "/temporal/entities"
CITY = "pyeongtaek"
VEHICLE = "urn:ngsi-ld:Vehicle:t1"


class Broker:
    """Calls to one broker; `problem` reads an error."""

    def __init__(self, client):
        self.client = client

    def call(self, method, path, json=None, headers=None, **params):
        return self.client.request(
            method, API + path, json=json, params=params or None, headers=headers
        )

    def get(self, path=TEMPORAL, headers=None, **params):
        return self.call("GET", path, headers=headers, **params)

    def create(self, uri=VEHICLE, types="Vehicle", **attrs):
        answer = self.call("POST", TEMPORAL, {"id": uri, "type": types, **attrs})
        assert answer.status_code == 201, answer.text
        return uri

    def one(self, uri=VEHICLE, **params):
        answer = self.get(f"{TEMPORAL}/{uri}", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def broker(dsn, clock=None):
    with TestClient(make_app(dsn, CITY, clock=clock, open_writing=True)) as client:
        yield Broker(client)


def problem(answer):
    return answer.status_code, answer.json()["type"].removeprefix(ERRORS)


def series(*points, kind="Property", key="value", **more):
    """Instances with observedAt: pairs of (value, minute or time)."""
    return [{"type": kind, key: value, "observedAt": at, **more} for value, at in points]


SPEED = series(
    (120, "2020-08-01T12:03:00Z"), (80, "2020-08-01T12:05:00Z"), (100, "2020-08-01T12:07:00Z")
)
FUEL = series(
    (67, "2020-08-01T12:03:00Z"), (53, "2020-08-01T13:05:00Z"), (40, "2020-08-01T14:07:00Z")
)
