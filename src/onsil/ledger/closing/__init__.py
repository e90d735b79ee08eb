"""The daily close: a city's day cut at its own midnight, checked, recorded and never changed.

What is posted later for a closed day appears as an adjustment in the next close.
"""

from onsil.ledger.closing.closes import (
    LEAF,
    Ground,
    close_day,
    close_due,
    closed_day,
    closes,
    decide_request,
    entry_source,
    figures_record,
    last_closed,
    open_request,
    preview,
    request_close,
)
from onsil.ledger.closing.figures import AGES, OLDEST, day_period
from onsil.ledger.closing.terms import (
    AccountFigures,
    Adjustment,
    Close,
    CloseRequest,
    Figures,
    Reason,
)

__all__ = [
    "AGES", "LEAF", "OLDEST", "AccountFigures", "Adjustment", "Close", "CloseRequest", "Figures",
    "Ground", "Reason", "close_day", "close_due", "closed_day", "closes", "day_period",
    "decide_request", "entry_source", "figures_record", "last_closed", "open_request", "preview",
    "request_close",
]  # fmt: skip
