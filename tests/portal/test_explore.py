"""The data explorer: a form asks; chart, list, map and call answer; files; the console."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from offering import CITY, FILE, NOW, PROBES, fill
from onsil import hub
from onsil.citizen.models import Role, User
from onsil.citizen.services import people
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run
from onsil.tenancy import transaction

SOIL = "set:simulated-soil-temperature"
HOME = f"urn:ngsi-ld:Meter:{CITY}:home-of-somebody"


@pytest.fixture
def offered(db, city: str):
    catalogue, datasets = read_datasets(FILE)
    with transaction(CITY) as conn:
        run(conn, put_datasets(CITY, catalogue, datasets, NOW))
        fill(conn)
        hub.upsert_entities(conn, CITY, [
            {"id": HOME, "type": "Meter", "activePower": {"type": "Property", "value": 321}},
        ])  # fmt: skip


@pytest.fixture
def official(db) -> Client:
    user = User.objects.create_user("explorer@demo.invalid", "correct horse battery")
    people.give_role(user, Role.OFFICIAL)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client | None = None, name: str = "data-explore", **given: str | list[str]) -> str:
    answer = (client or Client()).get(reverse(name), given)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_question_is_drawn_listed_mapped_and_written_as_a_call(offered):
    text = page(of=SOIL, ca="soilTemperature", co="<", cv="5", span="week", step="hour")
    assert "개체 1개" in text
    assert "badge--simulated" in text
    assert 'data-lines="{&quot;title&quot;:&quot;soilTemperature&quot;' in text
    assert '<svg class="plot"' in text  # drawn without script, too
    assert "표로 보기" in text
    assert "data-map=" in text
    assert "q=soilTemperature%3C5;simulated%3D%3Dtrue" in text
    assert "NGSILD-Tenant: pyeongtaek" in text
    assert "&quot;type&quot;: &quot;Query&quot;" in text
    assert "aggrPeriodDuration=PT1H" in text
    assert PROBES[0] in text
    assert "soilMoisture" not in text
    english = Client(headers={"accept-language": "en"}).get(reverse("data-explore"), {"of": SOIL})
    assert "1 entities" not in english.content.decode()
    assert "Data explorer" in english.content.decode()


def test_the_call_alone_follows_the_form(offered):
    text = page(part="call", of=SOIL, place="circle", lon="127.028", lat="37.04", radius="300")
    assert "georel=near;maxDistance%3D%3D300" in text
    assert "<html" not in text


def test_what_is_wrong_stands_in_the_form(offered):
    text = page(of=SOIL, place="circle", lon="abc", lat="1", radius="1")
    assert "질문을 실행하지 않았습니다" in text
    assert 'value="abc"' in text
    assert "개체 1개" not in text


def test_an_empty_answer_says_so(offered):
    assert "맞는 개체가 없습니다" in page(of=SOIL, ca="soilTemperature", co=">", cv="99")
    elsewhere = Client(SERVER_NAME="goyang.localhost").get(reverse("data-explore"))
    assert "아직 공개한 데이터가 없습니다" in elsewhere.content.decode()


@pytest.mark.parametrize(("form", "start"), [("csv", b"\xef\xbb\xbfid"), ("xlsx", b"PK")])
@pytest.mark.parametrize("what", ["series", "entities"])
def test_what_is_shown_leaves_as_a_file(offered, official, what: str, form: str, start: bytes):
    for client, name in ((Client(), "data-explore-file"), (official, "console-explore-file")):
        answer = client.get(reverse(name, args=[what, form]), {"of": SOIL})
        assert answer.content.startswith(start)
        assert answer["Content-Disposition"].endswith(f'temperature-{what}.{form}"')
    if form == "csv":
        text = answer.content.decode("utf-8-sig")
        assert ("2.98333" in text) == (what == "series")
    assert Client().get(reverse("data-explore-file", args=[what, form]),
                        {"of": "set:none"}).status_code == 404  # fmt: skip


def call(client: Client, target: str, of: str = SOIL, name: str = "data-call", **more: str):
    answer = client.post(reverse(name), {"of": of, "method": "GET", "target": target, **more})
    return answer.status_code, answer.content.decode()


def test_the_console_answers_what_may_be_seen(offered):
    client = Client()
    status, text = call(client, "/ngsi-ld/v1/entities?type=SoilProbe&count=true")
    assert status == 200
    assert "NGSILD-Results-Count: 2" in text
    assert "soilMoisture" not in text
    for target in (f"/ngsi-ld/v1/entities/{HOME}", "/ngsi-ld/v1/entities?type=Meter"):
        assert "321" not in call(client, target)[1]
    body = json.dumps({"type": "Query", "entities": [{"type": "Meter"}]})
    query = "/ngsi-ld/v1/entityOperations/query"
    assert "This is not open here" in call(client, query, method="POST", body=body)[1]
    assert "begins with" in call(client, "/etc/passwd")[1]
    assert call(client, "/ngsi-ld/v1/entities?type=Meter", of="type:Person")[0] == 404
    assert Client(enforce_csrf_checks=True).post(reverse("data-call")).status_code == 403


def test_nobody_sees_a_home_but_officials(offered, official):
    for key in ("type:Meter", "set:simulated-household-power", ""):
        assert HOME not in page(of=key)
    text = page(official, "console-explore", of="type:Meter")
    assert HOME in text
    assert "321" in call(official, f"/ngsi-ld/v1/entities/{HOME}", "type:Meter", "console-call")[1]
    for name in ("console-explore", "console-call"):
        assert Client().get(reverse(name)).status_code in (302, 405)
    stranger = User.objects.create_user("stranger@demo.invalid", "correct horse battery")
    client = Client()
    client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("console-explore")).status_code == 403
    assert client.post(reverse("console-call")).status_code == 403
    assert client.get("/console/explore/series.csv").status_code == 403
