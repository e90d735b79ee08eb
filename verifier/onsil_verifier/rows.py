"""Rows of tables: their days and numbers, which of them count, and the coverage they make."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.given import Given
from onsil_verifier.methods import Refused

Row = dict[str, Any]


def number(row: Row, column: str) -> Decimal:
    """A decimal or whole number of a row."""
    return Decimal(row[column])


def day(row: Row, column: str) -> date:
    return date.fromisoformat(row[column])


def total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


@dataclass(frozen=True)
class Days:
    """Local days from `first` up to, not including, `end`."""

    first: date
    end: date

    @property
    def count(self) -> int:
        return (self.end - self.first).days

    def holds(self, one: date) -> bool:
        return self.first <= one < self.end

    def within(self, since: date | None, until: date | None) -> int:
        """How many of the days lie from `since` up to, not including, `until`."""
        begin = max(self.first, since or self.first)
        return max((min(self.end, until or self.end) - begin).days, 0)


def days(given: Given) -> Days:
    """The local days the period touches."""
    begin, end = given.start.astimezone(given.zone), given.end.astimezone(given.zone)
    whole = end.time() == time(0)
    return Days(begin.date(), end.date() if whole else end.date() + timedelta(days=1))


def legal_duty(given: Given) -> None:
    """Nothing counts from the day on which law requires the measure."""
    duty = given.parameters.get("legal_duty_from")
    if duty is not None and date.fromisoformat(duty) < days(given).end:
        raise Refused("legally-required")


def midnight(given: Given, one: date) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(one, time(0), tzinfo=given.zone)


@dataclass(frozen=True)
class Judged:
    """Rows that count, and [id, reason] of the others."""

    used: list[Row]
    left_out: list[list[str]]

    def coverage(self) -> dict[str, Any]:
        """A value that was not observed is missing; every other reason excludes."""
        excluded: dict[str, int] = {}
        missing = 0
        for _, reason in self.left_out:
            if reason.endswith("-missing"):
                missing += 1
            else:
                excluded[reason] = excluded.get(reason, 0) + 1
        whole = len(self.used) + len(self.left_out)
        share = Decimal(100 * len(self.used)) / (whole or 1)
        return {
            "expected": whole, "used": len(self.used), "missing": missing, "excluded": excluded,
            "used_pct": share.quantize(Decimal("0.01")), "left_out": self.left_out,
        }  # fmt: skip


def judge(
    rows: Iterable[Row], reason_of: Callable[[Row], str | None], *, some: bool = True
) -> Judged:
    """Rows parted by the reason for which one does not count. `some`: refused where none does."""
    used, left_out = [], []
    for row in rows:
        reason = reason_of(row)
        if reason is None:
            used.append(row)
        else:
            left_out.append([row["id"], reason])
    if some and not used:
        raise Refused("no-row-usable")
    return Judged(used, left_out)


class Coefficients:
    """A table of coefficients as the inputs hold it. A cell that is not stated is no zero."""

    def __init__(self, given: Given, table: str) -> None:
        self._made = given.coefficients[table]
        self.id: str = self._made["id"]
        self.rows: dict[str, dict[str, str]] = self._made["rows"]

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def number(self, key: str, column: str) -> Decimal:
        return Decimal(self.rows[key][column])

    def text(self, key: str, column: str) -> str:
        return self.rows[key][column]

    def maturity(self, key: str) -> str:
        return self._made["maturities"].get(key, self._made["maturity"])

    def maturities(self, keys: Iterable[str]) -> dict[str, str]:
        return {key: self.maturity(key) for key in keys}


def something_saved(tonnes: Decimal) -> None:
    """A methodology never counts below nothing."""
    if tonnes <= 0:
        raise Refused("nothing-saved")


def tickets_once(rows: Iterable[Row]) -> None:
    """A weighbridge ticket is used once."""
    seen: set[str] = set()
    for row in rows:
        if row["ticket"] in seen:
            raise Refused("duplicate-ticket")
        seen.add(row["ticket"])


def line(row_id: str, quantity: str, amount: Decimal, unit: str, parts: Any = None) -> Row:
    """A line of the outputs; what cannot be divided has no parts."""
    said = {"meter": row_id, "quantity": quantity, "amount": amount, "unit": unit}
    return said if parts is None else {**said, "parts": parts}
