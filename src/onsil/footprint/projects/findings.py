"""Findings of a verification body: raised, answered, closed, never both sides by one person.

CAR: a corrective action is asked for; CL: a clarification; FAR: something to be looked at in the
next verification (the terms of the CDM's validation and verification standard).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.projects import journal
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.projects.terms import DEVELOPER, VVB
from onsil.footprint.projects.workflow import impartial
from onsil.footprint.store import execute, lock, rows

KINDS = ("CAR", "CL", "FAR")
SEVERITIES = ("material", "minor", "observation")
_FINDING = """SELECT id, project_id, monitoring_id, number, kind, severity, title, text, run_id,
  document_id, actor, created_at FROM footprint_finding"""
_MOVES = {
    "raised": ("answered",),
    "answered": ("answered", "reopened", "closed"),
    "reopened": ("answered",),
    "closed": (),
}


@dataclass(frozen=True)
class Remark:
    """One thing said about a finding: answered, reopened or closed."""

    sequence: int
    act: str
    text: str
    actor: str
    created_at: datetime
    document_id: UUID | None = None


@dataclass(frozen=True)
class Finding:
    """A doubt about the project or one of its periods; it may name a run or a document."""

    kind: str
    severity: str
    title: str
    text: str
    monitoring_id: UUID | None = None
    run_id: UUID | None = None
    document_id: UUID | None = None
    id: UUID | None = None
    project_id: UUID | None = None
    number: int = 0
    actor: str = ""
    created_at: datetime | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def state(self) -> str:
        """raised, answered, reopened or closed."""
        return self.remarks[-1].act if self.remarks else "raised"

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number}"

    def may(self, act: str) -> bool:
        waved = self.severity == "observation" and act == "closed" and self.state != "closed"
        return act in _MOVES[self.state] or waved


def raise_finding(
    conn: Connection, city: str, project_id: UUID, terms: Finding, actor: str, clock: Clock
) -> Finding | Refusal:
    """Raise a finding. Refused: unknown-project, finding-empty, finding-subject (a period, run or
    document that is not there), party-conflict."""
    if project(conn, city, project_id) is None:
        return unknown_project()
    known = terms.kind in KINDS and terms.severity in SEVERITIES
    if not known or not terms.title.strip() or not terms.text.strip():
        return Refusal(
            "finding-empty",
            "종류와 무게, 제목과 내용을 모두 적어 주세요.",
            "A finding needs its kind, severity, title and text.",
        )
    refusal = impartial(VVB, actor, journal.acts(conn, city, project_id))
    if refusal is not None:
        return refusal
    if not _subject_there(conn, city, project_id, terms):
        return Refusal(
            "finding-subject",
            "지적이 가리키는 기간·산정·문서를 찾을 수 없습니다.",
            "What the finding is about is not there.",
        )
    lock(conn, city, [f"findings {project_id}"])
    number = rows(
        conn,
        """SELECT 1 + coalesce(max(number), 0) AS n FROM footprint_finding
        WHERE city = %s AND project_id = %s""",
        (city, project_id),
    )[0]["n"]
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_finding (city, id, project_id, monitoring_id, number, kind,
          severity, title, text, run_id, document_id, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, project_id, terms.monitoring_id, number, terms.kind,
            terms.severity, terms.title.strip(), terms.text.strip(), terms.run_id,
            terms.document_id, actor, clock.now(),
        ),
    )  # fmt: skip
    made = finding(conn, city, identifier)
    assert made is not None
    proof.append(conn, city, "finding", identifier, finding_entry(made))
    proof.audit(
        conn, city, actor, "finding.raised", "project", str(project_id), None, finding_entry(made)
    )
    return made


def _subject_there(conn: Connection, city: str, project_id: UUID, terms: Finding) -> bool:
    asked = (
        ("footprint_monitoring", terms.monitoring_id, True),
        ("footprint_project_document", terms.document_id, True),
        ("footprint_run", terms.run_id, False),
    )
    for table, identifier, of_project in asked:
        if identifier is None:
            continue
        found = rows(conn, f"SELECT * FROM {table} WHERE city = %s AND id = %s", (city, identifier))  # noqa: S608
        if not found or (of_project and found[0]["project_id"] != project_id):
            return False
    return True


def answer_finding(
    conn: Connection, city: str, finding_id: UUID, text: str, actor: str, clock: Clock,
    document_id: UUID | None = None,
) -> Finding | Refusal:  # fmt: skip
    """The developer answers. Refused: unknown-finding, finding-empty, finding-state,
    party-conflict."""
    return _say(conn, city, finding_id, "answered", text, actor, clock, document_id)


def reopen_finding(
    conn: Connection, city: str, finding_id: UUID, text: str, actor: str, clock: Clock
) -> Finding | Refusal:
    """The body is not satisfied by the answer; refused as `answer_finding` is."""
    return _say(conn, city, finding_id, "reopened", text, actor, clock, None)


def close_finding(
    conn: Connection, city: str, finding_id: UUID, text: str, actor: str, clock: Clock
) -> Finding | Refusal:
    """The body closes what was answered, an observation at once; refused as `answer_finding` is."""
    return _say(conn, city, finding_id, "closed", text, actor, clock, None)


def _say(
    conn: Connection, city: str, finding_id: UUID, act: str, text: str, actor: str, clock: Clock,
    document_id: UUID | None,
) -> Finding | Refusal:  # fmt: skip
    lock(conn, city, [f"finding {finding_id}"])
    found = finding(conn, city, finding_id)
    if found is None:
        return Refusal("unknown-finding", "지적을 찾을 수 없습니다.", "There is no such finding.")
    if not text.strip():
        return Refusal("finding-empty", "내용을 적어 주세요.", "Please say something.")
    last = found.remarks[-1] if found.remarks else None
    if last is not None and (last.act, last.text, last.actor) == (act, text.strip(), actor):
        return found
    if not found.may(act):
        return Refusal(
            "finding-state",
            "지금 상태의 지적에는 그렇게 할 수 없습니다. 답변 뒤에 닫거나 다시 엽니다.",
            f"A finding that is {found.state} cannot be {act}.",
            {"state": found.state},
        )
    assert found.project_id is not None
    side = DEVELOPER if act == "answered" else VVB
    refusal = impartial(side, actor, journal.acts(conn, city, found.project_id))
    if refusal is not None:
        return refusal
    execute(
        conn,
        """INSERT INTO footprint_finding_remark (city, finding_id, sequence, act, text,
          document_id, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, finding_id, len(found.remarks) + 1, act, text.strip(), document_id, actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, f"finding.{act}", "project", str(found.project_id),
        {"finding": found.number, "state": found.state},
        {"finding": found.number, "state": act, "text": text.strip()},
    )  # fmt: skip
    after = finding(conn, city, finding_id)
    assert after is not None
    return after


