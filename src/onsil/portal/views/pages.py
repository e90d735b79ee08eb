"""Pages of words: how to verify, and whose data this is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onsil.configuration import configuration
from onsil.portal.logbook import logbook


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """How anybody checks the city's books, and a form that checks in the reader's browser."""
    return render(
        request,
        "portal/verify.html",
        {
            "logbook": logbook(request.city.code),
            "address": request.build_absolute_uri("/").rstrip("/"),
            "web_address": configuration().web_address,
        },
    )


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Whose data, fonts and software the city's screens rest on, under which licences."""
    return render(request, "portal/about_data.html", {})
