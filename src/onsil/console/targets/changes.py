"""What the plan's desk changes: each a POST, each once, each with its answer in words."""

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil.citizen.models import Role
from onsil.console.forms import errors_of
from onsil.console.frame import Request, needs
from onsil.console.targets import cityplan
from onsil.console.targets.forms import (
    EvidenceForm,
    GoalForm,
    MeasureForm,
    ReasonForm,
    TargetForm,
    VerdictForm,
)
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import targets
from onsil.tenancy import transaction

CLOCK = SystemClock()


def _actor(request: Request) -> str:
    return f"user:{request.user.pk}"


def _say(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)


def _wrong(request: Request, form: Form) -> bool:
    """Tell what is wrong with a form; True when anything is."""
    if form.is_valid():
        return False
    for line in errors_of(form):
        messages.error(request, line)
    return True


@require_POST
@needs(Role.OFFICIAL)
def load(request: Request) -> HttpResponse:
    """Read the plan of the city's folder in; what is there stays."""
    with transaction(request.city.code) as conn:
        made = cityplan.load_plan(conn, request.city, _actor(request), CLOCK)
    if made is None:
        raise Http404
    _say(request, made, _("도시의 계획을 불러왔습니다."))
    return redirect("targets")


@require_POST
@needs(Role.OFFICIAL)
def goal(request: Request, plan: UUID) -> HttpResponse:
    """State a goal of a year."""
    form = GoalForm(request.POST)
    if not _wrong(request, form):
        with transaction(request.city.code) as conn:
            made = targets.set_goal(
                conn, request.city.code, plan, form.goal(), _actor(request), CLOCK
            )
        _say(request, made, _("목표를 적었습니다."))
    return redirect("targets")


@require_POST
@needs(Role.OFFICIAL)
def add(request: Request, plan: UUID) -> HttpResponse:
    """Add a measure to the plan."""
    form = MeasureForm(request.POST)
    if _wrong(request, form):
        return redirect("targets")
    with transaction(request.city.code) as conn:
        code = form.cleaned_data["code"]
        if targets.measure_by_code(conn, request.city.code, plan, code) is not None:
            messages.error(request, _("같은 번호의 과제가 이미 있습니다."))
            return redirect("targets")
        made = targets.put_measure(
            conn, request.city.code, plan, code, form.terms(), _actor(request), CLOCK
        )
    _say(request, made, _("과제를 더했습니다."))
    return redirect("targets" if isinstance(made, Refusal) else "targets-measure",
                    *(() if isinstance(made, Refusal) else (made.id,)))  # fmt: skip


def _known(conn: Connection, city: str, measure: UUID) -> targets.Measure:
    found = targets.measure(conn, city, measure)
    if found is None:
        raise Http404
    return found


@require_POST
@needs(Role.OFFICIAL)
def terms(request: Request, measure: UUID) -> HttpResponse:
    """Change a measure's terms, with a reason."""
    form = MeasureForm(request.POST)
    if not _wrong(request, form):
        city = request.city.code
        with transaction(city) as conn:
            found = _known(conn, city, measure)
            made = targets.put_measure(
                conn, city, found.plan_id, found.code, form.terms(), _actor(request), CLOCK,
                form.cleaned_data["reason"],
            )  # fmt: skip
        _say(request, made, _("과제를 바꾸었습니다. 이전 내용은 남아 있습니다."))
    return redirect("targets-measure", measure)


@require_POST
@needs(Role.OFFICIAL)
def target(request: Request, measure: UUID) -> HttpResponse:
    """State what a measure shall reach in a year."""
    form = TargetForm(request.POST)
    if not _wrong(request, form):
        city = request.city.code
        with transaction(city) as conn:
            _known(conn, city, measure)
            made = targets.set_target(
                conn, city, measure, form.target(), form.cleaned_data["reason"],
                _actor(request), CLOCK,
            )  # fmt: skip
        _say(request, made, _("연도 목표를 적었습니다."))
    return redirect("targets-measure", measure)


@require_POST
@needs(Role.OFFICIAL)
def link(request: Request, measure: UUID) -> HttpResponse:
    """Put evidence behind a measure."""
    form = EvidenceForm(request.POST)
    if not _wrong(request, form):
        city, data = request.city.code, form.cleaned_data
        with transaction(city) as conn:
            _known(conn, city, measure)
            made = targets.link_evidence(
                conn, city, measure, data["year"], data["kind"], data["subject"].strip(),
                _actor(request), CLOCK, quantity=data["quantity"], co2e_t=data["co2e_t"],
                note=data["note"], zone_key=request.city.zone.key,
            )  # fmt: skip
        _say(request, made, _("근거를 이었습니다."))
    return redirect("targets-measure", measure)


@require_POST
@needs(Role.OFFICIAL)
def withdraw(request: Request, evidence: UUID) -> HttpResponse:
    """Take evidence back."""
    form = ReasonForm(request.POST)
    if _wrong(request, form):
        return redirect("targets")
    with transaction(request.city.code) as conn:
        made = targets.withdraw_evidence(
            conn, request.city.code, evidence, form.cleaned_data["reason"], _actor(request), CLOCK
        )
    _say(request, made, _("근거를 거두었습니다. 기록은 남아 있습니다."))
    if isinstance(made, Refusal):
        return redirect("targets")
    return redirect("targets-measure", made.measure_id)


@require_POST
@needs(Role.OFFICIAL, Role.APPROVER)
def review(request: Request, plan: UUID, year: int, act: str) -> HttpResponse:
    """Open, judge, submit (officials), approve or return (approvers) a year's review."""
    needed = Role.APPROVER if act in ("approve", "return") else Role.OFFICIAL
    if act not in ("open", "judge", "submit", "approve", "return"):
        raise Http404
    if needed not in request.roles:
        messages.error(request, _("이 일을 할 수 있는 역할이 아닙니다."))
        return redirect("targets-review", plan, year)
    with transaction(request.city.code) as conn:
        _review(conn, request, plan, year, act)
    return redirect("targets-review", plan, year)


def _review(conn: Connection, request: Request, plan: UUID, year: int, act: str) -> None:
    city, actor = request.city.code, _actor(request)
    if act == "open":
        _say(request, targets.open_review(conn, city, plan, year, actor, CLOCK),
             _("이행점검을 시작했습니다."))  # fmt: skip
        return
    found = targets.review_of_year(conn, city, plan, year)
    if found is None:
        raise Http404
    if act == "judge":
        form = VerdictForm(request.POST)
        if not _wrong(request, form):
            data = form.cleaned_data
            made = targets.judge_measure(
                conn, city, found.id, data["measure"], data["verdict"], data["comment"], actor,
                CLOCK,
            )  # fmt: skip
            _say(request, made, _("점검 결과를 적었습니다."))
    elif act == "submit":
        _say(request, targets.submit_review(conn, city, found.id, actor, CLOCK),
             _("제출했습니다. 다른 담당자가 승인합니다."))  # fmt: skip
    elif act == "approve":
        _say(request, targets.approve_review(conn, city, found.id, actor, CLOCK),
             _("승인했습니다. 내용은 투명성 로그에 들어갑니다."))  # fmt: skip
    else:
        reason = request.POST.get("reason", "")
        _say(request, targets.return_review(conn, city, found.id, actor, reason, CLOCK),
             _("반려했습니다."))  # fmt: skip
