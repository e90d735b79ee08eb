"""Monitoring periods: handed in, decided on by another person, each move a step of the route."""

from collections.abc import Collection
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_day, local_days
from onsil.core.refusal import Refusal
from onsil.footprint import rows as stored_rows
from onsil.footprint.projects import gates, journal, members
from onsil.footprint.projects.additionality import duty_against
from onsil.footprint.projects.journal import SEOUL, Standing
from onsil.footprint.projects.plans import plan_in_force, write_basis
from onsil.footprint.projects.registration import crediting_periods, project, unknown_project
from onsil.footprint.projects.terms import Transition
from onsil.footprint.quality.findings import blocked
from onsil.footprint.store import Row, as_period, as_range, execute, lock, rows, savepoint
from onsil.footprint.terms import Claim, Monitoring, Project

_MONITORING = """SELECT m.id, m.project_id, m.sequence, m.period, m.status, m.maker,
  m.submitted_at, m.checker, m.decided_at, m.reason,
  coalesce((SELECT array_agg(c.claim_id ORDER BY c.claim_id) FROM footprint_monitoring_claim c
    WHERE c.city = m.city AND c.monitoring_id = m.id), '{}') AS claim_ids,
  coalesce((SELECT sum(k.co2e_t) FROM footprint_monitoring_claim c
    JOIN footprint_claim k ON k.city = c.city AND k.id = c.claim_id
    WHERE c.city = m.city AND c.monitoring_id = m.id), 0) AS co2e_t
  FROM footprint_monitoring m"""


def _monitoring(row: Row) -> Monitoring:
    row["period"], row["claim_ids"] = as_period(row["period"]), tuple(row["claim_ids"])
    return Monitoring(**row)


def monitoring(conn: Connection, city: str, monitoring_id: UUID) -> Monitoring | None:
    found = rows(conn, f"{_MONITORING} WHERE m.city = %s AND m.id = %s", (city, monitoring_id))
    return _monitoring(found[0]) if found else None


def monitorings(conn: Connection, city: str, project_id: UUID | None = None) -> list[Monitoring]:
    """Monitoring periods, newest first, optionally of one project."""
    found = rows(
        conn,
        f"""{_MONITORING} WHERE m.city = %(city)s
          AND (%(project)s::uuid IS NULL OR m.project_id = %(project)s::uuid)
        ORDER BY m.id DESC""",
        {"city": city, "project": project_id},
    )
    return [_monitoring(row) for row in found]


def open_monitoring_period(
    conn: Connection,
    city: str,
    project_id: UUID,
    period: Period,
    actor: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
) -> Monitoring | Refusal:
    """Open the next period of a project; the same period again gives the one that is open.

    Refused: unknown-project, outside-crediting, monitoring-overlaps.
    """
    found = project(conn, city, project_id)
    if found is None:
        return unknown_project()
    spans = crediting_periods(conn, city, found)
    crediting = local_days(spans[0].starts, spans[-1].ends, zone or SEOUL)
    if period.start < crediting.start or period.end > crediting.end:
        return _no(
            "outside-crediting",
            f"모니터링 기간이 인증 기간({spans[0].starts}–{spans[-1].ends}) 밖입니다.",
            "The period lies outside the crediting period "
            f"({spans[0].starts} to {spans[-1].ends}).",
        )
    lock(conn, city, [f"monitoring {project_id}"])
    others = monitorings(conn, city, project_id)
    same = next((m for m in others if m.period == period), None)
    if same is not None:
        return same
    made, sequence = new_id(), 1 + max((m.sequence for m in others), default=0)
    try:
        with savepoint(conn):
            execute(
                conn,
                """INSERT INTO footprint_monitoring (city, id, project_id, sequence, period)
                VALUES (%s, %s, %s, %s, %s)""",
                (city, made, project_id, sequence, as_range(period)),
            )
    except psycopg.errors.ExclusionViolation:
        return _no(
            "monitoring-overlaps",
            "이 사업의 다른 모니터링 기간과 겹칩니다.",
            "It overlaps another monitoring period of this project.",
        )
    proof.audit(
        conn, city, actor, "monitoring.opened", "monitoring", str(made), None,
        {"project": found.code, "start": period.start, "end": period.end},
    )  # fmt: skip
    return _stored(conn, city, made)


