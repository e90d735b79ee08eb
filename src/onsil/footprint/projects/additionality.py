"""Why a project is additional, and the duty that ends it: nothing is credited once it is law."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import midnight
from onsil.core.refusal import Refusal
from onsil.footprint.projects.journal import SEOUL
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.projects.workflow import person
from onsil.footprint.store import execute, lock, rows
from onsil.footprint.terms import Project

TESTS = ("legal-surplus", "investment", "common-practice")


@dataclass(frozen=True)
class Evidence:
    """One test of additionality, on a day; the newest of each test counts."""

    test: str
    shown: bool
    text: str
    assessed_on: date
    valid_until: date | None = None
    document_id: UUID | None = None
    actor: str = ""

    def holds(self, day: date) -> bool:
        return self.shown and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True)
class LegalDuty:
    """A law that asks for what a project (or every project of a methodology) does."""

    law: str
    text: str
    in_force_on: date
    project_id: UUID | None = None
    methodology: str | None = None
    id: UUID | None = None
    in_force_at: datetime | None = None
    actor: str = ""
    withdrawn_because: str = ""

    @property
    def stands(self) -> bool:
        return not self.withdrawn_because


def add_evidence(
    conn: Connection, city: str, project_id: UUID, evidence: Evidence, actor: str, clock: Clock
) -> Evidence | Refusal:
    """Add evidence for or against. Refused: unknown-project, evidence-incomplete."""
    if project(conn, city, project_id) is None:
        return unknown_project()
    dated = evidence.valid_until is None or evidence.valid_until >= evidence.assessed_on
    if evidence.test not in TESTS or not evidence.text.strip() or not dated:
        return Refusal(
            "evidence-incomplete",
            "무엇을 어떻게 확인했는지와 날짜를 적어 주세요.",
            "Say what was shown, how, and on which day.",
        )
    execute(
        conn,
        """INSERT INTO footprint_additionality (city, id, project_id, test, shown, text,
          document_id, assessed_on, valid_until, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), project_id, evidence.test, evidence.shown, evidence.text.strip(),
            evidence.document_id, evidence.assessed_on, evidence.valid_until, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.additionality", "project", str(project_id), None,
        {"test": evidence.test, "shown": evidence.shown, "assessed_on": evidence.assessed_on},
    )  # fmt: skip
    return evidences(conn, city, project_id)[0]


def evidences(conn: Connection, city: str, project_id: UUID) -> list[Evidence]:
    """All evidence, newest first."""
    found = rows(
        conn,
        """SELECT test, shown, text, assessed_on, valid_until, document_id, actor
        FROM footprint_additionality WHERE city = %s AND project_id = %s ORDER BY id DESC""",
        (city, project_id),
    )
    return [Evidence(**row) for row in found]


def not_shown(every: list[Evidence], day: date) -> list[str]:
    """The tests that do not hold on a day, by their newest evidence. Pure."""
    newest = {one.test: one for one in reversed(every)}
    return [test for test in TESTS if test not in newest or not newest[test].holds(day)]


def record_duty(
    conn: Connection, city: str, duty: LegalDuty, actor: str, clock: Clock,
    zone: ZoneInfo | None = None,
) -> LegalDuty | Refusal:  # fmt: skip
    """Record a law that makes a project's doing a duty from a local day on.

    The same terms again give the record that is there. Refused: unknown-project, duty-incomplete.
    """
    if duty.project_id is not None and project(conn, city, duty.project_id) is None:
        return unknown_project()
    one_subject = (duty.project_id is None) != (not duty.methodology)
    if not duty.law.strip() or not duty.text.strip() or not one_subject:
        return Refusal(
            "duty-incomplete",
            "법령과 조문, 의무의 내용, 그리고 어느 사업이나 방법론의 일인지 적어 주세요.",
            "Name the law, the duty, and the project or methodology it concerns.",
        )
    lock(conn, city, ["legal duties"])
    for held in duties(conn, city):
        if held.stands and _terms(held) == _terms(duty):
            return held
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_legal_duty (city, id, project_id, methodology, law, text,
          in_force_on, in_force_at, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, duty.project_id, duty.methodology, duty.law.strip(),
            duty.text.strip(), duty.in_force_on, midnight(duty.in_force_on, zone or SEOUL),
            actor, clock.now(),
        ),
    )  # fmt: skip
    subject = ("project", str(duty.project_id)) if duty.project_id else (
        "methodology", str(duty.methodology)
    )  # fmt: skip
    proof.audit(conn, city, actor, "legal-duty.recorded", *subject, None, _terms(duty))
    return next(one for one in duties(conn, city) if one.id == identifier)


