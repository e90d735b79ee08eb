"""The registry's rules by programme, read from data, each with its source and maturity. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Rule:
    """One rule: what it says, where it stands, how sure it is (`confirmed` or not yet)."""

    terms: Mapping[str, Any]
    source: str
    maturity: str

    def __getitem__(self, name: str) -> Any:
        return self.terms[name]


@cache
def _data() -> dict[str, Any]:
    text = files("onsil.footprint.credits").joinpath("data", "rules.toml").read_text("utf-8")
    return tomllib.loads(text)


def _rule(row: Mapping[str, Any]) -> Rule:
    rest = {name: value for name, value in row.items() if name not in ("source", "maturity")}
    return Rule(rest, row["source"], row["maturity"])


def _found(part: str, field: str, value: str) -> Rule | None:
    rows = (row for row in _data()[part] if value in row[field])
    return next((_rule(row) for row in rows), None)


def planned_rule() -> Rule:
    """`years_ahead`: how far planned units may reach; `recovery_years`: until when what they fall
    short of is made good (Gold Standard 403)."""
    return _rule(_data()["planned"])


def reversal_rule() -> Rule:
    """`recovery_years`: until when a loss is made good (Gold Standard 403)."""
    return _rule(_data()["reversal"])


def buffer_rule(programme: str, methodology: str, day: date) -> Rule | None:
    """`pool`, `share_bp`, `draw` of the pool that an issuance on a day pays into.

    None: the project's buffer is its own. Of several rows the one that began last counts.
    """
    fits = [
        row
        for row in _data()["buffer"]
        if programme in row["programmes"]
        and (methodology in row["methodologies"] or "*" in row["methodologies"])
        and row["valid_from"] <= day
    ]
    return _rule(max(fits, key=lambda row: row["valid_from"])) if fits else None


def tier_rule(programme: str, unit: str, vintage: int) -> Rule | None:
    """`steps`: how much of the metered quantity of a project's year one unit takes; None: as it is.

    The row that was in force when the year began; of several the one that began last.
    """
    began = date(vintage, 1, 1)
    fits = [
        row
        for row in _data()["tiers"]
        if row["unit"] == unit
        and (programme in row["programmes"] or "*" in row["programmes"])
        and row["valid_from"] <= began
    ]
    return _rule(max(fits, key=lambda row: row["valid_from"])) if fits else None


def steps_of(rule: Rule) -> tuple[tuple[int | None, int], ...]:
    """A tier rule's steps as (last m³ or None, m³ a unit)."""
    return tuple((one.get("upto"), one["per_unit"]) for one in rule["steps"])


def vintage_rule(programme: str) -> Rule | None:
    """`by`: how a period without a daily breakdown is divided into years; None: it is not."""
    return _found("vintage", "programmes", programme)


def conversion_rule(programme: str) -> Rule | None:
    """`into`, `years`, `counted_from`: one for one into compliance units, within a time limit."""
    return _found("conversion", "programmes", programme)


def label_rule(label: str) -> Rule | None:
    """`reach_back_years`: how far before it is given a label may begin; None: unknown label."""
    return _found("label", "labels", label)


def labels_known() -> tuple[str, ...]:
    """The labels that may be given, by name."""
    return tuple(sorted(name for row in _data()["label"] for name in row["labels"]))


def years_after(day: date, years: int) -> date:
    """The same day some years on; a leap day becomes the first of March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
