"""What nobody may do through the door: write for others, reach inside, inject, or wear it out."""

import pytest
from starlette.testclient import TestClient

from onsil import devices
from onsil.core.database import connect
from onsil.devices import DeviceSpec
from onsil.hub.http.app import make_app
from onsil.hub.http.openapi import OPERATIONS

CITY = "pyeongtaek"
API = "/ngsi-ld/v1"
MINE, OTHERS = "urn:ngsi-ld:Meter:pyeongtaek:m-1", "urn:ngsi-ld:Meter:pyeongtaek:m-2"
LD = "application/ld+json"
LONG = "".join(chr(97 + n * n % 26) + str(n) for n in range(5000))
SOURCE = {"id": "urn:x:source", "type": "ContextSourceRegistration", "mode": "redirect",
          "endpoint": "https://example.org", "operations": ["redirectionOps"],
          "information": [{"entities": [{"type": "Meter"}]}]}  # fmt: skip
WATCH = {"id": "urn:x:watch", "type": "Subscription", "entities": [{"type": "Meter"}],
         "notification": {"endpoint": {"uri": "https://example.org"}}}  # fmt: skip


def value(given, **more):
    return {"type": "Property", "value": given, **more}


@pytest.fixture
def platform(fresh_database):
    """The door of a city: a client, the token of a meter, and that of a system of the city's."""
    with connect(fresh_database, CITY) as conn:
        _, meter = devices.register_device(conn, CITY, DeviceSpec("m-1", (MINE,)))
        _, system = devices.register_device(
            conn, CITY, DeviceSpec("office", (OTHERS,), options={"scope": "city"})
        )
    app = make_app(fresh_database, CITY, devices.writer_steps, cities=lambda: {CITY, "goyang"})
    with TestClient(app) as client:
        made = [{"id": uri, "type": "Meter", "a": value(1)} for uri in (MINE, OTHERS)]
        tokens = [{"Authorization": f"Bearer {token}"} for token in (meter, system)]
        yield client, *tokens, made


@pytest.fixture
def there(platform):
    client, meter, system, made = platform
    answer = client.post(f"{API}/entityOperations/create", json=made, headers=system)
    assert answer.status_code == 201, answer.text
    for place, body in (("csourceRegistrations", {**SOURCE, "mode": "inclusive", "operations": []}),
                        ("subscriptions", WATCH)):  # fmt: skip
        body = {name: one for name, one in body.items() if one}
        answer = client.post(f"{API}/{place}", json=body, headers=system)
        assert answer.status_code == 201, answer.text
    return client, meter, system


def test_a_device_writes_for_its_own_entities_only(there):
    client, meter, _ = there
    attribute, entity = {"a": value(2)}, {"id": OTHERS, "type": "Meter", "a": value(2)}
    temporal = {"id": OTHERS, "type": "Meter",
                "a": [value(2, observedAt="2026-01-01T00:00:00Z")]}  # fmt: skip
    path = f"/entities/{OTHERS}"
    for method, place, body in (
        ("POST", "/entities", {**entity, "id": OTHERS + "x"}),
        ("PUT", path, entity), ("PATCH", path, attribute), ("DELETE", path, None),
        ("POST", f"{path}/attrs", attribute), ("PATCH", f"{path}/attrs", attribute),
        ("PATCH", f"{path}/attrs/a", value(2)), ("PUT", f"{path}/attrs/a", value(2)),
        ("DELETE", f"{path}/attrs/a", None), ("DELETE", "/entities?type=Meter", None),
        ("POST", "/temporal/entities", temporal), ("DELETE", f"/temporal{path}", None),
        ("POST", f"/temporal{path}/attrs", {"a": temporal["a"]}),
        ("DELETE", f"/temporal{path}/attrs/a", None),
    ):  # fmt: skip
        answer = client.request(method, API + place, json=body, headers=meter)
        assert answer.status_code == 403, (method, place, answer.status_code, answer.text)
    for operation in ("create", "upsert", "update", "merge", "delete"):
        items = [OTHERS] if operation == "delete" else [entity]
        answer = client.post(f"{API}/entityOperations/{operation}", json=items, headers=meter)
        assert answer.status_code == 207, (operation, answer.text)
        assert answer.json()["success"] == []
    assert client.get(f"{API}{path}").json()["a"]["value"] == 1


