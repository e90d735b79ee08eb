"""An Ordering as SQL, and in memory where PostgreSQL cannot: distances, languages' own order.

Numbers come before texts, these before anything else, and what has no value last, whichever way.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from onsil.hub.query.conditions import Conditions
from onsil.hub.query.geo import distance_to
from onsil.hub.query.jsonpath import instances_path, member_path
from onsil.hub.query.ordering import Key, Ordering
from onsil.hub.query.q import SYSTEM

_COLUMNS = {
    "createdAt": "e.created_at", "modifiedAt": "e.modified_at", "expiresAt": "e.expires_at",
    "id": "e.uri", "scope": "e.scopes[1]",
}  # fmt: skip
_KINDS = "CASE jsonb_typeof({0}) WHEN 'number' THEN 1 WHEN 'string' THEN 2 ELSE 3 END"
_NUMBER = "CASE WHEN jsonb_typeof({0}) = 'number' THEN ({0})::numeric END"


def sorted_by(ordering: Ordering, conditions: Conditions) -> tuple[str, str]:
    """(FROM item with the keys' values, ORDER BY list) for entities `e`."""
    keyed, columns = key_values(ordering, conditions)
    parts = [_order(key, column) for key, column in zip(ordering.keys, columns, strict=True)]
    return keyed, ", ".join([*parts, "e.eid"])


def key_values(ordering: Ordering, conditions: Conditions) -> tuple[str, list[str]]:
    """(FROM item, columns): the keys' values of entities `e`, of distances the attribute."""
    values = [f"{_value(key, conditions)} AS k{n}" for n, key in enumerate(ordering.keys)]
    return f"LATERAL (SELECT {', '.join(values)}) o", [f"o.k{n}" for n in range(len(values))]


def sort_in_memory(ordering: Ordering, rows: Sequence[Sequence[Any]]) -> list[int]:
    """Entities' numbers in order; a row is a number and then the keys' values, in rows' order."""
    ordered = list(rows)
    for place, key in reversed(list(enumerate(ordering.keys, start=1))):
        rank = _rank(ordering, key)
        marked = [(rank(row[place]), row) for row in ordered]
        there = [pair for pair in marked if pair[0] is not None]
        there.sort(key=lambda pair: pair[0], reverse=key.descending)  # stable either way
        ordered = [row for _, row in there] + [row for mark, row in marked if mark is None]
    return [row[0] for row in ordered]


def _rank(ordering: Ordering, key: Key) -> Callable[[Any], Any]:
    """What a key's values are compared by in memory; None for no value."""
    reference = ordering.reference
    if key.by_distance and reference is not None:

        def metres(value: Any) -> Any:
            found = distance_to(reference, value)
            return found if found != float("inf") else None

        return metres

    def ranked(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return (2, 0.0, collated(value) if ordering.collation else value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return (1, float(value), "")
        return (3, 0.0, str(value))

    return ranked


def collated(text: str) -> str:
    """A text's place in the order for all languages: letters first, then accents, then case."""
    letters, accents = [], []
    for sign in unicodedata.normalize("NFD", text):
        (accents if unicodedata.combining(sign) else letters).append(sign)
    plain = "".join(letters)
    return "\0".join((plain.casefold(), "".join(accents), plain.swapcase()))


def _value(key: Key, conditions: Conditions) -> str:
    path = key.path
    if path.attribute in _COLUMNS:
        return _COLUMNS[path.attribute]
    if path.attribute == "type":
        held = "t.city = $1 AND t.term_id = ANY(e.type_ids)"
        return f"(SELECT min(t.iri) FROM hub_term t WHERE {held})"
    if path.attribute in SYSTEM:
        return "NULL::timestamptz"
    if key.by_distance:
        return f"e.doc -> {conditions.statement.bind(path.attribute, 'text')}"
    document = conditions.overlaid([path.attribute], "e")
    if path.meta:
        inside = f".{path.meta}"
    else:
        inside = '.keyvalue() ? (@.key == "value" || @.key == "object" || @.key == "vocab"'
        inside += ' || @.key == "json" || @.key == "languageMap" || @.key == "valueList").value'
        inside += member_path(path.member)
    bound = conditions.statement.bind(instances_path(path) + inside, "jsonpath")
    return f"jsonb_path_query_first_tz({document}, {bound}, {conditions.variables()}, true)"


def _order(key: Key, value: str) -> str:
    way = "DESC" if key.descending else "ASC"
    if key.path.attribute in SYSTEM:
        return f"{value} {way} NULLS LAST"
    if key.path.attribute in (*_COLUMNS, "type"):
        return f'{value} COLLATE "C" {way} NULLS LAST'
    return (
        f"{value} IS NULL, {_KINDS.format(value)} {way}, {_NUMBER.format(value)} {way} NULLS LAST,"
        f" {value} #>> '{{}}' COLLATE \"C\" {way}"
    )
