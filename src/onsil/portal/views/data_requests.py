"""Asking for a data set that is not open: the form, how one's requests stand, the key told once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from onsil import proof
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.hub.datasets import access
from onsil.hub.datasets.requests import (
    ORGANISATION_MOST,
    PURPOSE_LEAST,
    PURPOSE_MOST,
    TERMS,
    UsageRequest,
)
from onsil.hub.datasets.store import Entry, dataset, datasets_of
from onsil.hub.steps import run
from onsil.portal.views.offer import addresses
from onsil.tenancy import transaction

_CLOCK = SystemClock()


def state_words() -> dict[str, tuple[str, str]]:
    """A request's state as (sign, word); `over`: approved, but its term has passed."""
    return {
        "asked": ("info", _("검토를 기다립니다")), "approved": ("good", _("승인")),
        "refused": ("bad", _("반려")), "withdrawn": ("plain", _("거둠")),
        "ended": ("bad", _("이용 중지")), "over": ("plain", _("기간 끝남")),
    }  # fmt: skip


def term_words() -> list[tuple[int, str]]:
    return list(zip(TERMS, (_("30일"), _("90일"), _("6개월"), _("1년"), _("2년")), strict=True))


def _person(request: HttpRequest) -> str:
    return f"user:{request.user.pk}"


def _shown(request: UsageRequest, title: str) -> dict[str, Any]:
    over = request.expired(_CLOCK.now())
    sign, word = state_words()["over" if over else request.state]
    return {"it": request, "title": title, "sign": sign, "word": word,
            "opens": request.open(_CLOCK.now())}  # fmt: skip


@never_cache
@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """One's own requests, newest first."""
    return _mine(request)


def _mine(request: HttpRequest, key: str = "", of: str = "") -> HttpResponse:
    city, language = request.city.code, get_language() or "ko"
    with transaction(city) as conn:
        own = run(conn, access.requests_of(city, _person(request)))
        titles = {one.dataset.id: one.dataset.title.text(language)
                  for one in run(conn, datasets_of(city))}  # fmt: skip
    return render(request, "portal/data_requests.html", {
        "requests": [_shown(one, titles.get(one.dataset, one.dataset)) for one in own],
        "key": key, "key_of": of, "broker": addresses(request).broker, "tenant": city,
    })  # fmt: skip


@never_cache
def ask(request: HttpRequest, id: str) -> HttpResponse:
    """The form to ask for a data set; a POST asks, once."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponse(status=405)
    city, user = request.city.code, request.user
    if request.method == "POST" and user.is_authenticated:
        return _ask(request, id)
    with transaction(city) as conn:
        entry = _entry(conn, city, id)
        own = run(conn, access.requests_of(city, _person(request))) if user.is_authenticated else []
    return _form(request, entry, own, {})


def _form(
    request: HttpRequest, entry: Entry, own: list[UsageRequest], given: dict[str, str],
    refusal: Refusal | None = None,
) -> HttpResponse:  # fmt: skip
    language, now = get_language() or "ko", _CLOCK.now()
    one = entry.dataset
    title = one.title.text(language)
    held = [_shown(r, title) for r in own if r.dataset == one.id]
    return render(request, "portal/data_request.html", {
        "set": one, "id": one.id, "title": title, "provider": one.provider.text(language),
        "description": one.description.text(language), "given": given, "terms": term_words(),
        "told": "" if refusal is None else refusal.text(language), "held": held[:1],
        "may_ask": not any(r["it"].pending(now) for r in held),
        "least": PURPOSE_LEAST, "most": PURPOSE_MOST, "organisation_most": ORGANISATION_MOST,
    }, status=200 if refusal is None else 400)  # fmt: skip


def _ask(request: HttpRequest, id: str) -> HttpResponse:
    city, person, now = request.city.code, _person(request), _CLOCK.now()
    given = {name: request.POST.get(name, "").strip()
             for name in ("purpose", "organisation", "days")}  # fmt: skip
    days = int(given["days"]) if given["days"].isdecimal() and len(given["days"]) < 5 else 0
    with transaction(city) as conn:
        entry = _entry(conn, city, id)
        made = run(conn, access.ask(
            city, entry.dataset, person, given["organisation"], given["purpose"], days, now
        ))  # fmt: skip
        if isinstance(made, Refusal):
            own = run(conn, access.requests_of(city, person))
            return _form(request, entry, own, given, made)
        _audit(conn, request, "data-set.asked", made, {"days": made.days})
    messages.success(request, _("신청했습니다. 담당 공무원이 검토하면 이메일로 알려 드립니다."))
    return redirect("data-requests")


@never_cache
@require_POST
@login_required
def key(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Make a key for an approved request and show it, this once."""
    city, id = request.city.code, str(request_id)
    with transaction(city) as conn:
        made = run(conn, access.make_key(city, id, _person(request), _CLOCK.now()))
        if made is None:
            raise Http404
        if isinstance(made, Refusal):
            messages.error(request, made.text(get_language() or "ko"))
            return redirect("data-requests")
        found = run(conn, access.request_of(city, id))
        assert found is not None
        _audit(conn, request, "data-set.key-made", found, {})
    return _mine(request, made, id)


@require_POST
@login_required
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take a request back, or give access back; its key ends at once."""
    city = request.city.code
    with transaction(city) as conn:
        done = run(conn, access.withdraw(city, str(request_id), _person(request), _CLOCK.now()))
        if done is None:
            raise Http404
        _audit(conn, request, "data-set.withdrawn", done, {})
    messages.success(request, _("거두었습니다. 열쇠가 있었다면 더는 열리지 않습니다."))
    return redirect("data-requests")


def _audit(
    conn: Connection, request: HttpRequest, action: str, about: UsageRequest, after: dict[str, Any]
) -> None:
    proof.audit(
        conn, request.city.code, _person(request), action, "data-set-request", about.id, None,
        {"data_set": about.dataset, **after},
    )  # fmt: skip


def _entry(conn: Connection, city: str, id: str) -> Entry:
    found = run(conn, dataset(city, id))
    if found is None:
        raise Http404
    return found
