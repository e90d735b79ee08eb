"""A query's term as an SQL/JSON path over a stored document.

The path is a value bound to a statement, never a part of it; names and texts in it are JSON
strings. Lax mode goes into lists by itself, one level, which is how NGSI-LD compares them.
"""

import json
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from onsil.hub.documents import time_text
from onsil.hub.query.matching import LINKS, VALUES
from onsil.hub.query.patterns import postgres_pattern
from onsil.hub.query.q import ABSENT, META, SYSTEM, Comparison, Path, Span, Tree

_LIVING = "!(exists(@.expiresAt) && @.expiresAt.datetime() <= $now.datetime())"


def quoted(text: str) -> str:
    """A text as a JSON string, the form of names and texts in a path."""
    return json.dumps(text)


@lru_cache(maxsize=4096)
def tree_path(tree: Tree) -> str | None:
    """What exists in a document when a query holds of it; `$now` is the present.

    None for one that looks beyond the document: at linked entities, at the entity's own times.
    """
    if isinstance(tree, Comparison):
        if tree.operator != ABSENT:
            return _term(tree, "$")
        gone = _nested(tree)
        return gone and f"$ ? ({gone})"
    parts = [_nested(part) for part in tree.parts]
    if None in parts:
        return None
    sign = " && " if tree.word == "and" else " || "
    return f"$ ? ({sign.join(part for part in parts if part)})"


def _nested(tree: Tree) -> str | None:
    if isinstance(tree, Comparison):
        absent = tree.operator == ABSENT
        found = _term(Comparison(tree.path) if absent else tree, "@")
        return found and f"{'!' if absent else ''}exists({found})"
    parts = [_nested(part) for part in tree.parts]
    if None in parts:
        return None
    sign = " && " if tree.word == "and" else " || "
    return f"({sign.join(part for part in parts if part)})"


def _term(term: Comparison, root: str) -> str | None:
    path = term.path
    if path.link or path.attribute in SYSTEM:
        return None
    return f"{instances_path(path, root)} ? ({_predicate(term)})"


def instances_path(path: Path, root: str = "$") -> str:
    """The unexpired instances of an attribute or sub-attribute."""
    names = [path.attribute, *(n for n in path.inner if n not in META)]
    steps = [f".{quoted(name)}[*] ? ({_LIVING})" for name in names]
    return root + ".attrs".join(steps)


def links_path(path: Path) -> str:
    """The ids that a relationship points to."""
    either = '@.key == "object" || @.key == "objectList"'
    return f"{instances_path(path)}.keyvalue() ? ({either}).value[*]"


def member_path(member: tuple[str, ...]) -> str:
    return "".join("." + quoted(name) for name in member)


def _targets(path: Path) -> tuple[list[str], list[str]]:
    """Where an instance's values are: as they stand, and once more as links."""
    if path.meta:
        return [f"@.{path.meta}"], []
    if path.member:
        inside = member_path(path.member)
        words = "@.languageMap.*" if path.member == ("*",) else f"@.languageMap{inside}"
        only_words = [words] if len(path.member) == 1 else []
        return [f"@.value{inside}", f"@.json{inside}", *only_words], []
    values = [f"@.{key}" for key in VALUES]
    return [*values, "@.languageMap.*"], [f"@.{key}" for key in LINKS]


def _predicate(term: Comparison) -> str:
    path = term.path
    targets, links = _targets(path)
    there = " || ".join(f"exists({t})" for t in targets) if path.meta or path.member else "1 == 1"
    match term.operator:
        case "":
            return there
        case "==":
            return _equal(term, targets, links)
        case "!=":
            return f"({there}) && !exists(@ ? ({_equal(term, targets, links)}))"
        case "~=":
            return _like(term, targets)
        case "!~=":
            texts = " || ".join(f'{t} starts with ""' for t in _literal(targets))
            return f"exists(@ ? ({texts})) && !exists(@ ? ({_like(term, targets)}))"
    return _any(targets, term.operator, term.values[0])


def _literal(targets: list[str]) -> list[str]:
    """Targets with the contents of typed literals."""
    return [*targets, *(f'{t}."@value"' for t in targets if t.startswith("@.value"))]


def _like(term: Comparison, targets: list[str]) -> str:
    pattern = quoted(postgres_pattern(term.values[0]))
    return " || ".join(f'{t} like_regex {pattern} flag "s"' for t in _literal(targets))


def _equal(term: Comparison, targets: list[str], links: list[str]) -> str:
    parts = []
    for value in term.values:
        if isinstance(value, Span):
            # Both ends of one and the same member of a list.
            low, high = _any(["@"], ">=", value.low), _any(["@"], "<=", value.high)
            parts += [f"exists({t} ? ({low} && {high}))" for t in _fitting(targets, value.low)]
        else:
            parts.append(_any(targets, "==", value))
            if isinstance(value, str):
                parts += [f"{t} == {quoted(value)}" for t in links]
                parts += [f"{t}.object == {quoted(value)}" for t in links]
    return " || ".join(parts)


def _any(targets: list[str], operator: str, value: Any) -> str:
    text, method = _written(value)
    fitting = _fitting(targets, value)
    if method and targets != ["@"]:
        # One by one: what is no time among a list's members must not hide the others.
        return " || ".join(f"exists({t} ? (@{method} {operator} {text}))" for t in fitting)
    return " || ".join(f"{t}{method} {operator} {text}" for t in fitting)


def _fitting(targets: list[str], value: Any) -> list[str]:
    """The targets that can hold a value like this one: words are no numbers."""
    words = ("@.vocab", "@.languageMap")
    if isinstance(value, str | date | time):
        return _literal(targets)
    return [t for t in _literal(targets) if not t.startswith(words)]


def _written(value: Any) -> tuple[str, str]:
    """A value in a path, and the method that makes a stored one comparable with it."""
    if isinstance(value, bool):
        return str(value).lower(), ""
    if isinstance(value, float):
        return (repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)), ""
    if isinstance(value, datetime):
        return f"{quoted(time_text(value).replace('Z', '+00:00'))}.datetime()", ".datetime()"
    if isinstance(value, date | time):
        return f"{quoted(value.isoformat())}.datetime()", ".datetime()"
    return quoted(value), ""
