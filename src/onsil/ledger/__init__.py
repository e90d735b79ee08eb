"""Multi-asset double entry in lots, decided by a pure posting machine, written by one writer."""

from onsil.ledger.accounts import account, accounts, close_account, open_accounts, set_limits
from onsil.ledger.conservation import conservation
from onsil.ledger.intake import answers, submit
from onsil.ledger.lapsing import expire, expire_pending
from onsil.ledger.posting import drain, post
from onsil.ledger.queries import (
    balance,
    balance_at,
    balances,
    entry_source,
    lots,
    statement,
    transfer,
    transfer_entry,
    transfers_of,
)
from onsil.ledger.reversal import reverse
from onsil.ledger.scheduling import run_due, schedule, unschedule
from onsil.ledger.teller import Teller, ask, wait
from onsil.ledger.terms import (
    Account,
    AccountSpec,
    Answer,
    Entry,
    Imbalance,
    Leg,
    Lot,
    LotFilter,
    LotTerms,
    Piece,
    PostedLeg,
    Stretch,
    TraceStep,
    Transfer,
    TransferRequest,
)
from onsil.ledger.tracing import credits_of, debits_of, trace_back
from onsil.ledger.writer import run_writer

__all__ = [
    "Account", "AccountSpec", "Answer", "Entry", "Imbalance", "Leg", "Lot", "LotFilter",
    "LotTerms", "Piece", "PostedLeg", "Stretch", "Teller", "TraceStep", "Transfer",
    "TransferRequest", "account", "accounts", "answers", "ask", "balance", "balance_at",
    "balances", "close_account", "conservation", "credits_of", "debits_of", "drain",
    "entry_source", "expire", "expire_pending", "lots", "open_accounts", "post", "reverse",
    "run_due", "run_writer", "schedule", "set_limits", "statement", "submit", "trace_back",
    "transfer", "transfer_entry", "transfers_of", "unschedule", "wait",
]  # fmt: skip
