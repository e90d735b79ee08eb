"""A statement as a download: its name, its type and its bytes, in any of the three forms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from onsil.core.refusal import Refusal
from onsil.ledger.statements import head
from onsil.ledger.statements.document import pdf
from onsil.ledger.statements.flat_file import csv_chunks
from onsil.ledger.statements.terms import Paper, Statement
from onsil.ledger.statements.workbook import xlsx

FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_IN_MEMORY_BYTES = 4 << 20
_BLOCK_BYTES = 64 << 10


@dataclass(frozen=True)
class Download:
    """A file to be handed out: `chunks` can be walked once."""

    name: str
    content_type: str
    chunks: Iterator[bytes]


def file_name(made: Statement, paper: Paper, form: str) -> str:
    """A plain name with city, account, asset and period, safe on every system and for any reader:
    a citizen's number never stands in it."""
    account = made.account
    if paper.reader != "official":
        account = account.partition(":")[0]
    period = head.period_word(made.period, paper).replace(" – ", "_")
    raw = f"statement-{made.city}-{account}-{made.asset}-{period}"
    return re.sub(r"[^0-9A-Za-z._-]+", "-", raw).strip("-") + f".{form}"


def download(made: Statement, paper: Paper, form: str) -> Download | Refusal:
    """The statement in one of FORMS. Refuses with `statement-too-long` (PDF and XLSX)."""
    name, kind = file_name(made, paper, form), FORMS[form]
    if form == "csv":
        return Download(name, kind, csv_chunks(made, paper))
    if form == "pdf":
        content = pdf(made, paper)
        if isinstance(content, Refusal):
            return content
        return Download(name, kind, iter((content,)))
    out = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
    refused = xlsx(made, paper, out)
    if refused is not None:
        return refused
    out.seek(0)
    return Download(name, kind, iter(lambda: out.read(_BLOCK_BYTES), b""))
