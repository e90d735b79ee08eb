"""The data explorer for officials: every type of their city, its data sets, the calls."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil.configuration import configuration
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
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
from onsil.hub.exploring.sources import city_sources
from onsil.hub.query.discovery import types_with_attributes
from onsil.hub.steps import run
from onsil.tenancy import transaction

_CLOCK = SystemClock()


@require_safe
@needs(*STAFF)
def explorer(request: Request) -> HttpResponse:
    """The page; `?part=call` gives the call alone, of a form that is being filled in."""
    given = dict(request.GET.lists())
    context = {"urls": _urls(), "boundary": reverse("boundary"), "districts": reverse("districts")}
    with _desk(request) as (conn, desk):
        if request.GET.get("part") == "call" and desk.sources:
            return render(request, "onsil/explore/call.html", call_of_form(desk, given))
        if desk.sources:
            context |= page_of(conn, desk, given, _words(), _CLOCK.now())
    return page(request, "console/explore.html", section="explore", **context)


@require_safe
@needs(*STAFF)
def explorer_file(request: Request, what: str, form: str) -> HttpResponse:
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
@needs(*STAFF)
def call(request: Request) -> HttpResponse:
    """A call typed into a console, run in the official's city."""
    with _desk(request) as (conn, desk):
        found = called(conn, desk, request.POST.dict(), _CLOCK.now())  # pyright: ignore
    if found is None:
        raise Http404
    return render(request, "onsil/explore/console_answer.html", told(found, desk.language))


@contextmanager
def _desk(request: Request) -> Iterator[tuple[Connection, Desk]]:
    """Everything of the city."""
    city = request.city
    with transaction(city.code) as conn:
        limit_time(conn)
        types = run(conn, types_with_attributes(city.code, _CLOCK.now()))
        sets = [one.dataset for one in run(conn, datasets_of(city.code))]
        broker = configuration().hub_address
        yield conn, Desk(city.code, city.zone, broker, city_sources(sets, dict(types)),
                         get_language() or "ko")  # fmt: skip


def _urls() -> dict[str, str]:
    files = {
        f"{what}_{form}": reverse("console-explore-file", args=[what, form])
        for what in ("series", "entities") for form in ("csv", "xlsx")
    }  # fmt: skip
    return {"page": reverse("console-explore"), "call": reverse("console-call"), **files}


def _words() -> dict[str, str]:
    return {"previous": _("앞 기간"), "year": _("지난해")}