def _terms(duty: LegalDuty) -> dict[str, object]:
    names = ("law", "text", "in_force_on", "project_id", "methodology")
    return {name: getattr(duty, name) for name in names}


def withdraw_duty(
    conn: Connection, city: str, duty_id: UUID, reason: str, actor: str, clock: Clock
) -> Refusal | None:
    """Take back a duty recorded in error, by another person. Refused: unknown-duty,
    reason-missing, maker-is-checker."""
    lock(conn, city, ["legal duties"])
    found = next((one for one in duties(conn, city) if one.id == duty_id), None)
    if found is None:
        return Refusal("unknown-duty", "그런 법적 의무가 없습니다.", "There is no such duty.")
    if not found.stands:
        return None
    if not reason.strip():
        return Refusal("reason-missing", "까닭을 적어 주세요.", "Please give the reason.")
    if person(found.actor) == person(actor):
        return Refusal(
            "maker-is-checker",
            "기록한 사람은 거둘 수 없습니다. 다른 담당자가 해야 합니다.",
            "Whoever recorded it cannot take it back; another person has to.",
        )
    execute(
        conn,
        """INSERT INTO footprint_legal_duty_withdrawal (city, duty_id, reason, actor, created_at)
        VALUES (%s,%s,%s,%s,%s)""",
        (city, duty_id, reason.strip(), actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "legal-duty.withdrawn", "legal-duty", str(duty_id),
        _terms(found), {"reason": reason},
    )  # fmt: skip
    return None


def duties(conn: Connection, city: str, owner: Project | None = None) -> list[LegalDuty]:
    """Recorded duties, earliest first: all, or those that concern a project."""
    found = rows(
        conn,
        """SELECT d.id, d.project_id, d.methodology, d.law, d.text, d.in_force_on,
          d.in_force_at, d.actor, coalesce(w.reason, '') AS withdrawn_because
        FROM footprint_legal_duty d LEFT JOIN footprint_legal_duty_withdrawal w
          ON w.city = d.city AND w.duty_id = d.id
        WHERE d.city = %(city)s AND (%(project)s::uuid IS NULL
          OR d.project_id = %(project)s::uuid OR d.methodology = %(methodology)s::text)
        ORDER BY d.in_force_on, d.id""",
        {
            "city": city, "project": owner.id if owner else None,
            "methodology": owner.methodology if owner else None,
        },
    )  # fmt: skip
    return [LegalDuty(**row) for row in found]


def duty_against(conn: Connection, city: str, owner: Project, until: datetime) -> Refusal | None:
    """Refused `legal-duty` when crediting up to an instant would pass a duty's first day."""
    standing = [one for one in duties(conn, city, owner) if one.stands]
    first = standing[0] if standing else None
    if first is None or first.in_force_at is None or until <= first.in_force_at:
        return None
    return Refusal(
        "legal-duty",
        f"{first.in_force_on}부터 {first.law}에 따른 의무이므로 그 뒤의 감축량은 인정되지 "
        "않습니다.",
        f"From {first.in_force_on} it is a duty under {first.law}; later reductions are not "
        "credited.",
        {"law": first.law, "in_force_on": first.in_force_on.isoformat(), "duty": str(first.id)},
    )
