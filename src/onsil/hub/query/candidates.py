"""Which entities a query can find, from the typed rows: all that it finds, and perhaps more.

What no index helps with (not equal, patterns, deep paths) has no candidates; of terms joined by
`and` one is enough, of terms joined by `or` all are needed.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from onsil.hub.query.conditions import Conditions
from onsil.hub.query.filters import Filter
from onsil.hub.query.q import SYSTEM, Comparison, Span, Tree
from onsil.hub.query.scopes import Scope, ScopeTree
from onsil.hub.rows import TEXT_MAX

_SIGNS = {"==": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TYPES = {"num": "float8", "str": "text", "rel": "text", "time": "timestamptz"}


class _Rows(NamedTuple):
    """The typed rows of an attribute whose value compares so."""

    kind: str
    iri: str
    operator: str
    value: Any

    def sql(self, conditions: Conditions) -> str:
        held = (
            f"SELECT r.eid FROM hub_attr_{self.kind} r WHERE r.city = $1"
            f" AND r.attr_id = {conditions.number(self.iri)}"
        )
        return f"{held} AND {_compared('r.value', self, _TYPES[self.kind], conditions)}"


class _Live(NamedTuple):
    """The series of an attribute whose newest point compares so."""

    iri: str
    operator: str
    value: Any

    def sql(self, conditions: Conditions) -> str:
        return (
            "SELECT s.eid FROM hub_series s JOIN hub_latest l ON l.city = $1"
            " AND l.series_id = s.series_id WHERE s.city = $1"
            f" AND s.attr_id = {conditions.number(self.iri)}"
            f" AND {_compared('l.num', self, 'float8', conditions)}"
        )


class _Scoped(NamedTuple):
    """The entities of a scope."""

    scope: Scope

    def sql(self, conditions: Conditions) -> str:
        return conditions.scope_entities(self.scope)


class Candidates(NamedTuple):
    """The entities of any of these."""

    parts: Sequence[_Rows | _Live | _Scoped]

    @property
    def open(self) -> bool:
        """Whether a part has no end, as everything above a number: seldom few."""
        return any(not isinstance(p, _Scoped) and p.operator != "==" for p in self.parts)

    def sql(self, conditions: Conditions) -> str:
        """A SELECT of their numbers; binds its values to the conditions' statement."""
        return " UNION ALL ".join(part.sql(conditions) for part in self.parts)


def candidates(wanted: Filter) -> list[Candidates]:
    """Sets of entities, each of which misses nothing that the filter finds."""
    made = list(_of_query(wanted.q)) if wanted.q is not None else []
    return made + (list(_of_scopes(wanted.scopes)) if wanted.scopes is not None else [])


def _of_query(tree: Tree) -> Iterator[Candidates]:
    if isinstance(tree, Comparison):
        found = _of_term(tree)
        if found:
            yield Candidates(found)
    elif tree.word == "and":
        for part in tree.parts:
            yield from _of_query(part)
    else:
        parts = [next(_of_query(part), None) for part in tree.parts]
        if all(parts):
            yield Candidates([one for part in parts if part for one in part.parts])


def _of_scopes(tree: ScopeTree) -> Iterator[Candidates]:
    if isinstance(tree, Scope):
        yield Candidates([_Scoped(tree)])
    elif tree.word == "and":
        for part in tree.parts:
            yield from _of_scopes(part)
    else:
        yield Candidates([o for part in tree.parts for o in next(_of_scopes(part)).parts])


def _of_term(term: Comparison) -> list[_Rows | _Live] | None:
    path = term.path
    if path.inner or path.member or path.link or path.attribute in SYSTEM:
        return None
    if term.operator not in _SIGNS:
        return None
    parts: list[_Rows | _Live] = []
    for value in term.values:
        found = _of_value(path.attribute, term.operator, value)
        if not found:
            return None
        parts += found
    return parts


def _of_value(iri: str, operator: str, value: Any) -> list[_Rows | _Live]:
    sample = value.low if isinstance(value, Span) else value
    if isinstance(sample, bool):
        return [_Rows("str", iri, "==", str(sample).lower())]
    if isinstance(sample, float):
        return [_Rows("num", iri, operator, value), _Live(iri, operator, value)]
    if isinstance(sample, str):
        # Rows hold the beginnings of texts, which do not sort as the whole.
        if operator != "==" or isinstance(value, Span):
            return []
        return [_Rows(kind, iri, "==", sample[:TEXT_MAX]) for kind in ("str", "rel")]
    if isinstance(sample, time):
        return []
    return [_Rows("time", iri, operator, value)]


def _compared(column: str, of: _Rows | _Live, kind: str, conditions: Conditions) -> str:
    bind = conditions.statement.bind
    if isinstance(of.value, Span):
        low, high = bind(_instant(of.value.low), kind), bind(_instant(of.value.high), kind)
        return f"{column} >= {low} AND {column} <= {high}"
    return f"{column} {_SIGNS[of.operator]} {bind(_instant(of.value), kind)}"


def _instant(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value
