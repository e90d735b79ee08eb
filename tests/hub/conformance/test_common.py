"""What holds for every request: GS CIM 009 V1.9.1 §4.14, §5.5.10, §6.3."""

import pytest

HOUSE = {"id": "urn:ngsi-ld:Building:c1", "type": "Building"}
PATH = f"/entities/{HOUSE['id']}"
JSON, LD, GEO = "application/json", "application/ld+json", "application/geo+json"
LINK = '<https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'  # noqa: E501


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, JSON), ("*/*", JSON), (LD, LD), (f"{LD}, {JSON}", JSON), (f"{GEO}, {JSON}", JSON),
        (f"{JSON};q=0.1, {LD};q=0.9", LD), (f"{JSON};q=0, */*", LD), (f"{JSON};q=0, {LD}", LD),
        (f"*/*;q=0.9, {LD};q=0.8", JSON), (f"{LD};q=notanumber", LD), (GEO, GEO),
        ("application/*", JSON), ("text/html, */*;q=0.1", JSON),
    ],
)  # fmt: skip
def test_6_3_4_what_is_accepted(broker, accept, kind):
    broker.make(HOUSE)
    headers = {"accept": accept} if accept else {}
    answer = broker.get(PATH, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert ("@context" in answer.json()) == (kind != JSON)
    assert ("link" in answer.headers) == (kind == JSON)


def test_6_3_4_what_is_not_acceptable_names_what_is(broker, problem):
    answer = broker.get(PATH, accept="application/xml")
    assert problem(answer) == (406, "InvalidRequest")
    assert JSON in answer.json()["detail"]
    assert broker.get("/types", accept=GEO).status_code == 406


def test_6_3_6_a_feature_without_its_context(broker):
    broker.make(HOUSE)
    answer = broker.get(PATH, accept=GEO, prefer="body=json")
    assert "@context" not in answer.json()
    assert "json-ld#context" in answer.headers["link"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_6_3_4_a_body_needs_its_length(broker, method):
    path = "/ngsi-ld/v1/entities" + ("" if method == "POST" else f"/{HOUSE['id']}")
    answer = broker.http.request(
        method, path, content=iter([b"{}"]),
        headers={"Content-Type": JSON, "NGSILD-Tenant": "nosuch"},
    )  # fmt: skip
    assert (answer.status_code, answer.content) == (411, b"")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_6_3_4_other_media_types_are_a_bare_415(broker, kind):
    answer = broker.http.post("/ngsi-ld/v1/entities", content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.content) == (415, b"")


def test_6_3_4_merge_patch_is_for_patches(broker):
    answer = broker.post("/entities", HOUSE, content_type="application/merge-patch+json")
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**HOUSE, "@context": {}}, {"content_type": JSON}),
        (HOUSE, {"content_type": LD}),
        ({**HOUSE, "@context": {}}, {"content_type": LD, "link": LINK}),
    ],
)
def test_6_3_5_contexts_in_the_wrong_place(broker, problem, body, headers):
    assert problem(broker.post("/entities", body, **headers)) == (400, "BadRequestData")


def test_6_3_5_a_context_nobody_has(broker, problem):
    link = LINK.replace("uri.etsi.org", "contexts.invalid")
    assert problem(broker.get("/types", link=link)) == (504, "LdContextNotAvailable")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/entities"), ("GET", "/entities?type=Building"), ("DELETE", "/entities"),
        ("GET", "/types"), ("GET", "/subscriptions"), ("GET", "/temporal/entities?type=Building"),
        ("POST", "/entityOperations/upsert"), ("PATCH", PATH),
    ],
)  # fmt: skip
def test_6_3_20_unknown_parameters_are_refused(broker, problem, method, path):
    mark = "&" if "?" in path else "?"
    body = HOUSE if method in ("POST", "PATCH") else None
    answer = broker.call(method, f"{path}{mark}invalidParameter=1", body)
    assert problem(answer) == (400, "InvalidRequest")


