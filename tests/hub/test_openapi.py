"""The door's OpenAPI document: whole, true, and walked by somebody who means no good."""

import pytest
from starlette.testclient import TestClient

from onsil.hub.http.app import RESOURCES, make_app
from onsil.hub.http.door import PREFIX
from onsil.hub.http.gate import BODY_MAX, DEPTH_MAX
from onsil.hub.http.openapi import OPERATIONS, document
from onsil.hub.http.routing import PARAMETERS

VALUES = {
    "id": "urn:ngsi-ld:Thing:1", "attribute": "speed", "type": "Thing",
    "instance": "urn:ngsi-ld:Instance:1",
}  # fmt: skip
EVERY = [
    (method, path, one) for path, methods in OPERATIONS.items() for method, one in methods.items()
]
NAMES = [f"{method} {path}" for method, path, _ in EVERY]
# What shows nothing of a tenant's: who the broker is, and copies of public contexts.
EVERYONES = ("/info/sourceIdentity", "/openapi.json", "/jsonldContexts")
# A map is its reader's, known by an id that nobody guesses.
READING = (
    "/entityOperations/query", "/temporal/entityOperations/query", "/entityMaps",
    "/entityMaps/{id}", "/temporal/entityMaps",
)  # fmt: skip


def target(path):
    return PREFIX + path.format(**VALUES)


def documented(path, method, status):
    return str(status) in document()["paths"][path][method]["responses"]


@pytest.fixture(scope="module")
def door():
    return make_app("postgresql://nobody@127.0.0.1:1/none", "default", open_writing=True).door


def test_every_route_of_the_standard_is_in_the_document(door):
    there = {
        (route.path.removeprefix(PREFIX), method.lower())
        for part in RESOURCES for route in part.routes(door) if route.path.startswith(PREFIX)
        for method in route.methods if method != "HEAD"
    }  # fmt: skip
    told = {(path, method) for method, path, _ in EVERY}
    assert there == told


def test_every_parameter_is_one_the_door_takes():
    assert {name for _, _, one in EVERY for name in one.parameters} <= PARAMETERS


@pytest.fixture
def closed(fresh_database):
    with TestClient(make_app(fresh_database, "default", operator_token="right")) as client:
        yield client


def test_nobody_writes_without_a_token_or_to_a_tenant_that_is_not_there(closed):
    for method, path, _ in EVERY:
        reads = method == "get" or path in READING
        call = {"headers": {"Content-Type": "application/json"}}
        if method in ("post", "put", "patch"):
            call["content"] = b"{}"
        if not reads:
            for token in ("", "wrong"):
                call["headers"]["Authorization"] = f"Bearer {token}"
                answer = closed.request(method, target(path), **call)
                assert answer.status_code == 401, (method, path, answer.text)
        call["headers"] |= {"Authorization": "Bearer right", "NGSILD-Tenant": "nobody"}
        if reads and path not in EVERYONES:
            answer = closed.request(method, target(path), **call)
            assert answer.status_code in (400, 404), (method, path, answer.text)


def test_what_is_malformed_is_refused_with_a_documented_status(fresh_database):
    deep = b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1)
    bombs = {"idPattern": "(a+)+$", "q": "a~=(b*)*c", "type": "(" * 500, "scopeQ": "(" * 500,
             "coordinates": "[" * 500, "pick": "{" * 500, "limit": "-1", "attrs": "\x00",
             "timeAt": "never", "aggrPeriodDuration": "P" * 90}  # fmt: skip
    with TestClient(
        make_app(fresh_database, "default", open_writing=True), raise_server_exceptions=False
    ) as client:
        for method, path, one in EVERY:
            for body in (b"", b"{", deep, b'"text"', b"[null]", b'{"id": 1}') if one.body else ():
                answer = client.request(
                    method, target(path), content=body,
                    headers={"Content-Type": "application/json"},
                )  # fmt: skip
                assert answer.status_code < 500, (method, path, body[:20], answer.text)
                assert documented(path, method, answer.status_code), (method, path, answer.text)
            for name, bomb in bombs.items():
                if name in one.parameters and not one.body:
                    answer = client.request(method, target(path), params={name: bomb})
                    assert answer.status_code < 500, (method, path, name, answer.text)
                    assert documented(path, method, answer.status_code), (method, path, name)
        big = client.post(
            f"{PREFIX}/entities", content=b" " * (BODY_MAX + 1),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert big.status_code == 413


def test_one_tenant_does_not_see_anothers(fresh_database):
    with TestClient(make_app(fresh_database, "default", open_writing=True)) as client:
        mine = {"NGSILD-Tenant": "mine"}
        entity = {"id": VALUES["id"], "type": "Thing", "speed": {"type": "Property", "value": 1}}
        source = {"id": "urn:x:1", "type": "ContextSourceRegistration",
                  "endpoint": "http://127.0.0.1:1",
                  "information": [{"entities": [{"type": "Other"}]}]}  # fmt: skip
        assert client.post(f"{PREFIX}/entities", json=entity, headers=mine).status_code == 201
        place = f"{PREFIX}/csourceRegistrations"
        assert client.post(place, json=source, headers=mine).status_code == 201
        for path in (
            f"/entities/{VALUES['id']}",
            "/csourceRegistrations/urn:x:1",
            f"/temporal/entities/{VALUES['id']}",
            "/types/Thing",
            "/attributes/speed",
        ):
            assert client.get(PREFIX + path, headers=mine).status_code == 200, path
            assert client.get(PREFIX + path).status_code == 404, path
