"""The door walked by generated requests: whatever comes, an answer that the document knows."""

from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from starlette.testclient import TestClient

from onsil.hub.http.app import make_app
from onsil.hub.http.openapi import document

schema = schemathesis.openapi.from_dict(document())
TEMPLATE = "onsil_template"


@pytest.fixture(scope="module")
def client(postgres):
    name = f"t_{uuid4().hex[:16]}"
    app = make_app(postgres.create_database(name, TEMPLATE), "default", open_writing=True)
    with TestClient(app, raise_server_exceptions=False) as client:
        entity = {"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": 1}}
        assert client.post("/ngsi-ld/v1/entities", json=entity).status_code == 201
        yield client
    postgres.drop_database(name)


@schema.parametrize()
@settings(
    max_examples=12, derandomize=True, deadline=None, database=None,
    phases=[Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_a_documented_one(case, client):
    sent = case.as_transport_kwargs(base_url="http://testserver")
    for name in ("cookies", "verify", "cert", "timeout"):
        sent.pop(name, None)
    answer = client.request(**sent)
    methods = document()["paths"][case.path]
    if case.method.lower() not in methods:
        assert answer.status_code in (204, 400, 404, 405), (case.method, answer.status_code)
        return
    told = methods[case.method.lower()]["responses"]
    known = str(answer.status_code) in told
    assert known, (case.method, sent["url"], answer.status_code, answer.text[:300])
    media = answer.headers.get("content-type", "")
    if answer.status_code >= 400 and answer.content:
        assert media == "application/json"
        problem = answer.json()
        assert problem["title"]
        assert problem["type"].startswith("https://uri.etsi.org/ngsi-ld/errors/")
    elif answer.content and "content" in told[str(answer.status_code)]:
        assert media in told[str(answer.status_code)]["content"]
    if answer.status_code == 204:
        assert not answer.content