def submit_monitoring(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    claim_ids: list[UUID],
    maker: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
    roles: Collection[str] | None = None,
) -> Monitoring | Refusal:
    """Hand in a period with the claims it rests on, replacing those of an earlier submission.

    The route's step that leads to a submission is taken; `roles` are the maker's, None where the
    caller has checked them. Claims of a member outside its own crediting period, or under a law
    that binds it, are left out with the reason (`members`). Refused: unknown-monitoring,
    monitoring-state, no-claims, unknown-claim, claim-programme (held for another programme),
    claim-period (outside the period), claim-used (in another period), claim-released,
    not-creditable, quality-blocked, legal-duty, member-straddles, member-outside-crediting or
    member-legal-duty (where nothing is left), and what `decide` and the step's gates refuse.
    """
    found = _locked(conn, city, monitoring_id)
    if isinstance(found, Refusal):
        return found
    if found.status not in ("open", "returned"):
        return _state(found, "제출", "submitted")
    refusal = _claims_fit(conn, city, found, claim_ids)
    if refusal is not None:
        return refusal
    zone = zone or SEOUL
    left_out = _left_out(conn, city, found, claim_ids, zone)
    if isinstance(left_out, Refusal):
        return left_out
    claim_ids = [one for one in claim_ids if one not in {out.claim_id for out in left_out}]
    allowed = _allowed(conn, city, found, "submitted", maker, roles, claim_ids, clock, zone)
    if isinstance(allowed, Refusal):
        return allowed
    refusal = _hold(conn, city, monitoring_id, claim_ids)
    if refusal is not None:
        return refusal
    members.keep_exclusions(conn, city, monitoring_id, left_out, maker, clock)
    at, taken = allowed
    journal.write(
        conn, city, found.project_id, monitoring_id, at, taken, maker, "", clock, audited=False
    )
    plan = plan_in_force(conn, city, found.project_id, local_day(found.period.start, zone))
    write_basis(conn, city, monitoring_id, claim_ids, plan, maker, clock)
    execute(
        conn,
        """UPDATE footprint_monitoring SET status = 'submitted', maker = %s, submitted_at = %s,
          checker = NULL, decided_at = NULL, reason = '' WHERE city = %s AND id = %s""",
        (maker, clock.now(), city, monitoring_id),
    )
    return _moved(conn, city, maker, "monitoring.submitted", found)


def _left_out(
    conn: Connection, city: str, found: Monitoring, claim_ids: list[UUID], zone: ZoneInfo
) -> list[members.Exclusion] | Refusal:
    """The claims that members cannot be credited for; a refusal when one is so in part, or all."""
    owner = project(conn, city, found.project_id)
    assert owner is not None
    held = [stored_rows.claim_of(conn, city, one) for one in dict.fromkeys(claim_ids)]
    out = members.excluded(conn, city, owner, [one for one in held if one is not None], zone)
    part = next((one for one in out if not one.whole), None)
    if part is not None:
        return members.divided(part)
    return members.all_excluded(out) if out and len(out) == len(held) else out


def _hold(
    conn: Connection, city: str, monitoring_id: UUID, claim_ids: list[UUID]
) -> Refusal | None:
    """Put the claims in place of those of an earlier submission; PostgreSQL has the last word."""
    try:
        with savepoint(conn):
            execute(
                conn,
                "DELETE FROM footprint_monitoring_claim WHERE city = %s AND monitoring_id = %s",
                (city, monitoring_id),
            )
            for claim_id in sorted(set(claim_ids)):
                execute(
                    conn,
                    """INSERT INTO footprint_monitoring_claim (city, monitoring_id, claim_id)
                    VALUES (%s, %s, %s)""",
                    (city, monitoring_id, claim_id),
                )
    except psycopg.errors.UniqueViolation:
        return _no(
            "claim-used",
            "다른 모니터링 기간에 이미 쓰인 청구가 있습니다.",
            "One of the claims already serves another monitoring period.",
        )
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name == "footprint_claim_unusable":
            return _released()
        if error.diag.constraint_name == "footprint_claim_served":
            return _no(
                "claim-used",
                "이미 보상에 쓰인 청구가 있습니다.",
                "One of the claims already serves a reward.",
            )
        if error.diag.constraint_name == "footprint_claim_creditable":
            return _no_units()
        raise
    return None


