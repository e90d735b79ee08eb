"""The walk itself: steps gathered once each, joined by links, with their proofs looked up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.configuration import configuration
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.portal.terms import Link, Proof, ProofState, Step, Trace, Words

_WAITING = Words("다음 봉인에 들어갑니다.", "The next checkpoint will cover it.")
_MISSING = Words(
    "기록에 잎이 없습니다. 기록을 거치지 않고 생긴 행입니다.",
    "The log has no leaf for it: this row did not come about by the rules.",
)
_WITHHELD = Words(
    "개인의 집에 관한 증명은 본인과 검증인만 받습니다.",
    "Proofs about a private home are for its people and the verifier.",
)
_SHARED = Words(
    "이 증명에는 상대방의 잔액도 들어 있어 여기서는 보이지 않습니다.",
    "This proof also holds the other person's balance, so it is not shown here.",
)
_CITIZEN = "citizen:"


@dataclass
class Walk:
    """One traversal of a city's books under one database transaction.

    `reader` is the id of who reads, to whom their own home is "your home".
    `public` leaves out whatever says something about a person: a home's place, readings and name.
    With `own_only` the walk ends where value changed hands with another citizen, whose side of it
    is theirs.
    """

    conn: Connection
    city: str
    zone: ZoneInfo
    public: bool = False
    reader: str = ""
    own_only: bool = False
    steps: dict[str, Step] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    owners: set[str] = field(default_factory=set)
    checkpoint: str = ""
    public_key: str = ""

    def has(self, key: str) -> bool:
        return key in self.steps

    def add(self, step: Step) -> str:
        """Put a step into the trace; its key. Without a digest of its own it shows its leaf's."""
        if not step.digest and step.proof.bundle is not None:
            step = replace(step, digest=step.proof.bundle["commitment"])
        self.steps[step.key] = step
        return step.key

    def may_pass(self, account: str) -> bool:
        """Whether the walk may go on beyond this account."""
        foreign = account.startswith(_CITIZEN) and account != _CITIZEN + self.reader
        return not (self.own_only and foreign)

    def note_owners(self, accounts: Iterable[str]) -> bool:
        """Note whose transfer it is; whether it is the reader's together with someone else."""
        people = {a.removeprefix(_CITIZEN) for a in accounts if a.startswith(_CITIZEN)}
        shared = self.own_only and self.reader in people and len(people) > 1
        self.owners |= {self.reader} if shared else people
        return shared

    def link(
        self, later: str, earlier: str, amount: int | Decimal | None = None, unit: str = ""
    ) -> None:
        """Join two steps; the same pair twice adds its amounts up."""
        for i, known in enumerate(self.links):
            if (known.later, known.earlier) == (later, earlier):
                if amount is not None and known.amount is not None:
                    self.links[i] = Link(later, earlier, known.amount + amount, unit)
                return
        self.links.append(Link(later, earlier, amount, unit))

    def proof(
        self,
        kind: str,
        subject_id: UUID,
        entry: Mapping[str, Any] | None,
        *,
        personal: bool = False,
        shared: bool = False,
    ) -> Proof:
        """Where a row stands in the log, checked here against the row as it is now.

        A proof holds the row's content, so that of a `personal` row is kept from the public, and
        that of a `shared` one from either side.
        """
        if entry is None:
            return Proof(ProofState.NONE)
        if personal and self.public:
            return Proof(ProofState.NONE, note=_WITHHELD)
        if shared:
            return Proof(ProofState.NONE, note=_SHARED)
        folder = configuration().log_home
        bundle = proof.bundle(self.conn, self.city, kind, subject_id, folder, entry)
        if isinstance(bundle, Refusal):
            if bundle.code == "not-sequenced-yet":
                return Proof(ProofState.WAITING, note=_WAITING)
            return Proof(ProofState.FAILED, note=_MISSING)
        check = proof.verify_bundle(bundle)
        note = None
        if not check.valid:
            note = Words(
                "행의 내용이 봉인된 내용과 다릅니다.",
                "The row is not what was sealed.",
            )
        state = ProofState.SEALED if check.valid else ProofState.FAILED
        return Proof(state, check.index, bundle, note)

    def finish(self, subject: str, *, backward: bool) -> Trace:
        """The trace, steps newest first."""
        ordered = sorted(self.steps.values(), key=lambda step: step.at, reverse=True)
        return Trace(
            city=self.city,
            backward=backward,
            subject=subject,
            steps=tuple(ordered),
            links=tuple(self.links),
            checkpoint=self.checkpoint,
            public_key=self.public_key,
            owners=frozenset(self.owners),
        )


def as_uuid(text: str) -> UUID | None:
    """The identifier in a text, or None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
