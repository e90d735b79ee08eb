"""What a verification finds, in words for people."""

from dataclasses import dataclass, field
from uuid import UUID

from onsil.proof.checkpoint import Checkpoint

FINDINGS_MAX = 1000


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was logged; no `subject_id` when the log itself is broken."""

    kind: str
    subject_id: UUID | None
    code: str
    ko: str
    en: str


@dataclass
class VerifyReport:
    """What a verification looked at and what it found.

    `erased` leaves have lost their salt by an act that is on record: that they stand in the tree is
    shown, what they stand for is not. `truncated`: there were more findings.
    """

    city: str
    leaves: int = 0
    pending: int = 0
    rows: int = 0
    erased: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    truncated: bool = False

    @property
    def ok(self) -> bool:
        return not self.findings

    def add(self, kind: str, subject_id: UUID | None, code: str, ko: str, en: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(kind, subject_id, code, ko, en))
        else:
            self.truncated = True
