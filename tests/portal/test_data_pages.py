"""The pages of open data: found, looked into, downloaded; for officials, what was checked."""

import pytest
from django.test import Client
from django.urls import reverse
from rdflib import Graph, Namespace
from rdflib.namespace import RDF

from offering import CITY, FILE, NOW, PROBES, fill
from onsil.citizen.models import Role, User
from onsil.citizen.services import people
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run
from onsil.tenancy import transaction

DCAT = Namespace("http://www.w3.org/ns/dcat#")
SOIL = "simulated-soil-temperature"


@pytest.fixture
def offered(db, city: str):
    catalogue, datasets = read_datasets(FILE)
    with transaction(CITY) as conn:
        run(conn, put_datasets(CITY, catalogue, datasets, NOW))
        fill(conn)


def get(path: str, language: str = "ko", **query: str) -> str:
    answer = Client(headers={"accept-language": language}).get(path, query)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_the_catalogue_is_searched_in_both_languages(offered):
    page = reverse("data-sets")
    assert get(page).count("list__link") == 10
    assert "데이터 2건" in get(page, q="토양 온도") or "데이터 1건" in get(page, q="토양 온도")
    assert "Soil temperature of simulated probes" in get(page, "en", q="SOIL temperature")
    assert get(page, theme="TRAN").count("list__link") == 1
    assert get(page, licence="MIT").count("list__link") == 1
    assert get(page, origin="replayed").count("list__link") == 2
    assert "찾는 데이터가 없습니다" in get(page, q="unicorn")


def test_a_data_set_says_what_it_is_and_that_it_is_simulated(offered):
    text = get(reverse("data-set", args=[SOIL]))
    assert "badge--simulated" in text
    assert "soilTemperature [degC]" in text
    assert PROBES[0] in text
    assert "<svg" in text
    assert "q=simulated%3D%3Dtrue" in text
    assert "NGSILD-Tenant: pyeongtaek" in text
    assert "CC0-1.0" in text
    assert "1번 (최근 30일 1번)" in text
    assert "Soil temperature of simulated probes in °C." in get(f"/data/{SOIL}/", "en")


@pytest.mark.parametrize(
    "name", ["data-set-csv", "data-set-parquet", "data-set-geojson", "data-set-xlsx"]
)
def test_files_are_downloaded_and_counted(offered, name: str):
    answer = Client().get(reverse(name, args=[SOIL]))
    form = name.rsplit("-", 1)[1]
    assert answer["Content-Disposition"] == f'attachment; filename="{SOIL}.{form}"'
    content = b"".join(answer)  # pyright: ignore
    starts = {"csv": "\ufeffid,observedAt".encode(), "parquet": b"PAR1", "geojson": b'{"type":',
              "xlsx": b"PK"}  # fmt: skip
    assert content.startswith(starts[form])
    assert f"<dt>{form.upper()}</dt>" in get(f"/data/{SOIL}/")


@pytest.mark.parametrize(
    ("form", "parser"), [("ttl", "turtle"), ("jsonld", "json-ld"), ("rdf", "xml")]
)
def test_the_citys_own_address_tells_the_catalogue(offered, form: str, parser: str):
    for name, sets in ((reverse(f"catalogue-{form}"), 14), (f"/dataset/{SOIL}.{form}", 1)):
        graph = Graph().parse(data=get(name), format=parser)
        assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == sets
    assert reverse(f"data-set-{form}", args=[SOIL]) == f"/dataset/{SOIL}.{form}"
    assert f"data-set-{form}" in ("data-set-ttl", "data-set-jsonld", "data-set-rdf")
    assert f"catalogue-{form}" in ("catalogue-ttl", "catalogue-jsonld", "catalogue-rdf")


def test_homes_that_take_part_are_in_no_data_set():
    for one in read_datasets(FILE)[1]:
        private = one.type in ("Meter", "WeatherObserved")
        assert not private or one.q == "simulated==true", one.id


def test_what_is_not_offered_is_not_there(offered):
    assert Client().get("/data/none/").status_code == 404
    assert Client().get("/data/none/data.csv").status_code == 404
    elsewhere = Client(SERVER_NAME="goyang.localhost")
    assert elsewhere.get(f"/data/{SOIL}/").status_code == 404
    assert "아직 공개한 데이터가 없습니다" in elsewhere.get("/data/").content.decode()


def test_officials_see_what_was_checked(offered):
    official = User.objects.create_user("checker@demo.invalid", "correct horse battery")
    people.give_role(official, Role.OFFICIAL)
    with transaction(CITY) as conn:
        from onsil import hub

        hub.upsert_entities(conn, CITY, [
            {"id": PROBES[0], "type": "SoilProbe",
             "soilMoisture": {"type": "Property", "value": 400}},
        ])  # fmt: skip
    client = Client()
    client.force_login(official, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("console-verification")
    everything = client.get(page).content.decode()
    assert PROBES[1] in everything
    faulty = client.get(page, {"faulty": "1"}).content.decode()
    assert PROBES[1] not in faulty
    assert "100보다 큽니다." in faulty
    history = client.get(page, {"entity": PROBES[0]}).content.decode()
    assert history.count('<tr><th scope="row">') == 2
    assert Client().get(page).status_code == 302
