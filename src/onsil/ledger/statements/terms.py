"""The nouns of a statement. Amounts are integers of the asset's smallest unit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.periods import Period

Reader = Literal["citizen", "merchant", "official"]
"""Who reads: a citizen their own account, a shop its own, an official any."""


@dataclass(frozen=True)
class Taken:
    """Value of equal terms that an entry took out of the account or brought into it."""

    amount: int
    fund: str = ""
    expires_at: datetime | None = None
    merchant_rule: str = ""
    refundable: bool = False


@dataclass(frozen=True)
class Counterpart:
    """The other account as its code says it, before a reader is told of it."""

    code: str

    @property
    def family(self) -> str:
        """`citizen` of `citizen:0190…`, `external` of `external:bank`."""
        return self.code.partition(":")[0]


@dataclass(frozen=True)
class StatementLine:
    """One entry: `incoming` or `outgoing` is 0, `balance` is right after it."""

    transfer_id: UUID
    kind: str
    recorded_at: datetime
    effective_at: datetime
    counterpart: Counterpart
    memo: str
    origin_kind: str
    origin_id: str
    reverses: UUID | None
    amount: int
    balance: int
    lots: tuple[Taken, ...] = ()

    @property
    def incoming(self) -> int:
        return max(self.amount, 0)

    @property
    def outgoing(self) -> int:
        return max(-self.amount, 0)


@dataclass(frozen=True)
class KindTotal:
    """What one kind of transfer moved in the period."""

    kind: str
    count: int
    incoming: int
    outgoing: int


@dataclass(frozen=True)
class Statement:
    """An account's movements in a period, the oldest first; `lines()` may be walked many times.

    `provisional` when the period had not ended at `made_at`: movements may still come.
    opening + incoming - outgoing = closing, always.
    """

    city: str
    account: str
    asset: str
    period: Period
    made_at: datetime
    opening: int
    closing: int
    incoming: int
    outgoing: int
    count: int
    kinds: tuple[KindTotal, ...]
    lines: Callable[[], Iterator[StatementLine]] = field(repr=False, compare=False)

    @property
    def provisional(self) -> bool:
        return self.made_at < self.period.end


@dataclass(frozen=True)
class Seal:
    """The transparency log's newest checkpoint when the statement was made."""

    origin: str
    size: int
    root_hex: str
    signed_at: datetime | None = None


@dataclass(frozen=True)
class Paper:
    """How a statement is written: for whom, in which language, under whose name.

    `holder` is what the account is called; `names` gives words for counterparts by account code;
    `how_to_verify` is the address that tells how; `notes` are printed under the head ("simulated").
    """

    reader: Reader
    language: str
    zone: ZoneInfo
    city_name: str
    currency: str
    holder: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    seal: Seal | None = None
    how_to_verify: str = ""
    notes: tuple[str, ...] = ()

    @property
    def english(self) -> bool:
        return self.language.startswith("en")
