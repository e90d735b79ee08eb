"""Two runs side by side: what they were given and what came out, only where they differ. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any


@dataclass(frozen=True)
class Line:
    """One value in both runs; `change` where both are numbers, None where one is missing."""

    name: str
    before: str | None
    after: str | None
    change: Decimal | None


@dataclass(frozen=True)
class Part:
    """A part of the documents: the lines that differ, and how many are the same."""

    name: str
    lines: tuple[Line, ...]
    same: int


def differ(name: str, before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> Part:
    """Compare two documents given as dotted names and values."""
    was, now = dict(before), dict(after)
    names = [*was, *(key for key in now if key not in was)]
    lines = [
        Line(key, was.get(key), now.get(key), _change(was.get(key), now.get(key)))
        for key in names
        if was.get(key) != now.get(key)
    ]
    return Part(name, tuple(lines), len(names) - len(lines))


def _change(before: str | None, after: str | None) -> Decimal | None:
    if before is None or after is None:
        return None
    try:
        return Decimal(after) - Decimal(before)
    except InvalidOperation:
        return None


def parts(before: Mapping[str, Any], after: Mapping[str, Any], flat: Any) -> list[Part]:
    """Inputs, factors and outputs of two runs' details; `flat` turns a document into lines."""
    left_out = ("factors", "snapshot")
    made = []
    for name, pick in (
        ("inputs", lambda one: {k: v for k, v in one["inputs"].items() if k not in left_out}),
        ("factors", lambda one: one["inputs"].get("factors", {})),
        ("snapshot", lambda one: one["inputs"].get("snapshot", {})),
        ("outputs", lambda one: one["outputs"]),
    ):
        made.append(differ(name, flat(pick(before)), flat(pick(after))))
    return made
