"""Projects and their monitoring periods: one person submits, another approves."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.range import Range

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint import rows as stored_rows
from onsil.footprint.methodologies import methodology
from onsil.footprint.store import Row, as_period, as_range, execute, lock, rows, savepoint
from onsil.footprint.terms import Claim, Monitoring, Project, ProjectSpec

_PROJECT = """SELECT id, code, name_ko, name_en, programme, methodology, crediting, buffer_bp,
  actor, created_at FROM footprint_project"""
_MONITORING = """SELECT m.id, m.project_id, m.sequence, m.period, m.status, m.maker,
  m.submitted_at, m.checker, m.decided_at, m.reason,
  coalesce((SELECT array_agg(c.claim_id ORDER BY c.claim_id) FROM footprint_monitoring_claim c
    WHERE c.city = m.city AND c.monitoring_id = m.id), '{}') AS claim_ids,
  coalesce((SELECT sum(k.co2e_t) FROM footprint_monitoring_claim c
    JOIN footprint_claim k ON k.city = c.city AND k.id = c.claim_id
    WHERE c.city = m.city AND c.monitoring_id = m.id), 0) AS co2e_t
  FROM footprint_monitoring m"""


def _project(row: Row) -> Project:
    span = row.pop("crediting")
    return Project(starts=span.lower, ends=span.upper, **row)


def _monitoring(row: Row) -> Monitoring:
    row["period"], row["claim_ids"] = as_period(row["period"]), tuple(row["claim_ids"])
    return Monitoring(**row)


def register_project(
    conn: Connection, city: str, spec: ProjectSpec, actor: str, clock: Clock
) -> Project | Refusal:
    """Register a project; the same code and terms again give the project that is there.

    Refused: unknown-methodology, dates-invalid, buffer-invalid, project-exists for the same code
    with other terms.
    """
    made = methodology(spec.methodology)
    if isinstance(made, Refusal):
        return made
    if spec.ends <= spec.starts:
        return _no(
            "dates-invalid",
            "인증 기간의 끝이 시작보다 빠릅니다.",
            "The crediting period ends early.",
        )
    if not 0 <= spec.buffer_bp <= 10_000:
        return _no("buffer-invalid", "버퍼 비율이 잘못되었습니다.", "The buffer's share is wrong.")
    lock(conn, city, [f"project {spec.code}"])
    there = rows(conn, f"{_PROJECT} WHERE city = %s AND code = %s", (city, spec.code))
    if there:
        found = _project(there[0])
        terms = ("name_ko", "name_en", "programme", "methodology", "starts", "ends", "buffer_bp")
        if all(getattr(found, name) == getattr(spec, name) for name in terms):
            return found
        return _no(
            "project-exists",
            f"사업 코드 {spec.code}은(는) 다른 조건으로 이미 등록되어 있습니다.",
            f"Project {spec.code} is already registered on other terms.",
        )
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_project (city, id, code, name_ko, name_en, programme, methodology,
          crediting, buffer_bp, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, spec.code, spec.name_ko, spec.name_en, spec.programme,
            spec.methodology, Range[date](spec.starts, spec.ends), spec.buffer_bp, actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.registered", "project", str(identifier), None,
        {"code": spec.code, "programme": spec.programme, "methodology": spec.methodology},
    )  # fmt: skip
    registered = project(conn, city, identifier)
    assert registered is not None
    return registered


def project(conn: Connection, city: str, project_id: UUID) -> Project | None:
    found = rows(conn, f"{_PROJECT} WHERE city = %s AND id = %s", (city, project_id))
    return _project(found[0]) if found else None


def projects(conn: Connection, city: str) -> list[Project]:
    """Every project of the city, by code."""
    found = rows(conn, f"{_PROJECT} WHERE city = %s ORDER BY code", (city,))
    return [_project(row) for row in found]


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
        return _no("unknown-project", "사업을 찾을 수 없습니다.", "There is no such project.")
    crediting = local_days(found.starts, found.ends, zone or ZoneInfo("Asia/Seoul"))
    if period.start < crediting.start or period.end > crediting.end:
        return _no(
            "outside-crediting",
            f"모니터링 기간이 인증 기간({found.starts}–{found.ends}) 밖입니다.",
            f"The period lies outside the crediting period ({found.starts} to {found.ends}).",
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
) -> Monitoring | Refusal:
    """Hand in a period with the claims it rests on, replacing those of an earlier submission.

    Refused: unknown-monitoring, monitoring-state, no-claims, unknown-claim, claim-programme (held
    for another programme), claim-period (outside the period), claim-used (in another period).
    """
    found = _locked(conn, city, monitoring_id)
    if isinstance(found, Refusal):
        return found
    if found.status not in ("open", "returned"):
        return _state(found, "제출", "submitted")
    refusal = _claims_fit(conn, city, found, claim_ids)
    if refusal is not None:
        return refusal
    execute(
        conn,
        "DELETE FROM footprint_monitoring_claim WHERE city = %s AND monitoring_id = %s",
        (city, monitoring_id),
    )
    try:
        with savepoint(conn):
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
    execute(
        conn,
        """UPDATE footprint_monitoring SET status = 'submitted', maker = %s, submitted_at = %s,
          checker = NULL, decided_at = NULL, reason = '' WHERE city = %s AND id = %s""",
        (maker, clock.now(), city, monitoring_id),
    )
    return _moved(conn, city, maker, "monitoring.submitted", found)


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
        if refusal is not None:
            return refusal
    return None


def _claim_fits(found: Monitoring, owner: Project, held: Claim) -> Refusal | None:
    facts = {"claim": str(held.id), "programme": held.programme, "wanted": owner.programme}
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
    conn: Connection, city: str, monitoring_id: UUID, checker: str, clock: Clock
) -> Monitoring | Refusal:
    """Approve a submitted period, by anyone but the one who submitted it.

    Refused: unknown-monitoring, monitoring-state, maker-is-checker.
    """
    return _decide(conn, city, monitoring_id, checker, clock, "approved", "")


def return_monitoring(
    conn: Connection, city: str, monitoring_id: UUID, checker: str, reason: str, clock: Clock
) -> Monitoring | Refusal:
    """Send a submitted period back with a reason; refused as `approve_monitoring` is."""
    if not reason.strip():
        return _no("reason-missing", "반려 사유를 적어 주세요.", "Please give the reason.")
    return _decide(conn, city, monitoring_id, checker, clock, "returned", reason)


def _decide(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    checker: str,
    clock: Clock,
    status: str,
    reason: str,
) -> Monitoring | Refusal:
    found = _locked(conn, city, monitoring_id)
    if isinstance(found, Refusal):
        return found
    if found.status != "submitted":
        return _state(found, "결정", "decided on")
    if found.maker == checker:
        return _no(
            "maker-is-checker",
            "제출한 사람은 승인하거나 반려할 수 없습니다. 다른 담당자가 확인해야 합니다.",
            "Whoever submitted it cannot decide on it; another person has to check.",
        )
    execute(
        conn,
        """UPDATE footprint_monitoring SET status = %s, checker = %s, decided_at = %s, reason = %s
        WHERE city = %s AND id = %s""",
        (status, checker, clock.now(), reason, city, monitoring_id),
    )
    return _moved(conn, city, checker, f"monitoring.{status}", found)


def _locked(conn: Connection, city: str, monitoring_id: UUID) -> Monitoring | Refusal:
    lock(conn, city, [f"monitoring {monitoring_id}"])
    found = monitoring(conn, city, monitoring_id)
    if found is None:
        return _no(
            "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
        )
    return found


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
