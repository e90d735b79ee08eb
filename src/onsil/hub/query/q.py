"""NGSI-LD's query language (GS CIM 009 V1.9.1 §4.9): text → tree.

    temperature>20;(room=="A"|room=="B");address[city]=="Seoul";power.unitCode=="WTT"
    name[en]=="Gate";isPartOf{Building:name}=="Town hall";height==1..5;species~="^Acer"

`;` is and, which binds closer than `|`, or. A path is an attribute's name, sub-attributes after
dots, members of a structured value (or a language) in square brackets; what stands in braces is
looked up in the entity that a relationship points to. Values are numbers, "texts", true and false,
dates, times, instants, URIs; ranges `1..5` and lists `1,2,3` go with `==` and `!=`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

import orjson

from onsil.hub.contexts import CORE, Context
from onsil.hub.documents import DocumentError, parse_time
from onsil.hub.query.patterns import checked_pattern
from onsil.hub.query.scanner import QueryError, Scanner

# Members of an attribute that are no sub-attributes; the times are of the entity, too.
TIMES = ("observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt")
META = (*TIMES, "unitCode", "datasetId")
SYSTEM = ("createdAt", "modifiedAt", "expiresAt", "deletedAt")
EQUALITY = ("==", "!=")
PATTERNS = ("~=", "!~=")
ABSENT = "!"  # before an attribute: there is none, as the public suites and NGSIv2 have it
VALUES_MAX = 200
_HOPS_MAX = 5
_NAME = r"[^\s;|()=!<>~,\"\[\]{}]+"
_OPERATOR = r"==|!~=|!=|>=|<=|~=|>|<"
_TEXT = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\.\.|[;|),\s]|$)"
_WORD = r"(?:(?!\.\.)[^\s;|),\"])+"
_BARE_PATTERN = r"(?:\\.|\[(?:\\.|[^\]\\])*\]|\((?:\\.|[^()\\])*\)|[^\s;|()\\\[\"])+"
_TIME = re.compile(r"\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?$")
_DATE = re.compile(r"\d{4}-\d\d-\d\d$")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


@dataclass(frozen=True)
class Span:
    """A range of values with both ends in it."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Link:
    """What is asked of the entity that a relationship points to, perhaps only of some types."""

    path: "Path"
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Path:
    """Where a value is: attribute, sub-attributes (IRIs) or one of META, members of the value.

    `attribute` is an IRI, or one of SYSTEM for the entity's own times. With `link` the value is one
    of another entity.
    """

    attribute: str
    inner: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    link: Link | None = None

    @property
    def meta(self) -> str | None:
        """The META member that the path ends in."""
        return self.inner[-1] if self.inner and self.inner[-1] in META else None

    @property
    def hops(self) -> int:
        """How many entities away the value is."""
        return 1 + self.link.path.hops if self.link else 0


