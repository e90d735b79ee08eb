"""`cities/<city>/plan.toml`: the plan read in from the city's folder, and its what-if levers."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from onsil import footprint
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import OperationError, Refusal
from onsil.footprint import targets
from onsil.tenancy.cities import CityProfile

_TERMS = tuple(targets.MeasureTerms.__dataclass_fields__)


def table_of(city: CityProfile) -> dict[str, Any] | None:
    """The city's plan file; None where the city has none. Raises OperationError for bad TOML."""
    path = city.folder / "plan.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise OperationError(f"{path}: {error}", retry=False) from error


def load_plan(
    conn: Connection, city: CityProfile, actor: str, clock: Clock
) -> targets.Plan | Refusal | None:
    """Adopt the city's plan with its goals, measures and targets. What is there stays.

    None where the city has no plan file; else the first refusal, or the plan.
    """
    table = table_of(city)
    if table is None:
        return None
    stated = table["plan"]
    made = targets.adopt_plan(
        conn, city.code, stated["code"], (stated["name_ko"], stated["name_en"]),
        stated["base_year"], stated["source"], actor, clock,
    )  # fmt: skip
    if isinstance(made, Refusal):
        return made
    for goal in table.get("goal", []):
        answer = targets.set_goal(
            conn, city.code, made.id, targets.Goal(**{**goal, "value": Decimal(goal["value"])}),
            actor, clock,
        )  # fmt: skip
        if isinstance(answer, Refusal):
            return answer
    for row in table.get("measure", []):
        refusal = _measure(conn, city, made, row, actor, clock)
        if refusal is not None:
            return refusal
    return made


def _measure(
    conn: Connection,
    city: CityProfile,
    plan: targets.Plan,
    row: dict[str, Any],
    actor: str,
    clock: Clock,
) -> Refusal | None:
    """Add one measure unless the desk has changed it since; its targets likewise."""
    found = targets.measure_by_code(conn, city.code, plan.id, row["code"])
    if found is None:
        terms = targets.MeasureTerms(**{name: row[name] for name in _TERMS if name in row})
        made = targets.put_measure(conn, city.code, plan.id, row["code"], terms, actor, clock)
        if isinstance(made, Refusal):
            return made
        found = made
    for one in row.get("targets", []):
        if one["year"] in found.targets:
            continue
        target = targets.YearTarget(
            one["year"], _decimal(one.get("quantity")), _decimal(one.get("co2e_t")),
            one.get("budget_krw"),
        )  # fmt: skip
        answer = targets.set_target(conn, city.code, found.id, target, "", actor, clock)
        if isinstance(answer, Refusal):
            return answer
    return None


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@dataclass(frozen=True)
class StatedLever:
    """A lever of the city's file, its units still open, with the assumption it rests on."""

    lever: targets.Lever
    default_units: Decimal
    note_ko: str
    note_en: str


def levers(city: CityProfile) -> list[StatedLever]:
    """The levers that the city's plan file states; none where it states none."""
    table = table_of(city) or {}
    return [
        StatedLever(_lever(row), Decimal(row["default_units"]), row["note_ko"], row["note_en"])
        for row in table.get("lever", [])
    ]


def _lever(row: dict[str, Any]) -> targets.Lever:
    return targets.Lever(
        code=row["code"],
        ko=row["ko"],
        en=row["en"],
        methodology=row["methodology"],
        authorities=tuple(footprint.FactorAuthority(**one) for one in row["authorities"]),
        units={},
        unit_ko=row["unit_ko"],
        unit_en=row["unit_en"],
        parameters=row.get("parameters", {}),
        tables=row.get("tables", {}),
        series={
            role: targets.PlannedSeries(one["attribute"], one["unit"], Decimal(one["yearly"]))
            for role, one in row.get("series", {}).items()
        },
    )
