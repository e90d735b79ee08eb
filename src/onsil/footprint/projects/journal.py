"""Routes sealed in the database, what a project went through under them, and where it stands."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.projects.library import INTERNAL, from_content, routes
from onsil.footprint.projects.terms import Past, Route, Step, Transition, Workflow
from onsil.footprint.projects.workflow import Situation, decide
from onsil.footprint.store import Row, execute, lock, rows

SEOUL = ZoneInfo("Asia/Seoul")
_STEP = """SELECT id, project_id, monitoring_id, sequence, route_sha256, transition, from_state,
  to_state, role, party, actor, note, created_at FROM footprint_project_step"""


@dataclass(frozen=True)
class Standing:
    """Where a project or one of its monitoring periods stands, and how it came there."""

    route: Route
    of_period: bool
    state: str
    steps: tuple[Step, ...]

    @property
    def workflow(self) -> Workflow:
        return self.route.workflow(self.of_period)

    @property
    def seen(self) -> int:
        """How many steps there are: what a page shows and hands back with the next one."""
        return len(self.steps)


def seal(conn: Connection, city: str, route: Route, actor: str, clock: Clock) -> Refusal | None:
    """Keep a route's version for good; the same again changes nothing.

    Refused `route-changed`: another content under a version that is sealed already.
    """
    lock(conn, city, [f"seal {route.id}"])
    there = rows(
        conn,
        "SELECT sha256 FROM footprint_route WHERE city = %s AND route = %s AND version = %s",
        (city, route.id, route.version),
    )
    if there:
        if there[0]["sha256"] == route.sha256:
            return None
        return Refusal(
            "route-changed",
            f"{route.ko} {route.version}판은 이미 다른 내용으로 봉인되어 있습니다. "
            "바꾼 절차에는 새 판 번호가 필요합니다.",
            f"{route.en} {route.version} is sealed with other content; a changed route needs a "
            "new version.",
            {"route": route.id, "version": route.version, "sealed": there[0]["sha256"]},
        )
    identifier, now = new_id(), clock.now()
    execute(
        conn,
        """INSERT INTO footprint_route (city, id, route, version, sha256, content, actor,
          created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (city, identifier, route.id, route.version, route.sha256, route.text, actor, now),
    )
    entry = route_entry(route.id, route.version, route.sha256, now)
    proof.append(conn, city, "route", identifier, entry)
    proof.audit(conn, city, actor, "route.sealed", "route", str(identifier), None, entry)
    return None


def route_entry(route: str, version: str, sha256: str, at: datetime) -> dict[str, Any]:
    """What the log holds of a sealed route."""
    return {"route": route, "version": version, "sha256": sha256, "created_at": at}


def put_under(
    conn: Connection,
    city: str,
    project_id: UUID,
    route: Route,
    actor: str,
    clock: Clock,
    reason: str = "",
) -> Refusal | None:
    """Add a route's version to a project's row of them; the database checks a migration."""
    refusal = seal(conn, city, route, actor, clock)
    if refusal is not None:
        return refusal
    execute(
        conn,
        """INSERT INTO footprint_project_route (city, id, project_id, sequence, sha256, reason,
          actor, created_at) SELECT %(city)s, %(id)s, %(project)s,
            1 + coalesce(max(sequence), 0), %(sha256)s, %(reason)s, %(actor)s, %(now)s
          FROM footprint_project_route WHERE city = %(city)s AND project_id = %(project)s""",
        {
            "city": city, "id": new_id(), "project": project_id, "sha256": route.sha256,
            "reason": reason, "actor": actor, "now": clock.now(),
        },
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.route", "project", str(project_id), None,
        {"route": route.id, "version": route.version, "sha256": route.sha256, "reason": reason},
    )  # fmt: skip
    return None


def route_of(conn: Connection, city: str, project_id: UUID) -> Route:
    """The sealed version a project is under; the quick path for one older than routes."""
    found = rows(
        conn,
        """SELECT content FROM footprint_route WHERE city = %(city)s
          AND sha256 = footprint_route_now(%(city)s::text, %(project)s::uuid)""",
        {"city": city, "project": project_id},
    )
    return from_content(json.loads(found[0]["content"])) if found else routes()[INTERNAL]


def route_rows(conn: Connection, city: str, project_id: UUID) -> list[Row]:
    """Every version a project was put under, oldest first, with reason, actor and time."""
    return rows(
        conn,
        """SELECT p.sequence, r.route, r.version, p.sha256, p.reason, p.actor, p.created_at
        FROM footprint_project_route p JOIN footprint_route r USING (city, sha256)
        WHERE p.city = %s AND p.project_id = %s ORDER BY p.sequence""",
        (city, project_id),
    )


def steps(
    conn: Connection, city: str, project_id: UUID, monitoring_id: UUID | None = None
) -> tuple[Step, ...]:
    """The steps of a project, or of one of its monitoring periods; oldest first."""
    found = rows(
        conn,
        f"""{_STEP} WHERE city = %s AND project_id = %s
          AND monitoring_id IS NOT DISTINCT FROM %s::uuid ORDER BY sequence""",
        (city, project_id, monitoring_id),
    )
    return tuple(Step(**row) for row in found)


