"""A version laid out for people: the matrix of sectors and scopes, flows, whiskers, gases."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from onsil.console.inventory.drawing import Whiskers, whiskers
from onsil.console.inventory.words import GASES
from onsil.footprint import inventory
from onsil.footprint.inventory import gas_group, gas_weight

Document = Mapping[str, Any]
_SCOPES = ("1", "2", "3")


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def tonnes(kg: str | Decimal | None) -> Decimal | None:
    return None if kg is None else Decimal(kg) / 1000


def scope_word(scope: str) -> str:
    return _("스코프 %(scope)s") % {"scope": scope}


def matrix(inputs: Document, outputs: Document, language: str, public: bool = False) -> list[Any]:
    """Sectors with their sub-sectors; each cell holds the rows of a scope, figure or key."""
    grown = inventory.tree(inputs["kind"])
    cells: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in inventory.report_rows(inputs, outputs, language, public):
        sub = grown.rows[row["ref"]].sub
        cells.setdefault((sub, row["scope"]), []).append(row)
    made = []
    for sector in grown.sectors.values():
        subs = [
            {
                "name": sub,
                "cells": [cells.get((sub.id, scope), []) for scope in (1, 2, 3)],
            }
            for sub in grown.subs.values()
            if sub.sector == sector.id
        ]
        shown = [one for one in subs if any(one["cells"])]
        if not shown:
            continue
        sums = outputs["totals"]["sector_scope"][sector.id]
        made.append(
            {
                "name": sector,
                "subs": shown,
                "sums": [tonnes(sums[scope]) for scope in _SCOPES],
                "total": tonnes(outputs["totals"]["sector"][sector.id]),
            }
        )
    return made


def flow_chart(inputs: Document, outputs: Document, language: str, public: bool = False) -> Any:
    """From what was used, through the sector, to the scope: the positive parts in tonnes."""
    grown = inventory.tree(inputs["kind"])
    level = inputs["settings"]["level"]
    specs = {one["code"]: one for one in inputs["lines"]}
    first: dict[tuple[str, str], Decimal] = {}
    second: dict[tuple[str, str], Decimal] = {}
    for one in outputs["lines"]:
        counted = one["counted"] and grown.rows[one["ref"]].counts_in(level)
        amount = tonnes(one["co2e_kg"])
        if not counted or amount is None or amount <= 0 or one["ref"] == "2.M":
            continue
        if public and "C" in one["notation"]:
            continue
        sector = grown.sectors[one["sector"]].text(language)
        used = _used(specs[one["code"]], language, grown, one["ref"])
        key, after = (used, sector), (sector, scope_word(str(one["scope"])))
        first[key] = first.get(key, Decimal(0)) + amount
        second[after] = second.get(after, Decimal(0)) + amount
    links = [
        {"source": source, "target": target, "value": value.quantize(Decimal("0.001"))}
        for (source, target), value in [*first.items(), *second.items()]
    ]
    return {
        "title": _("무엇이 어디로"), "kind": "sankey", "unit": "tCO₂e", "links": links,
        "description": _("활동에서 부문을 거쳐 스코프로 흐르는 배출량. 흡수량은 그리지 않습니다."),
    }  # fmt: skip


def _used(line: Document, language: str, grown: inventory.Tree, ref: str) -> str:
    commodity = ((line["provenance"] or {}).get("authority") or {}).get("commodity", "")
    known = {
        "electricity": _("전력"), "city-gas": _("도시가스"), "heat": _("열"),
        "diesel": _("경유"), "gasoline": _("휘발유"), "water": _("물"),
    }  # fmt: skip
    if commodity:
        return str(known.get(commodity, commodity))
    if line["calculator"]:
        made = inventory.calculators()[line["calculator"]]
        return made.en if language.startswith("en") else made.ko
    return grown.subs[grown.rows[ref].sub].text(language)


def sector_bars(inputs: Document, outputs: Document, language: str) -> Whiskers | None:
    """Each sector's total with its half-width; sectors without figures are left out."""
    grown = inventory.tree(inputs["kind"])
    rows = []
    for key, name in grown.sectors.items():
        amount = tonnes(outputs["totals"]["sector"][key])
        if amount is None:
            continue
        found = outputs["uncertainty"][key]
        rows.append(
            (name.text(language), amount, tonnes(found["half_width_kg"]), decimal(found["pct"]))
        )
    return whiskers(rows) if rows else None


def scope_chart(inputs: Document, outputs: Document, language: str) -> Any:
    """Bars by sector, stacked by scope; a sector without any figure is a gap."""
    grown = inventory.tree(inputs["kind"])
    sums = outputs["totals"]["sector_scope"]
    return {
        "title": _("부문과 스코프"), "kind": "stacked", "unit": "tCO₂e",
        "description": _("값이 없는 부문은 비워 둡니다."),
        "label_name": _("부문"),
        "labels": [name.text(language) for name in grown.sectors.values()],
        "series": [
            {"name": scope_word(scope), "values": [tonnes(sums[key][scope]) for key in sums]}
            for scope in _SCOPES
        ],
    }  # fmt: skip


def gas_rows(inputs: Document, outputs: Document) -> list[dict[str, Any]]:
    """Each substance in kg and in tonnes CO2e, then what is known as a total alone."""
    gwp = inputs["settings"]["gwp_set"]
    made = []
    for gas, kg in outputs["gas_table"]["kg"].items():
        name = GASES.get(gas, gas.upper())
        factor = gas_weight(gwp, gas)
        made.append(
            {
                "gas": name, "group": GASES[gas_group(gas)], "kg": Decimal(kg), "gwp": factor,
                "tonnes": Decimal(kg) * factor / 1000, "biogenic": gas == "co2b",
            }
        )  # fmt: skip
    rest = outputs["gas_table"]["unspecified"]
    if rest is not None:
        made.append({"gas": _("가스별로 알려지지 않음"), "group": "", "kg": None, "gwp": None,
                     "tonnes": tonnes(rest), "biogenic": False})  # fmt: skip
    return made
