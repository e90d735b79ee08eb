"""Make a report; fetch a kept one as PDF, workbook or HWPX."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console.frame import STAFF, Request, needs
from onsil.console.reports.shelf import KINDS, same_as_before, write
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import reports, targets
from onsil.tenancy import transaction

CLOCK = SystemClock()
_FORMS: dict[str, tuple[str, Callable[[reports.Report, str], bytes]]] = {
    "pdf": ("application/pdf", reports.pdf),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", reports.xlsx,
    ),
    "hwpx": ("application/hwp+zip", reports.hwpx),
}  # fmt: skip


def _page_of(conn: Connection, city: str, kind: str, subject: UUID) -> tuple[object, ...]:
    """The address of the page a report is about; Http404 when there is no such thing."""
    if kind == "monitoring" and footprint.monitoring(conn, city, subject) is not None:
        return "console-monitoring", subject
    if kind == "implementation":
        found = targets.review(conn, city, subject)
        if found is not None:
            return "targets-review", found.plan_id, found.year
    raise Http404


@require_POST
@needs(Role.OFFICIAL)
def make(request: Request, kind: str, subject: UUID) -> HttpResponse:
    """Make and keep a report in the reader's language; nothing changed, nothing is made."""
    if kind not in KINDS:
        raise Http404
    city, language = request.city.code, (get_language() or "ko")[:2]
    with transaction(city) as conn:
        page = _page_of(conn, city, kind, subject)
        made = write(request, conn, kind, subject, language, CLOCK)
        there = None
        if isinstance(made, reports.Report):
            there = same_as_before(conn, city, subject, made)
        kept = made if isinstance(made, Refusal) or there is not None else (
            reports.keep_report(conn, city, made, str(request.user.pk), CLOCK)
        )  # fmt: skip
    if isinstance(kept, Refusal):
        messages.error(request, kept.text(language))
    elif there is not None:
        messages.info(request, _("바뀐 것이 없어, 이미 있는 보고서를 그대로 둡니다."))
    else:
        messages.success(request, _("보고서를 만들어 보관했습니다."))
    return redirect(*page)  # pyright: ignore[reportArgumentType, reportCallIssue]


@require_safe
@needs(*STAFF, Role.VERIFIER)
def file(request: Request, report: UUID, form: str) -> HttpResponse:
    """A kept report, drawn anew from its kept content."""
    with transaction(request.city.code) as conn:
        found = reports.kept_report(conn, request.city.code, report)
    if found is None:
        raise Http404
    kept, sha256 = found
    mime, draw = _FORMS[form]
    response = HttpResponse(draw(kept, sha256), content_type=mime)
    response["Content-Disposition"] = f'attachment; filename="report-{report}.{form}"'
    return response
