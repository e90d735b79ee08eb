"""GS CIM 009 V1.9.1 §5.11: subscriptions to context sources, clause by clause."""

from datetime import UTC, datetime

import pytest

from asynchronous import in_a_loop
from onsil.hub.contexts import CORE
from onsil.hub.subscriptions.checking import read_subscription
from onsil.hub.subscriptions.compiling import compiled
from onsil.hub.subscriptions.sources import narrowed, reason_of
from receiving import broker, receiver, subscribed, subscription

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATH = "/csourceSubscriptions"
BUILDING, BUS = CORE.iri("Building"), CORE.iri("Bus")
BAD = "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"


def source(*information, **members):
    return {
        "id": "urn:ngsi-ld:ContextSourceRegistration:1", "type": "ContextSourceRegistration",
        "endpoint": "http://source.example", "information": list(information), **members,
    }  # fmt: skip


def info(type=BUILDING, **members):
    entity = {"type": type} | {k: members.pop(k) for k in ("id", "idPattern") if k in members}
    return {"entities": [entity], **members}


def sub(**members):
    raw = subscription("http://x.example/", **members)
    draft = read_subscription(raw, CORE, "sources", NOW)
    used = {"source": "c", "url": "c"}
    return compiled("c", 1, "urn:s", "sources", draft.doc, draft.names, used, NOW)


def test_5_12_only_matching_information_is_told():
    found = narrowed(sub(), source(info(), info(BUS)))
    assert found is not None
    assert found["information"] == [info()]
    assert narrowed(sub(), source(info(BUS))) is None


@pytest.mark.parametrize(
    ("entity", "selector", "matches"),
    [
        ({}, {"id": "urn:a"}, True),
        ({"id": "urn:a"}, {"id": "urn:a"}, True),
        ({"id": "urn:b"}, {"id": "urn:a"}, False),
        ({"idPattern": "^urn:a"}, {"id": "urn:a1"}, True),
        ({"idPattern": "^urn:b"}, {"id": "urn:a1"}, False),
        ({"id": "urn:a1"}, {"idPattern": "^urn:a"}, True),
        ({"id": "urn:b1"}, {"idPattern": "^urn:a"}, False),
        ({"idPattern": "^urn:b"}, {"idPattern": "^urn:a"}, True),
        ({"id": "urn:b"}, {}, True),
    ],
)
def test_5_12_entity_info(entity, selector, matches):
    one = sub(entities=[{"type": "Building", **selector}])
    assert (narrowed(one, source(info(**entity))) is not None) == matches


def test_5_12_attributes():
    name, level = CORE.iri("name"), CORE.iri("level")
    watched = sub(watchedAttributes=["name"])
    assert narrowed(watched, source(info()))
    assert narrowed(watched, source(info(propertyNames=[name])))
    assert narrowed(watched, source(info(relationshipNames=[name], propertyNames=[level])))
    assert not narrowed(watched, source(info(propertyNames=[level])))
    assert not narrowed(sub(notification={"attributes": ["name"]}),
                        source(info(propertyNames=[level])))  # fmt: skip


def test_5_11_2_intervals():
    span = {"startAt": "2020-08-01T22:07:00Z", "endAt": "2021-08-01T21:07:00Z"}
    after = {"timerel": "after", "timeAt": "2020-06-01T22:07:00Z"}
    for key, name in (("observationInterval", "observedAt"), ("managementInterval", "createdAt")):
        there = source(info(), **{key: span})
        assert not narrowed(sub(), there)
        assert narrowed(sub(temporalQ=after | {"timeproperty": name}), there)
        late = {"timerel": "after", "timeAt": "2022-01-01T00:00:00Z", "timeproperty": name}
        assert not narrowed(sub(temporalQ=late), there)
        early = {"timerel": "before", "timeAt": "2020-01-01T00:00:00Z", "timeproperty": name}
        assert not narrowed(sub(temporalQ=early), there)
        between = after | {"timerel": "between", "endTimeAt": "2020-09-01T00:00:00Z"}
        assert narrowed(sub(temporalQ=between | {"timeproperty": name}), there)
    assert not narrowed(sub(temporalQ=after), source(info()))


