"""A stand-alone broker with an empty database, and a client of it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from onsil.hub.http.app import make_app

API = "/ngsi-ld/v1"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


class Client:
    """Calls below `/ngsi-ld/v1`; `problem` reads an error."""

    def __init__(self, client: TestClient) -> None:
        self.http = client

    def call(self, method: str, path: str, json: Any = None, **headers: str):
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.http.request(method, API + path, json=json, headers=named)

    def get(self, path: str, **headers: str):
        return self.call("GET", path, **headers)

    def post(self, path: str, json: Any, **headers: str):
        return self.call("POST", path, json, **headers)

    def entity(self, uri: str, options: str = "") -> Any:
        answer = self.get(f"/entities/{uri}{options}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make(self, *entities: Any) -> None:
        for entity in entities:
            answer = self.post("/entities", entity)
            assert answer.status_code == 201, answer.text


@pytest.fixture
def broker(fresh_database):
    with TestClient(make_app(fresh_database, "default", open_writing=True)) as client:
        yield Client(client)


@pytest.fixture
def problem():
    """(status, error type) of an answer that must be a ProblemDetails (§5.5.3, §6.3.3)."""

    def read(answer) -> tuple[int, str]:
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert body["title"]
        assert body["status"] == answer.status_code
        return answer.status_code, body["type"].removeprefix(ERRORS)

    return read
