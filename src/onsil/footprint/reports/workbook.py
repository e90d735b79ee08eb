"""A report as a workbook: a sheet a section, and one with every figure's exact value and source."""

from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from onsil.core.canonical import decimal_text
from onsil.footprint.reports.terms import Block, Cell, Facts, Figure, Paragraph, Report, figures
from onsil.footprint.reports.words import word

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_NAMES = str.maketrans("", "", r"[]:*?/\\")


def xlsx(report: Report, sha256: str) -> bytes:
    """The workbook's bytes. Numbers are numbers; their exact decimals stand in the last sheet."""
    book = Workbook()
    first: Any = book.active
    first.title = word(("표지", "Cover"), report.english)
    for row in (
        (report.title,), (report.city_name,), (report.subtitle,),
        ("UTC", f"{report.made_at:%Y-%m-%d %H:%M}"), ("SHA-256", sha256),
        *((label,) for label in report.labels),
    ):  # fmt: skip
        first.append([_text(value) for value in row])
    first["A1"].font = Font(bold=True, size=16)
    first.column_dimensions["A"].width = 40
    for section in report.sections:
        sheet: Any = book.create_sheet(section.title.translate(_NOT_IN_NAMES)[:31])
        for block in section.blocks:
            _write(sheet, block)
        for number in range(1, 9):
            sheet.column_dimensions[get_column_letter(number)].width = 24
    _sources(book, report)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def _write(sheet: Any, block: Block) -> None:
    match block:
        case Facts(rows):
            for label, cell in rows:
                sheet.append([label, *_cell(cell)])
        case Paragraph(text):
            sheet.append([_text(text)])
            sheet.cell(sheet.max_row, 1).alignment = Alignment(wrap_text=True, vertical="top")
        case _:
            sheet.append([block.title])
            sheet.cell(sheet.max_row, 1).font = Font(bold=True)
            sheet.append(list(block.columns))
            for head in sheet[sheet.max_row]:
                head.font = Font(bold=True)
            for row in block.rows:
                sheet.append([value for cell in row for value in _cell(cell)[:1]])
            if block.note:
                sheet.append([_text(block.note)])
    sheet.append([])


def _cell(cell: Cell) -> list[Any]:
    return [cell.value, cell.unit] if isinstance(cell, Figure) else [_text(cell)]


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _sources(book: Workbook, report: Report) -> None:
    sheet: Any = book.create_sheet(word(("값의 출처", "Sources"), report.english))
    english = report.english
    heads = (("번호", "No."), ("값", "Value"), ("정확한 값", "Exact"), ("단위", "Unit"),
             ("종류", "Kind"), ("기록", "Record"), ("위치", "Pointer"))  # fmt: skip
    sheet.append([word(pair, english) for pair in heads])
    for n, one in enumerate(figures(report), 1):
        where = one.source
        sheet.append([
            n, one.value, f"{decimal_text(one.value)}", one.unit, where.kind, where.subject,
            where.pointer,
        ])  # fmt: skip
    for letter, width in zip("ABCDEFG", (6, 22, 40, 14, 12, 40, 48), strict=True):
        sheet.column_dimensions[letter].width = width
