"""Calculators of the sectors by the formulas of the IPCC 2006 Guidelines, as pure functions.

A parameter that is not given is a refusal, never a default. Coefficients come from the tables of
the factor library, with their provenance; another table of the same columns may be named as `set`.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.factors import CoefficientTable, coefficient_sets
from onsil.footprint.inventory.sectors import energy, land, waste
from onsil.footprint.inventory.sectors.terms import Calculator, CalculatorError, Need

__all__ = ["Calculator", "CalculatorError", "Need", "calculators", "check", "run"]


def calculators() -> Mapping[str, Calculator]:
    """Every calculator by its id."""
    found = (*energy.CALCULATORS, *waste.CALCULATORS, *land.CALCULATORS)
    return {one.id: one for one in found}


def check(name: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], CoefficientTable] | Refusal:
    """Typed parameters in canonical form, and the table of coefficients they are used with.

    Refused: `unknown-calculator`, `unknown-coefficients`, `parameter-missing`,
    `parameter-unknown`, `parameter-invalid`.
    """
    made = calculators().get(name)
    if made is None:
        return _no("unknown-calculator", f"{name} 산식이 없습니다.", f"No calculator {name}.", name)
    table = coefficient_sets().get(str(given.get("set", made.coefficients)))
    if table is None:
        return _no(
            "unknown-coefficients",
            f"{made.ko}: 계수표 {given.get('set')}이(가) 없습니다.",
            f"{made.en}: there is no table {given.get('set')}.",
            name,
        )
    needs = {need.name: need for need in made.needs}
    for key in given:
        if key not in needs and key != "set":
            ko, en = f"{made.ko}: 모르는 값 {key}.", f"{made.en} knows no {key}."
            return _no("parameter-unknown", ko, en, key)
    typed: dict[str, Any] = {"set": table.set_id}
    for key, need in needs.items():
        if given.get(key) in (None, ""):
            return _no(
                "parameter-missing",
                f"{made.ko}: {need.ko}({need.unit or '–'}) 값이 없습니다. 0으로 보지 않습니다.",
                f"{made.en}: {need.en} ({need.unit or '–'}) is missing. It is not taken for zero.",
                key,
            )
        try:
            typed[key] = _typed(need, given[key], table)
        except (ValueError, InvalidOperation) as error:
            return _no(
                "parameter-invalid",
                f"{made.ko}: {need.ko} 값이 올바르지 않습니다 ({given[key]}).",
                f"{made.en}: {need.en}: {error}.",
                key,
            )
    return typed, table


def _typed(need: Need, raw: Any, table: CoefficientTable) -> Any:
    if need.kind == "key":
        if str(raw) not in table.rows:
            raise ValueError(f"{raw} is not a row of {table.set_id}")
        return str(raw)
    if need.kind == "by-year":
        series = {int(year): _number(need, value) for year, value in dict(raw).items()}
        if not series:
            raise ValueError("no years")
        return {str(year): series[year] for year in sorted(series)}
    return _number(need, raw)


def _number(need: Need, raw: Any) -> Decimal:
    if isinstance(raw, float | bool):
        raise ValueError("a decimal must be given as text")
    value = Decimal(str(raw))
    low, high = need.minimum, need.maximum
    if not value.is_finite() or (low is not None and value < low):
        raise ValueError(f"{value} is below {low}")
    if high is not None and value > high:
        raise ValueError(f"{value} is above {high}")
    return value


def run(name: str, parameters: Mapping[str, Any], table: CoefficientTable) -> dict[str, Decimal]:
    """kg of each gas. Raises CalculatorError where the table lacks a column that is needed."""
    made = calculators()[name]
    needs = {need.name: need for need in made.needs}
    typed: dict[str, Any] = {}
    for key, raw in parameters.items():
        kind = needs[key].kind if key in needs else "key"
        if kind == "decimal":
            typed[key] = Decimal(raw)
        elif kind == "by-year":
            typed[key] = {int(year): Decimal(value) for year, value in raw.items()}
        else:
            typed[key] = raw
    return made.calculate(typed, table)


def _no(code: str, ko: str, en: str, name: str) -> Refusal:
    return Refusal(code, ko, en, {"name": name})