@dataclass(frozen=True)
class Comparison:
    """One term: a path and, but for mere existence, an operator with alternative values; or
    ABSENT, for what is not there."""

    path: Path
    operator: str = ""
    values: tuple[Any, ...] = ()
    # True equals 1.0 and is another value in a query: terms alike but for that are not the same.
    _kinds: tuple[type, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kinds", tuple(type(value) for value in self.values))


@dataclass(frozen=True)
class Junction:
    """Terms joined by `and` or `or`."""

    word: str
    parts: tuple["Comparison | Junction", ...]


Tree = Comparison | Junction


_CACHED_MAX = 1024
_cached: dict[tuple[str, int, frozenset[str]], tuple[Context, "Tree"]] = {}


def parse_q(text: str, context: Context = CORE, expand_values: Iterable[str] = ()) -> Tree:
    """Read a query. Raises QueryError, which says where.

    `expand_values` names the attributes whose values are terms of the context (§4.9 expandValues).
    Trees are kept, since the same queries come again and again.
    """
    expanded = frozenset(expand_values)
    key = (text, id(context), expanded)
    kept = _cached.get(key)
    if kept is not None and kept[0] is context:
        return kept[1]
    tree = _Parser(text, context, expanded).whole()
    if len(_cached) >= _CACHED_MAX:
        _cached.clear()
    _cached[key] = (context, tree)
    return tree


class _Parser:
    """Recursive descent: or → and → term → path, values."""

    def __init__(self, text: str, context: Context, expanded: frozenset[str]) -> None:
        self.scanner = Scanner(text, "q")
        self.context = context
        self.expanded = {context.iri(name) for name in expanded}

    def whole(self) -> Tree:
        tree = self.alternatives()
        self.scanner.end()
        return tree

    def alternatives(self) -> Tree:
        return self.joined("|", "or", lambda: self.joined(";", "and", self.term))

    def joined(self, sign: str, word: str, part: Callable[[], Tree]) -> Tree:
        parts = [part()]
        while self.scanner.take(sign):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def term(self) -> Tree:
        scanner = self.scanner
        if scanner.take("("):
            scanner.deeper()
            tree = self.alternatives()
            scanner.expect(")", "a closing bracket is missing")
            scanner.shallower()
            return tree
        absent = scanner.take(ABSENT)
        path = self.path()
        start = scanner.at
        found = scanner.match(_OPERATOR)
        if found is None:
            return Comparison(path, ABSENT if absent else "")
        if absent:
            raise scanner.error("no operator goes with an attribute that is not to be there", start)
        operator = found[0]
        if operator in PATTERNS:
            return Comparison(path, operator, (self.pattern(),))
        start = scanner.at
        values = list(self.values(path))
        if operator not in EQUALITY and (len(values) > 1 or isinstance(values[0], Span | bool)):
            raise scanner.error(f"lists, ranges, true and false do not go with {operator}", start)
        return Comparison(path, operator, tuple(values))

    def path(self, hops: int = 0) -> Path:
        scanner = self.scanner
        start = scanner.at
        found = scanner.match(_NAME)
        if found is None:
            raise scanner.error("an attribute's name is wanted")
        names = self.names(found[0], start)
        member: list[str] = []
        while scanner.take("["):
            inside = scanner.match(r"[^\]\[;|\"]+")
            parts = (inside[0].strip() if inside else "").split(".")
            if not all(parts):
                raise scanner.error("a path within the value is wanted in square brackets")
            member += parts
            scanner.expect("]", "a square bracket is not closed")
        link = self.link(hops) if scanner.take("{") else None
        if link and member:
            raise scanner.error("a relationship has no members to look into", start)
        return Path(names[0], tuple(names[1:]), tuple(member), link)

    def names(self, text: str, start: int) -> list[str]:
        # A full IRI has dots of its own; only short names have sub-attributes after a dot.
        parts = [text] if "://" in text or text.startswith("urn:") else text.split(".")
        if not all(parts):
            raise self.scanner.error("a name is missing beside a dot", start)
        for place, name in enumerate(parts):
            if name in META and place and place < len(parts) - 1:
                raise self.scanner.error(f"{name} has no sub-attributes", start)
        first = parts[0] if parts[0] in SYSTEM else self.context.iri(parts[0])
        if first in SYSTEM and len(parts) > 1:
            raise self.scanner.error(f"{first} has no sub-attributes", start)
        return [first, *(n if n in META else self.context.iri(n) for n in parts[1:])]

    def link(self, hops: int) -> Link:
        scanner = self.scanner
        if hops >= _HOPS_MAX:
            raise scanner.error(f"a query follows up to {_HOPS_MAX} relationships")
        # A colon before the path parts the types from it; IRIs have colons with slashes after them.
        hint = scanner.match(r"[^\s;()=!<>~\"\[\]{}]*:(?!//)(?=[^\s;()=!<>~\"\[\]{}:]+[\[{}.]?)")
        types: tuple[str, ...] = ()
        if hint:
            names = [n.strip() for n in re.split(r"[|,]", hint[0][:-1].strip())]
            if not all(names):
                raise scanner.error("a type's name is missing")
            types = tuple(self.context.iri(n) for n in names)
        path = self.path(hops + 1)
        scanner.expect("}", "a brace is not closed")
        return Link(path, types)

    def pattern(self) -> str:
        scanner = self.scanner
        start = scanner.at
        if quoted := scanner.match(_TEXT):
            text = _unquoted(quoted[0], pattern=True)
        else:
            bare = scanner.match(_BARE_PATTERN)
            if bare is None or re.fullmatch(_NUMBER, bare[0]):
                raise scanner.error("a pattern in quotes is wanted", start)
            text = bare[0]
        try:
            return checked_pattern(text)
        except QueryError as error:
            raise scanner.error(str(error), start) from error

    def values(self, path: Path) -> Iterator[Any]:
        scanner = self.scanner
        count = 0
        while True:
            start = scanner.at
            first = self.value(path)
            if scanner.take(".."):
                last = self.value(path)
                if type(first) is not type(last) or isinstance(first, bool):
                    raise scanner.error("a range's ends are comparable and of one kind", start)
                first = Span(first, last)
            yield first
            count += 1
            if not scanner.take(","):
                return
            if count >= VALUES_MAX:
                raise scanner.error(f"a list has up to {VALUES_MAX} values")

    def value(self, path: Path) -> Any:
        scanner = self.scanner
        start = scanner.at
        if quoted := scanner.match(_TEXT):
            try:
                text = _unquoted(quoted[0])
            except ValueError as error:
                raise scanner.error("not a text's escape", start) from error
        elif number := scanner.match(_NUMBER):
            value = float(number[0])
            if value in (float("inf"), float("-inf")):
                raise scanner.error("the number is too large", start)
            return value
        elif word := scanner.match(_WORD):
            text = word[0]
            if text in ("true", "false"):
                return text == "true"
            moment = _moment(text)
            if moment is not None:
                return moment
        else:
            raise scanner.error("a value is wanted")
        if path.meta in TIMES or path.attribute in SYSTEM:
            moment = _moment(text)
            if moment is None:
                raise scanner.error("an instant is wanted", start)
            return moment
        if path.attribute in self.expanded:
            return self.context.iri(text)
        return text


def _unquoted(text: str, *, pattern: bool = False) -> str:
    """A JSON string's value. A pattern keeps its backslashes but for those before quotes."""
    if not pattern and "\\" not in text:
        return text[1:-1]
    # A line feed within a text is no JSON, but clear.
    clear = re.sub(r"[\x01-\x1f]", lambda m: f"\\u{ord(m[0]):04x}", text)
    try:
        found = orjson.loads(clear)
    except orjson.JSONDecodeError:
        if not pattern:
            raise ValueError(text) from None
        found = text[1:-1].replace('\\"', '"')
    if "\0" in found:
        raise ValueError(text)
    return found


def _moment(text: str) -> datetime | date | time | None:
    """A dateTime, date or time (§4.6.3); None for any other text."""
    try:
        if _INSTANT.match(text):
            return parse_time(text)
        if _DATE.match(text):
            return date.fromisoformat(text)
        if _TIME.match(text):
            return time.fromisoformat(text)
    except (DocumentError, ValueError):
        return None
    return None


def comparisons(tree: Tree) -> Iterator[Comparison]:
    """A query's terms."""
    if isinstance(tree, Comparison):
        yield tree
    else:
        for part in tree.parts:
            yield from comparisons(part)


def attributes_of(tree: Tree) -> set[str]:
    """The IRIs of the attributes a query looks at."""
    return {c.path.attribute for c in comparisons(tree)} - set(SYSTEM)
