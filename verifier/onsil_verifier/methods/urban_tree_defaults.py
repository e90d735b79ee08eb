"""urban-tree-defaults 1: default growth by crown cover or tree, its whole half-width taken off."""

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
from onsil_verifier.uncertainty import ar_tool14, component, half_width, stated

_MOST_KG = 100
_NOTE = "Stated of the default before the deduction."


def defaults(given: Given) -> dict[str, Any]:
    table, within = Coefficients(given, "urban-tree-growth"), days(given)
    if given.coefficients["urban-tree-growth"]["columns"]["tc_per_year"] != "tC":
        raise Refused("unit-mismatch")
    stands = given.tables["stands"]
    crowns = {row["site"] for row in stands if row["kind"] == "crown-cover"}
    if any(row["site"] in crowns for row in stands if row["kind"] != "crown-cover"):
        raise Refused("counted-twice")
    for row in stands:
        yearly = table.number(row["kind"], "tc_per_year") * 44 / 12 * 1000
        if row["kind"] != "crown-cover" and yearly > _MOST_KG:
            raise Refused("growth-implausible")
    judged = judge(stands, lambda row: _reason(row, within, table))
    grown: dict[str, Decimal] = {}
    lines = []
    for row in judged.used:
        kind, amount = row["kind"], number(row, "amount")
        years = Decimal(within.within(day(row, "planted"), None)) / 365
        carbon = amount * table.number(kind, "tc_per_year") * years
        grown[kind] = grown.get(kind, Decimal(0)) + carbon * 44 / 12
        if amount:
            crown = kind == "crown-cover"
            quantity, unit = ("stand-year", "ha-year") if crown else ("tree-year", "tree-year")
            lines.append(line(row["id"], quantity, amount * years, unit))
    whole = total(grown.values())
    something_saved(whole)
    components = [
        component(
            f"coefficient:{table.id}:{kind}", grown[kind], table.number(kind, "uncertainty_pct"),
            confidence_pct=90, ko="기본 생장률", en="Default growth",
        )
        for kind in sorted(grown)
    ]  # fmt: skip
    left, taken, relative, _ = ar_tool14(whole, half_width(components, Decimal(90)))
    return {
        "co2e_t": left,
        "gases_kg": {"co2": left * 1000, "ch4": Decimal(0), "n2o": Decimal(0)},
        "lines": lines,
        "uncertainty": stated(whole, components, note=_NOTE),
        "coverage": {"stands": judged.coverage()},
        "details": {
            "default_t": whole,
            "by_kind_t": grown,
            "deducted_t": taken,
            "relative_90_pct": relative,
            "maturity": table.maturities(grown),
        },
    }


def _reason(row: Row, within: Days, table: Coefficients) -> str | None:
    planted = day(row, "planted")
    if planted >= within.end:
        return "planted-later"
    active = int(table.number(row["kind"], "active_years"))
    return "too-old" if (within.end - planted).days > active * Decimal("365.25") else None


METHODS = {("urban-tree-defaults", "1"): defaults}
