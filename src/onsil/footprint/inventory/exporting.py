"""A version as offices and portals read it: rows by reference number, CSV, JSON and a workbook.

The workbook follows the order of the GCoM common reporting framework: general information, the
inventory by reference number with notation keys, activity data and factors, gases, units sold.
What is confidential shows its key in public and no figure of its own; totals include it.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import openpyxl
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from onsil.footprint.inventory.gases import BIOGENIC, GROUPS, group, weight
from onsil.footprint.inventory.tree import Tree, tree

Document = Mapping[str, Any]
HEADING = (
    "ref", "sector", "sub_sector", "scope", "row", "level", "status", "notation", "included_in",
    "co2_kg", "ch4_kg", "n2o_kg", "hfcs_kg_co2e", "pfcs_kg_co2e", "sf6_kg", "nf3_kg", "co2b_kg",
    "co2e_t", "tiers", "activity_quality", "factor_quality", "method", "ipcc", "crt",
)  # fmt: skip
_LINE_HEADING = (
    "code", "ref", "name", "notation", "amount", "unit", "source", "document", "meters",
    "missing_readings", "factor", "factor_document", "factor_maturity", "calculator", "tier",
    "activity_pct", "factor_pct", "co2e_t", "method", "sha256",
)  # fmt: skip
_GROUPED = ("hfcs", "pfcs")
UNITS_HEADING = (
    "row", "project", "vintage", "holder", "state", "serials", "adjustment_declaration",
    "adjustment_status", "adjustment_country", "issued_t", "kept_t", "inside_t", "added_back_t",
    "difference_t",
)  # fmt: skip
UNCERTAINTY_HEADING = (
    "of", "name", "co2e_t", "approach_1_pct", "approach_1_half_width_t", "approach_2_pct",
    "approach_2_minus_pct", "approach_2_plus_pct", "approach_2_low_t", "approach_2_high_t",
    "approach_2_mean_t", "unstated_t",
)  # fmt: skip


def report_rows(
    inputs: Document, outputs: Document, language: str = "ko", public: bool = False
) -> list[dict[str, Any]]:
    """One row a reference number that is asked for or filled in, in the standard's order.

    Figures are decimals or None; None is missing or told by its notation key, never zero.
    """
    grown = tree(inputs["kind"])
    gwp = inputs["settings"]["gwp_set"]
    specs = {one["code"]: one for one in inputs["lines"]}
    made = []
    for ref in grown.rows:
        if ref not in outputs["rows"]:
            continue
        here = [one for one in outputs["lines"] if one["ref"] == ref]
        made.append(_row(ref, grown, outputs["rows"][ref], here, specs, gwp, language, public))
    return made


def _row(
    ref: str, grown: Tree, row: Document, here: Sequence[Document], specs: Document, gwp: str,
    language: str, public: bool,
) -> dict[str, Any]:  # fmt: skip
    named = grown.rows[ref]
    sub = grown.subs[named.sub]
    hidden = public and "C" in row["notation"]
    counted = [one for one in here if one["counted"]]
    made: dict[str, Any] = {
        "ref": ref,
        "sector": grown.sectors[sub.sector].text(language),
        "sub_sector": sub.text(language),
        "scope": named.scope,
        "row": named.text(language),
        "level": named.level,
        "status": row["status"],
        "notation": "+".join(row["notation"]),
        "included_in": ", ".join(sorted({specs[one["code"]]["elsewhere"] for one in here} - {""})),
        "co2e_t": None if hidden else _tonnes(row["co2e_kg"]),
        "tiers": _joined(one["tier"] for one in counted),
        "activity_quality": _joined(one["activity_quality"] for one in counted),
        "factor_quality": _joined(one["factor_quality"] for one in counted),
        "method": "; ".join(sorted({specs[one["code"]]["method"] for one in counted} - {""})),
        "ipcc": sub.ipcc,
        "crt": sub.crt,
    }
    return made | _gases([] if hidden else counted, gwp)


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(sorted({str(one) for one in values if one}))


def _gases(counted: Sequence[Document], gwp: str) -> dict[str, Decimal | None]:
    sums: dict[str, Decimal] = {}
    for one in counted:
        for gas, kg in (one["gases_kg"] or {}).items():
            name = group(gas)
            amount = Decimal(kg) * (weight(gwp, gas) if name in _GROUPED else 1)
            sums[name] = sums.get(name, Decimal(0)) + amount
    return {
        f"{name}_kg{'_co2e' if name in _GROUPED else ''}": sums.get(name)
        for name in (*GROUPS, BIOGENIC)
    }


def _tonnes(kg: str | None) -> Decimal | None:
    return None if kg is None else Decimal(kg) / 1000


def as_csv(
    inputs: Document, outputs: Document, language: str = "ko", public: bool = False
) -> bytes:
    """The rows as CSV in UTF-8 with a byte-order mark; an empty cell is not zero."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\r\n")
    write.writerow(HEADING)
    for row in report_rows(inputs, outputs, language, public):
        write.writerow("" if row[k] is None else _cell(_plain(row[k])) for k in HEADING)
    return text.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def as_json(inputs: Document, outputs: Document, digests: Document, public: bool = False) -> bytes:
    """Rows, totals, gases, uncertainty and units sold, decimals as texts, with the digests."""
    rows = report_rows(inputs, outputs, "en", public)
    return json.dumps(
        {
            "format": "onsil-inventory-report-1",
            "subject": inputs["subject"],
            "year": inputs["year"],
            "settings": {k: v for k, v in inputs["settings"].items() if k not in _private(public)},
            "digests": dict(digests),
            "rows": [
                {k: _plain(v) if isinstance(v, Decimal) else v for k, v in row.items()}
                for row in rows
            ],
            "totals": outputs["totals"],
            "missing": outputs["missing"],
            "gas_table": outputs["gas_table"],
            "uncertainty": {
                name: {k: v for k, v in one.items() if k != "by_source"}
                for name, one in outputs["uncertainty"].items()
            },
            "scope_uncertainty": {
                name: {k: v for k, v in one.items() if k != "by_source"}
                for name, one in (outputs.get("scope_uncertainty") or {}).items()
            },
            "simulation": outputs.get("simulation"),
            "market": outputs.get("market"),
            "add_back": _add_back(outputs["add_back"], public),
        },
        ensure_ascii=False, indent=1,
    ).encode()  # fmt: skip


