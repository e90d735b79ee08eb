"""What the load sends: requests as bytes, made beforehand as far as may be.

The entity is the one of a well-known public load set: six properties, two of them with several
instances, a relationship and a place.
"""

import json
from collections.abc import Iterator
from typing import Any

HELD = 2000
BATCH = 100
VALUES = 10


def uri(number: int) -> str:
    return f"urn:ngsi-ld:BeeHive:bench:{number}"


def entity(number: int) -> dict[str, Any]:
    """The template entity."""
    return {
        "id": uri(number), "type": "BeeHive",
        "name": {"type": "Property", "value": f"Hive {number}"},
        "dateOfFirstBee": {"type": "Property", "value": "2018-12-04T12:00:00Z"},
        "temperature": {"type": "Property", "value": 22.2, "unitCode": "CEL"},
        "humidity": {"type": "Property", "value": 60 + number % 30},
        "weight": [
            {"type": "Property", "value": 17.5},
            {"type": "Property", "value": 17.6, "datasetId": "urn:ngsi-ld:Dataset:scale2"},
        ],
        "luminosity": [
            {"type": "Property", "value": 120},
            {"type": "Property", "value": 130, "datasetId": "urn:ngsi-ld:Dataset:lux2"},
        ],
        "belongs": {"type": "Relationship", "object": "urn:ngsi-ld:Apiary:bench:1"},
        "location": {"type": "GeoProperty", "value": {
            "type": "Point", "coordinates": [24.3 + number % 100 / 1000, 60.1]}},
    }  # fmt: skip


def request(method: str, path: str, body: Any = None) -> bytes:
    return raw(method, f"/ngsi-ld/v1{path}", body)


def raw(method: str, target: str, body: Any = None) -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: bench\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    content = json.dumps(body).encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def create(place: int, count: int, first: int) -> Iterator[bytes]:
    number = first + place
    while True:
        yield request("POST", "/entities", entity(number))
        number += count


def update(place: int, count: int, first: int) -> Iterator[bytes]:
    number = place
    while True:
        number = (number + count) % HELD
        yield request(
            "PATCH", f"/entities/{uri(number)}/attrs/temperature",
            {"type": "Property", "value": (number * 7 + first) % 400 / 10},
        )  # fmt: skip
        first += 1


def get(place: int, count: int, first: int) -> Iterator[bytes]:
    ready = [request("GET", f"/entities/{uri(n)}") for n in range(place, HELD, count)]
    while True:
        yield from ready


def batch(place: int, count: int, first: int) -> Iterator[bytes]:
    """Upserts of entities that are there, with all values new."""
    start, turn = place * BATCH, first
    while True:
        turn += 1
        yield request("POST", "/entityOperations/upsert?options=update", [
            {"id": f"urn:ngsi-ld:Meter:bench:{start + n}", "type": "Meter"}
            | {f"value{v}": {"type": "Property", "value": turn * 10 + v + n} for v in range(VALUES)}
            for n in range(BATCH)
        ])  # fmt: skip


def held(place: int, count: int, first: int) -> Iterator[bytes]:
    """The entities that updates and gets are about."""
    for start in range(0, HELD, 500):
        body = [entity(n) for n in range(start, start + 500)]
        yield request("POST", "/entityOperations/upsert", body)