def test_5_5_10_tenants_come_into_being_and_are_apart(broker, problem):
    here = {"ngsild_tenant": "Tenant_1"}
    for method, path in (("GET", "/entities?type=Building"), ("DELETE", PATH), ("PATCH", PATH)):
        answer = broker.call(method, path, {} if method == "PATCH" else None, **here)
        assert problem(answer) == (404, "NonexistentTenant")
        assert answer.headers["NGSILD-Tenant"] == "Tenant_1"
    made = broker.post("/entities", HOUSE, **here)
    assert (made.status_code, made.headers["NGSILD-Tenant"]) == (201, "Tenant_1")
    assert broker.get(PATH, **here).status_code == 200
    assert problem(broker.get(PATH)) == (404, "ResourceNotFound")
    assert "NGSILD-Tenant" not in broker.get("/types").headers
    assert broker.get("/entities?type=Building").json() == []


@pytest.mark.parametrize("tenant", ["*", "a b", "x" * 64, "../etc", "'; --"])
def test_4_14_what_is_no_tenant(broker, tenant):
    answer = broker.http.post("/ngsi-ld/v1/entities", json=HOUSE, headers={"NGSILD-Tenant": tenant})
    assert answer.status_code == 404


def test_6_3_2_methods_and_paths(broker, problem):
    wrong = broker.call("PUT", "/types")
    assert problem(wrong) == (405, "OperationNotSupported")
    assert wrong.headers["allow"] == "GET, HEAD, OPTIONS"
    assert problem(broker.get("/nothing")) == (404, "ResourceNotFound")
    options = broker.call("OPTIONS", "/entities", origin="https://example.org")
    assert options.status_code == 204
    assert {"GET", "POST", "DELETE"} <= set(options.headers["allow"].split(", "))
    assert options.headers["access-control-allow-origin"] == "*"
    head = broker.call("HEAD", "/types")
    assert (head.status_code, head.content) == (200, b"")


def test_a_name_with_a_slash_stays_one_name(broker):
    name = "https://example.org/terms/heat"
    broker.make({**HOUSE, name: 1})
    path = f"{PATH}/attrs/https%3A%2F%2Fexample.org%2Fterms%2Fheat"
    assert broker.call("PATCH", path, {"value": 2}).status_code == 204
    assert broker.entity(HOUSE["id"], "?options=keyValues")[name] == 2
    other = "http://example.org/a/b?c=1"
    broker.make({"id": other, "type": "Building"})
    place = broker.post("/entities", {"id": other + "2", "type": "Building"}).headers["location"]
    assert broker.http.get(place).json()["id"] == other + "2"


def test_6_3_7_prefer_of_a_version_is_told(broker):
    assert broker.get("/types", prefer='"x", NGSI-LD="1.8"').headers["Preference-Applied"] == (
        "ngsi-ld=1.8"
    )


def test_limits_of_bodies(broker, problem):
    deep = {"id": "urn:x:deep", "type": "T", "a": {"type": "Property", "value": 1}}
    value = deep["a"]
    for _ in range(100):
        value["value"] = [value["value"]]
    assert problem(broker.post("/entities", deep)) == (400, "BadRequestData")
    odd = {**HOUSE, "a": {"type": "Property", "value": "]]}}[[{{" * 40}}
    assert broker.post("/entities", odd).status_code == 201
    big = broker.http.post(
        "/ngsi-ld/v1/entities", content=b" " * (8 * 1024 * 1024 + 1),
        headers={"Content-Type": JSON},
    )  # fmt: skip
    assert big.status_code == 413


def test_tenants_are_listed_and_wiped(broker, problem):
    ex = "/ngsi-ld/ex/v1/tenants"
    timed = {"type": "Property", "value": 1, "observedAt": "2024-01-01T00:00:00Z"}
    broker.post("/entities", {**HOUSE, "a": timed}, ngsild_tenant="t1")
    broker.make(HOUSE)
    assert "t1" in [one["tenant"] for one in broker.http.get(ex).json()]
    assert broker.http.delete(f"{ex}/t1").status_code == 204
    assert problem(broker.get(PATH, ngsild_tenant="t1")) == (404, "NonexistentTenant")
    assert broker.get(PATH).status_code == 200
    assert broker.http.delete(f"{ex}/t1").status_code == 404
    assert broker.http.delete(f"{ex}/default").status_code == 204
    assert broker.get("/entities?local=true").json() == []
    assert broker.get(f"/temporal{PATH}").status_code == 404
