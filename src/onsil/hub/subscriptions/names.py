"""The names in a subscription with the IRIs they stood for when it was made.

A subscription keeps its text and, for each member, what each name in it means. So it is matched
without its @context at hand, and shown under any other.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from onsil.hub.contexts import CORE, Context

_NAME = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s;|(),\[\]{}=<>!~.]+(?:\.(?!\.)[^\s;|(),\[\]{}=<>!~.]+)*')


class Recorder:
    """A context that remembers what it was asked."""

    # Nothing is taken from what the context remembers, so that every name passes by here.
    checked: Mapping[str, str] = MappingProxyType({})

    def __init__(self, context: Context) -> None:
        self._context = context
        self.names: dict[str, str] = {}
        self.vocabulary: dict[str, str] = {}

    def iri(self, name: str) -> str:
        iri = self.names[name] = self._context.iri(name)
        return iri

    def vocab_iri(self, value: str) -> str:
        iri = self.vocabulary[value] = self._context.vocab_iri(value)
        return iri

    def remember(self, name: str, iri: str) -> None:
        """Other names may stand for other IRIs elsewhere: nothing is remembered here."""

    @property
    def aliases(self) -> Any:
        return self._context.aliases

    @property
    def kept(self) -> dict[str, str]:
        """What was asked, for `Recalled`; values are marked by a leading space."""
        return self.names | {" " + value: iri for value, iri in self.vocabulary.items()}


class Recalled:
    """A context of the names that were kept."""

    checked: Mapping[str, str] = MappingProxyType({})
    aliases: frozenset[str] = frozenset()

    def __init__(self, kept: Mapping[str, str]) -> None:
        self._kept = kept

    def remember(self, name: str, iri: str) -> None:
        """What is kept is all there is."""

    def iri(self, name: str) -> str:
        return self._kept.get(name) or CORE.iri(name)

    def vocab_iri(self, value: str) -> str:
        return self._kept.get(" " + value) or CORE.vocab_iri(value)


def renamed(value: Any, kept: Mapping[str, str], term: Callable[[str], str]) -> Any:
    """A member's names under another context: a name, an expression of them, or a list."""
    if isinstance(value, list):
        return [renamed(one, kept, term) for one in value]
    if not isinstance(value, str):
        return value
    if value in kept:
        return term(kept[value])

    def one(match: re.Match[str]) -> str:
        text = match.group()
        if text in kept:
            return term(kept[text])
        parts = text.split(".")
        if len(parts) > 1 and all(part in kept for part in parts):
            return ".".join(term(kept[part]) for part in parts)
        return text

    return _NAME.sub(one, value)
