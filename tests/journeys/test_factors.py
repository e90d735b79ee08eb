"""An official brings in a factor set with a publisher's error; another one decides on it."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.journey

SET = """
[[set]]
id = "journey-grid-{width}"
publisher = "시험 발행처"
document = "시험 문서"
edition = "1"
article = "표 1"
page = "3"
published = 2026-01-15
read = 2026-02-01
maturity = "secondary"
note = "A set made for this test."
programmes = ["inventory"]

[[set.example]]
id = "city-gas-of-a-year"
multiply = [
  {{value = "2500000", unit = "Nm3"}}, {{value = "38.9", unit = "MJ/Nm3"}},
  {{value = "56100", unit = "kg/TJ"}},
]
printed = "5457.7"
printed_unit = "t"

[[set.factor]]
commodity = "electricity"
boundary = "consumption"
unit = "kg/MWh"
co2 = "474.7"
ch4 = "0.0125"
n2o = "0.0100"
[[set.factor.check]]
gwp_set = "SAR"
printed_t_per_mwh = "0.4781"
"""


def fits(page: Page) -> None:
    """The page is no wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 1, wide


@pytest.mark.parametrize("width", [390, 1440])
def test_the_library_is_read_and_compared(
    live_site, browser_page, sign_in, shot, axe, width: int
) -> None:
    page: Page = browser_page(width)
    sign_in(page, "official1")
    page.goto(live_site.absolute("/console/factors/"))
    expect(page.get_by_role("row").filter(has_text="kdhc-pyeongtaek-heat-2021@1")).to_contain_text(
        "원문 확인"
    )
    fits(page)
    axe(page)
    shot(page, f"factors-{width}")
    for name in ("kr-grid-2018@1", "kr-grid-2021@1"):
        page.get_by_label(f"{name} 비교에 넣기").first.check()
    page.get_by_role("button", name="고른 두 계수집 비교").click()
    expect(page.get_by_text("+3.94 %")).to_be_visible()
    fits(page)
    axe(page)
    shot(page, f"factors-compare-{width}")
    page.goto(live_site.absolute("/console/factors/sets/kr-city-gas-kets-2025@1/"))
    expect(page.get_by_text("뒤에 kr-city-gas-kets-2025@2")).to_be_visible()
    fits(page)
    axe(page)
    shot(page, f"factor-set-{width}")
    for path in ("tables/", "tables/kr-tree-uptake@1/", "examples/"):
        page.goto(live_site.absolute(f"/console/factors/{path}"))
        fits(page)
        axe(page)
        shot(page, f"factors-{path.split('/')[0]}-{len(path)}-{width}")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_set_is_brought_in_by_two_people(
    live_site, browser_page, sign_in, shot, axe, tmp_path, width: int
) -> None:
    page: Page = browser_page(width)
    sign_in(page, "official1")
    page.goto(live_site.absolute("/console/factors/imports/"))
    axe(page)
    shot(page, f"factor-imports-{width}")
    file = tmp_path / "journey.toml"
    file.write_text(SET.format(width=width), "utf-8")
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="올리기", exact=True).click()
    expect(page.get_by_text("발행처 오류")).to_be_visible()
    expect(page.get_by_text("5455.7", exact=True)).to_be_visible()
    fits(page)
    axe(page)
    shot(page, f"factor-import-{width}")
    page.locator("[name=text]").fill("발행처의 계산 착오로 보고 계수만 씁니다.")
    page.get_by_role("button", name="찾은 것을 보았고").click()
    expect(page.get_by_text("올린 사람은 승인할 수 없습니다")).to_be_visible()
    address = page.url
    other: Page = browser_page(width)
    sign_in(other, "approver1")
    other.goto(address)
    shot(other, f"factor-decide-{width}")
    other.get_by_role("button", name="승인", exact=True).click()
    expect(other.get_by_text("이제 이 계수를 쓸 수 있습니다")).to_be_visible()
    other.goto(live_site.absolute(f"/console/factors/?q=journey-grid-{width}"))
    expect(other.get_by_text("등록한 것")).to_be_visible()