def test_5_11_2_place_filter_and_scope():
    place = {"type": "Point", "coordinates": [-8.521, 41.2]}
    near = {"georel": "near;maxDistance==2000", "geometry": "Point", "coordinates": [-8.52, 41.2]}
    assert narrowed(sub(geoQ=near), source(info(), location=place))
    assert not narrowed(sub(geoQ=near | {"coordinates": [0, 0]}), source(info(), location=place))
    assert not narrowed(sub(geoQ=near), source(info()))
    other = {CORE.iri("owner"): {"type": "Property", "value": "city"}}
    assert narrowed(sub(csf='owner=="city"'), source(info(), **other))
    assert not narrowed(sub(csf='owner=="town"'), source(info(), **other))
    assert narrowed(sub(scopeQ="/a/#"), source(info(), scope="/a/b"))


def test_5_3_2_trigger_reasons():
    one, fits, other = sub(), source(info()), source(info(BUS))
    for before, after, reason in (
        (None, fits, "newlyMatching"), (other, fits, "newlyMatching"), (fits, fits, "updated"),
        (fits, other, "noLongerMatching"), (fits, None, "noLongerMatching"),
    ):  # fmt: skip
        told = reason_of(one, before, after)
        assert told is not None
        assert told[0] == reason
    assert reason_of(one, None, other) is None
    assert reason_of(one, other, None) is None


def test_5_11_2_to_5_11_6_resource(fresh_database):
    async def work():
        async with broker(fresh_database) as client:
            raw = subscription("http://x.example/") | {"id": "urn:ngsi-ld:Subscription:1"}
            path = await subscribed(client, raw, PATH)
            assert path == f"{PATH}/{raw['id']}"
            shown = (await client.get(path)).json()
            assert shown == raw | {"status": "active"}
            assert (await client.post(PATH, json=raw)).status_code == 409
            assert (await client.get("/subscriptions/" + raw["id"])).status_code == 404
            for bad in (
                {"type": "RandomType"}, {"watchedAttributes": []}, {"q": "speed>"},
                {"notification": {}}, {"expiresAt": "2020-08-01T22:07:00Z"},
            ):  # fmt: skip
                made = await client.post(PATH, json=subscription("http://x.example/") | bad)
                assert made.status_code == 400
                assert made.json()["type"] == BAD
                assert made.headers["Content-Type"] == "application/json"
            made = await client.patch(path, json={"isActive": False})
            assert made.status_code == 204
            assert (await client.get(path)).json()["status"] == "paused"
            assert (await client.patch(path, json={"type": None})).status_code == 400
            assert len((await client.get(PATH)).json()) == 1
            assert (await client.delete(path)).status_code == 204
            assert (await client.get(path)).status_code == 404
            assert (await client.get(PATH + "/none")).status_code == 400

    in_a_loop(work())


def registration(*types):
    return {
        "id": "urn:ngsi-ld:ContextSourceRegistration:1", "type": "ContextSourceRegistration",
        "endpoint": "http://source.example",
        "information": [{"entities": [{"type": one}]} for one in types],
    }  # fmt: skip


def test_5_11_7_notifications(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            raw = registration("Building", "Bus")
            one = "/csourceRegistrations/" + raw["id"]
            assert (await client.post("/csourceRegistrations", json=raw)).status_code == 201
            path = await subscribed(client, subscription(there.url), PATH)
            (first,) = await there.wait()
            assert first["type"] == "ContextSourceNotification"
            assert first["triggerReason"] == "newlyMatching"
            assert first["data"][0]["information"] == [{"entities": [{"type": ["Building"]}]}]
            assert {"id", "subscriptionId", "notifiedAt"} <= first.keys()
            for change in (
                {"description": "new"}, {"information": registration("Bus")["information"]},
                {"information": raw["information"]},
            ):  # fmt: skip
                assert (await client.patch(one, json=change)).status_code == 204
            bodies = await there.wait(4)
            reasons = [body["triggerReason"] for body in bodies[1:]]
            assert reasons == ["updated", "noLongerMatching", "newlyMatching"]
            shown = (await client.get(path)).json()["notification"]
            assert shown["timesSent"] == 4
            assert shown["status"] == "ok"
            await client.patch(path, json={"entities": [{"type": "Bus"}]})
            bodies = await there.wait(5)
            assert bodies[4]["data"][0]["information"][0]["entities"] == [{"type": ["Bus"]}]
            await client.patch(path, json={"isActive": False})
            assert (await client.delete(one)).status_code == 204
            await there.silent()
        async with receiver() as there, broker(fresh_database) as client:
            assert (await client.post("/csourceRegistrations", json=raw)).status_code == 201
            await subscribed(client, subscription(there.url, timeInterval=0.5), PATH)
            await there.wait(3)

    in_a_loop(work())