def step(conn: Connection, city: str, step_id: UUID) -> Step | None:
    found = rows(conn, f"{_STEP} WHERE city = %s AND id = %s", (city, step_id))
    return Step(**found[0]) if found else None


def step_entry(made: Step) -> dict[str, Any]:
    """What the log holds of a step."""
    return {
        "project": made.project_id,
        "monitoring": made.monitoring_id,
        "sequence": made.sequence,
        "route": made.route_sha256,
        "transition": made.transition,
        "from": made.from_state,
        "to": made.to_state,
        "role": made.role,
        "actor": made.actor,
        "note": made.note,
        "created_at": made.created_at,
    }


def standing(
    conn: Connection,
    city: str,
    project_id: UUID,
    monitoring_id: UUID | None = None,
    status: str = "open",
) -> Standing:
    """Where it stands. `status` is the monitoring period's, for one older than its journal."""
    route = route_of(conn, city, project_id)
    done = steps(conn, city, project_id, monitoring_id)
    flow = route.workflow(monitoring_id is not None)
    if done:
        state = done[-1].to_state
    elif monitoring_id is None:
        state = flow.start.id
    else:
        held = flow.with_status("approved" if status == "issued" else status)
        state = (held or flow.start).id
    return Standing(route, monitoring_id is not None, state, done)


def acts(conn: Connection, city: str, project_id: UUID) -> list[Past]:
    """Everything that anybody did in a project, and for which side."""
    found = rows(
        conn,
        """SELECT actor, party, created_at FROM footprint_project_act
        WHERE city = %s AND project_id = %s""",
        (city, project_id),
    )
    return [Past("", row["actor"], row["party"], row["created_at"]) for row in found]


def document_kinds(
    conn: Connection, city: str, project_id: UUID, monitoring_id: UUID | None
) -> set[str]:
    found = rows(
        conn,
        """SELECT DISTINCT kind FROM footprint_project_document WHERE city = %s
          AND project_id = %s AND monitoring_id IS NOT DISTINCT FROM %s::uuid""",
        (city, project_id, monitoring_id),
    )
    return {row["kind"] for row in found}


def situation(
    conn: Connection,
    city: str,
    project_id: UUID,
    monitoring_id: UUID | None,
    at: Standing,
    clock: Clock,
    zone: ZoneInfo,
) -> Situation:
    """All that the pure rules decide a step on."""
    return Situation(
        state=at.state,
        history=[one.past for one in at.steps],
        acts=acts(conn, city, project_id),
        documents=document_kinds(conn, city, project_id, monitoring_id),
        today=local_day(clock.now(), zone),
        zone=zone,
    )


def may(
    conn: Connection,
    city: str,
    project_id: UUID,
    monitoring_id: UUID | None,
    at: Standing,
    transition: str,
    actor: str,
    roles: Collection[str] | None,
    clock: Clock,
    zone: ZoneInfo | None = None,
) -> Transition | Refusal:
    """The rules' answer for a step from here, gates on data apart; refused as `decide` is."""
    where = situation(conn, city, project_id, monitoring_id, at, clock, zone or SEOUL)
    return decide(at.route, at.workflow, transition, actor, roles, where)


def write(
    conn: Connection,
    city: str,
    project_id: UUID,
    monitoring_id: UUID | None,
    at: Standing,
    taken: Transition,
    actor: str,
    note: str,
    clock: Clock,
    *,
    audited: bool = True,
) -> Step:
    """Add a decided step to the journal, the log and the audit trail.

    `audited` is false where the caller tells the trail of the very same move.
    """
    if not rows(
        conn,
        "SELECT 1 AS one FROM footprint_project_route WHERE city = %s AND project_id = %s",
        (city, project_id),
    ):
        put_under(conn, city, project_id, at.route, actor, clock)
    made = Step(
        new_id(), project_id, monitoring_id, at.seen + 1, at.route.sha256, taken.id, at.state,
        taken.target, taken.role, taken.party, actor, note, clock.now(),
    )  # fmt: skip
    execute(
        conn,
        """INSERT INTO footprint_project_step (city, id, project_id, monitoring_id, sequence,
          route_sha256, transition, from_state, to_state, role, party, actor, note, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made.id, project_id, monitoring_id, made.sequence, made.route_sha256,
            made.transition, made.from_state, made.to_state, made.role, made.party, actor, note,
            made.created_at,
        ),
    )  # fmt: skip
    proof.append(conn, city, "project-step", made.id, step_entry(made))
    if audited:
        proof.audit(
            conn, city, actor, f"route.{taken.id}",
            "project" if monitoring_id is None else "monitoring", str(monitoring_id or project_id),
            {"state": made.from_state}, {"state": made.to_state, "note": note},
        )  # fmt: skip
    return made
