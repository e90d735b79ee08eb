"""Published coefficients that are not emission factors: densities, decay rates, fractions.

A data file in `data/` with `kind = "coefficients"` holds one table: where it was read, the unit of
each column, and rows by key (a species, a climate zone, a kind of waste).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from onsil.core.canonical import digest

_PROVENANCE = ("publisher", "document", "edition", "article", "page", "note", "maturity")
_TEXT = "text"


@dataclass(frozen=True)
class CoefficientTable:
    """One table of coefficients in one version. `columns` gives each column's unit, or "text".

    `rows` are decimals by key and column; a column that a source leaves empty is absent there.
    """

    set_id: str
    table: str
    version: str
    provenance: Mapping[str, str]
    published: date
    read: date
    columns: Mapping[str, str]
    rows: Mapping[str, Mapping[str, Decimal | str]]

    @property
    def digest(self) -> str:
        return digest(self.document())

    @property
    def confirmed(self) -> bool:
        return self.provenance["maturity"] == "confirmed"

    def document(self) -> dict[str, Any]:
        """The whole table as it enters a run's canonical inputs."""
        return {
            "set": self.set_id,
            "table": self.table,
            "version": self.version,
            "provenance": dict(self.provenance),
            "published": self.published,
            "read": self.read,
            "columns": dict(self.columns),
            "rows": {key: dict(row) for key, row in self.rows.items()},
        }

    @staticmethod
    def from_document(made: Mapping[str, Any]) -> "CoefficientTable":
        """The inverse of `document`, from plain values too."""
        return CoefficientTable(
            set_id=made["set"],
            table=made["table"],
            version=made["version"],
            provenance=made["provenance"],
            published=date.fromisoformat(str(made["published"])),
            read=date.fromisoformat(str(made["read"])),
            columns=made["columns"],
            rows={
                key: {
                    name: value if made["columns"][name] == _TEXT else Decimal(value)
                    for name, value in row.items()
                }
                for key, row in made["rows"].items()
            },
        )


def parse_coefficients(text: str) -> CoefficientTable:
    """Read one table from TOML. Raises KeyError or ValueError for what is missing or no number."""
    made = tomllib.loads(text)
    columns = made["columns"]
    rows: dict[str, dict[str, Decimal | str]] = {}
    for row in made["row"]:
        key = row.pop("key")
        if key in rows:
            raise ValueError(f"{made['id']}: {key} is stated twice")
        rows[key] = {
            name: value if columns[name] == _TEXT else Decimal(value) for name, value in row.items()
        }
    return CoefficientTable(
        set_id=made["id"],
        table=made["table"],
        version=made.get("version", "1"),
        provenance={name: made[name] for name in _PROVENANCE},
        published=made["published"],
        read=made["read"],
        columns=columns,
        rows=rows,
    )


@cache
def coefficient_sets() -> Mapping[str, CoefficientTable]:
    """Every table of the library by the id of its set."""
    found: dict[str, CoefficientTable] = {}
    for one in sorted(files("onsil.footprint.factors").joinpath("data").iterdir(), key=str):
        if not one.name.endswith(".toml") or 'kind = "coefficients"' not in one.read_text("utf-8"):
            continue
        made = parse_coefficients(one.read_text("utf-8"))
        if made.set_id in found:
            raise ValueError(f"{made.set_id} is stated twice")
        found[made.set_id] = made
    return found


def coefficient_table(set_id: str) -> CoefficientTable:
    """One table. Raises KeyError when the library has none of that id."""
    return coefficient_sets()[set_id]
