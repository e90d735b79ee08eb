"""What every page of a project's workspace shows: its route across the top, what may come next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.frame import STAFF, Request
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.footprint.projects import (
    Option,
    Standing,
    Transition,
    clocks,
    options,
    path,
    standing,
    verification_due,
)

CLOCK = SystemClock()
READERS = (*STAFF, Role.VERIFIER)


def in_korean() -> bool:
    return not (get_language() or "ko").startswith("en")


def word(thing: Any) -> str:
    """A name that comes in both languages."""
    return thing.ko if in_korean() else thing.en


def role_word(role: str) -> str:
    return {
        "official": _("담당 공무원"), "approver": _("승인 공무원"), "verifier": _("검증인"),
    }[role]  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """A state of the route: done, now or still to come; who brought it here and when."""

    word: str
    state: str
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True)
class Next:
    """A step from here: who may take it, what it asks for, and what stands in the way."""

    id: str
    word: str
    role: str
    documents: tuple[tuple[str, bool], ...]
    why_not: str
    open: bool
    returns: bool


def timeline(at: Standing, names: Mapping[str, str]) -> list[Moment]:
    """States reached, where it stands, and the shortest way to the end."""
    reached = [at.workflow.start.id, *(step.to_state for step in at.steps)]
    if not at.steps:
        reached = [*dict.fromkeys([at.workflow.start.id, at.state])]
    arrived = {step.to_state: step for step in at.steps}
    states = {state.id: state for state in at.workflow.states}
    way = path(at.workflow, reached)
    here = way.index(at.state)
    made = []
    for index, key in enumerate(way):
        step = arrived.get(key) if index <= here else None
        state = "done" if index < here else "now" if index == here else "todo"
        who = names.get(step.actor, step.actor) if step else ""
        made.append(Moment(word(states[key]), state, step.created_at if step else None, who))
    return made


def nexts(at: Standing, found: Sequence[Option], kinds: set[str]) -> list[Next]:
    """The steps from here in words; `kinds` are the documents that are there."""
    states = {state.id: state for state in at.workflow.states}
    made = []
    for option in found:
        step: Transition = option.transition
        why = "" if option.refusal is None else option.refusal.text(get_language() or "ko")
        asked = tuple((word(at.route.document(kind)), kind in kinds) for kind in step.documents)
        made.append(
            Next(step.id, word(step), role_word(step.role), asked, why, option.refusal is None,
                 states[step.target].status == "returned")
        )  # fmt: skip
    return made


def route_of_period(
    request: Request, conn: Connection, monitored: footprint.Monitoring
) -> dict[str, Any]:
    """A monitoring period's own timeline and next steps, for its page."""
    city = request.city.code
    at = standing(conn, city, monitored.project_id, monitored.id, monitored.status)
    found = options(
        conn, city, monitored.project_id, str(request.user.pk), request.roles, CLOCK,
        monitored.id, request.city.zone,
    )  # fmt: skip
    names = people.names_of(step.actor for step in at.steps)
    kinds = {d.kind for d in _documents(conn, city, monitored.project_id, monitored.id)}
    return {
        "route": at.route, "route_word": word(at.route), "seen": at.seen,
        "route_timeline": timeline(at, names), "nexts": nexts(at, found, kinds),
        "quick": at.route.id == "internal",
    }  # fmt: skip


def _documents(conn: Connection, city: str, project: UUID, monitoring: UUID | None) -> list[Any]:
    from onsil.footprint.projects import documents

    return documents(conn, city, project, monitoring)


def head(
    request: Request, conn: Connection, project: footprint.Project, tab: str
) -> dict[str, Any]:
    """The context of a workspace page: route, timeline, time limits, next steps, tabs."""
    city = request.city.code
    at = standing(conn, city, project.id)
    zone = request.city.zone
    today = local_day(CLOCK.now(), zone)
    found = options(conn, city, project.id, str(request.user.pk), request.roles, CLOCK, None, zone)
    names = people.names_of(step.actor for step in at.steps)
    kinds = {d.kind for d in _documents(conn, city, project.id, None)}
    running = [
        {"word": word(clock.limit), "due": clock.due, "overdue": clock.overdue}
        for clock in clocks(at.workflow, [step.past for step in at.steps], today, zone)
    ]
    due = verification_due(conn, city, project, at.route, zone)
    if due is not None:
        text = _("다음 검증을 마칠 날")
        running.append({"word": text, "due": due, "overdue": today > due})
    return {
        "section": "projects", "project": project, "tab": tab, "tabs": _tabs(project.id),
        "name": project.name_ko if in_korean() else project.name_en,
        "route": at.route, "route_word": word(at.route), "seen": at.seen,
        "route_timeline": timeline(at, names), "nexts": nexts(at, found, kinds),
        "clocks": sorted(running, key=lambda one: one["due"]), "korean": in_korean(),
        "official": Role.OFFICIAL in request.roles, "verifier": Role.VERIFIER in request.roles,
        "approver": Role.APPROVER in request.roles, "route_steps": at.steps, "names": names,
    }  # fmt: skip


def _tabs(project: UUID) -> list[tuple[str, str, str]]:
    words = (
        ("overview", "console-project", _("개요와 크레딧")),
        ("documents", "project-documents", _("문서")),
        ("data", "project-data", _("데이터와 산정")),
        ("findings", "project-findings", _("지적")),
        ("verification", "project-verification", _("검증기관")),
        ("members", "project-members", _("사업장과 계량기")),
        ("plan", "project-plan", _("계획과 추가성")),
    )
    return [(key, reverse(name, args=[project]), text) for key, name, text in words]
