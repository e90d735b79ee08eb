"""What a data set holds, as tables: its entities as they are, and what their series measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from onsil.core.periods import Period
from onsil.core.quantities import shortest_decimal
from onsil.hub.arrays import instant
from onsil.hub.contexts import CORE
from onsil.hub.datasets.registry import Dataset
from onsil.hub.documents import VALUE_KEYS, Document
from onsil.hub.lake.spanning import ends
from onsil.hub.query.finding import find
from onsil.hub.query.units import UNIT_CODES
from onsil.hub.series import series_by_key
from onsil.hub.steps import Steps
from onsil.hub.terms import Series

ENTITIES_MAX = 10_000
POINTS_MAX = 100_000
EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
_UNITS = {code: unit for unit, code in UNIT_CODES.items() if unit != "dimensionless"}
_LOCATION = CORE.iri("location")


class Column(NamedTuple):
    """A column: an attribute, and its unit where it has one."""

    name: str
    unit: str = ""

    @property
    def header(self) -> str:
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True)
class Table:
    """Rows under columns; a value that is not there is None. `cut`: there was more than fits."""

    columns: tuple[Column, ...]
    rows: list[list[Any]]
    cut: bool = False
    origins: frozenset[str] = field(default_factory=frozenset)


def entities_of(city: str, dataset: Dataset, limit: int, now: datetime) -> Steps[list[Document]]:
    """The first `limit` entities of a data set, live values laid over."""
    found = yield from find(city, dataset.wanted(), limit, 0, now=now)
    return [one.document for one in found]


def current_table(dataset: Dataset, documents: Sequence[Document], *, cut: bool = False) -> Table:
    """Each entity's values as they are, with where it is and when they were measured."""
    values: list[dict[Column, Any]] = []
    for document in documents:
        row: dict[Column, Any] = {Column("id"): document.uri}
        newest = ""
        for name in dataset.offered():
            for instance in document.attrs.get(CORE.iri(name), [])[:1]:
                unit = _unit(instance) or _modelled(dataset, name)
                row[Column(name, unit)] = plain_value(instance)
                newest = max(newest, instance.get("observedAt", ""))
        row[Column("observedAt")] = newest or None
        row |= _place(document)
        values.append(row)
    ordered = [Column("id"), *_columns(dataset, values), Column("observedAt"),
               Column("longitude", "deg"), Column("latitude", "deg")]  # fmt: skip
    used = [column for column in ordered if any(row.get(column) is not None for row in values)]
    columns = tuple(used or [Column("id")])
    return Table(columns, [[row.get(column) for column in columns] for row in values], cut)


def _columns(dataset: Dataset, rows: Sequence[dict[Column, Any]]) -> list[Column]:
    """The offered attributes' columns, in the data set's order; one for each unit there is."""
    there = {column for row in rows for column in row}
    return [
        column
        for name in dataset.offered()
        for column in sorted(c for c in there if c.name == name)
    ]


def _modelled(dataset: Dataset, name: str) -> str:
    attribute = dataset.data_model.attribute(name)
    return attribute.unit if attribute else ""


def _unit(instance: dict[str, Any]) -> str:
    code: str = instance.get("unitCode", "")
    return _UNITS.get(code) or code


def plain_value(instance: dict[str, Any]) -> Any:
    """An attribute instance's value: numbers as the exact decimals that were sent."""
    value = instance[VALUE_KEYS[instance["type"]]]
    if isinstance(value, float):
        return shortest_decimal(value)
    if isinstance(value, dict) and "@value" in value:
        return value["@value"]
    return value


def _place(document: Document) -> dict[Column, Any]:
    for instance in document.attrs.get(_LOCATION, []):
        geometry = instance["value"]
        if geometry.get("type") == "Point":
            east, north = geometry["coordinates"][:2]
            return {Column("longitude", "deg"): _exact(east),
                    Column("latitude", "deg"): _exact(north)}  # fmt: skip
    return {}


def _exact(number: float) -> Decimal:
    return shortest_decimal(float(number))


def series_of_dataset(
    city: str, dataset: Dataset, documents: Sequence[Document]
) -> Steps[list[Series]]:
    """The series behind what a data set offers, by entity and attribute."""
    names = dataset.offered()
    keys = [(document.uri, name) for document in documents for name in names]
    found = yield from series_by_key(city, keys)
    return sorted(found.values(), key=lambda one: (one.entity, names.index(one.attribute)))


def measured_table(
    city: str, series: Sequence[Series], period: Period = EVER, most: int = POINTS_MAX
) -> Steps[Table]:
    """What series measured in a period: the newest points of each, `most` together, a row for each
    entity and time."""
    each = max(1, most // max(1, len(series)))
    vectors = yield from ends(city, [one.id for one in series], period, each, last=True)
    columns = sorted({Column(one.attribute, one.unit) for one in series})
    at = {column: number for number, column in enumerate(columns, 2)}
    rows: dict[tuple[str, int], list[Any]] = {}
    for one in series:
        vector = vectors.get(one.id)
        if vector is None:
            continue
        place = at[Column(one.attribute, one.unit)]
        for stamp, number in zip(vector.ts.tolist(), vector.num.tolist(), strict=True):
            row = rows.get((one.entity, stamp))
            if row is None:
                row = rows[one.entity, stamp] = [one.entity, instant(stamp), *[None] * len(columns)]
            row[place] = shortest_decimal(number)
    cut = any(len(vector) >= each for vector in vectors.values())
    return Table(
        (Column("id"), Column("observedAt"), *columns),
        [rows[key] for key in sorted(rows)],
        cut,
        frozenset(one.source for one in series),
    )


def table_of(
    city: str, dataset: Dataset, now: datetime, period: Period = EVER, most: int = POINTS_MAX
) -> Steps[Table]:
    """What a download holds: measurements where there are series, else the entities as they are."""
    documents = yield from entities_of(city, dataset, ENTITIES_MAX + 1, now)
    cut = len(documents) > ENTITIES_MAX
    documents = documents[:ENTITIES_MAX]
    series = yield from series_of_dataset(city, dataset, documents)
    if series:
        return (yield from measured_table(city, series, period, most))
    return current_table(dataset, documents, cut=cut)
