"""What the area's screens share: who may enter, the tabs with their counts, telling outcomes."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import get_language

from onsil.citizen.models import Role
from onsil.console.books import work
from onsil.console.frame import STAFF, Request, page
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger import reconciliation
from onsil.ledger.reconciliation import BankAccount, Finding, Office

READERS = (*STAFF, Role.VERIFIER)
WORKERS = (Role.OFFICIAL, Role.APPROVER)


def language() -> str:
    return get_language() or "ko"


def today(request: Request) -> date:
    return local_day(work.CLOCK.now(), request.city.zone)


def accounts(request: Request) -> dict[str, BankAccount]:
    return dict(work.setup_of(request.city.code).accounts)


def choices(request: Request) -> list[tuple[str, str]]:
    return [(code, one.name.said(language())) for code, one in accounts(request).items()]


def actor(request: Request) -> str:
    return str(request.user.pk)


def office(conn: Connection, request: Request, account: BankAccount) -> Office:
    return Office(conn, request.city.code, account, work.CLOCK, request.city.zone)


def found_exceptions(conn: Connection, request: Request) -> list[Finding]:
    """The exceptions of all accounts, the oldest first."""
    found = [
        one
        for account in accounts(request).values()
        for one in reconciliation.exceptions(conn, request.city.code, account, today(request))
    ]
    return sorted(found, key=lambda f: (-f.age_days, f.line.day, f.line.id))


def tell(request: Request, outcome: object, done: str) -> None:
    """Say what came of an act."""
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(language()))
    else:
        messages.success(request, done)


def books_page(
    request: Request, template: str, tab: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A screen of the area, its tab marked."""
    return page(
        request, f"console/books/{template}", section="books", status=status, tab=tab,
        may_work=bool(request.roles & set(WORKERS)), may_approve=Role.APPROVER in request.roles,
        me=actor(request), **context,
    )  # fmt: skip
