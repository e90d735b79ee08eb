"""The officials' menu by hand and by keyboard, on a desk and on a phone."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from conftest import LiveSite


def test_a_group_unfolds_by_keyboard_and_stays_so(
    live_site: LiveSite, browser_page: Callable[..., Page], sign_in, axe
):
    page = browser_page(1440)
    sign_in(page, "official1")
    page.goto(live_site.absolute("/console/factors/"))
    group = page.locator("details[data-menu=money]")
    expect(group).not_to_have_attribute("open", "")
    group.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(group.get_by_role("link").first).to_be_visible()
    axe(page)
    page.goto(live_site.absolute("/console/methodologies/"))
    expect(group.get_by_role("link").first).to_be_visible()
    group.locator("summary").click()
    page.goto(live_site.absolute("/console/factors/"))
    expect(group.get_by_role("link").first).to_be_hidden()


def test_on_a_phone_the_menu_opens_over_the_page_and_closes_by_escape(
    live_site: LiveSite, browser_page: Callable[..., Page], sign_in, axe
):
    page = browser_page(390)
    sign_in(page, "official1")
    page.goto(live_site.absolute("/console/factors/"))
    button = page.locator(".side__button")
    here = page.locator("#side-menu a[aria-current=page]")
    expect(here).to_be_hidden()
    button.click()
    expect(here).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(here).to_be_hidden()


def test_without_script_the_menu_still_folds(
    live_site: LiveSite, browser_page: Callable[..., Page], sign_in
):
    page = browser_page(1440, script=False)
    sign_in(page, "official1")
    page.goto(live_site.absolute("/console/factors/"))
    group = page.locator("details[data-menu=money]")
    group.locator("summary").click()
    group.get_by_role("link").first.click()
    expect(page).to_have_url(live_site.absolute("/console/programmes/"))
