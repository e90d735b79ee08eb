"""Uploaded files as stated tables: TOML like the shipped ones, or CSV and XLSX with the same names.

A table file says of itself first: rows `@name, value` (`@id`, `@publisher`, `@document` …). Then
comes a row of column names, for coefficients a row `@unit` with each column's unit, then the lines.
"""

import csv
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl.utils.exceptions import InvalidFileException

from onsil.core.refusal import Refusal
from onsil.footprint.factors.coefficients import TEXT
from onsil.footprint.factors.gwp import known_gas
from onsil.footprint.factors.imports.sheets import (
    Doubt,
    Doubtful,
    Line,
    csv_lines,
    numbers,
    sheet_lines,
    unit_text,
)

BYTES_MAX = 1 << 20
_YEARS = "statistic_years"
_LISTS = (_YEARS, "programmes")
_CHECKS = {
    "printed_t_per_mwh": "printed_t_per_mwh",
    "printed_kg": "printed_kg",
    "printed_gwp_set": "gwp_set",
}
_TEXTS = {
    "commodity", "boundary", "unit", "co2e_gwp_set", "co2_only", "energy_basis", "printed_gwp_set",
    "note",
}  # fmt: skip
_NUMBERS = {
    "co2e", "carbon_t_per_tj", "printed_t_per_mwh", "printed_kg",
    *(f"{cv}_mj_per_{per}" for cv in ("ncv", "gcv") for per in ("nm3", "l", "kg")),
}  # fmt: skip
_OF_ROWS = ("row_maturity", "row_note")


def read_upload(name: str, content: bytes) -> list[dict[str, Any]] | Refusal:
    """Each factor set or coefficient table that a file states, as the TOML form has it.

    Refused: `file-too-large`, `file-unreadable` (with what is wrong), `sheet-doubtful` with every
    place of a table file that could be read in two ways.
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
                return [_from_lines(csv_lines(content))]
            case "xlsx":
                return [_from_lines(sheet_lines(content))]
            case "xls":
                return _unreadable(
                    "옛 XLS 형식입니다. 엑셀에서 XLSX로 저장해 올리세요",
                    "an old XLS file: save it as XLSX",
                )
            case _:
                return _unreadable("TOML, CSV, XLSX 파일만 읽습니다", "only TOML, CSV and XLSX")
    except Doubtful as error:
        ko, en = error.said()
        return Refusal(
            "sheet-doubtful",
            f"두 가지로 읽힐 수 있는 곳이 있습니다. 고쳐서 다시 올리세요. {ko}.",
            f"Some places could be read in two ways. Mend them and upload again. {en}.",
            {"places": [one.place for one in error.doubts]},
        )
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


def _from_lines(lines: Sequence[Line]) -> dict[str, Any]:
    rest = [*lines]
    said: dict[str, Any] = {}
    doubts: list[Doubt] = []
    while rest and rest[0].cells[0].startswith("@"):
        first = rest.pop(0)
        name, values = first.cells[0][1:].strip(), [cell for cell in first.cells[1:] if cell]
        if name in said:
            doubts.append(Doubt(first.place(0), f"@{name}이(가) 두 번 있습니다", f"@{name} twice"))
        if len(values) > 1 and name not in _LISTS:
            doubts.append(Doubt(first.place(2), f"@{name}의 값이 둘 이상입니다",
                                f"@{name} has more than one value"))  # fmt: skip
        said[name] = ",".join(values)
    for name in _LISTS:
        if name in said:
            said[name] = [part.strip() for part in said[name].split(",") if part.strip()]
    said = {name: value for name, value in said.items() if value not in ("", [])}
    for name in ("edition", "article", "page", "note"):
        said.setdefault(name, "")
    if not rest:
        raise ValueError("no row of column names")
    header, body = rest[0], rest[1:]
    names = header.cells
    if len({n for n in names if n}) < len([n for n in names if n]) or not names[0]:
        raise ValueError("a column name is missing or there twice")
    doubts += [doubt for line in body for doubt in _beside(header, line)]
    if said.get("kind") == "coefficients":
        return _coefficients(said, names, body, doubts)
    doubts += _unknown(header)
    counted = {i: n for i, n in enumerate(names) if n in _NUMBERS or (n and known_gas(n))}
    doubts += [doubt for line in body for doubt in numbers(line, counted)]
    if doubts:
        raise Doubtful(doubts)
    return {**said, "factor": [_factor(_named(names, line.cells)) for line in body]}


def _unknown(header: Line) -> list[Doubt]:
    """Column names that mean nothing here: a unit in the name, another language, a remark."""
    return [
        Doubt(header.place(column), f"모르는 열 이름입니다({name}). 양식의 이름을 쓰거나 지우세요",
              f"an unknown column ({name}): use the form's names or remove it")
        for column, name in enumerate(header.cells)
        if name and name not in _TEXTS | _NUMBERS and not known_gas(name)
    ]  # fmt: skip


def _beside(header: Line, line: Line) -> list[Doubt]:
    """Values in columns without a name."""
    return [
        Doubt(line.place(column), "이름 없는 열에 있습니다", "in a column without a name")
        for column, cell in enumerate(line.cells)
        if cell and (column >= len(header.cells) or not header.cells[column])
    ]


def _named(header: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    return {name: cell for name, cell in zip(header, row, strict=False) if name and cell}


def _factor(cells: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {name: cell for name, cell in cells.items() if name not in _CHECKS}
    if "unit" in made:
        made["unit"] = unit_text(made["unit"])
    if "co2_only" in made:
        made["co2_only"] = made["co2_only"].lower() in ("true", "yes", "1", "예")
    check = {inside: cells[name] for name, inside in _CHECKS.items() if name in cells}
    if check:
        made["check"] = [check]
    return made


def _coefficients(
    said: dict[str, Any], header: Sequence[str], body: Sequence[Line], doubts: list[Doubt]
) -> dict[str, Any]:
    if header[0] != "key" or not body or body[0].cells[0] != "@unit":
        raise ValueError("coefficients begin with a column `key` and a row `@unit`")
    units = _named(header, body[0].cells)
    columns = {name: unit_text(units.get(name, "1")) for name in header[1:]
               if name and name not in _OF_ROWS}  # fmt: skip
    counted = {i: n for i, n in enumerate(header) if n in columns and columns[n] != TEXT}
    doubts += [doubt for line in body[1:] for doubt in numbers(line, counted)]
    if doubts:
        raise Doubtful(doubts)
    return {**said, "columns": columns, "row": [_named(header, line.cells) for line in body[1:]]}
