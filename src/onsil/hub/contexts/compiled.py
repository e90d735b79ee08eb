"""A compiled @context: term → IRI and IRI → term, as JSON-LD 1.1 expands and compacts names.

Only what NGSI-LD documents need of JSON-LD is here: terms, prefixes, keyword aliases, vocabularies.
The core context is always the last one, so that its terms hold whatever a user context says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onsil.hub.contexts.core import CORE_PREFIXES, CORE_TERMS, DEFAULT_VOCABULARY

_REMEMBERED = 2048  # names a context remembers; then it forgets them all
_NAME_MAX = 256  # characters of a name worth remembering
_TERMS_MAX = 20_000
_CHAIN_MAX = 64  # terms defined by one another
_ALIASED = frozenset({"@id", "@type"})
_GEN_DELIMS = (":", "/", "?", "#", "[", "]", "@")


class ContextError(ValueError):
    """A context that cannot be used: BadRequestData; LdContextNotAvailable when `unavailable`."""

    def __init__(self, message: str, *, unavailable: bool = False) -> None:
        super().__init__(message)
        self.unavailable = unavailable


@dataclass(frozen=True, eq=False)
class Context:
    """`iri` expands a short name, `term` shortens an IRI.

    `terms` and `prefixes` are the user's own; `aliases` are other names of @id and @type; `urls`
    are those it was put together from; `checked` the names found to be names, with their IRIs.
    """

    terms: Mapping[str, str] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    checked: dict[str, str] = field(default_factory=dict, repr=False)
    _iris: dict[str, str] = field(default_factory=dict, repr=False)
    _shorts: dict[str, str] = field(default_factory=dict, repr=False)
    _best: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        best = self._best
        for name in sorted((*self.terms, *CORE_TERMS), key=lambda n: (len(n), n)):
            best.setdefault(CORE_TERMS.get(name) or self.terms[name], name)

    def iri(self, name: str) -> str:
        """The full IRI of a type's, attribute's or vocabulary's name; an IRI stays what it is."""
        found = self._iris.get(name)
        if found is None:
            found = self._expand(name)
            _remember(self._iris, name, found)
        return found

    def term(self, iri: str) -> str:
        """The shortest name this context has for an IRI; the IRI when it has none."""
        found = self._shorts.get(iri)
        if found is None:
            found = self._compact(iri)
            _remember(self._shorts, iri, found)
        return found

    def remember(self, name: str, iri: str) -> None:
        """Keep a checked name's IRI."""
        _remember(self.checked, name, iri)

    def _expand(self, name: str) -> str:
        known = CORE_TERMS.get(name) or self.terms.get(name)
        if known:
            return known
        prefix, colon, rest = name.partition(":")
        if not colon:
            return DEFAULT_VOCABULARY + name
        base = CORE_PREFIXES.get(prefix) or self.prefixes.get(prefix)
        return base + rest if base and not rest.startswith("//") else name

    def _compact(self, iri: str) -> str:
        known = self._best.get(iri)
        if known:
            return known
        if iri.startswith(DEFAULT_VOCABULARY):
            name = iri[len(DEFAULT_VOCABULARY) :]
            # A term that means something else here cannot stand for this IRI.
            if name and ":" not in name and self._expand(name) == iri:
                return name
        candidates = [
            f"{prefix}:{iri[len(base) :]}"
            for prefix, base in self.prefixes.items()
            if iri.startswith(base) and len(iri) > len(base)
        ]
        for name in sorted(candidates, key=lambda n: (len(n), n)):
            if self._expand(name) == iri:
                return name
        return iri


def _remember(known: dict[str, str], name: str, meaning: str) -> None:
    if len(name) <= _NAME_MAX:
        if len(known) >= _REMEMBERED:
            known.clear()
        known[name] = meaning


CORE = Context()


def compile_parts(parts: Iterable[Mapping[str, Any]], urls: tuple[str, ...] = ()) -> Context:
    """One context of several local ones, later over earlier. Raises ContextError."""
    made = _Definitions()
    for part in parts:
        made.take(part)
        if len(made.terms) > _TERMS_MAX:
            raise ContextError(f"a context has at most {_TERMS_MAX} terms")
    for name in CORE_TERMS:
        made.terms.pop(name, None)
        made.prefixes.pop(name, None)
    if not (made.terms or made.aliases or urls):
        return CORE
    return Context(made.terms, made.prefixes, made.aliases, urls)


