"""A page of entities kept as texts is what the database holds, whatever was written meanwhile."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from starlette.testclient import TestClient

from onsil.core.clock import FixedClock
from onsil.hub.contexts import CORE
from onsil.hub.http.app import make_app
from onsil.hub.http.rendered import Key, Rendered
from onsil.hub.query.finding import Mark

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADERS = {"Content-Type": "application/json"}
WANTED = "/ngsi-ld/v1/entities?type=Lamp&q=power<100"


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def client(fresh_database, clock):
    with TestClient(make_app(fresh_database, "kept", clock=clock, open_writing=True)) as made:
        yield made


def _uri(number: int) -> str:
    return f"urn:ngsi-ld:Lamp:kept:{number}"


def _powers(client: TestClient, path: str = WANTED) -> dict[str, object]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return {one["id"]: one["power"]["value"] for one in answer.json()}


def _fill(client: TestClient, **more: object) -> None:
    body = [
        {"id": _uri(n), "type": "Lamp", "power": {"type": "Property", "value": n, **more}}
        for n in range(4)
    ]
    assert client.post("/ngsi-ld/v1/entityOperations/create", json=body).status_code == 201


def test_what_changes_is_told_anew_and_what_goes_is_gone(client):
    _fill(client)
    assert _powers(client) == {_uri(n): n for n in range(4)}
    patch = {"power": {"type": "Property", "value": 50}}
    assert client.patch(f"/ngsi-ld/v1/entities/{_uri(1)}/attrs", json=patch).status_code == 204
    assert _powers(client) == {_uri(0): 0, _uri(1): 50, _uri(2): 2, _uri(3): 3}
    patch["power"]["value"] = 500
    assert client.patch(f"/ngsi-ld/v1/entities/{_uri(2)}/attrs", json=patch).status_code == 204
    assert client.delete(f"/ngsi-ld/v1/entities/{_uri(0)}").status_code == 204
    assert _powers(client) == {_uri(1): 50, _uri(3): 3}
    assert _powers(client, WANTED + "&limit=1&offset=1") == {_uri(3): 3}


def test_each_form_and_context_has_texts_of_its_own(client):
    _fill(client)
    plain, simple = client.get(WANTED).json(), client.get(WANTED + "&options=keyValues").json()
    assert simple == [{"id": _uri(n), "type": "Lamp", "power": n} for n in range(4)]
    assert client.get(WANTED).json() == plain
    ld = client.get(WANTED, headers={"Accept": "application/ld+json"}).json()
    assert [one.pop("@context") is not None and one for one in ld] == plain
    assert [one["power"]["value"] for one in client.get(WANTED + "&attrs=power").json()] == [
        0, 1, 2, 3,
    ]  # fmt: skip
    counted = client.get(WANTED + "&count=true&limit=2")
    assert counted.headers["NGSILD-Results-Count"] == "4"
    assert counted.json() == plain[:2]
    assert 'rel="next"' in counted.headers["Link"]


def test_an_attribute_that_expires_is_gone_in_time(client, clock):
    until = (NOW + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    _fill(client)
    glow = {"glow": {"type": "Property", "value": 1, "expiresAt": until}}
    client.post(f"/ngsi-ld/v1/entities/{_uri(1)}/attrs", json=glow)
    assert ["glow" in one for one in client.get(WANTED).json()] == [False, True, False, False]
    clock.instant = NOW + timedelta(minutes=2)
    assert not any("glow" in one for one in client.get(WANTED).json())


def test_one_entity_is_told_as_it_is_now(client, clock):
    _fill(client, expiresAt=(NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z"))
    path = f"/ngsi-ld/v1/entities/{_uri(2)}"
    first = client.get(path)
    assert first.json()["power"]["value"] == 2
    clock.instant = NOW + timedelta(hours=2)
    assert "power" not in client.get(path).json()
    lit = {"lit": {"type": "Property", "value": True}}
    client.post(f"{path}/attrs", json=lit)
    told = client.get(path)
    assert client.get(path).json() == told.json() == {"id": _uri(2), "type": "Lamp", **lit}
    assert client.get(path, headers={"Accept": "application/ld+json"}).json()["@context"]
    assert client.get(f"{path}?options=keyValues").json()["lit"] is True
    assert first.headers["Link"] == told.headers["Link"]
    client.delete(path)
    assert client.get(path).status_code == 404


def test_texts_are_bounded_and_the_longest_unused_go_first():
    kept = Rendered(most=3 * 500)
    keys: list[Key] = [("city", n, CORE, "normalized") for n in range(4)]
    mark = Mark(1, "7", 1.0, False)
    for key in keys[:3]:
        kept.keep(key, mark, orjson.dumps("x" * 90))
    assert kept.get(keys[0])
    kept.keep(keys[3], mark, orjson.dumps("x" * 90))
    kept.keep(keys[3], mark._replace(transaction="8"), orjson.dumps("y" * 90))
    assert [kept.get(key) is not None for key in keys] == [True, False, True, True]
    assert len(kept) == 3
