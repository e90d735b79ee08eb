"""A payment's receipt: one tap on the phone, kept as a file, checked offline by whoever gets it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from green_town import Site, grow, seal
from playwright.sync_api import Page, expect

from onsil.citizen.services import codes, convert, payments
from onsil.core.refusal import Refusal

pytestmark = pytest.mark.journey

CHECKED = "[data-check][data-checked]:not([data-checked='pending'])"


@pytest.fixture(scope="module")
def paid(live_site: Site) -> str:
    """citizen1 has just paid at merchant1; the transfer's id."""
    grow(live_site)
    with live_site.inside() as people:
        citizen = people["citizen1"]
        shop = people.shop
        turned = convert(citizen, 2_000, uuid4())
        assert not isinstance(turned, Refusal), turned
        code = codes.show_amount(shop, 1_500)
        assert not isinstance(code, Refusal), code
        made = payments.pay(code.pk, citizen)
        assert not isinstance(made, Refusal), made
        transfer = str(made.transfer_id)
    seal(live_site)
    return transfer


def test_one_tap_shows_a_true_receipt_and_the_file_convinces_a_stranger(
    live_site: Site, paid: str, tmp_path: Path, browser_page: Callable[..., Page], sign_in, axe,
    shot,
):  # fmt: skip
    phone = browser_page(390)
    sign_in(phone, "citizen1")
    phone.goto("/app/wallet/")
    phone.locator(f"a[href='/receipt/transfer/{paid}/']").first.click()
    expect(phone.get_by_role("heading", name="영수증이 맞습니다")).to_be_visible(timeout=30_000)
    expect(phone.get_by_text("지역화폐 1,500원", exact=True)).to_be_visible()
    expect(phone.get_by_role("img", name="나무 그림")).to_be_visible()
    axe(phone)
    shot(phone, "receipt")
    with phone.expect_download() as coming:
        phone.get_by_role("link", name="파일로 받기").click()
    receipt = tmp_path / coming.value.suggested_filename
    coming.value.save_as(receipt)
    assert receipt.suffix == ".tlog-proof"

    for width in (390, 1440):
        page = browser_page(width)
        _is_checked_by_a_stranger(page, receipt, axe, shot)
    _is_checked_by_the_one_file(browser_page(1440), receipt, tmp_path)


def _is_checked_by_a_stranger(page: Page, receipt: Path, axe, shot) -> None:
    """Somebody signed out, and offline once the page is there: the file, then an altered one."""
    page.goto("/verify/")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.locator("#receipt-file").set_input_files(receipt)
    page.wait_for_selector(CHECKED)
    expect(page.get_by_role("heading", name="영수증이 맞습니다")).to_be_focused()
    expect(page.get_by_text("로그의 서명")).to_be_visible()
    axe(page)
    shot(page, "verify-good")

    text = receipt.read_text("utf-8")
    index = text.split("\n")[2]
    altered = {
        text.replace(index, "index 0" if index != "index 0" else "index 1"): "뿌리에 이르지",
        text.replace("\n— onsil/", "\n— unsil/"): "믿는 로그의 서명이 없습니다",
        text.replace("\nextra e", "\nextra f"): "손상되었습니다",
    }
    for one, said in altered.items():
        assert one != text
        page.locator("#receipt").fill(one)
        page.get_by_role("button", name="확인하기").click()
        page.wait_for_selector("[data-checked='failed']")
        expect(page.get_by_role("heading", name="영수증이 맞지 않습니다")).to_be_visible()
        expect(page.get_by_text(said).first).to_be_visible()
    axe(page)
    shot(page, "verify-bad")
    page.locator("#receipt").fill("not a receipt")
    page.locator("#receipt").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("영수증도 확인 파일도 아닙니다").first).to_be_visible()
    page.context.set_offline(False)


def _is_checked_by_the_one_file(page: Page, receipt: Path, folder: Path) -> None:
    """The program and the policy as the transparency page hands them out."""
    page.goto("/log/")
    for name in ("verify_receipt.py", "policy.txt"):
        with page.expect_download() as coming:
            page.locator("#verify").get_by_role("link", name=name).click()
        coming.value.save_as(folder / name)
    command = [sys.executable, "verify_receipt.py", receipt.name, "--policy", "policy.txt"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"amount": 1500' in done.stdout


def test_somebody_else_has_no_receipt_of_it(paid: str, browser_page: Callable[..., Page], sign_in):
    page = browser_page(390)
    sign_in(page, "citizen2")
    answer = page.goto(f"/receipt/transfer/{paid}/")
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize("width", [390, 1440])
def test_the_transparency_page_is_sound(
    width: int, live_site: Site, paid: str, browser_page: Callable[..., Page], axe, shot
):
    page = browser_page(width)
    page.goto("/")
    page.get_by_role("link", name="투명성 기록").first.click()
    expect(page.get_by_role("heading", level=1, name="투명성 기록")).to_be_visible()
    expect(page.locator("#growth")).to_be_visible()
    page.get_by_role("link", name="증인이 되는 법").first.click()
    expect(page.get_by_text("onsil witness run")).to_be_visible()
    axe(page)
    shot(page, "transparency")