def _released() -> Refusal:
    return _no(
        "claim-released", "이미 놓아준 청구가 있습니다.", "One of the claims has been released."
    )


def _no_units() -> Refusal:
    return _no(
        "not-creditable",
        "보상이나 장부를 위해 산정·청구한 감축량은 크레딧이 될 수 없습니다.",
        "What was quantified or claimed for rewards or books cannot become credits.",
    )


def _allowed(
    conn: Connection, city: str, found: Monitoring, status: str, actor: str,
    roles: Collection[str] | None, claim_ids: Collection[UUID], clock: Clock, zone: ZoneInfo,
    transition: str | None = None,
) -> tuple[Standing, Transition] | Refusal:  # fmt: skip
    """The step that leads to a status from where the period stands, when it may be taken."""
    owner = project(conn, city, found.project_id)
    assert owner is not None
    lock(conn, city, [f"route {found.project_id}"])
    at = journal.standing(conn, city, found.project_id, found.id, found.status)
    step = _leading(at, status, transition)
    if isinstance(step, Refusal):
        return step
    taken = journal.may(
        conn, city, owner.id, found.id, at, step.id, actor, roles, clock, zone
    )  # fmt: skip
    if isinstance(taken, Refusal):
        return taken
    asked = gates.Asked(
        conn, city, owner, found, tuple(claim_ids), local_day(clock.now(), zone), zone
    )
    refusal = gates.shut(asked, taken.gates)
    return refusal if refusal is not None else (at, taken)


def _leading(at: Standing, status: str, transition: str | None) -> Transition | Refusal:
    states = {state.id: state for state in at.workflow.states}
    leaving = at.workflow.leaving(at.state)
    for step in leaving:
        if states[step.target].status == status and transition in (None, step.id):
            return step
    ahead = ", ".join(step.ko for step in leaving)
    return Refusal(
        "route-state",
        f"지금은 ‘{states[at.state].ko}’ 단계입니다. 먼저 할 일: {ahead}.",
        f"It stands at “{states[at.state].en}”; first comes: "
        f"{', '.join(step.en for step in leaving)}.",
        {"state": at.state, "next": [step.id for step in leaving]},
    )


def _claims_fit(
    conn: Connection, city: str, found: Monitoring, claim_ids: list[UUID]
) -> Refusal | None:
    owner = project(conn, city, found.project_id)
    assert owner is not None
    if not claim_ids:
        return _no("no-claims", "제출할 청구가 없습니다.", "There are no claims to submit.")
    for claim_id in claim_ids:
        held = stored_rows.claim_of(conn, city, claim_id)
        if held is None:
            return _no(
                "unknown-claim", "청구를 찾을 수 없습니다.", f"There is no claim {claim_id}."
            )
        refusal = _claim_fits(found, owner, held)
        if refusal is None:
            refusal = blocked(conn, city, held.run_id)
        if refusal is not None:
            return refusal
    return None


def _claim_fits(found: Monitoring, owner: Project, held: Claim) -> Refusal | None:
    facts = {"claim": str(held.id), "programme": held.programme, "wanted": owner.programme}
    if held.released_at is not None:
        return _released()
    if held.programme != owner.programme:
        return Refusal(
            "claim-programme",
            f"{held.programme}에 청구된 감축량은 {owner.programme} 사업에 쓸 수 없습니다.",
            f"A reduction claimed for {held.programme} cannot serve a {owner.programme} project.",
            facts,
        )
    if held.period.start < found.period.start or held.period.end > found.period.end:
        return Refusal(
            "claim-period",
            "청구의 기간이 모니터링 기간을 벗어납니다.",
            "The claim reaches beyond the monitoring period.",
            facts,
        )
    return None


