"""A filter as SQL conditions on `hub_entity`, decided on the documents themselves.

Where series have live values of an attribute that a query looks at, the newest points are laid over
the document first, as they are over what is shown.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import orjson

from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.jsonpath import links_path, tree_path
from onsil.hub.query.patterns import postgres_pattern
from onsil.hub.query.q import ABSENT, SYSTEM, Comparison, Path, Span, Tree, attributes_of
from onsil.hub.query.scopes import Scope, ScopeTree
from onsil.hub.query.statement import Statement
from onsil.hub.query.type_selection import TypeTree
from onsil.hub.query.units import UNIT_CODES

_COLUMNS = {
    "createdAt": "created_at", "modifiedAt": "modified_at", "expiresAt": "expires_at",
}  # fmt: skip
_COMPARE = {"==": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class Conditions:
    """Makes conditions for one statement. `terms` numbers the known IRIs; `now` is the present."""

    def __init__(self, statement: Statement, terms: Mapping[str, int], now: datetime) -> None:
        self.statement, self.terms, self.now = statement, terms, now
        self._aliases = 0

    def of(self, wanted: Filter) -> list[str]:
        """What must hold of the entity `e`, place and order left out."""
        made = [f"(e.expires_at IS NULL OR e.expires_at > {self.present()})"]
        if wanted.selectors:
            made.append(_any(self.selector(one) for one in wanted.selectors))
        if wanted.attrs:
            made.append(self.has_any(wanted.attrs))
        if wanted.scopes is not None:
            made.append(self.scopes(wanted.scopes))
        if wanted.q is not None:
            made.append(self.query(wanted.q, "e"))
        return made

    def present(self) -> str:
        return self.statement.bind(self.now, "timestamptz")

    def number(self, iri: str) -> str:
        """A term's number; 0, which none has, for one that nobody uses."""
        return self.statement.bind(self.terms.get(iri, 0), "int")

    def selector(self, one: Selector) -> str:
        parts = []
        if one.types is not None:
            parts.append(self.types(one.types, "e"))
        if one.ids:
            parts.append(f"e.uri = ANY({self.statement.bind(list(one.ids), 'text[]')})")
        elif one.id_pattern:
            pattern = postgres_pattern(one.id_pattern)
            parts.append(f"e.uri ~ {self.statement.bind(pattern, 'text')}")
        return "(" + " AND ".join(parts or ["true"]) + ")"

    def types(self, tree: TypeTree, alias: str) -> str:
        if isinstance(tree, str):
            return f"{self.number(tree)} = ANY({alias}.type_ids)"
        return "(" + f" {tree.word.upper()} ".join(self.types(p, alias) for p in tree.parts) + ")"

    def has_any(self, attrs: tuple[str, ...]) -> str:
        numbers = [self.terms[iri] for iri in attrs if iri in self.terms]
        names = self.statement.bind(list(attrs), "text[]")
        return (
            f"(jsonb_exists_any(e.doc, {names}) OR EXISTS (SELECT FROM hub_series s"
            " JOIN hub_latest l ON l.city = $1 AND l.series_id = s.series_id"
            " WHERE s.city = $1 AND s.eid = e.eid AND l.ts IS NOT NULL"
            f" AND s.attr_id = ANY({self.statement.bind(numbers, 'int[]')})))"
        )

    def scopes(self, tree: ScopeTree) -> str:
        if not isinstance(tree, Scope):
            return "(" + f" {tree.word.upper()} ".join(self.scopes(p) for p in tree.parts) + ")"
        return f"e.eid IN ({self.scope_entities(tree)})"

    def scope_entities(self, scope: Scope) -> str:
        """The entities of one scope, by ranges of the scopes' texts where there is no `+`."""
        held = "SELECT h.eid FROM hub_entity_scope h WHERE h.city = $1"
        if not scope.plain:
            return f"{held} AND h.scope ~ {self.statement.bind(scope.pattern, 'text')}"
        if not scope.levels:
            return held
        exact = f"h.scope = {self.statement.bind(scope.text, 'text')}"
        if not scope.below:
            return f"{held} AND {exact}"
        # All scopes below begin with this one and a slash, which `0` follows.
        low = self.statement.bind(scope.text + "/", "text")
        high = self.statement.bind(scope.text + "0", "text")
        return f"{held} AND ({exact} OR (h.scope >= {low} AND h.scope < {high}))"

    def query(self, tree: Tree, alias: str) -> str:
        return self._tree(tree, alias, self.document(tree, alias))

    def _tree(self, tree: Tree, alias: str, document: str) -> str:
        path = tree_path(tree)
        if path is not None:
            return self.exists(document, path)
        if isinstance(tree, Comparison):
            if tree.operator == ABSENT:
                return f"NOT ({self._tree(Comparison(tree.path), alias, document)})"
            if tree.path.attribute in SYSTEM:
                return self.own_time(tree, alias)
            return self.linked(tree, tree.path, document)
        parts = [self._tree(part, alias, document) for part in tree.parts]
        return "(" + f" {tree.word.upper()} ".join(parts) + ")"

    def exists(self, document: str, path: str) -> str:
        bound = self.statement.bind(path, "jsonpath")
        return f"jsonb_path_exists_tz({document}, {bound}, {self.variables()}, true)"

    def variables(self) -> str:
        """What paths know by name: the present."""
        return self.statement.bind(orjson.dumps({"now": self.now}).decode(), "jsonb")

    def linked(self, term: Comparison, path: Path, document: str) -> str:
        """The same of an entity that a relationship points to."""
        assert path.link is not None
        self._aliases += 1
        other = f"x{self._aliases}"
        inner = Comparison(path.link.path, term.operator, term.values)
        types = ""
        if path.link.types:
            types = f" AND {_any(self.types(t, other) for t in path.link.types)}"
        found = self.statement.bind(links_path(path), "jsonpath")
        # OFFSET 0 keeps the id a plain column, so that the index on ids serves below the policies.
        return (
            f"EXISTS (SELECT FROM (SELECT coalesce(v ->> 'object', v #>> '{{}}') AS uri FROM"
            f" jsonb_path_query({document}, {found}, {self.variables()}, true) v OFFSET 0) k"
            f" JOIN hub_entity {other} ON {other}.city = $1 AND {other}.uri = k.uri WHERE"
            f" ({other}.expires_at IS NULL OR {other}.expires_at > {self.present()}){types}"
            f" AND {self.query(inner, other)})"
        )

    def own_time(self, term: Comparison, alias: str) -> str:
        column = _COLUMNS.get(term.path.attribute)
        if column is None:
            return "false"
        column = f"{alias}.{column}"
        if not term.operator:
            return f"{column} IS NOT NULL"
        found = _any(self.compared(column, term.operator, v) for v in term.values)
        if term.operator == "!=":
            return f"({column} IS NOT NULL AND NOT {found})"
        return f"coalesce({found}, false)"

    def compared(self, column: str, operator: str, value: Any) -> str:
        """A column of times against a value; `!=` as equal, for the caller to turn round."""
        if isinstance(value, Span):
            low = self.compared(column, ">=", value.low)
            return f"({low} AND {self.compared(column, '<=', value.high)})"
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, time) or not isinstance(value, datetime):
            return "false"
        sign = _COMPARE.get(operator, "=")
        return f"{column} {sign} {self.statement.bind(value, 'timestamptz')}"

    def document(self, tree: Tree, alias: str) -> str:
        """The document, with the newest points laid over the attributes that a query looks at.

        Whether any series has them is asked once a statement, not once an entity.
        """
        iris = attributes_of(tree)
        return self.overlaid(sorted(iris), alias)

    def overlaid(self, iris: list[str], alias: str) -> str:
        numbers = [self.terms[iri] for iri in iris if iri in self.terms]
        if not numbers:
            return f"{alias}.doc"
        bound = self.statement.bind(numbers, "int[]")
        units = self.statement.bind(orjson.dumps(UNIT_CODES).decode(), "jsonb")
        return (
            "CASE WHEN (SELECT EXISTS (SELECT FROM hub_series s WHERE s.city = $1"
            f" AND s.attr_id = ANY({bound}))) THEN hub_live_document($1, {alias}.eid, {alias}.doc,"
            f" {bound}, {units}) ELSE {alias}.doc END"
        )


def _any(parts: Any) -> str:
    return "(" + " OR ".join(parts) + ")"
