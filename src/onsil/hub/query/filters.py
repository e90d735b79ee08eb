"""What is looked for among the entities (GS CIM 009 V1.9.1 §5.7.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from onsil.hub.query.geo import GeoQuery
from onsil.hub.query.ordering import Ordering
from onsil.hub.query.q import Comparison, Path, Tree, attributes_of, comparisons
from onsil.hub.query.scopes import ScopeTree
from onsil.hub.query.type_selection import TypeTree, types_in


@dataclass(frozen=True)
class Selector:
    """Entities of a type selection (None: every type), of these ids, whose id fits a pattern."""

    types: TypeTree | None = None
    ids: tuple[str, ...] = ()
    id_pattern: str = ""


@dataclass(frozen=True)
class Filter:
    """All that is given must hold; of `selectors` and of `attrs` (IRIs) one is enough."""

    selectors: tuple[Selector, ...] = ()
    q: Tree | None = None
    attrs: tuple[str, ...] = ()
    geo: GeoQuery | None = None
    scopes: ScopeTree | None = None
    ordering: Ordering | None = None

    def terms(self) -> set[str]:
        """The IRIs that the filter speaks of."""
        named = {iri for one in self.selectors for iri in types_in(one.types)} | set(self.attrs)
        if self.q is not None:
            named |= attributes_of(self.q)
            for term in comparisons(self.q):
                named |= set(_linked_terms(term.path))
        if self.geo is not None:
            named.add(self.geo.iri)
        if self.ordering is not None:
            named |= {key.path.attribute for key in self.ordering.keys}
        return named

    @property
    def hops(self) -> int:
        """How many relationships away the query looks."""
        return max((c.path.hops for c in comparisons(self.q)), default=0) if self.q else 0


def _linked_terms(path: Path) -> Iterator[str]:
    link = path.link
    while link:
        yield from link.types
        yield link.path.attribute
        link = link.path.link


def by_ids(*uris: str) -> Filter:
    """The filter for entities of these ids."""
    return Filter(selectors=(Selector(ids=uris),))


__all__ = ["Comparison", "Filter", "Selector", "by_ids"]
