"""The factor library's screens: what is shown, who may, and factors brought in by two people."""

import json

import pytest
from city_hall import CITY, user
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from onsil.citizen.models import Role
from onsil.footprint.factors import library_of
from onsil.footprint.factors.imports import imports
from onsil.tenancy import transaction

SET = """
[[set]]
id = "test-grid"
publisher = "시험 발행처"
document = "시험 문서"
edition = "1"
article = "표 1"
page = "3"
published = 2026-01-15
read = 2026-02-01
maturity = "secondary"
note = "test"
programmes = ["inventory"]

[[set.factor]]
commodity = "electricity"
boundary = "consumption"
unit = "kg/MWh"
co2 = "{co2}"
ch4 = "0.01"
n2o = "{n2o}"
"""
TABLE = """@kind,coefficients
@id,test-density
@table,density
@publisher,시험 발행처
@document,시험 문서
@published,2026-01-15
@read,2026-02-01
@maturity,recalled
key,density
@unit,t/m3
pine,0.42
"""


@pytest.fixture
def official(db, city, as_user):
    return as_user(user("factors-maker", Role.OFFICIAL))


@pytest.fixture
def approver(db, city, as_user):
    return as_user(user("factors-checker", Role.APPROVER))


def text(client, name, *args, status=200, **query) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def uploaded(client, content: str, name: str = "test.toml", status: int = 200) -> str:
    file = SimpleUploadedFile(name, content.encode())
    answer = client.post(reverse("factor-upload"), {"file": file}, follow=True)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def clean(co2: str = "400", n2o: str = "0.01") -> str:
    return SET.format(co2=co2, n2o=n2o)


def newest():
    with transaction(CITY) as conn:
        return imports(conn, CITY)[0]


def act(client, number, what: str, words: str = "", status: int = 200) -> str:
    answer = client.post(
        reverse("factor-import-act", args=[number, what]), {"text": words}, follow=True
    )
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def in_library(reference: str) -> bool:
    with transaction(CITY) as conn:
        return any(one.reference == reference for one in library_of(conn, CITY).sets)


def test_the_library_lists_values_with_their_grade_and_unit(official):
    shown = text(official, "factors")
    for word in ("kr-grid-2018@1", "지역난방 열", "kg/TJ", "옮긴 자료", "원문 확인", "보도 인용",
                 "미확인", "477.7", "뒤의 것: kr-city-gas-kets-2025@2", "data-chart"):  # fmt: skip
        assert word in shown, word


@pytest.mark.parametrize(
    ("asked", "there", "away"),
    [
        ({"commodity": "district-heat"}, "kdhc-pyeongtaek-heat-2021@1", "kr-grid-2018@1"),
        ({"programme": "kr-offset"}, "kr-grid-2018@1", "kr-grid-2025@1"),
        ({"maturity": "confirmed"}, "kdhc-pyeongtaek-heat-2021@1", "kr-fuels-2022@1"),
        ({"on": "2024-06-01"}, "kdhc-pyeongtaek-heat-2024@1", "kdhc-pyeongtaek-heat-2021@1"),
        ({"q": "수돗물"}, "kr-tap-water@1", "kr-grid-2018@1"),
    ],
)
def test_the_list_can_be_narrowed(official, asked, there, away):
    shown = text(official, "factors", **asked)
    assert f">{there}<" in shown
    assert f">{away}<" not in shown
    assert there in text(official, "factors", format="csv", **asked)


def test_nothing_fits(official):
    assert "조건에 맞는 계수가 없습니다" in text(official, "factors", q="nothing of the kind")


def test_a_set_shows_provenance_totals_verdicts_and_its_runs(hall, as_user):
    client = as_user(hall.verifier)
    shown = text(client, "factor-set", "kr-grid-2018@1")
    for word in ("459.4106", "0.45941", "일치", "배출권거래제 외부사업", str(hall.run.id)[-12:],
                 "이 판과 같음"):  # fmt: skip
        assert word in shown, word
    kept = json.loads(text(client, "factor-set", "kr-grid-2018@1", format="json"))
    assert kept["factors"][0]["gases_kg"]["co2"] == "456.7"
    assert "CO2만" in text(client, "factor-set", "kr-tap-water@1")
    assert "뒤에 kr-city-gas-kets-2025@2" in text(client, "factor-set", "kr-city-gas-kets-2025@1")
    text(client, "factor-set", "nothing@1", status=404)


def test_two_sets_side_by_side_show_what_differs(official):
    shown = text(official, "factors-compare", set=["kr-grid-2018@1", "kr-grid-2021@1"])
    for word in ("456.7", "474.7", "+3.94 %", "공표일", "<del>", "<ins>"):
        assert word in shown, word
    same = text(official, "factors-compare",
                set=["kr-city-gas-kets-2025@1", "kr-city-gas-kets-2025@2"])  # fmt: skip
    assert "값은 모두 같습니다" in same
    assert "두 계수집을 고르세요" in text(official, "factors-compare")
    text(official, "factors-compare", set=["kr-grid-2018@1", "no@1"], status=404)


def test_tables_and_printed_sums(official):
    assert "kets-oxidation-2025@1" in text(official, "factor-tables")
    shown = text(official, "factor-table", "kr-tree-uptake@1")
    assert "25.4" in shown
    assert "보도 인용" in shown
    assert "oak-60-years" in text(official, "factor-table", "kr-tree-uptake@1", format="csv")
    text(official, "factor-table", "nothing@1", status=404)
    shown = text(official, "factor-examples")
    for word in ("5457.7", "5455.7", "발행처 오류", "반올림 상수면 일치"):
        assert word in shown, word


