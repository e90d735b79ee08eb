"""A walk with ngsildclient, run by the clients' own Python: its answers as one JSON object.

`walk_ngsildclient.py PORT RECEIVER_URL`
"""

import json
import sys

from ngsildclient import Client, Entity
from ngsildclient.api.exceptions import NgsiAlreadyExistsError

CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
KIND = "AirQualityObserved"


def station(name: str, no2: float, at: str) -> Entity:
    made = Entity(KIND, name).prop("NO2", no2, unitcode="GP", observedat=at)
    return made.gprop("location", (44.8, -0.57)).rel("refPlace", "Place:square")


def changed(client: Client, name: str, no2: float, at: str) -> Entity:
    entity = client.get(f"{KIND}:{name}")
    entity["NO2.value"] = no2
    entity["NO2"]["observedAt"] = at
    return entity


def walk(client: Client, receiver: str) -> dict[str, object]:
    found: dict[str, object] = {}
    one = station("b1", 22, "2026-10-01T10:00:00Z")
    found["created"] = client.create(one)
    try:
        client.create(one)
    except NgsiAlreadyExistsError as error:
        found["twice"] = str(error)
    found["read"] = client.get(one.id).to_dict()
    found["exists"] = [client.exists(one), client.exists(f"{KIND}:nowhere")]
    others = [station("b2", 5, "2026-10-01T10:00:00Z"), station("b3", 50, "2026-10-01T10:00:00Z")]
    found["upserted"] = client.upsert(*others).n_ok
    found["updated"] = client.update(changed(client, "b1", 30, "2026-10-01T11:00:00Z"))
    found["all"] = sorted(e.id for e in client.query(type=KIND))
    found["above"] = sorted(e.id for e in client.query(type=KIND, q="NO2>25"))
    found["head"] = len(client.query_head(type=KIND, n=2))
    found["count"] = client.count(type=KIND)
    found["types"] = client.types.list()
    found["past"] = client.temporal.get(one, attrs=["NO2"])["NO2"]["values"]
    found["last"] = client.temporal.query(type=KIND, attrs=["NO2"], lastn=1)
    found["evolutions"] = len(client.temporal.query(type=KIND))
    subscription = {
        "id": "urn:ngsi-ld:Subscription:s1", "type": "Subscription", "entities": [{"type": KIND}],
        "watchedAttributes": ["NO2"], "@context": [CORE],
        "notification": {"attributes": ["NO2"], "endpoint": {
            "uri": receiver, "accept": "application/json",
        }},
    }  # fmt: skip
    found["subscribed"] = client.subscriptions.create(subscription)
    found["subscriptions"] = [s["id"] for s in client.subscriptions.list()]
    client.update(changed(client, "b1", 77, "2026-10-01T12:00:00Z"))
    client.delete_where(type=KIND, q="NO2==50")
    found["left"] = client.count(type=KIND)
    found["deleted"] = client.delete(one)
    client.drop(KIND)
    found["dropped"] = client.count(type=KIND)
    return found


if __name__ == "__main__":
    with Client("127.0.0.1", int(sys.argv[1]), tenant="ngsildclient", verbose=False) as made:
        print(json.dumps(walk(made, sys.argv[2])))
