"""Methodologies on rows that go through the same typing as a stored run's; two kinds of rows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.methodologies import check_parameters, check_tables
from onsil.footprint.terms import Outcome

# Readings so exact that nothing is deducted from the growth of a few trees.
PRECISE = {"dbh_uncertainty_pct": "0.1", "height_uncertainty_pct": "0.1"}


def run(made: Any, inputs: Any, **tables: Any) -> Outcome | Refusal:
    """Quantify as a stored run does: rows typed and in order of their ids."""
    typed = check_tables(made, {**inputs.tables, **tables})
    assert not isinstance(typed, Refusal), typed
    with localcontext(ARITHMETIC):
        return made.quantify(replace(inputs, tables=typed))


def stated(made: Any, **changes: Any) -> Any:
    """The worked example with other parameters."""
    inputs = made.worked_example().inputs
    checked = check_parameters(made, {**inputs.parameters, **changes})
    assert not isinstance(checked, Refusal), checked
    return replace(inputs, parameters=checked)


def rows_of(made: Any, role: str, **changes: Any) -> list[dict[str, Any]]:
    """The example's rows, the first of them changed; None takes a value away."""
    rows = [dict(row) for row in made.worked_example().inputs.tables[role]]
    rows[0].update(changes)
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


def said_no(answer: object, code: str) -> Refusal:
    """A refusal with a code, in both languages."""
    assert isinstance(answer, Refusal), answer
    assert answer.code == code, answer
    assert answer.ko
    assert answer.en
    return answer


def tonnes(found: Outcome | Refusal) -> Decimal:
    """Nothing where the methodology says that nothing can be counted."""
    if isinstance(found, Refusal):
        assert found.code in ("not-yet-measurable", "nothing-saved"), found
        return Decimal(0)
    assert found.co2e_t >= 0
    return found.co2e_t


def tree(number: int, litres: int = 12, **more: Any) -> dict[str, Any]:
    """A larch of 100 litres of stem that grew by so many."""
    made = {
        "id": f"urn:ngsi-ld:Tree:t:{number}", "species": "일본잎갈나무", "status": "alive",
        "first_date": date(2024, 10, 1), "first_volume_m3": Decimal("0.1"),
        "last_date": date(2025, 10, 1),
        "last_volume_m3": Decimal(100 + litres) / 1000, **more,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}
