"""The tree an inventory hangs on: sectors, sub-sectors and reference numbers, as data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from onsil.footprint.inventory.terms import CITY


@dataclass(frozen=True)
class Name:
    """A sector or sub-sector; `ipcc` and `crt` are category codes where one is known."""

    id: str
    ko: str
    en: str
    sector: str = ""
    ipcc: str = ""
    crt: str = ""

    def text(self, language: str = "ko") -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class Row:
    """A reference number: its sub-sector, scope and the level that asks for it.

    Levels: BASIC, BASIC+, TERRITORIAL (scope 1 that is outside both) and OTHER.
    """

    ref: str
    sub: str
    scope: int
    level: str
    ko: str
    en: str

    def text(self, language: str = "ko") -> str:
        return self.en if language.startswith("en") else self.ko

    def counts_in(self, level: str) -> bool:
        """Whether the row belongs to a level's total."""
        return self.level == "BASIC" or (self.level == "BASIC+" and level == "BASIC+")


@dataclass(frozen=True)
class Tree:
    """Sectors, sub-sectors and rows in the standard's order, and where they were read."""

    sectors: Mapping[str, Name]
    subs: Mapping[str, Name]
    rows: Mapping[str, Row]
    source: Mapping[str, str]

    def sector_of(self, ref: str) -> str:
        return self.subs[self.rows[ref].sub].sector

    def required(self, level: str) -> list[Row]:
        """The rows that need a figure or a notation key at a level."""
        return [row for row in self.rows.values() if row.counts_in(level)]


@cache
def tree(kind: str) -> Tree:
    """The GPC's tree for a `city`; the GHG Protocol's scopes and categories for a `company`."""
    name = "gpc.toml" if kind == CITY else "corporate.toml"
    text = files("onsil.footprint.inventory").joinpath("data", name).read_text("utf-8")
    made = tomllib.loads(text)
    return Tree(
        {s["id"]: Name(s["id"], s["ko"], s["en"]) for s in made["sector"]},
        {s["id"]: Name(**s) for s in made["sub"]},
        {r["ref"]: Row(**r) for r in made["row"]},
        {k: str(v) for k, v in made["source"].items()},
    )


def required_rows(kind: str, level: str) -> list[Row]:
    """What must be filled in: a company's scope 3 is wanted at BASIC+ only."""
    return tree(kind).required(level)
