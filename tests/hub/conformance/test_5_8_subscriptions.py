"""GS CIM 009 V1.9.1 §5.8: subscriptions and their notifications, clause by clause."""

import asyncio
import json
from urllib.parse import quote

import pytest

from asynchronous import in_a_loop
from receiving import broker, prop, receiver, subscribed, subscription, until

NS = "https://city.example/terms#"
CONTEXT = {
    name: NS + name
    for name in ("Building", "City", "name", "level", "street", "locatedAt", "kind", "blob")
}
LD = {"Content-Type": "application/ld+json"}
LINK = "http://www.w3.org/ns/json-ld#context"
NULL = "urn:ngsi-ld:null"
TOWER = "urn:ngsi-ld:Building:tower"
BAD = "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"


def rel(target, **more):
    return {"type": "Relationship", "object": target, **more}


def building(**attrs):
    return {"id": TOWER, "type": "Building", "@context": CONTEXT, **attrs}


def everything():
    """A building with an attribute of each kind."""
    return building(
        name=prop("Tower"), locatedAt=rel("urn:ngsi-ld:City:Paris"),
        location={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [-8.5, 41.2]}},
        street={"type": "LanguageProperty", "languageMap": {"fr": "Grand Place", "nl": "Markt"}},
        kind={"type": "VocabProperty", "vocab": "monument"},
        blob={"type": "JsonProperty", "json": {"id": "x", "null": None}},
    )  # fmt: skip


async def post(client, entity):
    made = await client.post("/entities", content=json.dumps(entity), headers=LD)
    assert made.status_code == 201, made.text


async def subscribe(client, url, **members):
    raw = subscription(url, **members) | {"@context": CONTEXT}
    made = await client.post("/subscriptions", content=json.dumps(raw), headers=LD)
    assert made.status_code == 201, made.text
    return made.headers["Location"].removeprefix("/ngsi-ld/v1")


async def patch(client, path, body):
    made = await client.patch(path, content=json.dumps(body | {"@context": CONTEXT}), headers=LD)
    assert made.status_code == 204, made.text


def told_of(fresh_database, change, *, before=None, **members):
    """The entities of the notification that a change causes."""

    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            if before:
                await post(client, before)
            await subscribe(client, there.url, **members)
            await change(client)
            (body,) = await there.wait()
            return body["data"]

    return in_a_loop(work())


BAD_ONES = [
    {},
    {"type": "Other"},
    {"id": "no uri"},
    {"entities": []},
    {"entities": [{"id": "urn:x"}]},
    {"entities": [{"type": "Building", "id": "none"}]},
    {"entities": [{"type": "Building", "idPattern": "("}]},
    {"entities": None},
    {"watchedAttributes": []},
    {"timeInterval": 5, "watchedAttributes": ["name"]},
    {"timeInterval": 5, "throttling": 5},
    {"timeInterval": 0},
    {"throttling": -1},
    {"notificationTrigger": ["entityChanged"]},
    {"q": "speed>"},
    {"csf": "(("},
    {"scopeQ": "//"},
    {"geoQ": {"georel": "near", "geometry": "Point", "coordinates": [1, 2]}},
    {"geoQ": {"georel": "within", "geometry": "Nothing", "coordinates": [1, 2]}},
    {"expiresAt": "2000-01-01T00:00:00Z"},
    {"expiresAt": "tomorrow"},
    {"isActive": "yes"},
    {"datasetId": ["none"]},
    {"jsonldContext": "unknown"},
    {"temporalQ": {"timerel": "after", "timeAt": "2020-01-01T00:00:00Z"}},
    {"notification": None},
    {"notification": {}},
    {"form": {"format": "keyValues", "showChanges": True}},
    {"form": {"format": "simplified", "showChanges": True}},
    {"form": {"attributes": []}},
    {"form": {"pick": []}},
    {"form": {"omit": []}},
    {"form": {"pick": ["id"], "omit": ["id"]}},
    {"form": {"pick": ["name"], "attributes": ["name"]}},
    {"form": {"omit": ["name"], "attributes": ["name"]}},
    {"form": {"join": "deep"}},
    {"form": {"joinLevel": 0}},
    {"endpoint": {"uri": "ftp://x/"}},
    {"endpoint": {"uri": "http://"}},
    {"endpoint": {"uri": "mqtt://host"}},
    {"endpoint": {"accept": "text/html"}},
    {"endpoint": {"timeout": 0}},
    {"endpoint": {"receiverInfo": [{"key": "K", "value": 42}]}},
    {"endpoint": {"receiverInfo": [{"key": "K"}]}},
    {"endpoint": {"receiverInfo": [{"key": 5, "value": "v"}]}},
    {"endpoint": {"receiverInfo": [{"key": "K", "value": "a\r\nHost: b"}]}},
    {"endpoint": {"notifierInfo": [{"key": "K", "value": {}}]}},
]


