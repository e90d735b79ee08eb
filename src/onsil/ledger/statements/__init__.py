"""Statements of account: any account, asset and period, as CSV, XLSX and tagged PDF.

Cut at the city's own midnights by the time of recording, so that opening balance, movements and
closing balance always agree; the effective time of each entry stands beside it.
"""

from onsil.ledger.statements.document import PDF_LINES_MAX, pdf
from onsil.ledger.statements.export import FORMS, Download, download, file_name
from onsil.ledger.statements.flat_file import csv_chunks
from onsil.ledger.statements.reading import read_statement
from onsil.ledger.statements.refusals import no_account, too_long
from onsil.ledger.statements.terms import (
    Counterpart,
    KindTotal,
    Paper,
    Seal,
    Statement,
    StatementLine,
    Taken,
)
from onsil.ledger.statements.words import account_word, asset_word, kind_word
from onsil.ledger.statements.workbook import XLSX_LINES_MAX, xlsx

__all__ = [
    "FORMS", "PDF_LINES_MAX", "XLSX_LINES_MAX", "Counterpart", "Download", "KindTotal", "Paper",
    "Seal", "Statement", "StatementLine", "Taken", "account_word", "asset_word", "csv_chunks",
    "download", "file_name", "kind_word", "no_account", "pdf", "read_statement", "too_long", "xlsx",
]  # fmt: skip
