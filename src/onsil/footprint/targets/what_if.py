"""What if: the same methodologies on planned quantities. Pure; nothing here is ever a run.

A lever states one unit of a measure (a car, a site, a hectare) as a methodology wants it, and how
many of them there shall be in each year. The methodology that will later judge the measured data
calculates that one unit, with its own conditions, and the plan is so many times it: where the
methodology says no, the lever shows its refusal instead of a figure.
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
from onsil.footprint.factors import FactorAuthority, Library, shipped_library
from onsil.footprint.given import coefficients_for, factors_for
from onsil.footprint.methodologies import Methodology, check_parameters, methodology
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
    """One unit of a measure, and how many units there shall be in force in each year.

    In the texts of `tables` and `parameters`, {year} stands for the year.
    """

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


def effect(
    lever: Lever, year: int, as_of: date, zone: ZoneInfo, library: Library | None = None
) -> Effect:
    """Calculate one unit in a year with its methodology's newest version, times the units.

    `as_of` is the day whose factors hold: a plan knows no factor of the future. `library` is the
    city's (`library_of`), so that the plan rests on the very factors the runs do; None is what is
    shipped.
    """
    made = methodology(lever.methodology)
    if isinstance(made, Refusal):
        return Effect(lever.code, year, Decimal(0), None, made, lever.methodology)
    units = lever.units.get(year, Decimal(0))
    name = f"{made.ID} v{made.VERSION}"
    if units == 0:
        return Effect(lever.code, year, units, Decimal(0), None, name)
    found = _one_unit(lever, made, year, as_of, zone, library or shipped_library())
    if isinstance(found, Refusal):
        return Effect(lever.code, year, units, None, found, name)
    if found["co2e_t"] is None:
        said = found["refusal"]
        refusal = Refusal(said["code"], said["ko"], said["en"], said["facts"])
        return Effect(lever.code, year, units, None, refusal, name)
    with localcontext(engine.ARITHMETIC):
        co2e_t = found["co2e_t"] * units
    return Effect(lever.code, year, units, co2e_t, None, name, found["uncertainty"])


def simulate(
    levers: Sequence[Lever], years: Sequence[int], as_of: date, zone: ZoneInfo,
    library: Library | None = None,
) -> list[Effect]:  # fmt: skip
    """Every lever in every year, in that order, with one library's factors."""
    held = library or shipped_library()
    return [effect(lever, year, as_of, zone, held) for lever in levers for year in years]


def _one_unit(
    lever: Lever, made: Methodology, year: int, as_of: date, zone: ZoneInfo, library: Library
) -> dict[str, Any] | Refusal:
    parameters = check_parameters(made, _dated(lever.parameters, year))
    if isinstance(parameters, Refusal):
        return parameters
    roles = {*lever.series, *lever.tables}
    factors = factors_for(made, roles, lever.authorities, as_of, library)
    if isinstance(factors, Refusal):
        return factors
    tables_of = coefficients_for(made, {}, library)
    if isinstance(tables_of, Refusal):
        return tables_of
    period = local_year(year, zone)
    inputs = plain(
        {
            "format": engine.FORMAT,
            "methodology": {"id": made.ID, "version": made.VERSION},
            "parameters": parameters,
            "period": {"start": period.start, "end": period.end},
            "zone": zone.key,
            "gwp_set": lever.authorities[0].gwp_set if lever.authorities else None,
            "factors": {c: f.document() for c, f in factors.items()},
            "coefficients": {t: one.document() for t, one in tables_of.items()},
        }
    )
    series = {role: _series(lever, role, one, year, zone) for role, one in lever.series.items()}
    tables = {role: [_dated(row, year) for row in rows] for role, rows in lever.tables.items()}
    return engine.calculate(inputs, series, tables)


def _dated(values: Mapping[str, Any], year: int) -> dict[str, Any]:
    return {
        name: value.replace("{year}", str(year)) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _series(
    lever: Lever, role: str, one: PlannedSeries, year: int, zone: ZoneInfo
) -> ActivitySeries:
    """Equal daily amounts that add up to the year's."""
    period = local_year(year, zone)
    days = period.length // timedelta(days=1)
    with localcontext(engine.ARITHMETIC):
        daily = one.yearly / days
    times = tuple(period.start + timedelta(days=n) for n in range(days))
    return ActivitySeries(
        role, f"urn:ngsi-ld:Plan:{lever.code}", one.attribute, one.unit, _DAY_S, "interval",
        PLANNED, times, (daily,) * days,
    )  # fmt: skip
