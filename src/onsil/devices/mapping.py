"""Mapping files: what the columns of a table mean. docs/devices.md is the reference for people."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING as MISSING_DEFAULT
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onsil.core.quantities import UnitError, same_dimension
from onsil.core.refusal import OperationError
from onsil.hub import SeriesSpec

_Row = TypeVar("_Row")
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "-")


@dataclass(frozen=True)
class TimeColumn:
    """Where the times are and what they mean.

    `zone` is for stamps without an offset; `label` says which end of its interval a stamp names.
    `shift_days` moves everything, `replay_zone` keeps the wall clock of `zone` in another zone:
    both are for replays and are written into the series' note. `arrival`: when readings count as
    received, `import` (now) or `observed` (as if each had come on time, for replays).
    """

    column: str
    interval_s: int
    zone: str = "UTC"
    label: str = "start"
    format: str = ""
    shift_days: int = 0
    replay_zone: str = ""
    arrival: str = "import"


@dataclass(frozen=True)
class ValueColumn:
    """One column that becomes one series.

    `unit` is the file's; `stored_unit` the series' (the same when empty). `power`: the column is
    mean power over the interval and is stored as energy. `where` picks rows of a long table.
    """

    column: str
    entity: str
    attribute: str
    unit: str
    stored_unit: str = ""
    kind: str = "interval"
    power: bool = False
    scale: Decimal = Decimal(1)
    decimals: int = -1
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    source: str = "measured"
    note: str = ""
    where: Mapping[str, str] | None = None

    @property
    def sent_unit(self) -> str:
        return f"({self.unit}) * hour" if self.power else self.unit


@dataclass(frozen=True)
class TableMapping:
    """A whole mapping file. `missing`: texts that mean there is no value, which is never zero."""

    time: TimeColumn
    series: tuple[ValueColumn, ...]
    missing: frozenset[str] = frozenset(MISSING)
    delimiter: str = ","
    encoding: str = "utf-8"
    skip_rows: int = 0
    sheet: str = ""
    attribution: str = ""

    def specs(self, city: str) -> list[SeriesSpec]:
        """The series this table fills."""
        return [
            SeriesSpec(
                entity_of(one, city), one.attribute, one.stored_unit or one.unit,
                self.time.interval_s, one.kind, one.minimum, one.maximum,  # pyright: ignore
                one.source, self._note(one),  # pyright: ignore
            )
            for one in self.series
        ]  # fmt: skip

    def _note(self, column: ValueColumn) -> str:
        """What was done to the source, said openly beside every chart of it."""
        said = [column.note, self.attribution]
        if self.time.shift_days:
            said.append(f"dates shifted by {self.time.shift_days} days")
        if self.time.replay_zone:
            said.append(f"wall clock of {self.time.zone} replayed in {self.time.replay_zone}")
        if column.power:
            said.append(f"energy is mean power × {self.time.interval_s} s")
        return "; ".join(part for part in said if part)


def entity_of(column: ValueColumn, city: str) -> str:
    return column.entity.replace("{city}", city)


def read_mapping(path: Path) -> TableMapping:
    """Read a mapping file. Raises OperationError naming the file and what is wrong in it."""
    try:
        return mapping_of(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise OperationError(f"{path}: no such file", retry=False) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OperationError) as error:
        raise OperationError(f"{path}: {error}", retry=False) from error


def mapping_of(table: Mapping[str, Any]) -> TableMapping:
    """A mapping from its table. Raises OperationError."""
    known = {"time", "series", "missing", "delimiter", "encoding", "skip_rows", "sheet",
             "attribution"}  # fmt: skip
    _only(table, known, "the mapping")
    columns = table.get("series") or []
    if not columns or "time" not in table:
        raise OperationError("a mapping needs [time] and at least one [[series]]", retry=False)
    time = _made(TimeColumn, table["time"], "[time]")
    _check_time(time)
    series = tuple(
        _made(ValueColumn, one, f"[[series]] {number}") for number, one in enumerate(columns, 1)
    )
    for one in series:
        _check_column(one)
    rest = {k: v for k, v in table.items() if k not in ("time", "series", "missing")}
    return TableMapping(time, series, frozenset(table.get("missing", MISSING)), **rest)


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise OperationError(
            f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}",
            retry=False,
        )


def _made(kind: type[_Row], table: Mapping[str, Any], where: str) -> _Row:
    known = {field.name: field for field in fields(kind)}  # pyright: ignore[reportArgumentType]
    _only(table, set(known), where)
    values = dict(table)
    for name in ("scale", "minimum", "maximum"):
        if name in values:
            try:
                values[name] = Decimal(str(values[name]))
            except InvalidOperation as error:
                raise OperationError(f"{where}: {name} is not a number", retry=False) from error
    try:
        return kind(**values)
    except TypeError:
        needed = [n for n, f in known.items() if f.default is MISSING_DEFAULT and n not in values]
        raise OperationError(f"{where}: {', '.join(needed)} missing", retry=False) from None


def _check_time(time: TimeColumn) -> None:
    if time.label not in ("start", "end") or time.arrival not in ("import", "observed"):
        raise OperationError("[time]: label is start or end, arrival import or observed",
                             retry=False)  # fmt: skip
    if time.interval_s <= 0:
        raise OperationError("[time]: interval_s must be positive", retry=False)
    for zone in (time.zone, time.replay_zone or "UTC"):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise OperationError(f"[time]: unknown zone {zone!r}", retry=False) from error


def _check_column(column: ValueColumn) -> None:
    stored = column.stored_unit or column.unit
    try:
        fits = same_dimension(column.sent_unit, stored)
    except UnitError as error:
        raise OperationError(f"column {column.column}: {error}", retry=False) from error
    if not fits:
        raise OperationError(
            f"column {column.column}: {column.sent_unit} cannot be stored as {stored}", retry=False
        )
    if column.kind not in ("gauge", "interval", "counter"):
        raise OperationError(f"column {column.column}: no kind {column.kind!r}", retry=False)
    if column.source not in ("measured", "simulated", "replayed"):
        raise OperationError(f"column {column.column}: no source {column.source!r}", retry=False)
