"""A walk with FiLiP, run by the clients' own Python: its answers as one JSON object.

`walk_filip.py PORT RECEIVER_URL`
"""

import json
import sys

from filip.clients.ngsi_ld.cb import ContextBrokerLDClient
from filip.models.base import FiwareLDHeader
from filip.models.ngsi_ld.context import (
    ActionTypeLD,
    ContextLDEntity,
    ContextProperty,
    ContextRelationship,
)
from filip.models.ngsi_ld.subscriptions import Endpoint, NotificationParams, SubscriptionLD
from requests import HTTPError

ROOM = "urn:ngsi-ld:Room:{}".format


def room(number: int, **attrs: object) -> ContextLDEntity:
    return ContextLDEntity(id=ROOM(number), type="Room", **attrs)


def warm(number: int, temperature: float) -> ContextLDEntity:
    return room(number, temperature=ContextProperty(value=temperature))


def walk(client: ContextBrokerLDClient, receiver: str) -> dict[str, object]:
    found: dict[str, object] = {}
    first = room(
        1, temperature=ContextProperty(value=21.5, unitCode="CEL"),
        isIn=ContextRelationship(object="urn:ngsi-ld:Building:1"),
    )  # fmt: skip
    found["place"] = client.post_entity(first)
    client.post_entity(first, update=True)  # 409, then an upsert
    found["read"] = client.get_entity(ROOM(1)).model_dump(exclude_none=True)
    found["plain"] = client.get_entity(ROOM(1), options="keyValues").model_dump(exclude_none=True)
    client.replace_existing_attributes_of_entity(warm(1, 30))
    client.append_entity_attributes(room(1, humidity=ContextProperty(value=40)))
    client.update_entity_attribute(ROOM(1), ContextProperty(value=25), attr_name="temperature")
    found["changed"] = client.get_entity(ROOM(1), options="keyValues").model_dump(exclude_none=True)
    rooms = [warm(n, n) for n in range(2, 60)]
    for action in (ActionTypeLD.CREATE, ActionTypeLD.UPSERT, ActionTypeLD.UPDATE):
        client.entity_batch_operation(entities=rooms, action_type=action)
    found["paged"] = len(client.get_entity_list(entity_type="Room"))
    found["above"] = len(client.get_entity_list(entity_type="Room", q="temperature>50"))
    subscription = SubscriptionLD(
        id="urn:ngsi-ld:Subscription:f1", type="Subscription", entities=[{"type": "Room"}],
        watchedAttributes=["temperature"], q="temperature>90",
        notification=NotificationParams(
            attributes=["temperature"], format="keyValues",
            endpoint=Endpoint(uri=receiver, accept="application/json"),
        ),
    )  # fmt: skip
    found["subscribed"] = client.post_subscription(subscription)
    subscription.q = "temperature>50"
    client.update_subscription(subscription)
    found["subscription"] = client.get_subscription(subscription.id).q
    found["subscriptions"] = [one.id for one in client.get_subscription_list()]
    client.update_entity_attribute(ROOM(1), ContextProperty(value=99), attr_name="temperature")
    found["related"] = client.validate_relationship(ContextRelationship(object=ROOM(1)))
    client.delete_attribute(ROOM(1), "temperature")
    found["without"] = client.get_entity(ROOM(1), options="keyValues").model_dump(exclude_none=True)
    client.delete_entity_by_id(ROOM(1))
    client.entity_batch_operation(entities=rooms, action_type=ActionTypeLD.DELETE)
    found["left"] = len(client.get_entity_list(entity_type="Room"))
    try:
        client.get_entity(ROOM(1))
    except HTTPError as error:
        found["gone"] = error.response.status_code
    return found


if __name__ == "__main__":
    with ContextBrokerLDClient(
        url=f"http://127.0.0.1:{sys.argv[1]}", fiware_header=FiwareLDHeader(ngsild_tenant="filip")
    ) as made:
        print(json.dumps(walk(made, sys.argv[2])))
