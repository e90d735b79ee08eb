"""A report as HWPX (KS X 6101, OWPML), the form Korean offices edit and file."""

from typing import Any

from hwpx import HwpxDocument

from onsil.core.canonical import decimal_text
from onsil.footprint.reports.terms import Block, Cell, Facts, Figure, Paragraph, Report, figures
from onsil.footprint.reports.words import shown, word


def hwpx(report: Report, sha256: str) -> bytes:
    """The document's bytes: headings, tables, and the list of every figure's source."""
    paper: Any = HwpxDocument.new()
    numbered = {id(one): n for n, one in enumerate(figures(report), 1)}
    paper.add_heading(report.title, 1)
    for line in (
        f"{report.city_name} · {report.subtitle}",
        f"{report.made_at:%Y-%m-%d %H:%M} UTC · SHA-256 {sha256}", *report.labels,
    ):  # fmt: skip
        paper.add_paragraph(line, inherit_style=False)
    for section in report.sections:
        paper.add_heading(section.title, 2)
        for block in section.blocks:
            _write(paper, block, numbered)
    paper.add_heading(word(("값의 출처", "Where every figure was read"), report.english), 2)
    heads = (("번호", "No."), ("정확한 값", "Exact value"), ("단위", "Unit"), ("출처", "Source"))
    _table(
        paper,
        [word(pair, report.english) for pair in heads],
        [
            [str(n), decimal_text(one.value), one.unit, one.source.text()]
            for n, one in enumerate(figures(report), 1)
        ],
    )
    made = paper.to_bytes()
    assert isinstance(made, bytes)
    return made


def _write(paper: Any, block: Block, numbered: dict[int, int]) -> None:
    match block:
        case Facts(rows):
            _table(paper, None, [[label, _cell(cell, numbered)] for label, cell in rows])
        case Paragraph(text):
            paper.add_paragraph(text, inherit_style=False)
        case _:
            paper.add_paragraph(block.title, inherit_style=False)
            rows = [[_cell(cell, numbered) for cell in row] for row in block.rows]
            _table(paper, list(block.columns), rows)
            if block.note:
                paper.add_paragraph(block.note, inherit_style=False)


def _table(paper: Any, heads: list[str] | None, rows: list[list[str]]) -> None:
    lines = ([heads] if heads else []) + rows
    if not lines:
        return
    table = paper.add_table(len(lines), len(lines[0]))
    for r, line in enumerate(lines):
        for c, text in enumerate(line):
            table.set_cell_text(r, c, text)


def _cell(cell: Cell, numbered: dict[int, int]) -> str:
    if isinstance(cell, Figure):
        return f"{shown(cell)} [{numbered[id(cell)]}]"
    return cell
