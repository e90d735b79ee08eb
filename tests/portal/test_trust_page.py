"""Everybody sees whether the money behind the local currency is there."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from portal_world import CITY, World

from onsil.citizen.services import trust
from onsil.core.clock import FixedClock, SystemClock
from onsil.tenancy import city_scope


def page(language: str = "ko") -> str:
    answer = Client(headers={"accept-language": language}).get(reverse("trust"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_newest_report_in_plain_words(world: World):
    assert "아직 기록이 없습니다" in page()
    with city_scope(CITY):
        now = SystemClock().now()
        made = [trust.record(clock=FixedClock(now - timedelta(days=n))) for n in (1, 0)]
    said = page()
    assert "모두 지켜지고 있습니다" in said
    assert made[-1].day.isoformat() in said
    assert f"{made[-1].cover:,}원" in said
    assert "All of it is kept safe" in page("en")
    assert Client().post(reverse("trust")).status_code == 405


@pytest.mark.parametrize("host", ["goyang.localhost"])
def test_another_city_tells_of_its_own(world: World, host: str):
    answer = Client(SERVER_NAME=host).get(reverse("trust"))
    assert "아직 기록이 없습니다" in answer.content.decode()
