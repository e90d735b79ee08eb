"""The compilation: canonical inputs in, canonical outputs out; nothing else counts.

Arithmetic is in decimals of fifty digits. Each line's gases are stated to a milligram, half to
even, once; all that follows is multiplication by GWPs and addition, hence exact. What is missing
is missing: a row without figure or notation key has no figure, and a total says what it lacks.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Any

from onsil.core.canonical import canonical_bytes
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import CoefficientTable, Factor
from onsil.footprint.inventory import activity, gases, sectors, simulating
from onsil.footprint.inventory.certificates import market
from onsil.footprint.inventory.combining import KG, summary
from onsil.footprint.inventory.sold import reconciled
from onsil.footprint.inventory.terms import CITY, FULL_SHARE_BP
from onsil.footprint.inventory.tree import Tree, required_rows, tree

# The first form knew approach 1 for totals and sectors alone; what was sealed in it stays in it.
FORMS = ("onsil-inventory-1", "onsil-inventory-2")
FORMAT = FORMS[-1]
QUANTIFIED, NOTED, MISSING = "quantified", "notation", "missing"
_UNKNOWN = "unspecified"
_MARKET = "2.M"

Outputs = dict[str, Any]


def calculate(inputs: Mapping[str, Any]) -> Outputs:
    """The outputs that plain inputs (as stored) lead to."""
    with localcontext(ARITHMETIC):
        return _calculate(inputs)


def recalculate(inputs_text: str) -> bytes:
    """The output bytes that stored inputs lead to."""
    return canonical_bytes(calculate(json.loads(inputs_text)))


def emitted(line: Mapping[str, Any], coefficients: Mapping[str, Any], gwp: str) -> Outputs:
    """One line's gases and CO2e in kg, as a whole and for the share that the boundary takes.

    `gases_kg` is None where the factor is known as a total alone.
    """
    share = Decimal(line["share_bp"]) / FULL_SHARE_BP
    if line["calculator"]:
        table = CoefficientTable.from_document(coefficients[line["parameters"]["set"]])
        found = sectors.run(line["calculator"], line["parameters"], table)
        mixture = {gas: (kg * share).quantize(KG) for gas, kg in found.items()}
        return _gases(mixture, gwp)
    stated = line["activity"]
    factor = Factor.from_document(line["factor"])
    found = activity.amount(stated)
    assert found is not None, "a line without any reading is refused before it is compiled"
    amount = factor.activity(found, stated["unit"], stated["basis"] or None) * share
    if factor.gases_kg is None:
        return {
            "gases_kg": None,
            "co2b_kg": None,
            "co2e_kg": (amount * factor.co2e_kg(gwp)).quantize(KG),
        }
    mixture = {gas: (amount * kg).quantize(KG) for gas, kg in factor.gases_kg.items()}
    return _gases(mixture, gwp)


def _gases(mixture: Mapping[str, Decimal], gwp: str) -> Outputs:
    return {
        "gases_kg": dict(mixture),
        "co2b_kg": mixture.get(gases.BIOGENIC),
        "co2e_kg": gases.weighed(mixture, gwp),
    }


def _calculate(inputs: Mapping[str, Any]) -> Outputs:
    kind, level, gwp = inputs["kind"], inputs["settings"]["level"], inputs["settings"]["gwp_set"]
    grown = tree(kind)
    lines = [_line(one, inputs["coefficients"], gwp, grown) for one in inputs["lines"]]
    rows = _rows(lines, kind, level, grown)
    counted = [one for one in lines if one["counted"]]
    sums = _totals(counted, grown, level, kind)
    missing = [ref for ref, row in rows.items() if row["status"] == MISSING]
    form = inputs.get("format", FORMAT)
    assert form in FORMS, form
    made = {
        "format": form,
        "lines": lines,
        "rows": rows,
        "totals": sums,
        "missing": missing,
        "gas_table": _gas_table(counted),
        "uncertainty": _uncertainties(counted, grown, level),
        "quality": _quality(counted),
        "add_back": add_back(inputs["credits"], sums[level]),
    }
    if form == FORMS[0]:
        return made
    made["add_back"]["lots"] = reconciled(inputs["credits"], inputs.get("lots", []))
    if kind != CITY:
        made["market"] = market(inputs["lines"], lines, inputs.get("certificates", []))
        if made["market"]["from"] == _MARKET or inputs.get("certificates"):
            sums["scope_2_market"] = made["market"]["net_kg"]
    return made | _second(counted, grown, level, inputs)


def _second(counted: list[Outputs], grown: Tree, level: str, inputs: Mapping[str, Any]) -> Outputs:
    """What the second form adds: approach 1 by scope, and approach 2 of every total."""
    inside = _within(counted, level, grown)
    by_scope = {str(scope): [one for one in inside if one["scope"] == scope] for scope in (1, 2, 3)}
    by_sector = {
        sector: [one for one in inside if one["sector"] == sector] for sector in grown.sectors
    }
    groups = {"total": {"total": inside}, "sector": by_sector, "scope": by_scope}
    planned = inputs.get("simulation")
    return {
        "scope_uncertainty": {scope: _uncertainty(found) for scope, found in by_scope.items()},
        "simulation": simulating.simulate(inside, groups, planned) if planned else None,
    }


def _line(
    line: Mapping[str, Any], coefficients: Mapping[str, Any], gwp: str, grown: Tree
) -> Outputs:
    row = grown.rows[line["ref"]]
    made: Outputs = {
        "code": line["code"],
        "ref": line["ref"],
        "scope": row.scope,
        "sector": grown.sector_of(line["ref"]),
        "level": row.level,
        "notation": line["notation"],
        "counted": bool(line["activity"] or line["calculator"]),
    }
    if not made["counted"]:
        return {**made, "gases_kg": None, "co2b_kg": None, "co2e_kg": None, "uncertainty": None}
    found = emitted(line, coefficients, gwp)
    parts = [
        {"source": line[f"{what}_source"], "pct": line[f"{what}_pct"]}
        for what in ("activity", "factor")
    ]
    return {
        **made,
        **found,
        "coverage": activity.coverage(line["activity"]) if line["activity"] else None,
        "amount": activity.amount(line["activity"]) if line["activity"] else None,
        "unit": line["activity"]["unit"] if line["activity"] else "",
        "tier": line["tier"],
        "activity_quality": line["activity_quality"],
        "factor_quality": line["factor_quality"],
        "uncertainty": [part for part in parts if part["pct"] is not None],
        "stated": all(part["pct"] is not None for part in parts),
    }


def _rows(lines: list[Outputs], kind: str, level: str, grown: Tree) -> Outputs:
    """Each row asked for or filled in: a figure, notation keys, or missing."""
    wanted = {row.ref for row in required_rows(kind, level)} | {one["ref"] for one in lines}
    if kind != CITY:
        # one of the two ways of counting scope 2 may be left out, but never both
        wanted -= {_MARKET} - {one["ref"] for one in lines}
    made: Outputs = {}
    for ref in grown.rows:
        if ref not in wanted:
            continue
        here = [one for one in lines if one["ref"] == ref]
        figures = [one["co2e_kg"] for one in here if one["counted"]]
        keys = sorted({key for one in here for key in one["notation"]})
        status = QUANTIFIED if figures else NOTED if keys else MISSING
        made[ref] = {
            "status": status,
            "notation": keys,
            "co2e_kg": _sum(figures),
            "lines": len(here),
        }
    return made


def _sum(figures: Iterable[Decimal]) -> Decimal | None:
    """The exact sum; None of nothing, which is not zero."""
    found = list(figures)
    return sum(found, Decimal(0)) if found else None


def _within(counted: list[Outputs], level: str, grown: Tree) -> list[Outputs]:
    """The lines of a level's total; scope 2 by the market is told beside it, never added."""
    return [
        one for one in counted if grown.rows[one["ref"]].counts_in(level) and one["ref"] != _MARKET
    ]


