"""What of an entity is shown: pick and omit (GS CIM 009 V1.9.1 §4.21), languages (§4.15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onsil.hub.contexts import Context
from onsil.hub.documents.terms import DEFAULT_DATASET, DocumentError
from onsil.hub.documents.values import check_name

MEMBERS = frozenset(("id", "type", "scope", "createdAt", "modifiedAt", "expiresAt"))
_DEPTH = 8
_LENGTH_MAX = 8192


@dataclass(frozen=True)
class Selection:
    """Members (by name) and attributes (by IRI) to show or to leave out.

    `pick` None shows all. What stands in braces after a Relationship is for the linked entity.
    """

    pick: Mapping[str, "Selection"] | None = None
    omit: Mapping[str, "Selection"] = field(default_factory=dict)

    @property
    def attrs(self) -> frozenset[str] | None:
        """The attributes picked; None when no attribute was."""
        picked = frozenset(self.pick or ()) - MEMBERS
        return picked or None

    @property
    def linked(self) -> bool:
        """Whether anything is asked of linked entities, which takes a join (§5.7.1.4)."""
        every = (*(self.pick or {}).values(), *self.omit.values())
        return any(inner.pick or inner.omit for inner in every)

    def shows(self, key: str) -> bool:
        """Whether a member or an attribute is shown."""
        if self.pick is not None and key not in self.pick:
            return False
        inner = self.omit.get(key)
        return inner is None or bool(inner.omit)

    def inner(self, iri: str) -> "Selection":
        """What is asked of the entities that a Relationship leads to."""
        picked = (self.pick or {}).get(iri)
        left_out = self.omit.get(iri)
        return Selection(picked.pick if picked else None, left_out.omit if left_out else {})


ALL = Selection()


def parse_selection(pick: str | None, omit: str | None, context: Context) -> Selection:
    """Read `pick` and `omit`. Raises DocumentError."""
    if pick is None and omit is None:
        return ALL
    picked = None if pick is None else _Projection(pick, context, True).read()
    left_out = {} if omit is None else _Projection(omit, context, False).read()
    return Selection(picked, left_out)


class _Projection:
    """A reader of the attribute projection language."""

    def __init__(self, text: str, context: Context, picks: bool) -> None:
        if len(text) > _LENGTH_MAX:
            raise DocumentError("pick or omit is too long")
        self._text, self._at = text, 0
        self._context, self._picks = context, picks

    def read(self) -> dict[str, Selection]:
        found = self._terms(0)
        if self._at != len(self._text):
            raise DocumentError(f"not a list of attributes: {self._text[:200]!r}")
        return found

    def _terms(self, depth: int) -> dict[str, Selection]:
        if depth > _DEPTH:
            raise DocumentError("pick or omit is nested too deeply")
        found: dict[str, Selection] = {}
        while True:
            start = self._at
            while self._at < len(self._text) and self._text[self._at] not in ",|{}":
                self._at += 1
            name = self._text[start : self._at].strip()
            key = name if name in MEMBERS else check_name(name, self._context)
            inner: dict[str, Selection] = {}
            if self._peek() == "{":
                self._at += 1
                inner = self._terms(depth + 1)
                if self._peek() != "}":
                    raise DocumentError(f"a brace is not closed: {self._text[:200]!r}")
                self._at += 1
            found[key] = self._selection(inner)
            if self._peek() not in (",", "|"):
                return found
            self._at += 1

    def _selection(self, inner: dict[str, Selection]) -> Selection:
        if not inner:
            return ALL
        return Selection(inner) if self._picks else Selection(None, inner)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]


def parse_languages(text: str | None) -> tuple[str, ...]:
    """Language ranges, best first (RFC 3282): `fr;q=0.8,en` is en, fr. Raises DocumentError."""
    ranges: list[tuple[float, int, str]] = []
    for place, part in enumerate((text or "").split(",")):
        name, *parameters = (p.strip() for p in part.split(";"))
        if not name:
            continue
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    raise DocumentError(f"not a quality: {parameter[:40]!r}") from None
        if quality > 0:
            ranges.append((-quality, place, name.lower()))
    return tuple(name for _, _, name in sorted(ranges))


def choose_language(language_map: Mapping[str, Any], languages: Sequence[str]) -> str:
    """The tag of a languageMap that serves best; any, when none does (RFC 4647 lookup)."""
    tags = {tag.lower(): tag for tag in language_map}
    for wanted in languages:
        if wanted == "*":
            break
        shorter = wanted
        while shorter:
            if shorter in tags:
                return tags[shorter]
            shorter = shorter.rpartition("-")[0]
        for tag in sorted(tags):
            if tag.startswith(wanted + "-"):
                return tags[tag]
    if DEFAULT_DATASET in language_map:
        return DEFAULT_DATASET
    return next(iter(language_map))
