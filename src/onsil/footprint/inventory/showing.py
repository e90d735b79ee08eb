"""A version laid out for people: the matrix of sectors and scopes, flows, uncertainty, gases."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onsil.footprint.inventory import exporting
from onsil.footprint.inventory.exporting import report_rows
from onsil.footprint.inventory.gases import BIOGENIC, GROUPS, group, weight
from onsil.footprint.inventory.sectors import calculators
from onsil.footprint.inventory.tree import Tree, tree

Document = Mapping[str, Any]
SCOPES = ("1", "2", "3")
_MARKET = "2.M"
_GASES = {"co2": "CO2", "ch4": "CH4", "n2o": "N2O", "sf6": "SF6", "nf3": "NF3"}
_COMMODITIES = {
    "electricity": ("전력", "Electricity"), "city-gas": ("도시가스", "City gas"),
    "heat": ("열", "Heat"), "diesel": ("경유", "Diesel"), "gasoline": ("휘발유", "Gasoline"),
    "water": ("물", "Water"),
}  # fmt: skip


def _said(language: str, ko: str, en: str) -> str:
    return en if language.startswith("en") else ko


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def tonnes(kg: str | Decimal | None) -> Decimal | None:
    """kg as tonnes; None stays None."""
    return None if kg is None else Decimal(kg) / 1000


def scope_word(scope: str, language: str) -> str:
    return _said(language, f"스코프 {scope}", f"Scope {scope}")


def matrix(inputs: Document, outputs: Document, language: str, public: bool = False) -> list[Any]:
    """Sectors with their sub-sectors; each cell holds the rows of a scope, figure or key."""
    grown = tree(inputs["kind"])
    cells: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in report_rows(inputs, outputs, language, public):
        sub = grown.rows[row["ref"]].sub
        cells.setdefault((sub, row["scope"]), []).append(row)
    made = []
    for sector in grown.sectors.values():
        subs = [
            {"name": sub, "cells": [cells.get((sub.id, scope), []) for scope in (1, 2, 3)]}
            for sub in grown.subs.values()
            if sub.sector == sector.id
        ]
        shown = [one for one in subs if any(one["cells"])]
        if not shown:
            continue
        sums = outputs["totals"]["sector_scope"][sector.id]
        made.append({"name": sector, "subs": shown, "sums": [tonnes(sums[s]) for s in SCOPES]})
    return made


def flow_chart(inputs: Document, outputs: Document, language: str, public: bool = False) -> Any:
    """From what was used, through the sector, to the scope: the positive parts in tonnes."""
    grown = tree(inputs["kind"])
    level = inputs["settings"]["level"]
    specs = {one["code"]: one for one in inputs["lines"]}
    links: dict[tuple[str, str], Decimal] = {}
    for one in outputs["lines"]:
        amount = tonnes(one["co2e_kg"])
        counted = grown.rows[one["ref"]].counts_in(level) and one["ref"] != _MARKET
        hidden = public and "C" in one["notation"]
        if not counted or hidden or amount is None or amount <= 0:
            continue
        sector = grown.sectors[one["sector"]].text(language)
        used = _used(specs[one["code"]], language, grown)
        for link in ((used, sector), (sector, scope_word(str(one["scope"]), language))):
            links[link] = links.get(link, Decimal(0)) + amount
    return {
        "title": _said(language, "무엇이 어디로", "What goes where"),
        "kind": "sankey",
        "unit": "tCO₂e",
        "description": _said(
            language,
            "활동에서 부문을 거쳐 스코프로 흐르는 배출량. 흡수량은 그리지 않습니다.",
            "Emissions from activities through sectors to scopes. Removals are not drawn.",
        ),
        "links": [
            {"source": source, "target": target, "value": value.quantize(Decimal("0.001"))}
            for (source, target), value in links.items()
        ],
    }


def _used(line: Document, language: str, grown: Tree) -> str:
    """What a line is about; a name that no sector has, for a flow cannot return to itself."""
    authority = (line["provenance"] or {}).get("authority") or {}
    commodity = authority.get("commodity", "")
    if commodity:
        return _said(language, *_COMMODITIES.get(commodity, (commodity, commodity)))
    if line["calculator"]:
        made = calculators()[line["calculator"]]
        return _said(language, made.ko, made.en)
    row = grown.rows[line["ref"]]
    return f"{row.sub} {grown.subs[row.sub].text(language)}"


def uncertainty_rows(inputs: Document, outputs: Document, language: str) -> list[dict[str, Any]]:
    """Total, sectors and scopes with both approaches' figures; what has no figure is left out."""
    made = []
    for row in exporting.uncertainty_rows(inputs, outputs, language):
        one = dict(zip(exporting.UNCERTAINTY_HEADING, row, strict=True))
        if one["of"] == "total":
            one["name"] = _said(language, "합계", "Total")
        elif one["of"] == "scope":
            one["name"] = scope_word(one["name"], language)
        made.append(one)
    return made


