"""Pages of words: how to verify, and whose data this is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onsil.portal.logbook import logbook


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """How anybody checks the city's books, and a form that checks in the reader's browser."""
    logs = logbook(request.city.code)
    return render(
        request,
        "portal/verify.html",
        {
            "logbook": logs,
            "keys": {log.origin: log.verifier_key for log in logs},
            "address": request.build_absolute_uri("/").rstrip("/"),
        },
    )


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Whose data, fonts and software the city's screens rest on, under which licences."""
    return render(request, "portal/about_data.html", {})
