"""pyrolysis-mass-balance 1: batches that close, and what their bricks displace if known."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from onsil_verifier.factors import Emitted, add_gases, emitted
from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable
from onsil_verifier.rows import (
    Days,
    Row,
    day,
    days,
    judge,
    legal_duty,
    number,
    something_saved,
    total,
)
from onsil_verifier.uncertainty import component, stated
from onsil_verifier.waste import lots

_USES = (("electricity", "electricity_kwh", "kWh"), ("city-gas", "gas_nm3", "Nm3"))


def pyrolysis(given: Given) -> dict[str, Any] | NotMeasurable:
    legal_duty(given)
    within = days(given)
    judged = judge(given.tables["batches"], lambda row: _reason(row, given, within))
    rows = judged.used
    balance = _balance(given, rows)
    lacking = _lacking(given, rows)
    if lacking:
        return _not_yet(balance, lacking)
    bricks_kg = _sum(rows, "bricks") * given.number("brick_kg")
    spared = emitted(bricks_kg, "kg", given.factors["displaced-product"], given.gwp_set)
    carbon_dioxide = _sum(rows, "fossil_carbon_kg") * 44 / 12
    project = [Emitted(carbon_dioxide / 1000, {"co2": carbon_dioxide})]
    for commodity, column, unit in _USES:
        amount = _sum(rows, column)
        if amount:
            project.append(emitted(amount, unit, given.factors[commodity], given.gwp_set))
    project_t = total(one.tonnes for one in project)
    net_t = spared.tonnes - project_t
    something_saved(net_t)
    gases = spared.gases
    for one in project:
        gases = add_gases(gases, one.turned().gases)
    scale = component(
        "record:batches:scale", spared.tonnes, given.number("scale_uncertainty_pct"),
        ko="저울", en="Scales",
    )  # fmt: skip
    return {
        "co2e_t": net_t,
        "gases_kg": gases,
        "lines": lots(((row, number(row, "feed_kg")) for row in rows), "waste-diverted"),
        "uncertainty": stated(net_t, [scale]),
        "coverage": {"batches": judged.coverage()},
        "details": {**balance, "spared_t": spared.tonnes, "project_t": project_t},
    }


def _sum(rows: Sequence[Row], column: str) -> Decimal:
    return total(number(row, column) for row in rows)


def _closes(share: Decimal) -> bool:
    return Decimal("0.90") <= share <= Decimal("1.02")


def _reason(row: Row, given: Given, within: Days) -> str | None:
    lowest, highest = number(row, "lowest_c"), number(row, "highest_c")
    if not within.holds(day(row, "date")):
        return "outside-period"
    if number(row, "feed_kg") > 1000 * number(row, "hours") / 24:
        return "above-capacity"
    if not 50 <= lowest <= highest <= 270:
        return "temperature-outside"
    if "dioxin_ng" in row and number(row, "dioxin_ng") > 5:
        return "dioxin-above-limit"
    if not _closes(_in_bricks(row, given)):
        return "bricks-do-not-close"
    whole = _whole(row)
    if whole is not None and not _closes(whole):
        return "mass-does-not-close"
    return None


def _in_bricks(row: Row, given: Given) -> Decimal:
    """The share of the residue that the bricks hold."""
    held = number(row, "bricks") * given.number("brick_kg") * given.number("residue_share")
    return held / number(row, "residue_kg")


def _whole(row: Row) -> Decimal | None:
    """The share of the feed found in all products; not known where one was not weighed."""
    if not {"oil_kg", "gas_kg", "water_kg"} <= row.keys():
        return None
    products = total(number(row, column) for column in ("oil_kg", "gas_kg", "water_kg"))
    return (number(row, "residue_kg") + products) / number(row, "feed_kg")


def _balance(given: Given, rows: Sequence[Row]) -> dict[str, Any]:
    feed, residue = _sum(rows, "feed_kg"), _sum(rows, "residue_kg")
    wholes = {row["id"]: _whole(row) for row in rows}
    return {
        "batches": len(rows),
        "feed_kg": feed,
        "residue_kg": residue,
        "residue_kg_per_t": residue * 1000 / feed,
        "bricks": int(_sum(rows, "bricks")),
        "bricks_closure_pct": {row["id"]: 100 * _in_bricks(row, given) for row in rows},
        "whole_closure_pct": {
            name: None if share is None else 100 * share for name, share in wholes.items()
        },
    }


def _lacking(given: Given, rows: Sequence[Row]) -> list[str]:
    """What is not measured, then which factors are not there."""
    lacking = [
        column
        for column in ("electricity_kwh", "gas_nm3", "fossil_carbon_kg")
        if not all(column in row for row in rows)
    ]
    if not all(_whole(row) is not None for row in rows):
        lacking.append("oil, gas and water")
    wanted = ["displaced-product"]
    for commodity, column, _ in _USES:
        if any(column in row and number(row, column) for row in rows):
            wanted.append(commodity)
    return lacking + [f"factor: {one}" for one in wanted if one not in given.factors]


def _not_yet(balance: dict[str, Any], lacking: list[str]) -> NotMeasurable:
    named, count = ", ".join(lacking), balance["batches"]
    return NotMeasurable(
        f"물질수지는 맞지만({count}개 배치) 감축량은 알 수 없습니다. 없는 것: {named}. 벽돌의 "
        "무게만으로는 tCO2e가 나오지 않습니다. 에너지와 태운 화석 탄소를 재고, 벽돌이 실제로 "
        "대신한 제품의 공개 배출계수를 밝혀야 합니다.",
        f"The mass of {count} batches closes, but no reduction follows from it. Lacking: "
        f"{named}. Bricks' mass alone gives no tonne of CO2e: measure energy and the fossil "
        "carbon burnt, and name a published factor of the product that the bricks displace.",
        {"lacking": lacking, **balance},
    )


METHODS = {("pyrolysis-mass-balance", "1"): pyrolysis}
