"""How long records of a person must be kept before they may be erased: dated rules, pure.

Financial records are kept by law; until then a person's wish to be erased is met by taking away
everything that says whose they are. The years, from when they hold, and whether somebody competent
has confirmed them, are a city's data (`cities/<city>/retention.toml`), not code.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from onsil.core.refusal import OperationError

FILE = "retention.toml"


@dataclass(frozen=True)
class RetentionRule:
    """Records of `kind` made on or after `since` are kept for `years`; `basis` says by what law."""

    kind: str
    since: date
    years: int
    basis_ko: str
    basis_en: str
    confirmed: bool


@dataclass(frozen=True)
class Kept:
    """Until when one record is kept, and by which rule; None: no rule says it may ever go."""

    free_from: date | None
    rule: RetentionRule | None

    def over(self, today: date) -> bool:
        """Whether the record may be erased today."""
        return self.free_from is not None and self.free_from <= today


def read_retention(path: Path) -> tuple[RetentionRule, ...]:
    """A city's rules. Raises OperationError naming the file and what is wrong in it."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return tuple(_rule(row) for row in table["rule"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise OperationError(f"{path}: {error}", retry=False) from error


def _rule(row: Mapping[str, Any]) -> RetentionRule:
    since, years, confirmed = row["since"], row["years"], row["confirmed"]
    if type(since) is not date or type(years) is not int or years < 0:
        raise ValueError(f"{row['kind']}: since is a date, years a whole number from 0")
    if not isinstance(confirmed, bool):
        raise ValueError(f"{row['kind']}: confirmed is true or false")
    return RetentionRule(
        str(row["kind"]), since, years, str(row["basis_ko"]), str(row["basis_en"]), confirmed
    )


def kept(rules: Sequence[RetentionRule], kind: str, made_on: date) -> Kept:
    """How long a record made on a day (of the city's calendar) is kept, by the rule of that day.

    The first day does not count (민법 제157조), and the years end on the day before the one that
    corresponds to their first (제160조).
    """
    in_force = [rule for rule in rules if rule.kind == kind and rule.since <= made_on]
    if not in_force:
        return Kept(None, None)
    rule = max(in_force, key=lambda one: one.since)
    return Kept(years_after(made_on + timedelta(days=1), rule.years), rule)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; for 29 February, where there is none, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
