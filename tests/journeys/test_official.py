"""An official asks for approval, is refused their own, another approves; credits go on sale."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from onsil import footprint, hub
from onsil.building import services as building
from onsil.citizen.models import Role
from onsil.citizen.services import people
from onsil.core.clock import SystemClock
from onsil.core.periods import local_days
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey
SEOUL = ZoneInfo("Asia/Seoul")
WEEK = local_days(date(2025, 5, 5), date(2025, 5, 12), SEOUL)
CLOCK = SystemClock()
GRID = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")


@pytest.fixture(scope="module")
def project(live_site) -> footprint.Project:
    """A solar site with a quantified, claimed week, and a project with its period open."""
    entity = hub.entity_uri("Device", CITY, "journey-solar")
    with live_site.inside() as town:
        people.give_role(town["official1"], Role.APPROVER)  # so that only the rule stands between
        made = building.register_site(
            CITY,
            building.SiteSpec("journey-solar", "solar", "여정 태양광", "Journey solar",
                              Decimal("127.0"), Decimal("37.0"), simulated=True),
            [building.MeterSpec("gen", entity, "generation", "electricity", "kWh", "generated")],
        )  # fmt: skip
        assert made, made
        with transaction(CITY) as tx:
            hub.ensure_series(tx, CITY, [hub.SeriesSpec(
                entity, "generation", "kWh", 3600, "interval", source="simulated")])  # fmt: skip
            hub.record(tx, CITY, [
                hub.Reading(entity, "generation", WEEK.start + timedelta(hours=h), Decimal(100))
                for h in range(7 * 24)
            ], CLOCK)  # fmt: skip
        with transaction(CITY) as tx:
            run = footprint.quantify(
                tx, CITY, "solar-self-consumption", {"generation": f"{entity}#generation"},
                {"capacity_kw": "1000", "no_export": True}, WEEK, GRID, "journey", CLOCK,
            )  # fmt: skip
            assert isinstance(run, footprint.Run), run
            assert footprint.claim(tx, CITY, run.id, "kr-offset")
            found = footprint.register_project(
                tx, CITY,
                footprint.ProjectSpec("JOURNEY-1", "여정 사업", "Journey project", "kr-offset",
                                      "solar-self-consumption", date(2025, 1, 1),
                                      date(2035, 1, 1)),
                str(town["official1"].pk), CLOCK,
            )  # fmt: skip
    assert isinstance(found, footprint.Project)
    return found


def test_nobody_approves_their_own_and_another_does(
    live_site, project, browser_page: Callable[..., Page], sign_in, axe, shot
):
    maker, checker = browser_page(1440), browser_page(1440)
    sign_in(maker, "official1")
    expect(maker).to_have_url(re.compile(r"/console/$"))
    expect(maker.get_by_role("heading", name="현황판")).to_be_visible()
    axe(maker)

    maker.locator("details[data-menu=credits] summary").click()
    maker.get_by_role("link", name="감축 사업과 크레딧").click()
    maker.get_by_role("link", name="여정 사업").click()
    maker.get_by_role("button", name="모니터링 기간 열기").click()
    maker.get_by_label("첫날").fill("2025-05-05")
    maker.get_by_label("마지막 날").fill("2025-05-11")
    axe(maker)
    maker.get_by_role("button", name="열기", exact=True).click()
    expect(maker.get_by_role("heading", name="모니터링 2025-05-05 – 2025-05-11")).to_be_visible()

    maker.locator("table a").first.click()
    expect(maker.locator("#panel")).to_contain_text("태양광 자가소비")
    axe(maker)
    shot(maker, "console-run-panel")
    maker.locator("#panel").get_by_role("button", name="닫기").click()
    maker.get_by_role("button", name="승인 요청하기").click()
    expect(maker.get_by_text("승인을 요청했습니다")).to_be_visible()
    expect(maker.get_by_text("자신의 제출을 승인할 수 없습니다")).to_be_visible()
    maker.get_by_role("button", name="승인하기").click()
    expect(maker.get_by_role("alert")).to_be_visible()
    expect(maker.get_by_text("승인 대기")).to_be_visible()
    shot(maker, "console-refused-self-approval")

    sign_in(checker, "approver1")
    checker.goto(maker.url)
    checker.get_by_role("button", name="승인하기").click()
    expect(checker.get_by_text("승인했습니다")).to_be_visible()
    checker.get_by_role("button", name="크레딧 발행하기").click()
    expect(checker.get_by_text("크레딧을 발행했습니다")).to_be_visible()

    maker.goto(f"/console/projects/{project.id}/")
    maker.get_by_label("톤", exact=True).fill("2")
    maker.get_by_label("톤당 가격(원)").fill("18000")
    maker.get_by_role("button", name="판매 목록에 올리기").click()
    expect(maker.get_by_text("판매 목록에 올렸습니다")).to_be_visible()
    axe(maker)
    shot(maker, "console-project")


SCREENS = (
    "", "?wall=1", "sites/", "quarantine/", "programmes/", "programmes/bus-weekly/", "projects/",
    "shops/", "people/", "audit/",
)  # fmt: skip


@pytest.mark.parametrize("width", [390, 1440])
def test_every_screen_is_fit_at_both_widths(
    width, live_site, project, browser_page: Callable[..., Page], sign_in, axe, shot
):
    page = browser_page(width)
    sign_in(page, "operator1")
    for path in SCREENS:
        answer = page.goto(f"/console/{path}")
        assert answer is not None
        assert answer.status == 200, path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 1, f"{path} is {wide} px too wide"
        axe(page)
        shot(page, "console-" + (path.strip("/?").replace("/", "-").replace("=", "") or "board"))


def test_the_log_of_who_did_what_is_complete(live_site, project, browser_page, sign_in):
    page = browser_page(1440)
    sign_in(page, "operator1")
    page.goto("/console/people/")
    page.get_by_role("link", name="데모 검증인").click()
    page.get_by_label("더 줄 역할").select_option("official")
    page.get_by_role("button", name="주기").click()
    expect(page.get_by_text("감사 기록에 남았습니다")).to_be_visible()
    page.goto("/console/audit/?kind=person")
    expect(page.get_by_text("role-given").first).to_be_visible()
    page.goto("/console/people/")
    page.get_by_role("link", name="데모 검증인").click()
    page.get_by_role("button", name="담당 공무원 빼기").click()
    expect(page.get_by_text("role-taken").first).to_be_visible()
