"""What an anchor is: a place outside the operator's reach that keeps a checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from onsil.core.refusal import Refusal
from onsil.proof.checkpoint import Checkpoint

# What was, or is about to be, handed over: plain JSON, kept so that it can be handed over again.
Receipt = Mapping[str, Any]

# How far a checkpoint's anchoring has come, as recorded.
State = Literal["sending", "pending", "confirmed", "vanished", "failed"]
STATES: tuple[State, ...] = ("sending", "pending", "confirmed", "vanished", "failed")


@dataclass(frozen=True)
class AnchorProof:
    """Where a place holds a checkpoint; `depth` counts blocks from its own to the newest."""

    size: int
    root: bytes
    block_number: int | None = None
    block_hash: str = ""
    block_time: datetime | None = None
    transaction: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Sighting:
    """What the place says of a checkpoint now.

    `absent`: it was never handed over; `waiting`: handed over and not taken yet; `pending`: taken,
    might still be undone; `confirmed`; `gone`: what was handed over can never be taken any more;
    `failed`: refused, `problem` says why.
    """

    state: Literal["absent", "waiting", "pending", "confirmed", "gone", "failed"]
    proof: AnchorProof | None = None
    problem: Refusal | None = None


@dataclass(frozen=True)
class AnchorCheck:
    """Whether a place holds exactly this checkpoint; `findings` say what is wrong with it."""

    place: str
    development: bool
    findings: tuple[Refusal, ...] = ()
    proof: AnchorProof | None = None
    newest_size: int = 0

    @property
    def holds(self) -> bool:
        return self.proof is not None and not self.findings


class Anchor(Protocol):
    """One place that keeps checkpoints. Every call may raise OperationError (try again later).

    Handing over is in two steps, so that a crash between them neither loses a checkpoint nor hands
    it over twice: `prepare` makes what will be sent and has no effect outside; it is recorded;
    `publish` sends it, as often as needed.
    """

    @property
    def place(self) -> str:
        """Stable name of the place, such as `evm:1:0x…`."""
        ...

    @property
    def development(self) -> bool:
        """Whether the place is the operator's own, for trying things out: it proves nothing."""
        ...

    def prepare(self, checkpoint: Checkpoint, earlier: Sequence[Receipt]) -> Receipt | Refusal:
        """What to hand over, given what was handed over for this checkpoint before."""
        ...

    def publish(self, checkpoint: Checkpoint, receipt: Receipt) -> Refusal | None:
        """Hand it over. The same receipt once more has no further effect."""
        ...

    def find(self, checkpoint: Checkpoint, receipts: Sequence[Receipt]) -> Sighting:
        """Where the checkpoint stands, given what was handed over for it, oldest first."""
        ...

    def verify(self, checkpoint: Checkpoint, proof: AnchorProof | None = None) -> AnchorCheck:
        """Whether the place holds this size and root; when `proof` is given, there and then."""
        ...


@dataclass(frozen=True)
class AnchorRecord:
    """One checkpoint at one place: the newest recorded state, and the facts of it.

    `at` is when this state was recorded, `first_at` when the anchoring was begun.
    """

    city: str
    place: str
    development: bool
    year: int
    size: int
    root: bytes
    state: State
    at: datetime
    first_at: datetime
    receipt: Receipt
    proof: AnchorProof | None = None
    problem_ko: str = ""
    problem_en: str = ""

    @property
    def chain_id(self) -> int | None:
        parts = self.place.split(":")
        return int(parts[1]) if parts[0] == "evm" else None

    @property
    def contract(self) -> str:
        return self.place.split(":")[2] if self.place.startswith("evm:") else ""

    @property
    def transaction(self) -> str:
        """The transaction that holds it, or the last one sent for it."""
        if self.proof and self.proof.transaction:
            return self.proof.transaction
        return str(self.receipt.get("transaction", ""))

    @property
    def block_number(self) -> int | None:
        return self.proof.block_number if self.proof else None

    @property
    def block_time(self) -> datetime | None:
        return self.proof.block_time if self.proof else None

    @property
    def confirmations(self) -> int:
        """Blocks on it when this state was recorded, its own counted."""
        return self.proof.depth if self.proof else 0