def test_a_device_does_not_see_to_what_is_the_whole_citys(there):
    client, meter, _ = there
    context = {"@context": {"a": "urn:x:a"}}
    for method, place, body in (
        ("POST", "/csourceRegistrations", SOURCE), ("POST", "/jsonldContexts", context),
        ("POST", "/subscriptions", {**WATCH, "id": "urn:x:2"}),
        ("POST", "/csourceSubscriptions", {**WATCH, "id": "urn:x:3"}),
        ("PATCH", "/csourceRegistrations/urn:x:source", {"endpoint": "https://example.com"}),
        ("DELETE", "/csourceRegistrations/urn:x:source", None),
        ("PATCH", "/subscriptions/urn:x:watch", {"isActive": False}),
        ("DELETE", "/subscriptions/urn:x:watch", None),
    ):  # fmt: skip
        answer = client.request(method, API + place, json=body, headers=meter)
        assert answer.status_code == 403, (method, place, answer.status_code, answer.text)


def test_a_token_is_for_its_city(there):
    client, _, system = there
    for method, path, one in [(m, p, o) for p, ms in OPERATIONS.items() for m, o in ms.items()]:
        if method == "get" or path.endswith("/query") or "entityMaps" in path:
            continue
        place = API + path.format(id=MINE, attribute="a", instance="urn:x:1", type="Meter")
        sent = {"json": [{}] if "entityOperations" in path else {}} if one.body else {}
        sent["headers"] = {**system, "NGSILD-Tenant": "goyang"}
        answer = client.request(method, place, **sent)
        assert answer.status_code == 403, (method, path, answer.status_code)


@pytest.fixture
def client(fresh_database):
    app = make_app(fresh_database, "default", open_writing=True)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def refused(answer):
    """4xx, or the 504 of a context that is not fetched; never a fault of ours."""
    assert 400 <= answer.status_code < 500 or answer.status_code == 504, answer.text[:300]
    assert answer.json()["title"]


def entity(**attrs):
    return {"id": "urn:x:1", "type": "T", **attrs}


@pytest.mark.parametrize("url", [
    "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:22/", "http://[::1]:5432/",
    "http://[::ffff:169.254.169.254]/", "http://0x7f000001/", "file:///etc/passwd",
    "gopher://127.0.0.1:70/", "http://user:secret@127.0.0.1/", "ftp://127.0.0.1/x", "//127.0.0.1/",
])  # fmt: skip
def test_contexts_lead_nowhere_inside(platform, url):
    city, _, system, _ = platform
    headers = {**system, "Content-Type": LD}
    for context in (url, [url], {"@import": url}):
        body = entity() | {"id": MINE, "@context": context}
        refused(city.post(f"{API}/entities", json=body, headers=headers))
    link = f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD}"'
    refused(city.get(f"{API}/entities?type=T", headers={"Link": link}))


@pytest.mark.parametrize("uri", [
    "http://127.0.0.1:1/", "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd",
    "https://example.org/\r\nX-Injected: 1", "mqtt://127.0.0.1/t", "javascript:alert(1)",
])  # fmt: skip
def test_what_goes_out_goes_to_public_addresses(platform, uri):
    """Refused at once where it can be seen, else never sent (hub.subscriptions.addresses)."""
    city, _, system, _ = platform
    watch = WATCH | {"notification": {"endpoint": {"uri": uri}}}
    answer = city.post(f"{API}/subscriptions", json=watch, headers=system)
    assert answer.status_code < 500
    if not uri.startswith(("http", "mqtt")) or "\r" in uri:
        refused(answer)
    source = SOURCE | {"endpoint": uri}
    answer = city.post(f"{API}/csourceRegistrations", json=source, headers=system)
    if answer.status_code == 201:
        found = city.get(f"{API}/entities?type=Meter")
        assert found.status_code == 200
        assert found.json() == []


def test_notifications_carry_no_header_of_a_clients_making(client):
    for key, text in (("X-A", "a\r\nX-B: b"), ("X-A\r\nX-B", "a"), ("", "a"), ("X A", "a")):
        info = [{"key": key, "value": text}]
        endpoint = {"uri": "http://127.0.0.1:1/", "receiverInfo": info}
        refused(client.post(f"{API}/subscriptions",
                            json=WATCH | {"notification": {"endpoint": endpoint}}))  # fmt: skip


@pytest.mark.parametrize("name", ["a\r\nX-B: b", "x" * 3000, "'; DROP TABLE hub_entity; --"])
def test_a_tenants_name_is_a_name(client, name):
    answer = client.get(f"{API}/entities?type=T", headers={"NGSILD-Tenant": name.encode()})
    assert answer.status_code in (400, 404)
    assert "x-b" not in answer.headers


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00\\ud800"])
def test_texts_that_are_none_are_refused_wherever_they_stand(client, text):
    for attribute in (
        '{"type": "Property", "value": "%s"}', '{"type": "Property", "value": {"%s": 1}}',
        '{"type": "Property", "value": ["a%s"]}', '{"type": "JsonProperty", "json": {"a": "%s"}}',
        '{"type": "LanguageProperty", "languageMap": {"en": "%s"}}',
        '{"type": "VocabProperty", "vocab": "%s"}', '{"type": "ListProperty", "valueList": ["%s"]}',
        '{"type": "Relationship", "object": "urn:x:%s"}',
        '{"type": "Property", "value": 1, "unitCode": "%s"}',
        '{"type": "Property", "value": 1, "datasetId": "urn:x:%s"}',
    ):  # fmt: skip
        body = '{"id": "urn:x:1", "type": "T", "a": ' + attribute % text + "}"
        refused(client.post(f"{API}/entities", content=body,
                            headers={"Content-Type": "application/json"}))  # fmt: skip


