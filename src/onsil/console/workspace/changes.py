"""Everything that is done in a workspace: one address, a form and a rule of the engine each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil import footprint
from onsil.citizen.models import Role, User
from onsil.console.forms import errors_of
from onsil.console.frame import Request, needs
from onsil.console.workspace import forms, members
from onsil.console.workspace.frame import CLOCK, READERS
from onsil.core.refusal import Refusal
from onsil.footprint.projects import (
    Design,
    Engagement,
    Evidence,
    Finding,
    LegalDuty,
    ModellingUnit,
    MonitoringPlan,
    Opinion,
    Sample,
    Site,
    SiteVisit,
    Upload,
    add_calibration,
    add_document,
    add_evidence,
    add_modelling_unit,
    answer_finding,
    close_finding,
    devices,
    duties,
    engage,
    engagements,
    finding,
    give_opinion,
    join_site,
    leave_site,
    link_device,
    move_to_version,
    raise_finding,
    record_duty,
    record_sample,
    record_visit,
    reopen_finding,
    route_of,
    routes,
    set_design,
    set_plan,
    sites,
    take_step,
    withdraw_duty,
)
from onsil.tenancy import transaction

_NOT_HERE = Refusal(
    "not-of-project", "이 사업의 것이 아닙니다.", "That is not part of this project."
)


@dataclass(frozen=True)
class Doing:
    """Who asks for what about which project, inside one transaction."""

    conn: Any
    request: Request
    project: footprint.Project
    data: dict[str, Any]

    @property
    def city(self) -> str:
        return self.request.city.code

    @property
    def actor(self) -> str:
        return str(self.request.user.pk)

    @property
    def here(self) -> tuple[Any, str, UUID]:
        return self.conn, self.city, self.project.id

    def monitoring(self) -> UUID | None:
        return UUID(str(self.data["monitoring"])) if self.data.get("monitoring") else None

    def without(self, *names: str) -> dict[str, Any]:
        return {k: v for k, v in self.data.items() if k not in names}

    def has(self, found: list[Any], name: str) -> bool:
        return self.data[name] in {one.id for one in found}


def _step(doing: Doing) -> object:
    return take_step(
        *doing.here, doing.data["transition"], doing.actor, CLOCK, roles=doing.request.roles,
        monitoring_id=doing.monitoring(), note=doing.data["note"], seen=doing.data["seen"],
        zone=doing.request.city.zone,
    )  # fmt: skip


def _document(doing: Doing) -> object:
    file = doing.data["file"]
    upload = Upload(
        doing.data["kind"], doing.data["title"], doing.data["language"], file.name,
        file.content_type or "application/octet-stream", file.read(),
    )  # fmt: skip
    return add_document(*doing.here, upload, doing.actor, CLOCK, doing.monitoring())


def _finding(doing: Doing) -> object:
    terms = Finding(**doing.without("monitoring"), monitoring_id=doing.monitoring())
    return raise_finding(*doing.here, terms, doing.actor, CLOCK)


def _remark(doing: Doing) -> object:
    found = finding(doing.conn, doing.city, doing.data["finding"])
    if found is None or found.project_id != doing.project.id:
        return _NOT_HERE
    act = doing.data["act"]
    needed = {Role.OFFICIAL, Role.APPROVER} if act == "answered" else {Role.VERIFIER}
    if not needed & doing.request.roles:
        return _no_role()
    say = {"answered": answer_finding, "reopened": reopen_finding, "closed": close_finding}[act]
    return say(
        doing.conn, doing.city, doing.data["finding"], doing.data["text"], doing.actor, CLOCK
    )


def _engage(doing: Doing) -> object:
    monitoring = doing.monitoring()
    members = doing.data["members"]
    known = {str(pk) for pk in verifiers(doing.city)}
    if not known.issuperset(members):
        return _NOT_HERE
    terms = Engagement(
        purpose="verification" if monitoring else "validation", monitoring_id=monitoring,
        **{**doing.without("monitoring"), "members": tuple(members)},
    )  # fmt: skip
    return engage(*doing.here, terms, doing.actor, CLOCK)


def verifiers(city: str) -> dict[Any, str]:
    """The city's verifiers by key, with their names."""
    found = User.objects.filter(memberships__city=city, memberships__role=Role.VERIFIER).distinct()
    return {one.pk: str(one) for one in found}


def _of_engagement(doing: Doing) -> bool:
    return doing.has(engagements(*doing.here), "engagement")


