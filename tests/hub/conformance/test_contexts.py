"""Hosting contexts (GS CIM 009 V1.9.1 §5.13, §6.29, §6.30)."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import orjson
import pytest
from starlette.testclient import TestClient

from onsil.hub.contexts import CORE_CONTEXT, NGSI_LD
from onsil.hub.http.app import make_app

API = "/ngsi-ld/v1"
CONTEXTS = f"{API}/jsonldContexts"
MINIMAL = {"@context": {"A1": "urn:ngsi-ld:attributes:A1", "T1": "urn:ngsi-ld:types:T1"}}
SUITE = (
    "https://forge.etsi.org/rep/cim/ngsi-ld-test-suite/-/raw/develop/resources/jsonld-contexts/"
    "ngsi-ld-test-suite.jsonld"
)
LD = {"Content-Type": "application/ld+json"}


class ContextServer(ThreadingHTTPServer):
    """A server of one context, which counts its answers."""

    def __init__(self):
        self.document, self.answers = MINIMAL, 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ContextServer

    def do_GET(self):
        self.server.answers += 1
        body = orjson.dumps(self.server.document)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def server():
    made = ContextServer()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@contextmanager
def broker(dsn, *hosts):
    with TestClient(make_app(dsn, open_writing=True, context_hosts=hosts)) as client:
        yield client


@pytest.fixture
def hub(fresh_database, server):
    with broker(fresh_database, server.origin) as client:
        yield client


def kind_of(answer):
    return answer.json()["type"].rsplit("/", 1)[1]


def add(hub, document=MINIMAL, **headers):
    answer = hub.post(CONTEXTS, json=document, headers=headers)
    assert (answer.status_code, answer.content) == (201, b"")
    return answer.headers["Location"]


def details(hub, key, **headers):
    return hub.get(f"{CONTEXTS}/{quote(key, safe='')}?details=true", headers=headers)


def create(hub, context, uri="urn:ngsi-ld:T1:e1", **attributes):
    body = {"id": uri, "type": "T1", "A1": 1, **attributes, "@context": context}
    return hub.post(f"{API}/entities", json=body, headers=LD)


def test_5_13_2_a_context_is_hosted_and_served(hub):
    place = add(hub, {**MINIMAL, "ignored": 1})
    assert place.startswith(CONTEXTS + "/")
    answer = hub.get(place)
    assert (answer.status_code, answer.json()) == (200, MINIMAL)
    assert answer.headers["Content-Type"] == "application/json"
    found = details(hub, place.rsplit("/", 1)[1]).json()
    assert set(found) <= {"URL", "localId", "kind", "createdAt", "numberOfHits", "lastUsage"}
    assert found["URL"].endswith(place)
    assert found["localId"] == place.rsplit("/", 1)[1]
    assert found["kind"] == "Hosted"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "InvalidRequest"), (b"{}", "InvalidRequest"), (b"[]", "InvalidRequest"),
        (b'{"@context": 42}', "BadRequestData"), (b'{"@context": true}', "BadRequestData"),
        (b'{"@context": null}', "BadRequestData"), (b'{"@context": [42]}', "BadRequestData"),
        (b'{"@context": {"a": 42}}', "BadRequestData"),
        (b'{"@context": {"a": {"@id": "urn:a", "@context": {}}}}', "BadRequestData"),
        (orjson.dumps({"@context": {"a": "urn:" + "x" * 1_000_000}}), "BadRequestData"),
    ],
)  # fmt: skip
def test_5_13_2_4_what_is_no_context_is_not_hosted(hub, body, kind):
    answer = hub.post(CONTEXTS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, kind_of(answer)) == (400, kind)
    assert "Location" not in answer.headers


def test_5_13_2_urls_in_it_are_not_fetched(hub):
    add(hub, {"@context": ["http://nowhere.example/a.jsonld", CORE_CONTEXT]})


def test_5_13_3_lists_by_kind_with_and_without_details(hub):
    assert hub.get(CONTEXTS).json() == []
    places = [add(hub, {"@context": {f"t{i}": f"urn:t{i}"}}) for i in range(3)]
    listed = hub.get(CONTEXTS).json()
    assert [url.removeprefix("http://testserver") for url in listed] == places
    assert hub.get(f"{CONTEXTS}?kind=Hosted&details=false").json() == listed
    assert hub.get(f"{CONTEXTS}?kind=Cached").json() == []
    found = hub.get(f"{CONTEXTS}?kind=Hosted&details=true").json()
    assert [one["URL"] for one in found] == listed
    for bad in ("kind=Other", "details=maybe"):
        answer = hub.get(f"{CONTEXTS}?{bad}")
        assert (answer.status_code, kind_of(answer)) == (400, "BadRequestData")


def test_5_13_a_hosted_context_serves_other_requests_without_a_fetch(hub):
    url = "http://testserver" + add(hub)
    assert create(hub, url).status_code == 201
    plain = hub.get(f"{API}/entities/urn:ngsi-ld:T1:e1").json()
    assert plain["type"] == "urn:ngsi-ld:types:T1"
    link = f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    shown = hub.get(f"{API}/entities/urn:ngsi-ld:T1:e1", headers={"Link": link})
    assert shown.json()["A1"] == {"type": "Property", "value": 1}
    assert shown.json()["type"] == "T1"
    inside = add(hub, {"@context": [url, {"B1": "urn:b1"}]})
    assert create(hub, ["http://testserver" + inside], "urn:e:2").status_code == 201


def test_5_13_4_what_is_not_there(hub):
    for key in ("wrong_id_context", "12345", "http://nowhere.example/context.jsonld"):
        for answer in (
            details(hub, key), hub.get(f"{CONTEXTS}/{quote(key, safe='')}"),
            hub.delete(f"{CONTEXTS}/{quote(key, safe='')}"),
        ):  # fmt: skip
            assert (answer.status_code, kind_of(answer)) == (404, "ResourceNotFound")


def test_5_13_5_a_hosted_context_is_deleted_and_not_reloaded(hub):
    place = add(hub)
    answer = hub.delete(f"{place}?reload=true")
    assert (answer.status_code, kind_of(answer)) == (400, "BadRequestData")
    answer = hub.delete(place)
    assert (answer.status_code, answer.content) == (204, b"")
    assert hub.get(place).status_code == 404
    assert hub.delete(place).status_code == 404
    assert create(hub, "http://testserver" + place).status_code == 504


def test_5_13_1_a_context_by_url_is_cached(hub, server):
    url = f"{server.origin}/context.jsonld"
    assert create(hub, url).status_code == 201
    assert create(hub, [url, {"x": "urn:x"}], "urn:e:2").status_code == 201
    assert server.answers == 1
    found = details(hub, url).json()
    assert (found["kind"], found["URL"]) == ("Cached", url)
    assert found["expiresAt"] > found["createdAt"]
    assert hub.get(f"{CONTEXTS}?kind=Cached").json() == [url]
    assert details(hub, found["localId"]).json()["URL"] == url
    answer = hub.get(f"{CONTEXTS}/{quote(url, safe='')}")
    assert (answer.status_code, kind_of(answer)) == (422, "OperationNotSupported")


def test_5_13_1_a_fetched_context_outlives_the_process(fresh_database, server):
    url = f"{server.origin}/kept.jsonld"
    with broker(fresh_database, server.origin) as hub:
        assert create(hub, url).status_code == 201
    from onsil.hub.contexts import library

    library.forget(url)
    with broker(fresh_database) as hub:  # nothing may be fetched now
        assert create(hub, url, "urn:e:2").status_code == 201
    assert server.answers == 1


def test_5_13_3_5_hits_are_counted(hub, server):
    url = f"{server.origin}/hits.jsonld"
    create(hub, url)
    assert details(hub, url).json()["numberOfHits"] == 1
    create(hub, url, "urn:e:2")
    assert details(hub, url).json()["numberOfHits"] == 3


def test_5_13_5_a_cached_context_is_deleted_by_its_url(hub, server):
    url = f"{server.origin}/deleted.jsonld"
    create(hub, url)
    assert hub.delete(f"{CONTEXTS}/{quote(url, safe='')}").status_code == 204
    assert details(hub, url).status_code == 404
    assert create(hub, url, "urn:e:2").status_code == 201
    assert server.answers == 2


def test_5_13_5_4_reload_takes_what_is_there_now(hub, server):
    url = f"{server.origin}/reloaded.jsonld"
    create(hub, url)
    server.document = {"@context": {"T1": "urn:new:T1"}}
    assert hub.delete(f"{CONTEXTS}/{quote(url, safe='')}?reload=true").status_code == 204
    create(hub, url, "urn:e:2")
    assert hub.get(f"{API}/entities/urn:e:2").json()["type"] == "urn:new:T1"


def test_5_13_5_4_a_failed_reload_keeps_the_context(hub, server):
    url = f"{server.origin}/kept-after.jsonld"
    create(hub, url)
    server.document = {"no": "context"}
    answer = hub.delete(f"{CONTEXTS}/{quote(url, safe='')}?reload=true")
    assert (answer.status_code, kind_of(answer)) == (504, "LdContextNotAvailable")
    assert details(hub, url).json()["kind"] == "Cached"
    assert create(hub, url, "urn:e:2").status_code == 201
    assert hub.delete(f"{CONTEXTS}/{quote(url, safe='')}").status_code == 204
    assert details(hub, url).status_code == 404


def test_5_5_6_a_remote_document_that_is_no_context_is_bad_data(hub, server):
    server.document = {"note": "no context member here"}
    answer = create(hub, f"{server.origin}/invalid.jsonld")
    assert (answer.status_code, kind_of(answer)) == (400, "BadRequestData")
    assert hub.get(f"{API}/entities/urn:ngsi-ld:T1:e1").status_code == 404


@pytest.mark.parametrize("reload", ["true", "xxx"])
def test_5_13_5_what_is_not_there_is_not_reloaded(hub, reload):
    answer = hub.delete(f"{CONTEXTS}/wrong_id_context?reload={reload}")
    assert (answer.status_code, kind_of(answer)) == (400, "BadRequestData")


def test_5_13_5_the_core_context_stays(hub):
    core = f"{NGSI_LD}v1/ngsi-ld-core-context-v1.6.jsonld"
    assert details(hub, core).json()["kind"] == "Cached"
    for query in ("", "?reload=false"):
        answer = hub.delete(f"{CONTEXTS}/{quote(core, safe='')}{query}")
        assert (answer.status_code, kind_of(answer)) == (400, "BadRequestData")
    assert hub.delete(f"{CONTEXTS}/{quote(core, safe='')}?reload=true").status_code == 204
    assert details(hub, core).status_code == 200


def test_a_bundled_context_in_use_counts_as_cached(hub):
    assert create(hub, SUITE).status_code == 201
    assert SUITE in hub.get(f"{CONTEXTS}?kind=Cached").json()
    assert details(hub, SUITE).json()["kind"] == "Cached"
    assert hub.delete(f"{CONTEXTS}/{quote(SUITE, safe='')}").status_code == 204
    assert details(hub, SUITE).status_code == 404
    assert create(hub, SUITE, "urn:e:2").status_code == 201


@pytest.mark.parametrize(
    "url",
    ["https://nowhere.example/c.jsonld", "http://127.0.0.1:1/c.jsonld", "http://169.254.169.254/x"],
)
def test_6_3_5_a_context_that_cannot_be_had_is_504_at_once(hub, url):
    for answer in (
        create(hub, url),
        hub.get(f"{API}/entities?type=T1", headers={
            "Link": f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"'
        }),
    ):  # fmt: skip
        assert (answer.status_code, kind_of(answer)) == (504, "LdContextNotAvailable")


def test_a_silent_server_is_not_waited_for(fresh_database):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with broker(fresh_database, origin) as hub:
            answer = create(hub, f"{origin}/c.jsonld")
            assert (answer.status_code, kind_of(answer)) == (504, "LdContextNotAvailable")
            # The second request does not try again for a while.
            assert create(hub, f"{origin}/c.jsonld").elapsed.total_seconds() < 1


def test_5_5_10_a_hosted_context_is_its_tenants_alone(hub):
    ours, theirs = {"NGSILD-Tenant": "tenant-a"}, {"NGSILD-Tenant": "tenant-b"}
    place = add(hub, **ours)
    key = place.rsplit("/", 1)[1]
    assert hub.get(place, headers=theirs).status_code == 404
    assert details(hub, key, **theirs).status_code == 404
    for query in ("", "?details=true"):
        answer = hub.get(CONTEXTS + query, headers=theirs)
        assert answer.status_code == 200
        assert key not in answer.text
    assert hub.delete(place, headers=theirs).status_code == 404
    assert hub.get(place).status_code == 404
    assert hub.get(place, headers=ours).json() == MINIMAL
    assert hub.delete(place, headers=ours).status_code == 204


def test_5_13_1_an_implicitly_created_context_is_made_once(hub):
    contexts = hub.app.door.contexts
    source = [SUITE, {"x": "urn:x"}]

    async def hosted(what):
        return await contexts.hosted(what, "pyeongtaek", "http://testserver")

    first, again = hub.portal.call(hosted, source), hub.portal.call(hosted, source)
    assert first == again
    assert hub.get(first).json() == {"@context": source}
    assert hub.portal.call(hosted, SUITE) == SUITE
    found = hub.get(f"{CONTEXTS}?kind=ImplicitlyCreated&details=true").json()
    assert [one["URL"] for one in found] == [first]
    assert found[0]["kind"] == "ImplicitlyCreated"
    assert create(hub, first, x=1).status_code == 201
