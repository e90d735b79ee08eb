"""Statements that people take with them: a citizen's own wallet, a shop's own account."""

from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from onsil import ledger
from onsil.citizen.access import Request, citizens_only, shops_only
from onsil.citizen.services import merchants, statements
from onsil.citizen.services.postings import SYSTEM, wallet_account
from onsil.core.periods import local_day, local_month
from onsil.core.refusal import Refusal
from onsil.ledger.statements import FORMS, Download, asset_word, download, read_statement
from onsil.tenancy import transaction

_MONTHS_BACK = 24


def answer(found: Download) -> StreamingHttpResponse:
    """A statement as a download that is sent while it is made."""
    response = StreamingHttpResponse(found.chunks, content_type=found.content_type)
    response["Content-Disposition"] = f'attachment; filename="{found.name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@never_cache
@require_safe
@citizens_only
def wallet(request: Request) -> HttpResponse:
    """Choose a month and a form for one's own wallet."""
    return _choose(request, wallet_account(request.user.pk), "app-statement-file",
                   "citizen/statement.html", {"tab_wallet": True})  # fmt: skip


@never_cache
@require_safe
@citizens_only
def wallet_file(request: Request, form: str) -> HttpResponseBase:
    """One's own statement: `?asset=`, `?month=2026-03`."""
    return _file(request, wallet_account(request.user.pk), "citizen", str(request.user), form)


@never_cache
@require_safe
@shops_only
def shop(request: Request) -> HttpResponse:
    """Choose a month and a form for one's own shop."""
    assert request.shop is not None
    extra = {"tab_settlement": True, "shop": request.shop,
             "shops": merchants.shops_of(request.user)}  # fmt: skip
    return _choose(request, f"merchant:{request.shop.pk}", "shop-statement-file",
                   "citizen/shop/statement.html", extra)  # fmt: skip


@never_cache
@require_safe
@shops_only
def shop_file(request: Request, form: str) -> HttpResponseBase:
    """The shop's own statement; no payer stands in it."""
    assert request.shop is not None
    return _file(request, f"merchant:{request.shop.pk}", "merchant", request.shop.name, form)


def _assets(request: Request, account: str) -> list[str]:
    """What the account holds or held, but for counters."""
    city = request.city.code
    with transaction(city) as conn:
        found = ledger.accounts(conn, city, prefix=account)
    return [a.asset for a in found if a.code == account and not a.asset.startswith("quota:")]


def _choose(
    request: Request, account: str, file_url: str, template: str, extra: dict[str, Any]
) -> HttpResponse:
    language = get_language() or "ko"
    assets = [
        (asset, _named(asset, request.city.currency(language), language))
        for asset in sorted(_assets(request, account), key=_own_currency_first)
    ]
    today = local_day(SYSTEM.now(), request.city.zone)
    refused = request.GET.get("no")
    links = [(form.upper(), reverse(file_url, args=[form])) for form in FORMS]
    context = {"assets": assets, "months": _months(today), "links": links, "refused": refused}
    return render(request, template, {**context, **extra})


def _own_currency_first(asset: str) -> tuple[bool, str]:
    return not asset.startswith("local:"), asset


def _named(asset: str, currency: str, language: str) -> str:
    word = asset_word(asset, currency, language)
    family, _, name = asset.partition(":")
    return f"{word} · {name}" if family == "point" else word


def _months(today: date) -> list[str]:
    found, day = [], today.replace(day=1)
    for _ in range(_MONTHS_BACK):
        found.append(f"{day:%Y-%m}")
        day = (day - timedelta(days=1)).replace(day=1)
    return found


def _file(
    request: Request, account: str, reader: str, holder: str, form: str
) -> HttpResponseBase:  # fmt: skip
    asset = request.GET.get("asset", "")
    try:
        year, month = (int(part) for part in request.GET.get("month", "").split("-"))
        period = local_month(year, month, request.city.zone)
    except ValueError:
        raise Http404 from None
    if form not in FORMS or asset not in _assets(request, account):
        raise Http404
    city, language = request.city.code, get_language() or "ko"
    verify = request.build_absolute_uri("/verify/")
    with transaction(city) as conn:
        made = read_statement(conn, city, account, asset, period, SYSTEM)
        if isinstance(made, Refusal):
            raise Http404
        paper = statements.paper(conn, city, reader, language, holder, verify)
    found = download(made, paper, form)
    if isinstance(found, Refusal):
        return render(request, "citizen/statement_refused.html", {"refusal": found}, status=409)
    return answer(found)
