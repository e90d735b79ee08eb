"""Statements of any account, for officials."""

from datetime import timedelta
from itertools import islice
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil import ledger
from onsil.citizen.services import statements
from onsil.citizen.views.statements import answer
from onsil.console.books import work
from onsil.console.books.forms import StatementForm
from onsil.console.books.views.frame import books_page, language, today
from onsil.console.frame import STAFF, Request, needs
from onsil.core.database import Connection
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.ledger.statements import (
    FORMS,
    Paper,
    Statement,
    account_word,
    asset_word,
    download,
    read_statement,
)
from onsil.ledger.statements.words import row
from onsil.tenancy import transaction

_SHOWN = 100
_SUGGESTED = 200
_OWN = ("trust:", "budget:", "reserve:", "fund:", "external:", "issuer:", "float:", "fee:",
        "interest:", "suspense:", "subsidy:", "breakage:", "settlement:")  # fmt: skip


def _period(request: Request, data: dict[str, Any]) -> Period:
    return local_days(data["first"], data["last"] + timedelta(days=1), request.city.zone)


def _read(
    conn: Connection, request: Request, data: dict[str, Any]
) -> tuple[Statement, Paper] | Refusal:
    city, account = request.city.code, data["account"].strip()
    made = read_statement(
        conn, city, account, data["asset"].strip(), _period(request, data), work.CLOCK
    )
    if isinstance(made, Refusal):
        return made
    verify = request.build_absolute_uri("/verify/")
    paper = statements.paper(conn, city, "official", language(), "", verify)
    holder = paper.names.get(account, "")
    return made, Paper(**{**paper.__dict__, "holder": holder})


@require_safe
@needs(*STAFF)
def choose(request: Request) -> HttpResponse:
    """Choose an account and a period; the first entries are shown, all of them downloaded."""
    first = today(request).replace(day=1)
    form = StatementForm(
        request.GET if "account" in request.GET else None,
        initial={"account": "trust:local", "first": first, "last": today(request)},
    )  # fmt: skip
    context: dict[str, Any] = {"form": form, "forms": list(FORMS), "most": _SHOWN}
    city = request.city.code
    with transaction(city) as conn:
        won = ledger.accounts(conn, city, asset="KRW")
        if form.is_bound and form.is_valid():
            found = _read(conn, request, form.cleaned_data)
            if isinstance(found, Refusal):
                context["refusal"] = found
            else:
                made, paper = found
                unit = asset_word(made.asset, "", language()).strip(" ()")
                lines = enumerate(islice(made.lines(), _SHOWN), start=1)
                context |= {"made": made, "rows": [row(n, x, paper) for n, x in lines],
                            "notes": paper.notes,
                            "word": paper.holder or account_word(made.account, language()),
                            "unit": unit}  # fmt: skip
    own = [a.code for a in won if a.code.startswith(_OWN)][:_SUGGESTED]
    context["known"] = [(code, account_word(code, language())) for code in own]
    status = 409 if "refusal" in context else 200
    return books_page(request, "statements.html", "statements", status, **context)


@require_safe
@needs(*STAFF)
def file(request: Request, form: str) -> HttpResponseBase:
    """The statement as a file: `?account= asset= first= last=`."""
    asked = StatementForm(request.GET)
    if form not in FORMS or not asked.is_valid():
        raise Http404
    with transaction(request.city.code) as conn:
        found = _read(conn, request, asked.cleaned_data)
    made = found if isinstance(found, Refusal) else download(*found, form)
    if isinstance(made, Refusal):
        return books_page(
            request, "statements.html", "statements", 409, form=asked, forms=list(FORMS),
            refusal=made, known=[], most=_SHOWN, title=_("거래내역서"),
        )  # fmt: skip
    return answer(made)