def test_5_8_1_create_refuses_what_is_no_subscription(fresh_database):
    async def work():
        async with broker(fresh_database) as client:
            for bad in BAD_ONES:
                raw = subscription("http://localhost:9/notify") if bad else {}
                raw["notification"] = raw.get("notification", {}) | bad.pop("form", {})
                endpoint = bad.pop("endpoint", {})
                if endpoint:
                    raw["notification"]["endpoint"] |= endpoint
                raw = {k: v for k, v in (raw | bad).items() if v is not None}
                if raw == {"notification": {}}:
                    raw = {}
                made = await client.post("/subscriptions", json=raw)
                assert made.status_code == 400, (raw, made.text)
                assert made.json()["type"] == BAD, raw
            made = await client.post("/subscriptions", content="{", headers=LD)
            assert made.status_code == 400
            assert made.json()["type"].endswith("InvalidRequest")
            bare = subscription("http://localhost:9/notify")
            made = await client.post("/subscriptions", content=json.dumps(bare), headers=LD)
            assert made.json()["type"] == BAD

    in_a_loop(work())


def test_5_8_1_create_and_5_8_3_retrieve(fresh_database):
    async def work():
        async with broker(fresh_database) as client:
            raw = {
                "id": "urn:ngsi-ld:Subscription:1", "type": "Subscription", "timeInterval": 5,
                "entities": [{"type": "(Building|City)"}], "q": "level>5;name==\"level\"",
                "geoQ": {"georel": "near;maxDistance==10", "geometry": "Point",
                         "coordinates": [1, 2], "geoproperty": "blob"},
                "notification": {"format": "keyValues", "pick": ["id", "locatedAt{name}"],
                                 "endpoint": {"uri": "http://localhost:1111/notify",
                                              "accept": "application/json"},
                                 "timesSent": 42},
                "status": "expired", "__context": "x", "@context": CONTEXT,
            }  # fmt: skip
            made = await client.post("/subscriptions/", content=json.dumps(raw), headers=LD)
            assert made.status_code == 201, made.text
            assert made.headers["Location"] == "/ngsi-ld/v1/subscriptions/" + raw["id"]
            again = await client.post("/subscriptions", content=json.dumps(raw), headers=LD)
            assert again.status_code == 409
            assert again.json()["type"].endswith("AlreadyExists")
            shown = (await client.get("/subscriptions/" + raw["id"])).json()
            assert shown["entities"] == [{"type": f"({NS}Building|{NS}City)"}]
            assert shown["q"] == f'{NS}level>5;{NS}name=="level"'
            assert shown["geoQ"]["geoproperty"] == NS + "blob"
            assert shown["notification"]["pick"] == ["id", f"{NS}locatedAt{{{NS}name}}"]
            assert shown["status"] == "active"
            assert "timesSent" not in shown["notification"]
            assert shown["notificationTrigger"] == ["attributeCreated", "attributeUpdated"]
            assert not {"__context", "createdAt", "isActive", "jsonldContext"} & shown.keys()
            shown = (await client.get("/subscriptions/" + raw["id"] + "?options=sysAttrs")).json()
            assert {"createdAt", "modifiedAt"} <= shown.keys()
            paused = await subscribed(client, subscription("http://x.example/", isActive=False))
            assert "urn:" in paused
            assert (await client.get(paused)).json()["status"] == "paused"
            ld = await client.get(paused, headers={"Accept": "application/ld+json"})
            assert "@context" in ld.json()
            assert "Link" not in ld.headers
            assert (await client.get("/subscriptions/none")).status_code == 400
            assert (await client.get("/subscriptions/urn:none")).status_code == 404

    in_a_loop(work())


