"""A citizen earns, converts and pays; the shop sees it at once; every screen on the way is fit."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from citizen_screens import CITIZEN, SHOP
from demo_town import CITY, PASSWORD, RESIDENCE_CODE
from playwright.sync_api import Page, expect

from onsil import ledger
from onsil.citizen.services import codes, payments, payouts, postings, settlements
from onsil.core.clock import FixedClock, SystemClock
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey

# Draws the page's code as a camera would see it, and reads it with the library the phones use.
READ_QR = """async () => {
  const svg = document.querySelector("svg.qr").cloneNode(true);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("width", 600); svg.setAttribute("height", 600);
  const picture = new Image();
  picture.src = "data:image/svg+xml," + encodeURIComponent(svg.outerHTML);
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 600;
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const { default: read } = await import("/static/vendor/jsqr.mjs");
  const seen = pen.getImageData(0, 0, 600, 600);
  return read(seen.data, seen.width, seen.height)?.data;
}"""


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


def test_a_shop_charges_the_code_on_a_citizens_phone(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    with live_site.inside() as people:
        _give_money(people["citizen2"], 20_000)
    phone, till = browser_page(390), browser_page(390)
    sign_in(phone, "citizen2")
    phone.goto("/app/show/")
    expect(phone.locator("svg.qr")).to_be_visible()
    axe(phone)
    shot(phone, "app-show")
    address = phone.evaluate(READ_QR)
    assert re.fullmatch(rf"{live_site.url}/shop/charge/[\w-]+/", address)

    sign_in(till, "merchant1")
    till.goto(address)
    expect(till.get_by_text("손님 코드를 읽었습니다")).to_be_visible()
    till.fill("#id_amount", "60000")
    till.get_by_role("button", name="결제하기").click()
    expect(till.get_by_text("50,000원까지 결제할 수 있습니다")).to_be_visible()
    axe(till)
    shot(till, "shop-charge-refused")
    till.fill("#id_amount", "12000")
    shot(till, "shop-charge")
    till.get_by_role("button", name="결제하기").click()
    expect(till.get_by_role("heading", name="결제를 받았습니다")).to_be_visible()
    code = till.locator(".confirmation strong").inner_text()
    expect(phone.locator(".confirmation strong")).to_have_text(code)

    till.goto(address)  # the same code again leads to the same payment
    expect(till.locator(".confirmation strong")).to_have_text(code)
    till.get_by_text("결제 취소").click()
    axe(till)
    shot(till, "shop-receipt")
    till.get_by_role("button", name="되돌려 주기").click()
    expect(till.get_by_role("heading", name="취소된 결제입니다")).to_be_visible()
    phone.reload()
    expect(phone.get_by_role("heading", name="취소된 결제입니다")).to_be_visible()
    axe(phone)
    shot(phone, "app-cancelled")
    phone.goto("/app/wallet/")
    expect(phone.get_by_text("20,000원").first).to_be_visible()


def test_paying_works_without_script(live_site, browser_page: Callable[..., Page], sign_in):
    with live_site.inside() as people:
        _give_money(people["citizen2"], 5_000)
    phone, till = browser_page(390, script=False), browser_page(390, script=False)
    sign_in(till, "merchant1")
    till.fill("#id_amount", "3,000")
    till.get_by_role("button", name="금액 코드 띄우기").click()
    typed = till.locator(".typed").inner_text()
    sign_in(phone, "citizen2")
    phone.goto("/app/scan/")
    phone.fill("#id_code", typed)
    phone.get_by_role("button", name="확인").click()
    phone.get_by_role("button", name="3,000원 결제하기").click()
    expect(phone.get_by_role("heading", name="결제했습니다")).to_be_visible()
    till.reload()
    expect(till.get_by_role("heading", name="결제를 받았습니다")).to_be_visible()


def test_a_forged_code_is_refused_in_words(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    page = browser_page(390, language="en")
    sign_in(page, "citizen2")
    page.goto("/app/pay/AbCdEf123456/")
    expect(page.get_by_role("heading", name="Nothing was paid")).to_be_visible()
    axe(page)
    shot(page, "app-refused-en")


def test_a_newcomer_signs_up_and_proves_residence(
    live_site, browser_page: Callable[..., Page], axe, shot
):
    page = browser_page(390)
    page.goto("/accounts/signup/")
    axe(page)
    shot(page, "signup")
    page.fill("input[name=email]", f"{uuid4().hex[:10]}@demo.invalid")
    page.fill("input[name=password1]", PASSWORD)
    page.fill("input[name=password2]", PASSWORD)
    page.get_by_role("button", name="가입하고 계속").click()
    expect(page.get_by_role("heading", name="평택시에 사시나요?")).to_be_visible()
    page.fill("#id_code", "WRQNG-CQDE2")
    page.get_by_role("button", name="확인하고 지갑 열기").click()
    expect(page.get_by_text("맞지 않는 거주 확인 코드입니다")).to_be_visible()
    axe(page)
    shot(page, "app-join")
    page.fill("#id_code", RESIDENCE_CODE)
    page.get_by_role("button", name="확인하고 지갑 열기").click()
    expect(page.get_by_role("heading", name="내 포인트")).to_be_visible()
    axe(page)
    shot(page, "app-home-new")
    page.goto("/app/wallet/")
    expect(page.get_by_text("지갑이 비어 있습니다")).to_be_visible()
    axe(page)
    shot(page, "app-wallet-empty")


@pytest.mark.parametrize(("who", "screens"), [("citizen1", CITIZEN), ("merchant1", SHOP)])
def test_every_screen_is_fit(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot, who, screens
):
    with live_site.inside() as people:
        if who == "merchant1":
            _settle_past_days(people)
    page = browser_page(390)
    sign_in(page, who)
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(_weight(request)))
    for name, address in screens.items():
        sizes.clear()
        answer = page.goto(address, wait_until="load")
        assert answer is not None
        assert answer.ok, address
        axe(page)
        for width, height in ((390, 844), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            shot(page, name)
        page.set_viewport_size({"width": 390, "height": 844})
        assert sum(sizes) < 300_000, (name, sizes)


def test_without_a_network_it_says_so_and_shows_no_old_balance(
    live_site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    page = browser_page(390, worker=True)
    sign_in(page, "citizen1")
    page.goto("/app/wallet/")
    balance = page.locator(".big").first.inner_text()
    page.wait_for_function("navigator.serviceWorker.ready.then(r => !!r.active)")
    page.context.set_offline(True)
    page.goto("/app/wallet/")
    expect(page.get_by_role("heading", name="인터넷에 연결되어 있지 않습니다")).to_be_visible()
    assert page.locator(".big").count() == 0
    axe(page)
    shot(page, "app-without-network")
    page.context.set_offline(False)  # the page itself asks again as soon as there is a network
    expect(page.locator(".big").first).to_have_text(balance)


def test_sales_appear_without_reloading(live_site, browser_page: Callable[..., Page], sign_in):
    till = browser_page(1440)
    sign_in(till, "merchant1")
    till.goto("/shop/sales/")
    with live_site.inside() as people:
        _give_money(people["citizen2"], 777)
        code = codes.show_amount(people.shop, 777)
        row = payments.pay(code.pk, people["citizen2"])
        assert row.applied
    expect(till.get_by_text(row.confirmation)).to_be_visible(timeout=20_000)


def _settle_past_days(people) -> None:
    """Sales of two days before today, settled; the older one is paid out."""
    for days, won in ((9, 12_500), (1, 8_300)):
        past = FixedClock(SystemClock().now() - timedelta(days=days))
        _give_money(people["citizen2"], won)
        code = codes.show_amount(people.shop, won, clock=past)
        payments.pay(code.pk, people["citizen2"], clock=past)
    older, _ = sorted(settlements.build_due(), key=lambda made: made.day)
    payouts.release(older.pk, actor=f"user:{people['official1'].pk}")


def _give_money(person, won: int) -> None:
    asset, clock = f"local:{CITY}", SystemClock()
    with transaction() as tx:
        ledger.open_accounts(tx, CITY, postings.city_accounts(CITY))
        legs = (
            ledger.Leg("issuer:local", f"citizen:{person.pk}", asset, won,
                       lot=ledger.LotTerms(fund="city")),
            ledger.Leg("external:bank", "trust:local", "KRW", won),
        )  # fmt: skip
        request = ledger.TransferRequest(f"given:{uuid4()}", "gift", legs)
        assert ledger.post(tx, CITY, [request], clock)[request.key]


def _weight(request) -> int:
    """Bytes of a body over the wire."""
    return request.sizes()["responseBodySize"]
