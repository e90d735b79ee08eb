"""Rules of findings: a verifier raises and closes, the city answers, nobody does both.

A doubt about a run that serves a project is raised once, as the project's own finding, and stands
in the project's workspace and in this room alike. Only a run of no project has findings here.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from onsil import proof
from onsil.console.evidence import doubts
from onsil.console.evidence.models import Finding, Remark
from onsil.core.clock import Clock
from onsil.core.refusal import Refusal
from onsil.footprint.projects import Finding as ProjectFinding
from onsil.footprint.projects import answer_finding as answer_project_finding
from onsil.footprint.projects import close_finding as close_project_finding
from onsil.footprint.projects import finding as project_finding
from onsil.footprint.projects import raise_finding as raise_project_finding
from onsil.tenancy import transaction

if TYPE_CHECKING:
    from onsil.citizen.models import User

ANSWERERS = frozenset({"official", "approver"})
_EMPTY = Refusal(
    "finding-empty",
    "내용이 비어 있습니다. 무엇을 확인했는지 적어 주세요.",
    "There is no text. Say what you found.",
)


def raise_finding(
    city: str, run: UUID, person: "User", severity: str, title: str, text: str, clock: Clock
) -> Finding | ProjectFinding | Refusal:
    """A verifier doubts a run; where it serves a project, the project has the finding.

    Refused for others, an empty text or an unknown severity, and, in a project, as the project
    refuses it (`party-conflict` for who has another part in it).
    """
    if "verifier" not in person.roles(city):
        return _not_yours("검증인만 지적을 올릴 수 있습니다.", "Only a verifier raises findings.")
    if not title.strip() or not text.strip() or severity not in Finding.Severity.values:
        return _EMPTY
    now = clock.now()
    with transaction(city) as conn:
        served = doubts.serving(conn, city, run)
        if served:
            kind, weight = doubts.AS_PROJECTS[severity]
            terms = ProjectFinding(
                kind, weight, title, text, monitoring_id=served[0].monitoring_id, run_id=run
            )
            return raise_project_finding(
                conn, city, served[0].project_id, terms, str(person.pk), clock
            )
        finding = Finding.objects.create(
            city=city, run=run, severity=severity, title=title.strip(), opened_by=person,
            opened_at=now,
        )  # fmt: skip
        _say(finding, Remark.Act.RAISED, text, person, clock, before=None)
    return finding


def answer_finding(
    city: str, finding_id: UUID, person: "User", text: str, clock: Clock
) -> Finding | ProjectFinding | Refusal:
    """The city answers. Refused for who raised it, for a closed one, and for an empty text."""
    if not person.roles(city) & ANSWERERS:
        return _not_yours("담당 공무원만 답변할 수 있습니다.", "Only the city's staff answer.")
    return _move(city, finding_id, person, Remark.Act.ANSWERED, text, clock)


def close_finding(
    city: str, finding_id: UUID, person: "User", text: str, clock: Clock
) -> Finding | ProjectFinding | Refusal:
    """A verifier closes a finding that was answered; an observation may be closed at once."""
    if "verifier" not in person.roles(city):
        return _not_yours("검증인만 지적을 종결할 수 있습니다.", "Only a verifier closes findings.")
    return _move(city, finding_id, person, Remark.Act.CLOSED, text, clock)


def _move(
    city: str, finding_id: UUID, person: "User", act: str, text: str, clock: Clock
) -> Finding | ProjectFinding | Refusal:
    if not text.strip():
        return _EMPTY
    with transaction(city) as conn:
        finding = Finding.objects.select_for_update().filter(city=city, id=finding_id).first()
        if finding is None and project_finding(conn, city, finding_id) is not None:
            move = close_project_finding if act == Remark.Act.CLOSED else answer_project_finding
            return move(conn, city, finding_id, text, str(person.pk), clock)
        if finding is None:
            return Refusal("finding-unknown", "그런 지적이 없습니다.", "There is no such finding.")
        refusal = _may_move(finding, person, act)
        if refusal is not None:
            return refusal
        before = finding.state
        finding.state = Finding.State.CLOSED if act == Remark.Act.CLOSED else Finding.State.ANSWERED
        finding.save(update_fields=["state"])
        _say(finding, act, text, person, clock, before=before)
    return finding


def _may_move(finding: Finding, person: "User", act: str) -> Refusal | None:
    if finding.state == Finding.State.CLOSED:
        return Refusal(
            "finding-closed",
            "이미 종결된 지적입니다. 새로 확인한 것이 있으면 새 지적을 올려 주세요.",
            "This finding is closed. Raise a new one for anything new.",
        )
    if act == Remark.Act.ANSWERED and finding.opened_by_id == person.pk:
        return _not_yours(
            "자신이 올린 지적에는 답변할 수 없습니다.", "You cannot answer your own finding."
        )
    if (
        act == Remark.Act.CLOSED
        and finding.state == Finding.State.OPEN
        and finding.severity != Finding.Severity.OBSERVATION
    ):
        return Refusal(
            "finding-unanswered",
            "아직 답변이 없어 종결할 수 없습니다. 담당 공무원의 답변을 기다려 주세요.",
            "It cannot be closed before the city has answered it.",
        )
    return None


def _say(
    finding: Finding, act: str, text: str, person: "User", clock: Clock, before: str | None
) -> None:
    Remark.objects.create(
        city=finding.city, finding=finding, act=act, text=text.strip(), author=person,
        at=clock.now(),
    )  # fmt: skip
    with transaction(finding.city) as conn:
        proof.audit(
            conn, finding.city, str(person.pk), f"finding-{act}", "finding", str(finding.pk),
            {"state": before} if before else None,
            {"state": str(finding.state), "run": str(finding.run), "severity": finding.severity},
        )  # fmt: skip


def _not_yours(ko: str, en: str) -> Refusal:
    return Refusal("not-permitted", ko, en)
