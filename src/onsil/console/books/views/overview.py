"""Where the books stand this morning: accounts, exceptions, what waits, the last close."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from onsil.console.books.views.closes import month_of
from onsil.console.books.views.frame import (
    READERS,
    accounts,
    books_page,
    found_exceptions,
    language,
    today,
)
from onsil.console.frame import Request, needs
from onsil.core.database import Connection
from onsil.ledger import closing, reconciliation
from onsil.ledger.reconciliation import BankAccount, Finding
from onsil.tenancy import transaction


@require_safe
@needs(*READERS)
def board(request: Request) -> HttpResponse:
    """Each account with its sums, and the month's closes."""
    city, now = request.city.code, today(request)
    with transaction(city) as conn:
        found = found_exceptions(conn, request)
        rows = [_account(conn, request, one, found) for one in accounts(request).values()]
        waiting = len(reconciliation.waiting_proposals(conn, city))
        last = closing.last_closed(conn, city)
        weeks = month_of(conn, request, now.replace(day=1))
        simulated = reconciliation.has_simulated(conn, city)
    behind = (now - timedelta(days=1) - last).days if last else None
    return books_page(
        request, "board.html", "board", rows=rows, waiting=waiting, last=last, behind=behind,
        weeks=weeks, first=now.replace(day=1), exceptions=len(found), simulated=simulated,
        oldest=max((f.age_days for f in found), default=0),
        next_day=last + timedelta(days=1) if last else now - timedelta(days=1),
    )  # fmt: skip


def _account(
    conn: Connection, request: Request, one: BankAccount, found: list[Finding]
) -> dict[str, Any]:
    files = reconciliation.imported_files(conn, request.city.code, 1, one.code)
    kinds = Counter(f.problem for f in found if f.line.account == one.code)
    return {
        "one": one, "name": one.name.said(language()), "file": files[0] if files else None,
        "sums": reconciliation.sums(conn, request.city.code, one.code),
        "exceptions": sum(kinds.values()),
    }  # fmt: skip
