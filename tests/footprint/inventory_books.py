"""A city's inventory in small: a meter, a document, a calculator and the rest by notation keys."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from footprint_world import CITY, SEOUL, World, fill

from onsil import hub
from onsil.core.periods import local_year
from onsil.footprint import inventory

YEAR = 2025
SETTINGS = inventory.Settings("AR5", "BASIC", "평택시 행정구역")
GRID = inventory.FactorUse(
    "authority", programme="inventory", factor_set="kr-grid-2021", commodity="electricity",
    boundary="consumption",
)  # fmt: skip


def granted(answer: Any) -> Any:
    assert answer is None or answer, answer
    return answer


def electricity(code: str = "homes-power", amount: str = "1000", **changed: Any) -> Any:
    """A line of 1,000 MWh by a document: 477.7 t under AR5 by the grid of 2021."""
    made = inventory.LineSpec(
        code, "I.1.2", "가정 전력",
        activity=inventory.Activity("table", "MWh", Decimal(amount), "전력 통계 2025"),
        factor=GRID, tier=2, activity_quality="H", factor_quality="M",
        activity_pct=Decimal(3), factor_pct=Decimal(4), method="전력 사용량 × 계수",
    )  # fmt: skip
    return replace(made, **changed)


def stated(code: str, ref: str, amount: str, kg: str, **changed: Any) -> Any:
    """A line with a stated factor in kg of CO2 per tonne."""
    made = inventory.LineSpec(
        code, ref, code,
        activity=inventory.Activity("table", "t", Decimal(amount), "자료집"),
        factor=inventory.FactorUse(
            "stated", gases_kg={"co2": Decimal(kg)}, per="t", document="계수 자료",
            maturity="recalled",
        ),
        tier=1, activity_quality="M", factor_quality="L", method="곱하기",
    )  # fmt: skip
    return replace(made, **changed)


def noted(ref: str, key: str = "NE", elsewhere: str = "") -> Any:
    return inventory.LineSpec(f"note-{ref}", ref, ref, notation=(key,), elsewhere=elsewhere)


def the_rest(specs: list[Any], level: str = "BASIC") -> list[Any]:
    """Notation keys for every row that no line speaks of."""
    told = {spec.ref for spec in specs}
    rows = inventory.required_rows(inventory.CITY, level)
    return [noted(row.ref) for row in rows if row.ref not in told]


def opened(world: World, year: int = YEAR, settings: Any = SETTINGS) -> Any:
    return granted(
        inventory.open_inventory(
            world.conn, CITY, inventory.CITY, CITY, "평택시", year, settings, "maker", world.clock
        )
    )


def put(
    world: World, book: Any, specs: list[Any], cause: str = "activity", reason: str = ""
) -> Any:
    return inventory.put_lines(
        world.conn, CITY, book.id, specs, cause, reason, "maker", world.clock
    )


def compiled(world: World, book: Any) -> Any:
    return granted(inventory.compile_version(world.conn, CITY, book.id, "maker", world.clock))


def outputs(world: World, version: Any) -> dict[str, Any]:
    return inventory.documents(world.conn, CITY, version.id)[1]


def inputs(world: World, version: Any) -> dict[str, Any]:
    return inventory.documents(world.conn, CITY, version.id)[0]


def meter(
    world: World, name: str, days: int = 365, kwh: str = "24", skip: frozenset[int] = frozenset()
) -> str:
    """A meter of daily energy over the year; days in `skip` were not measured."""
    start = local_year(YEAR, SEOUL).start
    values = [None if day in skip else Decimal(kwh) for day in range(days)]
    return fill(
        world.conn, hub.entity_uri("Building", CITY, name), "electricity", values, start,
        interval_s=int(timedelta(days=1).total_seconds()),
    )  # fmt: skip


def metered(code: str, *series: str, **changed: Any) -> Any:
    made = electricity(code, activity=inventory.Activity("hub", "MWh", series=series))
    return replace(made, **changed)
