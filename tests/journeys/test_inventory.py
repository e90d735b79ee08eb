"""An official's inventory from lines to the explained change, and what the public sees."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from demo_town import CITY
from playwright.sync_api import Page

from conftest import LiveSite
from onsil import hub
from onsil.core.clock import FixedClock, SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_year
from onsil.footprint import inventory
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_SEOUL = ZoneInfo("Asia/Seoul")


def _granted(answer: Any) -> Any:
    assert not hasattr(answer, "code") or isinstance(answer, inventory.LineSpec), answer
    return answer


def _power(code: str, ref: str, mwh: str, **changed: Any) -> inventory.LineSpec:
    base: dict[str, Any] = {
        "activity": inventory.Activity("table", "MWh", Decimal(mwh), "전력 통계"),
        "factor": inventory.FactorUse(
            "authority", programme="inventory", factor_set="kr-grid-2021",
            commodity="electricity", boundary="consumption",
        ),
        "tier": 2, "activity_quality": "H", "factor_quality": "M", "activity_pct": Decimal(3),
        "factor_pct": Decimal(5), "method": "전력 사용량 × 배출계수",
    }  # fmt: skip
    return inventory.LineSpec(code, ref, code, **(base | changed))


def _calculated(code: str, ref: str, name: str, **parameters: Any) -> inventory.LineSpec:
    return inventory.LineSpec(
        code, ref, code, calculator=name, parameters=parameters, tier=1, activity_quality="M",
        factor_quality="L", activity_pct=Decimal(15), factor_pct=Decimal(30), method="IPCC 2006",
    )  # fmt: skip


def _specs(mwh: str, series: str) -> list[inventory.LineSpec]:
    made = [
        _power("homes", "I.1.2", mwh),
        _power("shops", "I.2.2", "910000"),
        _power("halls", "I.2.2", "0", activity=inventory.Activity("hub", "MWh", series=(series,))),
        _power("rail", "II.2.2", "64000"),
        _calculated("gas", "I.1.1", "fuel-combustion", fuel="natural-gas-stationary",
                    amount="180000000"),
        _calculated("cars", "II.1.1", "fuel-combustion", fuel="gasoline-road", amount="210000000"),
        _calculated("lorries", "II.1.1", "fuel-combustion", fuel="diesel-road",
                    amount="160000000"),
        _calculated("burnt", "III.3.1", "incineration", waste="plastics", wet_t="38000"),
        _calculated("sewage", "III.4.1", "wastewater", treatment="aerobic-overloaded",
                    people="590000", utilisation="0.95", bod_g_per_person_day="53",
                    industrial_correction="1.25", sludge_bod_kg="5200000", recovered_ch4_kg="0"),
    ]  # fmt: skip
    told = {one.ref for one in made}
    rest = [row.ref for row in inventory.required_rows("city", "BASIC") if row.ref not in told]
    # one row is left open, for what is missing must be seen
    return made + [
        inventory.LineSpec(f"note-{ref}", ref, ref, notation=("NO" if "II.3" in ref else "NE",))
        for ref in rest
        if ref != "II.4.1"
    ]


def _meter() -> str:
    entity = hub.entity_uri("Building", CITY, "inventory-hall")
    start = local_year(2024, _SEOUL).start
    with transaction(CITY) as tx:
        hub.ensure_series(tx, CITY, [hub.SeriesSpec(entity, "power", "MWh", 86400, "interval")])
        readings = [
            hub.Reading(entity, "power", start + day * (local_year(2024, _SEOUL).length / 366),
                        Decimal("41.5"))
            for day in range(366) if not 120 <= day < 131
        ]  # fmt: skip
        hub.record(tx, CITY, readings, FixedClock(datetime(2025, 1, 2, tzinfo=UTC)))
    return f"{entity}#power"


def _open(tx: Connection, year: int) -> inventory.Inventory:
    holds = inventory.Settings("AR5", "BASIC", "평택시 행정구역", population=590_000)
    return _granted(
        inventory.open_inventory(
            tx, CITY, "city", CITY, "평택시", year, holds, "maker", _CLOCK
        )
    )  # fmt: skip


def _write(
    tx: Connection, book: inventory.Inventory, specs: list[inventory.LineSpec],
    cause: str = "activity", reason: str = "",
) -> None:  # fmt: skip
    _granted(inventory.put_lines(tx, CITY, book.id, specs, cause, reason, "maker", _CLOCK))


def _compile(tx: Connection, book: inventory.Inventory) -> inventory.Version:
    return _granted(inventory.compile_version(tx, CITY, book.id, "maker", _CLOCK))


@pytest.fixture(scope="module")
def book(live_site: LiveSite) -> inventory.Inventory:
    """Two versions of 2024 (the second corrected and not sealed yet), and a sealed 2023."""
    older = inventory.FactorUse(
        "authority", programme="inventory", factor_set="kr-grid-2018", commodity="electricity",
        boundary="consumption",
    )  # fmt: skip
    policy = inventory.RecalculationPolicy(2023, 100, ("error", "factor", "method"), "1 %")
    with live_site.inside():
        series = _meter()
        with transaction(CITY) as tx:
            closed, made = _open(tx, 2023), _open(tx, 2024)
            specs = [one for one in _specs("640000", series) if one.code != "halls"]
            air = inventory.LineSpec("note-II.4.1", "II.4.1", "항공", notation=("NO",))
            _write(tx, closed, [*specs, air])
            first = _compile(tx, closed)
            _granted(inventory.decide(tx, CITY, first.id, True, "", "checker", _CLOCK))
            _write(tx, made, _specs("655000", series))
            _compile(tx, made)
            _write(tx, made, [_power("homes", "I.1.2", "671000")], "activity", "검침 정정")
            shops = _power("shops", "I.2.2", "910000", factor=older)
            _write(tx, made, [shops], "factor", "승인 계수로 바꿈")
            _compile(tx, made)
            _granted(inventory.set_policy(tx, CITY, "city", CITY, policy, "maker", _CLOCK))
    return made


@pytest.mark.parametrize("width", [1440, 390])
def test_inventory_screens(
    width: int,
    book: inventory.Inventory,
    live_site: LiveSite,
    browser_page: Callable[[int], Page],
    sign_in: Callable[[Page, str], None],
    axe: Callable[[Page], None],
    shot: Callable[[Page, str], None],
):
    page = browser_page(width)
    sign_in(page, "official1")
    for name, path in (
        ("list", "/console/inventory/"),
        ("results", f"/console/inventory/{book.id}/"),
        ("lines", f"/console/inventory/{book.id}/lines/"),
        ("line", f"/console/inventory/{book.id}/line/halls/"),
        ("changes", f"/console/inventory/{book.id}/changes/"),
        ("settings", f"/console/inventory/{book.id}/settings/"),
        ("public", "/inventory/"),
    ):
        page.goto(live_site.absolute(path))
        page.wait_for_load_state("networkidle")
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 1, (path, over)
        axe(page)
        shot(page, f"inventory-{name}-{width}")
