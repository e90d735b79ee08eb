"""Uploaded files as stated tables: TOML like the shipped ones, or CSV and XLSX with the same names.

A table file says of itself first: rows `@name, value` (`@id`, `@publisher`, `@document` …). Then
comes a row of column names, for coefficients a row `@unit` with each column's unit, then the lines.
"""

import csv
import io
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from onsil.core.refusal import Refusal

BYTES_MAX = 1 << 20
_UNPACKED_MAX = 20 << 20
_ROWS_MAX = 2_000
_YEARS = "statistic_years"
_LISTS = (_YEARS, "programmes")
_CHECKS = {
    "printed_t_per_mwh": "printed_t_per_mwh",
    "printed_kg": "printed_kg",
    "printed_gwp_set": "gwp_set",
}


def read_upload(name: str, content: bytes) -> list[dict[str, Any]] | Refusal:
    """Each factor set or coefficient table that a file states, as the TOML form has it.

    Refused: `file-too-large`, `file-unreadable` (with what is wrong).
    """
    if len(content) > BYTES_MAX:
        return Refusal(
            "file-too-large",
            f"파일이 {BYTES_MAX // 1024:,} KiB보다 큽니다. 나누어 올리세요.",
            f"The file is larger than {BYTES_MAX // 1024:,} KiB. Upload it in parts.",
            {"bytes": len(content)},
        )
    ending = name.rpartition(".")[2].lower()
    try:
        match ending:
            case "toml":
                return _from_toml(content.decode("utf-8-sig"))
            case "csv":
                text = content.decode("utf-8-sig")
                return [_from_rows(list(csv.reader(io.StringIO(text, newline=""))))]
            case "xlsx":
                return [_from_rows(_sheet(content))]
            case _:
                return _unreadable("TOML, CSV, XLSX 파일만 읽습니다", "only TOML, CSV and XLSX")
    except RecursionError:
        return _unreadable("너무 깊이 겹쳐 있습니다", "it is nested too deeply")
    except (ValueError, KeyError, csv.Error, zipfile.BadZipFile, InvalidFileException) as error:
        return _unreadable(f"{error}", f"{error}")


def _unreadable(ko: str, en: str) -> Refusal:
    return Refusal(
        "file-unreadable",
        f"파일을 읽을 수 없습니다: {ko}.",
        f"The file cannot be read: {en}.",
    )


def _from_toml(text: str) -> list[dict[str, Any]]:
    made = tomllib.loads(text)
    if made.get("kind") == "coefficients":
        return [made]
    sets = made.get("set")
    if not isinstance(sets, list) or not sets:
        raise ValueError('no [[set]] and no kind = "coefficients"')
    return [*sets]


def _sheet(content: bytes) -> list[list[str]]:
    """The first sheet as texts; numbers as they are shown when written out in full."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(part.file_size for part in packed.infolist()) > _UNPACKED_MAX:
            raise ValueError("the workbook is too large")
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    return [
        [_cell(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # A sheet's doubles: their shortest spelling is what the person typed.
        return format(Decimal(repr(value)).normalize(), "f")
    return str(value).strip()


def _from_rows(rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    if len(rows) > _ROWS_MAX:
        raise ValueError(f"more than {_ROWS_MAX} rows")
    lines = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    said: dict[str, Any] = {}
    while lines and lines[0][0].startswith("@"):
        first = lines.pop(0)
        said[first[0][1:].strip()] = first[1] if len(first) > 1 else ""
    for name in _LISTS:
        if name in said:
            said[name] = [part.strip() for part in said[name].split(",") if part.strip()]
    said = {name: value for name, value in said.items() if value not in ("", [])}
    for name in ("edition", "article", "page", "note"):
        said.setdefault(name, "")
    if not lines:
        raise ValueError("no row of column names")
    header, body = lines[0], lines[1:]
    if len(set(header)) < len([h for h in header if h]) or "" in header[:1]:
        raise ValueError("a column name is missing or there twice")
    if said.get("kind") == "coefficients":
        return _coefficients(said, header, body)
    return {**said, "factor": [_factor(_named(header, row)) for row in body]}


def _named(header: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    return {name: cell for name, cell in zip(header, row, strict=False) if name and cell}


def _factor(cells: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {name: cell for name, cell in cells.items() if name not in _CHECKS}
    if "co2_only" in made:
        made["co2_only"] = made["co2_only"].lower() in ("true", "yes", "1", "예")
    check = {inside: cells[name] for name, inside in _CHECKS.items() if name in cells}
    if check:
        made["check"] = [check]
    return made


def _coefficients(
    said: dict[str, Any], header: Sequence[str], body: Sequence[Sequence[str]]
) -> dict[str, Any]:
    if header[0] != "key" or not body or body[0][0] != "@unit":
        raise ValueError("coefficients begin with a column `key` and a row `@unit`")
    units = _named(header, body[0])
    columns = {name: units.get(name, "1") for name in header[1:] if name}
    return {**said, "columns": columns, "row": [_named(header, row) for row in body[1:]]}
