"""Monitoring plans in dated versions, and what a submission of a period rested on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import rows as stored_rows
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.store import execute, lock, rows

# What each parameter of a plan says: all texts, none left out.
PARAMETER_FIELDS = ("id", "ko", "en", "unit", "source", "frequency", "quality")


@dataclass(frozen=True)
class MonitoringPlan:
    """A version in force from a day until the next one's.

    `parameters` say what is measured (id, ko, en, unit), where from (source: a meter or a record),
    how often (frequency) and how it is kept right (quality).
    """

    effective_on: date
    parameters: tuple[Mapping[str, str], ...]
    quality: str
    responsible: str
    reason: str = ""
    version: int = 0
    id: UUID | None = None
    actor: str = ""


@dataclass(frozen=True)
class Basis:
    """What a submission rested on. `runs` name run, snapshot and outputs by their hashes."""

    sequence: int
    plan_id: UUID | None
    methodology: str
    methodology_version: str
    runs: tuple[Mapping[str, str], ...]


def set_plan(
    conn: Connection, city: str, project_id: UUID, plan: MonitoringPlan, actor: str, clock: Clock
) -> MonitoringPlan | Refusal:
    """Write the next version of a project's plan; the newest one's terms again give it.

    Refused: unknown-project, plan-incomplete (no parameter, or a field of one missing; no
    responsible person), plan-date (not after the newest version's day), reason-missing (from the
    second version on).
    """
    if project(conn, city, project_id) is None:
        return unknown_project()
    lock(conn, city, [f"plan {project_id}"])
    there = plans(conn, city, project_id)
    last = there[0] if there else None
    if last is not None and _terms(last) == _terms(plan):
        return last
    refusal = _incomplete(plan, last)
    if refusal is not None:
        return refusal
    identifier, version = new_id(), 1 + (last.version if last else 0)
    execute(
        conn,
        """INSERT INTO footprint_monitoring_plan (city, id, project_id, version, effective_on,
          parameters, quality, responsible, reason, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, project_id, version, plan.effective_on,
            Jsonb([dict(p) for p in plan.parameters]), plan.quality, plan.responsible,
            plan.reason, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.plan", "project", str(project_id),
        _terms(last) if last else None, {"version": version, **_terms(plan)},
    )  # fmt: skip
    return plans(conn, city, project_id)[0]


def _incomplete(plan: MonitoringPlan, last: MonitoringPlan | None) -> Refusal | None:
    complete = all(
        str(parameter.get(name, "")).strip()
        for parameter in plan.parameters
        for name in PARAMETER_FIELDS
    )
    if not plan.parameters or not complete or not plan.responsible.strip():
        return Refusal(
            "plan-incomplete",
            "모니터링 항목마다 이름·단위·출처·주기·품질관리를, 그리고 책임자를 적어 주세요.",
            "Each parameter needs a name, unit, source, frequency and quality control, and the "
            "plan somebody responsible.",
        )
    if last is not None and plan.effective_on <= last.effective_on:
        return Refusal(
            "plan-date",
            f"새 판은 앞 판의 날({last.effective_on})보다 뒤에 시작해야 합니다.",
            f"A new version starts after the last one's day ({last.effective_on}).",
        )
    if last is not None and not plan.reason.strip():
        return Refusal("reason-missing", "바꾸는 까닭을 적어 주세요.", "Please give the reason.")
    return None


def _terms(plan: MonitoringPlan) -> dict[str, Any]:
    return {
        "effective_on": plan.effective_on,
        "parameters": [dict(one) for one in plan.parameters],
        "quality": plan.quality,
        "responsible": plan.responsible,
        "reason": plan.reason,
    }


def plans(conn: Connection, city: str, project_id: UUID) -> list[MonitoringPlan]:
    """Every version of a project's plan, newest first."""
    found = rows(
        conn,
        """SELECT id, version, effective_on, parameters, quality, responsible, reason, actor
        FROM footprint_monitoring_plan WHERE city = %s AND project_id = %s
        ORDER BY version DESC""",
        (city, project_id),
    )
    return [MonitoringPlan(parameters=tuple(row.pop("parameters")), **row) for row in found]


def plan_in_force(
    conn: Connection, city: str, project_id: UUID, day: date
) -> MonitoringPlan | None:
    """The version that holds on a day."""
    every = plans(conn, city, project_id)
    return next((plan for plan in every if plan.effective_on <= day), None)


def plan_changes(
    before: MonitoringPlan, after: MonitoringPlan
) -> list[tuple[str, str, str | None, str | None]]:
    """What differs: (parameter or "", field, before, after), None where there was none."""
    made: list[tuple[str, str, str | None, str | None]] = []
    for name in ("effective_on", "quality", "responsible"):
        was, now = str(getattr(before, name)), str(getattr(after, name))
        if was != now:
            made.append(("", name, was, now))
    was_by_id = {one["id"]: one for one in before.parameters}
    now_by_id = {one["id"]: one for one in after.parameters}
    for key in sorted({*was_by_id, *now_by_id}):
        was_one, now_one = was_by_id.get(key), now_by_id.get(key)
        for name in PARAMETER_FIELDS[1:]:
            was = was_one[name] if was_one else None
            now = now_one[name] if now_one else None
            if was != now:
                made.append((key, name, was, now))
    return made


def write_basis(
    conn: Connection, city: str, monitoring_id: UUID, claim_ids: list[UUID],
    plan: MonitoringPlan | None, actor: str, clock: Clock,
) -> None:  # fmt: skip
    """Keep which plan, methodology version, runs and snapshots a submission rests on.

    Where its runs are of several versions (a route that checks it refuses that), all are named.
    """
    runs = {}
    for claim_id in claim_ids:
        held = stored_rows.claim_of(conn, city, claim_id)
        assert held is not None
        found = stored_rows.run(conn, city, held.run_id)
        assert found is not None
        runs[found.id] = found
    methods = sorted({run.methodology for run in runs.values()})
    versions = sorted({run.version for run in runs.values()})
    execute(
        conn,
        """INSERT INTO footprint_monitoring_basis (city, monitoring_id, sequence, plan_id,
          methodology, methodology_version, runs, actor, created_at)
        SELECT %(city)s, %(id)s, 1 + coalesce(max(sequence), 0), %(plan)s::uuid, %(methodology)s,
          %(version)s, %(runs)s, %(actor)s, %(now)s
        FROM footprint_monitoring_basis WHERE city = %(city)s AND monitoring_id = %(id)s""",
        {
            "city": city, "id": monitoring_id, "plan": plan.id if plan else None,
            "methodology": ", ".join(methods), "version": ", ".join(versions), "actor": actor,
            "now": clock.now(),
            "runs": Jsonb([
                {"run": str(run.id), "methodology": run.methodology, "version": run.version,
                 "snapshot": run.snapshot_digest, "outputs": run.outputs_digest}
                for run in sorted(runs.values(), key=lambda one: one.id)
            ]),
        },
    )  # fmt: skip


def basis(conn: Connection, city: str, monitoring_id: UUID) -> Basis | None:
    """What the last submission of a period rested on."""
    found = rows(
        conn,
        """SELECT sequence, plan_id, methodology, methodology_version, runs
        FROM footprint_monitoring_basis WHERE city = %s AND monitoring_id = %s
        ORDER BY sequence DESC LIMIT 1""",
        (city, monitoring_id),
    )
    return Basis(runs=tuple(found[0].pop("runs")), **found[0]) if found else None
