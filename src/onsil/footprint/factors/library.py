"""The factor library: every version of every set, those shipped as files and those approved."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from onsil.footprint.factors.coefficients import CoefficientTable, shipped_tables
from onsil.footprint.factors.factor import Factor
from onsil.footprint.factors.factor_set import FactorSet, parse_factor_sets, stated_factor_set
from onsil.footprint.factors.provenance import FactorError, data_names, data_text

__all__ = [
    "Factor", "FactorError", "FactorSet", "Library", "data_text", "factor_set",
    "factor_sets", "parse_factor_sets", "shipped_library",
]  # fmt: skip

_P = TypeVar("_P", FactorSet, CoefficientTable)


@dataclass(frozen=True)
class Library:
    """Factor sets and coefficient tables, each in all its versions."""

    sets: tuple[FactorSet, ...]
    tables: tuple[CoefficientTable, ...]

    @staticmethod
    def of(sets: Iterable[FactorSet], tables: Iterable[CoefficientTable]) -> "Library":
        """A library of these. Raises FactorError when a version is stated twice."""
        made = Library(
            tuple(sorted(sets, key=lambda s: (s.id, s.version))),
            tuple(sorted(tables, key=lambda t: (t.id, t.version))),
        )
        names = [one.reference for one in (*made.sets, *made.tables)]
        for name in names:
            if names.count(name) > 1:
                raise FactorError(f"{name} is stated twice")
        return made

    def versions(self, set_id: str) -> tuple[FactorSet, ...]:
        """Every version of a set, oldest first; none for an unknown id."""
        return tuple(one for one in self.sets if one.id == set_id)

    def factor_set(self, reference: str) -> FactorSet:
        """A set by id (its newest version) or by "id@version". Raises KeyError for none."""
        found = _named(self.sets, reference)
        if found is None:
            raise KeyError(reference)
        return found

    def set_of(self, factor: Factor) -> FactorSet:
        """The very version of the set that a factor is from. Raises KeyError for none."""
        return self.factor_set(f"{factor.set_id}@{factor.version}")

    def set_named(self, factor: Mapping[str, Any]) -> FactorSet | None:
        """The very version that a run's stored factor (its document) is from; None for none."""
        held = factor.get("set") or str(factor["id"]).partition("/")[0]
        return _named(self.sets, f"{held}@{factor.get('version', 1)}")

    def in_force(self, set_id: str, on: date) -> FactorSet | None:
        """The newest version of a set that was known on a day."""
        known = [one for one in self.versions(set_id) if one.known_from <= on]
        return known[-1] if known else None

    def superseded_by(self, made: FactorSet | CoefficientTable) -> str:
        """What took a version's place: its own next version, or the set it names; else ""."""
        members = self.sets if isinstance(made, FactorSet) else self.tables
        newer = [m.reference for m in members if m.id == made.id and m.version > made.version]
        return newer[0] if newer else made.superseded_by

    def coefficient_table(self, reference: str) -> CoefficientTable:
        """A table by id (its newest version) or by "id@version". Raises KeyError for none."""
        found = _named(self.tables, reference)
        if found is None:
            raise KeyError(reference)
        return found


def _named(members: Sequence[_P], reference: str) -> _P | None:
    set_id, _, version = reference.partition("@")
    found = [m for m in members if m.id == set_id and version in ("", str(m.version))]
    return found[-1] if found else None


@cache
def shipped_library() -> Library:
    """Every factor set and coefficient table that comes with the program."""
    sets: list[FactorSet] = []
    for name in data_names():
        made = tomllib.loads(data_text(name))
        sets += [stated_factor_set(table) for table in made.get("set", [])]
    return Library.of(sets, shipped_tables())


def factor_sets() -> Mapping[str, FactorSet]:
    """The newest version of every shipped set by its id."""
    return {one.id: one for one in shipped_library().sets}


def factor_set(reference: str) -> FactorSet:
    """A shipped set by id or "id@version". Raises KeyError when there is none."""
    return shipped_library().factor_set(reference)


@cache
def shipped_statements() -> Mapping[str, Mapping[str, Any]]:
    """Every shipped set and table by "id@version", as its file states it, checks and all."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in data_names():
        made = tomllib.loads(data_text(name))
        members = [made] if made.get("kind") == "coefficients" else made.get("set", [])
        found |= {f"{one['id']}@{int(one.get('version', 1))}": one for one in members}
    return found
