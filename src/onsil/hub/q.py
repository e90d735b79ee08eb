"""NGSI-LD's query language (GS CIM 009 §4.9): text → tree → SQL with every value bound.

    temperature>20;(room=="A"|room=="B");address[city]=="Pyeongtaek";power.unitCode=="WTT"

`;` is and, `|` is or, brackets group; `a.b` is a sub-attribute or one of `observedAt`, `unitCode`,
`datasetId`, `createdAt`, `modifiedAt`; `a[b.c]` looks into a structured value. Values are numbers,
"texts", true/false, instants, URIs, ranges `1..5` and lists `1,2,3`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onsil.hub.contexts import Context
from onsil.hub.documents import DocumentError, parse_time

_TOKEN = re.compile(
    r"\s*(?:(?P<op>==|!=|>=|<=|!~=|~=|>|<)|(?P<punctuation>[;|(),]|\.\.)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\.\.|[;|(),\s]|$))"
    r"|(?P<word>(?:(?!\.\.)[^\s;|()=!<>~,\"])+))"
)
_META = ("observedAt", "unitCode", "datasetId", "createdAt", "modifiedAt")
_LIMIT = 4096
_DEPTH = 32


class QueryError(ValueError):
    """A query that cannot be read; says where."""


@dataclass(frozen=True)
class Comparison:
    """One term: an attribute's path and, but for mere existence, an operator with its values.

    `values` is a list of alternatives; a pair among them is a range with both ends in it.
    """

    attribute: str
    inner: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    operator: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Junction:
    """Terms joined by `and` or `or`."""

    word: str
    parts: tuple["Comparison | Junction", ...]


Tree = Comparison | Junction


def parse_q(text: str, context: Context) -> Tree:
    """Read a query. Raises QueryError."""
    if len(text) > _LIMIT:
        raise QueryError(f"the query is longer than {_LIMIT} characters")
    return _Parser(list(_tokens(text)), context).whole()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if not match or match.end() == position:
            raise QueryError(f"cannot read the query at {text[position : position + 20]!r}")
        position = match.end()
        kind = match.lastgroup or ""
        yield kind, match.group(kind)


class _Parser:
    """Recursive descent over the tokens: or → and → term."""

    def __init__(self, tokens: list[tuple[str, str]], context: Context) -> None:
        self.tokens = tokens
        self.context = context
        self.position = 0
        self.depth = 0

    def whole(self) -> Tree:
        tree = self.junction()
        if self.position < len(self.tokens):
            raise QueryError(f"unexpected {self.tokens[self.position][1]!r} in the query")
        return tree

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")

    def take(self, text: str) -> bool:
        if self.peek() == ("punctuation", text):
            self.position += 1
            return True
        return False

    def junction(self) -> Tree:
        return self.joined("|", "or", lambda: self.joined(";", "and", self.term))

    def joined(self, sign: str, word: str, part: Callable[[], Tree]) -> Tree:
        parts = [part()]
        while self.take(sign):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def term(self) -> Tree:
        if self.take("("):
            self.depth += 1
            if self.depth > _DEPTH:
                raise QueryError("the query's brackets are nested too deeply")
            tree = self.junction()
            if not self.take(")"):
                raise QueryError("a closing bracket is missing in the query")
            self.depth -= 1
            return tree
        kind, word = self.peek()
        if kind != "word":
            raise QueryError(f"an attribute's name is wanted where {word!r} stands")
        self.position += 1
        path = self.path(word)
        kind, operator = self.peek()
        if kind != "op":
            return Comparison(*path)
        self.position += 1
        values = tuple(self.values())
        for value in values:
            _check_value(operator, value)
        return Comparison(*path, operator, values)

    def path(self, word: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        head, bracket, rest = word.partition("[")
        if bracket and not rest.endswith("]"):
            raise QueryError(f"a square bracket is not closed in {word!r}")
        member = tuple(rest[:-1].split(".")) if bracket else ()
        # An IRI holds dots of its own; only short names have sub-attributes after a dot.
        names = [head] if ":" in head else head.split(".")
        if not all(names) or not all(member):
            raise QueryError(f"not an attribute's path: {word!r}")
        inner = tuple(n if n in _META else self.context.iri(n) for n in names[1:])
        return self.context.iri(names[0]), inner, member

    def values(self) -> Iterator[Any]:
        while True:
            first = self.value()
            yield (first, self.value()) if self.take("..") else first
            if not self.take(","):
                return

    def value(self) -> Any:
        kind, text = self.peek()
        self.position += 1
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return float(text)
        if kind != "word":
            raise QueryError(f"a value is wanted where {text!r} stands")
        if text in ("true", "false"):
            return text == "true"
        if text[:4].isdigit():
            try:
                return parse_time(text)
            except DocumentError:
                return text
        return text


def attributes_of(tree: Tree) -> set[str]:
    """The IRIs of the attributes a query looks at."""
    if isinstance(tree, Junction):
        return set().union(*(attributes_of(part) for part in tree.parts))
    return {tree.attribute}


def to_sql(tree: Tree, city: str, terms: dict[str, int]) -> tuple[str, list[Any]]:
    """The query as a condition on `hub_entity e` with its parameters.

    `terms` are the numbers of the known attributes; one nobody has matches nothing.
    """
    if isinstance(tree, Junction):
        made = [to_sql(part, city, terms) for part in tree.parts]
        return (
            "(" + f" {tree.word.upper()} ".join(text for text, _ in made) + ")",
            [value for _, values in made for value in values],
        )
    if tree.attribute not in terms:
        return "false", []
    if tree.inner or tree.member:
        return _deep(tree)
    if not tree.operator:
        return (
            "(jsonb_exists(e.doc, %s) OR EXISTS (SELECT FROM hub_series s JOIN hub_latest l"
            " ON l.city = s.city AND l.series_id = s.series_id WHERE s.city = %s"
            " AND s.eid = e.eid AND s.attr_id = %s AND l.ts IS NOT NULL))",
            [tree.attribute, city, terms[tree.attribute]],
        )
    made = [_top(tree, value, city, terms[tree.attribute]) for value in tree.values]
    word = " AND " if tree.operator in ("!=", "!~=") else " OR "
    return "(" + word.join(t for t, _ in made) + ")", [v for _, vs in made for v in vs]


_OPERATORS = {"==": "=", "!=": "<>", "~=": "~", "!~=": "!~"}
_DOC_ROWS = "e.eid IN (SELECT eid FROM {} WHERE city = %s AND attr_id = %s AND {})"
_SERIES = (
    "(NOT EXISTS (SELECT FROM hub_series s JOIN hub_latest l ON l.city = s.city"
    " AND l.series_id = s.series_id WHERE s.city = %s AND s.attr_id = %s AND s.eid = e.eid"
    " AND l.ts IS NOT NULL) AND {} OR e.eid IN (SELECT s.eid FROM hub_series s JOIN hub_latest l"
    " ON l.city = s.city AND l.series_id = s.series_id"
    " WHERE s.city = %s AND s.attr_id = %s AND {}))"
)


def _condition(column: str, operator: str, value: Any) -> tuple[str, list[Any]]:
    """`column` against one value or range."""
    if isinstance(value, tuple):
        word = "BETWEEN" if operator == "==" else "NOT BETWEEN"
        return f"{column} {word} %s AND %s", list(value)
    return f"{column} {_OPERATORS.get(operator, operator)} %s", [value]


def _check_value(operator: str, value: Any) -> None:
    """Refuse values that do not go with the operator. Raises QueryError."""
    if isinstance(value, tuple):
        if operator not in ("==", "!="):
            raise QueryError(f"a range goes with == or !=, not {operator}")
        if type(value[0]) is not type(value[1]):
            raise QueryError("a range's ends must be of one kind")
    if operator in ("~=", "!~="):
        if not isinstance(value, str):
            raise QueryError("a pattern is a text")
        _check_pattern(value)


def _check_pattern(pattern: str) -> None:
    if len(pattern) > 200:
        raise QueryError("the pattern is longer than 200 characters")
    try:
        re.compile(pattern)
    except re.error as error:
        raise QueryError(f"not a pattern: {error}") from error
    # Back references and nested repeats are what makes matching exponential.
    if re.search(r"\\\d|[*+}]\)?[*+{]", pattern):
        raise QueryError("patterns with back references or nested repeats are not taken")


def _sample(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def _top(tree: Comparison, value: Any, city: str, attr: int) -> tuple[str, list[Any]]:
    sample = _sample(value)
    if isinstance(sample, bool):
        value = str(value).lower()
    if isinstance(sample, float):
        stored, values = _condition("value", tree.operator, value)
        live, _ = _condition("l.num", tree.operator, value)
        rows = _DOC_ROWS.format("hub_attr_num", stored)
        return _SERIES.format(rows, live), [city, attr, city, attr, *values, city, attr, *values]
    if isinstance(sample, datetime):
        stored, values = _condition("value", tree.operator, value)
        return _DOC_ROWS.format("hub_attr_time", stored), [city, attr, *values]
    stored, values = _condition("value", tree.operator, value)
    texts = _DOC_ROWS.format("hub_attr_str", stored)
    links = _DOC_ROWS.format("hub_attr_rel", stored)
    return f"({texts} OR {links})", [city, attr, *values, city, attr, *values]


def _deep(tree: Comparison) -> tuple[str, list[Any]]:
    """Paths below the top are looked up in the document itself."""
    path = [tree.attribute, "0"]
    for name in tree.inner[:-1]:
        path += ["attrs", name, "0"]
    if tree.inner:
        last = tree.inner[-1]
        path += [last] if last in _META else ["attrs", last, "0"]
    is_meta = bool(tree.inner) and tree.inner[-1] in _META
    found = "(e.doc #> %s::text[])"
    if not is_meta:
        found = f"(COALESCE({found} -> 'value', {found} -> 'object') #> %s::text[])"
    given: list[Any] = [path] if is_meta else [path, path, list(tree.member)]
    if not tree.operator:
        return f"{found} IS NOT NULL", given
    made = []
    for value in tree.values:
        sample = _sample(value)
        if isinstance(sample, bool):
            kind, column, value = "boolean", f"({found} #>> '{{}}')", str(value).lower()
        elif isinstance(sample, float):
            kind, column = "number", f"({found})::text::double precision"
        elif isinstance(sample, datetime):
            kind, column = "string", f"hub_instant({found} #>> '{{}}')"
        else:
            kind, column = "string", f"({found} #>> '{{}}')"
        text, values = _condition(column, tree.operator, value)
        made.append((
            f"CASE WHEN jsonb_typeof({found}) = '{kind}' THEN {text} ELSE false END",
            [*given, *given, *values],
        ))  # fmt: skip
    word = " AND " if tree.operator in ("!=", "!~=") else " OR "
    return "(" + word.join(t for t, _ in made) + ")", [v for _, vs in made for v in vs]