def _visit(doing: Doing) -> object:
    if not _of_engagement(doing):
        return _NOT_HERE
    visit = SiteVisit(doing.data["visited_on"], doing.data["note"], doing.actor)
    return record_visit(doing.conn, doing.city, doing.data["engagement"], visit, CLOCK)


def _sample(doing: Doing) -> object:
    if not _of_engagement(doing):
        return _NOT_HERE
    sample = Sample(**doing.without("engagement"), actor=doing.actor)
    return record_sample(doing.conn, doing.city, doing.data["engagement"], sample, CLOCK)


def _opinion(doing: Doing) -> object:
    if not _of_engagement(doing):
        return _NOT_HERE
    opinion = Opinion(**doing.without("engagement"))
    return give_opinion(
        doing.conn, doing.city, doing.data["engagement"], opinion, doing.actor, CLOCK
    )


def _design(doing: Doing) -> object:
    return set_design(*doing.here, Design(**doing.data), doing.actor, CLOCK)


def _site(doing: Doing) -> object:
    return join_site(*doing.here, Site(**doing.data), doing.actor, CLOCK)


def _leave(doing: Doing) -> object:
    if not doing.has(sites(*doing.here), "site"):
        return _NOT_HERE
    data = doing.data
    return leave_site(
        doing.conn, doing.city, data["site"], data["left_on"], data["reason"], doing.actor, CLOCK
    )


def _crediting(doing: Doing) -> object:
    return members.set_crediting(*doing.here, doing.data, doing.actor)


def _member_duty(doing: Doing) -> object:
    return members.record_duty(*doing.here, doing.data, doing.actor, doing.request.city.zone)


def _member_withdraw(doing: Doing) -> object:
    return members.withdraw_duty(*doing.here, doing.data, doing.actor)


def _unit(doing: Doing) -> object:
    return add_modelling_unit(*doing.here, ModellingUnit(**doing.data), doing.actor, CLOCK)


def _device(doing: Doing) -> object:
    data = doing.data
    return link_device(*doing.here, data["role"], data["meter"], data["since"], doing.actor, CLOCK)


def _calibration(doing: Doing) -> object:
    if not doing.has(devices(*doing.here), "device"):
        return _NOT_HERE
    data = doing.data
    return add_calibration(
        doing.conn, doing.city, data["device"], data["first"], data["until"],
        data["certificate"], doing.actor, CLOCK,
    )  # fmt: skip


def _plan(doing: Doing) -> object:
    return set_plan(*doing.here, MonitoringPlan(**doing.data), doing.actor, CLOCK)


def _evidence(doing: Doing) -> object:
    return add_evidence(*doing.here, Evidence(**doing.data), doing.actor, CLOCK)


def _duty(doing: Doing) -> object:
    every = doing.data["every"]
    duty = LegalDuty(
        **doing.without("every"), project_id=None if every else doing.project.id,
        methodology=doing.project.methodology if every else None,
    )  # fmt: skip
    return record_duty(doing.conn, doing.city, duty, doing.actor, CLOCK, doing.request.city.zone)


def _withdraw(doing: Doing) -> object:
    if not doing.has(duties(doing.conn, doing.city, doing.project), "duty"):
        return _NOT_HERE
    return withdraw_duty(
        doing.conn, doing.city, doing.data["duty"], doing.data["reason"], doing.actor, CLOCK
    )


def _move(doing: Doing) -> object:
    newest = routes().get(route_of(*doing.here).id)
    if newest is None:
        return _NOT_HERE
    return move_to_version(*doing.here, newest, doing.data["reason"], doing.actor, CLOCK)


@dataclass(frozen=True)
class _Act:
    form: type[Form]
    roles: tuple[str, ...]
    run: Callable[[Doing], object]
    back: str


