"""The trace: where a won, a point or a credit came from, and where a reading went."""

from datetime import datetime
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from onsil.core.refusal import Refusal
from onsil.portal.access import owns, sees_everything
from onsil.portal.bundle import to_bytes
from onsil.portal.layout import lay_out, spelled
from onsil.portal.logbook import logbook
from onsil.portal.terms import StepKind, Trace
from onsil.portal.trace import PUBLIC_KINDS, trace_back, trace_forward
from onsil.portal.trace.readings import is_home, site_of


@require_safe
@never_cache
def trace(request: HttpRequest, kind: str, id: str) -> HttpResponseBase:
    """The journey back. A citizen sees their own, staff and verifiers all, the public credits."""
    found = _allowed_back(request, kind, id)
    if found is None:
        return redirect_to_login(request.get_full_path())
    return _page(request, found, f"{kind}/{id}")


@require_safe
@never_cache
def bundle(request: HttpRequest, kind: str, id: str) -> HttpResponseBase:
    """The same journey as a file that is verified offline."""
    found = _allowed_back(request, kind, id)
    if found is None:
        return redirect_to_login(request.get_full_path())
    return _file(found, f"onsil-trace-{kind}-{id[:13]}.json")


def _file(found: Trace, name: str) -> HttpResponse:
    response = HttpResponse(to_bytes(found), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _allowed_back(request: HttpRequest, kind: str, id: str) -> Trace | None:
    """The trace as this reader may see it; None when signing in might help. Raises Http404."""
    everything = sees_everything(request)
    public = kind in PUBLIC_KINDS and not everything
    if not public and not request.user.is_authenticated:
        return None
    found = trace_back(
        request.city.code, kind, id, reader=_reader(request), public=public,
        own_only=not everything,
    )  # fmt: skip
    if isinstance(found, Refusal):
        raise Http404(found.code)
    if not (everything or public or owns(request, found)):
        raise Http404("not yours")
    return found


def _reader(request: HttpRequest) -> str:
    return str(request.user.pk) if request.user.is_authenticated else ""


@require_safe
@never_cache
def reading(request: HttpRequest) -> HttpResponseBase:
    """The journey onward from one reading (`entity`, `attribute`, `at`); `bundle` asks the file."""
    try:
        instant = datetime.fromisoformat(request.GET.get("at", "").replace(" ", "+"))
    except ValueError:
        raise Http404("at") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=request.city.zone)
    entity, attribute = request.GET.get("entity", ""), request.GET.get("attribute", "")
    everything = sees_everything(request)
    home = is_home(site_of(request.city.code, entity, attribute))
    if home and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    found = trace_forward(
        request.city.code, entity, attribute, instant, reader=_reader(request),
        public=not everything and not home, own_only=not everything,
    )  # fmt: skip
    if isinstance(found, Refusal):
        raise Http404(found.code)
    if home and not everything and not owns(request, found):
        raise Http404("not yours")
    if "bundle" in request.GET:
        return _file(found, "onsil-trace-reading.json")
    return _page(request, found, "")


def _page(request: HttpRequest, found: Trace, path: str) -> HttpResponse:
    subject = found.step(found.subject)
    everything = sees_everything(request)
    keys = {log.origin: log.verifier_key for log in logbook(request.city.code)}
    return render(
        request,
        "portal/trace.html",
        {
            "trace": found,
            "branch": spelled(lay_out(found), get_language() or "ko"),
            "subject": subject,
            "detail": everything,
            "verifier": everything,
            "runs": found.kinds(StepKind.RUN),
            "bundle_path": path,
            "proofs": _proofs(found),
            "keys": keys,
            "places": _places(found),
        },
    )


def _proofs(found: Trace) -> list[dict[str, Any]]:
    """What the browser checks: each sealed step's key and bundle."""
    return [
        {"step": step.key, "bundle": dict(step.proof.bundle)}
        for step in found.steps
        if step.proof.bundle is not None
    ]


def _places(found: Trace) -> list[dict[str, Any]]:
    english = (get_language() or "ko").startswith("en")
    # Several meters of one building are one place.
    places = {
        (step.place.longitude, step.place.latitude): {
            "id": step.key, "name": step.title.text("en" if english else "ko"),
            "lon": step.place.longitude, "lat": step.place.latitude, "kind": "building",
        }
        for step in reversed(found.steps)
        if step.place is not None
    }  # fmt: skip
    return list(places.values())
