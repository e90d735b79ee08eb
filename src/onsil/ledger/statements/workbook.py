"""A statement as an Excel workbook: typed cells, a frozen header, sums as formulas beside the
figures that they must equal, ready to print. Rows are written as they come."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from onsil.core.refusal import Refusal
from onsil.ledger.statements import head, words
from onsil.ledger.statements.refusals import too_long
from onsil.ledger.statements.terms import Paper, Statement

XLSX_LINES_MAX = 100_000
_EXACT_MAX = 10**15  # a spreadsheet keeps 15 digits; larger amounts are written as text
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_WIDTHS = {
    "number": 7, "recorded_at": 19, "effective_at": 19, "kind": 12, "counterpart": 24, "memo": 24,
    "origin": 30, "incoming": 14, "outgoing": 14, "balance": 16, "lots": 30, "transfer_id": 38,
}  # fmt: skip
_MONEY = "#,##0;[Red]-#,##0"
_BOLD = Font(name="맑은 고딕", bold=True)
_PLAIN = Font(name="맑은 고딕")
_SHADE = PatternFill("solid", fgColor="E8EFEA")


def xlsx(made: Statement, paper: Paper, out: IO[bytes]) -> Refusal | None:
    """Write the workbook to `out`. Refuses with `statement-too-long`."""
    if made.count > XLSX_LINES_MAX:
        return too_long("XLSX", made.count, XLSX_LINES_MAX)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(head.title(paper))
    facts = head.facts(made, paper)
    header_row = 1 + len(facts) + 6 + 1  # title, facts, sums with a heading, the header itself
    first, last = header_row + 1, header_row + max(made.count, 1)
    _prepare(sheet, header_row, paper)
    sheet.append([_cell(sheet, head.title(paper), font=Font(name="맑은 고딕", bold=True, size=14))])
    for label, value in facts:
        sheet.append([_cell(sheet, label, font=_BOLD), None, _cell(sheet, value)])
    _sums(sheet, made, paper, first, last)
    names = [words.heading(name, paper) for name in words.COLUMNS]
    sheet.append([_cell(sheet, name, font=_BOLD, fill=_SHADE) for name in names])
    for number, line in enumerate(made.lines(), start=1):
        found = words.row(number, line, paper)
        sheet.append([_cell(sheet, found[name]) for name in words.COLUMNS])
    if not made.count:
        sheet.append([_cell(sheet, "No entries" if paper.english else "거래가 없습니다")])
    _kinds(sheet, made, paper)
    for text in head.verification(paper):
        sheet.append([_cell(sheet, text)])
    book.save(out)
    return None


def _prepare(sheet: Any, header_row: int, paper: Paper) -> None:
    for number, name in enumerate(words.COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS[name]
    sheet.freeze_panes = f"A{header_row + 1}"
    sheet.print_title_rows = f"{header_row}:{header_row}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.center.text = "&P / &N"
    sheet.oddFooter.left.text = paper.city_name.replace("&", "&&")


def _sums(sheet: Any, made: Statement, paper: Paper, first: int, last: int) -> None:
    """Each figure as recorded, the same as a formula over the rows, and whether they agree."""
    column = {name: get_column_letter(n) for n, name in enumerate(words.COLUMNS, start=1)}
    total_in = f"SUM({column['incoming']}{first}:{column['incoming']}{last})"
    total_out = f"SUM({column['outgoing']}{first}:{column['outgoing']}{last})"
    english = paper.english
    labels = ("Recorded", "By formula", "Agrees") if english else ("장부", "수식", "일치")
    sheet.append([None, None, *(_cell(sheet, label, font=_BOLD) for label in labels)])
    row = 2 + len(head.facts(made, paper)) + 1
    formulas = (None, total_in, total_out, f"C{row}+{total_in}-{total_out}")
    for (label, amount), formula in zip(head.sums(made, paper), formulas, strict=True):
        cells = [_cell(sheet, label, font=_BOLD), None, _cell(sheet, amount)]
        if formula is not None:
            shown = WriteOnlyCell(sheet, f"={formula}")
            shown.number_format = _MONEY
            agrees = WriteOnlyCell(sheet, f'=IF(C{row}=D{row},"✓","≠")')
            cells += [shown, agrees]
        sheet.append(cells)
        row += 1
    sheet.append([])


def _kinds(sheet: Any, made: Statement, paper: Paper) -> None:
    sheet.append([])
    sheet.append([
        _cell(sheet, text, font=_BOLD, fill=_SHADE) for text in head.kind_heading(paper)
    ])  # fmt: skip
    rows: Iterable[tuple[object, ...]] = [
        (words.kind_word(k.kind, paper.language), k.count, k.incoming, k.outgoing)
        for k in made.kinds
    ]
    total = "Total" if paper.english else "합계"
    for row in [*rows, (total, made.count, made.incoming, made.outgoing)]:
        sheet.append([_cell(sheet, value) for value in row])
    sheet.append([])


def _cell(sheet: Any, value: Any, font: Font = _PLAIN, fill: PatternFill | None = None) -> Any:
    """A typed cell: whole numbers with separators, times as times, texts never as formulas."""
    if isinstance(value, int) and abs(value) >= _EXACT_MAX:
        value = f"{value:,}"
    if isinstance(value, str):
        value = _ILLEGAL.sub("", value)
    made = WriteOnlyCell(sheet, value)
    made.font = font
    if isinstance(value, int):
        made.number_format = _MONEY
    elif isinstance(value, datetime):
        made.number_format = "yyyy-mm-dd hh:mm:ss"
    elif isinstance(value, str):
        made.data_type = "s"
        made.alignment = Alignment(vertical="top")
    if fill is not None:
        made.fill = fill
    return made
