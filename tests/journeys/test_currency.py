"""The currency office in a browser: rules read, a list paid by two people, the trust looked at."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from conftest import LiveSite
from onsil import ledger
from onsil.citizen.services import budgets, codes, payments, settlements, trust
from onsil.core.clock import FixedClock, SystemClock
from onsil.ledger import Leg, LotTerms, TransferRequest
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey


@pytest.fixture
def busy(live_site: LiveSite) -> None:
    """Charged money, a sale nine days ago, its settlement, and trust reports of three days."""
    clock = SystemClock()
    with live_site.inside() as people:
        with transaction() as tx:
            person = f"citizen:{people['citizen2'].pk}"
            legs = (
                Leg("external:bank", "trust:local", "KRW", 4_800_000),
                Leg("issuer:local", person, f"local:{CITY}", 3_600_000,
                    lot=LotTerms("own", clock.now() + timedelta(days=900), "ordinary", True)),
                Leg("issuer:local", person, f"local:{CITY}", 1_200_000,
                    lot=LotTerms("policy:relief", clock.now() + timedelta(days=30), "policy")),
            )  # fmt: skip
            request = TransferRequest("currency-journey", "charge", legs)
            assert ledger.post(tx, CITY, [request], clock)[request.key]
        past = FixedClock(clock.now() - timedelta(days=9))
        budgets.fund_budgets()
        code = codes.show_amount(people.shop, 240_000, clock=past)
        payments.pay(code.pk, people["citizen2"], clock=past)
        settlements.build_due()
        for days in (3, 2, 1, 0):
            trust.record(clock=FixedClock(clock.now() - timedelta(days=days)))


def recipients(folder: Path) -> Path:
    path = folder / "대상자.csv"
    rows = [
        "citizen1@demo.invalid,100000", 'citizen2@demo.invalid,"100,000원"',
        "nobody@demo.invalid,100000", "citizen1@demo.invalid,100000", "citizen2@demo.invalid,많이",
    ]  # fmt: skip
    path.write_bytes("\r\n".join(["대상자,금액", *rows, ""]).encode("cp949"))
    return path


def test_a_list_is_paid_by_two_people_and_the_office_is_looked_at(
    live_site: LiveSite, browser_page: Callable[..., Page], sign_in: Callable[[Page, str], None],
    axe: Callable[[Page], None], shot: Callable[[Page, str], None], busy: None, tmp_path: Path,
) -> None:  # fmt: skip
    def look(page: Page, name: str) -> None:
        axe(page)
        for width, height in ((390, 844), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            shot(page, f"currency-{name}")

    maker, checker = browser_page(1440), browser_page(1440)
    sign_in(maker, "official1")
    maker.goto("/console/currency/")
    expect(maker.get_by_text("700,000원").first).to_be_visible()
    look(maker, "rules")

    maker.goto("/console/currency/grants/")
    maker.get_by_label("재원 코드").last.fill("relief-2026")
    maker.get_by_label("금액(원)").fill("1000000")
    maker.get_by_role("button", name="예산 넣기").click()
    expect(maker.get_by_text("예산에 넣었습니다.")).to_be_visible()
    maker.get_by_label("이름", exact=True).fill("데모 생활지원금")
    maker.get_by_label("대상자 파일").set_input_files(recipients(tmp_path))
    maker.get_by_label("재원 코드").first.fill("relief-2026")
    day = (SystemClock().now() + timedelta(days=30)).date().isoformat()
    maker.get_by_label("사용기한(마지막 날)").fill(day)
    look(maker, "upload")
    maker.set_viewport_size({"width": 1440, "height": 900})
    maker.get_by_role("button", name="올리고 확인하기").click()
    expect(maker.get_by_text("이 도시의 시민 지갑이 아닙니다")).to_be_visible()
    expect(maker.get_by_text("앞의 행과 겹칩니다")).to_be_visible()
    look(maker, "checked")
    maker.get_by_role("button", name="승인 요청").click()
    expect(maker.get_by_text("승인을 요청했습니다.")).to_be_visible()

    sign_in(checker, "approver1")
    checker.goto(maker.url)
    look(checker, "to-approve")
    checker.set_viewport_size({"width": 1440, "height": 900})
    checker.get_by_role("button", name="지급 승인").click()
    expect(checker.get_by_text("승인했습니다.")).to_be_visible()
    expect(checker.get_by_role("cell", name="지급됨")).to_have_count(2)
    look(checker, "paid")
    for name in ("grants", "settlements", "trust"):
        checker.goto(f"/console/currency/{name}/")
        look(checker, name)
    checker.goto("/console/currency/settlements/")
    checker.get_by_role("rowheader").get_by_role("link").last.click()
    expect(checker.get_by_text("가맹점별").first).to_be_visible()
    look(checker, "settlement")
