"""The city's inventory for everybody: sealed versions alone, with what is missing told."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from portal_world import CITY, World, granted

from onsil.core.clock import FixedClock
from onsil.footprint import inventory
from onsil.tenancy import transaction


def power() -> inventory.LineSpec:
    return inventory.LineSpec(
        "homes-power", "I.1.2", "가정 전력",
        activity=inventory.Activity("table", "MWh", Decimal(1000), "전력 통계"),
        factor=inventory.FactorUse(
            "authority", programme="inventory", factor_set="kr-grid-2021",
            commodity="electricity", boundary="consumption",
        ),
        tier=2, activity_quality="H", factor_quality="M", activity_pct=Decimal(3),
        factor_pct=Decimal(4), method="곱하기",
    )  # fmt: skip


@pytest.fixture(scope="module")
def sealed(world: World) -> Callable[[int], inventory.Version]:
    """Make, compile and seal a year's inventory of the city."""

    def make(year: int) -> inventory.Version:
        clock: FixedClock = world.clock
        rest = [
            inventory.LineSpec(f"n-{row.ref}", row.ref, row.ref, notation=("NE",))
            for row in inventory.required_rows("city", "BASIC")
            if row.ref != "I.1.2"
        ]
        with transaction(CITY) as tx:
            book = granted(inventory.open_inventory(
                tx, CITY, "city", CITY, "평택시", year,
                inventory.Settings("AR5", "BASIC", "행정구역"), "maker", clock,
            ))  # fmt: skip
            granted(inventory.put_lines(
                tx, CITY, book.id, [power(), *rest], "activity", "", "maker", clock
            ))  # fmt: skip
            made = granted(inventory.compile_version(tx, CITY, book.id, "maker", clock))
            return granted(inventory.decide(tx, CITY, made.id, True, "", "checker", clock))

    return make


def test_nothing_is_shown_before_it_is_sealed(world: World):
    answer = Client().get("/inventory/")
    assert answer.status_code == 200
    assert "아직 확정된 인벤토리가 없습니다" in answer.content.decode()
    assert Client().get("/inventory/2024/").status_code == 404
    absent = reverse("city-inventory-file", kwargs={"year": "2024", "form": "csv"})
    assert Client().get(absent).status_code == 404


def test_a_sealed_year_is_shown_and_taken_along(world: World, sealed):
    version = sealed(2024)
    sealed(2022)
    text = Client().get("/inventory/").content.decode()
    assert "477.7" in text
    assert "±5 % (95 %)" in text
    assert version.outputs_digest in text
    assert "NE" in text
    assert "해마다" in text
    assert Client().get("/inventory/2022/").status_code == 200
    rows = Client().get("/inventory/2024/inventory.csv").content.decode("utf-8-sig")
    assert "I.1.2" in rows
    data = Client().get("/inventory/2024/inventory.json").json()
    assert data["totals"]["BASIC"] == "477700"
    assert "inside" not in data["settings"]


def test_it_is_said_in_english(world: World, sealed):
    sealed(2023)
    client = Client()
    client.cookies["django_language"] = "en"
    text = client.get("/inventory/2023/").content.decode()
    assert "Sectors and scopes" in text
    assert "Stationary energy" in text
