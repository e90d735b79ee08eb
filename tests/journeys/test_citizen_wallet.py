"""Charging, paying with cashback, part cancellation, gifts, refunds: on both phones' screens."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from onsil import ledger
from onsil.citizen.models import Gift
from onsil.citizen.services import codes, gifts, members, payments, postings
from onsil.core.clock import FixedClock, SystemClock
from onsil.core.periods import local_day
from onsil.ledger import rules
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

pytestmark = pytest.mark.journey


def looked(page: Page, axe, shot, name: str) -> None:
    """The page as it stands: fit by axe, no wider than the window, seen at both widths."""
    axe(page)
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        shot(page, name)


def test_money_of_ones_own_from_the_bank_to_the_shop_and_back(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    with live_site.inside() as people:
        _fund_cashback()
        people.shop.cashback_percent = 2
        people.shop.save()
        code = members.member(people["citizen1"]).code
    phone, till = browser_page(390), browser_page(390)
    sign_in(phone, "citizen2")
    phone.goto("/app/refund/")
    expect(phone.get_by_text("환불할 충전이 없습니다")).to_be_visible()
    looked(phone, axe, shot, "app-refund-none")
    phone.goto("/app/gift/")
    expect(phone.get_by_text("선물할 수 있는 돈이 없습니다")).to_be_visible()
    looked(phone, axe, shot, "app-gift-none")

    phone.goto("/app/charge/")
    looked(phone, axe, shot, "app-charge")
    phone.fill("#id_amount", "50,000")
    phone.get_by_role("button", name="입금할 곳 받기").click()
    expect(phone.get_by_role("heading", name="이 계좌로 입금해 주세요")).to_be_visible()
    expect(phone.get_by_text("모의 은행입니다").first).to_be_visible()
    looked(phone, axe, shot, "app-charge-order")
    phone.get_by_role("button", name="모의 은행에서 입금하기").click()
    expect(phone.get_by_role("heading", name="충전했습니다")).to_be_visible()
    looked(phone, axe, shot, "app-charged")

    with live_site.inside() as people:
        shown = codes.show_amount(people.shop, 10_000)
        row = payments.pay(shown.pk, people["citizen2"])
        assert row.applied
    phone.goto(f"/app/payments/{row.pk}/")
    expect(phone.get_by_text("시 10 % 1,000원 · 가맹점 2 % 200원")).to_be_visible()
    expect(phone.get_by_text("내가 충전한 돈")).to_be_visible()
    looked(phone, axe, shot, "app-payment-cashback")

    sign_in(till, "merchant1")
    till.goto(f"/shop/payments/{row.pk}/")
    till.get_by_text("결제 취소").click()
    till.fill("#id_amount", "4,000")
    looked(till, axe, shot, "shop-part-cancel")
    till.get_by_role("button", name="되돌려 주기").click()
    expect(till.get_by_text("10,000원 가운데 4,000원 취소됨")).to_be_visible()
    looked(till, axe, shot, "shop-part-cancelled")
    phone.reload()
    expect(phone.get_by_text("시 10 % 600원 · 가맹점 2 % 120원")).to_be_visible()
    looked(phone, axe, shot, "app-payment-part-cancelled")

    phone.goto("/app/gift/")
    phone.fill("#id_to", code)
    phone.fill("#id_amount", "5,000")
    phone.fill("#id_words", "생일 축하해요")
    looked(phone, axe, shot, "app-gift")
    phone.get_by_role("button", name="다음").click()
    expect(phone.get_by_role("heading", name="이분에게 보낼까요?")).to_be_visible()
    looked(phone, axe, shot, "app-gift-confirm")
    phone.get_by_role("button", name="5,000원 보내기").click()
    expect(phone.get_by_role("button", name="선물 거두기")).to_be_visible()
    looked(phone, axe, shot, "app-gift-sent")

    friend = browser_page(390)
    sign_in(friend, "citizen1")
    friend.get_by_role("link", name=re.compile("선물이 도착했습니다")).click()
    expect(friend.get_by_text("생일 축하해요")).to_be_visible()
    looked(friend, axe, shot, "app-gift-arrived")
    friend.get_by_role("button", name="선물 받기").click()
    expect(friend.get_by_role("heading", name="선물을 받았습니다")).to_be_visible()
    expect(phone.get_by_role("heading", name=re.compile("님이 받았습니다"))).to_be_visible(
        timeout=20_000
    )
    _lapse_another(live_site, code)
    phone.goto("/app/gift/")
    expect(phone.get_by_text("기한 지남")).to_be_visible()

    phone.goto("/app/refund/")
    expect(phone.get_by_text("을 더 쓰시면").first).to_be_visible()
    looked(phone, axe, shot, "app-refund-missing")
    _spend(live_site, 20_000)
    phone.reload()
    phone.fill("#id_bank", "데모은행")
    phone.fill("#id_number", "000-1111-2222")
    phone.fill("#id_holder", "데모 시민 2")
    looked(phone, axe, shot, "app-refund")
    phone.get_by_role("button", name="환불 신청하기").click()
    expect(phone.get_by_role("heading", name="환불을 신청했습니다")).to_be_visible()
    looked(phone, axe, shot, "app-refund-asked")

    desk, second = browser_page(1440), browser_page(1440)
    sign_in(desk, "official1")
    desk.goto("/console/refunds/")
    looked(desk, axe, shot, "console-refunds")
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.get_by_role("button", name="확인", exact=True).click()
    sign_in(second, "approver1")
    second.goto("/console/refunds/")
    second.get_by_role("button", name="지급 파일 만들기").click()
    expect(second.get_by_role("link", name="CSV")).to_be_visible()
    looked(second, axe, shot, "console-refunds-paid")
    phone.reload()
    expect(phone.get_by_role("heading", name="은행에 지급을 보냈습니다")).to_be_visible()

    phone.goto("/app/wallet/")
    looked(phone, axe, shot, "app-wallet-own")
    phone.goto("/app/history/")
    looked(phone, axe, shot, "app-history-own")
    phone.select_option("#id_group", "cashback")
    phone.get_by_role("button", name="보기").click()
    expect(phone.locator(".movement").get_by_text("캐시백").first).to_be_visible()
    with live_site.inside(), transaction() as tx:
        assert ledger.conservation(tx, CITY) == []


def test_officials_note_facts_and_numbers(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    desk = browser_page(1440)
    sign_in(desk, "official1")
    desk.goto(f"/console/shops/{live_site.people.shop.pk}/facts/")
    looked(desk, axe, shot, "console-shop-facts")
    desk.goto("/console/members/")
    looked(desk, axe, shot, "console-members")


def _fund_cashback() -> None:
    year = local_day(SystemClock().now(), city_profile(CITY).zone).year
    account = rules.names.cashback_budget("city", year)
    with transaction() as tx:
        ledger.open_accounts(tx, CITY, [
            *postings.city_accounts(CITY), ledger.AccountSpec(account, "KRW", "budget")
        ])  # fmt: skip
        leg = ledger.Leg("external:bank", account, "KRW", 1_000_000)
        request = ledger.TransferRequest("journey:cashback", "fund", (leg,))
        assert ledger.post(tx, CITY, [request], SystemClock())[request.key]


def _lapse_another(live_site, code: str) -> None:
    """A gift that nobody takes; three days later it is gone."""
    from uuid import uuid4

    with live_site.inside() as people:
        gift = gifts.offer(people["citizen2"], code, 1_000, uuid4())
        assert isinstance(gift, Gift), gift
        late = FixedClock(gift.expires_at + timedelta(seconds=1))
        assert gifts.refresh(gift, late).end == Gift.End.LAPSED


def _spend(live_site, won: int) -> None:
    with live_site.inside() as people:
        shown = codes.show_amount(people.shop, won)
        row = payments.pay(shown.pk, people["citizen2"])
        assert row.applied, row
