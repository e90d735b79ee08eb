"""Requests for data sets: who waits, who has access, approving and refusing with a reason."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from onsil.citizen.models import Role
from onsil.console import data_requests, people
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.hub.datasets.access import all_requests
from onsil.hub.datasets.requests import REASON_MOST, Decision, UsageRequest
from onsil.hub.datasets.store import datasets_of
from onsil.hub.steps import run
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_MOST = 300
MAY_DECIDE = (Role.OFFICIAL, Role.APPROVER)
_DECISIONS: dict[str, Decision] = {"approve": "approve", "refuse": "refuse", "end": "end"}


def state_word(request: UsageRequest) -> tuple[str, str]:
    """A closed request's state as (sign, word)."""
    return {
        "refused": ("bad", _("반려")), "withdrawn": ("plain", _("신청한 사람이 거둠")),
        "ended": ("bad", _("이용 중지")),
    }.get(request.state, ("plain", _("기간 끝남")))  # fmt: skip


@never_cache
@require_safe
@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Requests that wait, oldest first; access that stands; what is over."""
    city, now, language = request.city.code, _CLOCK.now(), get_language() or "ko"
    with transaction(city) as conn:
        found = run(conn, all_requests(city, _MOST))
        titles = {one.dataset.id: one.dataset.title.text(language)
                  for one in run(conn, datasets_of(city))}  # fmt: skip
    names = people.names_of([r.person for r in found] + [r.decided_by for r in found])
    rows = [(one, titles.get(one.dataset, one.dataset), names.get(one.person, one.person),
             names.get(one.decided_by, one.decided_by)) for one in found]  # fmt: skip
    return page(
        request, "console/data_requests.html", section="data-sets",
        waiting=[row for row in rows if row[0].state == "asked"],
        standing=[row for row in rows if row[0].open(now)],
        closed=[(*row, *state_word(row[0])) for row in rows
                if row[0].state != "asked" and not row[0].open(now)],
        may_decide=bool(request.roles & set(MAY_DECIDE)), reason_most=REASON_MOST,
        me=f"user:{request.user.pk}",
    )  # fmt: skip


@require_POST
@needs(*MAY_DECIDE)
def decide(request: Request, request_id: UUID) -> HttpResponse:
    """Approve, refuse or end: `decision=approve|refuse|end`, `reason`."""
    decision = _DECISIONS.get(request.POST.get("decision", ""))
    if decision is None:
        raise Http404
    actor, reason = f"user:{request.user.pk}", request.POST.get("reason", "")
    done = data_requests.decide(request.city, request_id, decision, actor, reason, _CLOCK.now())
    if done is None:
        raise Http404
    if isinstance(done, Refusal):
        messages.error(request, done.text(get_language() or "ko"))
    else:
        messages.success(request, _("처리했습니다. 신청한 분께 이메일로 알렸습니다."))
    return redirect("console-data-requests")