def both_ways(outputs: Document) -> str:
    """The total's half-width in % at 95 % by approach 1 and, where drawn, 2; empty if unstated."""
    first = outputs["uncertainty"]["total"]["pct"]
    drawn = ((outputs.get("simulation") or {}).get("total") or {}).get("total") or {}
    if first is None:
        return ""
    second = "" if drawn.get("pct") is None else f" · MC ±{drawn['pct']} %"
    return f"±{first} % (95 %){second}"


def simulated_bars(
    inputs: Document, outputs: Document, language: str
) -> list[tuple[str, Decimal, Decimal | None, Decimal | None]]:
    """Sectors and scopes in tonnes with approach 2's half-width and percent; empty without."""
    if not outputs.get("simulation"):
        return []
    made = []
    for one in uncertainty_rows(inputs, outputs, language)[1:]:
        low, high = one["approach_2_low_t"], one["approach_2_high_t"]
        half = None if low is None else (high - low) / 2
        made.append((one["name"], one["co2e_t"], half, one["approach_2_pct"]))
    return made


def sector_bars(
    inputs: Document, outputs: Document, language: str
) -> list[tuple[str, Decimal, Decimal | None, Decimal | None]]:
    """Each sector's tonnes, half-width and percent; sectors without figures are left out."""
    rows = []
    for key, name in tree(inputs["kind"]).sectors.items():
        amount = tonnes(outputs["totals"]["sector"][key])
        if amount is None:
            continue
        found = outputs["uncertainty"][key]
        half, pct = tonnes(found["half_width_kg"]), decimal(found["pct"])
        rows.append((name.text(language), amount, half, pct))
    return rows


def scope_chart(inputs: Document, outputs: Document, language: str) -> Any:
    """Bars by sector, stacked by scope; a sector without any figure is a gap."""
    grown = tree(inputs["kind"])
    sums = outputs["totals"]["sector_scope"]
    return {
        "title": _said(language, "부문과 스코프", "Sectors and scopes"),
        "kind": "stacked",
        "unit": "tCO₂e",
        "description": _said(
            language, "값이 없는 부문은 비워 둡니다.", "A sector without figures is left empty."
        ),
        "label_name": _said(language, "부문", "Sector"),
        "labels": [_short(name.text(language)) for name in grown.sectors.values()],
        "series": [
            {
                "name": scope_word(scope, language),
                "values": [tonnes(sums[key][scope]) for key in sums],
            }
            for scope in SCOPES
        ],
    }


def _short(name: str) -> str:
    """A sector's short name where it brings one, as (IPPU)."""
    return name.rpartition("(")[2].rstrip(")") if "(" in name else name


def _gas_order(item: tuple[str, str]) -> tuple[int, str]:
    """The columns' order of a gas table; biogenic carbon last."""
    columns = (*GROUPS, BIOGENIC)
    return columns.index(group(item[0])), item[0]


def gas_rows(inputs: Document, outputs: Document, language: str) -> list[dict[str, Any]]:
    """Each substance in kg and in tonnes CO2e, then what is known as a total alone."""
    gwp = inputs["settings"]["gwp_set"]
    made = []
    for gas, kg in sorted(outputs["gas_table"]["kg"].items(), key=_gas_order):
        biogenic = gas == "co2b"
        factor = weight(gwp, gas)
        name = _said(language, "생물기원 CO2", "Biogenic CO2") if biogenic else ""
        made.append(
            {
                "gas": name or _GASES.get(gas, gas.upper()), "kg": Decimal(kg), "gwp": factor,
                "tonnes": Decimal(kg) * factor / 1000, "biogenic": biogenic,
            }
        )  # fmt: skip
    rest = outputs["gas_table"]["unspecified"]
    if rest is not None:
        name = _said(language, "가스별로 알려지지 않음", "Not known by gas")
        made.append(
            {"gas": name, "kg": None, "gwp": None, "tonnes": tonnes(rest), "biogenic": False}
        )
    return made
