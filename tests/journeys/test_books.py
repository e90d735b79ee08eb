"""An accountant brings the bank's file in, resolves what does not match, and closes the day."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from conftest import LiveSite
from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.core.periods import local_day
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest
from onsil.ledger.closing import last_closed
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

pytestmark = pytest.mark.journey

HEAD = "거래일자,거래시간,출금금액,입금금액,잔액,적요,보낸분/받는분,거래메모,거래번호"
CHARGE, INTEREST = 30_000, 120


@pytest.fixture
def yesterday(live_site: LiveSite) -> date:
    """A citizen paid 30,000 won in yesterday; the books took it up this morning."""
    clock, zone = SystemClock(), city_profile(CITY).zone
    with live_site.inside(), transaction() as tx:
        local = f"local:{CITY}"
        person = f"citizen:{uuid4()}"  # somebody whose wallet no other journey looks into
        ledger.open_accounts(tx, CITY, [
            AccountSpec("external:bank", "KRW", "external", minimum=None),
            AccountSpec("trust:local", "KRW", "trust"),
            AccountSpec("issuer:local", local, "issuer", minimum=None),
            AccountSpec(person, local, "citizen", lots=True),
        ])  # fmt: skip
        legs = (Leg("external:bank", "trust:local", "KRW", CHARGE),
                Leg("issuer:local", person, local, CHARGE, lot=LotTerms("own")))  # fmt: skip
        request = TransferRequest("journey-charge", "charge", legs, memo="JOURNEY-0001")
        assert ledger.post(tx, CITY, [request], clock)["journey-charge"]
    return local_day(clock.now(), zone) - timedelta(days=1)


def bank_file(folder: Path, day: date) -> Path:
    """What the bank says of the day: the charge, and interest that the books know nothing of."""
    rows = [
        f"{day.isoformat()},10:00:00,0,{CHARGE},{CHARGE},타행이체,데모 시민,JOURNEY-0001,B1",
        f"{day.isoformat()},23:00:00,0,{INTEREST},{CHARGE + INTEREST},예금이자,,,B2",
    ]
    path = folder / "통장.csv"
    path.write_bytes("\r\n".join([HEAD, *rows, ""]).encode("cp949"))
    return path


def test_the_bank_file_the_exception_and_the_close(
    live_site: LiveSite, browser_page: Callable[..., Page], sign_in: Callable[[Page, str], None],
    axe: Callable[[Page], None], shot: Callable[[Page, str], None], yesterday: date, tmp_path: Path,
) -> None:  # fmt: skip
    page = browser_page(1440)
    sign_in(page, "official1")
    page.goto("/console/books/")
    shot(page, "books-1440")
    axe(page)

    page.get_by_role("link", name="은행·카드 파일").click()
    axe(page)
    page.get_by_label("계좌").select_option("trust")
    page.get_by_label("파일 형식").select_option("bank-csv")
    page.get_by_label("파일", exact=True).set_input_files(bank_file(tmp_path, yesterday))
    shot(page, "books-files-1440")
    page.get_by_role("button", name="들이고 맞추기").click()
    expect(page.get_by_text("2줄 가운데 새로운 2줄을 들이고")).to_be_visible()
    shot(page, "books-file-1440")
    axe(page)

    page.goto("/console/books/exceptions/")
    shot(page, "books-exceptions-1440")
    axe(page)
    page.get_by_role("link", name="장부에 없음").first.click()
    shot(page, "books-exception-1440")
    axe(page)
    page.get_by_label("사유", exact=True).first.fill("분기 예금 이자")
    page.get_by_label("차액을 옮길 계정").select_option("interest")
    page.get_by_role("button", name="정정 분개하고 맞추기").click()
    expect(page.get_by_text("처리했습니다.")).to_be_visible()
    expect(page.get_by_text("열린 예외가 없습니다")).to_be_visible()

    page.goto(f"/console/books/closes/{yesterday.isoformat()}/")
    shot(page, "books-close-1440")
    axe(page)
    page.get_by_role("button", name="이 날을 마감").click()
    expect(page.get_by_text("마감했습니다.")).to_be_visible()
    shot(page, "books-closed-1440")
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="신탁 계정 PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    with live_site.inside(), transaction() as tx:
        assert last_closed(tx, CITY) == yesterday


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_screen_fits_and_speaks_both(
    width: int, language: str, browser_page: Callable[..., Page],
    sign_in: Callable[[Page, str], None], axe: Callable[[Page], None],
    shot: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = browser_page(width, language=language)
    sign_in(page, "official1")
    now = datetime.now(city_profile(CITY).zone).date()
    paths = {
        "board": "/console/books/", "files": "/console/books/files/",
        "exceptions": "/console/books/exceptions/", "closes": "/console/books/closes/",
        "close-today": f"/console/books/closes/{now.isoformat()}/",
        "statements": "/console/books/statements/?account=external:bank&asset=KRW"
        f"&first={now - timedelta(days=2)}&last={now}",
    }  # fmt: skip
    for name, path in paths.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, (name, answer.status)
        axe(page)
        shot(page, f"books-{name}-{width}-{language}")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (name, wide)


@pytest.mark.parametrize(("who", "path"), [("citizen1", "/app/statement/"),
                                           ("merchant1", "/shop/statement/")])  # fmt: skip
def test_people_take_their_own_statement(
    who: str, path: str, browser_page: Callable[..., Page], sign_in: Callable[[Page, str], None],
    axe: Callable[[Page], None], shot: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = browser_page(390, script=False)
    sign_in(page, who)
    page.goto(path)
    shot(page, f"statement-{who}-390")
    for form, magic in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK"), ("PDF", b"%PDF-")):
        with page.expect_download() as download:
            page.get_by_role("button", name=form).click()
        assert Path(download.value.path()).read_bytes().startswith(magic), form
    again = browser_page(390)
    sign_in(again, who)
    again.goto(path)
    axe(again)
