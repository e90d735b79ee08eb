"""Attributes that expire: GS CIM 009 V1.9.1 §4.22."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from onsil.core.clock import FixedClock
from onsil.core.database import ALL_CITIES
from onsil.hub.expiring import due
from onsil.hub.http.app import make_app
from onsil.hub.tenants import sweep_attributes

NOW = datetime(2026, 6, 1, tzinfo=UTC)
V1 = "/ngsi-ld/v1"
HERE = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [127, 37]}}
ENDS = "2026-06-01T01:00:00Z"
ENTITY = {
    "id": "urn:x:1", "type": "T", "lasting": {"type": "Property", "value": 1},
    "speed": {"type": "Property", "value": 9, "expiresAt": ENDS},
    "place": {**HERE, "expiresAt": ENDS},
}  # fmt: skip
PLACE = "georel=near;maxDistance==10&geometry=Point&coordinates=[127,37]&geoproperty=place"


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def client(fresh_database, clock):
    app = make_app(fresh_database, "default", open_writing=True, clock=clock)
    with TestClient(app) as client:
        client.door = app.door
        assert client.post(f"{V1}/entities", json=ENTITY).status_code == 201
        yield client


def sweep(client, now):
    """What the broker does of itself every few seconds."""
    db = client.door.db
    found = client.portal.call(db.read, ALL_CITIES, due(now, 100))
    for city, uris in found.items():
        client.portal.call(db.write, city, lambda c=city, u=uris: sweep_attributes(c, u, now))
    return found


def found(client, query):
    answer = client.get(f"{V1}/entities?type=T&count=true&{query}")
    assert answer.status_code == 200
    return len(answer.json()), answer.headers["NGSILD-Results-Count"]


def test_what_has_expired_is_neither_shown_nor_found_by_its_value(client, clock):
    assert found(client, "q=speed>1") == (1, "1")
    clock.advance(timedelta(hours=2))
    assert client.get(f"{V1}/entities/urn:x:1").json().keys() == {"id", "type", "lasting"}
    for query in ("q=speed>1", "q=speed", "q=speed==9"):
        assert found(client, query) == (0, "0")
    assert found(client, "q=lasting==1") == (1, "1")


def test_what_has_expired_leaves_the_indexes_and_the_history_tells_when(client, clock):
    assert sweep(client, NOW) == {}
    clock.advance(timedelta(hours=2))
    assert sweep(client, clock.now()) == {"default": ["urn:x:1"]}
    assert sweep(client, clock.now()) == {}
    for query in ("attrs=speed", PLACE, "q=speed"):
        assert found(client, query) == (0, "0")
    assert client.get(f"{V1}/attributes/speed").status_code == 404
    (left,) = client.get(f"{V1}/types/T").json()["attributeDetails"]
    assert left["attributeName"] == "lasting"
    gone = client.get(
        f"{V1}/temporal/entities/urn:x:1?timerel=after&timeAt=2026-06-01T01:00:00Z"
        "&timeproperty=deletedAt"
    )
    assert gone.status_code in (200, 206)
    assert {"speed", "place"} <= gone.json().keys()


def test_an_end_that_is_taken_away_is_none(client, clock):
    speed = {"speed": {"type": "Property", "value": 9}, "place": HERE}
    assert client.patch(f"{V1}/entities/urn:x:1/attrs", json=speed).status_code == 204
    clock.advance(timedelta(hours=2))
    assert sweep(client, clock.now()) == {}
    assert found(client, "q=speed==9") == (1, "1")
