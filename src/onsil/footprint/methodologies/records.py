"""Every row of a table is used, excluded for a stated reason, or incomplete; a gap is no zero."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.terms import MethodInputs

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Days:
    """The local days of a period, `first` up to but not including `end`."""

    first: date
    end: date

    @property
    def count(self) -> int:
        return (self.end - self.first).days

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    def within(self, since: date | None, until: date | None) -> int:
        """How many of these days lie from `since` up to but not including `until`."""
        first = self.first if since is None else max(self.first, since)
        end = self.end if until is None else min(self.end, until)
        return max(0, (end - first).days)


def days_of_period(inputs: MethodInputs) -> Days:
    """The local days that the period touches, the last one included."""
    zone = ZoneInfo(inputs.zone)
    last = local_day(inputs.period.end - timedelta(microseconds=1), zone)
    return Days(local_day(inputs.period.start, zone), last + timedelta(days=1))


@dataclass(frozen=True)
class Judged:
    """The rows that count, and why each of the others does not."""

    used: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...]

    def coverage(self) -> dict[str, Any]:
        """Counts by fate. What lacks a value is `missing`; the rest of the others is `excluded`."""
        reasons = Counter(reason for _, reason in self.left_out)
        lacking = sum(n for reason, n in reasons.items() if reason.endswith("-missing"))
        expected = len(self.used) + len(self.left_out)
        return {
            "expected": expected,
            "used": len(self.used),
            "missing": lacking,
            "excluded": {r: n for r, n in sorted(reasons.items()) if not r.endswith("-missing")},
            "used_pct": (Decimal(100 * len(self.used)) / max(expected, 1)).quantize(
                Decimal("0.01")
            ),
            "left_out": [list(one) for one in self.left_out],
        }


def judge(rows: Sequence[Row], reason_of: Callable[[Row], str | None]) -> Judged:
    """Part rows by the reason for which one does not count; None where it does.

    A reason that ends in `-missing` says that a value was not observed.
    """
    used: list[Row] = []
    left_out: list[tuple[str, str]] = []
    for row in rows:
        reason = reason_of(row)
        if reason is None:
            used.append(row)
        else:
            left_out.append((row["id"], reason))
    return Judged(tuple(used), tuple(left_out))


def none_usable(table: str, judged: Judged) -> Refusal | None:
    """A refusal when no row counts, with every row's reason."""
    if judged.used:
        return None
    told = ", ".join(f"{row}: {reason}" for row, reason in judged.left_out[:5])
    return Refusal(
        "no-row-usable",
        f"{table} 표에 산정할 수 있는 행이 없습니다 ({told}).",
        f"No row of {table} can be used ({told}).",
        {"table": table, **judged.coverage()},
    )


def nothing_saved(co2e_t: Decimal) -> Refusal | None:
    """A refusal when no emission was reduced: a methodology never counts below nothing."""
    if co2e_t > 0:
        return None
    return Refusal(
        "nothing-saved",
        f"이 기간에 줄어든 배출량이 없습니다 ({co2e_t} tCO2e).",
        f"No emission was reduced in this period ({co2e_t} tCO2e).",
        {"co2e_t": co2e_t},
    )
