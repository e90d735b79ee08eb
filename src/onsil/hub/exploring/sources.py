"""What there is to explore: data sets and types, each with the attributes that may be seen. Pure.

The public explores open data sets alone. A type stands for the data sets of its entities together;
for officials it is every entity of the type.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from onsil.hub.contexts import CORE
from onsil.hub.datasets.models import models
from onsil.hub.datasets.registry import Dataset, Said
from onsil.hub.documents import Document
from onsil.hub.http.criteria import Criteria
from onsil.hub.http.gate import Problem
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.q import Junction, Tree, attributes_of, parse_q
from onsil.hub.query.scopes import parse_scope_q
from onsil.hub.query.type_selection import TypeJunction, parse_type_selection, types_in

LOCATION = CORE.iri("location")


@dataclass(frozen=True)
class Field:
    """An attribute to explore; `value` is the kind of its value as data models name it."""

    name: str
    unit: str = ""
    value: str = "any"

    @property
    def iri(self) -> str:
        return CORE.iri(self.name)

    @property
    def numeric(self) -> bool:
        """Whether it may be a number, so that it can be drawn and averaged."""
        return self.value in ("number", "any")


@dataclass(frozen=True)
class Source:
    """Entities of a type, narrowed by `q` and `scope`, with the attributes of them to be seen.

    `bounded`: nothing beyond these may be seen, whatever is asked.
    """

    key: str
    title: Said
    type: str
    fields: tuple[Field, ...]
    q: str = ""
    scope: str = ""
    origin: str = ""
    bounded: bool = True

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)

    @property
    def allowed(self) -> frozenset[str]:
        """The attributes (IRIs) to be seen, and those that its own condition speaks of."""
        named = attributes_of(parse_q(self.q)) if self.q else set()
        return frozenset({one.iri for one in self.fields} | {LOCATION} | set(named))

    @property
    def wanted(self) -> Filter:
        """The filter for its entities."""
        return Filter(
            (Selector(parse_type_selection(self.type)),),
            parse_q(self.q) if self.q else None,
            scopes=parse_scope_q(self.scope) if self.scope else None,
        )

    def bound(self, asked: Criteria) -> Criteria:
        """What was asked, within what may be seen. Raises Problem for what reaches beyond."""
        if not self.bounded:
            return asked
        wanted, own = asked.filter, self.wanted
        held = set(types_in(own.selectors[0].types))
        named = {iri for one in wanted.selectors for iri in types_in(one.types)}
        if not named <= held:
            raise _closed(f"here are entities of {self.type} only")
        if asked.join or wanted.hops:
            raise _closed("linked entities are not shown here")
        attributes = (wanted.terms() - named) | set(asked.attrs or ())
        hidden = {iri for iri in attributes if iri not in self.allowed and ":" in iri}
        if hidden:
            raise _closed(f"not among what is open here: {', '.join(map(CORE.term, hidden))}")
        selectors = tuple(
            replace(one, types=_both(one.types, own.selectors[0].types))
            for one in wanted.selectors or (Selector(),)
        )
        if own.scopes is not None and wanted.scopes is not None and own.scopes != wanted.scopes:
            raise _closed(f"the scope here is {self.scope}")
        narrowed = replace(
            wanted, selectors=selectors, q=_and(wanted.q, own.q),
            scopes=own.scopes if wanted.scopes is None else wanted.scopes,
        )  # fmt: skip
        return asked._replace(filter=narrowed)

    def shown(self, document: Document) -> Document:
        """The entity without the attributes that are not to be seen."""
        if not self.bounded:
            return document
        kept = {iri: one for iri, one in document.attrs.items() if iri in self.allowed}
        return replace(document, attrs=kept)


def _closed(detail: str) -> Problem:
    return Problem(403, "OperationNotSupported", "This is not open here", detail)


def _both(one: object, other: object) -> object:
    if one is None or one == other:
        return other
    return one if other is None else TypeJunction("and", (one, other))  # pyright: ignore


def _and(one: Tree | None, other: Tree | None) -> Tree | None:
    if one is None or other is None:
        return one or other
    return Junction("and", (one, other))


def source_of(one: Dataset, *, bounded: bool = True) -> Source:
    """A data set as a source."""
    model = one.data_model
    fields = []
    for name in one.offered():
        known = model.attribute(name)
        fields.append(Field(name, known.unit, known.value) if known else Field(name))
    return Source(f"set:{one.id}", one.title, one.type, tuple(fields), one.q, one.scope,
                  one.origin, bounded)  # fmt: skip


def open_sources(datasets: Iterable[Dataset]) -> list[Source]:
    """What everybody may explore: each open data set, and each type of which there are several."""
    sources = [source_of(one) for one in datasets]
    by_type: dict[tuple[str, str], list[Source]] = {}
    for one in sources:
        by_type.setdefault((one.type, one.scope), []).append(one)
    together = [_together(found) for found in by_type.values() if len(found) > 1]
    # Of a type in several scopes there is no one query, so it is explored by data set.
    keys = [one.key for one in together]
    return [*[one for one in together if keys.count(one.key) == 1], *sources]


def _together(sources: Sequence[Source]) -> Source:
    first = sources[0]
    fields = {one.name: one for source in sources for one in source.fields}
    conditions = sorted({source.q for source in sources})
    q = "" if "" in conditions else "|".join(
        f"({one})" if len(conditions) > 1 else one for one in conditions
    )  # fmt: skip
    if len(conditions) > 1:  # a data set's attributes are not open for another's entities
        shared = set.intersection(*({one.name for one in source.fields} for source in sources))
        fields = {name: one for name, one in fields.items() if name in shared}
    origins = {source.origin for source in sources}
    return replace(
        first, key=f"type:{first.type}", title=Said(first.type, first.type), q=q,
        fields=tuple(fields.values()), origin=origins.pop() if len(origins) == 1 else "",
    )  # fmt: skip


def city_sources(
    datasets: Iterable[Dataset], types: Mapping[str, Sequence[str]]
) -> list[Source]:  # fmt: skip
    """What officials may explore: all types (IRI: IRIs of their attributes) and the data sets."""
    by_type = {model.iri: model for model in models().values()}
    every = []
    for iri, attributes in sorted(types.items()):
        model = by_type.get(iri)
        fields = []
        for attribute in attributes:
            name = CORE.term(attribute)
            known = model.attribute(name) if model else None
            if attribute == LOCATION or (known and "GeoProperty" in known.kinds):
                continue
            fields.append(Field(name, known.unit, known.value) if known else Field(name))
        name = CORE.term(iri)
        title = Said(model.title_ko, model.title_en) if model else Said(name, name)
        every.append(Source(f"type:{name}", title, name, tuple(fields), bounded=False))
    return [*every, *(source_of(one, bounded=False) for one in datasets)]
