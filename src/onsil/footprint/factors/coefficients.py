"""Tables of coefficients that methodologies read: by key and named column, each with its unit."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from onsil.core.canonical import digest
from onsil.footprint.factors.provenance import (
    MATURITIES,
    FactorError,
    Provenance,
    data_names,
    data_text,
    decimal_of,
    stated_provenance,
)

TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class CoefficientTable(Provenance):
    """A published table, row by key. A cell not stated is absent: never zero.

    `columns` gives each column's unit: pint's name, "1" for a plain number, "text" for words.
    `maturities` and `notes` say so of single rows that stand otherwise than the whole table.
    """

    table: str
    columns: Mapping[str, str]
    rows: Mapping[str, Mapping[str, Decimal | str]]
    maturities: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def set_id(self) -> str:
        return self.id

    @property
    def digest(self) -> str:
        return digest(self.document())

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def value(self, key: str, column: str) -> Decimal:
        """The number at a key and column. Raises FactorError when the table does not state it."""
        found = self._cell(key, column)
        if not isinstance(found, Decimal):
            raise FactorError(f"{self.reference}: {column} of {key} is text, not a number")
        return found

    def text(self, key: str, column: str) -> str:
        """The words at a key and column. Raises FactorError when the table does not state them."""
        found = self._cell(key, column)
        if not isinstance(found, str):
            raise FactorError(f"{self.reference}: {column} of {key} is a number, not text")
        return found

    def maturity_of(self, key: str) -> str:
        """How far a row may be trusted: its own maturity where it has one, else the table's."""
        return self.maturities.get(key, self.maturity)

    def _cell(self, key: str, column: str) -> Decimal | str:
        if column not in self.columns:
            raise FactorError(f"{self.reference} has no column {column}")
        if key not in self.rows:
            known = ", ".join(self.rows)
            raise FactorError(f"{self.reference} has no row {key}; it has {known}")
        if column not in self.rows[key]:
            raise FactorError(f"{self.reference} does not state {column} of {key}")
        return self.rows[key][column]

    def document(self) -> dict[str, Any]:
        """The whole table with its provenance, as it enters a run's canonical inputs."""
        return {
            **self.provenance,
            "table": self.table,
            "columns": self.columns,
            "rows": self.rows,
            "maturities": self.maturities,
            "notes": self.notes,
        }

    @staticmethod
    def from_document(made: Mapping[str, Any]) -> "CoefficientTable":
        """The inverse of `document`."""
        columns: Mapping[str, str] = made["columns"]
        return CoefficientTable(
            **stated_provenance(made),
            table=made["table"],
            columns=dict(columns),
            rows={key: _row(made["id"], columns, row) for key, row in made["rows"].items()},
            maturities=dict(made["maturities"]),
            notes=dict(made["notes"]),
        )


def parse_coefficients(text: str) -> CoefficientTable:
    """Read a table from TOML (`kind = "coefficients"`). Raises FactorError for what is wrong."""
    return stated_coefficients(tomllib.loads(text))


def stated_coefficients(made: Mapping[str, Any]) -> CoefficientTable:
    """A table out of TOML or JSON: provenance, `table`, `[columns]` name to unit, `[[row]]`."""
    stated = stated_provenance(made)
    columns: Mapping[str, str] = dict(made["columns"])
    rows: dict[str, Mapping[str, Decimal | str]] = {}
    maturities: dict[str, str] = {}
    notes: dict[str, str] = {}
    for line in made["row"]:
        key = str(line["key"])
        if key in rows:
            raise FactorError(f"{stated['id']}: {key} is stated twice")
        cells = {n: v for n, v in line.items() if n not in ("key", "row_maturity", "row_note")}
        rows[key] = _row(stated["id"], columns, cells)
        if "row_maturity" in line:
            if line["row_maturity"] not in MATURITIES:
                raise FactorError(f"{stated['id']}: unknown maturity {line['row_maturity']!r}")
            maturities[key] = line["row_maturity"]
        if "row_note" in line:
            notes[key] = line["row_note"]
    return CoefficientTable(
        **stated, table=made["table"], columns=columns, rows=rows, maturities=maturities,
        notes=notes,
    )  # fmt: skip


def _row(
    name: str, columns: Mapping[str, str], cells: Mapping[str, Any]
) -> dict[str, Decimal | str]:
    unknown = sorted(set(cells) - set(columns))
    if unknown:
        raise FactorError(f"{name}: column {unknown[0]} is not declared")
    try:
        return {
            column: str(cells[column]) if unit == TEXT else _number(cells[column])
            for column, unit in columns.items()
            if column in cells
        }
    except InvalidOperation as error:
        raise FactorError(f"{name}: a number cannot be read in {dict(cells)}") from error


def _number(text: Any) -> Decimal:
    found = decimal_of(text)
    if found is None or not found.is_finite():
        raise FactorError(f"{text!r} is no number")
    return found


@cache
def shipped_tables() -> tuple[CoefficientTable, ...]:
    """Every table that comes with the program, in all its versions."""
    texts = (data_text(name) for name in data_names())
    made = (tomllib.loads(text) for text in texts if 'kind = "coefficients"' in text)
    found = [stated_coefficients(one) for one in made if one.get("kind") == "coefficients"]
    return tuple(sorted(found, key=lambda one: (one.id, one.version)))


def coefficient_sets() -> Mapping[str, CoefficientTable]:
    """The newest version of every shipped table by its id."""
    return {one.id: one for one in shipped_tables()}


def coefficient_table(reference: str) -> CoefficientTable:
    """A shipped table by id (its newest version) or "id@version". Raises KeyError for none."""
    set_id, _, version = reference.partition("@")
    found = [t for t in shipped_tables() if t.id == set_id and version in ("", str(t.version))]
    if not found:
        raise KeyError(reference)
    return found[-1]
