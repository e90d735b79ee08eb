"""The nouns of the ledger. Amounts are integers of an asset's smallest unit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from onsil.core.refusal import Refusal

AMOUNT_MAX = 2**63 - 1
"""The largest amount or balance that can be recorded."""

State = Literal["applied", "replayed", "refused", "pending"]
Phase = Literal["single", "pending", "post", "void"]
PHASES: tuple[Phase, ...] = ("single", "pending", "post", "void")
"""In the order in which the journal numbers them."""


@dataclass(frozen=True)
class AccountSpec:
    """An account to be opened. `minimum` or `maximum` None: no limit on that side."""

    code: str
    asset: str
    kind: str = ""
    minimum: int | None = 0
    maximum: int | None = None
    lots: bool = False


@dataclass(frozen=True)
class Account:
    """An account as it stands. `held` waits to go out and `coming` to come in, by pending
    transfers; neither has moved yet."""

    id: int
    code: str
    asset: str
    kind: str
    minimum: int | None
    maximum: int | None
    keeps_lots: bool
    balance: int
    closed_at: datetime | None
    held: int = 0
    coming: int = 0

    @property
    def available(self) -> int:
        """The balance less what pending transfers hold."""
        return self.balance - self.held


class LotTerms(NamedTuple):
    """What value carries with it: who funded it, until when and where it may be spent, whether it
    may be paid out, and what it came from. An empty `merchant_rule` means: anywhere.

    Value of one account with equal terms is one lot; the origin does not count in that, it is kept
    on the leg that issued the value.
    """

    fund: str = ""
    expires_at: datetime | None = None
    merchant_rule: str = ""
    refundable: bool = False
    origin_kind: str = ""
    origin_id: str = ""


class LotFilter(NamedTuple):
    """Which lots a leg may take; None leaves a criterion open.

    `merchant_rules` are the rules that the payee satisfies: lots without a rule always may be
    taken. `expired` True takes expired lots only (the expiry job); otherwise they never are taken.
    """

    merchant_rules: frozenset[str] | None = None
    funds: frozenset[str] | None = None
    refundable: bool | None = None
    expired: bool = False


class Piece(NamedTuple):
    """A stretch of a leg's value: positions [taken, taken + amount) left the source's lot of these
    terms, [made, made + amount) entered the destination's. None where an account keeps no lots."""

    terms: LotTerms
    taken: int | None
    made: int | None
    amount: int


class Leg(NamedTuple):
    """`amount` of `asset` from one account to another, both named by code.

    `lot` gives the terms of newly issued value. `pieces` names positions exactly, not in two
    phases; those made are given back to where they had been taken from, which only a reversal may.
    """

    source: str
    destination: str
    asset: str
    amount: int
    lot: LotTerms | None = None
    only: LotFilter | None = None
    pieces: tuple[Piece, ...] | None = None


class TransferRequest(NamedTuple):
    """Legs that are applied together or not at all. `key` is the idempotency key.

    `effective_at` is when it counts for the business; None means when it is recorded. A request of
    phase `pending` reserves and moves nothing; `post` and `void` settle the one that `pending`
    names, which lapses at `timeout_at` by itself. A `linked` request stands or falls with the next
    one handed in together with it; a chain ends with the first unlinked one.
    """

    key: str
    kind: str
    legs: tuple[Leg, ...]
    effective_at: datetime | None = None
    memo: str = ""
    origin_kind: str = ""
    origin_id: str = ""
    reverses: UUID | None = None
    phase: Phase = "single"
    pending: UUID | None = None
    timeout_at: datetime | None = None
    linked: bool = False

    def fingerprint(self) -> bytes:
        """SHA-256 of what makes this request the same as another under one key (`wire`)."""
        from onsil.ledger.wire import fingerprint

        return fingerprint(self)


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    applied: by this very request. replayed: the same request had been applied before. refused: see
    `refusal`; `repeated` when it is the no of an earlier decision. pending: not decided yet.
    """

    key: str
    state: State
    transfer_id: UUID | None = None
    refusal: Refusal | None = None
    repeated: bool = False

    def __bool__(self) -> bool:
        return self.state in ("applied", "replayed")


@dataclass(frozen=True)
class Lot:
    """The value of equal terms in one account: `spans` are its live positions [start, end)."""

    terms: LotTerms
    amount: int
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Entry:
    """One line of an account's statement; `amount` is signed, `balance` is right after it."""

    transfer_id: UUID
    leg: int
    kind: str
    amount: int
    balance: int
    at: datetime
    effective_at: datetime
    memo: str
    origin_kind: str
    origin_id: str
    counterpart: str
    reverses: UUID | None
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class PostedLeg:
    """A leg of a transfer with the balances right after it. The terms of a piece that was issued
    name its origin too."""

    source: str
    destination: str
    asset: str
    amount: int
    source_balance: int
    destination_balance: int
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Transfer:
    """A transfer in the journal with everything it moved, or, when its phase is `pending` or
    `void`, reserved or released. `pending_id` is the reservation that a post or void settled."""

    id: UUID
    key: str
    kind: str
    effective_at: datetime
    recorded_at: datetime
    memo: str
    origin_kind: str
    origin_id: str
    reverses: UUID | None
    legs: tuple[PostedLeg, ...]
    reversed_by: UUID | None = None
    phase: Phase = "single"
    pending_id: UUID | None = None
    timeout_at: datetime | None = None


@dataclass(frozen=True)
class TraceStep:
    """One hop back: this transfer gave `amount` towards what is traced. `depth` counts hops;
    `terms` are those of the value it gave. With `issued`, the value came into being here."""

    depth: int
    transfer_id: UUID
    kind: str
    at: datetime
    asset: str
    amount: int
    terms: LotTerms
    source: str
    destination: str
    origin_kind: str
    origin_id: str
    issued: bool


@dataclass(frozen=True)
class Stretch:
    """Positions [start, end) of one lot that one piece of a transfer's leg brought or took."""

    transfer_id: UUID
    leg: int
    piece: int
    start: int
    end: int

    @property
    def amount(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Imbalance:
    """A conservation rule that does not hold; `facts` are the figures that disagree."""

    code: str
    subject: str
    ko: str
    en: str
    facts: dict[str, Any] = field(default_factory=dict)
