"""Orders to charge and the deposits that pay them: what fits what. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from onsil.citizen import refusals
from onsil.core.periods import local_day, midnight
from onsil.core.refusal import Refusal


@dataclass(frozen=True)
class DepositTerms:
    """Where a city's citizens pay charges in, from the `[deposits]` table of `city.toml`.

    Paid in until midnight of the day `days` after the order; the order's room is kept
    `file_days` longer, for the bank's file to arrive. `simulated`: no bank stands behind it.
    """

    bank_ko: str
    bank_en: str
    holder_ko: str
    holder_en: str
    days: int = 1
    file_days: int = 4
    simulated: bool = False

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "DepositTerms | None":
        """None where the city takes no deposits."""
        if not table:
            return None
        return cls(
            table["bank_ko"], table["bank_en"], table["holder_ko"], table["holder_en"],
            int(table.get("days", 1)), int(table.get("file_days", 4)),
            bool(table.get("simulated", False)),
        )  # fmt: skip

    @property
    def bank(self) -> dict[str, str]:
        return {"ko": self.bank_ko, "en": self.bank_en}

    @property
    def holder(self) -> dict[str, str]:
        return {"ko": self.holder_ko, "en": self.holder_en}

    def last_day(self, ordered_at: datetime, zone: ZoneInfo) -> date:
        """The last day on which the money may be paid in."""
        return local_day(ordered_at, zone) + timedelta(days=self.days)

    def held_until(self, ordered_at: datetime, zone: ZoneInfo) -> datetime:
        """When the order's room is given up, the bank's file having had time to come."""
        return midnight(self.last_day(ordered_at, zone) + timedelta(days=1 + self.file_days), zone)


class Line(Protocol):
    """A credit line of a bank's file, as reconciliation reads it."""

    @property
    def bank_id(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def reference(self) -> str: ...
    @property
    def booked_at(self) -> datetime: ...
    @property
    def depositor(self) -> str: ...
    @property
    def simulated(self) -> bool: ...


@dataclass(frozen=True)
class Order:
    """An order as a deposit meets it; `outcome` is open, done, given-up or lapsed."""

    amount: int
    last_day: date
    outcome: str


def why_not(order: Order | None, amount: int, booked_on: date) -> Refusal | None:
    """Why a deposit does not pay the order its reference names; None when it does, to the won.

    Refusals: `deposit-unknown-reference`, `deposit-order-paid`, `deposit-order-cancelled`,
    `deposit-too-late`, `deposit-amount-differs`.
    """
    if order is None:
        return refusals.deposit_unknown_reference()
    if order.outcome == "done":
        return refusals.deposit_order_paid()
    if order.outcome == "given-up":
        return refusals.deposit_order_cancelled()
    if order.outcome == "lapsed" or booked_on > order.last_day:
        return refusals.deposit_too_late(order.last_day.isoformat())
    if order.amount != amount:
        return refusals.deposit_amount_differs(order.amount, amount)
    return None
