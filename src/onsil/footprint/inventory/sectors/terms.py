"""What a calculator is: its needs, its table of coefficients, its formula."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from onsil.footprint.factors import CoefficientTable

CARBON_TO_CO2 = (44, 12)
ZERO, ONE = Decimal(0), Decimal(1)


class CalculatorError(ValueError):
    """A table of coefficients that lacks what the formula needs."""


@dataclass(frozen=True)
class Need:
    """A value that must be given. `kind`: decimal, key (a row of the table) or by-year."""

    name: str
    unit: str
    ko: str
    en: str
    kind: str = "decimal"
    minimum: Decimal | None = ZERO
    maximum: Decimal | None = None


@dataclass(frozen=True)
class Calculator:
    """One formula: `source` says which, `coefficients` which table it uses unless told otherwise.

    `refs` are the beginnings of the reference numbers it serves. `calculate` gives kg by gas.
    """

    id: str
    ko: str
    en: str
    source: str
    refs: tuple[str, ...]
    coefficients: str
    needs: tuple[Need, ...]
    calculate: Callable[[Mapping[str, Any], CoefficientTable], dict[str, Decimal]]


def fraction(name: str, ko: str, en: str) -> Need:
    """A need between nothing and all."""
    return Need(name, "1", ko, en, maximum=ONE)


def coefficient(table: CoefficientTable, key: str, column: str) -> Decimal:
    """A number of the table. Raises CalculatorError when it is not there."""
    value = table.rows.get(key, {}).get(column)
    if not isinstance(value, Decimal):
        raise CalculatorError(f"{table.set_id} has no {column} for {key}")
    return value
