"""The daily close: a calendar, a day's figures, closing it alone or by two."""

import calendar
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.books import work
from onsil.console.books.views.frame import (
    READERS,
    WORKERS,
    accounts,
    actor,
    books_page,
    language,
    tell,
    today,
)
from onsil.console.frame import Request, needs
from onsil.core.canonical import plain
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import closing
from onsil.ledger.statements import account_word, kind_word
from onsil.proof import leaf
from onsil.tenancy import transaction


def ground(conn: Connection, request: Request) -> closing.Ground:
    city = request.city
    return closing.Ground(conn, city.code, work.setup_of(city.code), city.zone, work.CLOCK)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404 from None


def _month(text: str, now: date) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return now.replace(day=1)


def month_of(conn: Connection, request: Request, first: date) -> list[list[dict[str, Any] | None]]:
    """The weeks of a month: each day with its state, None outside the month."""
    now = today(request)
    days = calendar.Calendar(firstweekday=6).monthdatescalendar(first.year, first.month)
    closed = closing.closes(conn, request.city.code, days[0][0], days[-1][-1])
    last = closing.last_closed(conn, request.city.code)

    def cell(day: date) -> dict[str, Any] | None:
        if day.month != first.month:
            return None
        made = closed.get(day)
        if made is not None:
            state = "override" if made.override_reason else "closed"
        elif day >= now:
            state = "future"
        else:
            state = "open" if last is not None and day > last else "before"
        return {"day": day, "state": state, "today": day == now}

    return [[cell(day) for day in week] for week in days]


@require_safe
@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """The calendar of a month, `?month=2026-03`."""
    now = today(request)
    first = _month(request.GET.get("month", ""), now)
    with transaction(request.city.code) as conn:
        weeks = month_of(conn, request, first)
        last = closing.last_closed(conn, request.city.code)
    following = (first + timedelta(days=32)).replace(day=1)
    return books_page(
        request, "closes.html", "closes", weeks=weeks, first=first, last=last,
        next_day=last + timedelta(days=1) if last else now - timedelta(days=1), now=now,
        earlier=(first - timedelta(days=1)).replace(day=1),
        later=following if following <= now else None,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def detail(request: Request, day: str) -> HttpResponse:
    """A day's figures: as recorded when it is closed, as known now while it is open."""
    return _detail(request, _day(day))


def _detail(request: Request, day: date, refusal: Refusal | None = None) -> HttpResponse:
    city = request.city.code
    if day > today(request):
        raise Http404
    with transaction(city) as conn:
        made = closing.closed_day(conn, city, day)
        held = leaf(conn, city, closing.LEAF, made.id) if made else None
        asked = closing.open_request(conn, city, day)
        last = closing.last_closed(conn, city)
        figures = made.figures if made else plain(
            closing.figures_record(closing.preview(ground(conn, request), day))
        )  # fmt: skip
    actors = [made.closed_by, made.approved_by] if made else [asked.made_by] if asked else []
    names = people.names_of(a for a in actors if a)
    reasons = [{**r, "text": r["en" if language().startswith("en") else "ko"]}
               for r in figures["reasons"]]  # fmt: skip
    blocked = any(r["severity"] == "block" for r in reasons)
    over = day < today(request)
    in_turn = last is None or day == last + timedelta(days=1)
    return books_page(
        request, "close.html", "closes", 200 if refusal is None else 409, day=day, made=made,
        figures=figures, reasons=reasons, blocked=blocked, asked=asked, leaf=held,
        who=names.get(made.closed_by, made.closed_by) if made else None,
        approver=names.get(made.approved_by, made.approved_by) if made else None,
        asker=names.get(asked.made_by, asked.made_by) if asked else None,
        shown=_shown(request, figures), over=over,
        surplus=int(figures["trust"]) - int(figures["circulating"]), in_turn=in_turn,
        refusal=refusal, balances=_balances(figures), adjustments=_adjustments(figures),
        next_day=last + timedelta(days=1) if last else None, last=last,
        previous=day - timedelta(days=1), following=day + timedelta(days=1),
    )  # fmt: skip


def _balances(figures: Any) -> list[dict[str, Any]]:
    return [
        {"code": code, "word": account_word(code, language()), "amount": amount}
        for code, amount in figures["balances"].items()
    ]


def _adjustments(figures: Any) -> list[dict[str, Any]]:
    return [
        {**a, "word": account_word(a["account"], language()),
         "kind_word": kind_word(a["kind"], language())}
        for a in figures["adjustments"]
    ]  # fmt: skip


def _shown(request: Request, figures: Any) -> list[dict[str, Any]]:
    known = accounts(request)
    return [
        {**a, "name": known[a["code"]].name.said(language()) if a["code"] in known else a["code"],
         "has_balance": a["code"] in known and bool(known[a["code"]].holds),
         "in_use": bool(a["matched"] or a["open_bank"] or a["open_book"] or a["covered"]),
         "count": sum(a["exceptions"].values())}
        for a in figures["accounts"]
    ]  # fmt: skip


@require_POST
@needs(*WORKERS)
def close(request: Request, day: str) -> HttpResponse:
    """Close the day, or ask that it be closed nevertheless when a `reason` is given."""
    which, reason = _day(day), request.POST.get("reason")
    with transaction(request.city.code) as conn:
        here = ground(conn, request)
        if reason is None:
            done: object = closing.close_day(here, which, actor(request))
        else:
            done = closing.request_close(here, which, reason, actor(request))
    if isinstance(done, Refusal):
        return (
            _detail(request, which, done) if which <= today(request) else redirect("books-closes")
        )
    said = _("마감했습니다.") if reason is None else _("다른 사람의 승인을 기다립니다.")
    tell(request, done, said)
    return redirect("books-close", day=day)


@require_POST
@needs(Role.APPROVER)
def decide(request: Request, day: str) -> HttpResponse:
    """Approve or decline closing a day that is not in order."""
    which, approve = _day(day), request.POST.get("decision") == "approve"
    with transaction(request.city.code) as conn:
        done = closing.decide_request(ground(conn, request), which, approve, actor(request))
    tell(request, done, _("마감했습니다.") if approve else _("승인하지 않았습니다."))
    return redirect("books-close", day=day)
