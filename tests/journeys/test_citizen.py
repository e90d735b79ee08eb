"""A citizen earns, converts and pays; the shop sees it at once; every screen on the way is fit."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.journey


def test_a_citizen_converts_and_pays_and_the_shop_sees_it(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    phone, till = browser_page(390), browser_page(390)
    sign_in(phone, "citizen1")
    expect(phone).to_have_url(re.compile(r"/app/$"))
    expect(phone.get_by_role("heading", name="내 포인트")).to_be_visible()
    axe(phone)
    shot(phone, "app-home")

    phone.get_by_role("link", name=re.compile("지금 전환하면")).click()
    phone.fill("#id_points", "5,000")
    axe(phone)
    shot(phone, "app-convert")
    phone.get_by_role("button", name="전환하기").click()
    expect(phone.get_by_role("heading", name="전환했습니다")).to_be_visible()
    axe(phone)
    shot(phone, "app-conversion")

    sign_in(till, "merchant1")
    expect(till).to_have_url(re.compile(r"/shop/$"))
    for key in ("4", "5", "00"):
        till.locator(f"[data-key='{key}']").click()
    expect(till.locator("#id_amount")).to_have_value("4,500")
    axe(till)
    shot(till, "shop-take")
    till.get_by_role("button", name="금액 코드 띄우기").click()
    expect(till.locator("svg.qr")).to_be_visible()
    axe(till)
    shot(till, "shop-code")
    typed = till.locator(".typed").inner_text()

    phone.goto("/app/scan/")
    phone.fill("#id_code", typed.lower())
    axe(phone)
    shot(phone, "app-scan")
    phone.get_by_role("button", name="확인").click()
    expect(phone.locator(".till__amount")).to_have_text("4,500원")
    axe(phone)
    shot(phone, "app-pay")
    phone.get_by_role("button", name="4,500원 결제하기").click()
    expect(phone.get_by_role("heading", name="결제했습니다")).to_be_visible()
    axe(phone)
    shot(phone, "app-paid")
    code = phone.locator(".confirmation strong").inner_text()

    expect(till.get_by_role("heading", name="결제를 받았습니다")).to_be_visible()
    expect(till.locator(".confirmation strong")).to_have_text(code)
    axe(till)
    shot(till, "shop-paid")
    assert "citizen1" not in till.content()
    assert str(live_site.people["citizen1"].pk) not in till.content()

    till.goto("/shop/sales/")
    expect(till.get_by_text(code)).to_be_visible()
    axe(till)
    shot(till, "shop-sales")

    phone.goto("/app/history/")
    expect(phone.get_by_text("데모 가맹점").first).to_be_visible()
    expect(phone.get_by_text("−4,500원")).to_be_visible()
    axe(phone)
    shot(phone, "app-history")
