"""Projects, monitoring periods, approval, issuance, offers; and the runs they rest on."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil import footprint, ledger
from onsil.citizen.models import Role
from onsil.console import people, projects
from onsil.console.export import csv_response
from onsil.console.forms import OfferForm, PeriodForm, ProjectForm, errors_of
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.reports.shelf import shelf
from onsil.console.workspace.frame import head, route_of_period
from onsil.core.clock import SystemClock
from onsil.core.periods import local_days
from onsil.core.refusal import Refusal
from onsil.footprint.projects import INTERNAL
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_READERS = (*STAFF, Role.VERIFIER)


def _say(request: Request, outcome: object, done: str) -> bool:
    """Tell what came of it; True when it was done."""
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
        return False
    messages.success(request, done)
    return True


def _form_errors(request: Request, form: Form) -> None:
    for line in errors_of(form):
        messages.error(request, line)


@needs(*_READERS)
def listing(request: Request) -> HttpResponse:
    """Every project, and the newest runs with what was claimed of them."""
    city = request.city.code
    with transaction(city) as conn:
        every = footprint.projects(conn, city)
        monitorings = footprint.monitorings(conn, city)
        batches = footprint.batches(conn, city)
        runs = projects.run_lines(conn, city)
        stands = {p.id: projects.stand(conn, city, p.id) for p in every}
    rows = [
        {
            "project": p,
            "stand": stands[p.id],
            "name": p.name_en if (get_language() or "ko").startswith("en") else p.name_ko,
            "periods": sum(m.project_id == p.id for m in monitorings),
            "waiting": sum(m.project_id == p.id and m.status == "submitted" for m in monitorings),
            "tonnes": sum(b.tonnes for b in batches if b.project_id == p.id),
        }
        for p in every
    ]
    if request.GET.get("format") == "csv":
        header = [
            _("산정"), _("방법론"), _("시작"), _("끝"), "tCO2e", _("상태"), _("등록"),
            "SHA-256",
        ]  # fmt: skip
        table = [
            (str(r.run.id), f"{r.run.methodology} {r.run.version}", r.run.period.start,
             r.run.period.end, r.run.co2e_t if r.run.measurable else None, r.run.status,
             " ".join(c.programme for c in r.claims), r.run.outputs_digest)
            for r in runs
        ]  # fmt: skip
        return csv_response(f"{city}-runs", header, table)
    return page(
        request, "console/projects.html", section="projects", rows=rows, runs=runs,
        form=ProjectForm(), may_create=Role.OFFICIAL in request.roles,
    )  # fmt: skip


@require_POST
@needs(Role.OFFICIAL)
def create(request: Request) -> HttpResponse:
    """Register a project."""
    form = ProjectForm(request.POST)
    if not form.is_valid():
        _form_errors(request, form)
        return redirect("console-projects")
    with transaction(request.city.code) as conn:
        made = footprint.register_project(
            conn, request.city.code, form.spec(), str(request.user.pk), _CLOCK,
            form.cleaned_data["route"] or INTERNAL,
        )  # fmt: skip
    if not _say(request, made, _("사업을 등록했습니다.")):
        return redirect("console-projects")
    return redirect("console-project", made.id)


def _known(found: Any) -> Any:
    if found is None:
        raise Http404
    return found


@needs(*_READERS)
def detail(request: Request, project: UUID) -> HttpResponse:
    """One project: timeline, monitoring periods, credit batches and offers."""
    city = request.city.code
    with transaction(city) as conn:
        found = _known(footprint.project(conn, city, project))
        monitorings = footprint.monitorings(conn, city, project)
        batches = footprint.batches(conn, city, project)
        ids = {b.id for b in batches}
        listings = [x for x in footprint.listings(conn, city, False) if x.batch_id in ids]
        sold = sum(s.tonnes for s in footprint.sales(conn, city) if s.batch_id in ids)
        unsold = {b.id: ledger.balance(conn, city, found.account, b.asset) for b in batches}
        context = head(request, conn, found, "overview")
    names = people.names_of(x for m in monitorings for x in (m.maker, m.checker) if x)
    return page(
        request, "console/project.html",
        **{**context, "timeline": projects.timeline(found, monitorings, batches, sold),
           "names": names, "monitorings": monitorings, "form": PeriodForm(),
           "batches": [projects.BatchLine.of(b, unsold[b.id], listings) for b in batches],
           "may_open": Role.OFFICIAL in request.roles},
    )  # fmt: skip


@require_POST
@needs(Role.OFFICIAL)
def open_period(request: Request, project: UUID) -> HttpResponse:
    """Open a monitoring period over whole local days, the last included."""
    form = PeriodForm(request.POST)
    if not form.is_valid():
        _form_errors(request, form)
        return redirect("console-project", project)
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    period = local_days(first, date.fromordinal(last.toordinal() + 1), request.city.zone)
    with transaction(request.city.code) as conn:
        _known(footprint.project(conn, request.city.code, project))
        made = footprint.open_monitoring_period(
            conn, request.city.code, project, period, str(request.user.pk), _CLOCK,
            request.city.zone,
        )  # fmt: skip
    if not _say(request, made, _("모니터링 기간을 열었습니다.")):
        return redirect("console-project", project)
    return redirect("console-monitoring", made.id)


@needs(*_READERS)
def monitoring(request: Request, monitoring: UUID) -> HttpResponse:
    """One monitoring period: the claims it rests on, and what may be done next."""
    city = request.city.code
    with transaction(city) as conn:
        found = _known(footprint.monitoring(conn, city, monitoring))
        project = _known(footprint.project(conn, city, found.project_id))
        if found.status in ("open", "returned"):
            claims = projects.candidates(conn, city, project, found)
        else:
            held = (footprint.claim_of(conn, city, c) for c in found.claim_ids)
            claims = [c for c in held if c is not None]
        lines = [(c, footprint.run(conn, city, c.run_id)) for c in claims]
        route = route_of_period(request, conn, found)
        kept = shelf(request, conn, "monitoring", found.id)
    return page(
        request, "console/monitoring.html", section="projects", monitoring=found, project=project,
        lines=lines, choosing=found.status in ("open", "returned"),
        steps=projects.steps(found, str(request.user.pk), request.roles),
        names=people.names_of(x for x in (found.maker, found.checker) if x),
        total=sum((c.co2e_t for c in claims), start=found.co2e_t * 0), reports=kept, **route,
    )  # fmt: skip


def _submit(request: Request, conn: Any, monitoring: UUID) -> object:
    chosen = []
    for text in request.POST.getlist("claim"):
        try:
            chosen.append(UUID(text))
        except ValueError:
            continue
    return footprint.submit_monitoring(
        conn, request.city.code, monitoring, chosen, str(request.user.pk), _CLOCK,
        request.city.zone, request.roles,
    )  # fmt: skip


def _approve(request: Request, conn: Any, monitoring: UUID) -> object:
    return footprint.approve_monitoring(
        conn, request.city.code, monitoring, str(request.user.pk), _CLOCK, request.city.zone,
        request.roles,
    )  # fmt: skip


def _return(request: Request, conn: Any, monitoring: UUID) -> object:
    reason = request.POST.get("reason", "").strip()
    return footprint.return_monitoring(
        conn, request.city.code, monitoring, str(request.user.pk), reason, _CLOCK,
        request.city.zone, request.roles,
    )  # fmt: skip


def _issue(request: Request, conn: Any, monitoring: UUID) -> object:
    return footprint.issue(conn, request.city.code, monitoring, str(request.user.pk), _CLOCK)


_Act = Callable[[Request, Any, UUID], object]
_ACTS: dict[str, tuple[tuple[str, ...], _Act]] = {
    "submit": ((Role.OFFICIAL,), _submit),
    "approve": ((Role.APPROVER,), _approve),
    "return": ((Role.APPROVER,), _return),
    "issue": ((Role.OFFICIAL, Role.APPROVER), _issue),
}


def _done(name: str) -> str:
    return {
        "submit": _("승인을 요청했습니다. 제출하지 않은 다른 사람이 검토합니다."),
        "approve": _("승인했습니다. 이제 크레딧을 발행할 수 있습니다."),
        "return": _("돌려보냈습니다."),
        "issue": _("크레딧을 발행했습니다."),
    }[name]


@require_POST
@needs(*STAFF)
def act(request: Request, monitoring: UUID, act: str) -> HttpResponse:
    """Submit, approve, return or issue. The engine refuses a checker who is the maker."""
    if act not in _ACTS:
        raise Http404
    roles, do = _ACTS[act]
    if not request.roles.intersection(roles):
        messages.error(request, _("이 일을 할 역할이 없어 아무것도 바뀌지 않았습니다."))
        return redirect("console-monitoring", monitoring)
    with transaction(request.city.code) as conn:
        _known(footprint.monitoring(conn, request.city.code, monitoring))
        outcome = do(request, conn, monitoring)
    _say(request, outcome, _done(act))
    return redirect("console-monitoring", monitoring)


@require_POST
@needs(Role.OFFICIAL, Role.APPROVER)
def list_batch(request: Request, batch: UUID) -> HttpResponse:
    """Offer tonnes of a batch at a price, once however often it is sent."""
    city = request.city.code
    with transaction(city) as conn:
        found = _known(footprint.batch(conn, city, batch))
    form = OfferForm(request.POST)
    if form.is_valid():
        with transaction(city) as conn:
            made = projects.offer(
                conn, city, batch, form.cleaned_data["tonnes"],
                form.cleaned_data["unit_price_krw"], form.cleaned_data["offers"],
                str(request.user.pk), _CLOCK,
            )  # fmt: skip
        _say(request, made, _("판매 목록에 올렸습니다."))
    else:
        _form_errors(request, form)
    return redirect("console-project", found.project_id)


@require_POST
@needs(Role.OFFICIAL)
def claim_run(request: Request, run: UUID) -> HttpResponse:
    """Claim a run whole for a programme; refused when any of it is claimed already."""
    city = request.city.code
    programme = request.POST.get("programme", "").strip()
    with transaction(city) as conn:
        _known(footprint.run(conn, city, run))
        made = (
            footprint.claim(conn, city, run, programme, actor=str(request.user.pk))
            if programme in projects.programmes(conn, city)
            else Refusal(
                "programme-unknown",
                "이 도시의 감축 사업이 쓰는 제도를 골라 주세요. 아무것도 등록되지 않았습니다.",
                "Choose a programme that a project of this city is under. Nothing was claimed.",
            )
        )
    _say(request, made, _("감축량을 등록했습니다."))
    return redirect("console-projects")


@needs(*_READERS)
def run_panel(request: Request, run: UUID) -> HttpResponse:
    """One run in full, for the side panel or as a page: factors, gates, digests, claims."""
    city = request.city.code
    with transaction(city) as conn:
        details = _known(footprint.run_details(conn, city, run))
        programmes = projects.programmes(conn, city)
    template = "console/parts/run.html" if request.headers.get("HX-Request") else "console/run.html"
    inputs = details["inputs"]
    return page(
        request, template, section="projects", programmes=programmes, run=details["run"],
        factors={c: projects.plainly(f) for c, f in inputs["factors"].items()},
        outputs=projects.plainly(details["outputs"]), claims=details["claims"],
        series=[projects.series_line(role, of) for role, of in details["series"].items()],
        may_claim=Role.OFFICIAL in request.roles,
    )  # fmt: skip
