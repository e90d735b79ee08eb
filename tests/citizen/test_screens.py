"""Who gets which screen, what strangers get instead, and what a form may not do."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from small_town import Town

from onsil.citizen.models import Conversion, Merchant, Payment, PaymentCode, Role
from onsil.citizen.services import codes, payments, people, settlements
from onsil.core.clock import FixedClock

CITIZEN_PAGES = ["app", "app-earn", "app-wallet", "app-convert", "app-history", "app-profile",
                 "app-scan", "app-show", "app-charge", "app-gift", "app-refund"]  # fmt: skip
SHOP_PAGES = ["shop", "shop-scan", "shop-sales", "shop-sales-rows", "shop-settlement"]


def browser(user=None, **kwargs) -> Client:
    client = Client(**kwargs)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def code_for(shop: Merchant, amount: int, **kwargs) -> PaymentCode:
    code = codes.show_amount(shop, amount, **kwargs)
    assert isinstance(code, PaymentCode)
    return code


def paying(code: PaymentCode) -> str:
    return reverse("app-pay", args=[codes.token_text(code)])


@pytest.mark.parametrize("name", [*CITIZEN_PAGES, *SHOP_PAGES, "start", "shop-apply", "app-join"])
def test_nobody_sees_anything_before_signing_in(town: Town, name: str):
    answer = browser().get(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", CITIZEN_PAGES)
def test_citizens_see_their_screens_and_they_are_never_kept(town: Town, name: str):
    answer = browser(town.citizen(money=5_000, points=700)).get(reverse(name))
    assert answer.status_code == 200, answer.content[:400]
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_shops_see_theirs(town: Town, name: str):
    assert browser(town.shop().applicant).get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", CITIZEN_PAGES)
@pytest.mark.parametrize("role", [None, Role.OFFICIAL, Role.MERCHANT])
def test_who_is_no_citizen_here_is_led_to_the_residence_check(town: Town, name: str, role):
    answer = browser(town.user(*([role] if role else []))).get(reverse(name))
    assert (answer.status_code, answer["Location"]) == (302, "/app/join/")


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_who_has_no_shop_is_led_to_applying(town: Town, name: str):
    answer = browser(town.citizen()).get(reverse(name))
    assert (answer.status_code, answer["Location"]) == (302, "/shop/apply/")


def test_a_strangers_form_is_refused_and_changes_nothing(town: Town):
    shop, stranger = town.shop(), town.user()
    code = code_for(shop, 100)
    assert browser(stranger).post(paying(code)).status_code == 403
    assert browser(town.citizen()).post(reverse("shop"), {"amount": "5"}).status_code == 403
    assert not Payment.objects.filter(code=code).exists()


def test_a_citizen_of_another_city_is_a_stranger_here(town: Town):
    from onsil.tenancy import city_scope

    citizen = town.user()
    with city_scope("goyang"):
        people.give_role(citizen, Role.CITIZEN)
    answer = browser(citizen).get(reverse("app-wallet"))
    assert (answer.status_code, answer["Location"]) == (302, "/app/join/")


@pytest.mark.parametrize(
    ("roles", "home"),
    [
        ([Role.CITIZEN], "/app/"), ([Role.MERCHANT], "/shop/"), ([Role.OFFICIAL], "/console/"),
        ([Role.APPROVER, Role.CITIZEN], "/console/"), ([Role.VERIFIER], "/console/evidence/"),
        ([Role.BUYER], "/console/market/"), ([], "/app/join/"),
    ],
)  # fmt: skip
def test_everybody_starts_where_their_work_is(town: Town, roles: list, home: str):
    answer = browser(town.user(*roles)).get("/start/")
    assert answer["Location"] == home


def test_joining_with_a_code_opens_the_wallet(town: Town):
    (code,) = people.issue_residence_codes(1, actor="user:official")
    client = browser(town.user())
    wrong = client.post(reverse("app-join"), {"code": "ABCDE-99999"})
    assert wrong.status_code == 409
    assert "맞지 않는 거주 확인 코드입니다" in wrong.content.decode()
    empty = client.post(reverse("app-join"), {"code": ""})
    assert empty.status_code == 200
    right = client.post(reverse("app-join"), {"code": code})
    assert right["Location"] == "/app/"
    assert client.get(reverse("app")).status_code == 200
    assert client.get(reverse("app-join"))["Location"] == "/app/"


def test_guessing_residence_codes_ends_in_429(town: Town):
    client = browser(town.user())
    answers = [
        client.post(reverse("app-join"), {"code": f"WRQNG{n:05d}"}, REMOTE_ADDR="192.0.2.77")
        for n in range(6)
    ]
    assert [a.status_code for a in answers] == [409] * 5 + [429]
    assert "다시 시도해 주세요" in answers[-1].content.decode()


def test_paying_asks_first_then_pays_once(town: Town):
    citizen, shop = town.citizen(money=5_000), town.shop(name="데모 빵집")
    code, client = code_for(shop, 1_200), browser(citizen)
    asked = client.get(paying(code)).content.decode()
    assert "데모 빵집" in asked
    assert "1,200원" in asked
    assert town.money(citizen) == 5_000
    first = client.post(paying(code))
    second = client.post(paying(code))
    assert first["Location"] == second["Location"]
    page = client.get(first["Location"]).content.decode()
    assert "결제했습니다" in page
    assert Payment.objects.get(code=code).confirmation in page
    assert "data-celebrate" in page
    assert town.money(citizen) == 3_800
    assert client.get(paying(code))["Location"] == first["Location"]


def test_forms_need_the_csrf_token(town: Town):
    citizen, code = town.citizen(money=500), code_for(town.shop(), 100)
    assert browser(citizen, enforce_csrf_checks=True).post(paying(code)).status_code == 403
    assert town.money(citizen) == 500


@pytest.mark.parametrize(
    ("language", "words"), [("ko", "결제되지 않았습니다"), ("en", "Nothing was")]
)
def test_each_refusal_is_told_in_the_readers_language(town: Town, language: str, words: str):
    citizen, shop = town.citizen(money=500), town.shop()
    past = FixedClock(town.clock.now() - timedelta(minutes=4))
    addresses = [
        paying(code_for(shop, 600)),
        paying(code_for(shop, 100, clock=past)),
        paying(codes.withdraw(code_for(shop, 100))),
        reverse("app-pay", args=["forged-token-of-nobody"]),
    ]
    client = browser(citizen)
    for address in addresses:
        for ask in (client.get, client.post):
            answer = ask(address, headers={"accept-language": language})
            assert answer.status_code == 409, address
            assert words in answer.content.decode()
    assert town.money(citizen) == 500


def test_another_citizen_sees_neither_payment_nor_conversion_nor_code(town: Town):
    citizen, other, shop = town.citizen(money=500, points=500), town.citizen(), town.shop()
    payment = payments.pay(code_for(shop, 100).pk, citizen)
    assert isinstance(payment, Payment)
    from onsil.citizen.services import convert

    conversion = convert(citizen, 100, uuid4())
    assert isinstance(conversion, Conversion)
    mine = codes.show_wallet(citizen)
    addresses = [
        reverse("app-payment", args=[payment.pk]), reverse("app-payment-state", args=[payment.pk]),
        reverse("app-conversion", args=[conversion.pk]),
        reverse("app-conversion-state", args=[conversion.pk]),
        reverse("app-shown", args=[mine.pk]),
    ]  # fmt: skip
    for address in addresses:
        assert browser(citizen).get(address).status_code == 200, address
        assert browser(other).get(address).status_code == 404, address


def test_another_shop_sees_and_cancels_nothing(town: Town):
    citizen, shop, other = town.citizen(money=500), town.shop(), town.shop()
    code = code_for(shop, 100)
    payment = payments.pay(code.pk, citizen)
    assert isinstance(payment, Payment)
    rival = browser(other.applicant)
    for name, identity in [
        ("shop-payment", payment.pk), ("shop-payment-state", payment.pk), ("shop-code", code.pk),
        ("shop-code-state", code.pk),
    ]:  # fmt: skip
        assert rival.get(reverse(name, args=[identity])).status_code == 404
    assert rival.post(reverse("shop-cancel", args=[payment.pk])).status_code == 404
    assert rival.post(reverse("shop-code-cancel", args=[code.pk])).status_code == 404
    assert rival.post(reverse("shop-choose"), {"shop": str(shop.pk)}).status_code == 404
    assert town.takings(shop) == 100


def test_a_shop_never_learns_who_paid(town: Town):
    citizen, shop = town.citizen(money=2_000), town.shop()
    owner = browser(shop.applicant)
    one = payments.pay(code_for(shop, 100).pk, citizen)
    shown = codes.show_wallet(citizen)
    answer = owner.post(reverse("shop-charge", args=[codes.token_text(shown)]), {"amount": "250"})
    assert answer.status_code == 302
    assert isinstance(one, Payment)
    pages = [
        owner.get(answer["Location"]), owner.get(reverse("shop-payment", args=[one.pk])),
        owner.get(reverse("shop-sales")), owner.get(reverse("shop-settlement")),
    ]  # fmt: skip
    for page in pages:
        text = page.content.decode()
        assert str(citizen.pk) not in text
        assert citizen.email not in text
    assert one.confirmation in pages[2].content.decode()
    too_much = codes.show_wallet(citizen)
    refused = owner.post(
        reverse("shop-charge", args=[codes.token_text(too_much)]), {"amount": "40000"}
    )
    assert refused.status_code == 409
    assert "1,650" not in refused.content.decode()


def test_the_waiting_page_is_told_when_to_go_on(town: Town):
    citizen, shop = town.citizen(money=500), town.shop()
    owner, code = browser(shop.applicant), code_for(shop, 100)
    address = reverse("shop-code-state", args=[code.pk])
    open_state = json.loads(owner.get(address).content)
    assert open_state["state"] == "open"
    assert 0 < open_state["left"] <= 180
    payment = payments.pay(code.pk, citizen)
    assert isinstance(payment, Payment)
    state = json.loads(owner.get(address).content)
    assert state == {"state": "applied", "next": f"/shop/payments/{payment.pk}/?done=1"}
    past = FixedClock(town.clock.now() - timedelta(minutes=4))
    old = code_for(shop, 100, clock=past)
    gone = json.loads(owner.get(reverse("shop-code-state", args=[old.pk])).content)
    assert gone["state"] == "expired"


def test_a_shop_takes_cancels_and_gives_back_on_its_screens(town: Town):
    citizen, shop = town.citizen(money=900), town.shop()
    owner = browser(shop.applicant)
    for wrong in ("", "0", "-1", "abc", "1,000,001", "9" * 30):
        answer = owner.post(reverse("shop"), {"amount": wrong})
        assert answer.status_code in (200, 409), wrong
    assert not PaymentCode.objects.filter(merchant=shop).exists()
    made = owner.post(reverse("shop"), {"amount": "₩900".replace("₩", "") + "원"})
    code = PaymentCode.objects.get(merchant=shop)
    assert made["Location"] == reverse("shop-code", args=[code.pk])
    payment = payments.pay(code.pk, citizen)
    assert isinstance(payment, Payment)
    assert owner.get(made["Location"])["Location"].endswith("?done=1")
    cancel = reverse("shop-cancel", args=[payment.pk])
    for wrong in ({}, {"amount": "0", "form_id": uuid4()}, {"amount": "901", "form_id": uuid4()}):
        assert owner.post(cancel, wrong).status_code in (200, 409)
    assert town.money(citizen) == 0
    form = {"amount": "300", "form_id": uuid4()}
    for _ in range(2):
        assert owner.post(cancel, form).status_code == 302
    assert town.money(citizen) == 300
    assert "일부 취소됨" in owner.get(reverse("shop-sales")).content.decode()
    assert owner.post(cancel, {"amount": "600", "form_id": uuid4()}).status_code == 302
    assert town.money(citizen) == 900
    assert "취소" in owner.get(reverse("shop-sales")).content.decode()
    second = code_for(shop, 100)
    owner.post(reverse("shop-code-cancel", args=[second.pk]))
    second.refresh_from_db()
    assert second.cancelled_at is not None


def test_an_unapproved_shop_sees_its_state_and_takes_nothing(town: Town):
    shop = town.shop(approved=False)
    owner = browser(shop.applicant)
    assert "승인을 기다리고 있습니다" in owner.get(reverse("shop")).content.decode()
    assert owner.post(reverse("shop"), {"amount": "100"}).status_code == 409


def test_a_settlement_is_downloaded_by_its_own_shop_alone(town: Town):
    yesterday = FixedClock(town.clock.now() - timedelta(days=1))
    shop, other = town.shop(), town.shop()
    code = code_for(shop, 700, clock=yesterday)
    payments.pay(code.pk, town.citizen(money=700), clock=yesterday)
    settlements.build()
    (line,) = settlements.lines_of(shop)
    address = reverse("shop-settlement-file", args=[line.pk])
    answer = browser(shop.applicant).get(address)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer["Content-Disposition"]
    assert browser(other.applicant).get(address).status_code == 404
    assert browser(town.citizen()).get(address).status_code == 302


def test_converting_on_the_screen(town: Town):
    citizen, form = town.citizen(points=900), uuid4()
    client = browser(citizen)
    answer = client.post(reverse("app-convert"), {"points": "900점", "form_id": str(form)})
    again = client.post(reverse("app-convert"), {"points": "900", "form_id": str(form)})
    assert answer["Location"] == again["Location"] == reverse("app-conversion", args=[form])
    assert "전환했습니다" in client.get(answer["Location"]).content.decode()
    assert town.money(citizen) == 900
    poor = client.post(reverse("app-convert"), {"points": "900", "form_id": str(uuid4())})
    assert poor.status_code == 409


def test_the_shell_can_be_installed_and_keeps_no_money_page(town: Town):
    shells = [("/app/", "app-manifest", "app-worker"), ("/shop/", "shop-manifest", "shop-worker")]
    for scope, manifest, worker in shells:
        body = json.loads(browser().get(reverse(manifest)).content)
        assert body["scope"] == scope
        assert {icon["sizes"] for icon in body["icons"]} == {"192x192", "512x512"}
        answer = browser().get(reverse(worker))
        assert answer["Content-Type"].startswith("text/javascript")
        assert reverse("app-offline") in answer.content.decode()
    offline = browser(town.citizen(money=4_321)).get(reverse("app-offline")).content.decode()
    assert "인터넷에 연결되어 있지 않습니다" in offline
    assert "4,321" not in offline


def test_the_language_is_kept_with_the_person(town: Town):
    citizen = town.citizen()
    client = browser(citizen)
    client.post(reverse("app-language"), {"language": "en", "next": "/app/profile/"})
    citizen.refresh_from_db()
    assert citizen.language == "en"
    assert "Profile" in client.get("/app/profile/").content.decode()
    client.post(reverse("app-language"), {"language": "xx"})
    citizen.refresh_from_db()
    assert citizen.language == "en"
