"""What a data set is made of and what is made of it, back to its sources. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from onsil.hub.datasets.registry import Dataset, Said, Source


class Node(NamedTuple):
    """A station of a lineage: a data set or a source outside; `depth` steps from the one in focus,
    below zero what it is made of, above zero what is made of it."""

    key: str
    title: Said
    depth: int
    dataset: Dataset | None = None
    source: Source | None = None


class Link(NamedTuple):
    """`made` is made of `origin`, by `method` where it is told."""

    origin: str
    made: str
    method: Said | None = None


class Lineage(NamedTuple):
    """The stations, furthest origin first, and the steps between them."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def __bool__(self) -> bool:
        return bool(self.links)


def lineage_of(focus: Dataset, datasets: Sequence[Dataset]) -> Lineage:
    """Everything that a data set comes from, and everything that comes from it.

    A station stands as many steps away as the longest way to it, so that each link leads from an
    earlier station to a later one.
    """
    known = {one.id: one for one in datasets} | {focus.id: focus}
    made_of: dict[str, list[str]] = {
        one.id: [parent for parent in one.derived_from if parent in known] for one in known.values()
    }
    children: dict[str, list[str]] = {}
    for id, parents in made_of.items():
        for parent in parents:
            children.setdefault(parent, []).append(id)
    origins = _depths(focus.id, made_of)
    derived = _depths(focus.id, children)
    nodes = [_node(known[id], -steps) for id, steps in origins.items()]
    nodes += [_node(known[id], steps) for id, steps in derived.items() if steps]
    links = [Link(parent, id, known[id].method) for id in origins for parent in made_of[id]]
    links += [Link(id, child, known[child].method)
              for id in derived for child in children.get(id, ())]  # fmt: skip
    for id, steps in origins.items():
        for number, source in enumerate(known[id].sources):
            key = f"{id}#source-{number + 1}"
            nodes.append(Node(key, source.title, -steps - 1, source=source))
            links.append(Link(key, id, known[id].method))
    nodes.sort(key=lambda one: (one.depth, one.key))
    return Lineage(tuple(nodes), tuple(links))


def _node(dataset: Dataset, depth: int) -> Node:
    return Node(dataset.id, dataset.title, depth, dataset=dataset)


def _depths(start: str, next_of: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many steps each is from the start, along the longest way; there are no circles."""
    depths, front = {start: 0}, [start]
    for steps in range(1, len(next_of) + 1):
        front = [other for one in front for other in next_of.get(one, ())]
        for one in front:
            depths[one] = steps
        if not front:
            break
    return depths
