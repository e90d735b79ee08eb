"""The pages of a project's workspace; what is done on them goes through `changes`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console import people
from onsil.console import projects as desk
from onsil.console.evidence import doubts
from onsil.console.export import csv_response
from onsil.console.frame import Request, needs, page
from onsil.console.workspace import differences, forms
from onsil.console.workspace.changes import choose, period_word, verifiers
from onsil.console.workspace.frame import CLOCK, READERS, head, in_korean
from onsil.console.workspace.heat import HeatMap, heat_map
from onsil.console.workspace.members import credited
from onsil.core.periods import local_day
from onsil.footprint.projects import (
    all_documents,
    bench,
    coverage_calendar,
    coverage_roles,
    designs,
    devices,
    document_content,
    duties,
    engagements,
    evidences,
    expected_size,
    gate,
    modelling_units,
    not_shown,
    plan_changes,
    plans,
    routes,
    rule_for,
    sites,
)
from onsil.footprint.projects import document as stored_document
from onsil.footprint.projects import findings as all_findings
from onsil.tenancy import transaction

_RUNS = 60


def _project(conn: Any, request: Request, project: UUID) -> footprint.Project:
    found = footprint.project(conn, request.city.code, project)
    if found is None:
        raise Http404
    return found


def _form(
    form: Any, conn: Any, request: Request, project: footprint.Project, **initial: object
) -> Any:
    made = form(initial=initial)
    choose(made, conn, request.city.code, project)
    return made


def _periods(conn: Any, city: str, project: UUID) -> dict[UUID | None, str]:
    return {one.id: period_word(one) for one in footprint.monitorings(conn, city, project)}


def _names(actors: Iterable[str]) -> dict[str, str]:
    return people.names_of(one for one in actors if one)


@require_safe
@needs(*READERS)
def documents(request: Request, project: UUID) -> HttpResponse:
    """Every version of every document, and which kinds the next steps ask for."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "documents")
        every = all_documents(conn, city, project)
        periods = _periods(conn, city, project)
        form = _form(forms.DocumentForm, conn, request, found)
    kinds = {one.id: one.ko if in_korean() else one.en for one in context["route"].documents}
    rows = [
        {
            "doc": one,
            "kind": kinds.get(one.kind, one.kind),
            "period": periods.get(one.monitoring_id),
        }
        for one in every
    ]  # fmt: skip
    names = _names(one.actor for one in every)
    if request.GET.get("format") == "csv":
        header = [
            _("문서 종류"),
            _("제목"),
            _("판"),
            _("언어"),
            _("크기"),
            "SHA-256",
            _("누가"),
            _("때"),
        ]
        table = [
            (row["kind"], d.title, d.version, d.language, d.size, d.sha256,
             names.get(d.actor, d.actor), d.created_at)
            for row in rows for d in [row["doc"]]
        ]  # fmt: skip
        return csv_response(f"{found.code}-documents", header, table)
    return page(
        request, "console/workspace/documents.html",
        **{**context, "rows": rows, "form": form, "names": names},
    )  # fmt: skip


@require_safe
@needs(*READERS)
def download(request: Request, project: UUID, document: UUID) -> HttpResponse:
    """The very bytes of a document, always as a file to keep."""
    city = request.city.code
    with transaction(city) as conn:
        found = stored_document(conn, city, document)
        if found is None or found.project_id != project:
            raise Http404
        content = document_content(conn, city, document)
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.file_name)}"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Digest"] = f"sha-256={found.sha256}"
    return answer


@require_safe
@needs(*READERS)
def data(request: Request, project: UUID) -> HttpResponse:
    """How much of each day was used, run by run, and the runs to compare."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "data")
        runs = project_runs(conn, city, found)
        shown = _chosen(request, runs)
        maps = [] if shown is None else _maps(conn, request, shown)
        rule = rule_for(found.programme, found.methodology)
        vintages = [] if shown is None else gate(shown.period, rule, request.city.zone)
    return page(
        request, "console/workspace/data.html",
        **{**context, "runs": runs, "shown": shown, "maps": maps, "rule": rule,
           "vintages": vintages},
    )  # fmt: skip


def project_runs(conn: Any, city: str, project: footprint.Project) -> list[footprint.Run]:
    """The newest runs of the project's methodology at its meters or claimed for its programme."""
    meters = {one.meter for one in devices(conn, city, project.id)}
    claimed = {
        one.run_id
        for one in footprint.claims(conn, city, limit=2000)
        if one.programme == project.programme
    }
    every = footprint.runs(conn, city, limit=1000, methodology=project.methodology)
    fitting = [
        run for run in every
        if run.id in claimed or any(line.meter in meters for line in run.lines)
    ]  # fmt: skip
    return fitting[:_RUNS]


def _chosen(request: Request, runs: list[footprint.Run]) -> footprint.Run | None:
    wanted = request.GET.get("run", "")
    named = next((run for run in runs if str(run.id) == wanted), None)
    return named or next(iter(runs), None)


def _maps(conn: Any, request: Request, run: footprint.Run) -> list[HeatMap]:
    details = footprint.run_details(conn, request.city.code, run.id)
    assert details is not None
    found: Mapping[str, Any] = coverage_roles(details["outputs"])
    made = []
    for role, one in found.items():
        days = coverage_calendar(one, request.city.zone)
        if days:
            made.append(heat_map(role, days))
    return made


