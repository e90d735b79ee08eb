"""A report as a tagged PDF (PDF/UA-1), with a numbered list of where every figure was read."""

from html import escape

from onsil.core.canonical import decimal_text
from onsil.core.paper import render
from onsil.footprint.reports.terms import (
    Block,
    Cell,
    Facts,
    Figure,
    Paragraph,
    Report,
    Table,
    figures,
)
from onsil.footprint.reports.words import shown, word

_STYLE = """
@page { size: A4; margin: 18mm 16mm 18mm;
  @bottom-center { content: counter(page) " / " counter(pages);
    font: 8pt 'NanumGothic', sans-serif; color: #555 }
  @bottom-left { content: string(who); font: 8pt 'NanumGothic', sans-serif; color: #555 } }
body { font: 9.5pt/1.5 'NanumGothic', 'Noto Sans CJK KR', sans-serif; color: #1d1d1d;
  word-break: keep-all; overflow-wrap: anywhere }
h1 { font-size: 20pt; margin: 0 0 1mm; string-set: who attr(data-who) }
h2 { font-size: 13pt; margin: 7mm 0 2mm; border-bottom: .4mm solid #4f7a63; padding-bottom: 1mm }
.sub { color: #444; margin: 0 0 4mm }
dl { display: grid; grid-template-columns: 42mm 1fr; gap: .8mm 4mm; margin: 0 0 3mm }
dt { color: #555 } dd { margin: 0 }
table { width: 100%; border-collapse: collapse; font-size: 8pt; margin: 0 0 2mm }
caption { text-align: left; font-weight: bold; padding: 1mm 0 }
thead { display: table-header-group } tr { break-inside: avoid }
th { text-align: left; background: #e8efea; border-bottom: .3mm solid #4f7a63; padding: 1.2mm }
td { border-bottom: .2mm solid #ddd; padding: 1.1mm; vertical-align: top }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
sup { color: #555; font-size: 6pt } .note { color: #555; font-size: 8pt; margin: 0 0 3mm }
.label { border: .3mm dashed #9a5b00; color: #7a4700; padding: 1.5mm 3mm; margin: 2mm 0 }
.sources { font-size: 7pt; word-break: break-all }
"""


def pdf(report: Report, sha256: str) -> bytes:
    """The report's PDF. Raises OperationError when the machine lacks the drawing library."""
    return render(page_source(report, sha256))


def page_source(report: Report, sha256: str) -> str:
    """The report as one HTML page, every text of others escaped, every figure with its number."""
    numbered = {id(one): n for n, one in enumerate(figures(report), 1)}
    labels = "".join(f'<p class="label">{escape(text)}</p>' for text in report.labels)
    body = "".join(
        f"<h2>{escape(section.title)}</h2>{''.join(_block(b, numbered) for b in section.blocks)}"
        for section in report.sections
    )
    head = word(("값의 출처", "Where every figure was read"), report.english)
    made = word(("만든 때", "Made"), report.english)
    return (
        f'<!doctype html><html lang="{report.language}"><head><meta charset="utf-8">'
        f"<title>{escape(report.title)} · {escape(report.subtitle)}</title>"
        f"<style>{_STYLE}</style></head><body>"
        f'<h1 data-who="{escape(report.city_name)} · {escape(report.title)}">'
        f'{escape(report.title)}</h1><p class="sub">{escape(report.city_name)} · '
        f"{escape(report.subtitle)}<br>{made}: {report.made_at:%Y-%m-%d %H:%M} UTC · "
        f"SHA-256 {sha256}</p>{labels}{body}<h2>{head}</h2>{_sources(report)}</body></html>"
    )


def _block(block: Block, numbered: dict[int, int]) -> str:
    match block:
        case Facts(rows):
            return "<dl>" + "".join(
                f"<dt>{escape(label)}</dt><dd>{_cell(cell, numbered)}</dd>" for label, cell in rows
            ) + "</dl>"  # fmt: skip
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Table():
            return _table(block, numbered)


def _table(table: Table, numbered: dict[int, int]) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{_cell(c, numbered)}</td>'
            if isinstance(c, Figure)
            else f"<td>{_cell(c, numbered)}</td>"
            for c in row
        )
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f"<table><caption>{escape(table.title)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{note}"
    )


def _cell(cell: Cell, numbered: dict[int, int]) -> str:
    if isinstance(cell, Figure):
        return f"{escape(shown(cell))}<sup>{numbered[id(cell)]}</sup>"
    return escape(cell)


def _sources(report: Report) -> str:
    english = report.english
    heads = (("번호", "No."), ("정확한 값", "Exact value"), ("단위", "Unit"), ("출처", "Source"))
    cells = "".join(f'<th scope="col">{word(pair, english)}</th>' for pair in heads)
    rows = "".join(
        f'<tr><td>{n}</td><td class="n">{decimal_text(one.value)}</td>'
        f"<td>{escape(one.unit)}</td><td>{escape(one.source.text())}</td></tr>"
        for n, one in enumerate(figures(report), 1)
    )
    return f'<table class="sources"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>'