class _Definitions:
    """Term definitions as they grow, context by context (JSON-LD 1.1 API §4.2)."""

    def __init__(self) -> None:
        self.terms: dict[str, str] = {}
        self.prefixes: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.vocabulary: str | None = None
        self._part: Mapping[str, Any] = {}
        self._done: dict[str, bool] = {}
        self._depth = 0

    def take(self, part: Mapping[str, Any]) -> None:
        """Lay one local context over what is there."""
        self._part, self._done = part, {}
        _check_keywords(part)
        if "@vocab" in part:
            self.vocabulary = self._vocabulary(part["@vocab"])
        for name in part:
            self._define(name)

    def _vocabulary(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ContextError("@vocab is an IRI")
        return self._expand(value) if value else ""

    def _define(self, name: str) -> None:
        if name in self._done:
            if not self._done[name]:
                raise ContextError(f"the terms of the context go round in a circle at {name!r}")
            return
        if name.startswith("@"):
            return
        if self._depth > _CHAIN_MAX:
            raise ContextError("a term leads to another too often")
        self._depth += 1
        self._done[name] = False
        meaning = self._part[name]
        self._forget(name)
        if meaning is not None:
            self._set(name, meaning)
        self._done[name] = True
        self._depth -= 1

    def _forget(self, name: str) -> None:
        for known in (self.terms, self.prefixes, self.aliases):
            known.pop(name, None)

    def _set(self, name: str, meaning: Any) -> None:
        simple = isinstance(meaning, str)
        if not simple and not isinstance(meaning, dict):
            raise ContextError(f"the term {name!r} is neither an IRI nor a definition")
        if not name:
            raise ContextError("a term has a name")
        detail: Mapping[str, Any] = {"@id": meaning} if simple else meaning
        if "@context" in detail:
            raise ContextError(f"the term {name!r} has a scoped context (§5.5.7)")
        if "@reverse" in detail:
            raise ContextError(f"the term {name!r} is a reverse property")
        target = detail.get("@id", name)
        if target is None:
            return
        if not isinstance(target, str):
            raise ContextError(f"the @id of the term {name!r} is not an IRI")
        if target.startswith("@"):
            if target in _ALIASED:
                self.aliases[name] = target
            return
        iri = self._expand(target, name)
        self.terms[name] = iri
        wanted = detail.get("@prefix", simple and iri.endswith(_GEN_DELIMS))
        if wanted and ":" not in name and "/" not in name:
            self.prefixes[name] = iri

    def _expand(self, value: str, name: str | None = None) -> str:
        """An IRI of the context itself: by a term, a prefix or the vocabulary in force."""
        if value != name and value in self._part:
            self._define(value)
        known = CORE_TERMS.get(value) or (self.terms.get(value) if value != name else None)
        if known:
            return known
        prefix, colon, rest = value.partition(":")
        if colon:
            if rest.startswith("//") or prefix == "_":
                return value
            if prefix in self._part and prefix != name:
                self._define(prefix)
            base = CORE_PREFIXES.get(prefix) or self.prefixes.get(prefix)
            return base + rest if base else value
        return (DEFAULT_VOCABULARY if self.vocabulary is None else self.vocabulary) + value


def _check_keywords(part: Mapping[str, Any]) -> None:
    if part.get("@version", 1.1) != 1.1:
        raise ContextError("@version is 1.1")
    if "@import" in part:
        raise ContextError("a context does not import another")


def local_parts(source: Any, depth: int = 0) -> Sequence[Any]:
    """The members of an @context value in order: URLs and local contexts. Raises ContextError."""
    if depth > 8:
        raise ContextError("contexts are nested too deeply")
    if source is None:
        return ()
    if isinstance(source, str | dict):
        return (source,)
    if isinstance(source, list):
        return [part for inner in source for part in local_parts(inner, depth + 1)]
    raise ContextError("a context is a URL, an object or a list of these")