@require_safe
@needs(*READERS)
def difference(request: Request, project: UUID) -> HttpResponse:
    """Two runs side by side: inputs, factors and outputs, only where they differ."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "data")
        runs = project_runs(conn, city, found)
        pair = [
            next((run for run in runs if str(run.id) == request.GET.get(name)), None)
            for name in ("a", "b")
        ]
        told = [footprint.run_details(conn, city, run.id) if run else None for run in pair]
    parts = []
    if told[0] is not None and told[1] is not None:
        parts = differences.parts(told[0], told[1], desk.plainly)
    return page(
        request, "console/workspace/difference.html",
        **{**context, "runs": runs, "before": pair[0], "after": pair[1], "parts": parts},
    )  # fmt: skip


@require_safe
@needs(*READERS)
def findings(request: Request, project: UUID) -> HttpResponse:
    """The board: raised and reopened, answered, closed."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "findings")
        every = all_findings(conn, city, project)
        periods = _periods(conn, city, project)
        form = _form(forms.FindingForm, conn, request, found)
        of_runs = doubts.of_project(conn, city, project)
    names = _names([f.actor for f in every] + [r.actor for f in every for r in f.remarks])
    columns = [
        (_("답변을 기다림"), [f for f in every if f.state in ("raised", "reopened")]),
        (_("답변됨"), [f for f in every if f.state == "answered"]),
        (_("종결"), [f for f in every if f.state == "closed"]),
    ]
    return page(
        request, "console/workspace/findings.html",
        **{**context, "columns": columns, "form": form, "names": names, "periods": periods,
           "remark": forms.RemarkForm(), "severities": dict(forms.SEVERITIES),
           "may_answer": bool({Role.OFFICIAL, Role.APPROVER} & request.roles),
           "of_runs": of_runs},
    )  # fmt: skip


@require_safe
@needs(*READERS)
def verification(request: Request, project: UUID) -> HttpResponse:
    """Verification bodies with their visits, samples and opinions."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "verification")
        benches = [bench(conn, city, one) for one in engagements(conn, city, project)]
        periods = _periods(conn, city, project)
        form = _form(forms.EngagementForm, conn, request, found)
    actors = [
        actor
        for one in benches
        for actor in (
            one.engagement.actor, *one.engagement.members, *(v.actor for v in one.visits),
            *(s.actor for s in one.samples), *(o.actor for o in one.opinions),
        )
    ]  # fmt: skip
    return page(
        request, "console/workspace/verification.html",
        **{**context, "benches": benches, "periods": periods, "form": form,
           "names": _names(actors), "visit": forms.VisitForm(), "sample": forms.SampleForm(),
           "opinion": forms.OpinionForm(), "outcomes": dict(forms.OUTCOMES),
           "assurances": dict(forms.ASSURANCES), "has_verifiers": bool(verifiers(city))},
    )  # fmt: skip


@require_safe
@needs(*READERS)
def members(request: Request, project: UUID) -> HttpResponse:
    """What the project is made of: design, sites of the bundle, units, meters."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "members")
        versions = designs(conn, city, project)
        every = sites(conn, city, project)
        units = modelling_units(conn, city, project)
        meters = devices(conn, city, project)
        context |= credited(conn, city, found)
    now = versions[0] if versions else None
    today = local_day(CLOCK.now(), request.city.zone)
    expected_t = sum((s.expected_t_per_year for s in every if s.left_on is None), Decimal(0))
    size_id = expected_size(context["route"], -int(-expected_t // 1))
    size = next((one for one in context["route"].sizes if one.id == size_id), None)
    initial = {name: getattr(now, name) for name in forms.DesignForm.base_fields} if now else {}
    return page(
        request, "console/workspace/members.html",
        **{**context, "design": now, "versions": versions, "sites": every, "units": units,
           "meters": [(one, one.calibrated_on(today)) for one in meters], "size": size,
           "structures": dict(forms.STRUCTURES), "names": _names(d.actor for d in versions),
           "expected": expected_t,
           "design_form": forms.DesignForm(initial=initial), "site_form": forms.SiteForm(),
           "leave_form": forms.LeaveForm(), "unit_form": forms.UnitForm(),
           "device_form": forms.DeviceForm(), "calibration_form": forms.CalibrationForm()},
    )  # fmt: skip


@require_safe
@needs(*READERS)
def plan(request: Request, project: UUID) -> HttpResponse:
    """Monitoring plan versions with what changed, additionality, legal duties."""
    city = request.city.code
    with transaction(city) as conn:
        found = _project(conn, request, project)
        context = head(request, conn, found, "plan")
        every = plans(conn, city, project)
        shown = evidences(conn, city, project)
        laws = duties(conn, city, found)
    today = local_day(CLOCK.now(), request.city.zone)
    newest = every[0] if every else None
    lines = "\n".join(
        " | ".join(p[name] for name in ("id", "ko", "en", "unit", "source", "frequency", "quality"))
        for p in (newest.parameters if newest else ())
    )
    form = forms.PlanForm(initial={
        "parameters": lines, "quality": newest.quality if newest else "",
        "responsible": newest.responsible if newest else "",
    })  # fmt: skip
    changes = [(later, plan_changes(earlier, later)) for later, earlier in pairwise(every)]
    shipped = routes().get(context["route"].id)
    return page(
        request, "console/workspace/plan.html",
        **{**context, "plan": newest, "changes": changes, "evidences": shown, "laws": laws,
           "missing": not_shown(shown, today), "tests": dict(forms.TESTS), "form": form,
           "evidence_form": forms.EvidenceForm(), "duty_form": forms.DutyForm(),
           "withdraw_form": forms.WithdrawForm(), "move_form": forms.MoveForm(),
           "names": _names([p.actor for p in every] + [e.actor for e in shown]
                           + [d.actor for d in laws]),
           "newer": shipped if shipped and shipped.sha256 != context["route"].sha256 else None},
    )  # fmt: skip
