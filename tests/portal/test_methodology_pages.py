"""The methodologies for everybody: a list, a page a version, its file, and the ways there."""

import pytest
from django.test import Client
from django.urls import reverse
from portal_world import World

from onsil.core.canonical import decimal_text
from onsil.footprint.methodologies import Methodology, methodologies, monitoring_of, tables_of

EVERY = methodologies()
pytestmark = pytest.mark.usefixtures("world")


def client(language: str = "ko") -> Client:
    return Client(headers={"accept-language": language})


def text_of(address: str, language: str = "ko", status: int = 200) -> str:
    answer = client(language).get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_every_methodology_is_listed_once():
    listing = reverse("public-methodologies")
    assert listing == "/methodologies/"
    text = text_of(listing)
    for code in {made.ID for made in EVERY}:
        assert text.count(f'href="{reverse("public-methodology", args=[code])}"') == 1
    assert "크레딧 가능" in text
    assert "보상만" in text
    english = text_of(listing, "en")
    assert "Self-consumed solar generation" in english
    assert reverse("methodologies-api") in english


def test_the_list_is_searched_by_name_and_code():
    listing = reverse("public-methodologies")
    found = client().get(listing, {"q": "태양광"}).content.decode()
    assert "solar-fleet" in found
    assert "tree-growth" not in found
    assert (
        "조건에 맞는 방법론이 없습니다" in client().get(listing, {"q": "연금술"}).content.decode()
    )


@pytest.mark.parametrize("made", EVERY, ids=lambda made: f"{made.ID}-{made.VERSION}")
def test_a_page_says_all_that_the_methodology_says(made: Methodology):
    address = reverse("public-methodology-version", args=[made.ID, made.VERSION])
    for language, title in (("ko", made.TITLE_KO), ("en", made.TITLE_EN)):
        text = text_of(address, language).replace("&#x27;", "'").replace("&amp;", "&")
        assert title in text
        assert '<h2 id="conditions">' in text
        assert text.count("<li>") >= len(made.SOURCES) + len(made.CONDITIONS)
        for one in (*made.PARAMETERS, *(c for t in tables_of(made) for c in t.columns)):
            assert f">{one.name}</code>" in text
        for one in monitoring_of(made):
            assert (one.ko if language == "ko" else one.en) in text
        assert "uncertainty" in text
    assert "손으로 한 계산과 같음" in text_of(address)
    assert reverse("public-methodology-file", args=[made.ID, made.VERSION]) in text_of(address)


def test_limits_units_and_maturity_are_shown():
    text = text_of("/methodologies/solar-self-consumption/2/")
    assert "≥ 0.01, ≤ 15000" in text
    assert "<td>kW</td>" in text
    assert reverse("factor-set-api", args=["kr-grid-2018@1"]) in text
    assert "옮긴 자료" in text
    trees = text_of("/methodologies/tree-growth/1/", "en")
    assert "Maturity</th>" in trees


def test_the_newest_version_is_shown_unless_one_is_named():
    newest = text_of("/methodologies/solar-self-consumption/")
    assert 'href="/methodologies/solar-self-consumption/1/"' in newest
    assert "발전 전력량계" in newest
    assert "발전 전력량계" not in text_of("/methodologies/solar-self-consumption/1/")


def test_the_page_comes_as_a_file():
    answer = client().get("/methodologies/solar-self-consumption/2/methodology.md")
    assert answer["Content-Type"].startswith("text/markdown")
    assert "solar-self-consumption-2.md" in answer["Content-Disposition"]
    example = EVERY[0].worked_example()
    first = reverse("public-methodology-file", args=[EVERY[0].ID, EVERY[0].VERSION])
    assert decimal_text(example.co2e_t) in text_of(first)


@pytest.mark.parametrize(
    "path", ["phlogiston/", "solar-self-consumption/99/", "phlogiston/1/methodology.md"]
)
def test_what_is_not_installed_is_not_there(path: str):
    text_of(f"/methodologies/{path}", status=404)


def test_pages_that_name_a_methodology_lead_to_it(world: World):
    address = reverse("public-methodology", args=["solar-self-consumption"])
    assert address in text_of(reverse("registry-batch", args=[world.batch.id]))
    assert reverse("public-methodologies") in text_of(reverse("registry"))
