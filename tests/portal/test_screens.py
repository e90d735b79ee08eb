"""Who sees which public screen, and that each one stands."""

import json
import re
from uuid import uuid4

import pytest
from django.test import Client
from portal_world import HOME, SOLAR, World

from onsil.portal.bundle import verify_trace_bundle


def client(person=None, language: str = "ko") -> Client:
    made = Client(headers={"accept-language": language})
    if person is not None:
        made.force_login(person)
    return made


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    "path", ["/", "/verify/", "/log/", "/registry/", "/about/data/", "/parts/totals/"]
)
def test_public_pages_stand_in_both_languages(world: World, path: str, language: str):
    answer = client(language=language).get(path)
    assert answer.status_code == 200
    said = f'<html lang="{language}"'
    assert said in answer.content.decode() or path.startswith("/parts/")


def test_the_front_page_shows_what_was_counted(world: World):
    text = client().get("/").content.decode()
    assert "4,500" not in text
    assert "13,500원" in text  # both payments
    assert "19,350점" in text  # 15,000 and three bus weeks
    assert "데모 태양광" in text
    assert "데모 시민 1의 집" not in text  # homes are not on the public map
    assert "과거 실측 재생" in text
    assert text.count("모의 자료 포함") == 2  # points for simulated rides, and money made of them
    sold = next(part for part in text.split("portal-stat") if "팔린 크레딧" in part)
    assert "2 tCO<sub>2</sub>e" in sold  # one of the two is retired since


def test_a_trace_says_its_codes_in_words_and_what_is_simulated(world: World):
    path = f"/trace/payment/{world.payments[0].transfer_id}/"
    text = client(world.saver).get(path).content.decode()
    assert "badge--simulated" in text
    assert "건물 에너지 절감 (제" in text
    assert ">first-day-fares<" not in text
    assert ">server<" not in text
    whole = client(world.verifier).get(path).content.decode()
    assert ">first-day-fares<" in whole


def test_a_trace_is_for_its_owner_and_for_those_who_check(world: World):
    path = f"/trace/payment/{world.payments[0].transfer_id}/"
    assert client(world.saver).get(path).status_code == 200
    assert client(world.verifier).get(path).status_code == 200
    assert client(world.official).get(path).status_code == 200
    assert client(world.stranger).get(path).status_code == 404
    assert client(world.buyer).get(path).status_code == 404
    anonymous = client().get(path)
    assert anonymous.status_code == 302
    assert "/accounts/login/" in anonymous["Location"]
    assert client(world.stranger).get(path + "bundle.json").status_code == 404


def test_the_page_carries_the_proofs_that_the_browser_checks(world: World):
    path = f"/trace/payment/{world.payments[0].transfer_id}/"
    text = client(world.saver).get(path).content.decode()
    found = re.search(r'<script id="trace-proofs" type="application/json">(.*?)</script>', text)
    assert found is not None
    proofs = json.loads(found[1])
    assert len(proofs) >= 10
    for proof in proofs:
        assert f'id="step-{proof["step"]}"' in text
    assert "이 가운데" in text
    assert "1,450점" in text


def test_a_downloaded_trace_verifies(world: World):
    path = f"/trace/payment/{world.payments[0].transfer_id}/bundle.json"
    answer = client(world.saver).get(path)
    assert "attachment" in answer["Content-Disposition"]
    assert verify_trace_bundle(json.loads(answer.content)).ok


def test_credits_are_traced_by_anybody(world: World):
    for kind, id in (("credit", world.batch.id), ("retirement", world.retirement.id)):
        assert client().get(f"/trace/{kind}/{id}/").status_code == 200
    assert client().get(f"/trace/credit/{uuid4()}/").status_code == 404
    assert client(world.verifier).get("/trace/moon/1/").status_code == 404


def test_a_reading_of_a_home_is_its_own_peoples(world: World):
    query = {"entity": HOME, "attribute": "electricity", "at": "2025-12-03T07:00:00+09:00"}
    mine = client(world.saver).get("/trace/reading/", query)
    assert mine.status_code == 200
    assert f"transfer-{world.payments[0].transfer_id}" in mine.content.decode()
    assert client(world.stranger).get("/trace/reading/", query).status_code == 404
    assert client().get("/trace/reading/", query).status_code == 302
    solar = {"entity": SOLAR, "attribute": "generation", "at": "2025-06-01T12:00:00+09:00"}
    assert client().get("/trace/reading/", solar).status_code == 200
    assert client().get("/trace/reading/", {**solar, "at": "noon"}).status_code == 404


def test_site_pages(world: World):
    text = client().get("/sites/solar-1/").content.decode()
    assert "데모 태양광" in text
    assert "kWh" in text
    assert "/trace/reading/?entity=" in text
    assert client().get("/sites/home-1/").status_code == 404
    assert client(world.saver).get("/sites/home-1/").status_code == 200
    assert client(world.verifier).get("/sites/home-1/").status_code == 200
    assert client().get("/sites/nowhere/").status_code == 404


def test_the_registry_finds_serials_and_shows_where_tonnes_are(world: World):
    found = client().get("/registry/", {"serial": str(world.batch.serial_first + 1)})
    assert found.status_code == 302
    assert str(world.batch.id) in found["Location"]
    whole = f"{world.batch.serial_prefix}-{world.batch.serial_last}"
    assert client().get("/registry/", {"serial": whole}).status_code == 302
    none = client().get("/registry/", {"serial": "999999"})
    assert "일련번호의 크레딧이 없습니다" in none.content.decode()
    text = client().get(f"/registry/{world.batch.id}/").content.decode()
    assert "발행량과 일치" in text
    assert client().get(f"/registry/{uuid4()}/").status_code == 404


def test_the_certificate_is_public(world: World):
    text = client().get(f"/registry/retirements/{world.retirement.id}/").content.decode()
    assert "데모 구매 기업" in text
    assert f"-{world.retirement.serial_first}…{world.retirement.serial_last}" in text
    assert client().get(f"/registry/retirements/{uuid4()}/").status_code == 404


def test_boundaries_are_served(world: World):
    answer = client().get("/city/boundary.geojson")
    assert answer.json()["type"] == "FeatureCollection"


def test_the_chart_of_a_pop_up(world: World):
    text = client().get("/sites/solar-1/chart/").content.decode()
    assert "plot__line" in text
    assert "<html" not in text
    assert client().get("/sites/home-1/chart/").status_code == 404
