"""A programme as data: one TOML file read, checked field by field, and named by its content.

Problems are collected, so that whoever writes a programme sees all of them at once.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from onsil.core.canonical import digest
from onsil.core.refusal import OperationError, Refusal
from onsil.rewards.kinds import rule_kind
from onsil.rewards.terms import (
    LEVELS,
    BudgetLine,
    CapRule,
    Group,
    ProgrammeTerms,
    Season,
    Text,
)
from onsil.rewards.windows import CUTS, DECIDING_CUTS, may_cap

_KNOWN = {
    "code", "kind", "name", "explanation", "effective", "source", "evidence", "window", "group",
    "rule", "cap", "budget", "budget_warning", "points", "season",
}  # fmt: skip


@dataclass
class _Checked:
    """Reads fields out of a table and notes what is wrong with them."""

    problems: list[str] = field(default_factory=list)

    def take(self, table: Mapping[str, Any], path: str, kind: type, default: Any = None) -> Any:
        """The value at a dotted path; the default (None: required) when it is not there."""
        value: Any = table
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None and default is not None:
            return default
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            self.problems.append(
                f"{path} is missing" if value is None else f"{path}: not a {kind.__name__}"
            )
            return kind() if kind is not date else date.min
        return value

    def text(self, table: Mapping[str, Any], path: str) -> Text:
        return Text(self.take(table, f"{path}.ko", str), self.take(table, f"{path}.en", str))

    def choice(self, value: str, path: str, allowed: tuple[str, ...]) -> str:
        if value not in allowed:
            self.problems.append(f"{path}: {value!r} is none of {', '.join(allowed)}")
        return value


def read_programme(path: Path) -> ProgrammeTerms | Refusal:
    """Read one programme file. A Refusal lists every problem with its field."""
    try:
        table = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return _unusable(path, [str(error)])
    terms, problems = terms_of(table)
    return _unusable(path, problems) if problems else terms


def terms_of(table: Mapping[str, Any]) -> tuple[ProgrammeTerms, list[str]]:
    """The terms a table states, and what is wrong with it (then the terms must not be used)."""
    checked = _Checked()
    for name in sorted(set(table) - _KNOWN):
        checked.problems.append(f"{name}: unknown field")
    groups = _groups(checked, table)
    cut = checked.choice(checked.take(table, "window.cut", str), "window.cut", DECIDING_CUTS)
    moment = checked.take(table, "window.decide", str, "closed")
    checked.choice(moment, "window.decide", ("closed", "at-once"))
    level = checked.take(table, "evidence.minimum_level", str)
    kinds = checked.take(table, "evidence.kinds", list)
    until = table.get("effective", {}).get("until")
    terms = ProgrammeTerms(
        code=checked.take(table, "code", str),
        kind=checked.take(table, "kind", str),
        name=checked.text(table, "name"),
        explanation=checked.text(table, "explanation"),
        effective_from=checked.take(table, "effective.from", date),
        effective_until=None if until is None else checked.take(table, "effective.until", date),
        source=checked.take(table, "source.text", str),
        confirmed=checked.take(table, "source.confirmed", bool),
        evidence_kinds=tuple(str(kind) for kind in kinds),
        minimum_level=checked.choice(level, "evidence.minimum_level", LEVELS),
        needs_claim=checked.take(table, "evidence.claim", bool, default=False),
        accept_days=checked.take(table, "evidence.accept_days", int, 90),
        cut=cut,
        at_once=moment == "at-once",
        grace_days=checked.take(table, "window.grace_days", int, 0),
        groups=groups,
        rule=checked.take(table, "rule", dict),
        caps=_caps(checked, table, cut, groups),
        budgets=_budgets(checked, table),
        warn_weeks=checked.take(table, "budget_warning.weeks", int, 8),
        expiry_years=checked.take(table, "points.expiry_years", int, 1),
        merchant_rule=checked.take(table, "points.merchant_rule", str, "ordinary"),
        season=_season(checked, table),
        digest=digest(table),
        table=table,
    )
    _check_whole(checked, terms)
    return terms, checked.problems


def _groups(checked: _Checked, table: Mapping[str, Any]) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for number, entry in enumerate(checked.take(table, "group", list), start=1):
        at = _Checked()
        group = Group(
            at.take(entry, "code", str),
            at.text(entry, "name"),
            at.take(entry, "min_age", int, 0),
            entry.get("max_age"),
        )
        checked.problems += [f"group {number}: {problem}" for problem in at.problems]
        groups[group.code] = group
    return groups


def _caps(
    checked: _Checked, table: Mapping[str, Any], cut: str, groups: Mapping[str, Group]
) -> tuple[CapRule, ...]:
    caps: list[CapRule] = []
    for number, entry in enumerate(checked.take(table, "cap", list), start=1):
        window, points = entry.get("window"), entry.get("points")
        limits = points if isinstance(points, Mapping) else dict.fromkeys(groups, points)
        if window not in CUTS:
            checked.problems.append(f"cap {number}: window is none of {', '.join(CUTS)}")
            continue
        if cut in CUTS and not may_cap(window, cut):
            checked.problems.append(f"cap {number}: {window} is shorter than window.cut {cut}")
        for group in groups:
            limit = limits.get(group)
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
                checked.problems.append(f"cap {number}: points for group {group} are missing")
        caps.append(CapRule(window, limits))
    if len({cap.cut for cap in caps}) < len(caps):
        checked.problems.append("cap: two caps for the same window")
    return tuple(caps)


def _budgets(checked: _Checked, table: Mapping[str, Any]) -> tuple[BudgetLine, ...]:
    lines: list[BudgetLine] = []
    for number, entry in enumerate(table.get("budget", []), start=1):
        at = _Checked()
        line = BudgetLine(
            at.take(entry, "year", int),
            at.take(entry, "source", str),
            at.take(entry, "krw", int),
            at.take(entry, "confirmed", bool, default=True),
            at.take(entry, "note", str, ""),
        )
        if line.krw < 0:
            at.problems.append("krw is negative")
        checked.problems += [f"budget {number}: {problem}" for problem in at.problems]
        lines.append(line)
    if len({(line.year, line.source) for line in lines}) < len(lines):
        checked.problems.append("budget: two lines for the same year and source")
    return tuple(lines)


def _season(checked: _Checked, table: Mapping[str, Any]) -> Season | None:
    entry = table.get("season")
    if entry is None:
        return None
    try:
        first, last = (date.fromisoformat(f"2024-{entry[end]}") for end in ("from", "until"))
    except (KeyError, TypeError, ValueError):
        checked.problems.append('season: from and until must be days such as "03-01"')
        return None
    return Season((first.month, first.day), (last.month, last.day))


def _check_whole(checked: _Checked, terms: ProgrammeTerms) -> None:
    """What only shows when the fields are seen together."""
    if not terms.groups:
        checked.problems.append("group: at least one is needed")
    if not terms.evidence_kinds:
        checked.problems.append("evidence.kinds: at least one is needed")
    if terms.effective_until is not None and terms.effective_until <= terms.effective_from:
        checked.problems.append("effective.until must come after effective.from")
    for name, value in (
        ("window.grace_days", terms.grace_days),
        ("evidence.accept_days", terms.accept_days),
        ("points.expiry_years", terms.expiry_years),
        ("budget_warning.weeks", terms.warn_weeks),
    ):
        if value < 0:
            checked.problems.append(f"{name} is negative")
    try:
        kind = rule_kind(terms.kind)
    except OperationError as error:
        checked.problems.append(f"kind: {error}")
    else:
        checked.problems += kind.problems(terms.rule, tuple(terms.groups))


def _unusable(path: Path, problems: list[str]) -> Refusal:
    listed = "; ".join(problems)
    return Refusal(
        "programme-unusable",
        f"프로그램 파일 {path.name}을(를) 쓸 수 없습니다: {listed}",
        f"The programme file {path.name} cannot be used: {listed}",
        {"file": path.name, "problems": problems},
    )