_OFFICIAL, _VVB = (Role.OFFICIAL,), (Role.VERIFIER,)
_DECIDERS = (Role.OFFICIAL, Role.APPROVER)
_ACTS: dict[str, _Act] = {
    "step": _Act(forms.StepForm, (*_DECIDERS, Role.VERIFIER), _step, "console-project"),
    "document": _Act(
        forms.DocumentForm, (*_DECIDERS, Role.VERIFIER), _document, "project-documents"
    ),
    "finding": _Act(forms.FindingForm, _VVB, _finding, "project-findings"),
    "remark": _Act(forms.RemarkForm, (*_DECIDERS, *_VVB), _remark, "project-findings"),
    "engage": _Act(forms.EngagementForm, _OFFICIAL, _engage, "project-verification"),
    "visit": _Act(forms.VisitForm, _VVB, _visit, "project-verification"),
    "sample": _Act(forms.SampleForm, _VVB, _sample, "project-verification"),
    "opinion": _Act(forms.OpinionForm, _VVB, _opinion, "project-verification"),
    "design": _Act(forms.DesignForm, _OFFICIAL, _design, "project-members"),
    "site": _Act(forms.SiteForm, _OFFICIAL, _site, "project-members"),
    "leave": _Act(forms.LeaveForm, _OFFICIAL, _leave, "project-members"),
    "crediting": _Act(forms.MemberCreditingForm, _OFFICIAL, _crediting, "project-members"),
    "member-duty": _Act(forms.MemberDutyForm, _DECIDERS, _member_duty, "project-members"),
    "member-withdraw": _Act(forms.WithdrawForm, _DECIDERS, _member_withdraw, "project-members"),
    "unit": _Act(forms.UnitForm, _OFFICIAL, _unit, "project-members"),
    "device": _Act(forms.DeviceForm, _OFFICIAL, _device, "project-members"),
    "calibration": _Act(forms.CalibrationForm, _OFFICIAL, _calibration, "project-members"),
    "plan": _Act(forms.PlanForm, _OFFICIAL, _plan, "project-plan"),
    "evidence": _Act(forms.EvidenceForm, _OFFICIAL, _evidence, "project-plan"),
    "duty": _Act(forms.DutyForm, _DECIDERS, _duty, "project-plan"),
    "withdraw": _Act(forms.WithdrawForm, _DECIDERS, _withdraw, "project-plan"),
    "move": _Act(forms.MoveForm, (Role.APPROVER,), _move, "console-project"),
}


def _no_role() -> Refusal:
    return Refusal(
        "not-permitted",
        "이 일을 할 역할이 없어 아무것도 바뀌지 않았습니다.",
        "You do not have the role for this; nothing was changed.",
    )


@require_POST
@needs(*READERS)
def do(request: Request, project: UUID, what: str) -> HttpResponse:
    """Do one thing about a project. The engine decides; a refusal is told on the page."""
    act = _ACTS.get(what)
    if act is None:
        raise Http404
    city = request.city.code
    with transaction(city) as conn:
        found = footprint.project(conn, city, project)
        if found is None:
            raise Http404
        form = _bound(request, conn, act, found)
        valid = form.is_valid()
        outcome: object = None
        if valid and request.roles.intersection(act.roles):
            outcome = act.run(Doing(conn, request, found, dict(form.cleaned_data)))
        elif valid:
            outcome = _no_role()
    for line in errors_of(form) if not valid else ():
        messages.error(request, line)
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    elif valid:
        messages.success(request, _("적어 두었습니다."))
    monitoring = form.cleaned_data.get("monitoring") if valid and what == "step" else None
    if monitoring:
        return redirect("console-monitoring", monitoring)
    return redirect(act.back, project)


def _bound(request: Request, conn: Any, act: _Act, project: footprint.Project) -> Form:
    form = act.form(request.POST, request.FILES or None)
    choose(form, conn, request.city.code, project)
    return form


def choose(form: Form, conn: Any, city: str, project: footprint.Project) -> None:
    """Fill in what a form's choices are for this project."""
    if "monitoring" in form.fields and hasattr(form.fields["monitoring"], "choices"):
        periods = footprint.monitorings(conn, city, project.id)
        form.fields["monitoring"].choices = [  # pyright: ignore
            ("", _("사업 자체(타당성 평가)")),
            *((str(one.id), period_word(one)) for one in periods),
        ]
    if "kind" in form.fields and isinstance(form, forms.DocumentForm):
        kinds = route_of(conn, city, project.id).documents
        english = (get_language() or "ko").startswith("en")
        form.fields["kind"].choices = [  # pyright: ignore
            *((one.id, one.en if english else one.ko) for one in kinds),
            *([] if kinds else [("other", _("문서"))]),
        ]
    if "members" in form.fields:
        form.fields["members"].choices = [  # pyright: ignore
            (str(key), name) for key, name in verifiers(city).items()
        ]


def period_word(monitored: footprint.Monitoring) -> str:
    """A monitoring period in few characters: its number and local days."""
    first, last = monitored.period.start, monitored.period.end
    return f"#{monitored.sequence} · {first:%Y-%m-%d} – {last:%Y-%m-%d}"
