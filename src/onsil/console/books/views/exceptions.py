"""Exceptions: the list, one of them with its story, and what is done about it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.books import words, work
from onsil.console.books.forms import ExceptionFilter
from onsil.console.books.views.frame import (
    READERS,
    WORKERS,
    accounts,
    actor,
    books_page,
    choices,
    found_exceptions,
    language,
    office,
    tell,
    today,
)
from onsil.console.export import csv_response
from onsil.console.frame import Request, needs
from onsil.core.refusal import Refusal
from onsil.ledger import reconciliation
from onsil.ledger.closing import AGES, OLDEST
from onsil.ledger.reconciliation import BankAccount, Finding, Line, Order
from onsil.ledger.statements import account_word, kind_word
from onsil.tenancy import transaction

_PAGE, _OTHERS = 50, 30


def _asked(request: Request, found: list[Finding]) -> tuple[ExceptionFilter, list[Finding]]:
    form = ExceptionFilter(request.GET or None, accounts=choices(request), words=words.PROBLEMS)
    if not form.is_bound or not form.is_valid():
        return form, found
    data = form.cleaned_data
    return form, [
        f for f in found
        if data["account"] in ("", f.line.account) and data["problem"] in ("", f.problem)
        and data["side"] in ("", f.line.side) and f.age_days >= (data["older"] or 0)
    ]  # fmt: skip


@require_safe
@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """Open exceptions with ages and sums, filtered; `?format=csv`."""
    city = request.city.code
    with transaction(city) as conn:
        every = found_exceptions(conn, request)
        waiting = reconciliation.waiting_proposals(conn, city)
    form, found = _asked(request, every)
    names = dict(choices(request))
    if request.GET.get("format") == "csv":
        header = [
            _("계좌"), _("어느 쪽"), _("날"), _("며칠째"), _("금액(원)"), _("무엇이 문제인가"),
            _("참조"), _("적요"), _("상대"),
        ]  # fmt: skip
        rows = [
            (names[f.line.account], str(words.SIDES[f.line.side]), f.line.day.isoformat(),
             f.age_days, f.line.amount, str(words.PROBLEMS[f.problem]), f.line.reference,
             f.line.text, f.line.party)
            for f in found
        ]  # fmt: skip
        return csv_response(f"{city}-exceptions", header, rows)
    makers = people.names_of(w["made_by"] for w in waiting)
    return books_page(
        request, "exceptions.html", "exceptions", form=form, count=len(found), every=len(every),
        rows=Paginator([_row(f, names) for f in found], _PAGE).get_page(request.GET.get("page")),
        ages=_ages(found), waiting=[_waiting(w, makers, names) for w in waiting],
    )  # fmt: skip


def _row(found: Finding, names: dict[str, str]) -> dict[str, Any]:
    return {
        "one": found, "line": found.line, "account": names[found.line.account],
        "word": words.PROBLEMS[found.problem], "status": words.PROBLEM_STATUS[found.problem],
        "side": words.SIDES[found.line.side], "party": _party(found.line),
    }  # fmt: skip


def _party(line: Line) -> str:
    """Who stands opposite: as the bank wrote it, or the family of the account in the books."""
    return line.party if line.side == "bank" else account_word(line.party, language())


def _ages(found: list[Finding]) -> list[dict[str, Any]]:
    spans: dict[str, list[int]] = {**{name: [] for _, name in AGES}, OLDEST: []}
    for one in found:
        span = next((name for most, name in AGES if one.age_days <= most), OLDEST)
        spans[span].append(one.line.amount)
    return [
        {"span": span.removesuffix("-") + ("+" if span == OLDEST else ""), "count": len(sums),
         "incoming": sum(a for a in sums if a > 0), "outgoing": sum(a for a in sums if a < 0)}
        for span, sums in spans.items()
    ]  # fmt: skip


def _waiting(row: dict[str, Any], makers: dict[str, str], names: dict[str, str]) -> dict[str, Any]:
    return {
        **row, "maker": makers.get(row["made_by"], row["made_by"]),
        "act_word": words.ACTS[row["act"]],
        "account_name": names.get(row["account"], row["account"]),
    }  # fmt: skip


def _line(request: Request, line: UUID) -> tuple[Line, BankAccount]:
    with transaction(request.city.code) as conn:
        found = reconciliation.line(conn, request.city.code, line)
    account = accounts(request).get(found.account) if found is not None else None
    if found is None or account is None:
        raise Http404
    return found, account


@require_safe
@needs(*READERS)
def detail(request: Request, line: UUID) -> HttpResponse:
    """One line: what is wrong, what it may belong to, what was done so far."""
    return _detail(request, line)


def _detail(
    request: Request, line: UUID, refusal: Refusal | None = None, reason: str = "",
    chosen: frozenset[str] = frozenset(),
) -> HttpResponse:  # fmt: skip
    one, account = _line(request, line)
    city = request.city.code
    with transaction(city) as conn:
        every = reconciliation.exceptions(conn, city, account, today(request))
        is_open = any(
            x.id == one.id for x in reconciliation.open_lines(conn, city, account.code, one.side)
        )
        others = [
            x for side in ("bank", "book")
            for x in reconciliation.open_lines(conn, city, account.code, side) if x.id != one.id
        ]  # fmt: skip
        events = reconciliation.history(conn, city, one)
    found = next((f for f in every if f.line.id == one.id), None)
    suggested = {x.id for x in found.others} if found else set()
    others.sort(key=lambda x: (x.id not in suggested, abs(x.amount - one.amount), x.day))
    names = people.names_of(e.actor for e in events)
    return books_page(
        request, "exception.html", "exceptions", 200 if refusal is None else 409, line=one,
        account=account, account_name=account.name.said(language()), found=found,
        problem=words.PROBLEMS[found.problem] if found else None,
        sign=words.PROBLEM_STATUS[found.problem] if found else "good", is_open=is_open,
        party=_party(one), others=[(x, _party(x)) for x in others[:_OTHERS]],
        more=max(0, len(others) - _OTHERS), suggested=suggested,
        can_hand_over=account.collects and one.side == "bank" and one.amount > 0
        and not any(e.kind.startswith("taken-") for e in events),
        corrections=[(c.code, c.name.said(language()), account_word(c.account, language()))
                     for c in account.corrections],
        events=[_event(e, names) for e in events], refusal=refusal, reason=reason, chosen=chosen,
        side_word=words.SIDES[one.side], kind=kind_word(one.kind, language()),
        origin=kind_word(one.origin_kind, language()),
    )  # fmt: skip


def _event(event: reconciliation.Event, names: dict[str, str]) -> dict[str, Any]:
    by = _("규칙") if event.actor == reconciliation.RULES else names.get(event.actor, event.actor)
    text = event.text_en if language().startswith("en") else event.text_ko
    return {"one": event, "word": words.EVENTS.get(event.kind, event.kind), "by": by, "text": text}


def _ids(values: list[str]) -> tuple[UUID, ...] | None:
    try:
        return tuple(UUID(value) for value in values)
    except ValueError:
        return None


@require_POST
@needs(*WORKERS)
def act(request: Request, line: UUID) -> HttpResponse:
    """Match the line with the chosen ones, or correct the books: `act=match|correct`."""
    one, account = _line(request, line)
    kind, reason = request.POST.get("act", ""), request.POST.get("reason", "").strip()[:300]
    chosen = request.POST.getlist("lines")
    ids = _ids(chosen)
    if kind not in ("match", "correct") or ids is None:
        raise Http404
    order = Order(kind, reason, (one.id, *ids), correction=request.POST.get("correction", ""))  # pyright: ignore
    with transaction(request.city.code) as conn:
        done = reconciliation.ask(office(conn, request, account), order, actor(request))
    if isinstance(done, Refusal):
        return _detail(request, line, done, reason, frozenset(chosen))
    said = _("다른 사람의 승인을 기다립니다.") if done.waiting else _("처리했습니다.")
    tell(request, done, said)
    return redirect("books-exceptions")


@require_POST
@needs(*WORKERS)
def comment(request: Request, line: UUID) -> HttpResponse:
    """Say something about a line."""
    _line(request, line)
    with transaction(request.city.code) as conn:
        no = reconciliation.comment(
            conn, request.city.code, line, request.POST.get("text", ""), actor(request), work.CLOCK
        )
    tell(request, no, _("적어 두었습니다."))
    return redirect("books-exception", line=line)


@require_POST
@needs(*WORKERS)
def hand_over(request: Request, line: UUID) -> HttpResponse:
    """Let the office of charges see to money that names no charge: to assign it or give it back."""
    _line(request, line)
    if work.hand_over(request.city.code, line, work.CLOCK):
        messages.success(request, _("충전 입금으로 넘겼습니다."))
    else:
        messages.error(request, _("이미 넘겼거나, 들어온 돈이 아니어서 넘길 수 없습니다."))
    return redirect("books-exception", line=line)


@require_POST
@needs(*WORKERS)
def undo(request: Request, line: UUID, match: UUID) -> HttpResponse:
    """Take a match of this line back."""
    one, account = _line(request, line)
    order = Order("undo", request.POST.get("reason", ""), match_id=match)
    with transaction(request.city.code) as conn:
        done = reconciliation.ask(office(conn, request, account), order, actor(request))
    tell(request, done, _("처리했습니다."))
    return redirect("books-exception", line=one.id)


@require_POST
@needs(Role.APPROVER)
def decide(request: Request, proposal: UUID) -> HttpResponse:
    """Approve or decline what somebody else asked for: `decision=approve|decline`."""
    city = request.city.code
    with transaction(city) as conn:
        row = reconciliation.proposal(conn, city, proposal)
        account = accounts(request).get(row["account"]) if row else None
        if account is None:
            raise Http404
        approve = request.POST.get("decision") == "approve"
        done = reconciliation.decide(
            office(conn, request, account), proposal, approve, actor(request)
        )
    tell(request, done, _("승인했습니다.") if approve else _("승인하지 않았습니다."))
    return redirect("books-exceptions")
