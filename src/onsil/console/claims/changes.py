"""What officials do here: give a claim back before it is used, state what lies inside what."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil import footprint
from onsil.console.claims import views
from onsil.console.claims.forms import BoundaryForm, ReleaseForm
from onsil.console.frame import STAFF, Request, needs
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.footprint import claims as _function
from onsil.footprint.claims import put_inside as state_inside
from onsil.tenancy import transaction

assert callable(_function)  # the room's function and the package share a name
CLOCK = SystemClock()


@require_POST
@needs(*STAFF)
def release(request: Request, claim: UUID) -> HttpResponse:
    """Give a claim back, with the reason; what was made of it already stays."""
    city = request.city.code
    form = ReleaseForm(request.POST)
    with transaction(city) as conn:
        held = footprint.claim_of(conn, city, claim)
        if held is None:
            raise Http404
        answer = footprint.release_claim(
            conn, city, claim, form.data.get("reason", "") if form.is_valid() else "",
            str(request.user.pk), CLOCK,
        )  # fmt: skip
    _tell(request, answer, _("청구를 해제했습니다. 이제 다른 프로그램이 등록할 수 있습니다."))
    return redirect(
        f"{reverse('claims-meter')}?{urlencode({'meter': held.lines[0].meter})}"
    )  # fmt: skip


@require_POST
@needs(*STAFF)
def put_inside(request: Request) -> HttpResponse:
    """State that one meter or record lies inside another."""
    form = BoundaryForm(request.POST)
    if not form.is_valid():
        return views.boundaries_page(request, form, status=422)
    with transaction(request.city.code) as conn:
        answer = state_inside(
            conn, request.city.code, form.cleaned_data["part"].strip(),
            form.cleaned_data["whole"].strip(), str(request.user.pk), CLOCK,
        )  # fmt: skip
    _tell(request, answer, _("경계를 기록했습니다."))
    return redirect("claims-boundaries")


def _tell(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)
