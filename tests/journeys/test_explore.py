"""Somebody explores open data: builds a query, sees its call, picks a stretch, takes files."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from demo_town import CITY
from playwright.sync_api import Page, expect

from offering import FILE
from onsil import hub
from onsil.core.clock import FixedClock, SystemClock
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey
SOIL = "simulated-soil-temperature"
PLACES = [(127.028, 37.04), (127.031, 37.05), (126.9, 36.98)]
PROBES = [hub.entity_uri("SoilProbe", CITY, f"journey-{n}") for n in range(1, len(PLACES) + 1)]


@pytest.fixture(scope="module")
def soil(live_site) -> None:
    """The city's data sets, and three probes with two days of temperatures, a gap in them."""
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    with live_site.inside(), transaction(CITY) as conn:
        catalogue, datasets = read_datasets(FILE)
        run(conn, put_datasets(CITY, catalogue, datasets, now))
        hub.upsert_entities(conn, CITY, [
            {"id": uri, "type": "SoilProbe", "simulated": True,
             "location": {"type": "Point", "coordinates": list(place)}}
            for uri, place in zip(PROBES, PLACES, strict=True)
        ], clock=FixedClock(now))  # fmt: skip
        hub.ensure_series(conn, CITY, [
            hub.SeriesSpec(uri, "soilTemperature", "degC", 600, "gauge", source="simulated")
            for uri in PROBES
        ])  # fmt: skip
        readings = [
            hub.Reading(
                uri,
                "soilTemperature",
                now - timedelta(minutes=10 * back),
                Decimal(12 + 5 * number) + Decimal((back * 7) % 24) / 10,
            )
            for number, uri in enumerate(PROBES)
            for back in range(1, 288)
            if not (number == 1 and 60 < back < 120)
        ]
        hub.record(conn, CITY, readings, FixedClock(now))


def fits(page: Page) -> None:
    """Nothing hangs over the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def ask(page: Page, button: str = "실행") -> None:
    """Run the form and wait for its answer."""
    page.locator("#explore").evaluate("one => { one.dataset.old = '1'; }")
    page.get_by_role("button", name=button).click()
    expect(page.locator("#explore:not([data-old])[data-drawn]")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_question_becomes_a_chart_and_a_call(soil, browser_page, shot, axe, width: int) -> None:
    page: Page = browser_page(width)
    page.goto("/data/explore/")
    page.get_by_label("무엇을 볼까요").select_option(f"set:{SOIL}")
    page.get_by_role("button", name="이것으로 바꾸기").click()
    expect(page.get_by_role("heading", name="모의 토양 온도")).to_be_visible()
    expect(page.locator("#explore[data-drawn='1']")).to_be_visible()
    expect(page.locator("[data-explore-count]")).to_have_text("개체 3개")
    fits(page)
    axe(page)
    shot(page, "explore")

    page.locator("summary", has_text="조건").click()
    row = page.get_by_role("group", name="조건 1")
    row.get_by_label("속성").select_option("soilTemperature")
    row.get_by_label("비교").select_option(">")
    row.get_by_label("값").fill("15")
    page.get_by_label("기간", exact=True).select_option("day")
    call = page.locator("#explore-call [data-explore-get]")
    expect(call).to_contain_text("q=soilTemperature%3E15;simulated%3D%3Dtrue")
    page.get_by_label("비교할 기간").select_option("previous")
    ask(page)
    expect(page.locator("[data-explore-count]")).to_have_text("개체 2개")
    expect(page.get_by_text("(앞 기간)").first).to_be_attached()
    expect(page.locator("[data-explore-json]")).to_contain_text("soilTemperature")
    assert "ca=soilTemperature" in page.url
    axe(page)
    for name, ending in (("CSV", "csv"), ("XLSX", "xlsx"), ("PNG", "png")):
        with page.expect_download() as taken:
            page.get_by_label("모의 토양 온도").or_(page.locator("#explore-answer")).locator(
                "section"
            ).first.get_by_text(name, exact=True).click()
        assert taken.value.suggested_filename.endswith(ending)
        assert taken.value.path().stat().st_size > 200
    shot(page, "explore-compared")


def test_a_stretch_is_picked_and_a_place_is_drawn(soil, browser_page, shot, axe) -> None:
    page: Page = browser_page(1440)
    page.goto(f"/data/explore/?of=set:{SOIL}&span=day")
    expect(page.locator("#explore[data-drawn='1']")).to_be_visible()
    box = page.locator(".explore__chart .chart__canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 90, steps=6)
    page.mouse.up()
    picked = page.locator("[data-explore-picked]")
    expect(picked).to_be_visible()
    expect(picked).to_contain_text(re.compile(r"값 \d+개, 평균"))
    shot(page, "explore-picked")
    ask(page, "이 구간만 보기")
    expect(page.get_by_label("기간", exact=True)).to_have_value("own")

    page.locator("summary", has_text="장소").click()
    expect(page.locator("[data-drawable]")).to_be_visible()
    page.get_by_role("button", name="원 그리기").click()
    canvas = page.locator("[data-draw-canvas]").bounding_box()
    assert canvas
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    page.mouse.click(canvas["x"] + canvas["width"] / 2 + 40, canvas["y"] + canvas["height"] / 2)
    expect(page.get_by_label("반지름(m)")).not_to_have_value("")
    call = page.locator("#explore-call [data-explore-get]")
    expect(call).to_contain_text("georel=near;maxDistance")
    axe(page)
    shot(page, "explore-place")


def test_it_works_by_keyboard_and_says_when_the_hub_is_away(soil, browser_page, shot) -> None:
    page: Page = browser_page(1440)
    page.goto(f"/data/explore/?of=set:{SOIL}")
    page.get_by_role("button", name="실행").focus()
    page.route("**/data/explore/**", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.get_by_text("답을 받지 못했습니다")).to_be_visible()
    shot(page, "explore-away")


def test_without_script_the_same_is_asked(soil, browser_page) -> None:
    page: Page = browser_page(390, script=False)
    page.goto(f"/data/explore/?of=set:{SOIL}&ca=soilTemperature&co=%3E&cv=15")
    expect(page.locator("[data-explore-count]")).to_have_text("개체 2개")
    expect(page.locator(".explore__chart svg.plot")).to_be_visible()
    page.get_by_role("button", name="실행").click()
    expect(page.locator("[data-explore-count]")).to_have_text("개체 2개")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_data_set_has_a_preview_and_a_console(soil, browser_page, shot, axe, width: int) -> None:
    page: Page = browser_page(width)
    page.goto(f"/data/{SOIL}/")
    expect(page.locator(".map canvas")).to_be_visible()
    page.get_by_label("경로와 매개변수").fill(f"/ngsi-ld/v1/entities/{PROBES[2]}")
    page.get_by_role("button", name="보내기").click()
    expect(page.locator("#console-answer")).to_contain_text("200")
    expect(page.locator("#console-answer table")).to_contain_text(PROBES[2])
    fits(page)
    axe(page)
    shot(page, "data-set")


@pytest.mark.parametrize("width", [390, 1440])
def test_an_official_explores_the_whole_city(
    soil, browser_page, sign_in, shot, axe, width: int
) -> None:
    page: Page = browser_page(width)
    sign_in(page, "official1")
    page.goto("/console/explore/?of=type:SoilProbe")
    expect(page.locator("#explore[data-drawn]")).to_be_visible()
    expect(page.get_by_text("공개하지 않은 데이터도")).to_be_visible()
    fits(page)
    axe(page)
    shot(page, "console-explore")