def _totals(counted: list[Outputs], grown: Tree, level: str, kind: str) -> Outputs:
    def of(lines: Iterable[Outputs]) -> Decimal | None:
        return _sum(one["co2e_kg"] for one in lines)

    inside = _within(counted, level, grown)
    made: Outputs = {
        name: of(_within(counted, name, grown)) for name in ("BASIC", "BASIC+") if kind == CITY
    }
    made[level] = of(inside)
    made["scope"] = {
        str(scope): of(one for one in inside if one["scope"] == scope) for scope in (1, 2, 3)
    }
    made["sector"] = {
        sector: of(one for one in inside if one["sector"] == sector) for sector in grown.sectors
    }
    made["sector_scope"] = {
        sector: {
            str(scope): of(
                one for one in inside if (one["sector"], one["scope"]) == (sector, scope)
            )
            for scope in (1, 2, 3)
        }
        for sector in grown.sectors
    }
    if kind == CITY:
        made["territorial"] = of(one for one in counted if one["scope"] == 1)
    else:
        made["scope_2_market"] = of(one for one in counted if one["ref"] == _MARKET)
    return made


def _gas_table(counted: list[Outputs]) -> Outputs:
    """kg of each substance, CO2e by group, and CO2e known as totals alone."""
    known = [one for one in counted if one["gases_kg"] is not None]
    return {
        "kg": gases.added(one["gases_kg"] for one in known),
        _UNKNOWN: _sum(one["co2e_kg"] for one in counted if one["gases_kg"] is None),
        "co2b_kg": _sum(one["co2b_kg"] for one in known if one["co2b_kg"] is not None),
    }


def _uncertainties(counted: list[Outputs], grown: Tree, level: str) -> Outputs:
    inside = _within(counted, level, grown)
    made = {"total": _uncertainty(inside)}
    for sector in grown.sectors:
        made[sector] = _uncertainty([one for one in inside if one["sector"] == sector])
    return made


def _uncertainty(lines: list[Outputs]) -> Mapping[str, Any]:
    return summary(
        _sum(one["co2e_kg"] for one in lines),
        ((one["co2e_kg"], one["uncertainty"], one["stated"]) for one in lines),
    )


def _quality(counted: list[Outputs]) -> Outputs:
    """CO2e by tier and by the quality of activity data and factor, in absolute size."""
    made: Outputs = {}
    for what in ("tier", "activity_quality", "factor_quality"):
        sizes: dict[str, Decimal] = {}
        for one in counted:
            name = str(one[what] or "")
            sizes[name] = sizes.get(name, Decimal(0)) + abs(one["co2e_kg"])
        made[what] = sizes
    return made


def add_back(credits: list[Mapping[str, Any]], total_kg: Decimal | None) -> Outputs:
    """Units of this year's vintage that left the city's account, put back beside the total.

    A reduction that was sold lowers the inventory and is the buyer's; so the sold tonnes are added
    back as a line of their own, and the total without them stays as it is (knowledge of a double
    claim: Paris Agreement Art. 6.2 corresponding adjustment; GPC v1.1 section 4.2).
    """
    sold = sum(int(one["added_back_t"]) for one in credits)
    kept = sum(int(one["inside_t"]) for one in credits)
    with_it = None if total_kg is None else total_kg + sold * 1000
    return {"units": [dict(one) for one in credits], "added_back_t": sold, "inside_t": kept,
            "total_with_add_back_kg": with_it}  # fmt: skip
