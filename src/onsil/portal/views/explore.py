"""The data explorer for everybody: open data sets asked, drawn, mapped; the call written out."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil.configuration import configuration
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.hub.datasets.access import veil
from onsil.hub.datasets.store import datasets_of
from onsil.hub.exploring.question import read_question
from onsil.hub.exploring.running import (
    call_of_form,
    called,
    explored,
    limit_time,
    page_of,
)
from onsil.hub.exploring.screen import Desk, file_of, told
from onsil.hub.exploring.sources import open_sources
from onsil.hub.steps import run
from onsil.tenancy import transaction

_CLOCK = SystemClock()


@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    """The page; `?part=call` gives the call alone, of a form that is being filled in."""
    given = dict(request.GET.lists())
    context = {"urls": urls(), "boundary": reverse("boundary"), "districts": reverse("districts")}
    with _desk(request) as (conn, desk):
        if not desk.sources:
            return render(request, "portal/explore.html", context)
        if request.GET.get("part") == "call":
            return render(request, "onsil/explore/call.html", call_of_form(desk, given))
        context |= page_of(conn, desk, given, _words(), _CLOCK.now())
    return render(request, "portal/explore.html", context)


@require_safe
def explorer_file(request: HttpRequest, what: str, form: str) -> HttpResponse:
    """What the page shows, as a file."""
    with _desk(request) as (conn, desk):
        if not desk.sources:
            raise Http404
        question = read_question(dict(request.GET.lists()), desk.sources, desk.zone)
        made = None if question.faults else explored(conn, desk, question, _CLOCK.now())
    if made is None or not made.answer.good:
        raise Http404
    content, media = file_of(made, what, form)
    name = question.source.key.split(":", 1)[1]
    response = HttpResponse(content, content_type=media)
    response["Content-Disposition"] = f'attachment; filename="{name}-{what}.{form}"'
    return response


@require_POST
def call(request: HttpRequest) -> HttpResponse:
    """A call typed into a console, run within the data set it stands on."""
    with _desk(request) as (conn, desk):
        found = called(conn, desk, request.POST.dict(), _CLOCK.now())  # pyright: ignore
    if found is None:
        raise Http404
    return render(request, "onsil/explore/console_answer.html", told(found, desk.language))


@contextmanager
def _desk(request: HttpRequest) -> Iterator[tuple[Connection, Desk]]:
    """The open data sets; in this transaction closed entities cannot be seen at all."""
    city = request.city
    with transaction(city.code) as conn:
        run(conn, veil())
        limit_time(conn)
        there = (one.dataset for one in run(conn, datasets_of(city.code)))
        sources = open_sources(one for one in there if one.open)
        broker = configuration().hub_address
        yield conn, Desk(city.code, city.zone, broker, sources, get_language() or "ko")


def urls() -> dict[str, str]:
    """Where the page's parts are asked for."""
    files = {
        f"{what}_{form}": reverse("data-explore-file", args=[what, form])
        for what in ("series", "entities") for form in ("csv", "xlsx")
    }  # fmt: skip
    return {"page": reverse("data-explore"), "call": reverse("data-call"), **files}


def _words() -> dict[str, str]:
    return {"previous": _("앞 기간"), "year": _("지난해")}