def finding_entry(made: Finding) -> dict[str, Any]:
    """What the log holds of a finding as it was raised."""
    return {
        "project": made.project_id,
        "monitoring": made.monitoring_id,
        "number": made.number,
        "finding": made.kind,
        "severity": made.severity,
        "title": made.title,
        "text": made.text,
        "actor": made.actor,
        "created_at": made.created_at,
    }


def _with_remarks(conn: Connection, city: str, row: dict[str, Any]) -> Finding:
    said = rows(
        conn,
        """SELECT sequence, act, text, actor, created_at, document_id
        FROM footprint_finding_remark WHERE city = %s AND finding_id = %s ORDER BY sequence""",
        (city, row["id"]),
    )
    return Finding(remarks=tuple(Remark(**one) for one in said), **row)


def finding(conn: Connection, city: str, finding_id: UUID) -> Finding | None:
    found = rows(conn, f"{_FINDING} WHERE city = %s AND id = %s", (city, finding_id))
    return _with_remarks(conn, city, found[0]) if found else None


def findings(conn: Connection, city: str, project_id: UUID) -> list[Finding]:
    """Every finding of a project, by number."""
    found = rows(
        conn, f"{_FINDING} WHERE city = %s AND project_id = %s ORDER BY number", (city, project_id)
    )
    return [_with_remarks(conn, city, row) for row in found]


def open_findings(
    conn: Connection, city: str, project_id: UUID, monitoring_id: UUID | None
) -> list[Finding]:
    """What stands in the way of a positive opinion.

    Open corrective actions and questions about the same subject, and, for a period, what was left
    for it (FAR) by the validation or by an earlier period.
    """
    return [
        one
        for one in findings(conn, city, project_id)
        if one.state != "closed"
        and one.severity != "observation"
        and (
            (one.kind != "FAR" and one.monitoring_id == monitoring_id)
            or (one.kind == "FAR" and monitoring_id is not None
                and one.monitoring_id != monitoring_id)
        )
    ]  # fmt: skip
