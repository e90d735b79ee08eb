"""Reconciliation: files of banks and card networks held against the books, line by line.

Formats and rules are data. What no rule explains is an exception for people; what they do is
recorded, takes two of them above a limit, and moves money only through the ledger.
"""

from onsil.ledger.reconciliation.acts import Office, Order, Proposal, ask, comment, decide
from onsil.ledger.reconciliation.booking import RULES, ReconcileReport, reconcile
from onsil.ledger.reconciliation.findings import findings
from onsil.ledger.reconciliation.imports import (
    ImportReport,
    import_file,
    lines_for,
    note_taken,
)
from onsil.ledger.reconciliation.matching import Matching, match
from onsil.ledger.reconciliation.overview import (
    Event,
    ImportedFile,
    Sums,
    exceptions,
    has_simulated,
    history,
    imported_file,
    imported_files,
    lines_by_id,
    proposal,
    sums,
    waiting_proposals,
)
from onsil.ledger.reconciliation.receiving import Receiver, receivers, register_receiver
from onsil.ledger.reconciliation.setup import Setup, read_setup
from onsil.ledger.reconciliation.store import balance_on, is_covered, line, of_file, open_lines
from onsil.ledger.reconciliation.terms import (
    PROBLEMS,
    BadLine,
    BankAccount,
    BankLine,
    Book,
    Correction,
    Finding,
    Line,
    Match,
    Rule,
    RuleSet,
    Taken,
    Text,
)

__all__ = [
    "PROBLEMS", "RULES", "BadLine", "BankAccount", "BankLine", "Book", "Correction", "Event",
    "Finding", "ImportReport", "ImportedFile", "Line", "Match", "Matching", "Office", "Order",
    "Proposal", "Receiver", "ReconcileReport", "Rule", "RuleSet", "Setup", "Sums", "Taken", "Text",
    "ask", "balance_on", "comment", "decide", "exceptions", "findings",
    "has_simulated", "history", "import_file",
    "imported_file", "imported_files", "is_covered", "line", "lines_by_id", "lines_for", "match",
    "note_taken", "of_file", "open_lines", "proposal", "read_setup", "receivers", "reconcile",
    "register_receiver", "sums", "waiting_proposals",
]  # fmt: skip
