"""What a methodology is, and where the installed ones are found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.terms import MethodInputs, Outcome


@dataclass(frozen=True)
class Role:
    """A series that the methodology reads: its role, what it must measure, whether it is needed."""

    name: str
    measures: str
    ko: str
    en: str
    required: bool = True


@dataclass(frozen=True)
class Column:
    """A column of a table. `kind`: decimal, integer, text, date, boolean or choice."""

    name: str
    kind: str
    ko: str
    en: str
    unit: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True)
class TableRole:
    """Activity data that come as rows, not as readings. Every row has a text `id` besides these."""

    name: str
    ko: str
    en: str
    columns: tuple[Column, ...]
    required: bool = True


@dataclass(frozen=True)
class CoefficientNeed:
    """A table of published coefficients, and the set it is taken from unless another is named."""

    table: str
    default_set: str


@dataclass(frozen=True)
class Parameter:
    """A value stated per site. No default = required.

    `kind`: decimal, integer, text, boolean, date or choice.
    """

    name: str
    kind: str
    ko: str
    en: str
    unit: str = ""
    default: Any = None
    required: bool = True
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True)
class FactorNeed:
    """A factor that has to be chosen by authority: commodity, boundary, and with which roles.

    Roles are those of series and tables; none at all means that it is always needed. What is not
    required is taken only when an authority is stated for it. `or_boundaries` are others that will
    do, where the programme says which one holds. `gases` is "co2" where the source counts no other
    gas.
    """

    commodity: str
    boundary: str
    roles: tuple[str, ...] = ()
    required: bool = True
    or_boundaries: tuple[str, ...] = ()
    gases: str = "co2e"

    @property
    def boundaries(self) -> tuple[str, ...]:
        return (self.boundary, *self.or_boundaries)


@dataclass(frozen=True)
class MonitoringParameter:
    """What has to be observed while a project runs: how often, by what means, how it is checked."""

    name: str
    unit: str
    ko: str
    en: str
    frequency_ko: str
    frequency_en: str
    means_ko: str
    means_en: str
    quality_ko: str
    quality_en: str


@dataclass(frozen=True)
class WorkedExample:
    """Inputs small enough to follow by hand, what comes out, and where the figures are from."""

    source: str
    inputs: MethodInputs
    co2e_t: Decimal
    steps: tuple[str, ...]


class Methodology(Protocol):
    """One versioned way from readings to tonnes. Modules that have these names are methodologies.

    Four more names may be left out: `TABLES` (activity data as rows), `COEFFICIENTS` (tables of
    published coefficients), `MONITORING` (what a project observes, and how) and `CREDITABLE`
    (False where its tonnes may be rewarded but never become compliance or voluntary units).

    `quantify` is pure: the same inputs give the same outcome, whatever the machine or the day. A
    refusal of code `not-yet-measurable` is a result of its own and is stored; any other says that
    the methodology does not apply to these data.
    """

    ID: str
    VERSION: str
    TITLE_KO: str
    TITLE_EN: str
    SOURCES: tuple[str, ...]
    FORMULA: str
    CONDITIONS: tuple[tuple[str, str], ...]
    ROLES: tuple[Role, ...]
    PARAMETERS: tuple[Parameter, ...]
    FACTORS: tuple[FactorNeed, ...]

    def span(self, parameters: Mapping[str, Any], period: Period, zone: str) -> Period: ...

    def quantify(self, inputs: MethodInputs) -> Outcome | Refusal: ...

    def worked_example(self) -> WorkedExample: ...


@cache
def _installed() -> Mapping[tuple[str, str], Methodology]:
    found: dict[tuple[str, str], Methodology] = {}
    for point in entry_points(group="onsil.methodologies"):
        made: Methodology = point.load()
        found[made.ID, made.VERSION] = made
    return found


def methodologies() -> list[Methodology]:
    """Every installed methodology in every version, by id and version."""
    return [made for _, made in sorted(_installed().items())]


def methodology(methodology_id: str, version: str | None = None) -> Methodology | Refusal:
    """A methodology by id; its highest version unless one is named, as recomputations do."""
    versions = {v: made for (i, v), made in _installed().items() if i == methodology_id}
    if version is None and versions:
        version = max(versions, key=lambda v: tuple(int(part) for part in v.split(".")))
    if version not in versions:
        known = ", ".join(sorted({f"{i} v{v}" for i, v in _installed()}))
        return Refusal(
            "unknown-methodology",
            f"방법론 {methodology_id} v{version}이(가) 설치되어 있지 않습니다. 설치된 것: {known}.",
            f"Methodology {methodology_id} v{version} is not installed. Installed: {known}.",
            {"methodology": methodology_id, "version": version},
        )
    return versions[version]


def check_parameters(made: Methodology, given: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    """Typed parameter values with defaults filled in; refused when unknown, missing or wrong.

    Decimals may be given as text, int or Decimal; dates as text or date; never as float.
    """
    known = {parameter.name: parameter for parameter in made.PARAMETERS}
    unknown = sorted(set(given) - set(known))
    if unknown:
        return _parameter_refusal(made, unknown[0], "알 수 없는 이름입니다", "is not a parameter")
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        raw = given.get(name, parameter.default)
        if raw is None:
            if parameter.required:
                return _parameter_refusal(made, name, "값이 필요합니다", "is required")
            continue
        try:
            values[name] = _typed(parameter, raw)
        except (ValueError, InvalidOperation) as error:
            return _parameter_refusal(
                made, name, f"올바르지 않습니다: {error}", f"is wrong: {error}"
            )
    return values


def tables_of(made: Methodology) -> tuple[TableRole, ...]:
    """The table roles of a methodology; most have none."""
    return getattr(made, "TABLES", ())


def coefficients_of(made: Methodology) -> tuple[CoefficientNeed, ...]:
    """The coefficient tables that a methodology needs."""
    return getattr(made, "COEFFICIENTS", ())


def monitoring_of(made: Methodology) -> tuple[MonitoringParameter, ...]:
    """What a project under the methodology has to observe; empty where the module says nothing."""
    return getattr(made, "MONITORING", ())


def creditable(made: Methodology) -> bool:
    """Whether its tonnes may become units at all; what is for rewards only says no."""
    return getattr(made, "CREDITABLE", True)


def check_tables(
    made: Methodology, given: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, tuple[dict[str, Any], ...]] | Refusal:
    """Typed rows by role, in order of their ids.

    Refused: `role-missing` for a table unknown or absent, `row-invalid` naming row and column.
    """
    roles = {role.name: role for role in tables_of(made)}
    for name in [*given, *(n for n, role in roles.items() if role.required)]:
        if name not in roles or name not in given:
            known = ", ".join(roles) or "–"
            return Refusal(
                "role-missing",
                f"{made.TITLE_KO} 방법론에 필요한 표를 확인하세요: {name} (표: {known}).",
                f"Check the table for {made.ID}: {name} (its tables are {known}).",
                {"role": name, "roles": list(roles)},
            )
    typed: dict[str, tuple[dict[str, Any], ...]] = {}
    for name, rows in given.items():
        checked = _rows(roles[name], rows)
        if isinstance(checked, Refusal):
            return checked
        typed[name] = checked
    return typed


def _rows(
    role: TableRole, given: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], ...] | Refusal:
    made: dict[str, dict[str, Any]] = {}
    columns = {column.name: column for column in role.columns}
    if role.required and not given:
        return _row_refusal(role, "–", "–", "행이 없습니다", "the table has no rows")
    for number, row in enumerate(given, 1):
        key = row.get("id")
        if not isinstance(key, str) or not key.strip() or key in made:
            return _row_refusal(
                role,
                str(number),
                "id",
                "고유한 id가 필요합니다",
                "every row needs an id of its own",
            )
        for name in row:
            if name != "id" and name not in columns:
                return _row_refusal(
                    role, key, name, "알 수 없는 열입니다", "there is no such column"
                )
        values: dict[str, Any] = {"id": key}
        for name, column in columns.items():
            raw = row.get(name)
            if raw is None:
                if column.required:
                    return _row_refusal(role, key, name, "값이 필요합니다", "a value is required")
                continue
            try:
                values[name] = _typed(column, raw)
            except (ValueError, InvalidOperation) as error:
                return _row_refusal(role, key, name, f"올바르지 않습니다: {error}", f"{error}")
        made[key] = values
    return tuple(made[key] for key in sorted(made))


def _row_refusal(role: TableRole, row: str, column: str, ko: str, en: str) -> Refusal:
    return Refusal(
        "row-invalid",
        f"{role.ko} 표의 행 {row}, 열 {column}: {ko}.",
        f"Table {role.name}, row {row}, column {column}: {en}.",
        {"table": role.name, "row": row, "column": column},
    )


def _typed(parameter: Parameter | Column, raw: Any) -> Any:
    match parameter.kind:
        case "text":
            if not isinstance(raw, str) or not raw.strip():
                raise ValueError(f"{raw!r} is not a text")
            return raw
        case "boolean":
            if not isinstance(raw, bool):
                raise ValueError(f"{raw!r} is not true or false")
            return raw
        case "date":
            return raw if isinstance(raw, date) else date.fromisoformat(str(raw))
        case "choice":
            if raw not in parameter.choices:
                raise ValueError(f"{raw!r} is none of {', '.join(parameter.choices)}")
            return raw
    if isinstance(raw, float | bool):
        raise ValueError("a decimal must be given as text or as a whole number")
    value = Decimal(raw)
    if parameter.kind == "integer" and value != value.to_integral_value():
        raise ValueError(f"{value} is not a whole number")
    low, high = parameter.minimum, parameter.maximum
    if not value.is_finite() or (low is not None and value < low):
        raise ValueError(f"{value} is below {low}")
    if high is not None and value > high:
        raise ValueError(f"{value} is above {high}")
    return value


def _parameter_refusal(made: Methodology, name: str, ko: str, en: str) -> Refusal:
    return Refusal(
        "parameter-invalid",
        f"{made.TITLE_KO} 방법론의 매개변수 {name}: {ko}.",
        f"Parameter {name} of {made.ID} {en}.",
        {"methodology": made.ID, "parameter": name},
    )
