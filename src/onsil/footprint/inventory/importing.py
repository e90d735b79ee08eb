"""Lines out of a spreadsheet: every wrong row is named, and nothing is stored if one is wrong."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.factors import library_of
from onsil.footprint.inventory.books import inventory, put_lines, settings, unknown_inventory
from onsil.footprint.inventory.checking import check_line
from onsil.footprint.inventory.terms import Activity, FactorUse, Line, LineSpec

COLUMNS = (
    "code", "ref", "name", "notation", "elsewhere", "amount", "unit", "basis", "document",
    "series", "attribute", "entity_type", "gap_rule", "programme", "factor_set", "commodity",
    "boundary", "co2_kg", "ch4_kg", "n2o_kg", "per", "factor_document", "maturity", "tier",
    "activity_quality", "factor_quality", "activity_pct", "factor_pct", "activity_source",
    "factor_source", "method", "entity", "calculator", "parameters",
)  # fmt: skip
_NEEDED = ("code", "ref", "name")
_ROWS_MOST = 5000
_GASES = (("co2", "co2_kg"), ("ch4", "ch4_kg"), ("n2o", "n2o_kg"))


@dataclass(frozen=True)
class RowError:
    """What is wrong in a row (2 is the first below the heading), in both languages."""

    row: int
    column: str
    ko: str
    en: str

    def text(self, language: str = "ko") -> str:
        return self.en if language.startswith("en") else self.ko


class _Wrong(ValueError):
    def __init__(self, column: str, ko: str, en: str) -> None:
        super().__init__(en)
        self.column, self.ko, self.en = column, ko, en


def read_table(data: bytes, name: str) -> list[dict[str, str]] | Refusal:
    """The rows of a CSV (UTF-8 or CP949) or XLSX file as texts by column.

    Refused: `file-unreadable`, `columns-missing`, `file-too-long`.
    """
    try:
        table = _xlsx(data) if name.lower().endswith(".xlsx") else _csv(data)
    except (UnicodeDecodeError, csv.Error, BadZipFile, InvalidFileException, KeyError, OSError):
        return Refusal("file-unreadable", "CSV(UTF-8)나 XLSX 파일이 아닙니다.",
                       "This is no CSV (UTF-8) or XLSX file.", {"file": name})  # fmt: skip
    heading = [cell.strip() for cell in table[0]] if table else []
    missing = [column for column in _NEEDED if column not in heading]
    unknown = [column for column in heading if column and column not in COLUMNS]
    if missing or unknown:
        return Refusal(
            "columns-missing",
            f"첫 줄에 열 이름이 있어야 합니다. 없는 열: {', '.join(missing) or '–'}, "
            f"모르는 열: {', '.join(unknown) or '–'}.",
            f"The first row names the columns. Missing: {', '.join(missing) or '–'}; "
            f"unknown: {', '.join(unknown) or '–'}.",
            {"missing": missing, "unknown": unknown},
        )
    if len(table) > _ROWS_MOST:
        return Refusal("file-too-long", f"한 번에 {_ROWS_MOST}행까지 올릴 수 있습니다.",
                       f"{_ROWS_MOST} rows at most.", {"rows": len(table)})  # fmt: skip
    return [
        dict(zip(heading, (cell.strip() for cell in cells), strict=False)) for cells in table[1:]
    ]


def _csv(data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp949")
    return list(csv.reader(io.StringIO(text)))


def _xlsx(data: bytes) -> list[list[str]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheet = book.worksheets[0]
    return [
        ["" if cell is None else str(cell) for cell in row]
        for row in sheet.iter_rows(values_only=True)
    ]


def specs_of(
    table: Iterable[Mapping[str, str]],
) -> tuple[list[tuple[int, LineSpec]], list[RowError]]:
    """The lines that the rows describe, with their row numbers, and what cannot be read."""
    made: list[tuple[int, LineSpec]] = []
    errors: list[RowError] = []
    for number, row in enumerate(table, 2):
        if not any(row.values()):
            continue
        try:
            made.append((number, _spec(row)))
        except _Wrong as wrong:
            errors.append(RowError(number, wrong.column, wrong.ko, wrong.en))
    return made, errors


def _spec(row: Mapping[str, str]) -> LineSpec:
    tier = row.get("tier", "")
    if tier and tier not in ("1", "2", "3"):
        raise _Wrong("tier", f"Tier는 1, 2, 3입니다: {tier}", f"tier is 1, 2 or 3, not {tier}")
    keys = row.get("notation", "").replace(";", ",").split(",")
    return LineSpec(
        row.get("code", ""),
        row.get("ref", ""),
        row.get("name", ""),
        notation=tuple(key.strip() for key in keys if key.strip()),
        elsewhere=row.get("elsewhere", ""),
        activity=_activity(row),
        factor=_factor(row),
        calculator=row.get("calculator", ""),
        parameters=_parameters(row.get("parameters", "")) if row.get("calculator") else None,
        tier=int(tier) if tier else None,
        activity_pct=_number(row, "activity_pct"),
        factor_pct=_number(row, "factor_pct"),
        **{
            name: row.get(name, "")
            for name in (
                "activity_quality", "factor_quality", "activity_source", "factor_source",
                "method", "entity",
            )
        },
    )  # fmt: skip


def _parameters(text: str) -> dict[str, Any]:
    """`name=value; name=value`; a series by year is `2020:100|2021:90`."""
    made: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in text.replace("\n", ";").split(";"))):
        name, sign, value = part.partition("=")
        if not sign:
            raise _Wrong(
                "parameters", f"이름=값으로 적어 주세요: {part}", f"not name=value: {part}"
            )
        if ":" in value:
            pairs = (year.partition(":")[::2] for year in value.split("|"))
            made[name.strip()] = {year.strip(): amount.strip() for year, amount in pairs}
        else:
            made[name.strip()] = value.strip()
    return made


def _activity(row: Mapping[str, str]) -> Activity | None:
    series = tuple(one.strip() for one in row.get("series", "").split(";") if one.strip())
    if series or row.get("attribute"):
        return Activity(
            "hub", row.get("unit", ""), series=series, attribute=row.get("attribute", ""),
            entity_type=row.get("entity_type", ""), basis=row.get("basis", ""),
            gap_rule=row.get("gap_rule") or "as-measured",
        )  # fmt: skip
    if not row.get("amount") and not row.get("unit"):
        return None
    return Activity(
        "table", row.get("unit", ""), _number(row, "amount"), row.get("document", ""),
        basis=row.get("basis", ""),
    )  # fmt: skip


def _factor(row: Mapping[str, str]) -> FactorUse | None:
    if row.get("factor_set"):
        return FactorUse(
            "authority", row.get("programme", ""), row["factor_set"], row.get("commodity", ""),
            row.get("boundary", ""),
        )  # fmt: skip
    gases = {gas: _number(row, column) for gas, column in _GASES}
    stated = {gas: kg for gas, kg in gases.items() if kg is not None}
    if not stated:
        return None
    return FactorUse(
        "stated", gases_kg=stated, per=row.get("per", ""),
        document=row.get("factor_document", ""), maturity=row.get("maturity", ""),
    )  # fmt: skip


def _number(row: Mapping[str, str], column: str) -> Decimal | None:
    text = row.get(column, "").replace(",", "")
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite():
        raise _Wrong(column, f"숫자가 아닙니다: {text}", f"{text} is not a number")
    return found


def import_lines(
    conn: Connection,
    city: str,
    inventory_id: UUID,
    data: bytes,
    name: str,
    cause: str,
    reason: str,
    actor: str,
    clock: Clock,
) -> list[Line] | list[RowError] | Refusal:
    """Write a file's lines, all or none; the errors of its rows when there are any.

    Refused: the codes of `read_table` and of `put_lines`.
    """
    found = inventory(conn, city, inventory_id)
    if found is None:
        return unknown_inventory(inventory_id)
    table = read_table(data, name)
    if isinstance(table, Refusal):
        return table
    specs, errors = specs_of(table)
    holds, library = settings(conn, city, inventory_id), library_of(conn, city)
    for number, spec in specs:
        checked = check_line(spec, found.kind, holds, clock.now().date(), library)
        if isinstance(checked, Refusal):
            errors.append(RowError(number, checked.code, checked.ko, checked.en))
    if not specs and not errors:
        return Refusal("file-empty", "줄이 하나도 없습니다.", "There are no rows.", {"file": name})
    if errors:
        return sorted(errors, key=lambda one: one.row)
    made: Any = put_lines(
        conn, city, inventory_id, [spec for _, spec in specs], cause, reason, actor, clock
    )
    return made
