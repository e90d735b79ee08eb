"""A statement as a tagged PDF (PDF/UA-1, ISO 14289-1): read aloud in order, printed with page
numbers, in Korean fonts that are embedded. Nothing is fetched from anywhere while it is made."""

import re
from html import escape
from typing import Any

from onsil.core.paper import render
from onsil.core.refusal import Refusal
from onsil.ledger.statements import head, words
from onsil.ledger.statements.refusals import too_long
from onsil.ledger.statements.terms import Paper, Statement

PDF_LINES_MAX = 1_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SHOWN = ("number", "recorded_at", "kind", "counterpart", "memo", "incoming", "outgoing", "balance")
_NUMBERS = frozenset({"number", "incoming", "outgoing", "balance"})
_STYLE = """
@page { size: A4 landscape; margin: 14mm 14mm 16mm;
  @bottom-center { content: counter(page) " / " counter(pages);
    font: 8pt 'NanumGothic', sans-serif; color: #555 }
  @bottom-left { content: string(city); font: 8pt 'NanumGothic', sans-serif; color: #555 } }
body { font: 8.5pt/1.45 'NanumGothic', 'Noto Sans CJK KR', sans-serif; color: #1d1d1d;
  word-break: keep-all; overflow-wrap: anywhere }
h1 { font-size: 17pt; margin: 0 0 3mm; string-set: city attr(data-city) }
h2 { font-size: 10.5pt; margin: 5mm 0 1.5mm }
dl { display: grid; grid-template-columns: 30mm 1fr; gap: .6mm 4mm; margin: 0 }
dt { color: #555 } dd { margin: 0 }
.sums { display: flex; gap: 3mm; margin: 4mm 0; padding: 0; list-style: none }
.sums li { flex: 1; border: .3mm solid #9ab3a5; border-radius: 1.5mm; padding: 2mm 3mm }
.sums span { display: block; color: #555; font-size: 7.5pt } .sums strong { font-size: 11pt }
table { width: 100%; border-collapse: collapse; font-size: 7.5pt; table-layout: fixed }
.c-number { width: 8mm } .c-recorded_at { width: 27mm } .c-kind { width: 17mm }
.c-counterpart { width: 40mm } .c-incoming, .c-outgoing { width: 24mm } .c-balance { width: 26mm }
thead { display: table-header-group } tr { break-inside: avoid }
th { text-align: left; background: #e8efea; border-bottom: .3mm solid #4f7a63;
  padding: 1.2mm 1.4mm }
td { border-bottom: .2mm solid #ddd; padding: 1.1mm 1.4mm; vertical-align: top }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.small { color: #555; font-size: 6.5pt; word-break: break-all }
.label { border: .3mm dashed #9a5b00; color: #7a4700; padding: 1.5mm 3mm; margin: 2mm 0 }
.seal { margin-top: 6mm; border-top: .3mm solid #4f7a63; padding-top: 2mm; font-size: 7.5pt;
  overflow-wrap: anywhere; break-inside: avoid } .seal p { margin: 0 0 1mm }
"""


def pdf(made: Statement, paper: Paper) -> bytes | Refusal:
    """The document's bytes. Refuses with `statement-too-long`; the CSV has no such limit."""
    if made.count > PDF_LINES_MAX:
        return too_long("PDF", made.count, PDF_LINES_MAX)
    return render(page_source(made, paper))


def page_source(made: Statement, paper: Paper) -> str:
    """The statement as one HTML page, every text of others escaped."""
    name, language = head.title(paper), "en" if paper.english else "ko"
    facts = "".join(
        f"<dt>{_t(k)}</dt><dd>{_t(v)}</dd>" for k, v in head.facts(made, paper, notes=False)
    )
    sums = "".join(
        f"<li><span>{_t(label)}</span><strong>{amount:,}</strong></li>"
        for label, amount in head.sums(made, paper)
    )
    seal = "".join(f"<p>{_t(line)}</p>" for line in head.verification(paper))
    movements, kinds = ("Movements", "By kind") if paper.english else ("거래", "종류별 합계")
    labels = "".join(f'<p class="label">{_t(note)}</p>' for note in paper.notes)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{_t(name)} · {_t(paper.city_name)}</title><style>{_STYLE}</style></head><body>"
        f'<h1 data-city="{_t(paper.city_name)}">{_t(name)}</h1><dl>{facts}</dl>{labels}'
        f'<ul class="sums">{sums}</ul><h2>{movements}</h2>{_table(made, paper)}'
        f"<h2>{kinds}</h2>{_kinds(made, paper)}"
        f'<div class="seal">{seal}</div></body></html>'
    )


def _t(text: object) -> str:
    return escape(_CONTROL.sub("", str(text)))


def _table(made: Statement, paper: Paper) -> str:
    heads = "".join(
        f'<th scope="col" class="c-{name}{" n" if name in _NUMBERS else ""}">'
        f"{_t(words.heading(name, paper))}</th>"
        for name in _SHOWN
    )
    rows = [
        _row(words.row(number, line, paper)) for number, line in enumerate(made.lines(), start=1)
    ]
    if not rows:
        none = "No entries in this period." if paper.english else "이 기간에는 거래가 없습니다."
        return f"<p>{none}</p>"
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _class(name: str) -> str:
    return ' class="n"' if name in _NUMBERS else ""


def _row(found: dict[str, Any]) -> str:
    effective = found["effective_at"]
    when = found["recorded_at"].isoformat(" ")
    if effective != found["recorded_at"]:
        when += f'<br><span class="small">{effective.isoformat(" ")}</span>'
    below = " · ".join(_t(found[name]) for name in ("memo", "lots") if found[name])
    cells = {
        "number": str(found["number"]), "recorded_at": when, "kind": _t(found["kind"]),
        "counterpart": _t(found["counterpart"]),
        "memo": f'{below}<br><span class="small">{_t(found["transfer_id"])}</span>'
        if below else f'<span class="small">{_t(found["transfer_id"])}</span>',
        **{n: f"{found[n]:,}" if found[n] or n == "balance" else ""
           for n in ("incoming", "outgoing", "balance")},
    }  # fmt: skip
    return "<tr>" + "".join(f"<td{_class(n)}>{cells[n]}</td>" for n in _SHOWN) + "</tr>"


def _kinds(made: Statement, paper: Paper) -> str:
    heads = "".join(
        f'<th scope="col"{" class=n" if i else ""}>{_t(text)}</th>'
        for i, text in enumerate(head.kind_heading(paper))
    )
    total = "Total" if paper.english else "합계"
    lines = [
        (words.kind_word(k.kind, paper.language), k.count, k.incoming, k.outgoing)
        for k in made.kinds
    ]
    body = "".join(
        f'<tr><td>{_t(name)}</td><td class="n">{count:,}</td><td class="n">{came:,}</td>'
        f'<td class="n">{went:,}</td></tr>'
        for name, count, came, went in [
            *lines, (total, made.count, made.incoming, made.outgoing)
        ]
    )  # fmt: skip
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
