"""Bank files that are tables: delimited text in any encoding, and Excel workbooks. Pure."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from onsil.ledger.reconciliation.cells import Problems, is_empty, line_of
from onsil.ledger.reconciliation.formats import Format
from onsil.ledger.reconciliation.terms import RawLine

_HEADER_WITHIN = 30  # rows of a bank's own heading above the table
_UNPACKED_BYTES_MAX = 200 << 20
_ROWS_MAX = 200_000
Row = tuple[int, Sequence[object]]


def decoded(content: bytes, form: Format, problems: Problems) -> str | None:
    """The text in the first encoding that fits; None when none does, which is told."""
    where = 1
    for encoding in form.encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            where = content.count(b"\n", 0, error.start) + 1
    names = ", ".join(form.encodings)
    problems.add(where, "", "", f"글자를 읽을 수 없습니다({names}이 아닙니다).",
                 f"these bytes are no text in {names}")  # fmt: skip
    return None


def delimited(content: bytes, form: Format, zone: ZoneInfo, problems: Problems) -> list[RawLine]:
    """The lines of a delimited file; what is wrong goes to `problems`."""
    text = decoded(content, form, problems)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter)
    try:
        rows: list[Row] = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        problems.add(reader.line_num, "", "", f"표로 읽을 수 없습니다: {error}",
                     f"not a table: {error}")  # fmt: skip
        return []
    return _lines(rows, form, zone, problems)


def workbook(content: bytes, form: Format, zone: ZoneInfo, problems: Problems) -> list[RawLine]:
    """The lines of one sheet of an Excel workbook. A file that unpacks to too much is refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > _UNPACKED_BYTES_MAX:
            problems.add(1, "", "", "파일이 너무 큽니다.", "the workbook is too large")
            return []
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[form.sheet]
        rows = [(n, row) for n, row in enumerate(sheet.iter_rows(values_only=True), start=1)]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError) as error:
        problems.add(1, "", "", "엑셀 파일(xlsx)로 읽을 수 없습니다.",
                     f"not an Excel workbook (xlsx): {error}")  # fmt: skip
        return []
    return _lines(rows, form, zone, problems)


def _lines(rows: Iterable[Row], form: Format, zone: ZoneInfo, problems: Problems) -> list[RawLine]:
    rows = list(rows)
    if len(rows) > _ROWS_MAX:
        problems.add(_ROWS_MAX, "", "", "줄이 너무 많습니다.", f"more than {_ROWS_MAX:,} rows")
        return []
    places = _header(rows, form, problems)
    if places is None:
        return []
    start, columns = places
    found = []
    for number, cells in _body(rows, start, form):
        named = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
        line = line_of(number, named, form, zone, problems)
        if line is not None:
            found.append(line)
    return found


def _heading(value: object) -> str:
    return "".join(str(value or "").split())


def _header(
    rows: Sequence[Row], form: Format, problems: Problems
) -> tuple[int, Mapping[str, int]] | None:
    """Index of the header row and where each field stands in it."""
    wanted = {name: _heading(title) for name, title in (form.columns or {}).items()}
    best: tuple[int, int] = (-1, 0)
    for index, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        heads = [_heading(c) for c in cells]
        hits = sum(title in heads for title in wanted.values())
        if hits > best[1]:
            best = (index, hits)
        if hits == len(wanted):
            return index, {name: heads.index(title) for name, title in wanted.items()}
    number = rows[best[0]][0] if best[0] >= 0 else 1
    present = {_heading(c) for c in rows[best[0]][1]} if best[0] >= 0 else set()
    for name, title in wanted.items():
        if title not in present:
            shown = (form.columns or {})[name]
            problems.add(number, name, shown, f"머리줄에 ‘{shown}’ 열이 없습니다.",
                         f"the header has no column “{shown}”")  # fmt: skip
    return None


def _body(rows: Sequence[Row], start: int, form: Format) -> Iterator[Row]:
    for number, cells in rows[start + 1 :]:
        filled = [str(c).strip() for c in cells if not is_empty(c)]
        if not filled:
            continue
        if form.footers and filled[0].startswith(form.footers):
            return
        yield number, cells
