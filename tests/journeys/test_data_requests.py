"""Somebody asks for a data set, an official approves, the key is shown once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from offering import FILE
from onsil import hub
from onsil.core.clock import FixedClock, SystemClock
from onsil.hub.datasets.measuring import keep_quality
from onsil.hub.datasets.quality import Part
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey
TAPS, SOLAR = "simulated-bus-taps", "solar-generation"
GATE = hub.entity_uri("BusGate", CITY, "journey-gate")
WHO = {390: "citizen1", 1440: "citizen2"}


@pytest.fixture(scope="module")
def offered(live_site) -> None:
    """The city's data sets, one gate, ten days of measured quality."""
    now = SystemClock().now()
    with live_site.inside(), transaction(CITY) as conn:
        catalogue, datasets = read_datasets(FILE)
        run(conn, put_datasets(CITY, catalogue, datasets, now))
        hub.upsert_entities(conn, CITY, [
            {"id": GATE, "type": "BusGate", "name": "여정 단말", "simulated": True,
             "location": {"type": "Point", "coordinates": [127.0857, 36.9911]}}
        ], clock=FixedClock(now))  # fmt: skip
        hub.ensure_series(conn, CITY, [hub.SeriesSpec(GATE, "taps", "count", 600, "interval",
                                                      source="simulated")])  # fmt: skip
        hub.record(conn, CITY, [
            hub.Reading(GATE, "taps", now - timedelta(minutes=10 * n), Decimal(n % 9))
            for n in range(1, 60)
        ], FixedClock(now))  # fmt: skip
        for back in range(1, 11):
            day = (now - timedelta(days=back)).date()
            for id in (TAPS, SOLAR):
                run(conn, keep_quality(CITY, id, day, [
                    Part("completeness", "readings", 140 - back * 2, 144),
                    Part("validity", "readings", 1439, 1440), Part("validity", "entities", 3, 3),
                    Part("uniqueness", "entities", 3, 3),
                ], now))  # fmt: skip


def fits(page: Page) -> None:
    """Nothing hangs over the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def look(page: Page, axe, shot, name: str) -> None:
    fits(page)
    axe(page)
    shot(page, name)


@pytest.mark.parametrize("width", [390, 1440])
def test_from_the_request_to_the_key(
    live_site, browser_page, sign_in, shot, axe, offered, width: int
) -> None:
    page: Page = browser_page(width)
    page.goto(live_site.absolute("/data/?access=request"))
    look(page, axe, shot, f"data-sets-on-request-{width}")
    page.goto(live_site.absolute(f"/data/{TAPS}/"))
    expect(page.get_by_text("승인받은 분만 볼 수 있습니다")).to_be_visible()
    look(page, axe, shot, f"data-set-closed-{width}")
    sign_in(page, WHO[width])
    page.goto(live_site.absolute(f"/data/{TAPS}/request/"))
    page.get_by_label("무엇에 쓰나요").fill("언제 버스를 많이 타는지 연구해 노선을 제안합니다.")
    look(page, axe, shot, f"data-request-{width}")
    page.get_by_role("button", name="신청하기").click()
    expect(page.get_by_text("검토를 기다립니다")).to_be_visible()
    office: Page = browser_page(width)
    sign_in(office, "official1")
    office.goto(live_site.absolute("/console/data-requests/"))
    look(office, axe, shot, f"console-data-requests-{width}")
    office.get_by_role("button", name="승인").first.click()
    expect(office.get_by_text("처리했습니다")).to_be_visible()
    office.goto(live_site.absolute("/console/data-sets/"))
    look(office, axe, shot, f"console-data-sets-{width}")
    page.goto(live_site.absolute("/data/requests/"))
    page.get_by_role("button", name="열쇠 만들기").click()
    expect(page.locator(".data-key")).to_contain_text("odk_")
    look(page, axe, shot, f"data-key-{width}")
    page.goto(live_site.absolute(f"/data/{TAPS}/"))
    expect(page.get_by_text("여정 단말").first).to_be_visible()
    look(page, axe, shot, f"data-set-approved-{width}")


@pytest.mark.parametrize("width", [390, 1440])
def test_quality_and_lineage_are_drawn(live_site, browser_page, shot, axe, offered, width: int):
    page: Page = browser_page(width)
    page.goto(live_site.absolute(f"/data/{SOLAR}/"))
    expect(page.get_by_role("heading", name="데이터의 품질")).to_be_visible()
    expect(page.get_by_text("아직 잴 수 없음").first).to_be_visible()
    expect(page.locator("svg").get_by_text("PVDAQ").first).to_be_visible()
    look(page, axe, shot, f"data-set-quality-{width}")
