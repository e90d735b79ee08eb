"""XLSX workbooks as tables: one sheet, its header in the first row that is not skipped."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from onsil.devices.drivers.json_payload import malformed
from onsil.devices.mapping import TableMapping

UNPACKED_MAX_BYTES = 512 * 1024 * 1024


class Rows(NamedTuple):
    """A part of a table: its rows by column, and how many rows the whole table has, if known."""

    columns: Mapping[str, Sequence[Any]]
    count: int
    total: int | None


def sheet_rows(
    source: Path | bytes,
    mapping: TableMapping,
    batch: int,
    check: Callable[[Sequence[str], TableMapping], None],
) -> Iterator[Rows]:
    """A sheet in parts of `batch` rows: the mapping's `sheet`, or the first. Raises DecodeError.

    Numbers come as Excel holds them (doubles), dates as they stand without a zone.
    """
    try:
        opened = io.BytesIO(source) if isinstance(source, bytes) else Path(source)
        _refuse_bombs(opened)
        book = load_workbook(opened, read_only=True, data_only=True)
        try:
            yield from _sheet(book, mapping, batch, check)
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError,
            AttributeError, SyntaxError, EOFError, RuntimeError) as error:  # fmt: skip
        if getattr(error, "ko", None):  # a DecodeError of the consumer's or ours
            raise
        raise malformed(f"not a readable workbook ({str(error)[:80]})") from error


def _refuse_bombs(opened: io.BytesIO | Path) -> None:
    with zipfile.ZipFile(opened) as packed:
        if sum(one.file_size for one in packed.infolist()) > UNPACKED_MAX_BYTES:
            raise malformed("the workbook is too large when unpacked")


def _sheet(
    book: Any,
    mapping: TableMapping,
    batch: int,
    check: Callable[[Sequence[str], TableMapping], None],
) -> Iterator[Rows]:
    if mapping.sheet and mapping.sheet not in book.sheetnames:
        raise malformed(f"no sheet {mapping.sheet!r}; there are {', '.join(book.sheetnames)[:80]}")
    sheet = book[mapping.sheet] if mapping.sheet else book[book.sheetnames[0]]
    rows = sheet.iter_rows(min_row=mapping.skip_rows + 1, values_only=True)
    header = ["" if cell is None else str(cell).strip() for cell in next(rows, ())]
    check(header, mapping)
    part: list[Sequence[Any]] = []
    for row in rows:
        if all(cell is None for cell in row):
            continue
        part.append(row)
        if len(part) == batch:
            yield _rows(header, part)
            part = []
    if part:
        yield _rows(header, part)


def _rows(header: Sequence[str], part: Sequence[Sequence[Any]]) -> Rows:
    columns = {
        name: [row[place] if place < len(row) else None for row in part]
        for place, name in enumerate(header)
        if name
    }
    return Rows(columns, len(part), None)
