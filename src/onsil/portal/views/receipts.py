"""A receipt for its owner: looked at and checked on one page, kept as a file, shown to others."""

from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from onsil.core.refusal import Refusal
from onsil.portal.receipts import KINDS, PROGRAM_NAME, PUBLIC, Held, program, receipt_of
from onsil.portal.transparency import trust


@require_safe
@never_cache
def receipt(request: HttpRequest, kind: str, id: UUID) -> HttpResponseBase:
    """The receipt's page: what it says and whether it holds, found out by the reader's browser."""
    held = _held(request, kind, id)
    if held is None:
        return redirect_to_login(request.get_full_path())
    shown = isinstance(held.receipt, str)
    return render(
        request,
        "portal/receipt.html",
        {
            "held": held,
            "refusal": None if shown else held.receipt,
            "given": {"text": held.receipt, "name": held.name} if shown else None,
            "trust": trust(request.city.code, get_language() or "ko"),
            "program": program(),
        },
    )


@require_safe
@never_cache
def receipt_file(request: HttpRequest, kind: str, id: UUID) -> HttpResponseBase:
    """The same receipt as a file (c2sp.org/tlog-proof)."""
    held = _held(request, kind, id)
    if held is None:
        return redirect_to_login(request.get_full_path())
    if isinstance(held.receipt, Refusal):
        raise Http404(held.receipt.code)
    response = HttpResponse(held.receipt, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{held.name}"'
    return response


def _held(request: HttpRequest, kind: str, subject_id: UUID) -> Held | None:
    """The reader's receipt; None when signing in might help. Raises Http404."""
    if kind not in KINDS:
        raise Http404(kind)
    if kind not in PUBLIC and not request.user.is_authenticated:
        return None
    reader = str(request.user.pk) if request.user.is_authenticated else ""
    held = receipt_of(request.city.code, kind, subject_id, reader)
    if held is None:
        raise Http404("not yours")
    return held


@require_safe
def verifier_program(request: HttpRequest) -> HttpResponse:
    """The stand-alone verifier, for download."""
    made = program()
    response = HttpResponse(made.content, content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{PROGRAM_NAME}"'
    response["Cache-Control"] = "public, max-age=300"
    response["ETag"] = f'"{made.sha256}"'
    return response
