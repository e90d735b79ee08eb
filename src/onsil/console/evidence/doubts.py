"""One list of what is doubted about a run: by the engine's checks, in this room, in a project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from onsil.console import people
from onsil.console.evidence.models import Finding, Remark
from onsil.core.database import Connection, cursor
from onsil.footprint.projects import Finding as ProjectFinding
from onsil.footprint.projects import findings as project_findings
from onsil.footprint.quality import Finding as Checked
from onsil.footprint.quality import findings_of

# A verifier's words for a doubt, and what a project's finding is called (CAR: corrective action).
AS_PROJECTS: Mapping[str, tuple[str, str]] = {
    "material": ("CAR", "material"),
    "correction": ("CAR", "minor"),
    "observation": ("CL", "observation"),
}
_AS_ROOMS = {severity: name for name, (_kind, severity) in AS_PROJECTS.items()}
_STATES = {"raised": "open", "reopened": "open", "answered": "answered", "closed": "closed"}
_ORDER = {"open": 0, "answered": 1, "closed": 2}


@dataclass(frozen=True)
class Said:
    """One thing said about a doubt."""

    act: str
    text: str
    author: str
    at: datetime


@dataclass(frozen=True)
class Serving:
    """A project's period that a run's claims are handed in with."""

    project_id: UUID
    code: str
    monitoring_id: UUID
    sequence: int


@dataclass(frozen=True)
class Doubt:
    """A finding that a verifier raised. `origin` is `room` or `project`, where it was raised.

    `severity` is one of this room's words and `state` open, answered or closed, for both alike;
    `name` is a project's own name for it, such as "SOLAR-1 CAR 3".
    """

    id: UUID
    origin: str
    name: str
    title: str
    severity: str
    state: str
    opened_by: str
    opened_at: datetime
    run: UUID | None
    project_id: UUID | None = None
    said: tuple[Said, ...] = field(default=())

    @property
    def severity_word(self) -> str:
        return str(Finding.Severity(self.severity).label)

    @property
    def state_word(self) -> str:
        return str(Finding.State(self.state).label)


@dataclass(frozen=True)
class Doubts:
    """Everything about one run: what its checks found, the gravest first, and what people doubt."""

    checked: tuple[Checked, ...]
    raised: tuple[Doubt, ...]

    @property
    def open(self) -> int:
        return sum(one.state != "closed" for one in self.raised)


def serving(conn: Connection, city: str, run_id: UUID) -> list[Serving]:
    """The projects' periods that a run's claims are handed in with, the newest first."""
    with cursor(conn) as run:
        found = run.execute(
            """SELECT DISTINCT m.project_id, p.code, m.id, m.sequence
            FROM footprint_claim c
            JOIN footprint_monitoring_claim h ON h.city = c.city AND h.claim_id = c.id
            JOIN footprint_monitoring m ON m.city = h.city AND m.id = h.monitoring_id
            JOIN footprint_project p ON p.city = m.city AND p.id = m.project_id
            WHERE c.city = %s AND c.run_id = %s ORDER BY m.id DESC""",
            (city, run_id),
        ).fetchall()
    return [Serving(*row) for row in found]


def of_run(conn: Connection, city: str, run_id: UUID) -> Doubts:
    """One list for a run: its checks, this room's findings, and those of projects about the run
    or about a period that it serves."""
    served = serving(conn, city, run_id)
    periods = {one.monitoring_id for one in served}
    theirs = [
        (one.code, found)
        for one in {s.project_id: s for s in served}.values()
        for found in project_findings(conn, city, one.project_id)
        if found.run_id == run_id or (found.run_id is None and found.monitoring_id in periods)
    ]
    mine = Finding.objects.filter(city=city, run=run_id)
    return Doubts(
        tuple(findings_of(conn, city, run_id)), _in_order([*_of_room(mine), *_of_projects(theirs)])
    )


def of_city(conn: Connection, city: str) -> list[Doubt]:
    """Every finding that verifiers raised in this room or about projects, the open ones first."""
    with cursor(conn) as run:
        known = run.execute(
            """SELECT DISTINCT p.id, p.code FROM footprint_project p
            JOIN footprint_finding f ON f.city = p.city AND f.project_id = p.id
            WHERE p.city = %s""",
            (city,),
        ).fetchall()
    theirs = [
        (code, found)
        for project_id, code in known
        for found in project_findings(conn, city, project_id)
    ]
    return list(_in_order([*_of_room(Finding.objects.filter(city=city)), *_of_projects(theirs)]))


def of_project(conn: Connection, city: str, project_id: UUID) -> list[tuple[UUID, Doubts]]:
    """For a project's page: what the checks and this room say of each run that it rests on.

    Its own findings are not repeated. Only runs with something to say are named.
    """
    with cursor(conn) as run:
        runs = run.execute(
            """SELECT DISTINCT c.run_id FROM footprint_monitoring m
            JOIN footprint_monitoring_claim h ON h.city = m.city AND h.monitoring_id = m.id
            JOIN footprint_claim c ON c.city = h.city AND c.id = h.claim_id
            WHERE m.city = %s AND m.project_id = %s ORDER BY c.run_id DESC""",
            (city, project_id),
        ).fetchall()
    found: list[tuple[UUID, Doubts]] = []
    for (run_id,) in runs:
        raised = _in_order(list(_of_room(Finding.objects.filter(city=city, run=run_id))))
        found.append((run_id, Doubts(tuple(findings_of(conn, city, run_id)), raised)))
    return [(run_id, one) for run_id, one in found if one.checked or one.raised]


def _in_order(found: list[Doubt]) -> tuple[Doubt, ...]:
    newest = sorted(found, key=lambda one: one.opened_at, reverse=True)
    return tuple(sorted(newest, key=lambda one: _ORDER[one.state]))


def _of_room(found: object) -> Iterable[Doubt]:
    for one in found.select_related("opened_by").prefetch_related("remarks__author"):  # pyright: ignore
        yield Doubt(
            one.pk, "room", "", one.title, one.severity, one.state, str(one.opened_by),
            one.opened_at, one.run,
            said=tuple(
                Said(str(Remark.Act(r.act).label), r.text, str(r.author), r.at)
                for r in one.remarks.all()
            ),
        )  # fmt: skip


def _of_projects(found: list[tuple[str, ProjectFinding]]) -> Iterable[Doubt]:
    names = people.names_of(
        actor for _code, f in found for actor in (f.actor, *(r.actor for r in f.remarks))
    )
    acts = {"answered": _("답변"), "reopened": _("다시 엶"), "closed": _("종결")}
    for code, one in found:
        assert one.id is not None
        assert one.created_at is not None
        first = Said(_("제기"), one.text, names.get(one.actor, one.actor), one.created_at)
        yield Doubt(
            one.id, "project", f"{code} {one.name}", one.title, _AS_ROOMS[one.severity],
            _STATES[one.state], first.author, one.created_at, one.run_id, one.project_id,
            (first, *(
                Said(acts[r.act], r.text, names.get(r.actor, r.actor), r.created_at)
                for r in one.remarks
            )),
        )  # fmt: skip