def approve_monitoring(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    checker: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
    roles: Collection[str] | None = None,
) -> Monitoring | Refusal:
    """Approve a submitted period, by anyone but the one who submitted it.

    Refused: unknown-monitoring, monitoring-state, maker-is-checker, route-state (the route asks
    for another step first), and what `decide` and the step's gates refuse.
    """
    return decide_on(conn, city, monitoring_id, "approved", checker, "", clock, zone, roles)


def return_monitoring(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    checker: str,
    reason: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
    roles: Collection[str] | None = None,
) -> Monitoring | Refusal:
    """Send a submitted period back with a reason; refused as `approve_monitoring` is."""
    if not reason.strip():
        return _no("reason-missing", "반려 사유를 적어 주세요.", "Please give the reason.")
    return decide_on(conn, city, monitoring_id, "returned", checker, reason, clock, zone, roles)


def decide_on(
    conn: Connection, city: str, monitoring_id: UUID, status: str, checker: str, reason: str,
    clock: Clock, zone: ZoneInfo | None = None, roles: Collection[str] | None = None,
    transition: str | None = None,
) -> Monitoring | Refusal:  # fmt: skip
    """Take the step that approves or returns a period (`transition` where there are several)."""
    found = _locked(conn, city, monitoring_id)
    if isinstance(found, Refusal):
        return found
    if found.status != "submitted":
        return _state(found, "결정", "decided on")
    allowed = _allowed(
        conn, city, found, status, checker, roles, found.claim_ids, clock, zone or SEOUL,
        transition,
    )  # fmt: skip
    if isinstance(allowed, Refusal):
        return allowed
    at, taken = allowed
    journal.write(
        conn,
        city,
        found.project_id,
        monitoring_id,
        at,
        taken,
        checker,
        reason,
        clock,
        audited=False,
    )
    execute(
        conn,
        """UPDATE footprint_monitoring SET status = %s, checker = %s, decided_at = %s, reason = %s
        WHERE city = %s AND id = %s""",
        (status, checker, clock.now(), reason, city, monitoring_id),
    )
    return _moved(conn, city, checker, f"monitoring.{status}", found)


def issuable(conn: Connection, city: str, monitoring_id: UUID) -> Refusal | None:
    """What stops an approved period from being issued after all: what has become known since.

    Refused: unknown-monitoring, legal-duty, quality-blocked (a later look at a run, as when a
    meter's certificate turns out to have lapsed).
    """
    found = monitoring(conn, city, monitoring_id)
    if found is None:
        return _unknown()
    owner = project(conn, city, found.project_id)
    assert owner is not None
    held = [one for key in found.claim_ids if (one := stored_rows.claim_of(conn, city, key))]
    for one in held:
        refusal = blocked(conn, city, one.run_id)
        if refusal is not None:
            return refusal
    ends = [one.period.end for one in held]
    return duty_against(conn, city, owner, max(ends)) if ends else None


def _locked(conn: Connection, city: str, monitoring_id: UUID) -> Monitoring | Refusal:
    lock(conn, city, [f"monitoring {monitoring_id}"])
    found = monitoring(conn, city, monitoring_id)
    return _unknown() if found is None else found


def _unknown() -> Refusal:
    return _no(
        "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
    )


def _stored(conn: Connection, city: str, monitoring_id: UUID) -> Monitoring:
    found = monitoring(conn, city, monitoring_id)
    assert found is not None
    return found


def _moved(conn: Connection, city: str, actor: str, action: str, before: Monitoring) -> Monitoring:
    after = _stored(conn, city, before.id)

    def shown(one: Monitoring) -> dict[str, Any]:
        return {
            "status": one.status, "maker": one.maker, "checker": one.checker,
            "reason": one.reason, "claims": one.claim_ids, "co2e_t": one.co2e_t,
        }  # fmt: skip

    proof.audit(
        conn, city, actor, action, "monitoring", str(before.id), shown(before), shown(after)
    )
    return after


def _state(found: Monitoring, ko: str, en: str) -> Refusal:
    return Refusal(
        "monitoring-state",
        f"상태가 {found.status}인 모니터링 기간은 {ko}할 수 없습니다.",
        f"A monitoring period that is {found.status} cannot be {en}.",
        {"monitoring": str(found.id), "status": found.status},
    )


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
