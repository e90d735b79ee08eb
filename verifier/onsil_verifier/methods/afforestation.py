"""afforestation 1: stock of modelled units less baseline, side emissions and what was counted."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.rows import (
    Coefficients,
    Days,
    Row,
    day,
    days,
    judge,
    legal_duty,
    line,
    number,
    total,
)
from onsil_verifier.trees import find_wood, removed, stock_t
from onsil_verifier.uncertainty import component, stated

_NOTE = "The inventory's error is of the whole stock."


def planted(given: Given) -> dict[str, Any] | NotMeasurable:
    rows, within = given.tables["units"], days(given)
    legal_duty(given)
    _hold(rows)
    species, sides = Coefficients(given, "tree-biomass"), Coefficients(given, "side-defaults")
    judged = judge(rows, lambda row: _reason(row, within, species))
    stocks = {row["id"]: _stock(row, species, sides) for row in judged.used}
    tolerated = sides.number("project", "inventory_tolerance_pct")
    excess = [
        stocks[row["id"]] * (max(number(row, "half_width_pct") - tolerated, Decimal(0)) / 100)
        for row in judged.used
    ]
    # Rows that do not count keep their deductions.
    baselines = [_baseline(row, sides) for row in rows]
    burnt = total(one for row, one in zip(rows, baselines, strict=True) if row["burnt"])
    nitrogen = total(number(row, "fertiliser_kg_n") for row in rows)
    stock, taken = (
        total(stocks.values()),
        {
            "inventory_excess_t": total(excess),
            "baseline_t": total(baselines),
            "leakage_t": given.number("leakage_t"),
            "burning_t": sides.number("project", "burning_share") * burnt,
            "fertiliser_t": nitrogen * sides.number("project", "fertiliser_t_per_kg_n"),
        },
    )
    net_t = stock - total(taken.values())
    before = given.number("counted_before_t")
    cap = given.number("long_term_cap_t") if "long_term_cap_t" in given.parameters else None
    counted = (net_t if cap is None or net_t < cap else cap) - before
    details = {
        "stock_t": stock, **taken, "net_t": net_t, "counted_before_t": before, "cap_t": cap,
    }  # fmt: skip
    if net_t <= 0 or counted <= 0:
        return _nothing_yet(net_t, before, details)
    components = [
        component(
            f"record:units:{row['id']}", stocks[row["id"]], number(row, "half_width_pct"),
            confidence_pct=90, ko="임분 조사", en="Inventory",
        )
        for row in judged.used
    ]  # fmt: skip
    years = Decimal(within.count) / 365
    return {
        "co2e_t": counted,
        "gases_kg": removed(counted),
        "lines": [
            line(row["id"], "stand-year", number(row, "area_ha") * years, "ha-year")
            for row in judged.used
        ],
        "uncertainty": stated(counted, components, note=_NOTE),
        "coverage": {"units": judged.coverage()},
        "details": details,
    }


def _hold(rows: list[Row]) -> None:
    """One unit of baselines, a baseline for each row, and no parcel twice."""
    if len({row["baseline_unit"] for row in rows if "baseline_unit" in row}) > 1:
        raise Refused("unit-mismatch")
    for row in rows:
        stock, unit = "baseline_stock" in row, "baseline_unit" in row
        if stock != unit or not (stock or "baseline_volume_m3_per_ha" in row):
            raise Refused("baseline-unknown")
    if len({row["parcel"] for row in rows}) < len(rows):
        raise Refused("counted-twice")


def _reason(row: Row, within: Days, species: Coefficients) -> str | None:
    inventoried = day(row, "inventoried")
    if inventoried <= day(row, "planted"):
        return "inventory-before-planting"
    if not timedelta(0) <= within.end - inventoried <= timedelta(366):
        return "inventory-outside-period"
    if "species" in row and find_wood(species, row["species"], row.get("group")) is None:
        return "unknown-species"
    return None


def _dry(sides: Coefficients, side: str) -> Decimal:
    dry = sides.number(side, "density") * sides.number(side, "bef")
    return dry * (1 + sides.number(side, "root_ratio"))


def _stock(row: Row, species: Coefficients, sides: Coefficients) -> Decimal:
    """Of a known species by its wood, else by the side's defaults; the carbon is the side's."""
    dry = _dry(sides, "project")
    if "species" in row:
        wood = find_wood(species, row["species"], row.get("group"))
        assert wood is not None
        dry = wood.dry_t_per_m3
    volume = number(row, "volume_m3_per_ha") * number(row, "area_ha")
    # By way of kilograms, as the engine's stocks are.
    return stock_t(volume, dry, sides.number("project", "carbon_fraction")) * 1000 / 1000


def _baseline(row: Row, sides: Coefficients) -> Decimal:
    if "baseline_stock" in row:
        stock = number(row, "baseline_stock")
        return stock * 44 / 12 if row["baseline_unit"] == "tC" else stock
    volume = number(row, "baseline_volume_m3_per_ha") * number(row, "area_ha")
    carbon = sides.number("baseline", "carbon_fraction")
    return stock_t(volume, _dry(sides, "baseline"), carbon) * 1000 / 1000


def _nothing_yet(net_t: Decimal, before: Decimal, facts: dict[str, Any]) -> NotMeasurable:
    shown = net_t.quantize(Decimal("0.001"))
    return NotMeasurable(
        f"누적 순흡수량이 {shown} tCO2e로, 이미 산정한 {before} tCO2e를 넘지 않습니다. 더 자란 "
        "뒤에 다시 산정하세요. 줄었다면 되돌림(reversal)으로 처리하세요.",
        f"The cumulative net is {shown} tCO2e, not above the {before} t counted before (or the "
        "cap). Quantify again when it has grown; record a reversal where it has fallen.",
        facts,
    )


METHODS = {("afforestation", "1"): planted}
