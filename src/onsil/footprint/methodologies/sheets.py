"""What a methodology says of itself, in the reader's language and ready to be shown."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from onsil.core.canonical import decimal_text
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.methodologies import (
    Methodology,
    coefficients_of,
    creditable,
    monitoring_of,
    tables_of,
)
from onsil.footprint.methodologies.pages import limits
from onsil.footprint.terms import Outcome

_EXAMPLE_ROWS = 6


@dataclass(frozen=True)
class Example:
    """The worked example: what went in, the steps by hand, and what came out just now."""

    source: str
    given: tuple[str, ...]
    steps: tuple[str, ...]
    by_hand_t: Decimal
    outcome: Outcome

    @property
    def agrees(self) -> bool:
        return self.outcome.co2e_t == self.by_hand_t


def example_of(made: Methodology) -> Example:
    """The methodology's own example, calculated now."""
    worked = made.worked_example()
    with localcontext(ARITHMETIC):
        found = made.quantify(worked.inputs)
    assert not isinstance(found, Refusal), found
    given = [
        f"{one.role} [{one.unit}, {one.interval_s} s]: {_few(one.values)}"
        for one in worked.inputs.series.values()
    ]
    for role, rows in worked.inputs.tables.items():
        given += [f"{role}: {_row(row)}" for row in rows[:_EXAMPLE_ROWS]]
        if len(rows) > _EXAMPLE_ROWS:
            given.append(f"{role}: … ({len(rows)})")
    return Example(worked.source, tuple(given), worked.steps, worked.co2e_t, found)


def _few(values: tuple[Decimal, ...]) -> str:
    first = ", ".join(decimal_text(value) for value in values[:10])
    return f"{first}, … ({len(values)})" if len(values) > 10 else first


def _row(row: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {decimal_text(value) if isinstance(value, Decimal) else value}"
        for name, value in row.items()
    )


def prose_of(made: Methodology) -> str:
    """The module's own account of itself, its first line left out."""
    return "\n".join((inspect.getdoc(made) or "").splitlines()[2:])


def sheet(made: Methodology, korean: bool) -> dict[str, Any]:
    """What the page shows, by name, with one language's words."""

    def word(one: Any) -> str:
        return one.ko if korean else one.en

    monitored = [
        (one.name, one.unit, word(one), one.frequency_ko, one.means_ko, one.quality_ko)
        if korean
        else (one.name, one.unit, word(one), one.frequency_en, one.means_en, one.quality_en)
        for one in monitoring_of(made)
    ]
    return {
        "title": made.TITLE_KO if korean else made.TITLE_EN,
        "conditions": [ko if korean else en for ko, en in made.CONDITIONS],
        "series": [(one, word(one)) for one in made.ROLES],
        "tables": [
            (one, word(one), [(c, word(c), limits(c)) for c in one.columns])
            for one in tables_of(made)
        ],
        "parameters": [(one, word(one), limits(one)) for one in made.PARAMETERS],
        "needs": made.FACTORS,
        "coefficients": coefficients_of(made),
        "monitored": monitored,
        "creditable": creditable(made),
        "prose": prose_of(made),
        "example": example_of(made),
    }
