"""Officials and shops: letting in, turning down, stopping; and the maps of the dashboard."""

import json

import pytest
from city_hall import CITY, CityHall, user
from django.test import Client
from django.urls import reverse
from office import GONE, acts, shut_to, told
from small_town import business_number

from onsil import ledger
from onsil.citizen.models import Merchant, User
from onsil.citizen.services import Application, merchants
from onsil.tenancy import transaction

pytestmark = pytest.mark.django_db


def applied(applicant: User) -> Merchant:
    asked = Application("데모 가맹점", business_number(), "bakery", "데모로 1", 90_000_000)
    return granted_shop(merchants.apply(applicant, asked))


def granted_shop(answer: object) -> Merchant:
    assert isinstance(answer, Merchant), answer
    return answer


def state(shop: Merchant) -> tuple[str, str]:
    shop.refresh_from_db()
    return shop.state, shop.reason


def test_a_shop_is_let_in_stopped_and_let_go_on(hall: CityHall, as_user):
    shop = applied(user("owner1"))
    path = reverse("console-shop-decide", args=[shop.pk])
    official, approver = as_user(hall.official), as_user(hall.approver)
    assert path in official.get(reverse("console-shops")).content.decode()
    assert "처리했습니다" in told(official, path, decision="approve", reason="쓰다 만 말")
    assert state(shop) == ("approved", "")
    with transaction(CITY) as tx:
        assert ledger.account(tx, CITY, shop.account, f"local:{CITY}")
    assert "처리했습니다" not in told(official, path, decision="approve")
    assert "처리했습니다" not in told(official, path, decision="refuse", reason="늦은 생각")
    assert state(shop) == ("approved", "")
    assert "처리했습니다" in told(approver, path, decision="close", reason="점검")
    told(approver, path, decision="close", reason="두 번째")
    assert state(shop) == ("closed", "점검")
    assert "점검" in official.get(reverse("console-shops")).content.decode()
    told(official, path, decision="reopen")
    assert state(shop)[0] == "approved"
    assert [acts(f"merchant.{s}") for s in ("approved", "closed")] == [2, 1]
    trail = reverse("console-audit") + f"?actor={hall.official.email}&kind=merchant"
    assert official.get(trail).content.decode().count("merchant.approved") >= 2


def test_an_application_is_turned_down_with_a_reason(hall: CityHall, as_user):
    shop = applied(user("owner2"))
    path = reverse("console-shop-decide", args=[shop.pk])
    told(as_user(hall.official), path, decision="refuse", reason=" 주소를 확인할 수 없음 ")
    assert state(shop) == ("refused", "주소를 확인할 수 없음")


NO_DECISIONS = [
    ({}, "하나를 골라 주세요"),
    ({"decision": "maybe", "reason": "글쎄"}, "하나를 골라 주세요"),
    ({"decision": "refuse"}, "이유를 적어 주세요"),
    ({"decision": "refuse", "reason": "   "}, "이유를 적어 주세요"),
    ({"decision": "refuse", "reason": "길" * 301}, "이유: "),
    ({"decision": "refuse", "reason": "\x00"}, "이유: "),
    ({"decision": "reopen"}, "아무것도 바뀌지 않았습니다"),
]


def test_what_is_no_decision_decides_nothing(hall: CityHall, as_user):
    shop = applied(user("owner3"))
    path = reverse("console-shop-decide", args=[shop.pk])
    for sent, words in NO_DECISIONS:
        assert words in told(as_user(hall.official), path, **sent)
        assert state(shop) == ("applied", "")


def test_nobody_decides_on_an_own_shop_or_without_the_role(hall: CityHall, as_user):
    shop = applied(hall.official)
    path = reverse("console-shop-decide", args=[shop.pk])
    sent = {"decision": "approve"}
    assert "처리했습니다" not in told(as_user(hall.official), path, **sent)
    shut_to([hall.operator, hall.verifier, hall.citizen], as_user, path, **sent)
    nowhere = reverse("console-shop-decide", args=[GONE])
    assert as_user(hall.official).post(nowhere, sent).status_code == 404
    assert state(shop)[0] == "applied"


# ---------------------------------------------------------------- maps


def test_maps_are_for_staff_and_say_whose_they_are(hall: CityHall, as_user):
    for path, least in ((reverse("console-boundary"), 1), (reverse("console-districts"), 2)):
        for person in hall.staff:
            answer = as_user(person).get(path)
            assert answer.status_code == 200
            assert answer["Content-Type"] == "application/geo+json"
            shape = json.loads(answer.content)
            assert shape["type"] == "FeatureCollection"
            assert len(shape["features"]) >= least
            assert all(f["geometry"]["coordinates"] for f in shape["features"])
            assert shape["attribution"]["ko"]
        for person in (hall.verifier, hall.citizen):
            assert as_user(person).get(path).status_code == 403
        assert Client(SERVER_NAME="localhost").get(path).status_code == 302