def test_5_8_2_update(fresh_database):
    async def work():
        async with broker(fresh_database) as client:
            raw = subscription("http://x.example/", timeInterval=5, isActive=False)
            path = await subscribed(client, raw)
            for bad in (
                {"type": None}, {"type": "X"}, {"notification": None}, {"throttling": 1},
                {"notification": {"format": "keyValues"}}, {"expiresAt": "2020-08-01T22:07:00Z"},
                {"notification": {"format": "keyValues", "endpoint": None}}, {"id": "urn:other"},
                {"entities": None}, {"watchedAttributes": ["a"]},
            ):  # fmt: skip
                made = await client.patch(path, json=bad)
                assert made.status_code == 400, bad
                assert made.json()["type"] == BAD
            assert (await client.patch("/subscriptions/none", json={})).status_code == 400
            assert (await client.patch("/subscriptions/urn:x", json={})).status_code == 404
            assert (await client.patch("/subscriptions/", json={})).status_code == 405
            made = await client.patch(path, json={"timeInterval": None, "throttling": 7})
            assert made.status_code == 204
            assert made.content == b""
            shown = (await client.get(path)).json()
            assert shown["throttling"] == 7
            assert "timeInterval" not in shown
            await client.patch(path, json={"isActive": True, "expiresAt": "2100-01-01T00:00:00Z"})
            assert (await client.get(path)).json()["status"] == "active"
            body = {"entities": [{"type": "City"}], "@context": CONTEXT}
            await client.patch(path, content=json.dumps(body), headers=LD)
            assert (await client.get(path)).json()["entities"] == [{"type": NS + "City"}]

    in_a_loop(work())


def test_5_8_4_query_and_5_8_5_delete(fresh_database):
    async def work():
        async with broker(fresh_database) as client:
            paths = [await subscribed(client, subscription("http://x.example/")) for _ in range(3)]
            ld = {"Accept": "application/ld+json"}
            found = await client.get("/subscriptions/?limit=1&offset=1", headers=ld)
            assert [one["type"] for one in found.json()] == ["Subscription"]
            assert set(found.headers["Link"].replace(" ", "").split(",")) == {
                f'</ngsi-ld/v1/subscriptions?limit=1&offset={n}>;rel="{rel}";'
                'type="application/ld+json"' for n, rel in ((0, "prev"), (2, "next"))
            }  # fmt: skip
            found = await client.get("/subscriptions?limit=1&offset=2", headers=ld)
            assert found.headers["Link"] == (
                '</ngsi-ld/v1/subscriptions?limit=1&offset=1>;rel="prev";type="application/ld+json"'
            )
            found = await client.get("/subscriptions?count=true&limit=0")
            assert found.headers["NGSILD-Results-Count"] == "3"
            assert found.json() == []
            assert (await client.get("/subscriptions?limit=0")).status_code == 400
            for path in paths:
                assert (await client.delete(path)).status_code == 204
                assert (await client.delete(path)).status_code == 404
            assert (await client.delete("/subscriptions/none")).status_code == 400
            assert (await client.get("/subscriptions")).json() == []

    in_a_loop(work())


