"""The nouns of the daily close. Amounts are whole won."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

SEVERITIES = ("block", "note")


@dataclass(frozen=True)
class Reason:
    """Why a day should not be closed (`block`), or what its reader should know (`note`)."""

    code: str
    severity: str
    ko: str
    en: str

    def text(self, language: str) -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class AccountFigures:
    """One bank account or card settlement at the end of the day.

    `book` is what the ledger says it holds, `bank` what the bank says (None: not known). What is
    under way (`open_book`) or not yet booked (`open_bank`) explains their difference; the rest is
    `unexplained`.
    """

    code: str
    covered: bool
    book: int
    bank: int | None
    matched: int
    matched_sum: int
    open_bank: int
    open_bank_sum: int
    open_book: int
    open_book_sum: int
    tolerated: int
    exceptions: Mapping[str, int]
    """Exceptions by age: `0-1`, `2-7`, `8-30`, `31-` days."""
    oldest_days: int

    @property
    def unexplained(self) -> int | None:
        if self.bank is None:
            return None
        return self.bank - self.book - (self.open_bank_sum - self.open_book_sum) - self.tolerated


@dataclass(frozen=True)
class Adjustment:
    """A posting recorded in this day for a day that was closed before."""

    transfer_id: UUID
    kind: str
    account: str
    effective_on: date
    amount: int


@dataclass(frozen=True)
class Figures:
    """A day's figures. `balances` are the city's own won accounts, `circulating` the local
    currency that people and shops hold, `trust` what covers it."""

    city: str
    day: date
    cut: datetime
    balances: Mapping[str, int]
    circulating: int
    trust: int
    pending: int
    accounts: tuple[AccountFigures, ...]
    adjustments: tuple[Adjustment, ...]
    reasons: tuple[Reason, ...]

    @property
    def clean(self) -> bool:
        return all(reason.severity != "block" for reason in self.reasons)


@dataclass(frozen=True)
class Close:
    """A closed day, as it was recorded: `figures` are those of that moment, `digest` their hash."""

    id: UUID
    day: date
    figures: Mapping[str, Any]
    digest: str
    override_reason: str
    closed_by: str
    approved_by: str
    closed_at: datetime


@dataclass(frozen=True)
class CloseRequest:
    """Somebody asks to close a day that is not in order; another has to agree."""

    id: UUID
    day: date
    reason: str
    made_by: str
    made_at: datetime
