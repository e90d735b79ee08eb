"""Pages of words: how to verify, and whose data this is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil.portal.logbook import logbook
from onsil.portal.receipts import program
from onsil.portal.transparency import trust


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """How anybody checks the city's books, and a form that checks in the reader's browser."""
    logs = logbook(request.city.code)
    return render(
        request,
        "portal/verify.html",
        {
            "logbook": logs,
            "newest": logs[0] if logs else None,
            "trust": trust(request.city.code, get_language() or "ko"),
            "program": program(),
            "address": request.build_absolute_uri("/").rstrip("/"),
        },
    )


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Whose data, fonts and software the city's screens rest on, under which licences."""
    return render(request, "portal/about_data.html", {})
