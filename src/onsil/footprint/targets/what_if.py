"""What if: the same methodologies on planned quantities. Pure; nothing here is ever a run.

A lever states one unit of a measure (a car, a site, a hectare) as a methodology wants it, how many
of them there shall be in each year, and which columns grow with that number. The methodology that
will later judge the measured data calculates the plan, with its own conditions: where it says no,
the lever shows its refusal instead of a figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.canonical import plain
from onsil.core.periods import local_year
from onsil.core.refusal import Refusal
from onsil.footprint import engine
from onsil.footprint.factors import FactorAuthority, choose_factor
from onsil.footprint.factors.coefficients import coefficient_sets
from onsil.footprint.methodologies import (
    Methodology,
    check_parameters,
    coefficients_of,
    methodology,
)
from onsil.footprint.terms import ActivitySeries

PLANNED = "planned"
_DAY_S = 86_400


@dataclass(frozen=True)
class PlannedSeries:
    """A yearly amount in a series' unit of energy, spread evenly over the days of the year."""

    attribute: str
    unit: str
    yearly: Decimal


@dataclass(frozen=True)
class Lever:
    """One measure's unit and how many there shall be. `scaled` names columns as "table.column",
    parameters as "parameter.name"; planned series are always scaled."""

    code: str
    ko: str
    en: str
    methodology: str
    authorities: tuple[FactorAuthority, ...]
    units: Mapping[int, Decimal]
    unit_ko: str
    unit_en: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    series: Mapping[str, PlannedSeries] = field(default_factory=dict)
    scaled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Effect:
    """What a lever brings in a year: tCO2e, or why the methodology says no."""

    lever: str
    year: int
    units: Decimal
    co2e_t: Decimal | None
    refusal: Refusal | None
    method: str
    uncertainty: Mapping[str, Any] = field(default_factory=dict)


def effect(lever: Lever, year: int, as_of: date, zone: ZoneInfo) -> Effect:
    """Calculate one year of a lever with its methodology's newest version.

    `as_of` is the day whose factors hold: a plan knows no factor of the future.
    """
    made = methodology(lever.methodology)
    if isinstance(made, Refusal):
        return Effect(lever.code, year, Decimal(0), None, made, lever.methodology)
    units = lever.units.get(year, Decimal(0))
    name = f"{made.ID} v{made.VERSION}"
    if units == 0:
        return Effect(lever.code, year, units, Decimal(0), None, name)
    found = _calculate(lever, made, units, year, as_of, zone)
    if isinstance(found, Refusal):
        return Effect(lever.code, year, units, None, found, name)
    if found["co2e_t"] is None:
        said = found["refusal"]
        refusal = Refusal(said["code"], said["ko"], said["en"], said["facts"])
        return Effect(lever.code, year, units, None, refusal, name)
    return Effect(lever.code, year, units, found["co2e_t"], None, name, found["uncertainty"])


def simulate(
    levers: Sequence[Lever], years: Sequence[int], as_of: date, zone: ZoneInfo
) -> list[Effect]:
    """Every lever in every year, in that order."""
    return [effect(lever, year, as_of, zone) for lever in levers for year in years]


def _calculate(
    lever: Lever, made: Methodology, units: Decimal, year: int, as_of: date, zone: ZoneInfo
) -> dict[str, Any] | Refusal:
    parameters = check_parameters(
        made,
        {
            name: _scaled(lever, f"parameter.{name}", value, units)
            for name, value in lever.parameters.items()
        },
    )
    if isinstance(parameters, Refusal):
        return parameters
    factors = {}
    for authority in lever.authorities:
        factor = choose_factor(authority, as_of)
        if isinstance(factor, Refusal):
            return factor
        factors[authority.commodity] = factor.document()
    known = coefficient_sets()
    period = local_year(year, zone)
    inputs = plain(
        {
            "format": engine.FORMAT,
            "methodology": {"id": made.ID, "version": made.VERSION},
            "parameters": parameters,
            "period": {"start": period.start, "end": period.end},
            "zone": zone.key,
            "gwp_set": lever.authorities[0].gwp_set if lever.authorities else None,
            "factors": factors,
            "coefficients": {
                need.table: known[need.default_set].document() for need in coefficients_of(made)
            },
        }
    )
    series = {
        role: _series(lever, role, one, units, year, zone) for role, one in lever.series.items()
    }
    tables = {role: _rows(lever, role, rows, units, year) for role, rows in lever.tables.items()}
    return engine.calculate(inputs, series, tables)


def _scaled(lever: Lever, name: str, value: Any, units: Decimal) -> Any:
    return str(Decimal(str(value)) * units) if name in lever.scaled else value


def _rows(
    lever: Lever, role: str, rows: Sequence[Mapping[str, Any]], units: Decimal, year: int
) -> list[dict[str, Any]]:
    """The rows with their scaled columns; {year} in a text stands for the year."""
    return [
        {
            name: _scaled(
                lever, f"{role}.{name}",
                value.replace("{year}", str(year)) if isinstance(value, str) else value, units,
            )
            for name, value in row.items()
        }
        for row in rows
    ]  # fmt: skip


def _series(
    lever: Lever, role: str, one: PlannedSeries, units: Decimal, year: int, zone: ZoneInfo
) -> ActivitySeries:
    """Daily amounts that add up to the year's."""
    period = local_year(year, zone)
    days = period.length // timedelta(days=1)
    with localcontext(engine.ARITHMETIC):
        daily = one.yearly * units / days
    times = tuple(period.start + timedelta(days=n) for n in range(days))
    return ActivitySeries(
        role, f"urn:ngsi-ld:Plan:{lever.code}", one.attribute, one.unit, _DAY_S, "interval",
        PLANNED, times, (daily,) * days,
    )  # fmt: skip