def test_5_8_6_default_triggers_and_headers(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            more = [{"key": "X-Additional-Key", "value": "v"}]
            info = {"endpoint": {"uri": there.url, "receiverInfo": more}}
            path = await subscribe(client, there.url, notification=info)
            await post(client, building(name=prop("Tower"), level=prop(4)))
            (body,) = await there.wait()
            assert body["data"][0] == {
                "id": TOWER, "type": "Building", "name": prop("Tower"), "level": prop(4),
            }  # fmt: skip
            headers = there.received[0].headers
            assert headers["X-Additional-Key"] == "v"
            assert headers["Content-Type"] == "application/json"
            assert f'rel="{LINK}"' in headers["Link"]
            url = headers["Link"][1:].split(">")[0]
            assert (await client.get(url)).json()["@context"] == CONTEXT
            await patch(client, f"/entities/{TOWER}/attrs", {"level": prop(5)})
            bodies = await there.wait(2)
            assert bodies[1]["data"][0]["level"]["value"] == 5
            await patch(client, f"/entities/{TOWER}/attrs", {"level": prop(5)})
            assert (await client.delete(f"/entities/{TOWER}")).status_code == 204
            await there.silent()
            shown = (await client.get(path)).json()["notification"]
            assert shown["timesSent"] == 2
            assert shown["status"] == "ok"

    in_a_loop(work())


def test_5_8_6_json_ld_and_geojson(fresh_database):
    async def work():
        async with receiver() as ld, receiver() as geo, broker(fresh_database) as client:
            for there, accept in ((ld, "application/ld+json"), (geo, "application/geo+json")):
                info = {"endpoint": {"uri": there.url, "accept": accept}}
                await subscribe(client, there.url, notification=info)
            await post(client, everything())
            (body,) = await ld.wait()
            assert body["data"][0]["@context"] == CONTEXT
            assert body["@context"] == CONTEXT
            assert "Link" not in ld.received[0].headers
            (body,) = await geo.wait()
            assert body["data"]["type"] == "FeatureCollection"
            feature = body["data"]["features"][0]
            assert feature["geometry"] == {"type": "Point", "coordinates": [-8.5, 41.2]}
            assert feature["properties"]["name"] == prop("Tower")
            assert geo.received[0].headers["Content-Type"] == "application/geo+json"

    in_a_loop(work())


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"attributes": ["level"]}, {"id": TOWER, "type": "Building", "level": prop(5)}),
        ({"pick": ["id", "name"]}, {"id": TOWER, "name": prop("Tower")}),
        ({"omit": ["type", "name"]}, {"id": TOWER, "level": prop(5)}),
        ({"format": "keyValues"}, {"id": TOWER, "type": "Building", "name": "Tower", "level": 5}),
        ({"format": "concise"}, {"id": TOWER, "type": "Building", "name": "Tower", "level": 5}),
    ],
)
def test_5_2_14_form_of_a_notification(fresh_database, form, shown):
    async def change(client):
        await patch(client, f"/entities/{TOWER}/attrs", {"level": prop(5)})

    before = building(name=prop("Tower"), level=prop(4))
    assert told_of(fresh_database, change, before=before, notification=form) == [shown]


def test_5_8_6_sys_attrs(fresh_database):
    async def change(client):
        await patch(client, f"/entities/{TOWER}/attrs", {"level": prop(5)})

    (one,) = told_of(
        fresh_database, change, before=building(level=prop(4)), notification={"sysAttrs": True}
    )
    assert {"createdAt", "modifiedAt"} <= one.keys()
    assert {"createdAt", "modifiedAt"} <= one["level"].keys()


