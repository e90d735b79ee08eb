"""Reading a list of policy money's recipients: CSV or Excel, one person a row. Pure.

What a cell should have been is not judged here: a row that cannot be read keeps what was written
and fails the check with its own reason.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from onsil.citizen import refusals
from onsil.core.refusal import Refusal
from onsil.ledger.rules.policy_money import Row

BYTES_MAX = 20 << 20
_UNPACKED_MAX = 200 << 20
_HEADS = {
    "person": ("대상자", "이메일", "지갑번호", "person", "email", "wallet"),
    "amount": ("금액", "지급액", "amount", "krw"),
    "fund": ("재원", "사업코드", "fund"),
    "last_day": ("사용기한", "만료일", "lastday", "end"),
    "merchant_rule": ("사용처", "merchantrule", "rule"),
}
_NEEDED = ("person", "amount")


@dataclass(frozen=True)
class Defaults:
    """What holds for every row whose own cell is empty or whose column is missing."""

    fund: str = ""
    last_day: date | None = None
    merchant_rule: str = ""


@dataclass(frozen=True)
class Line:
    """A row as read, and its amount as it was written."""

    row: Row
    written: str


def read(content: bytes, defaults: Defaults, rows_max: int) -> tuple[Line, ...] | Refusal:
    """The rows of a list. Refusals: `policy-file-unreadable`, `policy-file-columns`,
    `policy-file-empty`, `policy-file-too-long`."""
    if len(content) > BYTES_MAX:
        return refusals.policy_file_too_long(rows_max)
    table = _workbook(content) if content.startswith(b"PK") else _text(content)
    if table is None:
        return refusals.policy_file_unreadable()
    rows = [(n, cells) for n, cells in table if any(_written(c) for c in cells)]
    if not rows:
        return refusals.policy_file_empty()
    places = _places(rows[0][1])
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        return refusals.policy_file_columns(", ".join(_HEADS[name][0] for name in missing))
    body = rows[1:]
    if not body:
        return refusals.policy_file_empty()
    if len(body) > rows_max:
        return refusals.policy_file_too_long(rows_max)
    return tuple(_line(number, cells, places, defaults) for number, cells in body)


def whole(value: object) -> int | None:
    """`100,000원`, `100000`, `100000.0` of a spreadsheet; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if value == int(value) else None
    text = re.sub(r"[\s,]|원$|won$", "", str(value or "").strip(), flags=re.IGNORECASE)
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else None


def day(value: object) -> date | None:
    """`2026-12-31`, `2026.12.31.`, `2026/12/31`, `20261231` or a spreadsheet's date."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    parts = re.fullmatch(
        r"(\d{4})[-./ ]*(\d{1,2})[-./ ]*(\d{1,2})\.?", str(value or "").strip(), re.ASCII
    )
    try:
        return date(*(int(part) for part in parts.groups())) if parts else None
    except ValueError:
        return None


def _line(number: int, cells: Sequence[object], places: dict[str, int], defaults: Defaults) -> Line:
    def at(name: str) -> object:
        place = places.get(name)
        return cells[place] if place is not None and place < len(cells) else None

    ends = at("last_day")
    row = Row(
        number=number,
        person=_written(at("person")).lower(),
        amount=whole(at("amount")),
        fund=_written(at("fund")) or defaults.fund,
        last_day=day(ends) if _written(ends) else defaults.last_day,
        merchant_rule=_written(at("merchant_rule")) or defaults.merchant_rule,
    )
    return Line(row, _written(at("amount"))[:40])


def _places(heads: Sequence[object]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, head in enumerate(heads):
        plain = re.sub(r"[\s_()-]", "", _written(head)).lower()
        for name, words in _HEADS.items():
            if name not in found and plain in words:
                found[name] = place
    return found


def _written(value: object) -> str:
    return "" if value is None else str(value).strip()


def _text(content: bytes) -> list[tuple[int, list[str]]] | None:
    """Delimited text in UTF-8 or, as Korean office programs still write it, in CP949."""
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        return None
    if "\x00" in text:
        return None
    delimiter = "\t" if text.partition("\n")[0].count("\t") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error:
        return None


def _workbook(content: bytes) -> list[tuple[int, Sequence[object]]] | None:
    """The first sheet of an Excel workbook. One that unpacks to too much is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _UNPACKED_MAX:
                return None
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows: Iterable[Sequence[object]] = book.worksheets[0].iter_rows(values_only=True)
        return list(enumerate(rows, start=1))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError):
        return None
