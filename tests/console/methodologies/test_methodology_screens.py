"""The methodologies' screens: the list, a page for each version, and who may read them."""

import pytest
from city_hall import user
from django.urls import reverse

from onsil import footprint
from onsil.citizen.models import Role


@pytest.fixture
def official(db, city, as_user):
    return as_user(user("methods-reader", Role.OFFICIAL))


def text(client, name, *args, status=200, **query) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def test_the_list_tells_what_may_become_units(official):
    shown = text(official, "methodologies")
    for word in ("LED 조명 교체", "led-replacement", "크레딧 가능", "보상만", "앞선 판"):
        assert word in shown, word
    only = text(official, "methodologies", kind="rewards")
    assert "시민 행동" in only
    assert "LED 조명 교체" not in only
    assert "LED 조명 교체" in text(official, "methodologies", q="led")
    assert "조건에 맞는 방법론이 없습니다" in text(official, "methodologies", q="phlogiston")
    assert "led-replacement" in text(official, "methodologies", format="csv")


@pytest.mark.parametrize("made", footprint.methodologies(), ids=lambda m: f"{m.ID}-{m.VERSION}")
def test_every_version_has_its_page(official, made):
    shown = text(official, "methodology", made.ID, made.VERSION)
    for word in (made.TITLE_KO, "손으로 한 계산과 같음", "자료로 확인하는 적용 조건"):
        assert word in shown, word
    written = text(official, "methodology", made.ID, made.VERSION, format="md")
    assert written.startswith(f"# {made.TITLE_EN}")


def test_a_page_shows_tables_monitoring_and_versions(official):
    shown = text(official, "methodology", "led-replacement", "1")
    for word in ("old_life_ends", "모니터링 항목", "점등 시간", "매개변수", "consumption"):
        assert word in shown, word
    assert "크레딧이 될 수 없습니다" in text(official, "methodology", "demand-response", "1")
    both = text(official, "methodology", "building-energy-savings", "1")
    assert reverse("methodology", args=["building-energy-savings", "2"]) in both
    text(official, "methodology", "phlogiston", "1", status=404)


def test_a_run_is_found_at_its_version(hall, as_user):
    shown = text(as_user(hall.verifier), "methodology", hall.run.methodology, hall.run.version)
    assert str(hall.run.id)[-12:] in shown


def test_in_english(official):
    answer = official.get(
        reverse("methodology", args=["ev-replacement", "1"]), headers={"accept-language": "en"}
    )
    shown = answer.content.decode()
    for word in (
        "Same as by hand",
        "Conditions, checked on the data",
        "Electric vehicles in place",
    ):
        assert word in shown, word


def test_citizens_stay_outside(db, city, as_user):
    text(as_user(user("methods-citizen")), "methodologies", status=403)
