"""An official looks who holds a quantity, who was refused, and what checking the data found."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from green_town import CITY, Site, grow
from playwright.sync_api import Page, expect

from onsil import footprint
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction

pytestmark = pytest.mark.journey


def test_who_holds_what_and_who_was_refused(
    live_site: Site, browser_page: Callable[..., Page], sign_in, axe, shot
):
    world = grow(live_site)
    with live_site.inside(), transaction(CITY) as conn:
        answer = footprint.claim(
            conn, CITY, world.solar_run.id, "voluntary", actor="official", clock=SystemClock()
        )
        meter = world.solar_run.lines[0].meter
    assert isinstance(answer, Refusal)
    for width in (1440, 390):
        page = browser_page(width)
        sign_in(page, "official1")
        page.goto("/console/claims/")
        axe(page)
        shot(page, f"claims-{width}")
        page.goto(f"/console/claims/meter/?meter={quote(meter)}")
        expect(page.locator("svg.claim-plot")).to_be_visible()
        expect(page.get_by_text("이미 가진 쪽").first).to_be_visible()
        axe(page)
        shot(page, f"claims-meter-{width}")
        page.goto("/console/claims/refused/")
        axe(page)
        shot(page, f"claims-refused-{width}")
        page.goto("/console/claims/boundaries/")
        axe(page)
        shot(page, f"claims-boundaries-{width}")
        page.goto(f"/console/evidence/runs/{world.solar_run.id}/")
        expect(page.get_by_role("heading", name="검사 결과와 지적")).to_be_visible()
        axe(page)
        shot(page, f"evidence-run-{width}")
