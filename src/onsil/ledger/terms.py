"""The nouns of the ledger. Amounts are integers of an asset's smallest unit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import orjson

from onsil.core.refusal import Refusal

AMOUNT_MAX = 2**63 - 1
"""The largest amount or balance that can be recorded."""

State = Literal["applied", "replayed", "refused", "pending"]


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
    """An account as it stands."""

    id: int
    code: str
    asset: str
    kind: str
    minimum: int | None
    maximum: int | None
    keeps_lots: bool
    balance: int
    closed_at: datetime | None


@dataclass(frozen=True)
class LotTerms:
    """What value carries with it: who funded it, until when and where it may be spent, whether it
    may be paid out, and what it came from. An empty `merchant_rule` means: anywhere."""

    fund: str = ""
    expires_at: datetime | None = None
    merchant_rule: str = ""
    refundable: bool = False
    origin_kind: str = ""
    origin_id: str = ""


@dataclass(frozen=True)
class LotFilter:
    """Which lots a leg may take; None leaves a criterion open.

    `merchant_rules` are the rules that the payee satisfies: lots without a rule always may be
    taken. `expired` True takes expired lots only (the expiry job); otherwise they never are taken.
    """

    merchant_rules: frozenset[str] | None = None
    funds: frozenset[str] | None = None
    refundable: bool | None = None
    lots: frozenset[UUID] | None = None
    expired: bool = False


@dataclass(frozen=True)
class Piece:
    """A part of a leg: the lot it came from and the lot it became, where accounts keep lots."""

    taken: UUID | None
    made: UUID | None
    amount: int


@dataclass(frozen=True)
class Leg:
    """`amount` of `asset` from one account to another, both named by code.

    `lot` gives the terms of newly issued value. `pieces` names the lots exactly, those made being
    existing ones that get their value back; reversals use it.
    """

    source: str
    destination: str
    asset: str
    amount: int
    lot: LotTerms | None = None
    only: LotFilter | None = None
    pieces: tuple[Piece, ...] | None = None


@dataclass(frozen=True)
class TransferRequest:
    """Legs that are applied together or not at all. `key` is the idempotency key.

    `effective_at` is when it counts for the business; None means when it is recorded.
    """

    key: str
    kind: str
    legs: tuple[Leg, ...]
    effective_at: datetime | None = None
    memo: str = ""
    origin_kind: str = ""
    origin_id: str = ""
    reverses: UUID | None = None

    def fingerprint(self) -> bytes:
        """SHA-256 of what makes this request the same as another under one key.

        The effective time is left out: a retry a second later is still the same act.
        """
        parts = [_encode_leg(leg) for leg in self.legs]
        content = [
            self.kind, parts, self.memo, self.origin_kind, self.origin_id, self.reverses,
        ]  # fmt: skip
        return sha256(orjson.dumps(content)).digest()


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
    """A lot as it stands: `amount` remains of `initial`."""

    id: UUID
    amount: int
    initial: int
    terms: LotTerms
    transfer_id: UUID
    parent_id: UUID | None
    made_at: datetime


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
    """A leg of an applied transfer with the balances right after it."""

    source: str
    destination: str
    asset: str
    amount: int
    source_balance: int
    destination_balance: int
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class MadeLot:
    """A lot that a transfer made."""

    id: UUID
    account: str
    asset: str
    parent_id: UUID | None
    initial: int
    terms: LotTerms


@dataclass(frozen=True)
class Transfer:
    """An applied transfer with everything it moved."""

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
    lots: tuple[MadeLot, ...] = ()
    reversed_by: UUID | None = None


@dataclass(frozen=True)
class TraceStep:
    """One hop back: this transfer gave `amount` towards what is traced. `depth` counts hops;
    `lot` is what it made (None for the transfer asked about)."""

    depth: int
    transfer_id: UUID
    kind: str
    at: datetime
    asset: str
    amount: int
    lot: UUID | None
    source: str
    destination: str
    origin_kind: str
    origin_id: str
    issued: bool


@dataclass(frozen=True)
class Imbalance:
    """A conservation rule that does not hold; `facts` are the figures that disagree."""

    code: str
    subject: str
    ko: str
    en: str
    facts: dict[str, Any] = field(default_factory=dict)


def _encode_terms(terms: LotTerms | None) -> list[Any] | None:
    if terms is None:
        return None
    return [
        terms.fund, None if terms.expires_at is None else terms.expires_at.astimezone(UTC),
        terms.merchant_rule, terms.refundable, terms.origin_kind, terms.origin_id,
    ]  # fmt: skip


def _texts(values: Iterable[Any] | None) -> list[str] | None:
    return None if values is None else sorted(str(v) for v in values)


def _amount(value: Any) -> int | str:
    """Amounts that are none are refused later; here they only must not break the encoder."""
    return value if type(value) is int and abs(value) <= AMOUNT_MAX else str(value)


def _encode_leg(leg: Leg) -> list[Any]:
    only = leg.only
    return [
        leg.source, leg.destination, leg.asset, _amount(leg.amount), _encode_terms(leg.lot),
        None if only is None else [
            _texts(only.merchant_rules), _texts(only.funds), only.refundable, _texts(only.lots),
            only.expired,
        ],
        None if leg.pieces is None else [[p.taken, p.made, p.amount] for p in leg.pieces],
    ]  # fmt: skip


def encode_request(request: TransferRequest) -> bytes:
    """The request as JSON for the intake; `decode_request` is its inverse."""
    effective = request.effective_at
    return orjson.dumps(
        [
            request.key, request.kind, [_encode_leg(leg) for leg in request.legs],
            None if effective is None else effective.astimezone(UTC), request.memo,
            request.origin_kind, request.origin_id, request.reverses,
        ]
    )  # fmt: skip


def _frozen(values: list[Any] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(values)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _decode_leg(raw: list[Any]) -> Leg:
    source, destination, asset, amount, terms, only, pieces = raw
    if terms is not None:
        expires = terms[1]
        terms = LotTerms(
            terms[0], None if expires is None else datetime.fromisoformat(expires), *terms[2:]
        )
    if only is not None:
        lots = None if only[3] is None else frozenset(UUID(t) for t in only[3])
        only = LotFilter(_frozen(only[0]), _frozen(only[1]), only[2], lots, only[4])
    if pieces is not None:
        pieces = tuple(Piece(_id(p[0]), _id(p[1]), p[2]) for p in pieces)
    return Leg(source, destination, asset, amount, terms, only, pieces)


def decode_request(text: str | bytes) -> TransferRequest:
    """A request from the intake's JSON."""
    key, kind, legs, effective, memo, origin_kind, origin_id, reverses = orjson.loads(text)
    return TransferRequest(
        key, kind, tuple([_decode_leg(leg) for leg in legs]),
        None if effective is None else datetime.fromisoformat(effective), memo, origin_kind,
        origin_id, _id(reverses),
    )  # fmt: skip
