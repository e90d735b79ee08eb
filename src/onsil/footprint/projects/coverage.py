"""How much of each day a run has used, from the coverage in its outputs. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, days_of, midnight


@dataclass(frozen=True)
class DayCoverage:
    """The intervals of one role on a local day: expected = used + missing + excluded."""

    day: date
    expected: int
    used: int
    missing: int
    excluded: int

    @property
    def used_pct(self) -> Decimal:
        return Decimal(100 * self.used) / self.expected


def roles(outputs: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The interval coverage of each role, found under "coverage" however deep it lies.

    A role's parts (reporting, baseline) are named "role/part".
    """
    return dict(_found(outputs.get("coverage") or {}, ""))


def _found(node: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "gaps" in node and "step_s" in node:
        yield name, node
        return
    for key, inner in node.items():
        if isinstance(inner, Mapping):
            plain = key in ("intervals",)
            yield from _found(inner, name if plain else f"{name}/{key}".strip("/"))


def calendar(found: Mapping[str, Any], zone: ZoneInfo) -> list[DayCoverage]:
    """Each local day of a role's coverage with its counts."""
    start = datetime.fromisoformat(found["start"])
    step, expected = timedelta(seconds=int(found["step_s"])), int(found["expected"])
    if not expected:
        return []
    made = []
    for day in days_of(Period(start, start + expected * step), zone):
        first = max(0, -((start - midnight(day, zone)) // step))
        last = min(expected, -((start - midnight(day + timedelta(1), zone)) // step))
        if last <= first:
            continue
        missing = excluded = 0
        for begins, ends, fate in found["gaps"]:
            length = max(0, min(last, ends) - max(first, begins))
            missing, excluded = (
                (missing + length, excluded) if fate == "missing" else (missing, excluded + length)
            )
        count = last - first
        made.append(DayCoverage(day, count, count - missing - excluded, missing, excluded))
    return made
