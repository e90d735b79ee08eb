"""Running a methodology on changed copies of its worked example."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import Factor
from onsil.footprint.methodologies.registry import Methodology
from onsil.footprint.terms import MethodInputs, Outcome

Rows = Sequence[Mapping[str, Any]]


def run(made: Methodology, inputs: MethodInputs) -> Outcome | Refusal:
    with localcontext(ARITHMETIC):
        return made.quantify(inputs)


def changed(
    made: Methodology,
    tables: Mapping[str, Rows] | None = None,
    parameters: Mapping[str, Any] | None = None,
    factors: Mapping[str, Factor] | None = None,
    **others: Any,
) -> MethodInputs:
    """The worked example's inputs with some tables, parameters or factors of one's own."""
    inputs = made.worked_example().inputs
    mine = {role: tuple(rows) for role, rows in (tables or {}).items()}
    return replace(
        inputs,
        tables={**inputs.tables, **mine},
        parameters={**inputs.parameters, **(parameters or {})},
        factors={**inputs.factors, **(factors or {})},
        **others,
    )


def outcome(made: Methodology, inputs: MethodInputs) -> Outcome:
    found = run(made, inputs)
    assert isinstance(found, Outcome), found
    return found


def refusal(made: Methodology, inputs: MethodInputs, code: str) -> Refusal:
    found = run(made, inputs)
    assert isinstance(found, Refusal), found
    assert found.code == code, found
    assert found.ko
    assert found.en
    return found


def electricity(kg_per_mwh: str, gwp_set: str = "AR5") -> Factor:
    """A factor known as a total, of so many kg a MWh at the consumption end."""
    return Factor("a-test", "electricity", "consumption", "MWh", None, Decimal(kg_per_mwh), gwp_set)


def reasons(found: Outcome | Refusal, table: str) -> dict[str, str]:
    """Why each row that does not count does not."""
    told = found.facts if isinstance(found, Refusal) else found.coverage[table]
    return dict(told["left_out"])
