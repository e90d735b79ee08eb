"""A company buys credits and uses one up; anybody can read the certificate."""

from collections.abc import Callable

import pytest
from green_town import Site, grow
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.journey


def test_a_company_buys_and_retires(
    live_site: Site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    grow(live_site)
    page = browser_page(1440)
    sign_in(page, "buyer1")
    page.goto("/console/market/")
    expect(page.get_by_text("배분 규칙대로").first).to_be_visible()
    axe(page)
    shot(page, "market")
    page.get_by_label("살 톤").first.fill("1")
    page.get_by_role("button", name="사기").first.click()
    expect(page.get_by_role("heading", name="이대로 살까요?")).to_be_visible()
    expect(page.get_by_text("18,000원").first).to_be_visible()
    axe(page)
    shot(page, "market-buy")
    page.get_by_role("button", name="18,000원에 사기").click()
    expect(page.get_by_text("1톤을 18,000원에 샀습니다.")).to_be_visible()
    axe(page)
    shot(page, "market-holdings")
    page.get_by_role("link", name="사용 완료로 처리").first.click()
    page.get_by_label("사용할 톤").fill("1")
    page.get_by_label("누구를 위한 것인가요").fill("데모 구매 기업")
    page.get_by_label("사유").fill("2025년 사업장 배출량 상쇄")
    page.get_by_label("되돌릴 수 없음을 알고 있습니다.").check()
    axe(page)
    shot(page, "market-retire")
    page.get_by_role("button", name="사용 완료로 처리").click()
    page.wait_for_url("**/registry/retirements/**")
    expect(page.get_by_role("heading", name="크레딧 사용 완료 증서")).to_be_visible()
    address = page.url
    visitor = browser_page(390)
    visitor.goto(address)
    expect(visitor.get_by_text("데모 구매 기업").first).to_be_visible()
    expect(visitor.get_by_role("link", name="어디에서 왔나요")).to_be_visible()


def test_officials_look_but_do_not_buy(live_site: Site, browser_page: Callable[..., Page], sign_in):
    grow(live_site)
    page = browser_page(1440)
    sign_in(page, "official1")
    page.goto("/console/market/")
    expect(page.get_by_role("heading", name="크레딧 거래")).to_be_visible()
    expect(page.get_by_role("button", name="사기")).to_have_count(0)