ATTRIBUTES = [
    ("name", {"name": prop("Tour")}, {"value": "Tour", "previousValue": "Tower"}),
    ("locatedAt", {"locatedAt": rel("urn:n")},
     {"object": "urn:n", "previousObject": "urn:ngsi-ld:City:Paris"}),
    ("street", {"street": {"type": "LanguageProperty", "languageMap": {"es": "Lugar"}}},
     {"languageMap": {"es": "Lugar"}, "previousLanguageMap": {"fr": "Grand Place", "nl": "Markt"}}),
    ("kind", {"kind": {"type": "VocabProperty", "vocab": "museum"}},
     {"vocab": "museum", "previousVocab": "monument"}),
    ("blob", {"blob": {"type": "JsonProperty", "json": {"a": 1}}},
     {"json": {"a": 1}, "previousJson": {"id": "x", "null": None}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "shown"), ATTRIBUTES)
def test_5_8_6_show_changes_of_an_update(fresh_database, name, change, shown):
    async def work(client):
        await patch(client, f"/entities/{TOWER}/attrs", change)

    (one,) = told_of(fresh_database, work, before=everything(), notification={"showChanges": True})
    assert shown.items() <= one[name].items()
    others = json.dumps({k: v for k, v in one.items() if k != name})
    assert "previous" not in others


DELETED = [
    ("name", {"type": "Property", "value": NULL, "previousValue": "Tower"}),
    ("locatedAt", {"type": "Relationship", "object": NULL,
                   "previousObject": "urn:ngsi-ld:City:Paris"}),
    ("street", {"type": "LanguageProperty", "languageMap": {"@none": NULL},
                "previousLanguageMap": {"fr": "Grand Place", "nl": "Markt"}}),
    ("kind", {"type": "VocabProperty", "vocab": NULL, "previousVocab": "monument"}),
    ("blob", {"type": "JsonProperty", "json": NULL, "previousJson": {"id": "x", "null": None}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shown"), DELETED)
def test_5_8_6_a_deleted_attribute(fresh_database, name, shown):
    async def work():
        async with receiver() as there, receiver() as plain, broker(fresh_database) as client:
            await post(client, everything())
            trigger = {"notificationTrigger": ["attributeDeleted"]}
            await subscribe(client, there.url, **trigger, notification={"showChanges": True})
            await subscribe(client, plain.url, **trigger, notification={"sysAttrs": True})
            found = await client.delete(f"/entities/{TOWER}/attrs/{quote(NS + name, safe='')}")
            assert found.status_code == 204, found.text
            (body,) = await there.wait()
            assert body["data"][0][name] == shown
            assert "deletedAt" not in body["data"][0]
            (body,) = await plain.wait()
            told = body["data"][0][name]
            assert {"createdAt", "modifiedAt", "deletedAt"} <= told.keys()
            assert not any(key.startswith("previous") for key in told)

    in_a_loop(work())


def test_5_8_6_a_deleted_instance_stands_beside_those_that_stay(fresh_database):
    french = {"datasetId": "urn:d:fr"}
    before = building(name=[prop("Tower"), prop("Tour", **french)])

    async def change(client):
        path = f"/entities/{TOWER}/attrs/{quote(NS + 'name', safe='')}"
        assert (await client.delete(path, params={"datasetId": "urn:d:fr"})).status_code == 204

    trigger = {"notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["name"]}
    (one,) = told_of(fresh_database, change, before=before, **trigger)
    assert one["name"] == [prop("Tower"), prop(NULL, **french)]

    async def every(client):
        path = f"/entities/{TOWER}/attrs/{quote(NS + 'name', safe='')}"
        await post(client, before | {"id": TOWER})
        assert (await client.delete(path, params={"deleteAll": "true"})).status_code == 204

    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            await client.delete(f"/entities/{TOWER}")
            await subscribe(client, there.url, **trigger)
            await every(client)
            (body,) = await there.wait()
            assert body["data"][0]["name"] == prop(NULL)

    in_a_loop(work())


def test_5_8_6_a_deleted_entity(fresh_database):
    async def work():
        async with (
            receiver() as bare, receiver() as system, receiver() as changes, receiver() as one,
            broker(fresh_database) as client,
        ):  # fmt: skip
            gone = {"notificationTrigger": ["entityDeleted"]}
            await post(client, everything())
            await subscribe(client, bare.url, **gone, notification={"format": "keyValues"})
            await subscribe(client, system.url, **gone, notification={"sysAttrs": True})
            await subscribe(client, changes.url, **gone, notification={"showChanges": True})
            await subscribe(
                client, one.url, notificationTrigger=["attributeDeleted"],
                watchedAttributes=["name"], notification={"sysAttrs": True},
            )  # fmt: skip
            assert (await client.delete(f"/entities/{TOWER}")).status_code == 204
            (body,) = await bare.wait()
            assert body["data"][0].keys() == {"id", "type", "deletedAt"}
            (body,) = await system.wait()
            assert body["data"][0].keys() == {
                "id", "type", "createdAt", "modifiedAt", "deletedAt"
            }  # fmt: skip
            (body,) = await changes.wait()
            told = body["data"][0]
            for name, shown in DELETED:
                if name == "street":
                    shown = shown | {"languageMap": NULL}
                assert told[name] == shown
            (body,) = await one.wait()
            told = body["data"][0]
            assert told.keys() == {"id", "type", "createdAt", "modifiedAt", "deletedAt", "name"}
            assert told["name"]["value"] == NULL
            assert {"createdAt", "modifiedAt", "deletedAt"} <= told["name"].keys()

    in_a_loop(work())


def test_5_8_6_attributes_deleted_by_ngsi_ld_null(fresh_database):
    trigger = {"notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["name"]}
    for number, (path, body) in enumerate((
        (f"/entities/{TOWER}", {"name": prop(NULL)}),
        (f"/entities/{TOWER}/attrs", {"name": prop(NULL)}),
        (f"/entities/{TOWER}/attrs/name", prop(NULL)),
    )):  # fmt: skip

        async def work(path=path, body=body):
            async with receiver() as there, broker(fresh_database) as client:
                await post(client, building(name=prop("Tower"), level=prop(1)))
                made = await subscribe(client, there.url, **trigger)
                await patch(client, path, body)
                (told,) = await there.wait()
                assert told["data"][0]["name"] == prop(NULL)
                assert told["data"][0]["level"] == prop(1)
                await client.delete(made)
                await client.delete(f"/entities/{TOWER}")

        in_a_loop(work())
        assert number < 3


def test_5_8_6_only_instances_of_the_datasets(fresh_database):
    french, german = {"datasetId": "urn:d:fr"}, {"datasetId": "urn:d:de"}
    before = building(
        name=[prop("Tower"), prop("Tour", **french), prop("Turm", **german)],
        locatedAt=[rel("urn:a"), rel("urn:b", **french)], level=prop(1),
    )  # fmt: skip

    async def change(client):
        await patch(client, f"/entities/{TOWER}/attrs", {"name": prop("Grande", **french)})

    (one,) = told_of(fresh_database, change, before=before, datasetId=["urn:d:fr"])
    assert one == {
        "id": TOWER, "type": "Building", "name": prop("Grande", **french),
        "locatedAt": rel("urn:b", **french),
    }  # fmt: skip


def test_4_5_23_linked_entities(fresh_database):
    async def work():
        async with (
            receiver() as flat, receiver() as inline, receiver() as plain,
            broker(fresh_database) as client,
        ):  # fmt: skip
            city = {"id": "urn:ngsi-ld:City:Paris", "type": "City", "name": prop("Paris"),
                    "@context": CONTEXT}  # fmt: skip
            await post(client, city)
            await post(client, building(locatedAt=rel(city["id"])))
            shown = {k: v for k, v in city.items() if k != "@context"}
            only = {"attributes": ["locatedAt"]}
            await subscribe(client, flat.url, notification={"join": "flat", **only})
            await subscribe(client, inline.url, notification={"join": "inline", **only})
            simple = {"join": "inline", "format": "simplified"}
            await subscribe(client, plain.url, notification=simple)
            await client.post(
                f"/entities/{TOWER}/attrs", headers=LD,
                content=json.dumps({"name": prop("T"), "@context": CONTEXT}),
            )  # fmt: skip
            (body,) = await flat.wait()
            linking = {"id": TOWER, "type": "Building", "locatedAt": rel(city["id"])}
            assert body["data"] == [linking, shown]
            (body,) = await inline.wait()
            linking["locatedAt"] = rel(city["id"], entity=shown)
            assert body["data"] == [linking]
            (body,) = await plain.wait()
            assert body["data"][0]["locatedAt"] == {
                "id": city["id"], "type": "City", "name": "Paris"
            }  # fmt: skip

    in_a_loop(work())


def test_4_9_a_query_into_linked_entities(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            for name, level in (("low", 0.3), ("full", 0.95)):
                device = {
                    "id": f"urn:ngsi-ld:Device:{name}",
                    "type": "Device",
                    "level": prop(level),
                }
                assert (await client.post("/entities", json=device)).status_code == 201
            raw = subscription(there.url, entities=[{"type": "Vehicle"}], q="uses{level}<0.5")
            await subscribed(client, raw)
            for name in ("full", "low"):
                car = {"id": f"urn:ngsi-ld:Vehicle:{name}", "type": "Vehicle",
                       "uses": rel(f"urn:ngsi-ld:Device:{name}")}  # fmt: skip
                assert (await client.post("/entities", json=car)).status_code == 201
            (body,) = await there.wait()
            assert body["data"][0]["id"] == "urn:ngsi-ld:Vehicle:low"
            await there.silent()

    in_a_loop(work())


def test_5_8_6_jsonld_context_member_names_the_context(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            core = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
            info = {"endpoint": {"uri": there.url, "accept": "application/ld+json"}}
            await subscribe(client, there.url, jsonldContext=core, notification=info)
            await post(client, building(name=prop("T")))
            (body,) = await there.wait()
            assert body["data"][0] == {
                "id": TOWER, "type": NS + "Building", NS + "name": prop("T"), "@context": core,
            }  # fmt: skip
            raw = subscription(there.url, jsonldContext="https://nowhere.example/c.jsonld")
            made = await client.post("/subscriptions", json=raw)
            assert made.json()["type"].endswith("LdContextNotAvailable")

    in_a_loop(work())


def test_5_2_12_a_paused_subscription_is_silent_until_it_is_resumed(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            path = await subscribe(client, there.url, isActive=False)
            await post(client, building(level=prop(1)))
            await there.silent()
            assert (await client.patch(path, json={"isActive": True})).status_code == 204
            await patch(client, f"/entities/{TOWER}/attrs", {"level": prop(2)})
            await there.wait()

    in_a_loop(work())


def test_5_8_6_an_unreachable_endpoint_is_marked_failed(fresh_database):
    async def work():
        async with broker(fresh_database) as client:
            path = await subscribe(client, "http://localhost:9/notify")
            await post(client, building(level=prop(1)))
            shown: dict = {}

            async def look():
                shown.update((await client.get(path)).json()["notification"])

            for _ in range(50):
                await look()
                if shown.get("status") == "failed":
                    break
                await asyncio.sleep(0.05)
            assert shown["status"] == "failed"
            assert shown["timesSent"] == 1
            assert "lastFailure" in shown

    in_a_loop(work())


def test_a_batch_is_one_notification(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            await subscribed(client, subscription(there.url))
            entities = [{"id": f"urn:ngsi-ld:Building:{n}", "type": "Building", "level": prop(n)}
                        for n in range(5)]  # fmt: skip
            made = await client.post("/entityOperations/create", json=entities)
            assert made.status_code == 201, made.text
            await until(lambda: sum(len(r.body["data"]) for r in there.received) == 5)
            assert len(there.received) == 1

    in_a_loop(work())
