"""citizen-actions 1: amounts of verified actions times published coefficients."""

from decimal import Decimal
from typing import Any

from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import (
    Coefficients,
    Days,
    Row,
    day,
    days,
    judge,
    line,
    number,
    something_saved,
    total,
)
from onsil_verifier.uncertainty import component, stated

_NOTE = "The coefficients' publishers state no uncertainty; the stated share is ours."


def citizens(given: Given) -> dict[str, Any]:
    table, within = Coefficients(given, "citizen-actions"), days(given)
    actions = given.tables["actions"]
    if any(
        row["action"] in table and row["unit"] != table.text(row["action"], "unit")
        for row in actions
    ):
        raise Refused("unit-mismatch")
    judged = judge(actions, lambda row: _reason(row, within, table))
    kg: dict[str, Decimal] = {}
    for row in judged.used:
        action = row["action"]
        worth = number(row, "amount") * table.number(action, "co2e_kg_per_unit")
        kg[action] = kg.get(action, Decimal(0)) + worth
    tonnes = total(kg.values()) / 1000
    something_saved(tonnes)
    percent = given.number("coefficient_uncertainty_pct")
    components = [
        component(
            f"coefficient:{table.id}:{action}", kg[action] / 1000, percent,
            ko=f"{action} 계수", en=f"Coefficient of {action}",
        )
        for action in sorted(kg)
    ]  # fmt: skip
    return {
        "co2e_t": tonnes,
        "gases_kg": None,
        "lines": [
            line(
                row["id"], "citizen-action", number(row, "amount"),
                table.text(row["action"], "unit"), {row["day"]: number(row, "amount")},
            )
            for row in judged.used
        ],
        "uncertainty": stated(tonnes, components, note=_NOTE),
        "coverage": {"actions": judged.coverage()},
        "details": {"kg_by_action": kg},
    }  # fmt: skip


def _reason(row: Row, within: Days, table: Coefficients) -> str | None:
    kept_by_server = row["evidence"] in ("card", "meter", "receipt")
    if not (kept_by_server or row["verified"]):
        return "not-verified"
    if not within.holds(day(row, "day")):
        return "outside-period"
    if row["action"] not in table:
        return "no-coefficient"
    if "amount" not in row:
        return "amount-missing"
    if number(row, "amount") > table.number(row["action"], "per_day_max"):
        return "amount-impossible"
    return None


METHODS = {("citizen-actions", "1"): citizens}
