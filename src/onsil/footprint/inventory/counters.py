"""What a running total counted within a year: the differences of its states, and nothing assumed.

Only states from midnight to midnight of the city's own year count, both ends included; a stretch
that reaches over a bound belongs to neither year as long as no state stands on the bound. A state
below the one before it is a reset, a rollover or another meter: which cannot be told, so that
stretch is left out, with its length. Between two states however far apart the meter did count, so
the difference counts; such bridges are named. What is left out is missing and never zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day
from onsil.hub import DayTotal

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Counted:
    """A counter's year: its days, and what is to be said of it.

    A day holds the differences of the stretches that begin in it, and how many intervals they
    cover. `facts`: first and last state with their times, `resets` and the seconds left out with
    them, seconds without any state after the year's start (`open_start_s`) and before its end
    (`open_end_s`), and how many stretches were `bridged` over missing readings.
    """

    days: list[DayTotal]
    facts: dict[str, Any]


def counted(
    times: Sequence[datetime], states: Sequence[Decimal], period: Period, interval_s: int,
    zone: ZoneInfo,
) -> Counted:  # fmt: skip
    """The use of a year out of the states in it; `times` ascend, both ends of the year count."""
    kept = [
        (at, state)
        for at, state in zip(times, states, strict=True)
        if period.start <= at <= period.end
    ]
    facts: dict[str, Any] = {
        "first": _said(kept[0]) if kept else None,
        "last": _said(kept[-1]) if kept else None,
        "resets": 0, "reset_s": 0, "bridged": 0, "longest_gap_s": 0,
        "open_start_s": _seconds(kept[0][0] - period.start) if kept else None,
        "open_end_s": _seconds(period.end - kept[-1][0]) if kept else None,
    }  # fmt: skip
    sums: dict[date, tuple[int, Decimal]] = {}
    for (at, state), (after, next_state) in pairwise(kept):
        long = _seconds(after - at)
        if next_state < state:
            facts["resets"] += 1
            facts["reset_s"] += long
            continue
        if 2 * long > 3 * interval_s:
            facts["bridged"] += 1
            facts["longest_gap_s"] = max(facts["longest_gap_s"], long)
        day = local_day(at, zone)
        seconds, total = sums.get(day, (0, Decimal(0)))
        sums[day] = (seconds + long, total + (next_state - state))
    return Counted(_days(sums, interval_s), facts)


def _days(sums: dict[date, tuple[int, Decimal]], interval_s: int) -> list[DayTotal]:
    """Days with whole intervals; parts of one are carried on, so that none is counted twice."""
    made, before = [], 0
    for day, (seconds, total) in sorted(sums.items()):
        after = before + seconds
        made.append(DayTotal(day, after // interval_s - before // interval_s, total))
        before = after
    return made


def _said(one: tuple[datetime, Decimal]) -> dict[str, Any]:
    return {"at": one[0], "state": one[1]}


def _seconds(length: timedelta) -> int:
    return length // _SECOND
