"""A verifier opens a run, recomputes it, draws a sample, raises a finding, verifies the log."""

from collections.abc import Callable

import pytest
from green_town import Site, grow, seal
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.journey


def test_a_verifier_traces_and_recomputes(
    live_site: Site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    world = grow(live_site)
    page = browser_page(1440)
    sign_in(page, "verifier1")
    page.goto("/console/evidence/")
    axe(page)
    shot(page, "evidence")
    page.locator(f"a[href*='{world.home_run.id}']").first.click()
    expect(page.get_by_text("건물 에너지 절감").first).to_be_visible()
    page.get_by_role("button", name="다시 계산").click()
    expect(page.get_by_text("한 바이트도 다르지 않습니다")).to_be_visible()
    axe(page)
    shot(page, "evidence-run")
    page.get_by_label("씨앗").fill("2026 verification")
    page.get_by_role("button", name="뽑기").click()
    expect(page.get_by_text("모두 지금의 데이터와 같습니다.")).to_be_visible()
    page.get_by_role("link", name="앞으로").first.click()
    expect(page.get_by_role("heading", name="어디로 갔나요")).to_be_visible()
    page.goto(f"/trace/run/{world.home_run.id}/")
    expect(page.locator("html")).to_have_attribute("data-trace-checked", "done")
    expect(page.get_by_text("비슷한 날씨의 평소보다").first).to_be_visible()
    axe(page)
    shot(page, "trace-run")


def test_a_finding_is_raised_answered_and_closed(
    live_site: Site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    path = f"/console/evidence/runs/{grow(live_site).home_run.id}/"
    verifier, official = browser_page(1440), browser_page(1440)
    sign_in(verifier, "verifier1")
    verifier.goto(path)
    verifier.get_by_text("지적 올리기").click()
    verifier.get_by_label("제목").fill("기준 기간의 기온")
    verifier.get_by_label("내용").last.fill("관측소가 바뀌었는지 확인해 주세요.")
    verifier.get_by_role("button", name="올리기").click()
    expect(verifier.get_by_text("지적을 올렸습니다.")).to_be_visible()
    sign_in(official, "official1")
    official.goto(path)
    official.get_by_text("답변하기").first.click()
    official.get_by_label("내용").last.fill("같은 관측소입니다.")
    official.get_by_role("button", name="답변하기").click()
    expect(official.get_by_text("같은 관측소입니다.")).to_be_visible()
    verifier.goto(path)
    verifier.get_by_text("종결하기").first.click()
    verifier.locator("article").get_by_label("내용").fill("확인했습니다.")
    verifier.get_by_role("button", name="종결하기").click()
    expect(verifier.locator("article").get_by_text("종결").first).to_be_visible()
    verifier.goto("/console/evidence/findings/")
    expect(verifier.get_by_text("기준 기간의 기온")).to_be_visible()
    axe(verifier)
    shot(verifier, "evidence-findings")


def test_the_log_is_verified_from_the_screen(
    live_site: Site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    grow(live_site)
    seal(live_site)
    page = browser_page(1440)
    sign_in(page, "verifier1")
    page.goto("/console/evidence/log/")
    page.get_by_role("button", name="지금 전체 확인").click()
    expect(page.get_by_text("모든 잎이 지금의 행과 맞습니다")).to_be_visible()
    axe(page)
    shot(page, "evidence-log")
