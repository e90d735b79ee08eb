"""Walking a route: the steps that may be taken next, and taking one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.projects import gates, journal
from onsil.footprint.projects.journal import SEOUL
from onsil.footprint.projects.periods import decide_on, monitoring
from onsil.footprint.projects.registration import (
    next_crediting,
    project,
    unknown_project,
    write_crediting,
)
from onsil.footprint.projects.terms import Step, Transition
from onsil.footprint.projects.workflow import person
from onsil.footprint.store import lock
from onsil.footprint.terms import Monitoring, Project


@dataclass(frozen=True)
class Option:
    """A step from here; `refusal` says what stands in this person's way, None when nothing."""

    transition: Transition
    refusal: Refusal | None


def options(
    conn: Connection,
    city: str,
    project_id: UUID,
    actor: str,
    roles: Collection[str] | None,
    clock: Clock,
    monitoring_id: UUID | None = None,
    zone: ZoneInfo | None = None,
) -> list[Option]:
    """Every step that leads on from here, with what keeps this person from it now."""
    owner = project(conn, city, project_id)
    assert owner is not None
    monitored = None if monitoring_id is None else monitoring(conn, city, monitoring_id)
    status = monitored.status if monitored else "open"
    at = journal.standing(conn, city, project_id, monitoring_id, status)
    if status == "issued":
        return []
    found = []
    for step in at.workflow.leaving(at.state):
        decided = journal.may(
            conn, city, project_id, monitoring_id, at, step.id, actor, roles, clock, zone
        )
        refusal = decided if isinstance(decided, Refusal) else None
        if refusal is None:
            asked = _asked(conn, city, owner, monitored, clock, zone or SEOUL)
            refusal = gates.shut(asked, _askable(step, monitored))
        found.append(Option(step, refusal))
    return found


def _askable(step: Transition, monitored: Monitoring | None) -> tuple[str, ...]:
    """Gates that can be asked before the claims of a submission are chosen."""
    if monitored is not None and not monitored.claim_ids:
        of_claims = ("claims", "no-legal-duty", "devices", "coverage", "method-version")
        return tuple(gate for gate in step.gates if gate.partition(":")[0] not in of_claims)
    return step.gates


def _asked(
    conn: Connection, city: str, owner: Project, monitored: Monitoring | None, clock: Clock,
    zone: ZoneInfo,
) -> gates.Asked:  # fmt: skip
    claims = monitored.claim_ids if monitored else ()
    return gates.Asked(conn, city, owner, monitored, claims, local_day(clock.now(), zone), zone)


def take_step(
    conn: Connection,
    city: str,
    project_id: UUID,
    transition: str,
    actor: str,
    clock: Clock,
    *,
    roles: Collection[str] | None = None,
    monitoring_id: UUID | None = None,
    note: str = "",
    seen: int | None = None,
    renewed_until: date | None = None,
    zone: ZoneInfo | None = None,
) -> Step | Refusal:
    """Take one step of a project, or of one of its monitoring periods.

    `seen` is how many steps the page showed: sent twice, the step that was taken is given again.
    A submission is made with `submit_monitoring`, for it names claims. Refused: unknown-project,
    unknown-monitoring, route-moved (somebody took another step since), reason-missing (for a
    return), claims-needed, what `decide` and the step's gates refuse; for a renewal, what
    `next_crediting` refuses.
    """
    owner = project(conn, city, project_id)
    if owner is None:
        return unknown_project()
    monitored = None if monitoring_id is None else monitoring(conn, city, monitoring_id)
    if monitoring_id is not None and (monitored is None or monitored.project_id != project_id):
        return Refusal(
            "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
        )
    lock(conn, city, [f"route {project_id}"])
    status = monitored.status if monitored else "open"
    at = journal.standing(conn, city, project_id, monitoring_id, status)
    if seen is not None and seen != at.seen:
        return _since(at.steps, seen, transition, actor, note)
    step = at.workflow.transition(transition)
    target = at.workflow.state(step.target) if step is not None else None
    if monitored is not None and target is not None and target.status != monitored.status:
        return _through(
            conn, city, monitored, transition, target.status, actor, note, clock, roles, zone
        )
    taken = journal.may(
        conn, city, project_id, monitoring_id, at, transition, actor, roles, clock, zone
    )
    if isinstance(taken, Refusal):
        return taken
    refusal = gates.shut(_asked(conn, city, owner, monitored, clock, zone or SEOUL), taken.gates)
    if refusal is not None:
        return refusal
    if taken.does != "renew":
        return journal.write(conn, city, project_id, monitoring_id, at, taken, actor, note, clock)
    period = next_crediting(conn, city, owner, at.route, renewed_until)
    if isinstance(period, Refusal):
        return period
    made = journal.write(conn, city, project_id, None, at, taken, actor, note, clock)
    write_crediting(conn, city, project_id, period, made.id, actor, clock)
    return made


def _since(
    steps: tuple[Step, ...], seen: int, transition: str, actor: str, note: str
) -> Step | Refusal:
    last = steps[-1] if steps else None
    mine = last is not None and len(steps) == seen + 1 and (
        (last.transition, person(last.actor), last.note) == (transition, person(actor), note)
    )  # fmt: skip
    if mine and last is not None:
        return last
    return Refusal(
        "route-moved",
        "그사이 다른 단계로 넘어갔습니다. 지금 상태를 보고 다시 해 주세요.",
        "Another step was taken since. Look at where it stands now and try again.",
        {"seen": seen, "there": len(steps)},
    )


def _through(
    conn: Connection, city: str, monitored: Monitoring, transition: str, status: str, actor: str,
    note: str, clock: Clock, roles: Collection[str] | None, zone: ZoneInfo | None,
) -> Step | Refusal:  # fmt: skip
    """A step that also moves the period's status."""
    if status == "submitted":
        return Refusal(
            "claims-needed",
            "제출할 감축량을 고르고 제출해 주세요.",
            "Choose the claims and hand them in.",
        )
    if status == "returned" and not note.strip():
        return Refusal("reason-missing", "반려 사유를 적어 주세요.", "Please give the reason.")
    done = decide_on(conn, city, monitored.id, status, actor, note, clock, zone, roles, transition)
    if isinstance(done, Refusal):
        return done
    return journal.steps(conn, city, monitored.project_id, monitored.id)[-1]
