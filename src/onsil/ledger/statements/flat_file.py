"""A statement as CSV (RFC 4180), made piece by piece: no limit on the number of entries.

With a byte-order mark, which office programs need for Hangul; texts that a spreadsheet would run as
a formula are disarmed by an apostrophe.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from onsil.ledger.statements import head, words
from onsil.ledger.statements.terms import Paper, Statement

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
_ROWS_A_CHUNK = 500


def cell(value: object) -> object:
    """A value as one cell."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value


def csv_chunks(made: Statement, paper: Paper) -> Iterator[bytes]:
    """The file in pieces: head, opening balance, entries, closing balance, totals, seal."""
    yield b"\xef\xbb\xbf"
    opening = "Opening balance" if paper.english else "처음 잔액"
    closing = "Closing balance" if paper.english else "마지막 잔액"
    width = len(words.COLUMNS)
    top: list[Sequence[object]] = [[head.title(paper)]]
    top += [list(pair) for pair in head.facts(made, paper)]
    top += [[], [words.heading(name, paper) for name in words.COLUMNS]]
    top.append(_balance_row(width, opening, made.opening))
    yield _encoded(top)
    rows: list[Sequence[object]] = []
    for number, line in enumerate(made.lines(), start=1):
        found = words.row(number, line, paper)
        rows.append([found[name] for name in words.COLUMNS])
        if len(rows) == _ROWS_A_CHUNK:
            yield _encoded(rows)
            rows = []
    rows.append(_balance_row(width, closing, made.closing))
    rows.append([])
    rows.append(list(head.kind_heading(paper)))
    rows += [
        [words.kind_word(k.kind, paper.language), k.count, k.incoming, k.outgoing]
        for k in made.kinds
    ]
    rows.append([
        "Total" if paper.english else "합계", made.count, made.incoming, made.outgoing
    ])  # fmt: skip
    rows += [[], *([line] for line in head.verification(paper))]
    yield _encoded(rows)


def _balance_row(width: int, label: str, amount: int) -> list[object]:
    row: list[object] = [""] * width
    row[words.COLUMNS.index("kind")] = label
    row[words.COLUMNS.index("balance")] = amount
    return row


def _encoded(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode()
