"""An official registers devices by list, looks at one that is stuck, and sends it a command."""

from datetime import timedelta

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from onsil import devices, hub
from onsil.core.clock import FixedClock, SystemClock
from onsil.devices import DeviceSpec, Message
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey
VALVE = hub.entity_uri("Valve", CITY, "journey-valve")


@pytest.fixture(scope="module")
def valve(live_site) -> str:
    """A simulated valve whose flow has not moved for hours."""
    with live_site.inside(), transaction(CITY) as conn:
        now = SystemClock().now()
        spec = hub.SeriesSpec(VALVE, "flow", "liter / s", 600, source="simulated")
        hub.ensure_series(conn, CITY, [spec])
        options = {"actuators": {"valve": {"kind": "boolean", "safe": False}}}
        made = DeviceSpec("journey-valve", (VALVE,), interval_s=600, simulated=True,
                          name="여정 밸브", options=options)  # fmt: skip
        devices.register_device(conn, CITY, made)
        for step in range(60):
            at = now - timedelta(minutes=10 * (60 - step))
            value = step % 7 + 3 if step < 30 else 4.25
            body = b'{"values": {"flow": %f}, "device": {"battery": 17}}' % value
            devices.ingest(conn, CITY, [Message("journey-valve", body, at)], FixedClock(at))
    return "journey-valve"


@pytest.mark.parametrize("width", [390, 1440])
def test_an_official_looks_after_devices(
    live_site, browser_page, sign_in, shot, axe, valve, width: int
) -> None:
    page: Page = browser_page(width)
    sign_in(page, "official1")
    page.goto(live_site.absolute("/console/devices/"))
    row = page.get_by_role("row").filter(has_text=valve)
    expect(row).to_contain_text("고착")
    expect(row).to_contain_text("모의")
    _fits(page)
    axe(page)
    shot(page, f"devices-{width}")
    row.get_by_role("link", name=valve).click()
    expect(page.get_by_role("heading", name="여정 밸브")).to_be_visible()
    expect(page.get_by_text("움직이지 않습니다")).to_be_visible()
    _fits(page)
    axe(page)
    page.locator("[name=value]").fill("true")
    page.get_by_role("button", name="명령 보내기").click()
    expect(page.get_by_text("명령을 넣었습니다")).to_be_visible()
    shot(page, f"device-{width}")
    page.get_by_role("button", name="새 토큰").click()
    page.get_by_role("button", name="새 토큰 만들기").click()
    expect(page.get_by_text("한 번만 보여 드리니")).to_be_visible()
    page.goto(live_site.absolute("/console/devices/"))
    page.get_by_role("button", name="목록으로 등록").click()
    rows = f"id,type,series\nwalk-{width},SoilProbe,soilMoisture=percent\nbad id,SoilProbe,\n"
    page.get_by_label("기기 목록").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="올리기").click()
    expect(page.get_by_text("등록 안 함")).to_be_visible()
    _fits(page)
    axe(page)
    shot(page, f"devices-upload-{width}")


def _fits(page: Page) -> None:
    """Nothing hangs over the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