def test_an_upload_is_confirmed_by_its_maker_and_approved_by_another(official, approver):
    assert "틀린 곳을 찾지 못했습니다" in uploaded(official, clean())
    made = newest()
    assert not in_library("test-grid@1")
    assert "승인을 기다립니다" in act(official, made.id, "confirm")
    act(official, made.id, "approve", status=422)
    assert not in_library("test-grid@1")
    assert "승인했습니다" in act(approver, made.id, "approve")
    assert in_library("test-grid@1")
    shown = text(approver, "factor-set", "test-grid@1")
    assert "등록과 승인 기록" in shown
    assert "test-grid@1" in text(approver, "factors")
    assert "쓰는 중" in text(approver, "factor-imports")


def test_flags_need_an_answer_and_a_return_its_reason(official, approver):
    shown = uploaded(official, clean(co2="1450"))
    assert "답이 필요함" in shown
    made = newest()
    assert "적어야 합니다" in act(official, made.id, "confirm", status=422)
    act(official, made.id, "confirm", "석탄만 쓰는 섬")
    assert "석탄만 쓰는 섬" in text(approver, "factor-import", made.id)
    act(approver, made.id, "return", "", status=422)
    assert "되돌렸습니다" in act(approver, made.id, "return", "쪽이 다름")
    assert "쪽이 다름" in text(official, "factor-import", made.id)


def test_what_cannot_be_used_stops(official):
    shown = uploaded(official, clean(n2o="-0.01"))
    assert "쓸 수 없음" in shown
    assert "발행처 오류" in shown
    assert "파일을 고쳐 다시 올리세요" in shown
    act(official, newest().id, "confirm", "그래도", status=422)


def test_a_file_that_is_no_table_is_refused_beside_the_form(official):
    assert "읽을 수 없습니다" in uploaded(official, "nonsense", "x.toml", status=422)
    assert official.post(reverse("factor-upload")).status_code == 422


def test_coefficients_and_the_forms_to_fill_in(official):
    assert "0.42" in uploaded(official, TABLE, "x.csv")
    form = text(official, "factor-template")
    assert "@publisher" in form
    assert "'@" not in form
    assert "@unit" in text(official, "factor-template", kind="coefficients")
    act(official, newest().id, "burn", status=404)


def test_who_may(hall, as_user):
    number = "00000000-0000-7000-8000-000000000000"
    for person in (*hall.staff, hall.verifier):
        assert "kr-grid-2018" in text(as_user(person), "factors")
        text(as_user(person), "factor-import", number, status=404)
    text(as_user(hall.citizen), "factors", status=403)
    file = SimpleUploadedFile("x.toml", clean().encode())
    for person in (hall.approver, hall.verifier, hall.citizen):
        answer = as_user(person).post(reverse("factor-upload"), {"file": file})
        assert answer.status_code == 403
    answer = as_user(hall.verifier).post(reverse("factor-import-act", args=[number, "approve"]))
    assert answer.status_code == 403
    act(as_user(hall.approver), number, "approve", status=404)


def test_in_english(official):
    official.cookies["django_language"] = "en"
    assert "Consumption end" in text(official, "factors")
    assert "Programmes that may use it" in text(official, "factor-set", "kr-grid-2018@1")


@pytest.fixture
def keepers(db, city, as_user):
    """Two people who look after the whole installation, and an official of one city."""
    made = [user("keeper-1", Role.OPERATOR), user("keeper-2", Role.APPROVER)]
    for person in made:
        person.is_staff = True
        person.save()
    return [as_user(person) for person in (*made, user("city-official", Role.OFFICIAL))]


def for_all(client, content: str):
    file = SimpleUploadedFile("all.toml", content.encode())
    return client.post(reverse("factor-upload"), {"file": file, "everywhere": "on"}, follow=True)


def everywhere():
    with transaction("*") as conn:
        return imports(conn, "*")


def test_factors_for_all_cities_need_two_people_of_the_installation(keepers):
    first, second, official = keepers
    content = clean().replace("test-grid", "everywhere-grid")
    assert "모든 도시" in text(first, "factor-imports")
    assert "이 설치의 모든 도시에" not in text(official, "factor-imports")
    assert for_all(official, content).status_code == 403
    assert everywhere() == []
    for_all(first, content)
    (waiting,) = everywhere()
    text(official, "factor-import", waiting.id, status=404)
    assert "everywhere-grid" not in text(official, "factor-imports")
    act(first, waiting.id, "confirm")
    act(official, waiting.id, "approve", status=404)
    assert "다른 사람이 보아야" in act(first, waiting.id, "approve", status=422)
    act(second, waiting.id, "approve")
    assert in_library("everywhere-grid@1")
    assert "모든 도시" in text(official, "factor-import", waiting.id)
    assert "everywhere-grid" in text(official, "factor-imports")
    assert "모든 도시" in text(official, "factors", q="everywhere-grid")
    assert "모든 도시" in text(official, "factor-set", "everywhere-grid@1")
    assert act(official, waiting.id, "approve", status=403) is not None
    with transaction("another-city") as conn:
        assert "everywhere-grid" in {one.id for one in library_of(conn, "another-city").sets}


def test_a_citys_own_set_stands_and_the_screen_says_so(keepers, approver):
    first, second, official = keepers
    uploaded(official, clean())
    mine = newest().id
    act(official, mine, "confirm")
    act(approver, mine, "approve")
    for_all(first, clean(co2="410"))
    (waiting,) = everywhere()
    act(first, waiting.id, "confirm")
    act(second, waiting.id, "approve")
    assert "이 도시의 것이 우선" in text(official, "factor-imports")
    assert "이 도시의 것이 우선" in text(official, "factor-import", waiting.id)
    assert "410" not in text(official, "factor-set", "test-grid@1")
