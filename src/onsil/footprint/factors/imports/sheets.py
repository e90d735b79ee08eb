"""Table files cell by cell: what a sheet says, and every place where it could be read in two ways.

A spreadsheet shows its reader something else than it holds: hidden columns, percentages, formulas,
merged cells. Nothing of that is guessed. All such places are named at once, so that whoever hands
in can mend them in one go.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

_UNPACKED_MAX = 20 << 20
ROWS_MAX = 2_000
_COLUMNS_MAX = 200
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SHOWN = 12


@dataclass(frozen=True)
class Doubt:
    """A place (as "C5") and why it cannot be taken as it stands."""

    place: str
    ko: str
    en: str


class Doubtful(Exception):
    """A sheet that can be read in two ways, with every such place."""

    def __init__(self, doubts: Sequence[Doubt]) -> None:
        super().__init__(f"{len(doubts)} places")
        self.doubts = tuple(doubts)

    def said(self) -> tuple[str, str]:
        """The places in both languages, the first of them where there are many."""
        more = len(self.doubts) - _SHOWN
        ko = [f"{one.place}: {one.ko}" for one in self.doubts[:_SHOWN]]
        en = [f"{one.place}: {one.en}" for one in self.doubts[:_SHOWN]]
        if more > 0:
            ko.append(f"그 밖에 {more}곳")
            en.append(f"and {more} more")
        return "; ".join(ko), "; ".join(en)


@dataclass(frozen=True)
class Line:
    """A row that is not empty, with its number in the file."""

    number: int
    cells: tuple[str, ...]

    def place(self, column: int) -> str:
        return f"{get_column_letter(column + 1)}{self.number}"


def csv_lines(content: bytes) -> list[Line]:
    """The rows of a CSV in UTF-8, or in CP949 as Korean Excel saves it. Raises ValueError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp949")
    return _lines(csv.reader(io.StringIO(text, newline="")))


def sheet_lines(content: bytes) -> list[Line]:
    """The rows of a workbook's only sheet; numbers as they are when written out in full.

    Raises Doubtful for what its reader cannot see or sees otherwise, ValueError for no workbook.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(part.file_size for part in packed.infolist()) > _UNPACKED_MAX:
            raise ValueError("the workbook is too large")
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    if sheet.max_row > ROWS_MAX or sheet.max_column > _COLUMNS_MAX:
        raise ValueError(f"more than {ROWS_MAX} rows or {_COLUMNS_MAX} columns")
    doubts = [
        Doubt(other.title, "시트가 둘 이상입니다. 첫 시트만 남기세요",
              "more than one sheet: leave the first alone")
        for other in book.worksheets[1:]
        if any(cell.value is not None for row in other.iter_rows() for cell in row)
    ]  # fmt: skip
    doubts += [
        Doubt(str(one), "병합된 셀입니다. 병합을 풀고 값을 각 셀에 적으세요",
              "merged cells: unmerge them and write the value into each")
        for one in sheet.merged_cells.ranges
    ]  # fmt: skip
    hidden = _hidden(sheet)
    for row in sheet.iter_rows():
        for cell in row:
            doubts += _doubts(cell, hidden)
    if doubts:
        raise Doubtful(doubts)
    return _lines([_text(cell.value) for cell in row] for row in sheet.iter_rows())


def _hidden(sheet: Any) -> tuple[set[int], set[int]]:
    """Numbers of hidden rows and columns; a column's entry may stand for a range of them."""
    rows = {number for number, one in sheet.row_dimensions.items() if one.hidden}
    columns: set[int] = set()
    for one in sheet.column_dimensions.values():
        if one.hidden:
            columns.update(range(one.min, min(one.max, _COLUMNS_MAX) + 1))
    return rows, columns


def _doubts(cell: Any, hidden: tuple[set[int], set[int]]) -> Iterable[Doubt]:
    if cell.value is None:
        return
    place = cell.coordinate
    if cell.row in hidden[0] or cell.column in hidden[1]:
        yield Doubt(place, "숨겨진 행이나 열에 있습니다. 드러내거나 지우세요",
                    "in a hidden row or column: show it or remove it")  # fmt: skip
    if cell.data_type == "f":
        yield Doubt(place, "수식입니다. 값으로 바꾸세요", "a formula: paste its value")
    elif cell.data_type == "e":
        yield Doubt(place, f"오류 값입니다({cell.value})", f"an error ({cell.value})")
    elif cell.data_type == "n" and "%" in str(cell.number_format):
        yield Doubt(place, "백분율로 보이는 수입니다. 백분율이 아닌 수로 적으세요",
                    "shown as a percentage: write a plain number")  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # A sheet's doubles: their shortest spelling is what the person typed.
        return format(Decimal(repr(value)).normalize(), "f")
    return str(value)


def _lines(rows: Iterable[Sequence[str]]) -> list[Line]:
    made = [
        Line(number, tuple(cell.strip() for cell in row))
        for number, row in enumerate(rows, 1)
        if any(cell.strip() for cell in row)
    ]
    if len(made) > ROWS_MAX:
        raise ValueError(f"more than {ROWS_MAX} rows")
    return made


def unit_text(cell: str) -> str:
    """A unit in plain letters: ㎥ and m³ are m3, ㎏ is kg, as Unicode itself says."""
    return unicodedata.normalize("NFKC", cell)


def numbers(line: Line, columns: Mapping[int, str]) -> list[Doubt]:
    """Cells of number columns that hold something else than one plain number."""
    found = []
    for column, name in columns.items():
        cell = line.cells[column] if column < len(line.cells) else ""
        if cell and not _NUMBER.fullmatch(cell):
            ko, en = _why(cell)
            found.append(Doubt(f"{line.place(column)} ({name})", ko, en))
    return found


def _why(cell: str) -> tuple[str, str]:
    shown = cell[:40]
    if "%" in cell:
        return f"백분율({shown})입니다. 수로 적으세요", f"a percentage ({shown}): write a number"
    if cell.startswith("="):
        return f"수식({shown})입니다. 값으로 바꾸세요", f"a formula ({shown}): paste its value"
    if re.fullmatch(r"[+-]?[0-9.,]*,[0-9.,]*", cell):
        return (
            f"쉼표({shown})가 자릿수인지 소수점인지 알 수 없습니다. 쉼표 없이 적으세요",
            f"a comma ({shown}) may be for thousands or decimals: write it without",
        )
    return (
        f"수가 아닙니다({shown}). 모르면 비워 두세요",
        f"no number ({shown}): leave blank what is unknown",
    )
