"""A citizen asks where a purchase came from; the public checks a receipt. The browser proves it."""

import json
import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from demo_town import CITY
from green_town import Site, grow, seal
from playwright.sync_api import Page, expect

from onsil import footprint, ledger, proof
from onsil.citizen import services as citizen
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey
PAID = 700


@pytest.fixture(scope="module")
def payment(live_site: Site) -> str:
    """A payment of citizen1's, sealed; its transfer's id."""
    grow(live_site)
    with live_site.inside() as people:
        payer, shop = people["citizen1"], people.shop
        assert shop is not None
        if citizen.wallet(payer).money < PAID:
            _transfer(citizen.convert(payer, 1_000, uuid4()))
        code = citizen.codes.show_amount(shop, PAID)
        paid = _transfer(citizen.payments.pay(code.pk, payer))
    seal(live_site)
    return str(paid)


def _transfer(asked) -> UUID:
    """The transfer that the site's writer made of what was asked, waited for."""
    for _ in range(200):
        with transaction() as tx:
            answer = ledger.answers(tx, CITY, [asked.key])[asked.key]
        if answer.transfer_id is not None:
            return answer.transfer_id
        assert answer.refusal is None, answer.refusal
        threading.Event().wait(0.1)
    raise AssertionError(answer)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_citizen_sees_where_the_money_came_from(
    width: int, payment: str, browser_page: Callable[..., Page], sign_in, axe, shot
):
    page = browser_page(width)
    sign_in(page, "citizen1")
    page.goto(f"/trace/payment/{payment}/")
    expect(page.locator("html")).to_have_attribute("data-trace-checked", "done")
    expect(page.get_by_text("모두 맞습니다")).to_be_visible()
    expect(page.get_by_text("데모 가맹점에서 700원을 결제했습니다.").first).to_be_visible()
    expect(page.get_by_text("버스를 탄 기록").first).to_be_visible()
    assert page.locator(".proof--checked").count() >= 4
    assert page.locator(".proof--failed").count() == 0
    axe(page)
    shot(page, "trace-payment")


def test_a_browser_finds_a_forged_step(payment: str, browser_page: Callable[..., Page], sign_in):
    """The server's answer is changed on its way: the browser does not tick what is not so."""
    page = browser_page(1440)
    sign_in(page, "citizen1")

    def forge(route):
        answer = route.fetch()
        text = answer.text().replace('"type": "payment"', '"type": "gift"')
        assert text != answer.text()
        route.fulfill(response=answer, body=text)

    page.route(f"**/trace/payment/{payment}/", forge)
    page.goto(f"/trace/payment/{payment}/")
    expect(page.locator("html")).to_have_attribute("data-trace-checked", "failed")
    expect(page.get_by_text("맞지 않습니다")).to_be_visible()
    assert page.locator(".proof--failed").count() == 1


def test_somebody_else_does_not(payment: str, browser_page: Callable[..., Page], sign_in):
    page = browser_page(390)
    sign_in(page, "citizen2")
    answer = page.goto(f"/trace/payment/{payment}/")
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize("width", [390, 1440])
def test_the_public_checks_a_receipt_in_the_browser(
    width: int, live_site: Site, payment: str, browser_page: Callable[..., Page], axe, shot
):
    retirement = grow(live_site).retirement.id
    with live_site.inside() as people, transaction() as tx:
        del people
        entry = footprint.entry_of(tx, CITY, "retirement", retirement)
        folder = live_site.folder / "log"
        text = proof.receipt(tx, CITY, "retirement", retirement, folder, entry)
    assert isinstance(text, str)
    page = browser_page(width)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".maplibregl-canvas")).to_be_visible()
    axe(page)
    shot(page, "home")
    page.get_by_role("link", name="직접 확인하기").first.click()
    page.locator("#receipt").fill(text)
    page.get_by_role("button", name="확인하기").click()
    expect(page.get_by_role("heading", name="영수증이 맞습니다")).to_be_visible()
    expect(page.get_by_text("의 열쇠로 서명되었습니다")).to_be_visible()
    axe(page)
    shot(page, "verify")
    page.locator("#receipt").fill(text.replace("index ", "index 1"))
    page.get_by_role("button", name="확인하기").click()
    expect(page.get_by_role("heading", name="영수증이 맞지 않습니다")).to_be_visible()
    page.locator("#receipt").fill("not a receipt")
    page.get_by_role("button", name="확인하기").click()
    expect(page.get_by_text("영수증도 확인 파일도 아닙니다").first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_public_screens_are_sound(
    width: int, live_site: Site, browser_page: Callable[..., Page], axe, shot
):
    world = grow(live_site)
    page = browser_page(width)
    for name, path in {
        "registry": "/registry/",
        "batch": f"/registry/{world.batch.id}/",
        "certificate": f"/registry/retirements/{world.retirement.id}/",
        "site": "/sites/solar-1/",
        "about-data": "/about/data/",
        "trace-credit": f"/trace/credit/{world.batch.id}/",
    }.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        axe(page)
        shot(page, name)
    expect(page.locator("html")).to_have_attribute("data-trace-checked", "done")


def test_a_downloaded_trace_is_checked_on_the_verify_page(
    live_site: Site, browser_page: Callable[..., Page], tmp_path
):
    world = grow(live_site)
    page = browser_page(1440)
    page.goto(f"/trace/retirement/{world.retirement.id}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="확인 파일 내려받기").click()
    file = tmp_path / "bundle.json"
    download.value.save_as(file)
    assert len(json.loads(file.read_text("utf-8"))["proofs"]) >= 4
    page.goto("/verify/")
    page.locator("#receipt-file").set_input_files(file)
    expect(page.locator("[data-check]")).to_have_attribute("data-checked", "done")


def test_a_place_on_the_map_shows_its_day(live_site: Site, browser_page: Callable[..., Page], shot):
    grow(live_site)
    page = browser_page(1440)
    page.goto("/")
    expect(page.locator(".maplibregl-canvas")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.locator(".map__canvas").scroll_into_view_if_needed()
    for _ in range(20):
        page.evaluate(
            "document.querySelector('[data-place]')"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        if page.locator(".site-popup svg.plot").count():
            break
        page.wait_for_timeout(250)
    expect(page.locator(".site-popup svg.plot")).to_be_visible()
    shot(page, "home-popup")