def _private(public: bool) -> tuple[str, ...]:
    return ("inside", "parts") if public else ()


def _add_back(found: Document, public: bool) -> dict[str, Any]:
    kept = dict(found)
    if public:
        kept["units"] = [{k: v for k, v in u.items() if k != "holder"} for u in found["units"]]
    return kept


def as_xlsx(inputs: Document, outputs: Document, digests: Document, made_at: datetime) -> bytes:
    """The workbook of the common reporting framework, headings in Korean and English."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = made_at.replace(tzinfo=None)
    first = book.active
    assert first is not None
    first.title = "1 일반 General"
    _write(first, ("항목 Item", "값 Value"), _general(inputs, outputs, digests))
    rows = [[row[name] for name in HEADING] for row in report_rows(inputs, outputs, "en")]
    _write(book.create_sheet("2 인벤토리 GHG inventory"), HEADING, rows)
    _write(book.create_sheet("3 활동자료 Activity data"), _LINE_HEADING, _lines(inputs, outputs))
    gases = [[gas, Decimal(kg)] for gas, kg in outputs["gas_table"]["kg"].items()]
    if outputs["gas_table"]["unspecified"] is not None:
        gases.append(["CO2e (unspecified)", Decimal(outputs["gas_table"]["unspecified"])])
    _write(book.create_sheet("4 가스 Gases"), ("gas", "kg"), gases)
    _write(book.create_sheet("5 판매분 Units sold"), UNITS_HEADING, unit_rows(outputs))
    sheet = book.create_sheet("6 불확도 Uncertainty")
    _write(sheet, UNCERTAINTY_HEADING, uncertainty_rows(inputs, outputs, "en"))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def unit_rows(outputs: Document) -> list[list[Any]]:
    """Units sold by lot, holder and state, then each lot taken apart and the sum of the rows."""
    found = outputs["add_back"]
    made = [
        [
            "sold", *(unit[name] for name in ("project", "vintage", "holder", "state")),
            "; ".join(f"{first}-{last}" for first, last in unit.get("serials", [])),
            unit.get("declaration"), unit.get("adjustment"), unit.get("country"), None, None,
            unit["inside_t"], unit["added_back_t"], None,
        ]
        for unit in found["units"]
    ]  # fmt: skip
    made += [
        [
            "lot", lot["project"], lot["vintage"], *[None] * 6,
            *(lot[name] for name in ("issued_t", "kept_t", "inside_t", "added_back_t",
                                     "difference_t")),
        ]
        for lot in found.get("lots", [])
    ]  # fmt: skip
    made.append(["sum", *[None] * 10, found["inside_t"], found["added_back_t"], None])
    return made


def uncertainty_rows(inputs: Document, outputs: Document, language: str) -> list[list[Any]]:
    """Total, sectors and scopes by approach 1 and 2: names, tonnes, percents, tonnes.

    Of a version from before the draws, what approach 2 would say is None, and so are its scopes.
    """
    totals, level = outputs["totals"], inputs["settings"]["level"]
    first, scopes = outputs["uncertainty"], outputs.get("scope_uncertainty") or {}
    drawn = outputs.get("simulation") or {"total": {}, "sector": {}, "scope": {}}
    rows = [("total", "", totals[level], first["total"], drawn["total"].get("total"))]
    rows += [
        ("sector", name.text(language), totals["sector"][key], first[key], drawn["sector"].get(key))
        for key, name in tree(inputs["kind"]).sectors.items()
    ]
    rows += [
        ("scope", scope, totals["scope"][scope], found, drawn["scope"].get(scope))
        for scope, found in scopes.items()
    ]
    made = []
    for kind, name, kg, one, two in rows:
        if kg is None:
            continue
        two = two or {}
        made.append([
            kind, name, _tonnes(kg), _decimal(one["pct"]), _tonnes(one["half_width_kg"]),
            *(_decimal(two.get(key)) for key in ("pct", "minus_pct", "plus_pct")),
            *(_tonnes(two.get(key)) for key in ("low_kg", "high_kg", "mean_kg")),
            _tonnes(one["unstated_kg"]),
        ])  # fmt: skip
    return made


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _general(inputs: Document, outputs: Document, digests: Document) -> list[list[Any]]:
    settings = inputs["settings"]
    total = outputs["totals"][settings["level"]]
    added = outputs["add_back"]
    return [
        ["이름 Subject", inputs["subject"]],
        ["연도 Inventory year", inputs["year"]],
        ["경계 Boundary", settings["boundary"]],
        ["인구 Population", settings["population"]],
        ["수준 Level", settings["level"]],
        ["GWP", settings["gwp_set"]],
        ["합계 Total, tCO2e", _tonnes(total)],
        ["판매분 Units sold and added back, t", added["added_back_t"]],
        ["판매분을 더한 합계 Total with add-back, tCO2e", _tonnes(added["total_with_add_back_kg"])],
        ["불확도 Uncertainty, approach 1, ±% (95 %)", outputs["uncertainty"]["total"]["pct"]],
        *_drawn(outputs),
        *_market(outputs),
        ["빠진 항목 Missing rows", ", ".join(outputs["missing"])],
        *[[f"SHA-256 {name}", digest] for name, digest in digests.items()],
    ]


def _drawn(outputs: Document) -> list[list[Any]]:
    made = outputs.get("simulation") or {}
    total = made.get("total", {}).get("total")
    if not total:
        return []
    return [
        ["불확도 Uncertainty, approach 2, ±% (95 %)", total["pct"]],
        ["approach 2", f"{made['algorithm']}, seed {made['seed']}, {made['draws']} draws"],
    ]


def _market(outputs: Document) -> list[list[Any]]:
    made = outputs.get("market")
    if not made:
        return []
    return [
        ["스코프 2 시장 기준, 인증서 전 Scope 2 market-based, before certificates, tCO2e",
         _tonnes(made["gross_kg"])],
        ["인증서로 낮춘 양 Lowered by certificates, tCO2e", _tonnes(made["less_kg"])],
        ["스코프 2 시장 기준 Scope 2 market-based, tCO2e", _tonnes(made["net_kg"])],
        ["사용한 인증서 Certificates retired, kWh", Decimal(made["certificates_kwh"])],
    ]  # fmt: skip


def _lines(inputs: Document, outputs: Document) -> list[list[Any]]:
    figures = {one["code"]: one for one in outputs["lines"]}
    made = []
    for line in inputs["lines"]:
        found, stated = figures[line["code"]], line["activity"] or {}
        cover = found.get("coverage") or {}
        source = line["provenance"] or {}
        made.append([
            line["code"], line["ref"], line["name"], "+".join(line["notation"]),
            None if found.get("amount") is None else Decimal(found["amount"]),
            stated.get("unit"), stated.get("source"), stated.get("document"),
            cover.get("meters"), cover.get("missing"),
            (line["factor"] or {}).get("id"), source.get("document"), source.get("maturity"),
            line["calculator"], line["tier"], line["activity_pct"], line["factor_pct"],
            _tonnes(found["co2e_kg"]), line["method"],
            _joined(meter["sha256"] for meter in stated.get("meters", [])),
        ])  # fmt: skip
    return made


def _write(sheet: Any, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet.append(list(heading))
    for row in rows:
        sheet.append([_cell(value) for value in row])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E6EEF5")
    sheet.freeze_panes = "A2"
    for index, name in enumerate(heading, 1):
        sheet.column_dimensions[get_column_letter(index)].width = max(12, min(40, len(name) + 4))


def _cell(value: Any) -> Any:
    """A cell; text that a spreadsheet would take for a formula is kept as text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and not _number(value):
        return f"'{value}"
    return value


def _number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
