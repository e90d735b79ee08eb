"""The verifier's screens: runs and what they rest on, recomputing, sampling, findings, the log."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil import footprint, proof
from onsil.citizen.models import Role
from onsil.configuration import configuration
from onsil.console.evidence import doubts
from onsil.console.evidence import findings as rules
from onsil.console.evidence.forms import FilterForm, FindingForm, RemarkForm, SampleForm
from onsil.console.evidence.models import Finding
from onsil.console.evidence.runs import OpenRun, open_run
from onsil.console.evidence.sampling import draw
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.footprint.projects import finding as project_finding
from onsil.footprint.quality import inspect_again
from onsil.rewards.entries import log_sources
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_LISTED = 2_000
_PAGE = 30
_READERS = (*STAFF, Role.VERIFIER)


@require_safe
@needs(*_READERS)
def runs(request: Request) -> HttpResponse:
    """Every run, newest first, narrowed down by what is asked."""
    city = request.city.code
    known = sorted({one.ID for one in footprint.methodologies()})
    form = FilterForm(request.GET or None, methodologies=known)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    with transaction(city) as conn:
        found = footprint.runs(
            conn, city, limit=_LISTED, methodology=asked.get("methodology") or None
        )
        claims = footprint.claims(conn, city, limit=_LISTED)
        raised = doubts.of_city(conn, city)
    claimed: dict[UUID, list[footprint.Claim]] = {}
    for claim in claims:
        claimed.setdefault(claim.run_id, []).append(claim)
    open_findings: dict[UUID | None, int] = {}
    for one in raised:
        if one.state != Finding.State.CLOSED:
            open_findings[one.run] = open_findings.get(one.run, 0) + 1
    rows = [
        {"run": run, "claims": claimed.get(run.id, []), "findings": open_findings.get(run.id, 0)}
        for run in found
        if _wanted(run, asked, run.id in claimed)
    ]
    return page(
        request,
        "console/evidence/runs.html",
        section="evidence",
        tab="runs",
        form=form,
        rows=Paginator(rows, _PAGE).get_page(request.GET.get("page")),
        count=len(rows),
        open_findings=sum(open_findings.values()),
    )


def _wanted(run: footprint.Run, asked: dict, claimed: bool) -> bool:
    if asked.get("status") and run.status != asked["status"]:
        return False
    if asked.get("claimed") and claimed != (asked["claimed"] == "yes"):
        return False
    meter = (asked.get("meter") or "").strip()
    return not meter or any(meter in line.meter for line in run.lines)


def _opened(request: Request, run_id: UUID) -> OpenRun:
    with transaction(request.city.code) as conn:
        found = open_run(conn, request.city.code, run_id)
    if found is None:
        raise Http404
    return found


def _run_page(request: Request, run_id: UUID, **context: Any) -> HttpResponse:
    city = request.city.code
    found = _opened(request, run_id)
    with transaction(city) as conn:
        told = doubts.of_run(conn, city, run_id)
        served = doubts.serving(conn, city, run_id)
    context = {
        "sample_form": SampleForm(initial={"seed": str(run_id)[:8], "size": 20}),
        "finding_form": FindingForm(),
        "remark_form": RemarkForm(),
    } | context
    return page(
        request,
        "console/evidence/run.html",
        section="evidence",
        tab="runs",
        open=found,
        run=found.run,
        doubts=told,
        served=served,
        may_raise=Role.VERIFIER in request.roles,
        may_answer=bool(request.roles & rules.ANSWERERS),
        **context,
    )


@require_safe
@needs(*_READERS)
def run(request: Request, run: UUID) -> HttpResponse:
    """One run laid open."""
    return _run_page(request, run)


@require_POST
@needs(*_READERS)
def recompute(request: Request, run: UUID) -> HttpResponse:
    """Calculate the run again from what it kept, and compare the bytes."""
    _opened(request, run)
    with transaction(request.city.code) as conn:
        again = footprint.recompute(conn, request.city.code, run)
        if not isinstance(again, Refusal):
            footprint.note_recomputation(
                conn, request.city.code, run, again, str(request.user.pk), _CLOCK
            )
    return _run_page(request, run, again=again)


@require_safe
@needs(*_READERS)
def bundle(request: Request, run: UUID) -> HttpResponse:
    """The run's evidence as one file, checked by `onsil verify` without any database."""
    with transaction(request.city.code) as conn:
        content = footprint.export_bundle(conn, request.city.code, run)
    if isinstance(content, Refusal):
        raise Http404(content.code)
    response = HttpResponse(content, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="onsil-run-{run}.json"'
    return response


@require_safe
@needs(*_READERS)
def archive(request: Request, run: UUID) -> HttpResponse:
    """The run's evidence as a ZIP, with its receipt once the log has taken it in."""
    found = _opened(request, run)
    with transaction(request.city.code) as conn:
        content = footprint.export_archive(
            conn, request.city.code, run, configuration().log_home
        )  # fmt: skip
    if isinstance(content, Refusal):
        raise Http404(content.code)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{found.archive}"'
    return response


@require_POST
@needs(*_READERS)
def inspect(request: Request, run: UUID) -> HttpResponse:
    """Look at the run's data again: certificates may have come since."""
    _opened(request, run)
    with transaction(request.city.code) as conn:
        inspect_again(conn, request.city.code, run, str(request.user.pk), _CLOCK)
    messages.success(request, _("자료를 다시 검사했습니다."))
    return redirect("evidence-run", run=run)


@require_safe
@needs(*_READERS)
def sample(request: Request, run: UUID) -> HttpResponse:
    """Draw a seeded sample and hold each reading against the hub."""
    form = SampleForm(request.GET)
    if not form.is_valid():
        return _run_page(request, run, sample_form=form)
    _opened(request, run)
    seed, size = form.cleaned_data["seed"], form.cleaned_data["size"]
    with transaction(request.city.code) as conn:
        drawn = draw(conn, request.city.code, run, seed, size)
    if isinstance(drawn, Refusal):
        raise Http404(drawn.code)
    return _run_page(
        request,
        run,
        sample_form=form,
        drawn=drawn,
        differing=sum(not one.same for one in drawn),
    )


@require_POST
@needs(Role.VERIFIER)
def raise_one(request: Request, run: UUID) -> HttpResponse:
    """Raise a finding about a run."""
    _opened(request, run)
    form = FindingForm(request.POST)
    if not form.is_valid():
        return _run_page(request, run, finding_form=form)
    made = rules.raise_finding(
        request.city.code, run, request.user, form.cleaned_data["severity"],
        form.cleaned_data["title"], form.cleaned_data["text"], _CLOCK,
    )  # fmt: skip
    _tell(request, made, _("지적을 올렸습니다."))
    return redirect("evidence-run", run=run)


@require_safe
@needs(*_READERS)
def findings(request: Request) -> HttpResponse:
    """All findings that verifiers raised, here and in projects, the open ones first."""
    with transaction(request.city.code) as conn:
        rows = doubts.of_city(conn, request.city.code)
    return page(
        request,
        "console/evidence/findings.html",
        section="evidence",
        tab="findings",
        rows=Paginator(rows, _PAGE).get_page(request.GET.get("page")),
    )


@require_POST
@needs(*_READERS)
def act(request: Request, finding: UUID, act: str) -> HttpResponse:
    """Answer or close a finding."""
    made = {"answer": rules.answer_finding, "close": rules.close_finding}.get(act)
    if made is None:
        raise Http404
    form = RemarkForm(request.POST)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    outcome = made(request.city.code, finding, request.user, text, _CLOCK)
    _tell(request, outcome, _("기록했습니다."))
    with transaction(request.city.code) as conn:
        known = Finding.objects.filter(city=request.city.code, id=finding).first()
        theirs = project_finding(conn, request.city.code, finding)
    run = known.run if known else theirs.run_id if theirs else None
    return redirect("evidence-run", run=run) if run else redirect("evidence-findings")


def _tell(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)


def _log_page(request: Request, **context: Any) -> HttpResponse:
    city = request.city.code
    with transaction(city) as conn:
        state = proof.status(conn, city, configuration().log_home)
    return page(
        request, "console/evidence/log.html", section="evidence", tab="log", state=state, **context
    )


@require_safe
@needs(*_READERS)
def log(request: Request) -> HttpResponse:
    """How far the transparency log is."""
    return _log_page(request)


@require_POST
@needs(*_READERS)
def verify_log(request: Request) -> HttpResponse:
    """Hold every leaf against its live row, now."""
    city = request.city.code
    began = _CLOCK.now()
    with transaction(city) as conn:
        report = proof.verify(conn, city, configuration().log_home, log_sources())
    return _log_page(request, report=report, took=_CLOCK.now() - began, at=began)
