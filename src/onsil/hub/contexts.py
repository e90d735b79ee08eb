"""@context, compiled once into two plain maps: term → IRI and IRI → term.

The hub keeps IRIs inside and short names outside. Only what NGSI-LD documents need of JSON-LD is
here: terms, prefixes, and the default vocabulary. Contexts by URL come from `KNOWN` alone; nothing
is ever fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

NGSI_LD = "https://uri.etsi.org/ngsi-ld/"
DEFAULT_VOCABULARY = NGSI_LD + "default-context/"
CORE_CONTEXT = NGSI_LD + "v1/ngsi-ld-core-context-v1.8.jsonld"
_CORE_TERMS = {
    name: NGSI_LD + name
    for name in (
        "location", "observationSpace", "operationSpace", "title", "description", "createdAt",
        "modifiedAt", "observedAt", "name",
    )
} | {"name": DEFAULT_VOCABULARY + "name"}  # fmt: skip
_KEYWORDS = frozenset({"id", "type", "@id", "@type", "@context", "scope", "value", "object"})


class ContextError(ValueError):
    """A context that cannot be used. `unavailable` when it would have to be fetched."""

    def __init__(self, message: str, *, unavailable: bool = False) -> None:
        super().__init__(message)
        self.unavailable = unavailable


@dataclass(frozen=True)
class Context:
    """A compiled context: `iri` expands a short name, `term` shortens an IRI."""

    terms: Mapping[str, str] = field(default_factory=dict)
    _shorts: dict[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name, iri in self.terms.items():
            self._shorts.setdefault(iri, name)

    def iri(self, name: str) -> str:
        """The full IRI of a term; what already is an IRI stays."""
        known = self.terms.get(name) or _CORE_TERMS.get(name)
        if known:
            return known
        prefix, colon, rest = name.partition(":")
        if colon:
            base = self.terms.get(prefix)
            return base + rest if base and not rest.startswith("//") else name
        return DEFAULT_VOCABULARY + name

    def term(self, iri: str) -> str:
        """The shortest name this context has for an IRI."""
        known = self._shorts.get(iri)
        if known:
            return known
        for base in (DEFAULT_VOCABULARY, NGSI_LD):
            name = iri.removeprefix(base)
            # A term the user's context gives to another IRI cannot stand for this one.
            if name != iri and name and self.iri(name) == iri:
                return name
        return iri


CORE = Context()
KNOWN: dict[str, Context] = {
    f"{NGSI_LD}v1/ngsi-ld-core-context{version}.jsonld": CORE
    for version in ("", "-v1.3", "-v1.5", "-v1.6", "-v1.7", "-v1.8", "-v1.9")
}


@lru_cache(maxsize=256)
def _compiled(content: bytes) -> Context:
    terms: dict[str, str] = {}
    _collect(orjson.loads(content), terms)
    resolved: dict[str, str] = {}
    for name, iri in terms.items():
        prefix, colon, rest = iri.partition(":")
        base = terms.get(prefix) if colon and not rest.startswith("//") else None
        resolved[name] = base + rest if base else iri
    return Context(resolved)


def _collect(part: Any, terms: dict[str, str]) -> None:
    if isinstance(part, str):
        if part not in KNOWN:
            raise ContextError(f"context {part} is not held here", unavailable=True)
        terms.update(KNOWN[part].terms)
    elif isinstance(part, list):
        for inner in part:
            _collect(inner, terms)
    elif isinstance(part, dict):
        for name, meaning in part.items():
            iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
            if name.startswith("@") or not isinstance(iri, str):
                continue
            if name in _KEYWORDS:
                raise ContextError(f"the core term {name!r} cannot be given another meaning")
            terms[name] = iri
    elif part is not None:
        raise ContextError("a context is a URL, an object or a list of these")


def compile_context(source: Any) -> Context:
    """Compile an `@context` value. Raises ContextError."""
    if source is None or source in ([], {}):
        return CORE
    content = orjson.dumps(source, option=orjson.OPT_SORT_KEYS)
    if len(content) > 1_000_000:
        raise ContextError("the context is larger than 1 MB")
    return _compiled(content)