@pytest.mark.parametrize("path", [
    "/entities/urn:x:%00", "/entities/urn:x:%ff", "/entities?type=%00", "/entities?type=T&q=a==%00",
    "/entities?type=T&scopeQ=/%00", "/entities?type=T&idPattern=%00", "/types/%00",
    "/attributes/%00", "/subscriptions/urn:x:%00", "/csourceRegistrations/urn:x:%00",
    "/jsonldContexts/%00", "/entityMaps/urn:x:%00",
    "/temporal/entities/urn:x:%00?timerel=after&timeAt=2020-01-01T00:00:00Z",
])  # fmt: skip
def test_what_cannot_be_a_name_is_found_nowhere(client, path):
    answer = client.get(API + path)
    assert answer.status_code < 500, answer.text
    assert answer.status_code >= 400 or answer.json() == []


def many(count, form="a{}"):
    return [form.format(n) for n in range(count)]


@pytest.mark.parametrize(("name", "text"), [
    ("attrs", ",".join(many(3000))), ("id", ",".join(many(2000, "urn:x:{}"))),
    ("pick", ",".join(many(3000))), ("type", "|".join(many(2000))),
    ("scopeQ", "|".join(many(2000, "/a{}"))), ("q", "|".join(many(1500, "a{0}=={0}"))),
    ("q", "(" * 2000 + "a" + ")" * 2000), ("orderBy", ",".join(many(1000))),
    ("datasetId", ",".join(many(1000, "urn:x:{}"))), ("idPattern", "(a|aa)+$"),
    ("idPattern", "a?" * 300 + "a" * 300), ("q", 'a~="(.*)\\1\\1\\1"'), ("offset", "9" * 40),
    ("limit", "9" * 40), ("coordinates", "[" * 900), ("lang", ",".join(many(2000))),
])  # fmt: skip
def test_parameters_do_not_wear_the_door_out(client, name, text):
    client.post(f"{API}/entities", json=entity(a=value("a" * 40)))
    more = {} if name == "type" else {"type": "T"}
    answer = client.get(f"{API}/entities", params={**more, name: text})
    assert answer.status_code in (200, 400, 403, 414), answer.text[:200]


def test_thousands_of_parameters_are_read_or_refused(client):
    for names in (many(3000, "x{}=1"), many(3000, "q=a{}")):
        answer = client.get(f"{API}/entities?type=T&" + "&".join(names))
        assert answer.status_code in (200, 400, 414), answer.text[:200]


@pytest.mark.parametrize("body", [
    entity(scope="/" + LONG), entity(type=many(2000)), entity(scope=many(2000, "/a{}")),
    entity(a=[value(n, datasetId=f"urn:x:{n}") for n in range(1500)]), entity(a=value(LONG)),
    entity(**{name: value(1) for name in many(2000)}), entity(**{LONG: value(1)}),
    entity(type=LONG), entity(id="urn:x:" + LONG), entity(a=value(1, unitCode=LONG)),
    entity(a=value(list(range(50_000)))), entity(a=value(1e308)),
    entity(a={"type": "Relationship", "object": "urn:x:" + LONG}),
    entity(a=value(1, observedAt="9999-12-31T23:59:59.999999Z")),
    entity(a=value(1, observedAt="0001-01-01T00:00:00Z")),
    entity(a={"type": "GeoProperty", "value": {
        "type": "LineString", "coordinates": [[n % 180, n % 90] for n in range(20_000)]}}),
    entity(a={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1e308, 1e308]}}),
    entity(a={"type": "GeoProperty", "value": {
        "type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}),
], ids=range(18))  # fmt: skip
def test_large_bodies_are_kept_or_refused(client, body):
    answer = client.post(f"{API}/entities", json=body)
    assert answer.status_code in (201, 400, 413), answer.text[:300]
    if answer.status_code == 201:
        assert client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "NaN", "-Infinity", "1" + "0" * 5000])
def test_numbers_that_are_none_of_json_s(client, number):
    body = '{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": ' + number + "}}"
    answer = client.post(
        f"{API}/entities", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (201, 400), answer.text[:200]
