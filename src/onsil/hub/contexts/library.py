"""Contexts by URL: those bundled, the operator's, and those held for the moment."""

import tomllib
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson

from onsil.hub.contexts.compiled import (
    CORE,
    Context,
    ContextError,
    compile_parts,
    local_parts,
)
from onsil.hub.contexts.core import BUNDLED, IS_CORE

SIZE_MAX = 1_000_000
_KEY_MAX = 1_000  # bytes of a value that is remembered as it is; above, by its hash
_COMPILED_MAX = 256
_TERMS_HELD_MAX = 500_000  # of all compiled contexts together
_REFERENCES_MAX = 32  # URLs one context may lead to
_DOCUMENTS_MAX = 256  # fetched documents held in memory


class Library:
    """What a URL stands for. `add` gives a document to hold, `forget` takes it back.

    Compiled contexts are remembered by their content, URLs counting as content until what they
    stand for changes.
    """

    def __init__(self) -> None:
        self._files: dict[str, Traversable | Path] = {}
        self._documents: OrderedDict[str, Any] = OrderedDict()
        self._compiled: OrderedDict[bytes, Context] = OrderedDict()
        self._terms = 0
        self.add_folder(BUNDLED)

    def add_folder(self, folder: Traversable | Path) -> None:
        """Read an operator's `contexts.toml`: `[contexts]`, URL = "file". Raises ContextError."""
        try:
            mapped = tomllib.loads((folder / "contexts.toml").read_text("utf-8"))["contexts"]
        except (OSError, KeyError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ContextError(f"{folder}: no usable contexts.toml: {error}") from error
        for url, name in mapped.items():
            path = folder / name
            if not path.is_file():
                raise ContextError(f"contexts.toml: there is no file {name!r}")
            self._files[url] = path
            self._documents.pop(url, None)
        self._forget_compiled()

    def knows(self, url: str) -> bool:
        """Whether the URL needs no fetching."""
        return url in self._documents or url in self._files

    def bundled(self, url: str) -> bool:
        """Whether the URL is a file of ours or the operator's."""
        return url in self._files

    def document(self, url: str) -> Any:
        """The document of a known URL. Raises ContextError, `unavailable` for an unknown one."""
        found = self._documents.get(url)
        if found is None:
            path = self._files.get(url)
            if path is None:
                raise ContextError(f"context {url} is not held here", unavailable=True)
            found = self._documents[url] = read_document(path.read_bytes(), url)
        return found

    def add(self, url: str, document: Any) -> None:
        """Hold a document with an @context under a URL."""
        if self._documents.get(url) != document:
            self._documents[url] = document
            self._forget_compiled()
            others = [held for held in self._documents if held not in self._files]
            for held in others[: max(0, len(others) - _DOCUMENTS_MAX)]:
                del self._documents[held]

    def forget(self, url: str) -> None:
        if url not in self._files and self._documents.pop(url, None) is not None:
            self._forget_compiled()

    def _forget_compiled(self) -> None:
        self._compiled.clear()
        self._terms = 0

    def missing(self, source: Any) -> list[str]:
        """The URLs of an @context value, and of what they lead to, that are not held."""
        wanted: list[str] = []
        self._parts(source, wanted)
        return list(dict.fromkeys(wanted))

    def compile(self, source: Any) -> Context:
        """Compile an @context value. Raises ContextError."""
        if not source:
            if source not in (None, "", [], {}):
                raise ContextError("a context is a URL, an object or a list of these")
            return CORE
        try:
            key = orjson.dumps(source)
        except (TypeError, orjson.JSONEncodeError) as error:
            raise ContextError(f"not a context: {error}") from error
        if len(key) > SIZE_MAX:
            raise ContextError(f"the context is larger than {SIZE_MAX} bytes")
        if len(key) > _KEY_MAX:
            key = sha256(key).digest()
        found = self._compiled.get(key)
        if found is None:
            parts, urls = self._parts(source)
            found = compile_parts(parts, urls)
            self._compiled[key] = found
            self._terms += len(found.terms)
            while len(self._compiled) > _COMPILED_MAX or self._terms > _TERMS_HELD_MAX:
                self._terms -= len(self._compiled.popitem(last=False)[1].terms)
        return found

    def _parts(
        self, source: Any, missing: list[str] | None = None
    ) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
        """The local contexts of a value in order, URLs replaced by what they stand for, and these.

        With `missing`, unknown URLs are put there instead of raised.
        """
        parts: list[Mapping[str, Any]] = []
        seen: dict[str, None] = {}

        def go(value: Any, base: str, path: tuple[str, ...]) -> None:
            for part in local_parts(value):
                if not isinstance(part, str):
                    parts.append(part)
                    continue
                url = urljoin(base, part) if base else part
                if IS_CORE(url):
                    continue  # always there, and always last
                if url in path:
                    raise ContextError(f"contexts lead round in a circle at {url}")
                seen[url] = None
                if len(seen) > _REFERENCES_MAX:
                    raise ContextError(f"a context leads to more than {_REFERENCES_MAX} others")
                if missing is not None and not self.knows(url):
                    missing.append(url)
                else:
                    go(context_of(self.document(url), url), url, (*path, url))

        go(source, "", ())
        return parts, tuple(seen)


def read_document(content: bytes, url: str) -> Any:
    """A JSON-LD document with an @context. Raises ContextError (§5.5.6: not `unavailable`)."""
    if len(content) > SIZE_MAX:
        raise ContextError(f"context {url} is larger than {SIZE_MAX} bytes")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ContextError(f"context {url} is not JSON") from error
    context_of(document, url)
    return document


def context_of(document: Any, url: str) -> Any:
    """The @context member of a document. Raises ContextError."""
    if not isinstance(document, dict) or "@context" not in document:
        raise ContextError(f"{url} has no @context")
    return document["@context"]


def is_absolute(url: str) -> bool:
    """Whether a text is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


library = Library()


def compile_context(source: Any) -> Context:
    """Compile an @context value from what the installation holds. Raises ContextError."""
    return library.compile(source)
