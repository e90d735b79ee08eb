"""Refunds of charged money: seeing to each, paying them out by a file for the bank."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from onsil import proof
from onsil.citizen.models import Refund, RefundFile, Role
from onsil.citizen.services import refund_office
from onsil.console import people
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction


@never_cache
@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Refunds that wait, oldest first, then the files that went to the bank."""
    rows, files = refund_office.open_refunds(), refund_office.files()
    names = people.names_of([a.seen_to_by for a in rows] + [f.released_by for f in files])
    return page(
        request, "console/refunds.html", section="refunds",
        asked=[row for row in rows if row.stage == Refund.Stage.ASKED],
        approved=[(row, names.get(row.seen_to_by, "")) for row in rows
                  if row.stage == Refund.Stage.APPROVED],
        files=[(one, names.get(one.released_by, "")) for one in files],
        may_decide=bool(request.roles & {Role.OFFICIAL, Role.APPROVER}),
        may_release=Role.APPROVER in request.roles,
    )  # fmt: skip


@require_POST
@needs(Role.OFFICIAL, Role.APPROVER)
def decide(request: Request, refund: UUID) -> HttpResponse:
    """Find a refund in order, or send it back with the reason: `decision=approve|refuse`."""
    get_object_or_404(Refund, city=request.city.code, pk=refund)
    actor, reason = f"user:{request.user.pk}", request.POST.get("reason", "").strip()
    if request.POST.get("decision") == "refuse":
        if not reason:
            messages.error(request, _("반려하는 까닭을 적어 주세요. 아무것도 바뀌지 않았습니다."))
            return redirect("console-refunds")
        done: object = refund_office.refuse(refund, actor=actor, reason=reason)
    else:
        done = refund_office.approve(refund, actor=actor)
    _tell(request, done, _("처리했습니다."))
    return redirect("console-refunds")


@require_POST
@needs(Role.APPROVER)
def release(request: Request) -> HttpResponse:
    """Pay out what somebody else has seen to: one file for the bank."""
    _tell(
        request,
        refund_office.release(actor=f"user:{request.user.pk}"),
        _("지급 파일을 만들었습니다."),
    )
    return redirect("console-refunds")


@never_cache
@needs(Role.APPROVER)
def file(request: Request, identity: UUID) -> HttpResponse:
    """The file with account numbers, for who hands it to the bank; each download is noted."""
    found = get_object_or_404(RefundFile, city=request.city.code, pk=identity)
    with transaction() as tx:
        proof.audit(
            tx, request.city.code, f"user:{request.user.pk}", "refund-file.downloaded",
            "refund-file", str(found.pk), None, {"sha256": found.digest},
        )  # fmt: skip
    response = HttpResponse(refund_office.content(found), content_type="text/csv; charset=utf-8")
    name = f"{request.city.code}-refunds-{found.released_at:%Y%m%d}-{found.pk.hex[-6:]}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _tell(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)
